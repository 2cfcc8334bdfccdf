// Package cause infers why a handshake failed, from what is known without trying anything. It is
// below package vitrine, whose HandshakeError says what is inferred; package diagnose adds what
// would help.
package cause

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// Failure is what is known about a failed handshake.
type Failure struct {
	Side     iana.Side // ours
	Err      error
	Offered  *message.ClientHello
	Answered *message.ServerHello
	Asked    bool
	Awaited  string
	First    []byte // how the peer's bytes began, as far as known

	Received *alert.Description // the peer's fatal alert, or nil
	Sent     *alert.Error       // our own error, with the alert that we sent, or nil
	Trust    *tls.CertificateVerificationError
	Gone     Gone
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

// Read fills in what Err says.
func (f *Failure) Read() {
	if r, ok := errors.AsType[*alert.Received](f.Err); ok {
		f.Received = &r.Description
	}
	f.Sent, _ = errors.AsType[*alert.Error](f.Err)
	if f.Sent != nil {
		f.Trust, _ = errors.AsType[*tls.CertificateVerificationError](f.Err)
	}
	timeout, network := errors.AsType[net.Error](f.Err)
	switch {
	case f.Sent != nil || f.Received != nil:
	case errors.Is(f.Err, syscall.ECONNRESET), errors.Is(f.Err, syscall.EPIPE):
		f.Gone = Reset
	case network && timeout.Timeout():
		f.Gone = Silent
	case errors.Is(f.Err, io.EOF), errors.Is(f.Err, io.ErrUnexpectedEOF):
		f.Gone = Closed
	}
}

// Diagnosis is the explanation of a failure.
type Diagnosis struct {
	Seen     []string
	Inferred []string
	Ref      string // the section that was violated, or that defines the alert
}

// Explain returns what is known without trying anything.
func (f *Failure) Explain(now time.Time) Diagnosis {
	var d Diagnosis
	see := func(format string, args ...any) {
		d.Seen = append(d.Seen, fmt.Sprintf(format, args...))
	}
	peer := f.Side.Peer()
	if o := f.Offered; o != nil && f.Side == iana.Client {
		see("we offered up to %v with %s", offered(o), count(len(o.CipherSuites), "cipher suite"))
	}
	if what, ok := f.Foreign(); ok {
		begin := "as " + what + " does"
		if what == unknown {
			begin = fmt.Sprintf("with %x", f.First[:min(len(f.First), 8)])
		}
		see("the %v's bytes are no TLS: they begin %s", peer, begin)
		d.Inferred = append(d.Inferred, advice(what, peer.String(), f.First))
		return d
	}
	if a := f.Answered; a != nil && f.Side == iana.Client {
		see("the server chose %v and %v", negotiation.VersionOf(a), a.CipherSuite)
	}
	if f.Asked {
		see("the server asked for a certificate")
	}
	switch {
	case f.Received != nil:
		see("the %v sent the fatal alert %v (%d), where %s was expected", peer, *f.Received,
			uint8(*f.Received), cmp.Or(f.Awaited, "an answer"))
		d.Ref = f.alertRef()
	case f.Trust != nil:
		see("we refused the %v's certificate with the alert %v (%d)", peer, f.Sent.Alert,
			uint8(f.Sent.Alert))
		d.Ref = f.Sent.Ref
	case f.Sent != nil:
		see("we refused with the alert %v (%d): %v", f.Sent.Alert, uint8(f.Sent.Alert), f.Sent)
		d.Ref = f.Sent.Ref
	case f.Gone != NotGone:
		see("the %v %s, where %s was expected", peer, f.went(), cmp.Or(f.Awaited, "an answer"))
	default:
		see("%v", f.Err)
	}
	if f.Trust != nil {
		d.Inferred = append(d.Inferred,
			DistrustOf(f.Side.Peer(), f.Trust.Err, f.Trust.UnverifiedCertificates, now))
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
	if negotiation.OffersTLS13(m) {
		return iana.TLS13
	}
	return m.Version
}

// alertRef returns the section about the error alerts of the version that was negotiated, or of TLS
// 1.2 before one was.
func (f *Failure) alertRef() string {
	if f.Answered != nil && negotiation.VersionOf(f.Answered) == iana.TLS13 {
		return "RFC 8446 §6.2"
	}
	return "RFC 5246 §7.2.2"
}

// Foreign returns the name of the protocol that the peer speaks instead of TLS.
func (f *Failure) Foreign() (what string, ok bool) {
	read := f.Answered != nil || f.Side == iana.Server && (f.Offered != nil ||
		f.Sent != nil && f.Sent.Kind != alert.KindNotTLS) // a hello in the form of SSL 2.0
	if read {
		return "", false
	}
	return NotTLS(f.First)
}

// went says how the connection ended without a fatal alert.
func (f *Failure) went() string {
	if f.closing() {
		return "sent the alert close_notify (0), and so ended the connection"
	}
	n := len(f.First)
	if n == 0 || f.Answered != nil || f.Offered == nil {
		return gone[f.Gone]
	}
	if d, ok := f.warned(); ok {
		return fmt.Sprintf("sent the warning %v (%d), and then %s", d, uint8(d), gone[f.Gone])
	}
	if f.Gone == Silent {
		return fmt.Sprintf("did not end the answer that it began (%x)", f.First[:min(n, 8)])
	}
	return fmt.Sprintf("%s after the first bytes of an answer (%x)", gone[f.Gone],
		f.First[:min(n, 8)])
}

// closing reports whether the peer ended the handshake by close_notify.
func (f *Failure) closing() bool {
	_, ok := errors.AsType[*engine.ClosedError](f.Err)
	return ok
}

// partial reports whether a server's connection ended inside a record or a message of its first
// answer.
func (f *Failure) partial() bool {
	cut, ok := errors.AsType[*engine.TruncatedError](f.Err)
	return ok && cut.Partial && f.Side == iana.Client && f.Answered == nil && f.Offered != nil
}

// warned returns the alert that the peer's bytes begin with. A fatal one is in Received.
func (f *Failure) warned() (alert.Description, bool) {
	if len(f.First) < 7 || iana.ContentType(f.First[0]) != iana.RecordAlert ||
		f.First[3] != 0 || f.First[4] != 2 {
		return 0, false
	}
	return alert.Description(f.First[6]), true
}

// greets reports whether a server sent a ClientHello.
func (f *Failure) greets() bool {
	return f.Side == iana.Client && f.Answered == nil && f.HasSent(alert.UnexpectedMessage) &&
		len(f.First) > 5 && iana.ContentType(f.First[0]) == iana.RecordHandshake &&
		iana.HandshakeType(f.First[5]) == iana.ClientHello
}

// echoes reports whether that is ours, by its random.
func (f *Failure) echoes() bool {
	const header = 5 + 4 + 2 // of the record and of the message, and the version
	return f.greets() && f.Offered != nil && len(f.First) > header &&
		bytes.HasPrefix(f.Offered.Random[:], f.First[header:min(len(f.First), header+32)])
}

// BrokenOff reports whether a server's connection ended, or fell silent, inside its ServerHello: it
// understood the hello.
func (f *Failure) BrokenOff() bool {
	if f.Side != iana.Client || f.Answered != nil || f.Gone == NotGone || f.Offered == nil ||
		len(f.First) == 0 || iana.ContentType(f.First[0]) != iana.RecordHandshake {
		return false
	}
	return len(f.First) <= 5 || iana.HandshakeType(f.First[5]) == iana.ServerHello
}

// keyDiffers reports whether a handshake with a pre-shared key failed as it does if the sides have
// different ones: at the binder, or at the first record that is protected.
func (f *Failure) keyDiffers() bool {
	if f.Sent != nil && f.Sent.Kind == alert.KindPSK && f.HasSent(alert.DecryptError) {
		return true
	}
	if f.Answered == nil || !strings.Contains(f.Answered.CipherSuite.String(), "PSK") {
		return false
	}
	return f.HasReceived(alert.BadRecordMAC, alert.DecryptError) ||
		f.HasSent(alert.BadRecordMAC, alert.DecryptError)
}

var gone = map[Gone]string{Closed: "closed the connection without an alert",
	Reset: "reset the connection", Silent: "said nothing more"}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// HasReceived reports whether the peer sent one of these alerts.
func (f *Failure) HasReceived(any ...alert.Description) bool {
	return f.Received != nil && slices.Contains(any, *f.Received)
}

// HasSent reports whether we sent one of these alerts.
func (f *Failure) HasSent(any ...alert.Description) bool {
	return f.Sent != nil && slices.Contains(any, f.Sent.Alert)
}

// KeyUsageViolated reports whether the server chose a suite that the KeyUsage of its certificate
// does not allow.
func (f *Failure) KeyUsageViolated() bool {
	return f.Answered != nil && f.HasSent(alert.IllegalParameter) &&
		f.Sent.Ref == "RFC 5280 §4.2.1.3"
}

// CertificateWanted reports whether a server that asked for a client certificate ended the
// handshake as servers do that have got none, or none that they accept. GnuTLS sends decode_error.
func (f *Failure) CertificateWanted() bool {
	return f.Side == iana.Client && f.Asked &&
		(f.Gone != NotGone && f.Gone != Silent ||
			f.HasReceived(alert.HandshakeFailure, alert.CertificateRequired, alert.BadCertificate,
				alert.NoCertificate, alert.DecodeError))
}

// CertificateRefused reports whether a server refused our certificate.
func (f *Failure) CertificateRefused() bool {
	return f.Side == iana.Client && f.Asked &&
		f.HasReceived(alert.UnknownCA, alert.CertificateExpired, alert.CertificateRevoked,
			alert.CertificateUnknown, alert.UnsupportedCertificate, alert.AccessDenied)
}

// AwaitsInVain reports whether a client waits for the server's first record after a handshake in
// which it was asked for a certificate, and nothing comes. See vitrine.Config.AwaitServer.
func (f *Failure) AwaitsInVain() bool {
	return f.Side == iana.Client && f.Asked && f.Offered == nil && f.Answered != nil &&
		f.Gone == Silent
}

// KeyRefused reports whether the server refused the binder of a pre-shared key: by decrypt_error,
// or as OpenSSL does by illegal_parameter. See RFC 8446 §4.2.11.
func (f *Failure) KeyRefused() bool {
	return f.Offered != nil && f.Offered.Extensions.Has(iana.ExtPreSharedKey) &&
		f.Answered == nil && f.HasReceived(alert.DecryptError, alert.IllegalParameter)
}
