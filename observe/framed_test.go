package observe_test

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/framing"
)

// framed returns a tape whose handshake is in packets of TDS, of at most n bytes, behind a
// Pre-Login.
func framed(all *tape, n int) *tape {
	preLogin := func(typ byte) []byte {
		return append([]byte{typ, 1, 0, 20, 0, 0, 0, 0}, make([]byte, 12)...)
	}
	out := tape{{iana.Client, preLogin(0x12)}, {iana.Server, preLogin(4)}}
	done := false
	for _, x := range *all {
		b := x.b
		if done = done || b[0] == byte(iana.RecordApplicationData); !done {
			var packets []byte
			for len(b) > 0 {
				k := min(n, len(b))
				packets, b = framing.TDS.Append(packets, b[:k], k == len(b)), b[k:]
			}
			b = packets
		}
		out = append(out, segment{x.from, b})
	}
	return &out
}

// A handshake inside packets of another protocol is read, with its data and what follows in the
// clear if the login alone was protected.
func TestAHandshakeInPacketsIsRead(t *testing.T) {
	for _, id := range []string{"snet/tls_AES256-SHA256", ephemeral} {
		all, source := recorded(t, id)
		whole := play(all, source, nil)
		for _, n := range []int{4088, 700, 61} {
			h := play(framed(all, n), source, nil)
			if !h.Decrypted || !bytes.Equal(h.plain[0], whole.plain[0]) ||
				!bytes.Equal(h.plain[1], whole.plain[1]) || h.Flows[0].Clear+h.Flows[1].Clear != 0 {
				t.Errorf("%s in packets of %d: %+v, %v", id, n, h.Flows, h.Reason)
			}
			login := append(*framed(all, n),
				segment{iana.Server, []byte("\x04\x01\x00\x0c\x00\x34\x01\x00\xfd\x00\x00\x00")},
				segment{iana.Client, []byte("\x01\x01\x00\x0a\x00\x00\x01\x00SQ")})
			h = play(&login, source, nil)
			if !h.Decrypted || h.Flows[0].Clear != 10 || h.Flows[1].Clear != 12 {
				t.Errorf("%s, for a login: %+v, %v", id, h.Flows, h.Reason)
			}
		}
	}
}
