package explain

import (
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// NewSchedule returns the key schedule of a TLS 1.3 connection from the merged events of both
// sides. It has no nodes if no secret was derived.
func NewSchedule(entries []trace.Entry) *Schedule {
	sides := [2]*grown{grow(entries, trace.Client), grow(entries, trace.Server)}
	s := &Schedule{Observed: sides[iana.Client].given || sides[iana.Server].given}
	s.plant(sides)
	if s.Observed {
		s.unknown()
	}
	slices.SortStableFunc(s.Nodes, func(a, b *Node) int {
		_, x := rowOf(a.ID)
		_, y := rowOf(b.ID)
		return x.compare(y)
	})
	s.link(sides)
	lines, _ := buildLadder(entries)
	s.cover(entries, sides, lines)
	s.expose(lines)
	return s
}

// plant makes the nodes that a side has, in the order of their events.
func (s *Schedule) plant(sides [2]*grown) {
	for side, g := range sides {
		for _, id := range g.order {
			d := g.values[id]
			if s.Hash == "" {
				s.Hash = d.Hash
			}
			n := s.Node(id)
			if n == nil {
				n = newNode(id)
				n.Ref, n.Function, n.Hash, n.Label = d.ref, d.Function, d.Hash, d.Label
				s.Nodes = append(s.Nodes, n)
			}
			context, info := contextOf(d)
			for _, v := range []struct {
				pair  *Pair
				value []byte
			}{{&n.Value, d.Output}, {&n.Context, context}, {&n.Info, info}} {
				if len(v.value) > 0 {
					v.pair.put(iana.Side(side), v.value)
				}
			}
			if n.Function == "HKDF-Extract" && zeros(d.Secret) {
				n.Tag, n.zeros = zeroInputs[id], true
			}
		}
	}
}

// zeroInputs says why an HKDF-Extract has zeros as its input keying material.
var zeroInputs = map[string]string{
	"early_secret":     "no PSK: zeros",
	"handshake_secret": "no key exchange: zeros",
}

func newNode(id string) *Node {
	r, _ := rowOf(id)
	n := &Node{ID: id, Title: r.title, Use: r.use, Ref: "RFC 8446 §7.1"}
	for _, side := range []iana.Side{iana.Client, iana.Server} {
		if len(id) > 6 && id[:7] == side.String()+"_" {
			n.From, n.Sided = side, true
		}
	}
	return n
}

// contextOf returns the public inputs of a derivation: the Context of an HkdfLabel and the whole of
// it, or what an HMAC is computed over. See RFC 8446 §7.1.
func contextOf(d *derivation) (context, info []byte) {
	switch d.Function {
	case "HMAC":
		return d.Seed, nil
	case "HKDF-Expand-Label":
		at := 2 + 1 + len("tls13 ") + len(d.Label)
		if len(d.Seed) > at && len(d.Seed) == at+1+int(d.Seed[at]) {
			context = d.Seed[at+1:]
		}
		return context, d.Seed
	}
	return nil, nil
}

// unknown adds the nodes above the traffic secrets of an observer.
func (s *Schedule) unknown() {
	for _, id := range []string{"early_secret", "early_derived_secret", "shared_secret",
		"handshake_secret", "handshake_derived_secret", "main_secret"} {
		if s.Node(id) != nil {
			continue
		}
		n := newNode(id)
		n.Missing = "not known to an observer, to whom the traffic secrets were given"
		switch id {
		case "shared_secret":
		case "early_derived_secret", "handshake_derived_secret":
			n.Function, n.Label = "HKDF-Expand-Label", "derived"
		default:
			n.Function = "HKDF-Extract"
		}
		s.Nodes = append(s.Nodes, n)
	}
}

// above has the inputs of nodes whose derivation an observer did not see: salt and secret.
var above = map[string][2]string{
	"early_derived_secret":                {"", "early_secret"},
	"handshake_secret":                    {"early_derived_secret", "shared_secret"},
	"client_early_traffic_secret":         {"", "early_secret"},
	"client_handshake_traffic_secret":     {"", "handshake_secret"},
	"server_handshake_traffic_secret":     {"", "handshake_secret"},
	"handshake_derived_secret":            {"", "handshake_secret"},
	"main_secret":                         {"handshake_derived_secret", ""},
	"client_application_traffic_secret_0": {"", "main_secret"},
	"server_application_traffic_secret_0": {"", "main_secret"},
}

// link sets the edges of the tree.
func (s *Schedule) link(sides [2]*grown) {
	for _, n := range s.Nodes {
		var in [2]string
		if s.Observed {
			in = above[n.ID]
		}
		for _, g := range sides {
			if d := g.values[n.ID]; d != nil && d.salt+d.secret != "" {
				in = [2]string{d.salt, d.secret}
				break
			}
		}
		n.Salt, n.Secret = s.Node(in[0]), s.Node(in[1])
		for _, parent := range []*Node{n.Salt, n.Secret} {
			if parent != nil {
				parent.Children = append(parent.Children, n)
			}
		}
	}
}
