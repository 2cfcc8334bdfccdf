package record

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// What a protected record of TLS 1.3 must not be: RFC 8446 §5.2 and §5.4.
func TestBadRecordsOfTLS13(t *testing.T) {
	seal := func(inside ...byte) func(*testing.T, Protection) []byte {
		return func(t *testing.T, p Protection) []byte {
			// The protection appends the type, which is 0 here: padding.
			wire, err := p.Seal(nil, 0, Header{Version: iana.TLS12}, inside)
			if err != nil {
				t.Fatal(err)
			}
			return wire
		}
	}
	long := func(n int) []byte { return append(make([]byte, n), byte(iana.RecordApplicationData)) }
	garbage := func(n int) func(*testing.T, Protection) []byte {
		return func(_ *testing.T, p Protection) []byte {
			wire := append(make([]byte, HeaderLen), bytes.Repeat([]byte{7}, n)...)
			Header{iana.RecordApplicationData, iana.TLS12, n}.put(wire, n)
			return wire
		}
	}
	for _, c := range []struct {
		what string
		make func(*testing.T, Protection) []byte
		want alert.Description
	}{
		{"the most content, §5.2", seal(long(MaxPlaintext - 1)...), 0},
		{"too much inside, §5.2", seal(long(MaxPlaintext)...), alert.RecordOverflow},
		{"the longest on the wire, §5.2", garbage(MaxPlaintext + 256), alert.BadRecordMAC},
		{"too long on the wire, §5.2", garbage(MaxPlaintext + 257), alert.RecordOverflow},
		{"padding alone, §5.4", seal(0, 0), alert.UnexpectedMessage},
		{"an empty handshake message, §5.4", seal(byte(iana.RecordHandshake)),
			alert.UnexpectedMessage},
		{"an empty alert, §5.4", seal(byte(iana.RecordAlert)), alert.UnexpectedMessage},
		{"empty data, §5.4", seal(byte(iana.RecordApplicationData)), 0},
	} {
		r := row{AES_128_GCM, nil, false}
		var in Half
		in.Protect(r.new(t, iana.TLS13))
		wire := c.make(t, r.new(t, iana.TLS13))
		hd, err := ParseHeader(wire)
		if err != nil {
			t.Fatal(err)
		}
		_, got, err := in.Open(hd, wire[HeaderLen:])
		if c.want == 0 && err != nil || c.want != 0 && (got != nil || alert.Of(err) != c.want) {
			t.Errorf("%s: got %d bytes, %v, expected %v", c.what, len(got), err, c.want)
		}
	}
}
