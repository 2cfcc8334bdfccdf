package handshake

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// All figures, and the opening that they share.

// opening has the lines of both hellos, which every figure begins with. ServerHello decides which
// figure continues.
var opening = Figure{"the hellos", nil, []Line{
	{iana.Client, Kind(iana.ClientHello), always, sendEarly, "RFC 5246 §7.4.1.2"},
	{iana.Server, HelloRetryRequest, ifOffers13, retry, "RFC 8446 §4.1.4"},
	{iana.Client, Kind(iana.ClientHello), ifRetried, nil, "RFC 8446 §4.1.2"},
	{iana.Server, Kind(iana.ServerHello), always, negotiate, "RFC 5246 §7.4.1.3"},
}, nil}

// refOf returns the section that defines a message of the opening. The version that the message
// chooses or offers tells which RFC is in force. As long as there is no message, or none that can
// be parsed, it is what the client offers: RFC 8446 tells a server of TLS 1.3 how to choose an
// earlier version, too.
func refOf(s *Score, l *Line, msg message.Message) string {
	switch m := msg.(type) {
	case *message.ClientHello:
		if negotiation.OffersTLS13(m) {
			return "RFC 8446 §4.1.2"
		}
	case *message.ServerHello:
		if !m.IsRetry() && negotiation.VersionOf(m) == iana.TLS13 {
			return "RFC 8446 §4.1.3"
		}
	case nil:
		if l.Says == Kind(iana.ServerHello) && s.ClientHello != nil &&
			negotiation.OffersTLS13(s.ClientHello) {
			return "RFC 8446 §4.1.3"
		}
	}
	return l.Ref
}

// figures lists all figures. Those that fit the ServerHello stay open, and each message rules out
// those in which it cannot come. More than one fits only for an observer, and only until it knows
// whether a session is resumed.
var figures = figureSet{&opening, []*Figure{&full, &abbreviated, &full13}, refOf}

// newMachine returns a Machine that waits for the first ClientHello.
func newMachine(me iana.Side, p player, c *negotiation.Config, carrier Carrier) *Machine {
	n := len(figures.all)
	room := make([]reading, 2*n) // for open and spare
	room[0] = reading{Figure: &opening}
	return &Machine{live: true, me: me, player: p, carrier: carrier, log: c.Log, prior: c.Prior,
		Score: Score{quic: c.QUIC != nil}, figures: &figures, open: room[:1:n], spare: room[n:n]}
}

// ifOffers13: only a client that offers TLS 1.3 can be asked for another hello, and only once. The
// hello is nil as long as its check is Pending. See RFC 8446 §4.1.4.
func ifOffers13(s *Score) Presence {
	return mayIf(s.ClientHello != nil && !s.Retried() && negotiation.OffersTLS13(s.ClientHello))
}

// ifRetried: a client that was asked for a second hello, on this connection, sends it.
func ifRetried(s *Score) Presence { return must(s.Retried() && !s.Restored) }
