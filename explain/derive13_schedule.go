package explain

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
)

// all walks the schedule of RFC 8446 §7.1, as far as the inputs allow.
func (r *run13) all() {
	g := &r.d.Given
	input := func(m method, name string, given []byte) []byte {
		if other, ok := m.inputs[name]; ok {
			return other
		}
		return given
	}
	r.part = "EARLY"
	early := r.extract("early_secret", func(m method) (_, _ []byte) {
		return nil, input(m, "psk", g.PSK)
	}, "psk")
	if g.PSK != nil {
		r.early(early)
	}
	if g.Shared == nil && r.d.kex {
		return
	}
	r.part = "HANDSHAKE"
	shared := func(m method) []byte {
		if m.stripped {
			return bytes.TrimLeft(g.Shared, "\x00")
		}
		if m.digested && g.Shared != nil {
			return digestOf(r.hashOf(m), g.Shared)
		}
		if n := m.padded; n > 0 && g.Shared != nil {
			return slices.Concat(make([]byte, max(1, n-len(g.Shared))), g.Shared)
		}
		return input(m, "shared_secret", g.Shared)
	}
	handshake := r.next("handshake_secret", "early_secret", early, shared, "shared_secret")
	if r.has(ToServerHello) {
		r.handshake(handshake)
	}
	r.part = "MAIN"
	none := func(method) []byte { return nil }
	main := r.next("main_secret", "handshake_secret", handshake, none, "0")
	if r.has(ToServerFinished) {
		r.main(main)
	}
	if !r.has(ToClientFinished) {
		return
	}
	resumption := r.derive(arrow{"resumption_secret", "resumption_secret", "res master",
		"main_secret", "RFC 8446 §7.1"}, main, ToClientFinished)
	if g.Nonce != nil {
		r.expand(arrow{"resumption_psk", "resumption_psk", "resumption", "resumption_secret",
			"RFC 8446 §4.6.1"}, resumption, func(m method) []byte {
			if m.hashed {
				return digestOf(r.hashOf(m), g.Nonce)
			}
			return g.Nonce
		}, "ticket_nonce", 0)
	}
}

// early derives what follows from the PSK alone.
func (r *run13) early(secret []byte) {
	kind := r.d.Given.PSKKind
	if r.m.kind != "" {
		kind = r.m.kind
	}
	const ref = "RFC 8446 §7.1"
	binder := r.expand(arrow{"binder_key", "binder_key", kind + " binder", "early_secret", ref},
		secret, r.nothing, `Hash("")`, 0)
	r.finished("psk_binder", "binder_finished_key", "binder_key", binder, ToIdentities)
	if !r.has(ToClientHello) {
		return
	}
	const name = "client_early_traffic_secret"
	traffic := r.derive(arrow{name, name, "c e traffic", "early_secret", ref}, secret,
		ToClientHello)
	r.keys(name, "client_early_", iana.Client, traffic)
	r.derive(arrow{"early_exporter_secret", "early_exporter_secret", "e exp master", "early_secret",
		ref}, secret, ToClientHello)
}

// handshake derives the keys of the handshake, and what both Finished prove.
func (r *run13) handshake(secret []byte) {
	for _, from := range []iana.Side{iana.Client, iana.Server} {
		name := from.String() + "_handshake_traffic_secret"
		traffic := r.derive(arrow{name, name, from.String()[:1] + " hs traffic",
			"handshake_secret", "RFC 8446 §7.1"}, secret, ToServerHello)
		r.keys(name, from.String()+"_handshake_", from, traffic)
		before := BeforeClientFinished
		if from == iana.Server {
			before = BeforeServerFinished
		}
		r.finished(from.String()+"_verify_data", from.String()+"_finished_key", name, traffic,
			before)
	}
}

// main derives the keys of the application's data, and the next ones.
func (r *run13) main(secret []byte) {
	for _, from := range []iana.Side{iana.Client, iana.Server} {
		event := from.String() + "_application_traffic_secret"
		stem := from.String() + "_application_"
		traffic := r.derive(arrow{event + "_0", event, from.String()[:1] + " ap traffic",
			"main_secret", "RFC 8446 §7.1"}, secret, ToServerFinished)
		r.keys(event+"_0", stem, from, traffic)
		updated := r.plain(arrow{event + "_1", event, "traffic upd", event + "_0",
			"RFC 8446 §7.2"}, traffic, 0)
		r.keys(event+"_1", stem+"1_", from, updated)
	}
	r.derive(arrow{"exporter_secret", "exporter_secret", "exp master", "main_secret",
		"RFC 8446 §7.1"}, secret, ToServerFinished)
}

// record protects the plaintext that was given, under a direction's keys. See RFC 8446 §5.2 and
// §5.3.
func (r *run13) record(stem string, key, iv []byte) {
	g := &r.d.Given
	if g.Plaintext == nil {
		return
	}
	aead, err := g.Suite.Cipher.NewAEAD(key)
	if err != nil {
		return
	}
	nonce := r.step(stem+"nonce", func() string {
		return fmt.Sprintf("%swrite_iv XOR sequence number %d", stem, g.Sequence)
	}, func(m method) []byte { return m.nonceOf(iv, g.Sequence) })
	r.step(stem+"record", func() string {
		return fmt.Sprintf("header ‖ AEAD(%swrite_key, nonce, header, plaintext ‖ %02x)", stem,
			byte(g.Content))
	}, func(m method) []byte {
		if r.alone {
			nonce = m.nonceOf(iv, g.Sequence)
		}
		inner := bytes.Clone(g.Plaintext)
		switch m.content {
		case contentBehind:
			inner = append(inner, byte(g.Content))
		case contentInFront:
			inner = append([]byte{byte(g.Content)}, inner...)
		}
		header := []byte{byte(iana.RecordApplicationData), 3, 3, 0, 0}
		binary.BigEndian.PutUint16(header[3:], uint16(len(inner)+aead.Overhead()))
		return aead.Seal(bytes.Clone(header), nonce, inner,
			m.dataOf(header, len(inner), g.Sequence, g.Content))
	})
}

// nonceOf returns the nonce of a record.
func (m method) nonceOf(iv []byte, sequence uint64) []byte {
	nonce := bytes.Clone(iv)
	switch m.nonce {
	case nonceNumber:
		clear(nonce)
	case nonceNext:
		sequence++
	case nonceBefore:
		sequence--
	}
	number := binary.BigEndian.AppendUint64(nil, sequence)
	right := nonce[len(nonce)-8:]
	switch m.nonce {
	case nonceIVAlone:
		return nonce
	case nonceReplaced:
		copy(right, number)
		return nonce
	case nonceLeft:
		right = nonce
	case nonceReversed:
		slices.Reverse(number)
	}
	for i, b := range number {
		right[i] ^= b
	}
	return nonce
}

// dataOf returns the additional data of a record.
func (m method) dataOf(header []byte, inner int, sequence uint64,
	content iana.ContentType) []byte {
	data := bytes.Clone(header)
	switch m.data {
	case dataNone:
		return nil
	case dataInnerType:
		data[0] = byte(content)
	case dataTLS10:
		data[2] = 1
	case dataTLS13:
		data[2] = 4
	case dataUnsealed:
		binary.BigEndian.PutUint16(data[3:], uint16(inner))
	case dataTLS12:
		binary.BigEndian.PutUint16(data[3:], uint16(inner))
		return append(binary.BigEndian.AppendUint64(nil, sequence), data...)
	}
	return data
}

// keys are the key and the IV of a traffic secret, and a record under them.
func (r *run13) keys(secretName, stem string, from iana.Side, secret []byte) {
	s := r.d.Given.Suite.Shape(iana.TLS13)
	event := from.String() + "_write_"
	key := r.plain(arrow{stem + "write_key", event + "key", "key", secretName, "RFC 8446 §7.3"},
		secret, s.Key)
	iv := r.plain(arrow{stem + "write_iv", event + "iv", "iv", secretName, "RFC 8446 §7.3"},
		secret, s.IV)
	r.record(stem, key, iv)
}
