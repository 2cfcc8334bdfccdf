package handshake

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/suite"
)

// Epoch is a part of a connection with keys of its own.
type Epoch uint8

// The epochs, in their order. Until TLS 1.2 there is only Application.
const (
	Early       Epoch = iota // a client's data before the server has answered
	Handshaking              // the rest of a TLS 1.3 handshake
	Application              // application data
	Resumable                // the same keys; the secret of later sessions exists
	epochs      = Application + 1
)

// keyed returns the epoch whose keys protect what is sent in e: Resumable brings no keys.
func (e Epoch) keyed() Epoch {
	if e == Resumable {
		return Application
	}
	return e
}

// secrets is key derivation as the spine uses it, for every version.
type secrets interface {
	// reach derives the secrets of an epoch. The transcript ends with the message that begins it.
	reach(e Epoch, t *transcript) error
	// keys returns the keys for what from sends in an epoch, or false if they are not known.
	keys(from iana.Side, e Epoch) (keys.Direction, bool)
	// ref returns the section that defines the keys.
	ref() string
	// verifyData returns the verify_data of from's Finished, over the transcript before it.
	verifyData(from iana.Side, t *transcript) []byte
	// update replaces the application keys of from with the next ones (KeyUpdate). Keys of
	// Application must be known.
	update(from iana.Side)
	// session returns the secret of a later resumption: the master_secret or, for a ticket's nonce,
	// its PSK.
	session(nonce []byte) []byte
	export(label string, context []byte, n int) ([]byte, error)
	// forget drops what only the handshake needs.
	forget()
}

// secrets12 is key derivation up to TLS 1.2: one master_secret, one key_block.
type secrets12 struct {
	master  keys.Master
	block   keys.Block
	randoms keys.Randoms
	ssl30   bool
}

func (s *secrets12) reach(Epoch, *transcript) error { return nil }

func (s *secrets12) keys(from iana.Side, _ Epoch) (keys.Direction, bool) {
	return s.block.Of(from), true
}

func (s *secrets12) verifyData(from iana.Side, t *transcript) []byte {
	if s.ssl30 {
		return s.master.VerifyData30(t.pair(from))
	}
	return s.master.VerifyData(from, t.sum())
}

func (s *secrets12) ref() string { return "RFC 5246 §6.3" }

func (s *secrets12) update(iana.Side) {}

func (s *secrets12) session([]byte) []byte { return s.master.Bytes() }

func (s *secrets12) export(label string, context []byte, n int) ([]byte, error) {
	return s.master.Export(label, context, s.randoms, n)
}

func (s *secrets12) forget() { s.block = keys.Block{} }

// traffic13 holds the known traffic secrets of TLS 1.3. It is used alone by an observer that has
// them from a key log.
type traffic13 struct {
	suite  *suite.Suite
	known  [epochs][2]bool
	secret [epochs][2]keys.Traffic
}

// givenNames are the names of traffic secrets in events, after the name of their side.
var givenNames = [epochs]string{"_early_traffic_secret", "_handshake_traffic_secret",
	"_application_traffic_secret"}

// protects says what the traffic secrets of the epochs protect.
var protects = [epochs]keys.Protected{Early: keys.EarlyData, Handshaking: keys.HandshakeMessages,
	Application: keys.ApplicationData}

// logged returns the traffic secrets of a key log, except those whose length is not that of the
// hash.
func logged(k keys.HKDF, s *suite.Suite, given *TrafficSecrets) *traffic13 {
	t := &traffic13{suite: s}
	for e, of := range [epochs][2][]byte{{given.Early, nil}, given.Handshake, given.Application} {
		for _, from := range []iana.Side{iana.Client, iana.Server} {
			secret, err := k.Traffic(protects[e], from, of[from])
			if err != nil {
				continue
			}
			t.set(Epoch(e), from, secret)
			k.Log.Given(from.String()+givenNames[e], of[from], "RFC 9850 §2")
		}
	}
	return t
}

func (t *traffic13) set(e Epoch, from iana.Side, secret keys.Traffic) {
	t.known[e][from], t.secret[e][from] = true, secret
}

func (t *traffic13) reach(Epoch, *transcript) error { return nil }

func (t *traffic13) keys(from iana.Side, e Epoch) (keys.Direction, bool) {
	e = e.keyed()
	if !t.known[e][from] {
		return keys.Direction{}, false
	}
	return t.secret[e][from].Direction(t.suite.Shape(iana.TLS13)), true
}

func (t *traffic13) trafficSecret(from iana.Side, e Epoch) keys.Traffic {
	return t.secret[e.keyed()][from]
}

func (t *traffic13) verifyData(from iana.Side, transcript *transcript) []byte {
	return t.secret[Handshaking][from].VerifyData(transcript.sum())
}

func (t *traffic13) ref() string { return "RFC 8446 §7.3" }

func (t *traffic13) update(from iana.Side) {
	t.secret[Application][from] = t.secret[Application][from].Update()
}

func (t *traffic13) session([]byte) []byte { return nil }

func (t *traffic13) export(string, []byte, int) ([]byte, error) {
	return nil, alert.Fail(alert.InternalError, "RFC 8446 §7.5", "the exporter_secret is not known")
}

func (t *traffic13) forget() {
	for e := range Application {
		t.known[e], t.secret[e] = [2]bool{}, [2]keys.Traffic{}
	}
}

// schedule13 is the key schedule of TLS 1.3, for sides that know the shared secret. See RFC 8446
// §7.1.
type schedule13 struct {
	traffic13
	handshake  keys.Handshake
	main       keys.Main
	exporter   keys.Exporter
	resumption keys.Resumption
	keyLog     func(keylog.Label, []byte) error // nil without a log
}

// traffic derives both sides' secrets of an epoch, and writes them to the key log.
func (s *schedule13) traffic(e Epoch, of func(iana.Side, []byte) keys.Traffic,
	transcriptHash []byte) error {
	labels := [epochs][2]keylog.Label{
		Handshaking: {keylog.ClientHandshake, keylog.ServerHandshake},
		Application: {keylog.ClientTraffic, keylog.ServerTraffic},
	}
	for _, from := range []iana.Side{iana.Client, iana.Server} {
		secret := of(from, transcriptHash)
		s.set(e, from, secret)
		if s.keyLog == nil {
			continue
		}
		if err := s.keyLog(labels[e][from], secret.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func (s *schedule13) reach(e Epoch, t *transcript) error {
	switch e {
	case Handshaking:
		return s.traffic(e, s.handshake.Traffic, t.sum())
	case Application:
		s.main = s.handshake.Main()
		sum := t.sum()
		if err := s.traffic(e, s.main.Traffic, sum); err != nil {
			return err
		}
		s.exporter = s.main.Exporter(sum)
		if s.keyLog == nil {
			return nil
		}
		return s.keyLog(keylog.Exporter, s.exporter.Bytes())
	case Resumable:
		s.resumption = s.main.Resumption(t.sum())
		s.handshake, s.main = keys.Handshake{}, keys.Main{}
	}
	return nil
}

func (s *schedule13) session(nonce []byte) []byte {
	if s.resumption.Bytes() == nil {
		return nil
	}
	return s.resumption.PSK(nonce)
}

func (s *schedule13) export(label string, context []byte, n int) ([]byte, error) {
	return s.exporter.Export(label, context, n)
}

// TrafficSecrets holds the secrets of a TLS 1.3 connection from a key log. A missing secret is nil,
// and one whose length is not that of the suite's hash is ignored.
type TrafficSecrets struct {
	Early       []byte    // of the client, before the server has answered
	Handshake   [2][]byte // by side
	Application [2][]byte
}

func (t *traffic13) dataVerifyData(from iana.Side, transcript *transcript) []byte {
	return t.secret[Application][from].VerifyData(transcript.sum())
}
