// Package diagnose says why a handshake failed, and what would help: what was seen, what can be
// inferred from it, and single changes of a Config that may work, the one that gives up least
// first. Prove shows which of the changes works, by trying them.
//
// The texts are data: the tables in causes.go and changes.go. What was seen comes from the error of
// the handshake alone. Everything else is called inferred.
//
// It is part of Vitrine's API.
package diagnose

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
)

// Failure is what is known about a failed handshake. Of fills in what the error contains. A program
// that knows the first bytes of the peer, such as from RecordHeaderError of crypto/tls, may set
// First.
type Failure struct {
	*vitrine.HandshakeError

	Received *alert.Description // the peer's fatal alert, or nil
	Sent     *alert.Error       // our own error, with the alert that we sent, or nil
	Trust    *tls.CertificateVerificationError
	Gone     Gone
	First    []byte // how the peer's bytes began, as far as known
}

// Gone is the way in which a connection ended without an alert.
type Gone uint8

// The ways to end.
const (
	NotGone Gone = iota
	Closed
	Reset
	Silent // nothing came for as long as we waited
)

// Of returns what an error says about a failed handshake. ok reports whether err is the error of a
// handshake.
func Of(err error) (f *Failure, ok bool) {
	f = &Failure{}
	if f.HandshakeError, ok = errors.AsType[*vitrine.HandshakeError](err); !ok {
		return nil, false
	}
	if r, ok := errors.AsType[*alert.Received](err); ok {
		f.Received = &r.Description
	}
	f.Sent, _ = errors.AsType[*alert.Error](err)
	if f.Sent != nil {
		f.Trust, _ = errors.AsType[*tls.CertificateVerificationError](err)
	}
	timeout, network := errors.AsType[net.Error](err)
	switch {
	case f.Sent != nil || f.Received != nil:
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		f.Gone = Reset
	case network && timeout.Timeout():
		f.Gone = Silent
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		f.Gone = Closed
	}
	return f, true
}

// Diagnosis is the explanation of a failure.
type Diagnosis struct {
	Seen     []string
	Inferred []string
	Ref      string // the section that was violated, or that defines the alert
}

// Explain returns what is known without trying anything.
func (f *Failure) Explain() Diagnosis {
	var d Diagnosis
	see := func(format string, args ...any) {
		d.Seen = append(d.Seen, fmt.Sprintf(format, args...))
	}
	peer := f.Side.Peer()
	if o := f.Offered; o != nil && f.Side == iana.Client {
		see("we offered up to %v with %s", offered(o), count(len(o.CipherSuites), "cipher suite"))
	}
	if what, ok := NotTLS(f.First); ok && f.Answered == nil {
		see("the %v's bytes are no TLS: they begin as %s does", peer, what)
		d.Inferred = append(d.Inferred, "the "+peer.String()+" does not speak TLS here, or not yet")
		return d
	}
	if a := f.Answered; a != nil && f.Side == iana.Client {
		see("the server chose %v and %v", versionOf(a), a.CipherSuite)
	}
	if f.Asked {
		see("the server asked for a certificate")
	}
	switch {
	case f.Received != nil:
		see("the %v sent the fatal alert %v (%d), where %s was expected", peer, *f.Received,
			uint8(*f.Received), cmp.Or(f.Awaited, "an answer"))
		d.Ref = "RFC 5246 §7.2.2"
	case f.Trust != nil:
		see("we refused the %v's certificate with the alert %v (%d)", peer, f.Sent.Alert,
			uint8(f.Sent.Alert))
		d.Ref = f.Sent.Ref
	case f.Sent != nil:
		see("we refused with the alert %v (%d): %v", f.Sent.Alert, uint8(f.Sent.Alert), f.Sent)
		d.Ref = f.Sent.Ref
	case f.Gone != NotGone:
		see("the %v %s, where %s was expected", peer, gone[f.Gone], cmp.Or(f.Awaited, "an answer"))
	default:
		see("%v", f.Err)
	}
	if f.Trust != nil {
		d.Inferred = append(d.Inferred,
			Distrust(f.Trust.Err, f.Trust.UnverifiedCertificates, time.Now()))
		return d
	}
	for _, c := range causes {
		if c.of(f) {
			d.Inferred = append(d.Inferred, c.text)
			break // the first is the most specific
		}
	}
	return d
}

// offered returns the highest version of a ClientHello. See RFC 8446 §4.2.1.
func offered(m *message.ClientHello) iana.Version {
	var v message.SupportedVersions
	highest := m.Version
	if ok, err := m.Extensions.Read(iana.ExtSupportedVersions, &v); ok && err == nil &&
		slices.Contains(v.Versions, iana.TLS13) {
		highest = iana.TLS13
	}
	return highest
}

// chosen returns the version of a ServerHello. See RFC 8446 §4.2.1.
func versionOf(m *message.ServerHello) iana.Version {
	var v message.SelectedVersion
	if ok, err := m.Extensions.Read(iana.ExtSupportedVersions, &v); ok && err == nil {
		return v.Version
	}
	return m.Version
}

var gone = map[Gone]string{Closed: "closed the connection without an alert",
	Reset: "reset the connection", Silent: "said nothing more"}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// NotTLS returns the name of the protocol whose servers or clients begin with these bytes. ok is
// false if the bytes may be TLS: a TLS record begins with its type, 20 to 23, and the version byte
// 3.
func NotTLS(first []byte) (what string, ok bool) {
	if len(first) == 0 || len(first) >= 2 && first[0] >= 20 && first[0] <= 23 && first[1] == 3 {
		return "", false
	}
	text := string(first)
	for _, p := range plaintexts {
		if strings.HasPrefix(text, p.prefix) {
			return p.what, true
		}
	}
	if len(first) > 5 && first[3] == 0 && first[4] == 10 {
		return "MySQL", true
	}
	if len(first) > 3 && first[0]&0x80 != 0 && first[2] == 1 {
		return "SSL 2.0", true
	}
	return "something unknown", len(first) >= 2
}

// IsHTTP reports whether a client or a server that begins with these bytes uses HTTP without TLS.
func IsHTTP(first []byte) bool {
	what, ok := NotTLS(first)
	return ok && strings.HasPrefix(what, "plain HTTP")
}

// Distrust says why a certificate chain was not trusted.
func Distrust(err error, chain []*x509.Certificate, now time.Time) string {
	switch err := err.(type) {
	case x509.HostnameError:
		names := Names(err.Certificate)
		if len(names) == 0 {
			return fmt.Sprintf("the certificate is not for %s: it has no name at all that counts "+
				"(subjectAltName)", err.Host)
		}
		return fmt.Sprintf("the certificate is for %s, not for %s",
			strings.Join(names, ", "), err.Host)
	case x509.CertificateInvalidError:
		return invalid(err, chain, now)
	case x509.UnknownAuthorityError:
		return unknownAuthority(chain)
	case *pki.Fault:
		return fmt.Sprintf("certificate %d of %d is refused as it is: %s; whoever issued it must "+
			"issue another one", err.Index+1, err.Of, strings.TrimPrefix(err.Err.Error(), "x509: "))
	case *pki.WeakError:
		accepts := "only policy legacy accepts"
		if err.Cert.SignatureAlgorithm == x509.MD5WithRSA {
			accepts = "no policy accepts"
		}
		return fmt.Sprintf("the certificate %q is signed with %s, which %s",
			err.Cert.Subject.String(),
			err.Signature, accepts)
	case x509.SystemRootsError:
		return "this machine has no trusted roots: install ca-certificates, or name a file of roots"
	}
	return err.Error()
}

// invalid is Distrust for a certificate that is not valid, which may be that of an issuer.
func invalid(err x509.CertificateInvalidError, chain []*x509.Certificate, now time.Time) string {
	const day = "2006-01-02"
	who := "the certificate"
	if len(chain) > 0 && err.Cert != nil && !err.Cert.Equal(chain[0]) {
		who = "the issuer's certificate (" + err.Cert.Subject.CommonName + ")"
	}
	switch {
	case err.Reason == x509.Expired && err.Cert != nil && now.Before(err.Cert.NotBefore):
		return fmt.Sprintf("%s is not valid before %s: look at this machine's clock, which "+
			"says %s; if it is right, whoever issued it had a wrong one, or it was installed too "+
			"early", who, err.Cert.NotBefore.Format(day), now.Format(day))
	case err.Reason == x509.Expired && err.Cert != nil:
		return fmt.Sprintf("%s expired on %s, %s ago: whoever runs the server must renew it, "+
			"unless this machine's clock is wrong, which says %s", who,
			err.Cert.NotAfter.Format(day), Age(now.Sub(err.Cert.NotAfter)), now.Format(day))
	case err.Reason == x509.NotAuthorizedToSign:
		return "a certificate in the chain signs another one, and is not that of an authority"
	case err.Reason == x509.IncompatibleUsage:
		return "the certificate is not meant for a server: its extended key usage says otherwise"
	case err.Reason == x509.CANotAuthorizedForThisName,
		err.Reason == x509.NameConstraintsWithoutSANs:
		return "an authority in the chain may not vouch for this name"
	}
	return who + " is invalid: " + err.Error()
}

// unknownAuthority is Distrust for a chain without a path to a trusted root.
func unknownAuthority(chain []*x509.Certificate) string {
	switch {
	case len(chain) > 0 && chain[0].Subject.String() == chain[0].Issuer.String():
		return "the certificate is self-signed: nobody but itself vouches for it"
	case len(chain) == 1:
		return fmt.Sprintf("nobody trusted has signed the certificate; its issuer is %q: no "+
			"root that is trusted here, and the server sent no certificate of it%s",
			chain[0].Issuer.CommonName, fetchable(chain[0]))
	case len(chain) > 1:
		return unrooted(chain)
	}
	return "nobody trusted has signed the certificate"
}

// fetchable says where the certificate of a certificate's issuer is, if it says so. See RFC 5280
// §4.2.2.1.
func fetchable(c *x509.Certificate) string {
	if len(c.IssuingCertificateURL) == 0 {
		return ""
	}
	return fmt.Sprintf(": it is an intermediate that the server must send, and that is found at %s",
		strings.Join(c.IssuingCertificateURL, ", "))
}

// unrooted is unknownAuthority for the path from the leaf through the certificates that were sent.
func unrooted(chain []*x509.Certificate) string {
	last := chain[0]
	for range chain {
		i := slices.IndexFunc(chain, func(c *x509.Certificate) bool {
			return c != last && bytes.Equal(c.RawSubject, last.RawIssuer)
		})
		if i < 0 || bytes.Equal(last.RawSubject, last.RawIssuer) {
			break
		}
		if err := last.CheckSignatureFrom(chain[i]); err != nil {
			return fmt.Sprintf("%q did not sign %q, although it is named as its issuer: another "+
				"authority of the same name has", chain[i].Subject.CommonName, last.Subject.CommonName)
		}
		last = chain[i]
	}
	if bytes.Equal(last.RawSubject, last.RawIssuer) {
		return fmt.Sprintf("the chain ends with the root %q, which is not trusted here",
			last.Subject.CommonName)
	}
	return fmt.Sprintf("the chain ends with %q, whose issuer %q is no root that is trusted here, "+
		"and the server sent no certificate of it%s", last.Subject.CommonName,
		last.Issuer.CommonName, fetchable(last))
}

// Names returns the DNS names and IP addresses of a certificate.
func Names(c *x509.Certificate) []string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// Age formats a duration in days, or in hours below two days.
func Age(d time.Duration) string {
	if d < 48*time.Hour {
		return count(int(d.Hours()), "hour")
	}
	return count(int(d.Hours()/24), "day")
}
