package handshake

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// full is Figure 1 of RFC 5246, after both hellos.
var full = Figure{"RFC 5246, Figure 1: full handshake", unlessResumed, []Line{
	{iana.Server, Kind(iana.Certificate), ifCertified, nil, "RFC 5246 §7.4.2"},
	{iana.Server, Kind(iana.CertificateStatus), ifStapling, nil, "RFC 6066 §8"},
	{iana.Server, Kind(iana.ServerKeyExchange), ifParams, setGroup, "RFC 5246 §7.4.3"},
	{iana.Server, Kind(iana.CertificateRequest), ifCertifiedMay, nil, "RFC 5246 §7.4.4"},
	{iana.Server, Kind(iana.ServerHelloDone), always, nil, "RFC 5246 §7.4.5"},
	{iana.Client, Kind(iana.Certificate), ifRequested, nil, "RFC 5246 §7.4.6"},
	{iana.Client, Kind(iana.ClientKeyExchange), always, deriveMaster, "RFC 5246 §7.4.7"},
	{iana.Client, Kind(iana.CertificateVerify), ifSigned, nil, "RFC 5246 §7.4.8"},
	{iana.Client, ChangeCipherSpec, always, protect(iana.Client), "RFC 5246 §7.1"},
	{iana.Client, Kind(iana.NextProtocol), ifNPN, negotiateNPN, "draft-agl-tls-nextprotoneg-04 §3"},
	{iana.Client, Kind(iana.Finished), ifReadable(iana.Client), nil, "RFC 5246 §7.4.9"},
	{iana.Server, Kind(iana.NewSessionTicket), ifTicket, nil, "RFC 5077 §3.3"},
	{iana.Server, ChangeCipherSpec, always, protect(iana.Server), "RFC 5246 §7.1"},
	{iana.Server, Kind(iana.Finished), ifReadable(iana.Server), nil, "RFC 5246 §7.4.9"},
}, &protocol12}

// abbreviated is Figure 2 of RFC 5246 and Figure 2 of RFC 5077, after both hellos: both sides know
// the master_secret already.
var abbreviated = Figure{"RFC 5246, Figure 2: abbreviated handshake", ifResumed, []Line{
	{iana.Server, Kind(iana.NewSessionTicket), ifTicket, nil, "RFC 5077 §3.3"},
	{iana.Server, ChangeCipherSpec, always, resume, "RFC 5246 §7.1"},
	{iana.Server, Kind(iana.Finished), ifReadable(iana.Server), nil, "RFC 5246 §7.4.9"},
	{iana.Client, ChangeCipherSpec, always, protect(iana.Client), "RFC 5246 §7.1"},
	{iana.Client, Kind(iana.NextProtocol), ifNPN, negotiateNPN, "draft-agl-tls-nextprotoneg-04 §3"},
	{iana.Client, Kind(iana.Finished), ifReadable(iana.Client), nil, "RFC 5246 §7.4.9"},
}, &protocol12}

// A condition is evaluated when its line may come next, from the messages before it.

// ifCertified: a server sends a certificate unless its suite is anonymous or authenticates by a
// pre-shared key alone; with RSA_PSK it sends one, RFC 4279 §4.
func ifCertified(s *Score) Presence { return must(s.Agreed.Certified()) }

// ifCertifiedMay: RFC 5246 §7.4.4: "A non-anonymous server can optionally request a certificate
// from the client".
func ifCertifiedMay(s *Score) Presence { return mayIf(s.Agreed.Certified()) }

// ifStapling: a server may leave the message out even when it agreed to send it, RFC 6066 §8.
func ifStapling(s *Score) Presence { return mayIf(s.Agreed.Stapling) }

func unlessResumed(s *Score) Presence {
	switch {
	case negotiation.VersionOf(s.ServerHello) == iana.TLS13:
		return Never
	case s.Undecided:
		return May
	}
	return must(!s.Resumed)
}

func ifResumed(s *Score) Presence {
	switch {
	case negotiation.VersionOf(s.ServerHello) == iana.TLS13:
		return Never
	case s.Undecided:
		return May
	}
	return must(s.Resumed)
}

// ifTicket: a server that answered the extension must send the message, RFC 5077 §3.3.
func ifTicket(s *Score) Presence { return must(s.Agreed.Ticket) }

// ifParams: an ephemeral exchange has parameters; a pre-shared key may come with a hint, RFC 4279
// §2.
func ifParams(s *Score) Presence {
	if s.Agreed.Kex.Ephemeral() {
		return Must
	}
	return mayIf(s.Agreed.Kex.PreShared())
}

func ifRequested(s *Score) Presence {
	if s.Agreed.Version == iana.SSL30 {
		// RFC 6101 §5.6.6: a client may answer with an alert instead
		return mayIf(s.CertificateRequest != nil)
	}
	return must(s.CertificateRequest != nil)
}

// ifSigned: a client that sent a certificate proves that it holds the key; one that sent an empty
// list has nothing to prove.
func ifSigned(s *Score) Presence { return must(s.shows(iana.Client)) }

// shows reports whether a side sent a certificate.
func (s *Score) shows(from iana.Side) bool {
	m := s.Certificate[from]
	return m != nil && len(m.Chain) > 0
}

// ifReadable: an observer without a secret sees that something is sent under protection, but not
// what.
func ifReadable(from iana.Side) func(*Score) Presence {
	return func(s *Score) Presence { return must(!s.Blind[from]) }
}

// ifNPN: only an observer meets it; our client never offers it.
func ifNPN(s *Score) Presence {
	return must(!s.Blind[iana.Client] && s.ServerHello.Extensions.Has(iana.ExtNPN))
}

// protocol12 is that of the versions up to TLS 1.2.
var protocol12 = protocol{begin: begin12, first: first12, end: func(*Machine) {}}
