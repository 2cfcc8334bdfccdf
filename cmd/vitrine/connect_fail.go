package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/internal/reach"
)

// explain explains why an attempt failed. It may connect again to find what would work.
func (c *caller) explain(ctx context.Context, a *attempt, r *report) {
	f := &failureReport{took: a.took, shown: r.ClientAuth != nil && r.ClientAuth.Shown != "none"}
	r.Failure = f
	defer c.progress.during("finding out why it failed")()
	ctx, cancel := context.WithTimeout(ctx, c.searching())
	defer cancel()
	failure, ok := a.failure()
	switch {
	case !ok:
		c.explainUnreached(ctx, a, f)
	case failure.Trust != nil:
		c.seen(failure, f)
		c.explainTrust(ctx, failure, f)
	case a.unpinned() != nil:
		f.Seen = append(f.Seen, a.unpinned().Error())
		pin := a.unpinned().raw
		if pin == "" && len(r.certs) > 0 {
			pin = pinOf(r.certs[0])
		}
		if pin != "" {
			f.Try = append(f.Try, c.line(nil, flagChange{Name: "pin", Value: pin})+confirmed)
		}
	default:
		c.seen(failure, f)
		if f.repin = c.otherPin(r.certs); f.repin != nil {
			f.Seen = append(f.Seen, (&pinError{}).Error())
		}
		if failure.OwnCertificate() && r.ClientAuth != nil {
			f.Inferred = []string{c.aboutOwn(r.ClientAuth)}
		}
		c.explainHandshake(ctx, failure, f)
	}
}

func (c *caller) seen(failure *diagnose.Failure, f *failureReport) {
	d := failure.Explain()
	f.Seen, f.Inferred, f.Ref = d.Seen, d.Inferred, d.Ref
}

// explainUnreached explains a failure before TLS.
func (c *caller) explainUnreached(ctx context.Context, a *attempt, f *failureReport) {
	f.Seen = append(f.Seen, a.err.Error())
	step, _ := errors.AsType[*reach.Error](a.err)
	host := quoted(c.target.host)
	switch {
	case step == nil: // the Config: nothing was sent
	case reach.NoSuchName(a.err):
		const why = " is misspelled, or known to another resolver only"
		if c.way.Proxy != nil {
			f.Inferred = append(f.Inferred, "the name of the proxy"+why)
			f.Try = append(f.Try, "getent hosts "+quoted(c.way.Proxy.Hostname()))
			break
		}
		f.Inferred = append(f.Inferred, "the name"+why)
		f.Try = append(f.Try,
			c.line(nil, flagChange{Name: "resolve", Value: "ADDRESS"})+" # if you know it")
	case step.Phase == "name":
		f.Inferred = append(f.Inferred, "the resolver of this machine does not answer")
		f.Try = append(f.Try, "getent hosts "+host)
	case errors.Is(a.err, syscall.ECONNREFUSED):
		f.Inferred = append(f.Inferred,
			"nothing listens on port "+c.target.port+", or a firewall refuses it")
		f.Try = append(f.Try, fmt.Sprintf("nc -vz %s %s", host, c.target.port))
	case step.Phase == "tcp":
		f.Inferred = append(f.Inferred,
			"the machine is off, or a firewall drops what is sent to port "+c.target.port)
		f.Try = append(f.Try, c.line(nil, flagChange{Name: "timeout", Value: "30s"}))
	case step.Phase == "starttls":
		f.Inferred = append(f.Inferred,
			"the server does not offer TLS here, speaks another protocol, or speaks TLS at once")
		c.atOnce(ctx, f)
	case step.Phase == "proxy":
		f.Try = append(f.Try, c.line(nil, flagChange{Name: "proxy", Drop: true}))
	}
}

// atOnce tries TLS without asking for it in the clear first.
func (c *caller) atOnce(ctx context.Context, f *failureReport) {
	line := c.line(nil, flagChange{Name: "starttls", Drop: true})
	if !c.noRetry {
		way := c.way
		way.StartTLS, way.Timeout = nil, min(way.Timeout, retryTimeout)
		a := c.attemptBy(ctx, way, c.config)
		if a.err == nil {
			a.conn.Close()
		}
		if failure, ok := a.failure(); a.err == nil || ok && failure.Trust != nil {
			f.Proved, f.Works = "the server speaks TLS at once", line
			return
		}
		f.Tried = append(f.Tried, tried{"TLS at once", "no: " + briefly(a.err)})
	}
	f.Try = append(f.Try, line)
}
