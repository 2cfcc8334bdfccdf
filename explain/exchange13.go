package explain

import (
	"crypto"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
)

// half is one part of a hybrid's share or secret.
type half struct {
	name, what string
	from, to   int // in bytes
}

// kemSizes are the lengths in bytes of ML-KEM's encapsulation key, ciphertext and shared secret.
// See FIPS 203 §8.
type kemSizes struct {
	name                    string
	key, ciphertext, secret int
}

// hybridParts are the parts of the hybrid groups, and which comes first. See RFC 10024.
var hybridParts = map[iana.Group]struct {
	kem      kemSizes
	curve    string
	kemFirst bool
}{
	iana.X25519MLKEM768:     {kemSizes{"ML-KEM-768", 1184, 1088, 32}, "X25519", true},
	iana.SecP256r1MLKEM768:  {kemSizes{"ML-KEM-768", 1184, 1088, 32}, "P-256", false},
	iana.SecP384r1MLKEM1024: {kemSizes{"ML-KEM-1024", 1568, 1568, 32}, "P-384", false},
}

// halves returns the two parts of a hybrid's share of n bytes, in their order; nil for another
// group.
func halves(g iana.Group, n int, from iana.Side) []half {
	p, ok := hybridParts[g]
	if !ok {
		return nil
	}
	size, what := p.kem.key, "a key to encapsulate to"
	if from == iana.Server {
		size, what = p.kem.ciphertext, "a secret, encapsulated to the client's key"
	}
	return split(g, n, size, what, "a public key")
}

// split returns the parts of n bytes, of which ML-KEM's are size.
func split(g iana.Group, n, size int, kem, curve string) []half {
	p, ok := hybridParts[g]
	if !ok || n < size {
		return nil
	}
	if p.kemFirst {
		return []half{{p.kem.name, kem, 0, size}, {p.curve, curve, size, n}}
	}
	return []half{{p.curve, curve, 0, n - size}, {p.kem.name, kem, n - size, n}}
}

// group returns the group of the key exchange, or 0 if there is none.
func (t *teller13) group() iana.Group {
	if t.reply == nil {
		return 0
	}
	return serverShare(t.reply)
}

// sharedStep returns the step in which both sides compute the result of the key exchange, or none
// without one.
func (t *teller13) sharedStep() []Step {
	nodes := t.nodesOf("shared_secret")
	if len(nodes) == 0 || t.group() == 0 {
		return nil
	}
	n := nodes[0]
	step := Step{Key: "shared/1.3"}
	if n.Missing != "" {
		step.Facts = append(step.Facts, Fact{Name: "shared secret", Text: n.Missing})
		return []Step{step}
	}
	step.Facts = append(step.Facts, Fact{Heading: true, Formula: true,
		Text: "shared secret = " + t.exchange()},
		Fact{Under: lengthOf(n.Value), Deeper: true, Secret: "shared_secret", Value: n.Value})
	for _, h := range split(t.group(), len(n.Value.Bytes()), 32, "", "") {
		step.Facts = append(step.Facts, Fact{Name: h.name, Deeper: true, Secret: "shared_secret",
			Value: n.Value.slice(h.from, h.to), Part: true})
	}
	return []Step{step}
}

// lengthOf returns the length of a value, or "value" if it was redacted.
func lengthOf(p Pair) string {
	if p.Bytes() == nil {
		return "value"
	}
	return octets(len(p.Bytes()))
}

// exchange returns how the shared secret is computed.
func (t *teller13) exchange() string {
	g := t.group()
	if p, ok := hybridParts[g]; ok {
		kem := p.kem.name + "(the encapsulated secret)"
		curve := ecdhOf(p.curve) + "(own private key, the other's share)"
		if p.kemFirst {
			return kem + " + " + curve
		}
		return curve + " + " + kem
	}
	if g.FiniteField() {
		return "the other's share ^ own private key mod p, at the length of p"
	}
	return ecdh(g.String()) + "(own private key, the other's share)"
}

func ecdhOf(curve string) string {
	if strings.HasPrefix(curve, "X") {
		return curve
	}
	return "ECDH_" + curve
}

// earlySecrets returns the step of what a client derives from a PSK before the server has answered.
func (t *teller13) earlySecrets() []Step {
	if t.Schedule.Node("psk") == nil && t.Schedule.Node("psk"+declined) == nil {
		return nil
	}
	var ids []string
	for _, id := range []string{"psk", "early_secret", "binder_key", "binder_finished_key",
		"psk_binder", "client_early_traffic_secret", "client_early_write_key",
		"client_early_write_iv", "early_exporter_secret"} {
		ids = append(ids, id+declined)
		if t.Schedule.Node("psk") != nil {
			ids = append(ids, id)
		}
	}
	nodes := t.nodesOf(ids...)
	if len(nodes) == 0 {
		return nil
	}
	key := "early_secrets/1.3"
	if t.Schedule.Node("psk") == nil {
		key = "early_secrets/declined/1.3"
	}
	return []Step{{Key: key, Nodes: t.inOrder(nodes)}}
}

// firstKeys returns the steps between the server's hello and the first protected message.
func (t *teller13) firstKeys() []Step {
	steps := t.sharedStep()
	nodes := t.nodesOf("early_secret", "early_derived_secret", "handshake_secret",
		"client_handshake_traffic_secret", "client_handshake_write_key",
		"client_handshake_write_iv", "server_handshake_traffic_secret",
		"server_handshake_write_key", "server_handshake_write_iv", "handshake_derived_secret")
	if len(nodes) > 0 {
		steps = append(steps, Step{Key: "handshake_keys/1.3", Nodes: t.inOrder(nodes)})
	}
	return steps
}

// applicationKeys returns the step after the server's Finished.
func (t *teller13) applicationKeys() []Step {
	nodes := t.nodesOf("main_secret", "client_application_traffic_secret_0",
		"client_application_write_key_0", "client_application_write_iv_0",
		"server_application_traffic_secret_0", "server_application_write_key_0",
		"server_application_write_iv_0", "exporter_secret")
	if len(nodes) == 0 {
		return nil
	}
	return []Step{{Key: "application_keys/1.3", Nodes: t.inOrder(nodes)}}
}

// laterKeys returns the step after the client's Finished.
func (t *teller13) laterKeys() []Step {
	nodes := t.nodesOf("resumption_secret")
	if len(nodes) == 0 {
		return nil
	}
	return []Step{{Key: "resumption_secret/1.3", Nodes: nodes}}
}

// inOrder returns the nodes in the order of the schedule.
func (t *teller13) inOrder(nodes []*Node) (ordered []*Node) {
	in := map[*Node]bool{}
	for _, n := range nodes {
		in[n] = true
	}
	for _, n := range t.Schedule.Nodes {
		if in[n] {
			ordered = append(ordered, n)
		}
	}
	return ordered
}

// prfOf returns the hash of a suite of TLS 1.3, or 0.
func prfOf(id iana.CipherSuite) crypto.Hash {
	s := suite.Readable(id)
	if s == nil || !s.TLS13() {
		return 0
	}
	return s.PRF
}

// nameOfHash returns the name that events have for a hash.
func nameOfHash(h crypto.Hash) string {
	for name, known := range scheduleHashes {
		if known == h {
			return name
		}
	}
	return fmt.Sprint(h)
}
