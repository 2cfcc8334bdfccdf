package html

import (
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
)

// parents are the names of the values that each value is made from, if the run has them.
var parents = map[string][]string{
	"client_public": {"client_private"},
	"server_public": {"server_private"},
	"pre_master_secret": {"client_private", "server_public", "server_private", "client_public",
		"psk"},
	// of what is in its messages: see hashed
	"session_hash":       {"client_random", "server_random", "server_public", "client_public"},
	"master_secret":      {"pre_master_secret", "client_random", "server_random"},
	"key_block":          {"master_secret", "server_random", "client_random"},
	"client_verify_data": {"master_secret"},
	"server_verify_data": {"master_secret"},
}

// hashed returns which messages a value is the hash of, or is made from the hash of, if any: those
// up to and including ClientKeyExchange (RFC 7627 §3), and those before a Finished (RFC 5246
// §7.4.9).
func (r *run) hashed(s *secret) string {
	if x := r.nodeNamed(s.Name); x != nil {
		if x.Covers.Text == "" || len(x.Covers.Messages) == 0 {
			return ""
		}
		if rest, retried := strings.CutPrefix(x.Covers.Text, "message_hash, "); retried {
			return "message_hash and messages " + rest
		}
		return "messages " + x.Covers.Text
	}
	verify := strings.HasSuffix(s.Name, "_verify_data")
	if !verify && s.Name != "session_hash" {
		return ""
	}
	var numbers []int
	for _, p := range r.Steps {
		if verify && p == s.Born {
			break
		}
		if p.rung == nil || p.rung.Message == nil {
			continue
		}
		if p.rung.Message.Type != iana.HelloRequest {
			numbers = append(numbers, p.Line.Number)
		}
		if !verify && p.rung.Message.Type == iana.ClientKeyExchange {
			break
		}
	}
	if len(numbers) == 0 {
		return ""
	}
	return "messages " + explain.Ranges(numbers)
}

// order is the order of the values in the key ring and in the data of the script.
var order = []string{"client_random", "server_random", "server_private", "server_public",
	"client_private", "client_public",
	"psk", "pre_master_secret", "session_hash", "master_secret", "key_block",
	"client_write_MAC_key", "server_write_MAC_key", "client_write_key",
	"server_write_key", "client_write_IV", "server_write_IV", "client_verify_data",
	"server_verify_data"}

// family finds the step that creates each value.
func (r *run) family() {
	for _, p := range r.Steps {
		for _, f := range p.Facts {
			r.born(f.Value.Family, f.Value, p)
		}
		for _, d := range p.Derivations {
			for _, in := range d.Inputs {
				if in.Family == "session_hash" {
					r.born(in.Family, in.Value, p)
				}
			}
			r.born(d.Name, d.Output, p)
		}
		if p.Bar != nil {
			for _, k := range p.Bar.Keys {
				if k.Len > 0 {
					r.born(k.Name, k.Value, p)
				}
			}
		}
	}
	for _, p := range r.Steps {
		for _, x := range p.nodes {
			r.born(x.Family, x.Value, p)
		}
	}
	r.relate()
	for _, p := range r.Steps {
		for _, d := range p.Derivations {
			for i := range d.Inputs {
				if s := r.secrets[d.Inputs[i].Family]; s != nil && s.Born != p {
					in := &d.Inputs[i]
					in.Born, in.At = s.Born.ID, s.Born.Title
				}
			}
		}
	}
}

func (r *run) born(name string, v value, p *step) {
	if name == "" || v.Any() == "" && v.Print == "" {
		return
	}
	if s, ok := r.secrets[name]; ok {
		// The other side may have a value later: an RSA pre_master_secret.
		if s.Value.Verdict == "" && v.Verdict != "" {
			s.Value = v
		}
		return
	}
	s := &secret{Name: name, Short: short(name), Value: v, Born: p, Slot: name != "session_hash" &&
		!strings.HasSuffix(name, "_public")}
	s.On = [2]bool{v.Client != "", v.Server != ""}
	if v.Bytes == 0 {
		s.On = r.seenBy // of a fingerprint it is not known which sides hold the value
	}
	if v.Public && p.Line != nil {
		s.On = [2]bool{p.Line.From == iana.Client, p.Line.From == iana.Server}
	}
	if x := r.nodeNamed(name); x != nil {
		s.Short, s.Slot = shortNode(x.Node), slotted(x.Node)
	}
	r.secrets[name] = s
}

// nodeNamed returns the node of a family, or nil.
func (r *run) nodeNamed(family string) *node {
	for _, x := range r.nodes {
		if x.Family == family {
			return x
		}
	}
	return nil
}

// names returns the names of all values in the order of the key ring: those up to TLS 1.2, and then
// those of the key schedule.
func (r *run) names() []string {
	list := order
	if r.Story.Schedule != nil {
		for _, n := range r.Story.Schedule.Nodes {
			if family := familyOf(n); !slices.Contains(list, family) {
				list = append(slices.Clip(list), family)
			}
		}
	}
	return list
}

// parentsOf returns the names of the values that a value is made from.
func (r *run) parentsOf(name string) (list []string) {
	if x := r.nodeNamed(name); x != nil {
		if name == "shared_secret" {
			return []string{"client_private", "server_private"}
		}
		for _, of := range []*explain.Node{x.Salt, x.Secret} {
			if of != nil {
				list = append(list, familyOf(of))
			}
		}
		return list
	}
	switch {
	case strings.Contains(name, "_write_"):
		return []string{"key_block"}
	case name == "master_secret" && r.secrets["session_hash"] != nil:
		return []string{"pre_master_secret", "session_hash"}
	}
	return parents[name]
}

func short(name string) string {
	return strings.NewReplacer("client_write_", "client ", "server_write_", "server ", "_secret",
		"", "_", " ").Replace(name)
}

// relate links parents and children, and fills the key ring.
func (r *run) relate() {
	for _, name := range r.names() {
		s := r.secrets[name]
		if s == nil {
			continue
		}
		for _, f := range r.parentsOf(name) {
			if parent := r.secrets[f]; parent != nil {
				s.From = append(s.From, f)
				parent.Into = append(parent.Into, name)
			}
		}
		if s.Slot {
			r.Ring = append(r.Ring, s)
		}
	}
}

// Known returns the values of the run that have a place in the key ring, or that an eavesdropper
// has, for the table of who knows what.
func (r *run) Known() (list []*secret) {
	for _, name := range r.names() {
		s := r.secrets[name]
		if s == nil || name == "transcript" {
			continue
		}
		if s.Slot || s.Value.Public || s.Value.Anyone {
			s.Holds = [2]string{r.holds(s, iana.Client), r.holds(s, iana.Server)}
			s.Heard = eavesdrops(s)
			list = append(list, s)
		}
	}
	return list
}

// holds returns whether a side comes to hold a value: it was sent, or the side's events have it. Of
// a side without events it is inferred: what one side derives in a completed handshake the other
// derives too, except for private keys.
func (r *run) holds(s *secret, side iana.Side) string {
	held := s.Value.Public || s.On[side]
	if s.Value.Bytes > 0 {
		held = s.Value.Public || [2]string{s.Value.Client, s.Value.Server}[side] != ""
	}
	switch {
	case held:
		return "yes"
	case r.seenBy[side], s.Name == side.Peer().String()+"_private":
		return "–"
	case r.Result.Judged:
		return "yes: derived likewise"
	}
	return "not known"
}

// eavesdrops returns whether an eavesdropper has a value, and how: as the panel of the script does.
func eavesdrops(s *secret) string {
	switch sent := s.Name == "psk_binder" || strings.HasSuffix(s.Name, "verify_data"); {
	case s.Name == "session_hash", s.Value.Anyone && !s.Value.Public && !sent:
		return "yes: never sent, but anybody can compute it"
	case s.Value.Public, s.Value.Anyone:
		return "yes: sent in the clear"
	}
	return "no"
}
