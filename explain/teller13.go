package explain

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// teller13 builds the story of a TLS 1.3 connection. It has seven chapters, and between the
// messages grows the key schedule.
type teller13 struct {
	*teller
	hello    *message.ClientHello // the last one
	reply    *message.ServerHello // nil if there is none
	retried  bool
	readable bool // something behind the hellos could be read
	told     map[*Node]bool
	tickets  int
	updates  [2]int // by sender
	proofs   int    // authentications after the handshake
	skipSaid bool   // why hashes pass over ChangeCipherSpec
}

// resumes reports whether the server took a PSK.
func (t *teller13) resumes() bool {
	return t.reply != nil && t.reply.Extensions.Has(iana.ExtPreSharedKey)
}

// transcript returns the numbers of the messages that a side's Finished covers.
func (t *teller13) transcript(from iana.Side) string {
	if n := t.Schedule.Node(from.String() + "_verify_data"); n != nil && n.Covers.Text != "" {
		return n.Covers.Text
	}
	return "before it"
}

// once returns those of the nodes that exist and were not shown yet.
func (t *teller13) once(nodes []*Node) (list []*Node) {
	for _, n := range nodes {
		if n != nil && !t.told[n] {
			t.told[n] = true
			list = append(list, n)
		}
	}
	return list
}

// nodesOf returns the nodes with these IDs that exist and were not shown yet.
func (t *teller13) nodesOf(ids ...string) []*Node {
	var nodes []*Node
	for _, id := range ids {
		nodes = append(nodes, t.Schedule.Node(id))
	}
	return t.once(nodes)
}

// late reports whether a message belongs to an authentication after the handshake. See RFC 8446
// §4.6.2.
func (t *teller13) late(s *rung) bool {
	return lateKinds[s.Message.Type] && t.sent(iana.Client, iana.Finished, s)
}

var lateKinds = map[iana.HandshakeType]bool{iana.CertificateRequest: true, iana.Certificate: true,
	iana.CompressedCertificate: true, iana.CertificateVerify: true, iana.Finished: true}

// sent reports whether a side sent a message before a line.
func (t *teller13) sent(from iana.Side, kind iana.HandshakeType, before *rung) bool {
	for _, s := range t.lines[:before.Number-1] {
		if s.From == from && s.is(kind) {
			return true
		}
	}
	return false
}
