package starttls_test

import (
	"bytes"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/starttls"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// tired is a connection that takes some writes, and no more.
type tired struct {
	script
	takes int
}

func (c *tired) Write(p []byte) (int, error) {
	if c.takes--; c.takes < 0 {
		return 0, net.ErrClosed
	}
	return c.script.Write(p)
}

// FuzzAsk: whatever a server says before TLS, each protocol consents, or says why not in a bounded
// sentence; and what it has read beyond the consent is never taken for the start of TLS.
func FuzzAsk(f *testing.F) {
	names := starttls.Names()
	for _, c := range dialogues {
		for i, name := range names {
			if name == c.protocol {
				f.Add(byte(i), []byte(c.server), byte(9))
				for takes := range byte(3) {
					f.Add(byte(i), []byte(c.server), takes)
				}
				for _, spoilt := range testkit.Spoil([]byte(c.server), 4) {
					f.Add(byte(i), spoilt, byte(9))
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, which byte, server []byte, takes byte) {
		p, _ := starttls.ByName(names[int(which)%len(names)])
		from := bytes.NewReader(server)
		err := p.Ask(&tired{script{Reader: from}, int(takes)}, "a&b")
		if err != nil && len(err.Error()) > 4096 {
			t.Errorf("%s: an error of %d bytes", p.Name, len(err.Error()))
		}
		if err == nil && from.Len() == 0 && len(server) == 0 {
			t.Errorf("%s: consent of a server that said nothing", p.Name)
		}
		if again, ok := starttls.ByPort(p.Port); p.Port != "" && (!ok || again.Port != p.Port) {
			t.Errorf("%s is not found by its port", p.Name)
		}
		if p, ok := starttls.Greeted(server); ok && p == nil {
			t.Error("a greeting of no protocol")
		}
	})
}
