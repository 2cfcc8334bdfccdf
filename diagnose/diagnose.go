// Package diagnose explains why a handshake failed, and what would help: what was seen, what can be
// inferred from it, and single changes of a Config that may work, beginning with the one that gives
// up least. Prove finds out which change works, by trying them.
//
// The texts are data: the tables in internal/cause and changes.go. What was seen comes from the
// error of the handshake alone. Everything else is called inferred.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	server.go diagnose.go                 what is known about a failure, and what can be inferred
//	change.go predicates.go               what a change is, and when one may help
//	extensions.go changes.go one.go       the changes
//	prove.go                              which of them works
//
// It is part of Vitrine's API.
package diagnose

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/internal/cause"
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

// Gone says how a connection ended without an alert.
type Gone = cause.Gone

// The ways to end.
const (
	NotGone = cause.NotGone
	Closed  = cause.Closed
	Reset   = cause.Reset
	Silent  = cause.Silent // nothing came for as long as we waited
)

// Of returns what an error says about a failed handshake. ok reports whether err is the error of a
// handshake.
func Of(err error) (f *Failure, ok bool) {
	f = &Failure{}
	if f.HandshakeError, ok = errors.AsType[*vitrine.HandshakeError](err); !ok {
		return nil, false
	}
	known := cause.Failure{Err: err}
	known.Read()
	f.Received, f.Sent, f.Trust, f.Gone = known.Received, known.Sent, known.Trust, known.Gone
	f.First = f.HandshakeError.First
	return f, true
}

// known returns what is known, for package cause.
func (f *Failure) known() *cause.Failure {
	return &cause.Failure{Side: f.Side, Err: f.Err, Offered: f.Offered, Answered: f.Answered,
		Asked: f.Asked, Awaited: f.Awaited, First: f.First, Received: f.Received, Sent: f.Sent,
		Trust: f.Trust, Gone: f.Gone}
}

// Diagnosis is the explanation of a failure.
type Diagnosis = cause.Diagnosis

// Explain returns what is known without trying anything.
func (f *Failure) Explain() Diagnosis {
	d := f.known().Explain(time.Now())
	if f.known().NothingShared() {
		d.Inferred = []string{policyThatHelps(f.Offered)}
	}
	return d
}

// Unhelped returns what can be inferred after all Changes were tried and none helped.
func (f *Failure) Unhelped() []string { return f.known().Unhelped() }

// Foreign returns the name of the protocol that the peer speaks instead of TLS. ok is false if it
// speaks TLS, as far as is known.
func (f *Failure) Foreign() (what string, ok bool) { return f.known().Foreign() }

// NotTLS returns the name of the protocol whose servers or clients begin with these bytes. ok is
// false if the bytes may be TLS.
func NotTLS(first []byte) (what string, ok bool) { return cause.NotTLS(first) }

// IsHTTP reports whether a client or a server that begins with these bytes uses HTTP without TLS.
func IsHTTP(first []byte) bool { return cause.IsHTTP(first) }

// Distrust says why a certificate chain was not trusted.
func Distrust(err error, chain []*x509.Certificate, now time.Time) string {
	return cause.Distrust(err, chain, now)
}

// Disowns reports whether an authority has not signed a certificate that names it as the issuer. A
// signature that crypto/x509 does not compute, such as one with SHA-1, says nothing.
func Disowns(c, authority *x509.Certificate) bool { return cause.Disowns(c, authority) }

// Names returns the DNS names and IP addresses of a certificate.
func Names(c *x509.Certificate) []string { return cause.Names(c) }

// Age formats a duration in days, or in hours below two days.
func Age(d time.Duration) string { return cause.Age(d) }
