package conformance_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
)

// A ClientHello in the form of SSL 2.0: RFC 5246 §E.2.

// hello2 is one, without the two bytes of length before it.
func hello2(version iana.Version, specs int, id, challenge []byte,
	suites ...iana.CipherSuite) []byte {
	b := binary.BigEndian.AppendUint16([]byte{1}, uint16(version))
	for _, n := range []int{3 * (specs + len(suites)), len(id), len(challenge)} {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	for range specs {
		b = append(b, 7, 0, 0xC0) // SSL_CK_DES_192_EDE3_CBC_WITH_MD5
	}
	for _, s := range suites {
		b = binary.BigEndian.AppendUint16(append(b, 0), uint16(s))
	}
	return append(append(b, id...), challenge...)
}

// framed2 puts the two bytes before it.
func framed2(raw []byte) []byte {
	return append([]byte{0x80 | byte(len(raw)>>8), byte(len(raw))}, raw...)
}

// A server under policy Legacy goes on with TLS; the transcript, and so Finished, leaves out the
// two bytes. A challenge shorter than a random is padded with zeros on its left.
func TestAServerGoesOnFromAHelloOfSSL2(t *testing.T) {
	const id = iana.TLS_RSA_WITH_AES_128_CBC_SHA256
	for _, challenge := range []int{16, 31, 32} {
		a, b := rig.Wires(t)
		server := vitrine.Server(b, &vitrine.Config{Policy: vitrine.Legacy,
			Certificates: []tls.Certificate{rig.Certificate(t, throwaway.RSA)}})
		done := make(chan error, 1)
		go func() {
			_, err := io.ReadFull(server, make([]byte, 2))
			done <- err
		}()
		peer := rig.Script(t, iana.Client, a, tls.Certificate{}, script.Edits{
			Hello: func(m *message.ClientHello) { clear(m.Random[:32-challenge]) },
			First: func(p *script.Peer, _ []script.Item) []script.Item {
				raw := hello2(iana.TLS12, 2, nil, p.Hello.Random[32-challenge:], id)
				p.Transcript = append(p.Transcript, raw...)
				return []script.Item{script.Wire(framed2(raw)...)}
			},
		})
		if err := peer.Connect(id); err != nil {
			t.Fatalf("a challenge of %d bytes: %v (%v)", challenge, err, peer.Alert)
		}
		if err := <-done; err != nil {
			t.Errorf("a challenge of %d bytes: %v", challenge, err)
		}
		s := server.ConnectionState()
		if s.Version != vitrine.VersionTLS12 || s.CipherSuite != uint16(id) {
			t.Errorf("got %#04x with %v", s.Version, iana.CipherSuite(s.CipherSuite))
		}
	}
}

// What is not such a hello, or not allowed to be one, ends the handshake before any key exchange.
func TestHellosOfSSL2ThatAreRefused(t *testing.T) {
	random, suite := make([]byte, 32), iana.TLS_RSA_WITH_AES_128_CBC_SHA256
	good := framed2(hello2(iana.TLS12, 1, nil, random, suite))
	legacy := &vitrine.Config{Policy: vitrine.Legacy}
	for _, c := range []struct {
		what   string
		config *vitrine.Config
		wire   []byte
		kind   alert.Kind
	}{
		{"policy Modern", &vitrine.Config{}, good, alert.KindNotTLS},
		{"policy Compatible", &vitrine.Config{Policy: vitrine.Compatible}, good, alert.KindNotTLS},
		{"TLS 1.3 alone, RFC 8446 §D.5", &vitrine.Config{Policy: vitrine.Legacy,
			MinVersion: vitrine.VersionTLS13}, good, alert.KindVersion},
		{"it says TLS 1.3, RFC 8446 §D.5", &vitrine.Config{Policy: vitrine.Legacy,
			MinVersion: vitrine.VersionTLS13}, framed2(hello2(iana.TLS13, 0, nil, random, suite)),
			alert.KindVersion},
		{"SSL 2.0 itself, RFC 6176", legacy, framed2(hello2(0x0002, 1, nil, random, suite)),
			alert.KindNotTLS},
		{"suites of SSL 2.0 alone", legacy, framed2(hello2(iana.TLS12, 3, nil, random)),
			alert.KindSuite},
		{"a session ID", legacy, framed2(hello2(iana.TLS12, 0, random[:16], random, suite)),
			alert.KindMalformed},
		{"a short challenge", legacy, framed2(hello2(iana.TLS12, 0, nil, random[:15], suite)),
			alert.KindMalformed},
		{"a long challenge", legacy, framed2(hello2(iana.TLS12, 0, nil, make([]byte, 33), suite)),
			alert.KindMalformed},
		{"cut cipher_specs", legacy, []byte{0x80, 45, 1, 3, 3, 0, 4, 0, 0, 0, 32},
			alert.KindMalformed},
		{"2 KiB of cipher_specs", legacy, framed2(hello2(iana.TLS12, 1000, nil, random, suite)),
			alert.KindLength},
		{"behind a record", legacy, append([]byte{21, 3, 1, 0, 2, 1, 90}, good...),
			alert.KindNotTLS},
		{"a length that is not its parts'", legacy, append([]byte{0x80, 60}, good[2:]...),
			alert.KindNotTLS},
	} {
		a, b := rig.Wires(t)
		c.config.Certificates = []tls.Certificate{rig.Certificate(t, throwaway.RSA)}
		go func() {
			a.Write(append(c.wire, make([]byte, 64)...))
			io.Copy(io.Discard, a)
		}()
		if err := vitrine.Server(b, c.config).Handshake(); alert.KindOf(err) != c.kind {
			t.Errorf("%s: got %v (%s), expected %s", c.what, err, alert.KindOf(err), c.kind)
		}
	}
}

// Half a hello costs what came, and is no error as long as more may come.
func TestAHelloOfSSL2MayComeInPieces(t *testing.T) {
	a, b := rig.Wires(t)
	server := vitrine.Server(b, &vitrine.Config{Policy: vitrine.Legacy,
		Certificates: []tls.Certificate{rig.Certificate(t, throwaway.RSA)}})
	go server.Handshake()
	wire := framed2(hello2(iana.TLS12, 1, nil, make([]byte, 32),
		iana.TLS_RSA_WITH_AES_128_CBC_SHA256))
	for i := range wire {
		if _, err := a.Write(wire[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	answer := make([]byte, 6)
	if _, err := io.ReadFull(a, answer); err != nil || answer[0] != byte(iana.RecordHandshake) ||
		answer[5] != byte(iana.ServerHello) {
		t.Errorf("got %x and %v, expected a ServerHello", answer, err)
	}
}
