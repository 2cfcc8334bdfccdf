package explain

import (
	"github.com/vitrine-tls/vitrine/iana"
)

// Schedule is the key schedule of a TLS 1.3 connection: the tree of RFC 8446 §7.1, as far as it
// grew. It holds secrets.
type Schedule struct {
	Hash string // of the cipher suite: "SHA-256"

	// Nodes has every value of the tree in the order of RFC 8446 §7.1: from the PSK down to the
	// keys, and each value before those that are made from it.
	Nodes []*Node

	// Observed says that an observer was given the traffic secrets, so that the nodes above them
	// are not known. See Node.Missing.
	Observed bool
}

// Node is one value of the key schedule. Which nodes there are depends on the run; what a node is
// called does not.
type Node struct {
	// ID names the node within its Schedule: "early_secret", "client_handshake_traffic_secret",
	// "server_application_write_key_0". What belongs to a PSK that the server did not take ends in
	// "/declined".
	ID    string
	Title string // as RFC 8446 §7.1 writes it: "Handshake Secret"; "key" and "iv" for keys
	Ref   string // "RFC 8446 §7.1"

	// Function is "HKDF-Extract", "HKDF-Expand-Label" or "HMAC". It is empty for an input of the
	// tree: the PSK and the shared secret.
	Function string
	Hash     string // "SHA-256"
	Label    string // of HKDF-Expand-Label, without "tls13 ": "c hs traffic"

	// Salt and Secret are the inputs from the tree. HKDF-Extract takes both, and a nil one stands
	// for zeros. HKDF-Expand-Label and HMAC take a Secret only; it is nil if it is not known.
	Salt, Secret *Node

	// Context is the public input: a transcript hash, or a ticket's nonce. Covers says what it is
	// the hash of. Info is the whole info of HKDF-Expand, which has label and context. An HMAC has
	// no Info.
	Context, Info Pair
	Covers        Covers

	Value   Pair
	From    iana.Side // of what belongs to one direction: whose
	Sided   bool      // belongs to one direction
	Tag     string    // a short remark: "no PSK: zeros"
	Use     string    // what the value is for
	Missing string    // why it is not known, although it must exist; empty where a side has it
	Heard   bool      // an eavesdropper can compute the Context: see expose
	Anyone  bool      // an eavesdropper can compute the Value
	zeros   bool      // HKDF-Extract mixes zeros in
	// Children are the nodes that have this one as Salt or Secret.
	Children []*Node
}

// Covers says what a transcript hash is computed over.
type Covers struct {
	Messages []int  // numbers of the ladder; empty for the hash of nothing
	Text     string // "1-2"; "message_hash, 2-4" after a HelloRetryRequest; "" if not known
	Skips    []int  // numbers of ChangeCipherSpecs in between
}

// Node returns the node with an ID, or nil.
func (s *Schedule) Node(id string) *Node {
	if s == nil {
		return nil
	}
	for _, n := range s.Nodes {
		if n.ID == id {
			return n
		}
	}
	return nil
}

// Known reports whether a side has the value.
func (n *Node) Known() bool { return n.Value.Client != nil || n.Value.Server != nil }

// Input reports whether n is an input of the tree: it was not derived from another node.
func (n *Node) Input() bool { return n.Function == "" }

// ContextName returns what the Context is, apart from that of the empty hash: "SHA-256(1-2)", or
// "ticket_nonce".
func (n *Node) ContextName() string {
	switch {
	case n.Label == "resumption":
		return "ticket_nonce"
	case n.Covers.Text != "" && n.Covers.Text != `""`:
		return n.Hash + "(" + n.Covers.Text + ")"
	}
	return ""
}

// Formula returns how the value is computed, in the RFC's notation: `HKDF-Extract(salt, secret)`.
func (n *Node) Formula() string {
	name := func(of *Node) string {
		if of == nil {
			return "0"
		}
		return of.Title
	}
	over := n.ContextName()
	if n.Covers.Text == `""` {
		over = n.Hash + `("")`
	}
	switch n.Function {
	case "HKDF-Extract":
		return "HKDF-Extract(" + name(n.Salt) + ", " + name(n.Secret) + ")"
	case "HKDF-Expand-Label":
		return "HKDF-Expand-Label(" + Join(", ", name(n.Secret), `"`+n.Label+`"`, over) + ")"
	case "HMAC":
		return "HMAC(" + Join(", ", name(n.Secret), over) + ")"
	}
	return ""
}
