package explain

import (
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
)

func (t *teller) clientHello(s *rung) []Fact {
	random := each(t, t.raws(iana.Client, iana.ClientHello),
		func(m *message.ClientHello) []byte { return m.Random[:] })
	facts := []Fact{{Name: "client_random", Secret: "client_random", Value: random, Sent: true}}
	m, ok := parse[*message.ClientHello](t, s)
	if !ok {
		return facts
	}
	suites := 0
	for _, c := range m.CipherSuites {
		if c != iana.TLS_EMPTY_RENEGOTIATION_INFO_SCSV && c != iana.TLS_FALLBACK_SCSV {
			suites++
		}
	}
	offers := Join(" · ", m.Version.String(), Count(suites, "suite"), extensions(m.Extensions))
	return append(facts, Fact{Name: "offers", Text: offers})
}

func (t *teller) serverHello(s *rung) []Fact {
	random := each(t, t.raws(iana.Server, iana.ServerHello),
		func(m *message.ServerHello) []byte { return m.Random[:] })
	facts := []Fact{{Name: "server_random", Secret: "server_random", Value: random, Sent: true}}
	m, ok := parse[*message.ServerHello](t, s)
	if !ok {
		return facts
	}
	choice := m.CipherSuite.String()
	if hello := t.server.raw(iana.Client, iana.ClientHello); hello != nil {
		if parsed, err := t.dialect.Parse(hello); err == nil &&
			len(parsed.(*message.ClientHello).CipherSuites) == 1 {
			choice = "the one suite offered"
		}
	}
	return append(facts,
		Fact{Name: "chooses", Text: Join(" · ", m.Version.String(), choice, t.modes())})
}

// modes returns which of the two extensions that change derivations and records were negotiated, or
// nothing if the hellos negotiated nothing.
func (t *teller) modes() string {
	if t.agreed.Version == 0 {
		return ""
	}
	ems, etm := t.agreed.ExtendedMasterSecret, t.agreed.EncryptThenMAC
	switch {
	case ems && etm:
		return "extended_master_secret, encrypt_then_mac"
	case ems:
		return "extended_master_secret"
	case etm:
		return "encrypt_then_mac · no EMS: classic derivation"
	}
	return "no EMS, no EtM: classic derivation"
}

func extensions(list message.Extensions) string {
	var names []string
	for _, x := range list {
		names = append(names, x.Type.String())
	}
	return strings.Join(names, ", ")
}

func (t *teller) certificate(s *rung) []Fact {
	m, ok := parse[*message.Certificate](t, s)
	if !ok {
		return nil
	}
	return []Fact{t.shown(s.From, m)}
}

// shown shows a chain and whether the other side accepted it.
func (t *teller) shown(from iana.Side, m *message.Certificate) Fact {
	checker := t.client
	if from == iana.Client {
		checker = t.server
	}
	verdict := "not checked"
	if checker.check("chain", from) != nil {
		verdict = "root, name and dates hold"
		if from == iana.Client {
			verdict = "root and dates hold"
		}
	}
	if len(m.Chain) == 0 {
		return Fact{Name: "chain", Text: "none: this client has no certificate to show"}
	}
	if t.certificateType(from) == iana.RawPublicKey {
		return t.rawKey(from, m.Chain[0], checker)
	}
	return Fact{Name: "chain", Text: chain(m.Chain) + ": " + verdict}
}

// rawKey describes a raw public key, which has no name, and why it was accepted: RFC 7250.
func (t *teller) rawKey(from iana.Side, spki []byte, checker *view) Fact {
	verdict := "not checked"
	if checker.check("raw public key", from) != nil {
		verdict = "known before (a pin or the program says so)"
	}
	kind := "a key that cannot be read"
	if key, err := pki.ReadRawKey(spki); err == nil {
		pub, _ := key.PublicKey()
		kind = pki.KeyName(&x509.Certificate{PublicKey: pub})
	}
	return Fact{Name: "raw public key",
		Text: fmt.Sprintf("%s, no name and no issuer: %s; SHA-256 %x",
			kind, verdict, pki.Pin(spki))}
}

// chain returns the names of the certificates, the leaf's first, and of the last issuer.
func chain(ders [][]byte) string {
	var names []string
	issuer := ""
	for _, der := range ders {
		c, err := pki.ReadCertificate(der)
		if c.RawSubject == nil {
			names = append(names, "unreadable")
			issuer = ""
			continue
		}
		name, own := called(c)
		remark := ""
		if err != nil {
			remark = ", malformed"
		}
		names = append(names, fmt.Sprintf("%s (%s%s)", name, pki.KeyName(c), remark))
		if issuer = Escape(c.Issuer.CommonName); issuer == own {
			issuer = ""
		}
	}
	return Join(" ← ", append(names, issuer)...)
}

// called returns the name of a certificate's subject, a DNS name if it has one, and its common
// name.
func called(c *x509.Certificate) (name, common string) {
	common = Escape(c.Subject.CommonName)
	if len(c.DNSNames) > 0 {
		return Escape(c.DNSNames[0]), common
	}
	return common, common
}

func (t *teller) status() []Fact {
	if t.client.check("ocsp", iana.Server) == nil {
		return nil
	}
	return []Fact{{Name: "status", Text: "good: signature, dates and serial number hold"}}
}

func (t *teller) certificateRequest(s *rung) []Fact {
	m, ok := parse[*message.CertificateRequest](t, s)
	if !ok {
		return nil
	}
	accepts := fmt.Sprintf("%s · %s · %s", list(m.Types), Count(len(m.Schemes), "scheme"),
		authorities(len(m.Authorities)))
	return []Fact{{Name: "accepts", Text: accepts}}
}

func authorities(n int) string {
	switch n {
	case 0:
		return "any authority"
	case 1:
		return "1 authority"
	}
	return fmt.Sprintf("%d authorities", n)
}

func list[T fmt.Stringer](items []T) string {
	var names []string
	for _, i := range items {
		names = append(names, i.String())
	}
	return strings.Join(names, ", ")
}

func (t *teller) certificateVerify(s *rung) []Fact {
	m, ok := parse[*message.CertificateVerify](t, s)
	if !ok {
		return nil
	}
	verified := t.server.check("signature", iana.Client) != nil
	return []Fact{{Name: "signature", Short: true, Value: t.signature(iana.Client), Sent: true,
		Checked: verified,
		Note:    fmt.Sprintf("%v over messages %s", m.Scheme, t.upTo(s, "-"))}}
}
