package parity_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// docs/from-crypto-tls.md is held to behaviour: what it calls the same is done with both stacks,
// the other end being crypto/tls, and everything that a program can observe at either end must be
// equal. What it says differs must differ.

// A setting is a Config of either package: the fields that both have.
type setting struct {
	Rand                   io.Reader
	Time                   func() time.Time
	Certificates           []tls.Certificate
	GetCertificate         func(*helloInfo) (*tls.Certificate, error)
	GetConfigForClient     func(*helloInfo) (*setting, error)
	GetClientCertificate   func(*requestInfo) (*tls.Certificate, error)
	VerifyPeerCertificate  func([][]byte, [][]*x509.Certificate) error
	VerifyConnection       func(tls.ConnectionState) error
	RootCAs, ClientCAs     *x509.CertPool
	NextProtos             []string
	ServerName             string
	ClientAuth             tls.ClientAuthType
	InsecureSkipVerify     bool
	CipherSuites           []uint16
	MinVersion, MaxVersion uint16
	CurvePreferences       []tls.CurveID
	KeyLogWriter           io.Writer
	Renegotiation          tls.RenegotiationSupport
	SessionTicketsDisabled bool

	DynamicRecordSizingDisabled bool

	tickets [][32]byte // for SetSessionTicketKeys
	cached  bool       // with a ClientSessionCache
	cloned  bool       // a Clone is used

	made [2]any // the Config of ours and of theirs, for a second connection
}

// helloInfo is a ClientHelloInfo of either package; requestInfo is a CertificateRequestInfo.
type helloInfo struct {
	tls.ClientHelloInfo
	supports func(*tls.Certificate) error
	context  context.Context
}

type requestInfo struct {
	tls.CertificateRequestInfo
	supports func(*tls.Certificate) error
	context  context.Context
}

// fill copies the fields of the same name and type.
func fill(to, from any) {
	t, f := reflect.ValueOf(to).Elem(), reflect.ValueOf(from).Elem()
	for i := range t.NumField() {
		if name := t.Type().Field(i).Name; t.Field(i).CanSet() {
			if v := f.FieldByName(name); v.IsValid() && v.Type() == t.Field(i).Type() {
				t.Field(i).Set(v)
			}
		}
	}
}

func (s *setting) ours() *vitrine.Config {
	if s.made[0] != nil {
		return s.made[0].(*vitrine.Config)
	}
	c := &vitrine.Config{}
	fill(c, s)
	info := func(i *vitrine.ClientHelloInfo) *helloInfo {
		h := &helloInfo{supports: i.SupportsCertificate, context: i.Context()}
		fill(&h.ClientHelloInfo, i)
		return h
	}
	if f := s.GetCertificate; f != nil {
		c.GetCertificate = func(i *vitrine.ClientHelloInfo) (*tls.Certificate,
			error) {
			return f(info(i))
		}
	}
	if f := s.GetConfigForClient; f != nil {
		c.GetConfigForClient = func(i *vitrine.ClientHelloInfo) (*vitrine.Config, error) {
			other, err := f(info(i))
			if other == nil {
				return nil, err
			}
			return other.ours(), err
		}
	}
	if f := s.GetClientCertificate; f != nil {
		c.GetClientCertificate = func(i *vitrine.CertificateRequestInfo) (*tls.Certificate, error) {
			r := &requestInfo{supports: i.SupportsCertificate, context: i.Context()}
			fill(&r.CertificateRequestInfo, i)
			return f(r)
		}
	}
	if f := s.VerifyConnection; f != nil {
		c.VerifyConnection = func(v vitrine.ConnectionState) error { return f(converted(v)) }
	}
	if s.cached {
		c.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
	}
	if s.tickets != nil {
		c.SetSessionTicketKeys(s.tickets)
	}
	if s.cloned {
		c = c.Clone()
	}
	s.made[0] = c
	return c
}

func (s *setting) theirs() *tls.Config {
	if s.made[1] != nil {
		return s.made[1].(*tls.Config)
	}
	c := &tls.Config{}
	fill(c, s)
	info := func(i *tls.ClientHelloInfo) *helloInfo {
		h := &helloInfo{supports: i.SupportsCertificate, context: i.Context()}
		fill(&h.ClientHelloInfo, i)
		return h
	}
	if f := s.GetCertificate; f != nil {
		c.GetCertificate = func(i *tls.ClientHelloInfo) (*tls.Certificate,
			error) {
			return f(info(i))
		}
	}
	if f := s.GetConfigForClient; f != nil {
		c.GetConfigForClient = func(i *tls.ClientHelloInfo) (*tls.Config, error) {
			other, err := f(info(i))
			if other == nil {
				return nil, err
			}
			return other.theirs(), err
		}
	}
	if f := s.GetClientCertificate; f != nil {
		c.GetClientCertificate = func(i *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			r := &requestInfo{supports: i.SupportsCertificate, context: i.Context()}
			fill(&r.CertificateRequestInfo, i)
			return f(r)
		}
	}
	if f := s.VerifyConnection; f != nil {
		c.VerifyConnection = f
	}
	if s.cached {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	if s.tickets != nil {
		c.SetSessionTicketKeys(s.tickets)
	}
	if s.cloned {
		c = c.Clone()
	}
	s.made[1] = c
	return c
}

// converted is our state as crypto/tls's.
func converted(v vitrine.ConnectionState) (s tls.ConnectionState) {
	fill(&s, &v)
	return s
}

// end is a connection of either package.
type end interface {
	net.Conn
	HandshakeContext(context.Context) error
	Handshake() error
	CloseWrite() error
	VerifyHostname(string) error
	OCSPResponse() []byte
	NetConn() net.Conn
	state() tls.ConnectionState
	export() ([]byte, error)
}

type ourEnd struct{ *vitrine.Conn }

func (e ourEnd) state() tls.ConnectionState { return converted(e.ConnectionState()) }
func (e ourEnd) export() ([]byte, error) {
	s := e.ConnectionState()
	return s.ExportKeyingMaterial("EXPERIMENTAL parity", []byte("x"), 16)
}

type theirEnd struct{ *tls.Conn }

func (e theirEnd) state() tls.ConnectionState { return e.ConnectionState() }
func (e theirEnd) export() ([]byte, error) {
	s := e.ConnectionState()
	return s.ExportKeyingMaterial("EXPERIMENTAL parity", []byte("x"), 16)
}

// play is one run of a row, and what was observed in it.
type play struct {
	*testing.T
	client, server setting
	subject        bool // the client's end is the one that is compared; else the server's
	mine           bool // it is ours, and not crypto/tls's
	seen           []string
	c, s           end      // of the last connection
	b              [10]byte // for what is read and written
}

func (p *play) note(format string, args ...any) {
	p.seen = append(p.seen, fmt.Sprintf(format, args...))
}

// dial makes both ends.
func (p *play) dial() {
	a, b := rig.Wires(p.T)
	p.c, p.s = theirEnd{tls.Client(a, p.client.theirs())},
		theirEnd{tls.Server(b, p.server.theirs())}
	if p.mine && p.subject {
		p.c = ourEnd{vitrine.Client(a, p.client.ours())}
	} else if p.mine {
		p.s = ourEnd{vitrine.Server(b, p.server.ours())}
	}
}

// me is the end that is compared.
func (p *play) me() end {
	if p.subject {
		return p.c
	}
	return p.s
}

// shake makes a connection, sends a byte each way and notes how it went, and both states.
func (p *play) shake() bool {
	p.dial()
	cErr, sErr := rig.Shake(p.c, p.s)
	if cErr == nil && sErr != nil { // a client learns of a late refusal by reading
		_, cErr = p.c.Read(make([]byte, 1))
	}
	p.note("client: %s; server: %s", sort(cErr), sort(sErr))
	other := cErr
	if p.subject {
		other = sErr
	}
	if other != nil && strings.Contains(other.Error(), "remote error") {
		p.note("%v", certificateAlerts.ReplaceAllString(other.Error(), "bad certificate"))
	}
	if cErr != nil || sErr != nil {
		p.c.Close()
		p.s.Close()
		return false
	}
	for i, e := range []end{p.c, p.s} {
		s := e.state()
		//lint:ignore SA1019 deprecated, and here as well
		mutual := s.NegotiatedProtocolIsMutual
		p.note("%d: version %x, done %v, resumed %v, suite %x, protocol %q %v, name %q, %d "+
			"certificates, %d chains, SCTs %q, "+
			"OCSP %v, tls-unique %v, curve %v", i, s.Version, s.HandshakeComplete, s.DidResume,
			s.CipherSuite,
			s.NegotiatedProtocol, mutual, s.ServerName, len(s.PeerCertificates),
			len(s.VerifiedChains),
			s.SignedCertificateTimestamps, len(s.OCSPResponse) > 0, s.TLSUnique != nil, s.CurveID)
	}
	a, aErr := p.c.export()
	b, bErr := p.s.export()
	p.note("exported the same %v, %v, %v", string(a) == string(b), aErr == nil, bErr == nil)
	return true
}

// again closes a connection in order and makes another.
func (p *play) again() bool {
	if p.c != nil {
		go func(c, s end) { s.Write([]byte("x")); s.Close() }(p.c, p.s)
		io.ReadAll(p.c) // what a resumption needs may come with the first data
		p.c.Close()
	}
	return p.shake()
}

// sort is what kind of error a program can make out.
func sort(err error) string {
	var kinds []string
	add := func(kind string, ok bool) {
		if ok {
			kinds = append(kinds, kind)
		}
	}
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, hostname := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	timeout, isNet := errors.AsType[net.Error](err)
	add("nil", err == nil)
	add("error", err != nil)
	add("verification", verification)
	add("authority", authority)
	add("hostname", hostname)
	add("invalid", invalid)
	add("timeout", isNet && timeout.Timeout())
	add("refused by the program", errors.Is(err, errRefused))
	add("EOF", errors.Is(err, io.EOF))
	add("closed", errors.Is(err, net.ErrClosed))
	add("canceled", errors.Is(err, context.Canceled))
	return strings.Join(kinds, " ")
}

// certificateAlerts are what Vitrine sends instead of bad_certificate where a certificate is
// rejected: see docs/from-crypto-tls.md.
var certificateAlerts = regexp.MustCompile(
	"unsupported certificate|expired certificate|unknown certificate authority")

var errRefused = errors.New("the program refuses")

// rows are compared in both roles, unless they are about one.
type row struct {
	covers  string // names of the document, separated by spaces
	what    string
	role    string // "client", "server", or "" for both
	set     func(*play)
	act     func(*play) // nil: a handshake
	differs bool        // the document says so
	in13    outcome     // where TLS 1.3, the default, is not as TLS 1.2
}

// outcome is what becomes of a row with TLS 1.3.
type outcome uint8

const (
	asBefore outcome = iota
	alike
	unlike
)

// expected reports whether the row differs between the packages.
func (r *row) expected(highest uint16) bool {
	if highest == 0 && r.in13 != asBefore {
		return r.in13 == unlike
	}
	return r.differs
}

// observe plays a row. maxVersion is that of both ends unless the row names one; 0 leaves the
// default.
func (r *row) observe(t *testing.T, maxVersion uint16, subject, mine bool) []string {
	p := &play{T: t, subject: subject, mine: mine}
	suites := []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	curves := []tls.CurveID{tls.CurveP256}
	p.client = setting{RootCAs: rig.Authority().Pool(), ServerName: rig.ServerName,
		MaxVersion:   maxVersion,
		CipherSuites: suites, CurvePreferences: curves}
	p.server = setting{Certificates: rig.ServerConfig(t).Certificates, CipherSuites: suites,
		MaxVersion: maxVersion, CurvePreferences: curves}
	if r.set != nil {
		r.set(p)
	}
	if r.act != nil {
		r.act(p)
	} else {
		p.shake()
	}
	return p.seen
}

const ofQUIC = "of QUIC: TestQUICHandshakesWithCryptoTLS of the root"

// notRun are names of the document that no row tries, and why.
var notRun = map[string]string{
	"Config.Renegotiation": "a server of crypto/tls does not renegotiate: " +
		"internal/conformance",
	"ConnectionState.HelloRetryRequest": "compared in TestTLS13ConnectsWithCryptoTLS",
	"ConnectionState.TLSUnique": "crypto/tls always offers the extended master secret: " +
		"compat_test.go of the root",
	"ClientSessionCache.Get":             "the program's own: resume_test.go of the root",
	"ClientSessionCache.Put":             "the program's own: resume_test.go of the root",
	"ClientSessionState.ResumptionState": "our sessions are ours: TestASessionSurvivesAsBytes",
	"SessionState.Extra":                 "our sessions are ours: TestASessionSurvivesAsBytes",
	"Config.WrapSession":                 "our sessions are ours: TestAProgramWrapsSessions",
	"Config.UnwrapSession":               "our sessions are ours: TestAProgramWrapsSessions",
	"Config.EncryptTicket":               "our sessions are ours: TestAProgramWrapsSessions",
	"Config.DecryptTicket": "our sessions are ours: " +
		"TestATicketOfOtherKeysIsNotDecrypted",
	"SessionState.Bytes":              "our sessions are ours: TestASessionSurvivesAsBytes",
	"QUICClient":                      ofQUIC,
	"QUICServer":                      ofQUIC,
	"QUICConfig.TLSConfig":            ofQUIC,
	"QUICConn.Start":                  ofQUIC,
	"QUICConn.NextEvent":              ofQUIC,
	"QUICConn.HandleData":             ofQUIC,
	"QUICConn.SetTransportParameters": ofQUIC,
	"QUICConn.ConnectionState":        ofQUIC,
	"QUICConn.SendSessionTicket":      "of QUIC: TestQUICResumes",
	"QUICConfig.EnableSessionEvents":  "of QUIC: TestQUICSessionEventsAreThoseOfCryptoTLS",
	"QUICConn.StoreSession":           "of QUIC: TestQUICSessionEventsAreThoseOfCryptoTLS",
	"QUICConn.Close":                  "of QUIC: TestQUICRefusesCallsAfterItsEnd",
	"SessionState.EarlyData":          "of QUIC there: TestEarlyDataNeedsATicketThatAllowsIt",
	"NewResumptionState":              "our sessions are ours: TestASessionSurvivesAsBytes",
	"ParseSessionState":               "our sessions are ours: TestASessionSurvivesAsBytes",
}
