package negotiation

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/suite"
)

// A session is resumed only on the terms that it was made on. There are three kinds of them:
//
//   - terms: what a side can see in the session and in its Config, row by row;
//   - bindings: parts of the Config that the session remembers by a digest, so that two Configs
//     that share a cache, a store or ticket keys, and differ in one of these, do not resume each
//     other's sessions (CVE-2025-23419, CVE-2025-68121);
//   - what is asked again: the peer's chain, VerifyPeer and the pre-shared key (see restorePeer and
//     stillKnown).

// term is one row: a condition of a client that offers a session, and of a server that is offered
// one. A nil condition leaves the decision to the other side.
type term struct {
	broken string // why the session is not resumed
	ref    string
	client func(*Config, *session.Session) bool
	server func(*Config, *session.Session, *Greeting) bool
}

// Greeting is what a server's terms compare a session with.
type Greeting struct {
	Hello      *message.ClientHello
	ServerName string
	Version    iana.Version
}

// terms are asked in this order.
var terms = []term{
	{"it is too old", "RFC 5246 §F.1.4",
		func(c *Config, s *session.Session) bool { return s.Fresh(c.CurrentTime()) },
		func(c *Config, s *session.Session, _ *Greeting) bool { return c.lives(s) }},
	{"nothing is left to find it by", "RFC 5077 §3.4",
		func(c *Config, s *session.Session) bool {
			return len(s.ID) > 0 || c.Tickets && len(s.Ticket) > 0
		},
		nil},
	{"it was made with another version", "RFC 5246 §7.4.1.3",
		func(c *Config, s *session.Session) bool {
			return c.MinVersion <= s.Version && s.Version <= c.MaxVersion
		},
		func(_ *Config, s *session.Session, g *Greeting) bool { return s.Version == g.Version }},
	{"its cipher suite is not offered, or not allowed, any more", "RFC 5246 §7.4.1.3",
		func(c *Config, s *session.Session) bool {
			if s.Version == iana.TLS13 {
				return suite.ByID13(s.Suite) != nil && slices.Contains(c.Suites13, s.Suite)
			}
			return suite.ByID(s.Suite) != nil && slices.Contains(c.Suites, s.Suite)
		},
		(*Config).allowsSuite},
	{"its group is not offered, or not allowed, any more", "RFC 8422 §4",
		func(c *Config, s *session.Session) bool { return c.allowsGroup(s) },
		func(c *Config, s *session.Session, _ *Greeting) bool { return c.allowsGroup(s) }},
	{"it was made for another server_name", "RFC 6066 §3",
		func(c *Config, s *session.Session) bool { return s.ServerName == c.ServerName },
		func(_ *Config, s *session.Session, g *Greeting) bool {
			return s.ServerName == g.ServerName
		}},
	{"extended_master_secret is not as it was", "RFC 7627 §5.3",
		func(c *Config, s *session.Session) bool {
			return s.Version == iana.TLS13 ||
				!contradicts(c.ExtendedMasterSecret, s.ExtendedMasterSecret)
		},
		(*Config).keepsExtendedMaster},
	{"encrypt_then_mac is not as it was", "RFC 7366 §3.1",
		func(c *Config, s *session.Session) bool {
			return !isCBC(s.Suite) || !contradicts(c.EncryptThenMAC, s.EncryptThenMAC)
		},
		(*Config).keepsEncryptThenMAC},
	{"its application protocol is not spoken any more", "RFC 7301 §3.1", nil,
		func(c *Config, s *session.Session, _ *Greeting) bool {
			return s.ALPN == "" || slices.Contains(c.Protocols, s.ALPN)
		}},
	{"the peer's certificate type is not accepted any more", "RFC 7250 §4.2",
		func(c *Config, s *session.Session) bool { return c.acceptsPeerOf(s, iana.Server) },
		func(c *Config, s *session.Session, _ *Greeting) bool {
			return c.acceptsPeerOf(s, iana.Client)
		}},
	{"the client showed no certificate then, and must now", "RFC 5246 §7.4.6", nil,
		func(c *Config, s *session.Session, _ *Greeting) bool {
			return !c.ClientAuth.Require || len(s.Chain) > 0
		}},
	{"the client showed a certificate then, and is not asked for one now", "RFC 5246 §7.4.6", nil,
		func(c *Config, s *session.Session, _ *Greeting) bool {
			return c.ClientAuth.Request || len(s.Chain) == 0
		}},
}

// allowsGroup reports whether the group of a session is allowed. It is true for TLS 1.3, which
// exchanges keys anew, and for exchanges without a group; a prime without a name is covered by
// MinDHBits, which is part of a binding.
func (c *Config) allowsGroup(s *session.Session) bool {
	return s.Group == 0 || s.Version == iana.TLS13 || slices.Contains(c.Groups, s.Group)
}

// contradicts reports whether a demand rules out a session that has, or does not have, the feature.
func contradicts(d Demand, had bool) bool { return d == Off && had || d == Required && !had }

func (c *Config) allowsSuite(s *session.Session, g *Greeting) bool {
	if s.Version == iana.TLS13 {
		return true // its hash is what matters: see unfit13
	}
	row := suite.ByID(s.Suite)
	return row != nil && g.Hello.Offers(s.Suite) && slices.Contains(c.Suites, s.Suite) &&
		c.speaksPSK(row)
}

// keepsExtendedMaster accepts a session with extended_master_secret and a hello without it:
// server.session then ends the handshake.
func (c *Config) keepsExtendedMaster(s *session.Session, g *Greeting) bool {
	switch {
	case s.Version == iana.TLS13:
		return true
	case s.ExtendedMasterSecret:
		return c.ExtendedMasterSecret != Off
	case c.ExtendedMasterSecret == Off:
		return true // for whom the extension does not exist
	}
	return !g.Hello.Extensions.Has(iana.ExtExtendedMasterSecret) &&
		c.ExtendedMasterSecret != Required
}

func (c *Config) keepsEncryptThenMAC(s *session.Session, g *Greeting) bool {
	offered := g.Hello.Extensions.Has(iana.ExtEncryptThenMAC)
	return s.EncryptThenMAC == (isCBC(s.Suite) && c.EncryptThenMAC != Off && offered)
}

// binding is a part of a Config that a session remembers by a digest.
type binding struct {
	what  string
	write func(*digest, *Config, iana.Side)
}

// bindings are stored in this order: another order, or another row, is another format of Session.
var bindings = [boundParts]binding{
	{"policy", func(d *digest, c *Config, _ iana.Side) {
		d.bytes([]byte(c.Policy))
		d.number(int(c.SecureRenegotiation), c.MinDHBits)
		for _, s := range c.Schemes {
			d.number(int(s))
		}
	}},
	{"trust", writeTrust},
	{"client identity", writeIdentity},
}

// writeTrust digests which peers a side trusts, and for what. A client's roots are not in it, since
// a pool cannot be listed: restorePeer checks whether the path still ends at one of them.
func writeTrust(d *digest, c *Config, me iana.Side) {
	d.flag(c.Legacy)
	for _, root := range c.LegacyRoots {
		d.bytes(root.Raw)
	}
	if me == iana.Client {
		d.flag(c.Skip)
		d.number(int(c.StatusRequest))
		return
	}
	d.flag(c.ClientAuth.Request, c.ClientAuth.Require, c.ClientAuth.Verify, c.Roots == nil)
	if c.ClientAuth.Request && c.Roots != nil {
		//lint:ignore SA1019 deprecated for the system's pool only, which nil stands for
		for _, subject := range c.Roots.Subjects() {
			d.bytes(subject)
		}
	}
}

// writeIdentity digests the credentials of a client: in a resumed session the server takes the
// client for the one of the full handshake. The credential of a callback is not known in advance.
func writeIdentity(d *digest, c *Config, me iana.Side) {
	if me != iana.Client {
		return
	}
	d.flag(c.ForRequest != nil, c.FindKey != nil)
	for _, cred := range c.Credentials {
		d.bytes(cred.Chain.Raw()[0])
	}
}

// Bound returns the concatenated digests of a Config.
func (c *Config) Bound(me iana.Side) []byte { return bytes.Clone(c.bound(me)) }

// bound is Bound, whose result must not be changed.
func (c *Config) bound(me iana.Side) []byte {
	d := &digests{input: make(digest, 0, 256)}
	for i, b := range bindings {
		b.write(&d.input, c, me)
		d.ends[i] = len(d.input)
	}
	if c.Kept != nil {
		last := c.Kept.digests[me].Load()
		if last != nil && d.ends == last.ends && bytes.Equal(d.input, last.input) {
			return last.sums
		}
		defer c.Kept.digests[me].Store(d)
	}
	start := 0
	for _, end := range d.ends {
		sum := sha256.Sum256(d.input[start:end])
		d.sums, start = append(d.sums, sum[:boundLen]...), end
	}
	return d.sums
}

// unbound returns which binding of a session differs from the Config's, or "".
func unbound(s *session.Session, c *Config, me iana.Side) string {
	now := c.bound(me)
	for i, b := range bindings {
		at := i * boundLen
		if len(s.Bound) != len(now) || !bytes.Equal(s.Bound[at:at+boundLen], now[at:at+boundLen]) {
			return fmt.Sprintf("it was made with another configuration: the %s differs", b.what)
		}
	}
	return ""
}

// Unoffered returns why a client does not offer a session, or "" if it does.
func (c *Config) Unoffered(s *session.Session) (why, ref string) {
	for _, t := range terms {
		if t.client != nil && !t.client(c, s) {
			return t.broken, t.ref
		}
	}
	return unbound(s, c, iana.Client), "RFC 5246 §7.4.1.2"
}

// Unfit returns why a server does not resume a session with this hello, so that the handshake is a
// full one, or "" if it does.
func (c *Config) Unfit(s *session.Session, g *Greeting) (why, ref string) {
	for _, t := range terms {
		if t.server != nil && !t.server(c, s, g) {
			return t.broken, t.ref
		}
	}
	return unbound(s, c, iana.Server), "RFC 5246 §7.4.1.2"
}

// Lifetime13 returns how long a session of TLS 1.3 may be resumed, from its full handshake.
func (c *Config) Lifetime13() time.Duration {
	if c.Lifetime == 0 {
		return session.MaxSessionAge
	}
	return min(c.Lifetime, session.MaxSessionAge13)
}

// lives reports whether a session is young enough for a server. See RFC 8446 §4.6.1.
func (c *Config) lives(s *session.Session) bool {
	now := c.CurrentTime()
	return s.Fresh(now) && (s.Version < iana.TLS13 || now.Sub(s.Created) < c.Lifetime13())
}
