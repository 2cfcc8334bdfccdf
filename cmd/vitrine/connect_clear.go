package main

import (
	"context"

	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/internal/starttls"
)

// beginsInTheClear recognizes a server that does not begin with TLS, and tries STARTTLS if the
// greeting or the port suggests it. It reports whether it has explained the failure.
func (c *caller) beginsInTheClear(ctx context.Context, failure *diagnose.Failure,
	f *failureReport) bool {
	if c.way.StartTLS != nil || failure.Answered != nil || failure.Received != nil {
		return false
	}
	_, plain := diagnose.NotTLS(failure.First)
	dialect, ok := starttls.Greeted(failure.First)
	if !plain && len(failure.First) == 0 {
		dialect, ok = starttls.ByPort(c.target.port)
	}
	if ok && c.asking(ctx, dialect, f) {
		return true
	}
	if !plain {
		return false
	}
	if diagnose.IsHTTP(failure.First) {
		f.Try = append(f.Try, "curl http://"+c.target.String()+"/ # no TLS at this port")
	} else {
		f.Try = append(f.Try,
			"nc "+quoted(c.target.host)+" "+c.target.port+" # shows what it sends")
	}
	return true
}
