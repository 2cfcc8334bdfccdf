package engine

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// Seal seals application data. It first replaces our keys if the peer requested that or if they are
// nearly used up. The caller must hold the outbound half.
func (e *Engine) Seal(data []byte) error {
	if e.rules().updates && (e.rekey.Load() || e.Out.half.Left() < spareRecords) &&
		e.epochs < maxEpochs {
		if err := e.UpdateKeys(iana.UpdateNotRequested); err != nil {
			return err
		}
	}
	return e.Out.SealData(data)
}

// UpdateKeys sends a KeyUpdate, sealed under our old keys, and then replaces them. A second request
// is not made before the peer has updated its keys: see RFC 9846 §4.7.3. UpdateKeys may only be
// called in TLS 1.3, after the handshake. The caller must hold the outbound half.
func (e *Engine) UpdateKeys(request iana.KeyUpdateRequest) error {
	if e.epochs >= maxEpochs {
		return alert.Fail(alert.InternalError, "RFC 8446 §4.6.3",
			"the keys were updated %d times, which is the limit", e.epochs)
	}
	e.rekey.Store(false)
	if request == iana.UpdateRequested && e.asked.Swap(true) {
		request = iana.UpdateNotRequested
	}
	raw, err := message.Dialect{Version: iana.TLS13}.Encode(
		&message.KeyUpdate{RequestUpdate: request})
	if err != nil {
		return err
	}
	e.log.Message(e.me, iana.KeyUpdate, raw, "RFC 8446 §4.6.3")
	if err := e.Out.Seal(iana.RecordHandshake, raw); err != nil {
		return err
	}
	e.epochs++
	return e.machine.KeyUpdate(e.me)
}
