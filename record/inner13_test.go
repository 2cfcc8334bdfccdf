package record

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// What a protected record of TLS 1.3 must not be: RFC 8446 §5.2 and §5.4.
func TestBadInnerPlaintextsOfTLS13AreRefused(t *testing.T) {
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

// A negotiated limit covers the content, its type and the padding: RFC 8449 §4.
func TestALimitCoversPadding(t *testing.T) {
	const limit = 100
	r := row{AES_128_GCM, nil, false}
	for _, c := range []struct {
		content, zeros int
		want           alert.Description
	}{
		{limit, 0, 0}, {limit + 1, 0, alert.RecordOverflow}, {1, limit - 1, 0},
		{1, limit, alert.RecordOverflow},
	} {
		inside := append(make([]byte, c.content), byte(iana.RecordApplicationData))
		if inside = append(inside, make([]byte, c.zeros)...); c.zeros > 0 {
			inside = inside[:len(inside)-1] // the protection appends one, as the type
		}
		var in Half
		in.Protect(r.new(t, iana.TLS13))
		in.SetMaxFragment(limit)
		hd := Header{Type: iana.RecordApplicationData, Version: iana.TLS12}
		typ := iana.ContentType(0)
		if c.zeros == 0 {
			typ, inside = iana.RecordApplicationData, inside[:c.content]
		}
		sealed := Header{Type: typ, Version: iana.TLS12}
		wire, err := r.new(t, iana.TLS13).Seal(nil, 0, sealed, inside)
		if err != nil {
			t.Fatal(err)
		}
		hd.Length = len(wire) - HeaderLen
		_, got, err := in.Open(hd, wire[HeaderLen:])
		if c.want == 0 && len(got) != c.content || c.want != 0 && alert.Of(err) != c.want {
			t.Errorf("%d bytes and %d zeros: got %d bytes, %v, expected %v", c.content, c.zeros,
				len(got), err, c.want)
		}
	}
}
