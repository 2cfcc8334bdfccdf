package diagnose

import (
	"context"
	"crypto/tls"
	"errors"

	"github.com/vitrine-tls/vitrine"
)

// Proof is the result of trying a change.
type Proof struct {
	Change Change
	Err    error // nil: it works
}

// A try makes a connection with a Config.
type try = func(context.Context, *vitrine.Config) (vitrine.ConnectionState, error)

// Prove tries changes in order, up to the first that works, which is then the last Proof. If a
// change of several things works, each of them is tried alone. try makes a new connection with the
// changed Config. ctx limits the time of all tries together.
func Prove(ctx context.Context, base *vitrine.Config, changes []Change,
	try func(context.Context, *vitrine.Config) (vitrine.ConnectionState, error)) (tried []Proof) {
	for _, c := range changes {
		if ctx.Err() != nil {
			break
		}
		p := prove(ctx, base, c, try)
		if p.Works() {
			parts := Prove(ctx, base, c.parts, try)
			tried = append(tried, parts...)
			if len(parts) > 0 && parts[len(parts)-1].Works() {
				return tried
			}
			return append(tried, p)
		}
		tried = append(tried, p)
	}
	return tried
}

func prove(ctx context.Context, base *vitrine.Config, c Change, try try) Proof {
	config := base.Clone()
	c.apply(config)
	state, err := try(ctx, config)
	if err == nil && c.narrow != nil {
		c = c.narrow(c, state)
	}
	return Proof{c, err}
}

// untrusted reports whether err is about a certificate that is not trusted. The change then helped:
// the handshake got as far as the certificate.
func untrusted(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

// Works reports whether the change works, even if the certificate is then not trusted.
func (p *Proof) Works() bool { return p.Err == nil || untrusted(p.Err) }
