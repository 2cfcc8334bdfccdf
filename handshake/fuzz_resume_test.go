package handshake

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/session"
)

// An acquaintance is a client and a server with a session that is valid at both.
type acquaintance struct {
	what    string
	config  func() (client, server *negotiation.Config)
	session *Session // the client's
	kept    []byte   // the server's, encoded
	handle  []byte   // the ticket or the ID
}

// meetings are pairs that differ in how the session was made, and in how it is found.
func meetings(t testing.TB) []*acquaintance {
	var all []*acquaintance
	ed25519, rsa := credential(t, throwaway.Ed25519, name), credential(t, throwaway.RSA, name)
	guest := credential(t, throwaway.Ed25519, "client.test")
	for _, m := range []struct {
		what    string
		suite   iana.CipherSuite
		tickets bool
		edit    func(c, s *negotiation.Config)
	}{
		{"ticket", ecdheECDSA, true, func(_, _ *negotiation.Config) {}},
		{"ID", ecdheECDSA, false, func(_, _ *negotiation.Config) {}},
		{"ticket, no extended master secret", rsaRSA, true, func(c, _ *negotiation.Config) {
			c.ExtendedMasterSecret = negotiation.Off
		}},
		{"ticket, encrypt_then_mac", iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, true, func(_,
			_ *negotiation.Config) {
		}},
		{"ticket, client certificate", ecdheECDSA, true, func(c, s *negotiation.Config) {
			c.Credentials = []*pki.Credential{guest}
			s.ClientAuth = negotiation.ClientAuth{Request: true, Require: true}
		}},
		{"ticket, pre-shared key", iana.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, true,
			func(c, s *negotiation.Config) {
				find := func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
					return &negotiation.PSK{Identity: []byte("key"), Key: make([]byte, 32)}, nil
				}
				c.FindKey, s.FindKey = find, find
			}},
		{"ID, protocol", ecdheECDSA, false, func(c, s *negotiation.Config) {
			c.Protocols, s.Protocols = []string{"one", "two"}, []string{"two"}
		}},
	} {
		a := &acquaintance{what: m.what, config: func() (client, server *negotiation.Config) {
			client, server = config("client", m.suite), config("server", m.suite)
			server.Credentials = []*pki.Credential{ed25519}
			if m.suite == rsaRSA {
				server.Credentials = []*pki.Credential{rsa}
			}
			m.edit(client, server)
			client.Tickets, server.Tickets = m.tickets, m.tickets
			return client, server
		}}
		a.meet(t, m.tickets)
		all = append(all, a)
	}
	return all
}

// meet makes the session by a full handshake.
func (a *acquaintance) meet(t testing.TB, tickets bool) {
	client, server := a.config()
	client.Keep = func(s *Session) { a.session = s }
	keep := func(s *Session) (err error) {
		a.kept, err = s.Encode()
		return err
	}
	if tickets {
		a.handle = bytes.Repeat([]byte{7}, 40)
		server.Seal = func(_ context.Context, s *Session) ([]byte, error) {
			return a.handle, keep(s)
		}
	} else {
		server.Store = func(_ context.Context, id []byte, s *Session) error {
			a.handle = id
			return keep(s)
		}
	}
	_, _, _, errs := perform(client, server)
	if errs != [2]error{} || a.session == nil || a.kept == nil {
		t.Fatal(a.what, errs, a.session, a.kept)
	}
}

// again are both sides for a resumption: whoever has the handle finds the session.
func (a *acquaintance) again() (client, server *negotiation.Config) {
	client, server = a.config()
	client.Rand, server.Rand = config("client again").Rand, config("server again").Rand
	offer := *a.session
	client.Offer = &offer
	find := func(_ context.Context, handle []byte) (*Session, error) {
		if !bytes.Equal(handle, a.handle) {
			return nil, nil
		}
		return session.DecodeSession(a.kept)
	}
	server.Find, server.Open = find, find
	server.Store = func(context.Context, []byte, *Session) error { return nil }
	server.Seal = func(context.Context, *Session) ([]byte, error) {
		return []byte("a new ticket"), nil
	}
	return client, server
}

// changes are what can happen to a configuration meanwhile; strict ones rule out to resume.
var changes = []struct {
	strict bool
	edit   func(*negotiation.Config)
}{
	{false, func(*negotiation.Config) {}},
	{true, func(c *negotiation.Config) { c.Policy = "another" }},
	{true, func(c *negotiation.Config) { c.Schemes = slices.Clone(c.Schemes[:2]) }},
	{true, func(c *negotiation.Config) { c.Legacy = true }},
	{false, func(c *negotiation.Config) { c.ExtendedMasterSecret = negotiation.Off }},
	{false, func(c *negotiation.Config) { c.ExtendedMasterSecret = negotiation.Required }},
	{false, func(c *negotiation.Config) { c.EncryptThenMAC = negotiation.Off }},
	{false, func(c *negotiation.Config) { c.EncryptThenMAC = negotiation.Required }},
	{false, func(c *negotiation.Config) { c.Tickets = !c.Tickets }},
	{false, func(c *negotiation.Config) {
		c.Suites = append(slices.Clone(c.Suites), dheRSA, ecdheRSA)
	}},
	{false, func(c *negotiation.Config) {
		c.Suites = []iana.CipherSuite{rsaRSA, ecdheRSA, ecdheECDSA}
	}},
	{false, func(c *negotiation.Config) { c.Protocols = []string{"three"} }},
	{false, func(c *negotiation.Config) { c.ClientAuth = negotiation.ClientAuth{Request: true} }},
	{false, func(c *negotiation.Config) {
		c.ClientAuth = negotiation.ClientAuth{Request: true, Require: true, Verify: true}
	}},
	{false, func(c *negotiation.Config) { c.RecordSizeLimit = 100 }},
	{false, func(c *negotiation.Config) { c.Offer = nil }},
	{false, func(c *negotiation.Config) { c.Find = nil }},
}

// A mutant is a player that changes its messages, with the changes in both transcripts.
type mutant struct {
	player
	edit func(message.Message)
}

func (m mutant) compose(k Kind, s *Score) (message.Message, error) {
	msg, err := m.player.compose(k, s)
	if err == nil && msg != nil {
		hello, ok := msg.(*message.ServerHello)
		m.edit(msg)
		// A server that forgets its own suite has no certificate for another: that tests the test.
		if v, isServer := m.player.(*server); ok && isServer && v.choice.Session == nil &&
			v.choice.Credential == nil {
			hello.CipherSuite = v.choice.Suite.ID
		}
		s.negotiated = negotiatedParameters{} // of what it would have sent
	}
	return msg, err
}

// mutate does to a message what four bytes say: to which kind, to which part, at which place, what.
func mutate(msg message.Message, b []byte, a *acquaintance) {
	if int(b[0])%4 == 3 && msg.Type() != iana.ServerHello && msg.Type() != iana.ClientHello {
		if t, ok := msg.(*message.NewSessionTicket); ok {
			t.Ticket = t.Ticket[:int(b[3])%(len(t.Ticket)+1)]
			t.LifetimeHint = uint32(b[2])
		}
		return
	}
	at, to := int(b[2]), b[3]
	switch m := msg.(type) {
	case *message.ClientHello:
		if b[0]%2 == 0 {
			m.SessionID = identify(m.SessionID, b[1], at, to, a)
			m.Extensions = extend(m.Extensions, b[1], at, to, a)
			m.CipherSuites = substitute(m.CipherSuites, b[1], at, to)
			if b[1]%16 == 15 {
				m.Version = iana.Version(0x300 + int(to)%6)
			}
		}
	case *message.ServerHello:
		if b[0]%2 == 1 {
			m.SessionID = identify(m.SessionID, b[1], at, to, a)
			m.Extensions = extend(m.Extensions, b[1], at, to, a)
			if b[1]%16 == 14 {
				m.CipherSuite = []iana.CipherSuite{ecdheECDSA, ecdheRSA, rsaRSA, 0}[to%4]
			}
			if b[1]%16 == 15 {
				m.Version = iana.Version(0x300 + int(to)%6)
			}
		}
	}
}

// identify changes a session ID.
func identify(id []byte, what byte, at int, to byte, a *acquaintance) []byte {
	switch what % 16 {
	case 0:
		return nil
	case 1:
		return bytes.Repeat([]byte{to}, at%33)
	case 2:
		return a.handle[:min(32, len(a.handle))]
	case 3:
		if len(id) > 0 {
			id = bytes.Clone(id)
			id[at%len(id)] ^= to
		}
	}
	return id
}

// extend changes a block of extensions.
func extend(e message.Extensions, what byte, at int, to byte, a *acquaintance) message.Extensions {
	if len(e) == 0 {
		return e
	}
	e = slices.Clone(e)
	i := at % len(e)
	has := func(t iana.ExtensionType) bool { return e.Has(t) }
	switch what % 16 {
	case 4:
		return slices.Delete(e, i, i+1)
	case 5:
		e[i].Data = bytes.Clone(e[i].Data)
		if len(e[i].Data) > 0 {
			e[i].Data[int(to)%len(e[i].Data)] ^= 1 << (to % 8)
		}
	case 6:
		e[i].Data = e[i].Data[:int(to)%(len(e[i].Data)+1)]
	case 7:
		if t := iana.ExtSessionTicket; !has(t) {
			return append(e, message.Extension{Type: t, Data: a.handle})
		}
	case 8:
		for _, t := range []iana.ExtensionType{iana.ExtExtendedMasterSecret, iana.ExtEncryptThenMAC,
			iana.ExtSessionTicket} {
			if to%4 == byte(t%4) && !has(t) {
				return append(e, message.Extension{Type: t})
			}
		}
	case 9:
		for j := range e {
			if e[j].Type == iana.ExtSessionTicket {
				e[j].Data = [][]byte{nil, a.handle, a.handle[:1], []byte("a new ticket")}[to%4]
			}
		}
	}
	return e
}

// FuzzResumption starts from valid sessions: a client and a server that have met, one change of the
// configuration of each, and mutants that say something else than they should, in transcripts that
// both believe. Nothing panics; whoever comes to the end agrees with the other about everything;
// and what is resumed is the session as it was.
func FuzzResumption(f *testing.F) {
	all := meetings(f)
	keep := testkit.SampleSeeds(19)
	add := func(b ...byte) {
		if keep() {
			f.Add(b)
		}
	}
	for i := range all {
		f.Add([]byte{byte(i), 0, 0})
		for store := range stores {
			add(byte(i), 0, 12, byte(store))
			add(byte(i), 0, 0, byte(store))
			add(byte(i), 0, 0, byte(store), 1, 5, 9, 9) // and it ends in an error
		}
		for _, store := range []byte{1, 2, 13} { // every change of a ServerHello, and who keeps it
			for what := range byte(16) {
				for at := range byte(4) {
					add(byte(i), 0, 0, store, 1, what, at, at+what)
				}
			}
		}
		for change := range changes {
			add(byte(i), byte(change), 0)
			add(byte(i), 0, byte(change))
		}
		for what := range byte(16) {
			for _, to := range []byte{0, 1, 2, 3} {
				add(byte(i), 0, 0, 0, what, 9, to)
				add(byte(i), 0, 0, 1, what, 1, to)
			}
		}
		for _, what := range []byte{4, 5, 6, 9, 14} {
			for at := range byte(16) {
				add(byte(i), 0, 0, 0, what, at, at)
				add(byte(i), 0, 0, 1, what, at, at)
			}
		}
		add(byte(i), 0, 0, 0, 0, 0, 0, 0, 9, 0, 1)
		add(byte(i), 0, 0, 3, 0, 0, 0)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 3 {
			return
		}
		a := all[int(b[0])%len(all)]
		client, server := a.again()
		ours, theirs := changes[int(b[1])%len(changes)], changes[int(b[2])%len(changes)]
		store := 0
		if len(b)%4 == 0 { // a byte more than edits have
			store = int(b[3]) % len(stores)
			kept, err := session.DecodeSession(a.kept)
			if err != nil {
				t.Fatal(err)
			}
			was := a.kept
			stores[store](client, server, kept)
			if a.kept, err = kept.Encode(); err != nil {
				t.Fatal(err)
			}
			defer func() { a.kept = was }()
			b = append(b[:3:3], b[4:]...)
		}
		ours.edit(client) // after the store's edits, which need an offer: this may drop it
		theirs.edit(server)
		c, s, errs := a.resume(client, server, b[3:])
		for side, m := range []*Machine{c, s} {
			if errs[side] != nil {
				m.Withdraw()
			}
		}
		if errs == [2]error{} && (!c.Done() || !s.Done()) {
			t.Fatalf("%s: no error and no end", a.what)
		}
		a.check(t, c, s)
		if resumed := c.Resumed || s.Resumed; resumed && s.Done() && (ours.strict ||
			theirs.strict) {
			t.Errorf("%s: resumed by another configuration", a.what)
		}
		if len(b) == 3 && store == 0 && b[1] == 0 && b[2] == 0 && (!c.Resumed || !s.Resumed ||
			!s.Done()) {
			t.Errorf("%s: not resumed though nothing changed: %v", a.what, errs)
		}
	})
}

// resume performs a handshake of mutants.
func (a *acquaintance) resume(client, server *negotiation.Config,
	edits []byte) (c, s *Machine, errs [2]error) {
	edit := func(msg message.Message) {
		for e := edits[:min(len(edits), 40)]; len(e) >= 4; e = e[4:] {
			mutate(msg, e, a)
		}
	}
	c, s, _, errs = performBy(client, server, func(p player) player { return mutant{p, edit} })
	return c, s, errs
}

// check compares what both ends believe once they are done.
func (a *acquaintance) check(t *testing.T, machines ...*Machine) {
	t.Helper()
	origin, err := session.DecodeSession(a.kept)
	if err != nil {
		t.Fatal(err)
	}
	var done []*Machine
	for _, m := range machines {
		if !m.Done() {
			continue
		}
		done = append(done, m)
		if !m.Resumed {
			continue
		}
		switch g := m.Agreed; {
		case g.Version != origin.Version, g.Suite.ID != origin.Suite,
			g.ExtendedMasterSecret != origin.ExtendedMasterSecret,
			g.EncryptThenMAC != origin.EncryptThenMAC,
			!bytes.Equal(m.Secret(nil), origin.Master):
			t.Errorf("%s: resumed as another session: %+v", a.what, g)
		}
		if m.me == iana.Server && len(origin.Chain) != 0 &&
			(m.peerOf().Chain == nil || !bytes.Equal(m.peerOf().Chain.Leaf().Raw,
				origin.Chain[0])) {
			t.Errorf("%s: resumed as another client", a.what)
		}
	}
	if len(done) < 2 {
		return
	}
	x, y := done[0], done[1]
	if x.Resumed != y.Resumed || !bytes.Equal(x.Secret(nil), y.Secret(nil)) ||
		x.Agreed.Version != y.Agreed.Version || x.Agreed.Suite != y.Agreed.Suite ||
		x.Agreed.ExtendedMasterSecret != y.Agreed.ExtendedMasterSecret ||
		x.Agreed.EncryptThenMAC != y.Agreed.EncryptThenMAC || x.Agreed.ALPN != y.Agreed.ALPN {
		t.Errorf("%s: both are done and do not agree: %+v and %+v", a.what, x.Agreed, y.Agreed)
	}
}

// peerOf is Peer, of a mutant too.
func (m *Machine) peerOf() *Peer {
	p := m.player
	if x, ok := p.(mutant); ok {
		p = x.player
	}
	switch p := p.(type) {
	case *client:
		return &p.peer
	case *server:
		return &p.peer
	}
	return nil
}
