package starttls_test

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/starttls"
)

// FuzzAsk: whatever a server says before TLS, each protocol consents, or says why not in a bounded
// sentence; and what it has read beyond the consent is never taken for the start of TLS.
func FuzzAsk(f *testing.F) {
	names := starttls.Names()
	for _, c := range dialogues {
		for i, name := range names {
			if name == c.protocol {
				f.Add(byte(i), []byte(c.server))
			}
		}
	}
	f.Fuzz(func(t *testing.T, which byte, server []byte) {
		p, _ := starttls.ByName(names[int(which)%len(names)])
		from := bytes.NewReader(server)
		err := p.Ask(&script{Reader: from}, "a&b")
		if err != nil && len(err.Error()) > 4096 {
			t.Errorf("%s: an error of %d bytes", p.Name, len(err.Error()))
		}
		if err == nil && from.Len() == 0 && len(server) == 0 {
			t.Errorf("%s: consent of a server that said nothing", p.Name)
		}
		if p, ok := starttls.Greeted(server); ok && p == nil {
			t.Error("a greeting of no protocol")
		}
	})
}
