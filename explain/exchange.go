package explain

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

func (t *teller) serverKeyExchange(s *rung) []Fact {
	m, ok := parse[*message.ServerKeyExchange](t, s)
	if !ok {
		return nil
	}
	raws := t.raws(iana.Server, iana.ServerKeyExchange)
	facts := []Fact{{Name: "group", Text: t.group(m)}}
	facts = append(facts, t.private(iana.Server)...)
	public := each(t, raws, serverPublic)
	facts = append(facts,
		Fact{Name: "server public key", Secret: "server_public", Value: public, Sent: true,
			Short: long(public), Note: t.publicNote(len(public.Bytes()))},
		Fact{Name: "signature", Value: t.signature(iana.Server), Sent: true, Short: true,
			Checked: t.client.check("signature", iana.Server) != nil,
			Note:    fmt.Sprintf("%v", m.Scheme)},
		Fact{Deeper: true,
			Text: fmt.Sprintf("over client_random + server_random + group and public key (%s)",
				octets(len(m.Params))), Formula: true},
	)
	return facts
}

func (t *teller) group(m *message.ServerKeyExchange) string {
	if !t.agreed.KeyExchange.FiniteField() {
		return m.Group.String()
	}
	p := new(big.Int).SetBytes(m.P)
	return fmt.Sprintf("%s: p has %d bits, g = %v", Escape(t.agreed.Group), p.BitLen(),
		new(big.Int).SetBytes(m.G))
}

// signature returns the signature in ServerKeyExchange or CertificateVerify as each side has it.
func (t *teller) signature(from iana.Side) Pair {
	if from == iana.Server {
		return each(t, t.raws(from, iana.ServerKeyExchange),
			func(m *message.ServerKeyExchange) []byte { return m.Signature })
	}
	return each(t, t.raws(from, iana.CertificateVerify),
		func(m *message.CertificateVerify) []byte { return m.Signature })
}

func (t *teller) private(from iana.Side) []Fact {
	v := [2]*view{t.client, t.server}[from]
	if v.ephemeral == nil || len(v.ephemeral.Private) == 0 {
		return nil
	}
	var p Pair
	if from == iana.Client {
		p.Client = v.ephemeral.Private
	} else {
		p.Server = v.ephemeral.Private
	}
	return []Fact{{Name: from.String() + " private key", Secret: from.String() + "_private",
		Value: p, Short: long(p), Note: "never sent"}}
}

// publicNote says how the public key was computed from the private key.
func (t *teller) publicNote(n int) string {
	if t.agreed.KeyExchange.FiniteField() {
		return fmt.Sprintf("%d bytes, g^private mod p", n)
	}
	return ""
}

// long reports whether a value is too long to be shown in full on the screen. Outputs of the PRF
// are not.
func long(p Pair) bool { return len(p.Bytes()) > 96 }

// ownPreMaster returns the step in which the client generates the pre_master_secret of an RSA key
// exchange.
func (t *teller) ownPreMaster() Step {
	var p Pair
	if t.client.shared == nil {
		return Step{Key: "pre_master_secret", Facts: []Fact{{Name: "pre_master_secret",
			Text: "drawn by the client, and not known here"}}}
	}
	p.Client = t.client.shared.Output
	f := Fact{Name: "pre_master_secret", Secret: "pre_master_secret", Under: sized(len(p.Client)),
		Value: p}
	if len(p.Client) == 48 {
		f.Note = fmt.Sprintf("client: version %x + 46 random bytes", p.Client[:2])
	}
	return Step{Key: "pre_master_secret", Facts: []Fact{f}}
}

func (t *teller) clientKeyExchange() []Fact {
	raws := t.raws(iana.Client, iana.ClientKeyExchange)
	if t.agreed.KeyExchange == iana.KexRSA {
		secret := t.preMaster()
		encrypted := each(t, raws,
			func(m *message.ClientKeyExchange) []byte { return m.EncryptedPreMaster })
		facts := []Fact{{Name: "encrypted (RSA)", Deeper: true, Value: encrypted, Sent: true,
			Short: true, Note: fmt.Sprintf("%d bytes, PKCS #1 v1.5", len(encrypted.Bytes()))}}
		if secret.Bytes() == nil {
			return facts
		}
		return append(facts, Fact{Name: "server decrypts", Secret: "pre_master_secret",
			Deeper: true, Value: secret,
			Text: fmt.Sprintf("the same %s", octets(len(secret.Server))),
			Note: "(only the owner of the RSA key can go on)"})
	}
	public := each(t, raws, clientPublic)
	if public.Bytes() == nil {
		return nil // of a pre-shared key there is a name alone
	}
	return append(t.private(iana.Client),
		Fact{Name: "client public key", Secret: "client_public", Value: public, Sent: true,
			Short: long(public), Note: t.publicNote(len(public.Bytes()))})
}

func serverPublic(m *message.ServerKeyExchange) []byte { return firstOf(m.ECPublic, m.DHPublic) }

func clientPublic(m *message.ClientKeyExchange) []byte { return firstOf(m.ECPublic, m.DHPublic) }

func firstOf(a, b []byte) []byte {
	if a != nil {
		return a
	}
	return b
}

// sharedSecret returns the step in which both sides compute the result of a Diffie-Hellman
// exchange.
func (t *teller) sharedSecret() []Step {
	secret := t.preMaster()
	n := len(secret.Bytes())
	if n == 0 {
		return nil
	}
	how := "pre_master_secret = " + ecdh(t.agreed.Group) +
		"(own private key, the other's public key)"
	note := ""
	if t.agreed.KeyExchange.FiniteField() {
		how = "pre_master_secret = server_public^client_private mod p = " +
			"client_public^server_private mod p"
		note = "leading zero bytes are stripped (§8.1.2)"
	}
	return []Step{{Key: "shared", Facts: []Fact{
		{Heading: true, Formula: true, Text: how},
		{Under: sized(n), Deeper: true, Secret: "pre_master_secret", Value: secret, Note: note},
	}}}
}

// ecdh returns the name of a group's function: RFC 7748 §6 gives two groups their own.
func ecdh(group string) string {
	switch group {
	case "x25519", "x448":
		return strings.ToUpper(group)
	}
	return "ECDH_" + group
}

// preMaster returns the pre_master_secret that each side uses.
func (t *teller) preMaster() Pair { return Pair{shared(t.client), shared(t.server)} }

func shared(v *view) trace.Secret {
	if v.shared == nil {
		return nil
	}
	return v.shared.Output
}
