package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/internal/reach"
	"github.com/vitrine-tls/vitrine/internal/starttls"
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
		if flag, family := c.family(); flag != "" {
			f.Inferred = append(f.Inferred, "the name has no "+family+" address, or it"+why)
			f.Try = append(f.Try, c.line(nil, flagChange{Name: flag, Drop: true}))
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
	case errors.Is(a.err, syscall.EHOSTUNREACH), errors.Is(a.err, syscall.ENETUNREACH):
		why := "no machine has that address, or this one has no way there"
		if op, ok := errors.AsType[*net.OpError](a.err); ok && isIPv6(op.Addr) {
			why += ": it may have no IPv6"
		}
		f.Inferred = append(f.Inferred, why)
		if flag, _ := c.family(); flag != "" {
			f.Try = append(f.Try, c.line(nil, flagChange{Name: flag, Drop: true}))
			break
		}
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

// isIPv6 reports whether an address of TCP is one of IPv6.
func isIPv6(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.To4() == nil
}

// family returns the flag by which one family of addresses is used only, and its name, or nothing.
func (c *caller) family() (flag, name string) {
	switch c.way.Network {
	case "tcp4":
		return "ipv4", "IPv4"
	case "tcp6":
		return "ipv6", "IPv6"
	}
	return "", ""
}

// greeted reports whether a server that was asked for TLS in the clear, and then for TLS at once,
// begins as another protocol does, or as the one that was asked for and has no TLS.
func (c *caller) greeted(ctx context.Context, failure *diagnose.Failure, f *failureReport) bool {
	what, plain := diagnose.NotTLS(failure.First)
	dialect, ok := starttls.Greeted(failure.First)
	if !plain || !ok {
		return false
	}
	f.Inferred = nil
	if dialect == c.way.StartTLS {
		f.hopeless = "the server speaks " + what + ", and did not agree to TLS"
		f.Found = append(f.Found, f.hopeless)
		f.Try = append(f.Try,
			"nc "+quoted(c.target.host)+" "+c.target.port+" # shows what it sends")
		return true
	}
	f.fails = "the server begins as " + what + " does, not as " + c.way.StartTLS.Name
	f.Found = append(f.Found, f.fails)
	c.asking(ctx, dialect, f)
	return true
}

// asking tries TLS after asking for it in a dialect, and reports whether the server agreed to it.
func (c *caller) asking(ctx context.Context, dialect *starttls.Protocol, f *failureReport) bool {
	way := c.way
	way.StartTLS = dialect
	line := c.line(nil, flagChange{Name: "starttls", Value: dialect.Name})
	a := c.attemptBy(ctx, way, c.config)
	if a.err == nil {
		a.conn.Close()
		f.Inferred, f.Proved = nil, "with this change the handshake succeeds"
		f.Cause = "the server begins in the clear (" + dialect.Name + "), and speaks TLS when it " +
			"is asked to"
		f.Works = line
		return true
	}
	f.Tried = append(f.Tried, tried{"--starttls " + dialect.Name, "no: " + briefly(a.err)})
	_, tls := a.failure() // it agreed to TLS: a later failure has another cause
	if tls {
		f.Try = append(f.Try, line)
	}
	return tls
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
		failure, ok := a.failure()
		if a.err == nil || ok && failure.Trust != nil {
			f.Proved, f.Works = "with this change the handshake succeeds", line
			f.Inferred, f.Cause = nil, "the server speaks TLS at once"
			if a.err != nil {
				f.Proved = "with this change the handshake comes as far as the certificate"
				f.second = briefly(a.err)
			}
			return
		}
		if ok && c.greeted(ctx, failure, f) {
			return
		}
		f.Tried = append(f.Tried, tried{"TLS at once", "no: " + briefly(a.err)})
	}
	f.Try = append(f.Try, line)
}
