package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/probe"
)

// explainHandshake asks the server what it has, and tries single changes after a failed handshake.
func (c *caller) explainHandshake(ctx context.Context, failure *diagnose.Failure,
	f *failureReport) {
	if c.noRetry {
		f.Try = append(f.Try, c.line([]string{"no-retry"})+" # tries what would work")
		return
	}
	if c.beginsInTheClear(ctx, failure, f) {
		return
	}
	server := c.server()
	changes := c.plan(ctx, server, failure, f)
	proofs := c.prove(ctx, changes, failure.Gone == diagnose.Silent)
	known := len(proofs) >= len(changes)
	for _, p := range proofs {
		result := "works"
		switch {
		case p.Works():
		case unreachable(p.Err):
			if f.hopeless == "" {
				f.hopeless = goneSince
				f.Found = append(f.Found, goneSince)
			}
			fallthrough
		case errors.Is(p.Err, errNoTime):
			result, known = "not known: "+briefly(p.Err), false
		default:
			result = "no: " + briefly(p.Err)
		}
		f.Tried = append(f.Tried, tried{c.changeText(&p.Change), result})
		if !p.Works() {
			continue
		}
		if failure.Gone != diagnose.NotGone && c.answersNow(ctx, failure) {
			f.Tried = append(f.Tried, tried{"the same again", "is answered now"})
			f.Inferred = []string{passing}
			f.Try = append(f.Try, c.line(nil))
			return
		}
		c.works(ctx, server, failure, &p, f)
		return
	}
	if len(f.Tried) > 0 && known {
		f.Proved = "none of these changes alone is enough"
		if f.Found == nil && !failure.OwnCertificate() {
			f.Inferred = failure.Unhelped() // leave out what the changes have refuted
		}
	}
	c.tryElse(failure, f)
}

// passing is what is inferred of a server that answers the hello that it did not answer before.
const passing = "the server, or something on the way, was too slow, had no place, or lost our " +
	"hello: what failed has passed, and nothing in our hello was the reason"

// answersNow reports whether the server answers a hello that it did not answer before.
func (c *caller) answersNow(ctx context.Context, before *diagnose.Failure) bool {
	if before.Answered != nil || before.BrokenOff() {
		return false
	}
	_, err := c.try(ctx, c.config.Clone())
	now, ok := diagnose.Of(err)
	return err == nil || ok && (now.Gone == diagnose.NotGone || now.Answered != nil ||
		now.BrokenOff())
}

// works reports a change that works.
func (c *caller) works(ctx context.Context, s *probe.Server, failure *diagnose.Failure,
	p *diagnose.Proof, f *failureReport) {
	f.Inferred = nil // proofs take the place of what was inferred
	f.Proved = "with this change the handshake succeeds"
	if p.Err != nil {
		f.second = briefly(p.Err)
		f.Proved = "with this change the handshake comes as far as the certificate, " +
			"which is not trusted: " + f.second
	}
	f.Cause = c.whyItWorks(ctx, s, failure, &p.Change)
	if f.Cause == "" && f.missing == "" && p.Change.Kind == diagnose.OneSuite {
		f.Cause = fmt.Sprintf("the server has the suite %v, which was not offered", p.Change.Suite)
	}
	line := c.line(nil, flagsOf(&p.Change)...)
	if p.Err == nil {
		f.Works, f.Go, f.Costs = line, p.Change.Go, p.Change.Costs
		return
	}
	f.Try = append(f.Try, line+" # comes as far as the certificate")
	if e, ok := errors.AsType[x509.HostnameError](p.Err); ok {
		c.trySNI(ctx, e.Certificate, f)
	}
}

// cutOff is what is wrong if the first answer did not come whole, and another one does.
const cutOff = "the answer to our hello is cut off, by the server or by something on the way; " +
	"with this change another answer comes, which may be shorter"

// whyItWorks returns what a change that works shows about the server.
func (c *caller) whyItWorks(ctx context.Context, s *probe.Server, failure *diagnose.Failure,
	change *diagnose.Change) string {
	switch {
	case failure.BrokenOff():
		return cutOff
	case change.Kind == diagnose.NoServerName && failure.Received != nil &&
		*failure.Received == alert.UnrecognizedName:
		return "the server has no site of the name " + c.config.ServerName
	case failure.Sent != nil && change.Cause == "":
		return strings.Join(failure.Explain().Inferred, "; ")
	case failure.Offered == nil:
	case change.Kind == diagnose.NoHybrids:
		return cmp.Or(s.WhyLong(ctx, failure.Offered), change.Cause)
	case change.Kind == diagnose.ShortRecords && failure.Gone != diagnose.Silent:
		return cmp.Or(s.WhyWhole(ctx, failure.Offered), change.Cause)
	}
	return change.Cause
}

// tryElse adds what a user can try where no change helps.
func (c *caller) tryElse(failure *diagnose.Failure, f *failureReport) {
	if len(f.Try) > 0 { // what is lacking is known
		return
	}
	switch {
	case failure.Asked && failure.Sent == nil && c.cert == "":
		line := c.line(nil, append(slices.Clone(f.repin),
			flagChange{Name: "cert", Value: "client.pem"},
			flagChange{Name: "key", Value: "client.key"})...)
		if f.repin != nil {
			line += confirmed
		}
		f.Try = append(f.Try, line)
		return
	case c.psk == "" && failure.Answered == nil && failure.Received != nil &&
		*failure.Received == alert.HandshakeFailure && f.Found == nil:
		f.Try = append(f.Try, c.pskLine(nil)+" # if it takes such keys alone")
	}
	if c.detail == "" && f.hopeless == "" {
		f.Try = append(f.Try, c.line(nil, flagChange{Name: "detail", Value: "bytes"}))
	}
}

// findTime bounds the questions about what the server has.
const findTime = 6 * time.Second

// server returns the server for questions.
func (c *caller) server() *probe.Server {
	way := c.way
	way.Timeout = min(way.Timeout, retryTimeout)
	s := asked(&way, c.config.ServerName, c.noSNI)
	s.Parallel = 3
	return s
}

// plan asks the server what it has, and returns the changes to try: those first that allow what the
// server has and our offer lacks, and no more. If it refused our hello, the answer takes the place
// of what was inferred from that refusal.
func (c *caller) plan(ctx context.Context, s *probe.Server, failure *diagnose.Failure,
	f *failureReport) []diagnose.Change {
	general := slices.DeleteFunc(failure.Changes(c.config), func(change diagnose.Change) bool {
		return change.Kind == diagnose.ShownAnyway && f.shown
	})
	shortPrime := failure.ShortPrime()
	switch {
	case failure.Asked && failure.Sent == nil && c.cert == "":
		return nil // the server requires a client certificate
	case failure.OtherType():
		if c.showsRawKey(ctx, f) {
			return nil
		}
		return general
	case failure.Asked || failure.Answered != nil && !shortPrime:
		return general // it had what we offered
	case failure.Gone == diagnose.Silent: // each question would only time out
		return slices.DeleteFunc(general, func(change diagnose.Change) bool {
			return !change.AboutHello() && change.Kind != diagnose.LegacyPolicy
		})
	}
	if c.closesUnasked(ctx, failure, f.took) {
		f.Found = append(f.Found, "it closes a connection on which we say nothing, too")
		f.Inferred = nil
		f.hopeless = "the server closes every connection before it has read anything: something " +
			"before TLS does not want us, such as a list of addresses, or has no room"
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	c.progress.step("asking the server what it has")
	k := s.Sketch(ctx)
	if k == nil {
		if c.showsRawKey(ctx, f) {
			return nil
		}
		if c.wantsBareHello(s, true, f) {
			return nil
		}
		return helloFirst(general)
	}
	f.Found = k.Sentences()
	f.Inferred = nil
	general = slices.DeleteFunc(general, func(change diagnose.Change) bool {
		return change.Kind == diagnose.DefaultVersions && !c.allowsVersion(k)
	})
	if c.wantsBareHello(s, false, f) {
		return nil
	}
	if shortPrime || failure.Offered == nil {
		return c.ordered(c.narrow(k, nil, f), general, &probe.Comparison{}, f)
	}
	lack := s.Compare(ctx, k, failure.Offered)
	if lack.Enough && failure.Sent != nil { // it was we who refused what it answered
		f.Inferred = failure.Explain().Inferred
		return general
	}
	if lack.Enough {
		return c.helloChanges(k, lack, failure, general, f)
	}
	return c.ordered(c.narrow(k, &lack, f), general, &lack, f)
}

// showsRawKey reports whether a server that answered no hello answers one that asks for a raw
// public key, and proposes to pin that.
func (c *caller) showsRawKey(ctx context.Context, f *failureReport) bool {
	if c.rawKey {
		return false
	}
	config, pin := c.config.Clone(), ""
	config.PeerCertificateTypes = []iana.CertificateType{iana.RawPublicKey}
	config.VerifyRawPublicKey = func(spki []byte) error {
		pin = pki.PinText(spki)
		return nil
	}
	_, err := c.try(ctx, config)
	if pin == "" {
		return false
	}
	f.Inferred = nil
	f.hopeless = "the server shows a raw public key, and answers only who asks for one (RFC 7250)"
	if err != nil {
		f.hopeless += "; and then: " + briefly(err)
	}
	f.Found = append(f.Found, f.hopeless)
	f.Try = append(f.Try, c.line(nil, flagChange{Name: "raw-public-key"},
		flagChange{Name: "pin", Value: pin})+confirmed)
	return true
}

// minPSSBits is the length from which on an RSA key can sign with RSASSA-PSS and SHA-256, as TLS
// 1.3 wants it. See RFC 8017 §9.1.1.
const minPSSBits = 8*(32+32+2) - 6

// helloChanges returns the changes for a server that has what we offer, and fails at something else
// in the hello.
func (c *caller) helloChanges(k *probe.Sketch, lack probe.Comparison, failure *diagnose.Failure,
	general []diagnose.Change, f *failureReport) (list []diagnose.Change) {
	why := "it fails at something else in ours"
	if failure.BrokenOff() {
		why = "what it answers to ours is cut off"
	}
	f.fails = fmt.Sprintf("it accepts a short hello of %v with the suites and groups that we "+
		"offered: %s", lack.Version, why)
	f.Found = append(f.Found, f.fails)
	if lack.Version < newest(failure) {
		change := diagnose.UpTo(lack.Version)
		if bits := k.RSABits; bits > 0 && bits < minPSSBits {
			change.Cause = fmt.Sprintf("the server's RSA key of %d bits is too short to sign in "+
				"TLS 1.3", bits)
		}
		list = append(list, change)
	}
	for _, change := range general {
		if change.AboutHello() {
			list = append(list, change)
		}
	}
	return list
}

// helloFirst puts the changes of how the hello is made before the others.
func helloFirst(general []diagnose.Change) []diagnose.Change {
	slices.SortStableFunc(general, func(a, b diagnose.Change) int {
		switch {
		case a.AboutHello() == b.AboutHello():
			return 0
		case a.AboutHello():
			return -1
		}
		return 1
	})
	return general
}

// closesUnasked reports whether a server that closed the connection does so before it gets a
// ClientHello, too.
func (c *caller) closesUnasked(ctx context.Context, failure *diagnose.Failure,
	took time.Duration) bool {
	if failure.Gone != diagnose.Closed && failure.Gone != diagnose.Reset ||
		len(failure.First) > 0 {
		return false
	}
	conn, _, err := c.way.Go(ctx)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(unasked + min(took, findTime)))
	_, err = conn.Read(make([]byte, 1))
	timeout, network := errors.AsType[net.Error](err)
	return err != nil && !(network && timeout.Timeout())
}

// unasked is how long to wait for a server that closes at once, besides how long the failed
// handshake took: there are servers that close when they have waited for something else.
const unasked = 700 * time.Millisecond

// newest returns the highest version of our hello.
func newest(failure *diagnose.Failure) iana.Version {
	if o := offerOf(failure.Offered); len(o.Versions) > 0 && o.Versions[0] == iana.TLS13.String() {
		return iana.TLS13
	}
	return failure.Offered.Version
}

// ordered puts changes that undo flags of the user before the narrow ones, if those flags can be
// about what our offer lacks, and the rest behind. If nothing can help it returns none.
func (c *caller) ordered(narrow, general []diagnose.Change, lack *probe.Comparison,
	f *failureReport) (list []diagnose.Change) {
	if f.hopeless != "" {
		f.Found = append(f.Found, f.hopeless)
		return nil
	}
	undo := func(change diagnose.Change) bool {
		switch change.Kind {
		case diagnose.DefaultGroups:
			return lack.Suite == 0 && lack.Scheme == 0
		case diagnose.DefaultSuites, diagnose.DefaultVersions, diagnose.NoProtocols,
			diagnose.OneRecord:
			return lack.Group == 0 && lack.KeyGroup == 0 && lack.Scheme == 0
		}
		return false
	}
	for _, change := range general {
		if undo(change) {
			list = append(list, change)
		}
	}
	list = append(list, narrow...)
	return append(list, slices.DeleteFunc(slices.Clone(general), undo)...)
}
