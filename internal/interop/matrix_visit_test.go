package interop_test

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
)

// A visit is the two connections of a scene.
type visit struct {
	meeting
	row   row
	scene scene
	once  bool                      // there is no second connection
	turns bool                      // they write when they have read what we wrote, not before
	shook func(*vitrine.Conn) error // if set, is called after the handshake
	edit  func(*vitrine.Config, *interop.Setup)
	psk   *interop.PSK

	config *vitrine.Config
	setup  *interop.Setup
	listen net.Listener  // for their client
	peer   *interop.Peer // that runs; of an OpenSSL client, the last
	theirs *tls.Config   // of crypto/tls
	cache  vitrine.ClientSessionCache
	file   string // the session that OpenSSL's client keeps
}

// preSharedKey is the key of all tests.
var preSharedKey = sync.OnceValues(func() (*interop.PSK, error) {
	return office.PSK("gardener", []byte("sixteen bytes at"))
})

func (v *visit) run(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	v.prepare(t, ctx)
	defer func() {
		if v.peer != nil {
			v.peer.Kill()
			if t.Failed() {
				t.Logf("%s\nsaid:\n%s", v.peer, v.peer.Output())
			}
		}
		if v.listen != nil {
			v.listen.Close()
		}
	}()
	for again := range v.connections() {
		if !v.connection(t, ctx, again == 1) {
			return
		}
	}
	if v.peer != nil && (v.them == iana.Client || v.with == interop.OpenSSL) {
		if err := v.peer.Wait(); err != nil {
			t.Errorf("the peer ended with %v", err)
		}
	}
	count(t, v.with.Name)
}

// connections returns 2, or 1 for a tstclnt that cannot resume.
func (v *visit) connections() int {
	if v.once ||
		v.with == interop.NSS && v.them == iana.Client && !v.can(byTicket) && !v.can(byID) {
		return 1
	}
	return 2
}

// prepare makes the configurations of both sides, and starts the server.
func (v *visit) prepare(t *testing.T, ctx context.Context) {
	t.Helper()
	var err error
	if v.psk, err = preSharedKey(); err != nil {
		t.Fatal(err)
	}
	if v.scene.has(clientCertificate) && !v.row.PreShared() {
		v.clientKey = throwaway.ECDSA
		if v.row.FiniteField() {
			// OpenSSL wants the curve of a client's key in supported_groups, where RFC 8422 §4 has
			// no curve now
			v.clientKey = throwaway.RSA
		}
	}
	v.meeting.us, v.meeting.they = v.us, func(s *interop.Setup) { v.they(t, s) }
	if v.edit != nil {
		v.meeting.us = func(c *vitrine.Config) { v.us(c); v.edit(c, &interop.Setup{}) }
		v.meeting.they = func(s *interop.Setup) { v.they(t, s); v.edit(&vitrine.Config{}, s) }
	}
	v.config, v.setup = v.defaults(t)
	switch {
	case v.with == goTLS:
		v.theirs = v.goConfig(t)
	case v.them == iana.Server:
		v.peer, err = v.with.Serve(ctx, v.setup)
	}
	if err == nil && v.them == iana.Client || v.with == goTLS {
		v.listen, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// keep makes our side keep sessions as the scene wants.
func (v *visit) keep(c *vitrine.Config) {
	c.SessionTicketsDisabled = v.scene.has(byID)
	if v.them == iana.Server {
		v.cache = vitrine.NewLRUClientSessionCache(1)
		c.ClientSessionCache = v.cache
	} else if v.scene.has(byID) {
		c.SessionStore = session.NewMemory(10)
	}
}

// they applies the scene to the peer's Setup.
func (v *visit) they(t *testing.T, s *interop.Setup) {
	s.Versions = [2]iana.Version{v.row.version, v.row.version}
	s.Suite, s.Connects = v.row.Suite, v.connections()
	if v.row.PreShared() {
		s.PSK = v.psk
		if v.them == iana.Server && !v.row.KeyTransport() {
			s.Identity = nil
		}
	}
	if v.row.FiniteField() && v.them == iana.Server {
		s.DHParams = dhParams(t, "ffdhe2048")
		if v.with == interop.GnuTLS {
			s.DHParams = ""
		}
	}
	if v.scene.has(protocol) {
		s.Protocols = []string{"http/1.1"}
	}
	if v.scene.has(byID) && !is13(v.row) {
		s.Without = []iana.ExtensionType{iana.ExtSessionTicket, iana.ExtEncryptThenMAC,
			iana.ExtExtendedMasterSecret}
	}
	if v.with == interop.OpenSSL && v.them == iana.Client {
		var err error
		if v.file, err = office.File("session.pem", nil); err != nil {
			t.Fatal(err)
		}
		s.Options = append(s.Options, "-sess_out", v.file)
	}
	if v.with == interop.NSS {
		var err error
		if s.Database, err = database(t, s.Identity); err != nil {
			t.Fatal(err)
		}
		if v.them == iana.Client {
			file, err := office.File("request", payload("back")[:v.amount()])
			if err != nil {
				t.Fatal(err)
			}
			s.Options = append(s.Options, "-A", file)
		}
	}
}

// databases of NSS are made once for an identity.
var databases struct {
	sync.Mutex
	made map[*interop.Identity]string
}

func database(t *testing.T, id *interop.Identity) (dir string, err error) {
	databases.Lock()
	defer databases.Unlock()
	if dir = databases.made[id]; dir != "" {
		return dir, nil
	}
	if dir, err = office.Database(t.Context(), id); err == nil {
		if databases.made == nil {
			databases.made = map[*interop.Identity]string{}
		}
		databases.made[id] = dir
	}
	return dir, err
}

// connection makes one of the two connections: handshake, data, closing.
func (v *visit) connection(t *testing.T, ctx context.Context, again bool) bool {
	t.Helper()
	raw, other, err := v.socket(ctx, again)
	if err != nil {
		t.Fatal(err)
	}
	if v.scene.has(inFragments) {
		raw = &crumbled{Conn: raw}
	}
	c := vitrine.Server(raw, v.config)
	if v.them == iana.Server {
		c = vitrine.Client(raw, v.config)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(deadline))
	if other != nil {
		defer other.Close()
		go other.(interface{ Handshake() error }).Handshake()
	}
	if err := c.Handshake(); err != nil {
		time.Sleep(50 * time.Millisecond) // for what the peer says about it
		t.Errorf("resuming %v: %v", again, err)
		return false
	}
	state := c.ConnectionState()
	v.inspect(t, &state, again)
	if v.shook != nil {
		if err := v.shook(c); err != nil {
			t.Error(err)
		}
	}
	v.talk(t, c, other, again || v.once)
	return !t.Failed()
}

// socket connects both sides.
func (v *visit) socket(ctx context.Context, again bool) (ours net.Conn, theirs conn, err error) {
	if v.with == goTLS {
		ours, theirs, err = v.goSocket()
		return ours, theirs, err
	}
	if v.them == iana.Server {
		ours, err = v.peer.Dial(ctx)
		return ours, nil, err
	}
	if !again || v.with == interop.OpenSSL {
		if again {
			<-v.peer.Ended()
			v.peer.Kill() // frees what it held
			v.setup.Options = []string{"-sess_in", v.file}
		}
		if v.peer, err = v.with.Connect(ctx, v.listen.Addr().String(), v.setup); err != nil {
			return nil, nil, err
		}
	}
	v.listen.(*net.TCPListener).SetDeadline(time.Now().Add(deadline))
	accepted := make(chan struct{})
	defer close(accepted)
	peer := v.peer
	go func() {
		select {
		case <-peer.Ended():
			v.listen.(*net.TCPListener).SetDeadline(time.Now()) // it will not come
		case <-accepted:
		}
	}()
	ours, err = v.listen.Accept()
	return ours, nil, err
}

// inspect compares what was negotiated with what the scene is about.
func (v *visit) inspect(t *testing.T, s *vitrine.ConnectionState, again bool) {
	t.Helper()
	check := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("resuming %v: %s: got %v, expected %v", again, what, got, want)
		}
	}
	resumes := v.can(byTicket) || v.can(byID)
	check("suite", iana.CipherSuite(s.CipherSuite), v.row.ID)
	check("version", iana.Version(s.Version), v.row.version)
	check("resumed", s.DidResume, again && resumes)
	check("encrypt_then_mac", s.EncryptThenMAC, v.can(withEtM))
	check("extended_master_secret", s.ExtendedMasterSecret, !is13(v.row) && !v.can(withoutEMS))
	if v.can(protocol) {
		check("protocol", s.NegotiatedProtocol, "http/1.1")
	}
	if v.want != nil {
		v.want(t, s)
	}
	if v.can(clientCertificate) && v.them == iana.Client {
		check("certificates", len(s.PeerCertificates) > 0, true)
	}
	if v.cache != nil && resumes && !is13(v.row) { // where tickets come later
		kept, ok := v.cache.Get(name)
		check("a session is kept", ok, true)
		if ok {
			ticket, _, err := kept.ResumptionState()
			check("error", err, nil)
			check("with a ticket", len(ticket) > 0, v.can(byTicket))
		}
	}
}

// goConfig returns the configuration of crypto/tls.
func (v *visit) goConfig(t *testing.T) *tls.Config {
	c := &tls.Config{CipherSuites: []uint16{uint16(v.row.ID)}, MinVersion: uint16(v.row.version),
		MaxVersion: uint16(v.row.version),
		RootCAs:    office.CA.Pool(), ClientCAs: office.CA.Pool(), ServerName: name,
		NextProtos: v.config.NextProtos}
	if v.setup.Identity != nil {
		c.Certificates = []tls.Certificate{v.setup.Identity.Certificate}
	}
	for _, g := range v.setup.Groups {
		c.CurvePreferences = append(c.CurvePreferences, tls.CurveID(g))
	}
	if v.setup.ClientAuth {
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if v.them == iana.Client {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	return c
}

func (v *visit) goSocket() (ours net.Conn, theirs conn, err error) {
	dialed, err := net.Dial("tcp", v.listen.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	accepted, err := v.listen.Accept()
	if err != nil {
		return nil, nil, err
	}
	dialed.SetDeadline(time.Now().Add(deadline))
	accepted.SetDeadline(time.Now().Add(deadline))
	if v.them == iana.Server {
		return dialed, tls.Server(accepted, v.theirs), nil
	}
	return accepted, tls.Client(dialed, v.theirs), nil
}
