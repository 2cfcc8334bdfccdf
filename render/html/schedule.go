package html

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// familyOf returns the name of a node's hue and of its place among the secrets. It is an identifier
// also in CSS.
func familyOf(n *explain.Node) string { return strings.ReplaceAll(n.ID, "/", "-") }

// growTree prepares the nodes of the story's schedule, and their commands.
func (r *run) growTree() {
	r.nodes = map[*explain.Node]*node{}
	if r.Story.Schedule == nil {
		return
	}
	for _, n := range r.Story.Schedule.Nodes {
		family := familyOf(n)
		v := newValue(family, n.Value, false)
		v.Anyone = n.Anyone
		r.nodes[n] = &node{Node: n, Family: family, Anchor: r.ID + "node-" + family, Value: v,
			Formula: n.Formula(), Before: before(n),
			Open: n.Anyone && (n.Secret == nil || n.Secret.Anyone)}
	}
	for n, x := range r.nodes {
		for _, child := range n.Children {
			x.Into = append(x.Into, r.nodes[child])
		}
		if x.Value.Bytes > 0 {
			x.Short = excerpt(n.Value.Bytes())
		}
		x.Inputs = r.inputsOf(n)
		x.Info = infoOf(n)
	}
}

// before returns the label of a node and the context that goes in.
func before(n *explain.Node) string {
	context := n.ContextName()
	switch {
	case n.Function == "HMAC":
		return "HMAC over " + context
	case n.Label == "":
		return ""
	case context != "":
		return fmt.Sprintf("“%s” + %s", n.Label, context)
	}
	return fmt.Sprintf("“%s”", n.Label)
}

// inputsOf returns what a node is computed from.
func (r *run) inputsOf(n *explain.Node) (list []input) {
	add := func(of *explain.Node, name, note string) {
		if of == nil {
			if n.Function == "HKDF-Extract" && n.Missing == "" {
				list = append(list, input{Name: name, Note: "zeros, as many as the hash has bytes"})
			}
			return
		}
		x := r.nodes[of]
		in := input{Family: x.Family, Name: of.Title, Value: x.Value, Note: note, Anchor: x.Anchor}
		list = append(list, in)
	}
	switch n.Function {
	case "HKDF-Extract":
		add(n.Salt, "salt", "the salt")
		add(n.Secret, "input keying material", "the input keying material")
	case "HKDF-Expand-Label", "HMAC":
		add(n.Secret, "", "the secret: the key of each HMAC")
	}
	if len(n.Context.Bytes()) > 0 {
		in := input{Family: "transcript", Name: "transcript hash",
			Value: newValue("transcript", n.Context, false)}
		in.Value.Anyone = n.Heard
		switch {
		case n.Label == "resumption":
			in.Family, in.Name, in.Note = "", "ticket_nonce", "from the NewSessionTicket"
			in.Value = newValue("", n.Context, false)
		case n.Covers.Text == `""`:
			in.Note = "of no messages"
		case n.Covers.Text != "":
			in.Note = "of messages " + n.Covers.Text
			if skips := n.Covers.SkipNote(); skips != "" {
				in.Note += "; " + skips
			}
		}
		list = append(list, in)
	}
	return list
}

// infoOf takes the HkdfLabel of a node apart. See RFC 8446 §7.1.
func infoOf(n *explain.Node) []infoPart {
	info := n.Info.Bytes()
	label := "tls13 " + n.Label
	if n.Function != "HKDF-Expand-Label" || len(info) < 4+len(label) {
		return nil
	}
	length, context := int(info[0])<<8|int(info[1]), info[3+len(label):]
	hidden := len(context) > 1 && !n.Heard
	return []infoPart{
		{"length", hex.EncodeToString(info[:2]), fmt.Sprintf("%d bytes are wanted", length), false},
		{"label length", hex.EncodeToString(info[2:3]), "", false},
		{"label", hex.EncodeToString(info[3 : 3+len(label)]), "“" + label + "”", false},
		{"context length", hex.EncodeToString(context[:1]), "", false},
		{"context", hex.EncodeToString(context[1:]), "", hidden},
	}
}

// drawSchedule builds the picture of the tree, once the steps are known.
func (r *run) drawSchedule() {
	tree := r.Story.Schedule
	if tree == nil || len(tree.Nodes) == 0 {
		return
	}
	s := &schedule{ID: r.ID + "key-schedule", Hash: tree.Hash, Observed: tree.Observed}
	for _, suffix := range []string{"/declined", ""} {
		for _, id := range []string{"early_secret", "handshake_secret", "main_secret"} {
			root := tree.Node(id + suffix)
			if root == nil {
				continue
			}
			t := trunk{Root: r.nodes[root], Declined: suffix != ""}
			s.Declined = s.Declined || t.Declined
			if root.Secret != nil {
				t.Input = r.nodes[root.Secret]
			}
			for _, child := range root.Children {
				if child.Label == "derived" {
					t.Next = r.nodes[child]
				} else {
					t.Branches = append(t.Branches, r.branch(child))
				}
			}
			s.Trunk = append(s.Trunk, t)
		}
	}
	for _, n := range tree.Nodes {
		if n.Known() {
			s.Values++
		}
		switch n.Value.Compare() {
		case explain.Equal:
			s.Equal++
			s.Compared++
		case explain.Different:
			s.Compared++
		}
	}
	if more := r.Result.Compared - s.Compared; s.Compared > 0 && more > 0 {
		s.Elsewhere = fmt.Sprintf("the head of the page counts %d of %d: also values outside "+
			"of the tree, such as the tag of a record", r.Result.Equal, r.Result.Compared)
	}
	s.Prev, s.Next = r.BeforeResult(), r.ID+resultID
	r.Schedule = s
}

// branch returns a node with what grows from it.
func (r *run) branch(n *explain.Node) *node {
	x := r.nodes[n]
	x.Kids = nil
	for _, child := range n.Children {
		x.Kids = append(x.Kids, r.branch(child))
	}
	return x
}

// placeNodes sets the step in which each node is derived.
func (r *run) placeNodes() {
	for _, p := range r.Steps {
		for _, x := range p.nodes {
			if x.Step == nil {
				x.Step = p
			}
		}
	}
}

// grow adds the derivations of nodes to a step.
func (p *step) grow(r *run, nodes []*explain.Node) {
	for _, n := range nodes {
		x := r.nodes[n]
		if x == nil {
			continue
		}
		p.nodes, p.Tree = append(p.nodes, x), r.ID+"key-schedule"
		if n.Input() || !n.Known() {
			continue
		}
		p.Derivations = append(p.Derivations, &derivation{Name: x.Family, Title: n.Title,
			Function: n.Function, Label: n.Label, Bytes: x.Value.Bytes, Output: x.Value,
			Inputs: x.Inputs, Use: n.Use})
	}
}

// finishedNodes returns the nodes of a Finished, which the story tells as facts.
func (r *run) finishedNodes(from iana.Side) (nodes []*explain.Node) {
	for _, id := range []string{from.String() + "_finished_key", from.String() + "_verify_data"} {
		if n := r.Story.Schedule.Node(id); n != nil {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// nodeOf returns the node that an event derives, or nil.
func (r *run) nodeOf(e trace.Event) *node {
	if r.Story.Schedule == nil {
		return nil
	}
	for _, n := range r.Story.Schedule.Nodes {
		switch e := e.(type) {
		case *trace.SharedSecret:
			if n.ID == "shared_secret" {
				return r.nodes[n]
			}
		case *trace.Derived:
			if len(e.Output) > 0 && n.Function == e.Function && n.Label == e.Label &&
				has(n.Value, e.Output) && (has(n.Info, e.Seed) || has(n.Context, e.Seed) ||
				e.Function == "HKDF-Extract") {
				return r.nodes[n]
			}
		}
	}
	return nil
}

// has reports whether a side has a value.
func has(p explain.Pair, b []byte) bool {
	return string(p.Client) == string(b) || string(p.Server) == string(b)
}

// slotted reports whether a node has a place in the key ring and in the ladder.
func slotted(n *explain.Node) bool {
	switch {
	case n.ID == "early_secret":
		return n.Secret != nil
	case n.ID == "psk", n.ID == "shared_secret", n.ID == "handshake_secret", n.ID == "main_secret",
		n.ID == "exporter_secret", n.ID == "resumption_secret":
		return true
	}
	return strings.Contains(n.ID, "_traffic_secret") || strings.HasPrefix(n.ID, "resumption_psk")
}

// shortNode is the name of a node where there is little room.
func shortNode(n *explain.Node) string {
	if strings.Contains(n.ID, "_traffic_secret") {
		return strings.NewReplacer("client_", "c ", "server_", "s ", "application", "ap",
			"handshake", "hs", "_traffic_secret", " traffic", "_", " ").Replace(n.ID)
	}
	return n.Title
}
