package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/internal/reach"
	"github.com/vitrine-tls/vitrine/internal/starttls"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/probe"
)

// explain explains why an attempt failed. It may connect again to find what would work.
func (c *caller) explain(ctx context.Context, a *attempt, r *report) {
	f := &failureReport{}
	r.Failure = f
	ctx, cancel := context.WithTimeout(ctx, retriesTime)
	defer cancel()
	failure, ok := a.failure()
	switch {
	case !ok:
		c.explainUnreached(ctx, a, f)
	case failure.Trust != nil:
		c.seen(failure, f)
		c.explainTrust(ctx, failure, f)
	case errors.Is(a.err, errPin):
		f.Seen = append(f.Seen, errPin.Error())
		f.Try = append(f.Try,
			c.line(nil, flagChange{Name: "pin", Drop: true})+" # shows the pins of the chain")
	default:
		c.seen(failure, f)
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
		f.Inferred = append(f.Inferred, "the name is misspelled, or known to another resolver only")
		f.Try = append(f.Try,
			c.line(nil, flagChange{Name: "resolve", Value: "ADDRESS"})+" # if you know it")
	case step.Phase == "name":
		f.Inferred = append(f.Inferred, "the resolver of this machine does not answer")
		f.Try = append(f.Try, "getent hosts "+host)
	case errors.Is(a.err, syscall.ECONNREFUSED):
		f.Inferred = append(f.Inferred,
			"the machine is up, and nothing listens on port "+c.target.port)
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

// explainTrust explains why a certificate is not trusted.
func (c *caller) explainTrust(ctx context.Context, failure *diagnose.Failure, f *failureReport) {
	switch err := failure.Trust.Err.(type) {
	case x509.HostnameError:
		names := slices.DeleteFunc(diagnose.Names(err.Certificate),
			func(n string) bool { return strings.Contains(n, "*") })
		if len(names) > 0 && !c.noRetry {
			config := c.config.Clone()
			config.ServerName = names[0]
			if _, err := c.try(ctx, config); err == nil {
				f.Proved = "the certificate is trusted for " + names[0]
				f.Works = c.line(nil, flagChange{Name: "no-sni", Drop: true},
					flagChange{Name: "sni", Value: names[0]})
				f.Go = fmt.Sprintf("ServerName: %q", names[0])
				f.Costs = "nothing, if " + names[0] + " is whom you mean to talk to"
				return
			}
		}
	case *pki.WeakError, x509.UnknownAuthorityError:
		for _, p := range c.prove(ctx, failure) {
			if p.Err == nil {
				f.Proved = "with this one change the certificate is trusted"
				f.Works, f.Go, f.Costs = c.line(nil, flagsOf(&p.Change)...), p.Change.Go,
					p.Change.Costs
				return
			}
		}
		f.Try = append(f.Try,
			c.line(nil, flagChange{Name: "ca",
				Value: "roots.pem"})+" # if you have the authority's certificate")
	}
	look := c.line([]string{"chain-out"}, flagChange{Name: "insecure"},
		flagChange{Name: "chain-out", Value: "chain.pem"})
	f.Try = append(f.Try, look+" # to look, not to trust")
}

// prove tries the changes that may help, but none with --no-retry: first those that are known to
// fit the server.
func (c *caller) prove(ctx context.Context, failure *diagnose.Failure,
	first ...diagnose.Change) []diagnose.Proof {
	if c.noRetry {
		return nil
	}
	return diagnose.Prove(ctx, c.config, append(first, failure.Changes(c.config)...), c.try)
}

// narrow returns the changes that allow what the server has and our offer lacks, and no more.
func (c *caller) narrow(k *probe.Sketch) (list []diagnose.Change) {
	if k == nil {
		return nil
	}
	for _, flag := range []string{"suite", "group", "min", "max", "policy", "alpn"} {
		if c.cmd.Flags().Changed(flag) {
			return nil // to leave out what the user asked for gives up less
		}
	}
	version, suites := k.Newest()
	for _, id := range suites {
		if change, ok := diagnose.Only(c.config, version, id); ok {
			list = append(list, change)
			break // the server's first choice
		}
	}
	return list
}

// explainHandshake tries single changes after a failed handshake.
func (c *caller) explainHandshake(ctx context.Context, failure *diagnose.Failure,
	f *failureReport) {
	if c.noRetry {
		f.Try = append(f.Try, c.line([]string{"no-retry"})+" # tries what would work")
		return
	}
	if c.beginsInTheClear(ctx, failure, f) {
		return
	}
	sketch := c.find(ctx, failure, f)
	for _, p := range c.prove(ctx, failure, c.narrow(sketch)...) {
		result := "works"
		if !p.Works() {
			result = "no: " + briefly(p.Err)
		}
		f.Tried = append(f.Tried, tried{flagText(c.applicable(flagsOf(&p.Change))), result})
		if !p.Works() {
			continue
		}
		f.Proved = "with this one change the handshake succeeds"
		if p.Err != nil {
			f.Proved = "with this one change the handshake comes as far as the certificate, " +
				"which is not trusted: run connect with it to see why"
		}
		f.Works, f.Go, f.Costs = c.line(nil, flagsOf(&p.Change)...), p.Change.Go, p.Change.Costs
		return
	}
	if len(f.Tried) > 0 {
		f.Proved = "none of these changes alone is enough"
	}
	switch {
	case failure.Asked && c.cert == "":
		f.Try = append(f.Try,
			c.line(nil, flagChange{Name: "cert", Value: "client.pem"},
				flagChange{Name: "key", Value: "client.key"}))
	default:
		if c.psk == "" && failure.Answered == nil && failure.Received != nil &&
			*failure.Received == alert.HandshakeFailure {
			f.Try = append(f.Try, c.line(nil, flagChange{Name: "psk", Value: "@key.hex"},
				flagChange{Name: "psk-identity", Value: "NAME"})+" # if it takes such keys alone")
		}
		f.Try = append(f.Try, c.line(nil, flagChange{Name: "detail", Value: "bytes"}))
	}
}

// findTime bounds the questions about what the server has.
const findTime = 4 * time.Second

// find asks the server what it has. If it refused our hello, the answer takes the place of what was
// inferred from that refusal.
func (c *caller) find(ctx context.Context, failure *diagnose.Failure,
	f *failureReport) *probe.Sketch {
	if failure.Gone == diagnose.Silent {
		return nil // each question would wait in vain
	}
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	way := c.way
	way.Timeout = min(way.Timeout, retryTimeout)
	s := asked(&way, c.config.ServerName, c.noSNI)
	s.Parallel = 3
	sketch := s.Sketch(ctx)
	if sketch == nil {
		return nil
	}
	f.Found = sketch.Sentences()
	if failure.Answered == nil && !failure.Asked {
		f.Inferred = nil
	}
	if failure.Answered != nil || failure.Asked {
		return nil // it is not about what the offer lacks
	}
	return sketch
}

// applicable returns flags without those to leave out that were not given.
func (c *caller) applicable(flags []flagChange) []flagChange {
	return slices.DeleteFunc(flags, func(f flagChange) bool {
		return f.Drop && !c.cmd.Flags().Changed(f.Name)
	})
}

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
	if ok {
		way := c.way
		way.StartTLS = dialect
		a := c.attemptBy(ctx, way, c.config)
		if a.err == nil {
			a.conn.Close()
			f.Proved = "asked in the clear first, the server speaks TLS"
			f.Works = c.line(nil, flagChange{Name: "starttls", Value: dialect.Name})
			return true
		}
		f.Tried = append(f.Tried, tried{"--starttls " + dialect.Name, "no: " + briefly(a.err)})
		if _, tls := a.failure(); tls { // it agreed to TLS: what fails then is another matter
			f.Try = append(f.Try, c.line(nil, flagChange{Name: "starttls", Value: dialect.Name}))
			return true
		}
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

// briefly returns in a few words why a try failed.
func briefly(err error) string {
	if r, ok := errors.AsType[*alert.Received](err); ok {
		return "the server sends " + r.Description.String()
	}
	if e, ok := errors.AsType[*alert.Error](err); ok {
		return e.Error()
	}
	timeout, network := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		network && timeout.Timeout():
		return "the server sends nothing"
	case errors.Is(err, syscall.ECONNRESET):
		return "the server resets the connection"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the server closes the connection"
	}
	return err.Error()
}

// line returns this command line with flags added, replaced or dropped. The flags in leaveOut and
// those that say how results are shown are left out.
func (c *caller) line(leaveOut []string, flags ...flagChange) string {
	words := []string{c.cmd.CommandPath(), quoted(c.shortTarget())}
	changed := map[string]bool{}
	for _, f := range flags {
		changed[f.Name] = true
	}
	for _, name := range append(slices.Clone(artefactNames),
		append(leaveOut, "timeout", "interactive", "chain-out")...) {
		changed[name] = true
	}
	c.cmd.Flags().Visit(func(f *pflag.Flag) {
		if changed[f.Name] {
			return
		}
		value := f.Value.String()
		if s, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(s.GetSlice(), ",")
		}
		if f.Name == "psk" && !indirect(value) {
			value = "@key.hex" // never printed
		}
		if f.Name == "proxy" && c.way.Proxy != nil {
			value = c.way.Proxy.Redacted()
		}
		words = append(words, flagWords(f.Name, value, f.Value.Type() == "bool"))
	})
	for _, f := range flags {
		if !f.Drop {
			words = append(words, flagWords(f.Name, f.Value, f.Value == ""))
		}
	}
	return strings.Join(words, " ")
}

// flagWords returns a flag as it is typed.
func flagWords(name, value string, alone bool) string {
	switch {
	case name == "insecure":
		return "-k"
	case alone && cmp.Or(value, "true") == "true":
		return "--" + name
	case alone:
		return "--" + name + "=" + value
	}
	return "--" + name + " " + quoted(value)
}

// shortTarget returns HOST:PORT, or HOST alone if the port is 443.
func (c *caller) shortTarget() string {
	if c.target.port == "443" && !strings.Contains(c.target.host, ":") {
		return c.target.host
	}
	return c.target.String()
}

// ending closes the connection and returns who closed it and how. It sends close_notify, and waits
// a moment for the server's.
func (c *caller) ending(a *attempt) string {
	ours := a.conn.CloseWrite()
	a.conn.SetReadDeadline(time.Now().Add(min(c.timeout, farewell)))
	_, err := io.Copy(io.Discard, io.LimitReader(a.conn, 1<<20))
	_, _, end := a.raw.Received()
	a.conn.Close()
	switch {
	case a.cut:
		return "the server closed TCP (FIN) without close_notify: the body may have been cut"
	case ours != nil && err == nil:
		return "the server said close_notify first"
	case err == nil:
		return "we said close_notify; the server answered close_notify"
	case end == reach.FIN:
		return "we said close_notify; the server closed TCP (FIN) without close_notify"
	case end == reach.Reset:
		return "we said close_notify; the server reset the connection"
	}
	a.refused(err)
	if r, ok := errors.AsType[*alert.Received](err); ok {
		return "we said close_notify; the server sent the alert " + r.Description.String()
	}
	return "we said close_notify; the server said nothing more, and left the connection open"
}

// farewell bounds the wait for the server's close_notify.
const farewell = 2 * time.Second
