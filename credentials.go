package vitrine

import (
	"crypto/tls"
	"fmt"
	"sync"

	"github.com/vitrine-tls/vitrine/pki"
)

// credentials are Certificates, parsed once.
type credentials struct {
	mu   sync.Mutex
	from []tls.Certificate
	got  []*pki.Credential
}

func (c *credentials) parse(certs []tls.Certificate) ([]*pki.Credential, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(certs) == len(c.from) && (len(certs) == 0 || &certs[0] == &c.from[0]) {
		return c.got, nil
	}
	var got []*pki.Credential
	for i := range certs {
		cred, err := pki.FromTLS(&certs[i])
		if err != nil {
			return nil, fmt.Errorf("vitrine: Config.Certificates[%d]: %w", i, err)
		}
		got = append(got, cred)
	}
	c.from, c.got = certs, got
	return got, nil
}
