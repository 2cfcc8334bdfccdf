package probe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
)

// Answer is what a server answered to an Offer, as far as it comes in the clear: up to
// ServerHelloDone until TLS 1.2, and in TLS 1.3 its ServerHello or HelloRetryRequest.
type Answer struct {
	Outcome Outcome
	Alert   *alert.Description // of the last alert, nil if there was none
	Err     error              // what ended a connection that was not accepted

	Hello   *message.ServerHello
	Version iana.Version
	Suite   iana.CipherSuite
	Group   iana.Group           // of the key exchange; 0 if there is none, or it is not known yet
	Scheme  iana.SignatureScheme // of ServerKeyExchange in TLS 1.2
	Chain   [][]byte             // the certificates, DER
	Staple  []byte               // a stapled OCSPResponse, DER
	Keys    *message.ServerKeyExchange
	Request *message.CertificateRequest
	Done    bool // ServerHelloDone came
	Resumed bool // ChangeCipherSpec followed the ServerHello: the server resumes a session

	offer *Offer
	sent  []byte
	first []byte
	raw   []byte // the ServerHello
}

// maxAnswer bounds what is read of one answer, in bytes: a chain with an RSA key and a stapled
// status has some 8 KB.
const maxAnswer = 1 << 18

// maxChoice bounds a ServerHello and a ServerKeyExchange, which are kept of each answer, in bytes.
const maxChoice = 1 << 14

// maxExtensions bounds the extensions of a ServerHello: it answers ours, of which there are fewer.
const maxExtensions = 64

var (
	errNotTLS    = errors.New("the answer is not TLS")
	errMalformed = errors.New("the answer is malformed")
	errCut       = errors.New("the answer ended before it was whole")

	// in the middle of a handshake that does not resume
	errEarlyChange = malformed("got a ChangeCipherSpec in the handshake")
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errMalformed}, args...)...)
}

// isReset reports whether err says that the peer reset the connection.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// reader cuts what a server sends into records and joins handshake messages.
type reader struct {
	conn  net.Conn
	total int
	joint []byte // of handshake messages
	first []byte
}

// record returns the type and the content of the next record. Its memory is bounded by maxAnswer.
func (r *reader) record() (iana.ContentType, []byte, error) {
	var header [5]byte
	if n, err := io.ReadFull(r.conn, header[:]); err != nil {
		if r.first == nil {
			r.first = header[:n]
		}
		if n > 0 && !plausible(header[:n]) {
			return 0, nil, errNotTLS
		}
		if n > 0 || len(r.joint) > 0 {
			err = fmt.Errorf("%w: %w", errCut, err)
		}
		return 0, nil, err
	}
	if r.first == nil {
		r.first = header[:]
	}
	if !plausible(header[:]) {
		return 0, nil, errNotTLS
	}
	n := int(header[3])<<8 | int(header[4])
	if r.total += len(header) + n; n > 1<<14+2048 || r.total > maxAnswer {
		return 0, nil, malformed("its records have more than %d bytes", maxAnswer)
	}
	content := make([]byte, n)
	if _, err := io.ReadFull(r.conn, content); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", errCut, err)
	}
	return iana.ContentType(header[0]), content, nil
}

// plausible reports whether b can begin a record.
func plausible(b []byte) bool {
	return b[0] >= 20 && b[0] <= 24 && (len(b) < 2 || b[1] == 3)
}

// next returns the next handshake message, or the alert that came instead.
func (r *reader) next() (raw []byte, a *alert.Received, err error) {
	for {
		if len(r.joint) >= message.HeaderLen && len(r.joint) >= message.Length(r.joint) {
			n := message.Length(r.joint)
			raw, r.joint = bytes.Clone(r.joint[:n]), r.joint[n:] // it keeps no other message
			return raw, nil, nil
		}
		typ, content, err := r.record()
		switch {
		case err != nil:
			return nil, nil, err
		case typ == iana.RecordAlert && len(content) == 2:
			return nil, &alert.Received{Level: alert.Level(content[0]),
				Description: alert.Description(content[1])}, nil
		case typ == iana.RecordChangeCipherSpec:
			return nil, nil, errEarlyChange
		case typ != iana.RecordHandshake:
			return nil, nil, malformed("got a record of type %v in the handshake", typ)
		}
		r.joint = append(r.joint, content...)
	}
}

// mild reports whether a handshake may go on after an alert.
func mild(a *alert.Received) bool {
	switch a.Description {
	case alert.UnrecognizedName, alert.UserCanceled, alert.NoRenegotiation:
		return a.Level == alert.Warning
	}
	return false
}

// read reads the answer.
func (a *Answer) read(r *reader) {
	for !a.whole() {
		raw, got, err := r.next()
		a.first = r.first
		if got != nil {
			a.Alert = &got.Description
			if !mild(got) {
				a.Outcome = Alerted
				return
			}
			continue
		}
		if err == nil {
			err = a.take(raw)
		}
		if errors.Is(err, errEarlyChange) && a.Hello != nil && a.Chain == nil && a.Keys == nil {
			a.Resumed, err = true, nil
		}
		if err != nil {
			if a.Hello != nil && a.Outcome == "" && !errors.Is(err, errMalformed) {
				a.Outcome, a.Err = Accepted, err // it chose, and then closed the connection
				return
			}
			a.end(err)
			return
		}
	}
	if a.Outcome == "" {
		a.Outcome = Accepted
	}
}

// whole reports whether there is no more to read in the clear.
func (a *Answer) whole() bool {
	return a.Done || a.Resumed || a.Hello != nil && a.Version == iana.TLS13
}

// take takes a message of the answer.
func (a *Answer) take(raw []byte) error {
	switch t := iana.HandshakeType(raw[0]); t {
	case iana.ServerHello, iana.ServerKeyExchange:
		if len(raw) > maxChoice {
			return malformed("its %v has %d bytes", t, len(raw))
		}
	}
	m, err := a.dialect().Parse(raw)
	if err != nil {
		if a.Hello == nil {
			return malformed("%v", err)
		}
		return nil // the server's choice is known; a message of unknown form is skipped
	}
	switch m := m.(type) {
	case *message.ServerHello:
		a.raw = raw
		return a.hello(m)
	case *message.Certificate:
		a.Chain = m.Chain
	case *message.CertificateStatus:
		a.Staple = m.Response
	case *message.ServerKeyExchange:
		a.Keys, a.Group, a.Scheme = m, m.Group, m.Scheme
	case *message.CertificateRequest:
		a.Request = m
	case *message.ServerHelloDone:
		a.Done = true
	}
	if a.Hello == nil {
		return malformed("it begins with a %v", m.Type())
	}
	return nil
}

func (a *Answer) dialect() message.Dialect {
	d := message.Dialect{Version: a.Version}
	if s := suite.Readable(a.Suite); s != nil {
		d.Kex, d.Auth = s.KeyExchange()
		return d
	}
	d.Kex, d.Auth = exchangeOf(a.Suite)
	return d
}

// exchangeOf returns the key exchange of a suite whose cipher no table of Vitrine's has, such as
// CAMELLIA, by asking a suite with the same exchange.
func exchangeOf(id iana.CipherSuite) (iana.KeyExchange, iana.Authentication) {
	exchange, _, _ := strings.Cut(id.String(), "_WITH_")
	exchange = strings.TrimSuffix(exchange, "_EXPORT")
	for _, cipher := range []string{"AES_128_CBC_SHA", "AES_128_GCM_SHA256", "3DES_EDE_CBC_SHA"} {
		if twin, ok := iana.SuiteByName(exchange + "_WITH_" + cipher); ok {
			if s := suite.Readable(twin); s != nil {
				return s.KeyExchange()
			}
		}
	}
	return 0, 0
}

// sameLeaf reports whether the answer has a certificate and it is that of chain.
func (a *Answer) sameLeaf(chain [][]byte) bool {
	return len(a.Chain) > 0 && len(chain) > 0 && bytes.Equal(a.Chain[0], chain[0])
}

// hello takes the server's choice, which must be one of what was offered.
func (a *Answer) hello(m *message.ServerHello) error {
	a.Hello, a.Version, a.Suite = m, m.Version, m.CipherSuite
	var v message.SelectedVersion
	if ok, err := m.Extensions.Read(iana.ExtSupportedVersions, &v); err != nil {
		return malformed("%v", err)
	} else if ok {
		a.Version = v.Version
	}
	if a.Version == iana.TLS13 {
		a.Group = selectedGroup(m)
	}
	switch {
	case len(m.Extensions) > maxExtensions:
		return malformed("it has %d extensions", len(m.Extensions))
	case a.Version > a.offer.Version:
		return malformed("it chose %v, above the %v that was offered", a.Version, a.offer.Version)
	case !slices.Contains(a.offer.Suites, a.Suite):
		return malformed("it chose %v, which was not offered", a.Suite)
	}
	return nil
}

// selectedGroup returns the group of a ServerHello's or HelloRetryRequest's key_share, or 0.
func selectedGroup(m *message.ServerHello) iana.Group {
	data, ok := m.Extensions.Get(iana.ExtKeyShare)
	if !ok || len(data) < 2 {
		return 0
	}
	return iana.Group(uint16(data[0])<<8 | uint16(data[1])) // the first field of both layouts
}

// group returns the group of the key exchange, also that of a dh_p, or 0.
func (a *Answer) group() iana.Group {
	if a.Keys != nil && a.Keys.P != nil {
		g, _ := kex.NameOf(a.Keys.P, a.Keys.G)
		return g
	}
	return a.Group
}

// Outcome is the result of a question.
type Outcome string

// The outcomes of a question.
const (
	Accepted  Outcome = "accepted"    // the server answered with a ServerHello
	Alerted   Outcome = "alert"       // with a fatal alert, or a warning and the end
	Closed    Outcome = "closed"      // it closed the connection
	Reset     Outcome = "reset"       // it reset the connection
	Cut       Outcome = "cut off"     // the connection ended within its answer
	Silent    Outcome = "silent"      // it sent no whole answer in time
	NotTLS    Outcome = "not TLS"     // its answer was not a record
	Malformed Outcome = "malformed"   // its answer cannot be read, or does not fit the offer
	Unreached Outcome = "not reached" // the connection could not be made
)

// refused reports whether the outcome is a clear no. A server that began to answer did not refuse:
// what cut its answer off may be something between.
func (o Outcome) refused() bool { return o == Alerted || o == Closed || o == Reset }

// end records how the connection ended, if no answer was read before.
func (a *Answer) end(err error) {
	if a.Outcome != "" {
		return
	}
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		a.Outcome = Silent
	case errors.Is(err, errMalformed): // also a warning without end, which is no refusal
		a.Outcome = Malformed
	case a.Alert != nil:
		a.Outcome = Alerted // a warning, and then the end
	case errors.Is(err, errNotTLS):
		a.Outcome = NotTLS
	case errors.Is(err, errCut):
		a.Outcome = Cut
	case isReset(err):
		a.Outcome = Reset
	default:
		a.Outcome = Closed
	}
	a.Err = err
}

// Refusal says in words how the server refused, for example "alert handshake_failure".
func (a *Answer) Refusal() string {
	switch {
	case a.Outcome == Alerted && a.Alert != nil:
		return "alert " + a.Alert.String()
	case a.Outcome == Malformed && a.Err != nil:
		return alert.Escape(a.Err.Error())
	}
	return string(a.Outcome)
}

func timedOut(err error) bool {
	t, ok := err.(net.Error)
	return ok && t.Timeout()
}
