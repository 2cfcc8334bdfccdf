// Package demo performs one handshake and records the events of both sides: a CA and certificates
// made in memory, a client and a server on a loopback socket, a request and an answer, and
// close_notify in both directions. Optionally somebody in between performs acts; then the two sides
// are at the ends of the playground's wire.
//
// A run with a seed is reproducible to the byte: it has embedded and derived keys, a clock that
// stands still, and for each side random bytes derived from the seed. All of its secrets are
// public.
package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/trace"
)

// Name is the server name that the client requests.
const Name = "vitrine.test"

// Request is what the client sends by default.
const Request = "GET / HTTP/1.1\r\nHost: " + Name + "\r\n\r\n"

const answer = "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\nhello behind the glass"

// timeout is the time limit of a run.
const timeout = 30 * time.Second

// ClientAuth is what the server requests of the client.
type ClientAuth string

// The values of ClientAuth. A client from which a certificate is only requested has none.
const (
	NoClientAuth      ClientAuth = "none"
	RequestClientAuth ClientAuth = "request"
	RequireClientAuth ClientAuth = "require"
)

// Options describe the handshake to perform.
type Options struct {
	Version              iana.Version // 0 is TLS 1.2
	Suite                iana.CipherSuite
	Group                iana.Group     // 0 for RSA key exchange
	Auth                 throwaway.Kind // the server's key, and the client's
	ExtendedMasterSecret bool
	EncryptThenMAC       bool
	ClientAuth           ClientAuth
	Data                 string   // what the client sends
	Seed                 string   // not empty: repeat to the byte
	Tamper               []Tamper // what somebody in between does

	// Of TLS 1.3.
	Retry     bool // the client first guesses another group
	Resume    bool // a second connection resumes the first
	KeyUpdate bool // new keys after the first answer, and a second one
	EarlyData bool // with Resume: the first data goes before the server's hello
	LateAuth  bool // the server asks who the client is before its last answer
}

// Outcome is the result of a run.
type Outcome struct {
	Entries                []trace.Entry // of both sides, merged
	Run                    explain.Run
	ClientError            error // nil if that side did all it wanted
	ServerError            error
	ServerReceived, Wanted string   // what the server read, and what it should have read
	First                  *Outcome // of a resumption: the connection before
}

// Perform performs the handshake. It returns an error if the run could not begin. Errors of the
// handshake are in the Outcome.
func Perform(ctx context.Context, o Options) (*Outcome, error) {
	began := time.Now()
	s, err := newSetup(o)
	if err != nil {
		return nil, err
	}
	setupTime := time.Since(began)
	var m *middle
	if len(o.Tamper) > 0 {
		reference, err := s.run(ctx, nil)
		if err != nil {
			return nil, err
		}
		if m, err = newMiddle(o.Tamper, reference); err != nil {
			return nil, err
		}
		if s, err = newSetup(o); err != nil {
			return nil, err
		}
	}
	out, err := s.run(ctx, m)
	if err != nil {
		return nil, err
	}
	for run := out; run != nil; run = run.First {
		run.Run.Command, run.Run.Seed = "vitrine handshake", o.Seed
		if run.Run.Setup = setupTime; o.Seed != "" {
			run.Run.Setup, run.Run.Handshake = 0, 0
			run.Run.Client, run.Run.Server = "127.0.0.1:client", ":server"
		}
	}
	return out, nil
}

// setup holds the configurations and the events of a run.
type setup struct {
	Options
	configs [2]*vitrine.Config
	events  [2]*trace.Memory
	resumed bool // a connection was made before
}

func newSetup(o Options) (*setup, error) {
	s := &setup{Options: o, events: [2]*trace.Memory{{}, {}}}
	root := throwaway.Options{}
	if o.Seed != "" {
		root.Seed = source(o.Seed, "certificates")
	}
	ca, err := throwaway.New(root)
	if err != nil {
		return nil, err
	}
	for side := range s.configs {
		s.configs[side] = s.config(ca, iana.Side(side))
	}
	return s, s.certify(ca)
}

func (s *setup) config(ca *throwaway.CA, side iana.Side) *vitrine.Config {
	c := &vitrine.Config{
		CipherSuites:         []uint16{uint16(s.Suite)},
		MaxVersion:           vitrine.VersionTLS12, // that of the story
		Trace:                s.events[side],
		ServerName:           Name,
		RootCAs:              ca.Pool(),
		ClientCAs:            ca.Pool(),
		ExtendedMasterSecret: demand(s.ExtendedMasterSecret),
		EncryptThenMAC:       demand(s.EncryptThenMAC),
		StatusRequest:        vitrine.Off, // this CA staples nothing, and logs nothing
		Timestamps:           vitrine.Off,
		Time:                 time.Now,
	}
	if s.Group != 0 {
		c.CurvePreferences = []tls.CurveID{tls.CurveID(s.Group)}
		if g := certificateGroup(s.Auth); g != 0 && g != s.Group {
			c.CurvePreferences = append(c.CurvePreferences, tls.CurveID(g))
		}
	}
	if s.Seed != "" {
		c.Rand = source(s.Seed, side.String())
		c.Time = func() time.Time { return throwaway.Epoch }
	}
	if s.Version == iana.TLS13 {
		s.config13(c, side)
	}
	return c
}

// certify issues the certificates that the run needs.
func (s *setup) certify(ca *throwaway.CA) error {
	server, err := ca.Issue(s.Auth, []string{Name})
	if err != nil {
		return err
	}
	s.configs[iana.Server].Certificates = []tls.Certificate{server}
	if err := s.showKey(iana.Server, server); err != nil {
		return err
	}
	switch s.ClientAuth {
	case RequestClientAuth:
		s.configs[iana.Server].ClientAuth = tls.VerifyClientCertIfGiven
	case RequireClientAuth:
		s.configs[iana.Server].ClientAuth = tls.RequireAndVerifyClientCert
	}
	if s.ClientAuth != RequireClientAuth && !s.LateAuth {
		return nil
	}
	client, err := ca.Issue(s.Auth, []string{"client." + Name}, throwaway.ForClient)
	if err != nil {
		return err
	}
	s.configs[iana.Client].Certificates = []tls.Certificate{client}
	return s.showKey(iana.Client, client)
}

// showKey logs a private key, which is not used again after this run.
func (s *setup) showKey(side iana.Side, c tls.Certificate) error {
	private, err := throwaway.PKCS8(c)
	if err != nil {
		return err
	}
	public, err := spki(c)
	if err != nil {
		return err
	}
	trace.New(trace.Role(side.String()), s.events[side], s.configs[side].Time).ThrowawayKey(side,
		string(s.Auth), private, public)
	return nil
}

func spki(c tls.Certificate) ([]byte, error) {
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return nil, err
	}
	return leaf.RawSubjectPublicKeyInfo, nil
}

// run performs the handshake, through m if it is not nil. If it is to be a resumption, another
// connection comes before it.
func (s *setup) run(ctx context.Context, m *middle) (*Outcome, error) {
	if !s.Resume {
		return s.connection(ctx, m)
	}
	first, err := s.connection(ctx, nil)
	if err != nil {
		return nil, err
	}
	s.again()
	out, err := s.connection(ctx, m)
	if err != nil {
		return nil, err
	}
	out.First = first
	return out, nil
}

func (s *setup) connection(ctx context.Context, m *middle) (*Outcome, error) {
	if m != nil {
		return s.between(ctx, m)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, server, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	client.SetDeadline(deadline)
	server.SetDeadline(deadline)
	out := &Outcome{Wanted: s.Data}
	out.Run.Client, out.Run.Server = client.LocalAddr().String(), port(client.RemoteAddr())
	served := make(chan error, 1)
	go func() { served <- s.serve(ctx, server, out) }()
	out.ClientError = s.ask(ctx, client, out)
	out.ServerError = <-served
	out.Entries = trace.Merge(s.events[iana.Client].Entries, s.events[iana.Server].Entries)
	return out, nil
}

// ask is the client's part of the run.
func (s *setup) ask(ctx context.Context, conn net.Conn, out *Outcome) error {
	c := vitrine.Client(conn, s.configs[iana.Client])
	defer c.Close()
	began := time.Now()
	early := s.EarlyData && s.resumed
	if early {
		if _, err := c.WriteEarly([]byte(s.Data)); err != nil {
			return err
		}
	}
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	out.Run.Handshake = time.Since(began)
	for i := range s.exchanges() {
		if i > 0 {
			if err := c.KeyUpdate(true); err != nil {
				return err
			}
		}
		if i > 0 || !early {
			if _, err := c.Write([]byte(s.Data)); err != nil {
				return err
			}
		}
		if _, err := io.ReadFull(c, make([]byte, len(answer))); err != nil {
			return err
		}
	}
	if err := c.CloseWrite(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, c)
	return err
}

// serve is the server's part of the run.
func (s *setup) serve(ctx context.Context, conn net.Conn, out *Outcome) error {
	c := vitrine.Server(conn, s.configs[iana.Server])
	defer c.Close()
	var early []byte
	if s.EarlyData && s.resumed {
		var err error
		if early, err = io.ReadAll(readerFunc(c.ReadEarly)); err != nil {
			return err
		}
	}
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	for i := range s.exchanges() {
		request := make([]byte, len(s.Data))
		n, err := io.ReadFull(io.MultiReader(bytes.NewReader(early), c), request)
		out.ServerReceived, early = string(request[:n]), nil
		if err != nil {
			return err
		}
		if s.LateAuth && i == s.exchanges()-1 {
			return answerProved(c)
		}
		if _, err := c.Write([]byte(answer)); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		return err
	}
	return c.CloseWrite()
}

// exchanges returns how many times data is sent and answered.
func (s *setup) exchanges() int {
	if s.KeyUpdate {
		return 2
	}
	return 1
}

// source returns a stream of bytes that is derived from the seed, a different one for each purpose.
func source(seed, purpose string) io.Reader {
	return rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "vitrine handshake --seed\x00%s\x00%s",
		purpose, seed)))
}

func demand(b bool) vitrine.Demand {
	if b {
		return vitrine.Required
	}
	return vitrine.Off
}

// certificateGroup returns the group that a client must offer to accept a certificate with such a
// key. See RFC 8422 §5.1.1.
func certificateGroup(k throwaway.Kind) iana.Group {
	switch k {
	case throwaway.ECDSA:
		return iana.Secp256r1
	case throwaway.ECDSAP384:
		return iana.Secp384r1
	case throwaway.ECDSAP521:
		return iana.Secp521r1
	}
	return 0
}
