package explain

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// field13 applies read to a message as its sender and its receiver have it.
func field13[M message.Message](s *rung, read func(M) []byte) Pair {
	var p Pair
	if m, ok := parseHello[M](s.Message); ok {
		p.put(s.From, read(m))
	}
	if s.Received != nil {
		if m, ok := parseHello[M](s.Received); ok {
			p.put(s.From.Peer(), read(m))
		}
	}
	return p
}

func (t *teller13) clientHello(s *rung) []Fact {
	random := field13(s, func(m *message.ClientHello) []byte { return m.Random[:] })
	facts := []Fact{{Name: "client_random", Secret: "client_random", Value: random, Sent: true}}
	m, ok := parseHello[*message.ClientHello](s.Message)
	if !ok {
		return facts
	}
	suites := slices.DeleteFunc(slices.Clone(m.CipherSuites), func(c iana.CipherSuite) bool {
		return c == iana.TLS_EMPTY_RENEGOTIATION_INFO_SCSV || c == iana.TLS_FALLBACK_SCSV
	})
	versions := list(offeredVersions(m))
	if versions == "" {
		versions = m.Version.String()
	}
	facts = append(facts, Fact{Name: "offers", Text: Join(" · ", versions,
		Count(len(suites), "suite"), extensions(m.Extensions))})
	shares, _ := sharesOf(m)
	for _, share := range shares {
		of := t.shareFacts(s, share.Group, "client")
		if in := hybridWith(shares, share.KeyExchange); in != 0 {
			of[len(of)-1].Note = fmt.Sprintf("the key in %v too: the server uses one of the two",
				in)
		}
		facts = append(facts, of...)
	}
	return append(facts, t.pskFacts(m)...)
}

// sharesOf returns the key shares of a ClientHello; ok is false if it has no key_share.
func sharesOf(m *message.ClientHello) (shares []message.KeyShareEntry, ok bool) {
	var k message.KeyShares
	found, err := m.Extensions.Read(iana.ExtKeyShare, &k)
	return k.Shares, found && err == nil
}

// shareFacts returns a share of a group, and both halves of a hybrid; before it, if it is the share
// of the key exchange, the private key that was made with it.
func (t *teller13) shareFacts(s *rung, g iana.Group, whose string) []Fact {
	value := field13(s, func(m *message.ClientHello) []byte { return shareOf(m, g) })
	if s.is(iana.ServerHello) {
		value = field13(s, func(m *message.ServerHello) []byte {
			var k message.KeyShare
			if ok, err := m.Extensions.Read(iana.ExtKeyShare, &k); !ok || err != nil {
				return nil
			}
			return k.KeyExchange
		})
	}
	n := len(value.Bytes())
	f := Fact{Name: "key share " + g.String(), Secret: whose + "_public", Value: value, Sent: true,
		Short: n > 64}
	if n > 64 {
		f.Note = octets(n)
	}
	if len(f.Name) > 19 {
		f.Name, f.Under = "key share", g.String()
		f.Note = Join(" ", g.String()+":", f.Note)
	}
	facts := append(t.privateFact(s.From, g), f)
	for _, h := range halves(g, n, s.From) {
		part := Fact{Name: h.name, Deeper: true, Secret: whose + "_public", Sent: true,
			Value: value.slice(h.from, h.to), Short: h.to-h.from > 64, Note: h.what}
		facts = append(facts, part)
	}
	return facts
}

// privateFact returns the private key of a side's share of a group, or nothing if another group was
// used, or the trace does not reveal the key.
func (t *teller13) privateFact(from iana.Side, g iana.Group) []Fact {
	of := [2]*view{t.client, t.server}[from].ephemeral
	if g != t.group() || of == nil || len(of.Private) == 0 {
		return nil
	}
	var p Pair
	p.put(from, of.Private)
	return []Fact{{Name: from.String() + " private key", Secret: from.String() + "_private",
		Value: p, Short: len(p.Bytes()) > 96, Note: "never sent"}}
}

// hybridWith returns the hybrid group of a share whose curve's half is this public key, or 0. See
// draft-ietf-tls-hybrid-design §3.2.
func hybridWith(shares []message.KeyShareEntry, public []byte) iana.Group {
	for _, s := range shares {
		for _, h := range halves(s.Group, len(s.KeyExchange), iana.Client) {
			if bytes.Equal(s.KeyExchange[h.from:h.to], public) {
				return s.Group
			}
		}
	}
	return 0
}

func shareOf(m *message.ClientHello, g iana.Group) []byte {
	shares, _ := sharesOf(m)
	for _, s := range shares {
		if s.Group == g {
			return s.KeyExchange
		}
	}
	return nil
}

// retry explains why the server asks for another ClientHello. See RFC 8446 §4.1.4.
func (t *teller13) retry(s *rung) []Fact {
	m, ok := parseHello[*message.ServerHello](s.Message)
	if !ok {
		return nil
	}
	var facts []Fact
	var group message.SelectedGroup
	if found, err := m.Extensions.Read(iana.ExtKeyShare, &group); found && err == nil {
		why := fmt.Sprintf("a key share of %v", group.Group)
		if sent := t.firstShares(); sent != "" {
			why += "; the client guessed " + sent
		}
		facts = append(facts, Fact{Name: "asks for", Text: why})
	}
	if m.Extensions.Has(iana.ExtCookie) {
		facts = append(facts, Fact{Name: "cookie",
			Text: "to be sent back: the server keeps nothing of the first hello"})
	}
	return append(facts, t.messageHash(s)...)
}

// firstShares returns the groups of the first ClientHello's shares.
func (t *teller13) firstShares() string {
	for _, s := range t.lines {
		if s.Message == nil {
			continue
		}
		if m, ok := parseHello[*message.ClientHello](s.Message); ok {
			var groups []string
			shares, _ := sharesOf(m)
			for _, share := range shares {
				groups = append(groups, share.Group.String())
			}
			return strings.Join(groups, " and ")
		}
	}
	return ""
}

// messageHash shows what replaces the first ClientHello in the transcript. See RFC 8446 §4.4.1.
func (t *teller13) messageHash(s *rung) []Fact {
	m, ok := parseHello[*message.ServerHello](s.Message)
	if !ok {
		return nil
	}
	var of Pair
	hashName := ""
	for side, v := range []*view{t.client, t.server} {
		first := at(v.messages[iana.Client], 0)
		if h := prfOf(m.CipherSuite); first != nil && h.Available() {
			of.put(iana.Side(side), messageHash(h, first.Raw))
			hashName = nameOfHash(h)
		}
	}
	if of.Bytes() == nil {
		return nil
	}
	return []Fact{
		{Name: "message_hash", Value: of, Short: len(of.Bytes()) > 36},
		{Deeper: true, Formula: true, Text: fmt.Sprintf("= fe 0000%02x + %s(message 1): "+
			"stands for message 1 in all hashes", len(of.Bytes())-4, hashName)},
	}
}

func (t *teller13) serverHello(s *rung) []Fact {
	random := field13(s, func(m *message.ServerHello) []byte { return m.Random[:] })
	facts := []Fact{{Name: "server_random", Secret: "server_random", Value: random, Sent: true}}
	m, ok := parseHello[*message.ServerHello](s.Message)
	if !ok {
		return facts
	}
	psk := ""
	var chosen message.SelectedPSK
	if found, err := m.Extensions.Read(iana.ExtPreSharedKey, &chosen); found && err == nil {
		psk = fmt.Sprintf("pre-shared key %d of the client's list", chosen.Identity)
	}
	facts = append(facts, Fact{Name: "chooses", Text: Join(" · ", selectedVersion(m).String(),
		m.CipherSuite.String(), psk)})
	if g := serverShare(m); g != 0 {
		facts = append(facts, t.shareFacts(s, g, "server")...)
	}
	return facts
}

// pskFacts shows the pre-shared keys that a ClientHello offers.
func (t *teller13) pskFacts(m *message.ClientHello) []Fact {
	var facts []Fact
	var psks message.OfferedPSKs
	if ok, err := m.Extensions.Read(iana.ExtPreSharedKey, &psks); ok && err == nil {
		var sizes []string
		for _, i := range psks.Identities {
			sizes = append(sizes, octets(len(i.Identity)))
		}
		facts = append(facts, Fact{Name: "pre_shared_key", Text: fmt.Sprintf(
			"%s, named by %s, with %s", Count(len(psks.Identities), "key"),
			strings.Join(sizes, ", "), Count(len(psks.Binders), "binder"))})
	}
	if m.Extensions.Has(iana.ExtEarlyData) {
		facts = append(facts, Fact{Name: "early_data",
			Text: "data follows before the server has said anything (0-RTT)"})
	}
	return facts
}

func (t *teller13) encryptedExtensions(s *rung) []Fact {
	m, ok := parseHello[*message.EncryptedExtensions](s.Message)
	if !ok {
		return nil
	}
	text := extensions(m.Extensions)
	if text == "" {
		text = "nothing"
	}
	return []Fact{{Name: "says", Text: text}}
}

func (t *teller13) request(s *rung) []Fact {
	m, ok := parseHello[*message.CertificateRequest](s.Message)
	if !ok {
		return nil
	}
	return []Fact{{Name: "accepts", Text: Count(len(m.Schemes), "scheme") + " · " +
		authorities(len(m.Authorities))}}
}

// lifetime formats the lifetime of a ticket in seconds: "1 day", "2 hours" or, if it is no whole
// number of them, as it is given: "86,399 seconds".
func lifetime(seconds uint32) string {
	for _, unit := range []struct {
		name    string
		seconds uint32
	}{{"day", 24 * 3600}, {"hour", 3600}} {
		if seconds > 0 && seconds%unit.seconds == 0 {
			return Count(int(seconds/unit.seconds), unit.name)
		}
	}
	return Count(int(seconds), "second")
}
