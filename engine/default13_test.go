package engine

import (
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// After the handshake each side answers a message that it did not allow with an error, whatever the
// message is and whatever is in it: RFC 8446 §4.6.
func TestUnexpectedPostHandshakeMessagesAreRefused(t *testing.T) {
	whole := func(body ...byte) []byte { return append([]byte{0, 0, 0, byte(len(body))}, body...) }
	bodies := [][]byte{whole(), whole(0), whole(0, 0, 0, 0),
		whole(0, 0, 0, 8, 0, 0, 3, 1, 2, 3, 0, 0), // a Certificate
		whole(4, 3, 0, 1, 0),                      // a CertificateVerify
		whole(0, 1, 0, 0, 9, 0, 0, 1, 0),          // a CompressedCertificate
		whole(0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3),   // a CertificateRequest
		whole(make([]byte, 32)...)}                // a Finished
	for _, me := range []iana.Side{iana.Client, iana.Server} {
		for kind := range int(iana.CompressedCertificate) + 2 {
			for _, raw := range bodies {
				engines, _ := connectBy(t, config13)
				raw[0] = byte(kind)
				from, to := engines[me.Peer()], engines[me]
				if err := from.Out.Seal(iana.RecordHandshake, raw); err != nil {
					t.Fatal(err)
				}
				arrive(to, sealed(from))
				_, err := to.Read(make([]byte, 1))
				allowed := kind == int(iana.KeyUpdate) && len(raw) == 5 ||
					kind == int(iana.NewSessionTicket)
				if !allowed && (errors.Is(err, ErrMore) || alert.Of(err) == alert.InternalError) {
					t.Errorf("%v got a message of type %d: %v", me, kind, err)
				}
			}
		}
	}
}
