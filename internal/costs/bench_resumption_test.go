package costs_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// resumptions are by ticket: RFC 5246 Figure 2 with RFC 5077, and RFC 8446 §2.2 with psk_dhe_ke.
var resumptions = []struct {
	name string
	parameters
}{
	{"ticket", parameters{tls.VersionTLS12, rig.ECDSAGCM, throwaway.ECDSA, 0}},
	{"13_psk_X25519", parameters{tls.VersionTLS13, 0, throwaway.ECDSA, tls.X25519}},
	{"13_psk_X25519MLKEM768", parameters{tls.VersionTLS13, 0, throwaway.ECDSA, tls.X25519MLKEM768}},
}

func BenchmarkResumption(b *testing.B) {
	for _, r := range resumptions {
		compare(b, r.name,
			resuming(vitrineEnds(b, r.parameters, vitrine.NewLRUClientSessionCache(1)),
				func(c rig.Shaker) bool { return c.(*vitrine.Conn).ConnectionState().DidResume }),
			resuming(cryptoTLSEnds(b, r.parameters, tls.NewLRUClientSessionCache(1)),
				func(c rig.Shaker) bool { return c.(*tls.Conn).ConnectionState().DidResume }))
	}
}

// resuming has the server send one byte after each handshake and the client read it: in TLS 1.3 the
// tickets come before it. A handshake that does not resume fails: it would measure something else.
func resuming(make ends, resumed func(rig.Shaker) bool) ends {
	first := true
	return func(client, server net.Conn) (rig.Shaker, rig.Shaker) {
		c, s := make(client, server)
		return followed{c, func() error {
				if !resumed(c) && !first {
					return errNotResumed
				}
				first = false
				_, err := io.ReadFull(c, []byte{0})
				return err
			}}, followed{s, func() error {
				_, err := s.Write([]byte{0})
				return err
			}}
	}
}

var errNotResumed = errors.New("the handshake did not resume")

// followed does something after its handshake.
type followed struct {
	rig.Shaker
	then func() error
}

func (f followed) Handshake() error {
	if err := f.Shaker.Handshake(); err != nil {
		return err
	}
	return f.then()
}
