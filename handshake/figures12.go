package handshake

import "github.com/vitrine-tls/vitrine/iana"

// Figure 1 of RFC 5246.
var full = Figure{"RFC 5246, Figure 1: full handshake", unlessResumed, []Line{
	{iana.Client, Kind(iana.ClientHello), always, nil, "RFC 5246 §7.4.1.2"},
	{iana.Server, Kind(iana.ServerHello), always, settle, "RFC 5246 §7.4.1.3"},
	{iana.Server, Kind(iana.Certificate), ifCertified, nil, "RFC 5246 §7.4.2"},
	{iana.Server, Kind(iana.CertificateStatus), ifStapling, nil, "RFC 6066 §8"},
	{iana.Server, Kind(iana.ServerKeyExchange), ifParams, settleGroup, "RFC 5246 §7.4.3"},
	{iana.Server, Kind(iana.CertificateRequest), ifCertifiedMay, nil, "RFC 5246 §7.4.4"},
	{iana.Server, Kind(iana.ServerHelloDone), always, nil, "RFC 5246 §7.4.5"},
	{iana.Client, Kind(iana.Certificate), ifRequested, nil, "RFC 5246 §7.4.6"},
	{iana.Client, Kind(iana.ClientKeyExchange), always, deriveMaster, "RFC 5246 §7.4.7"},
	{iana.Client, Kind(iana.CertificateVerify), ifSigned, nil, "RFC 5246 §7.4.8"},
	{iana.Client, ChangeCipherSpec, always, protect(iana.Client), "RFC 5246 §7.1"},
	{iana.Client, Kind(iana.NextProtocol), ifNPN, settleNPN, "draft-agl-tls-nextprotoneg-04 §3"},
	{iana.Client, Kind(iana.Finished), ifReadable, nil, "RFC 5246 §7.4.9"},
	{iana.Server, Kind(iana.NewSessionTicket), ifTicket, nil, "RFC 5077 §3.3"},
	{iana.Server, ChangeCipherSpec, always, protect(iana.Server), "RFC 5246 §7.1"},
	{iana.Server, Kind(iana.Finished), ifReadable, nil, "RFC 5246 §7.4.9"},
}}

// Figure 2 of RFC 5246, and Figure 2 of RFC 5077: both sides know the master_secret already.
var abbreviated = Figure{"RFC 5246, Figure 2: abbreviated handshake", ifResumed, []Line{
	{iana.Client, Kind(iana.ClientHello), always, nil, "RFC 5246 §7.4.1.2"},
	{iana.Server, Kind(iana.ServerHello), always, settle, "RFC 5246 §7.4.1.3"},
	{iana.Server, Kind(iana.NewSessionTicket), ifTicket, nil, "RFC 5077 §3.3"},
	{iana.Server, ChangeCipherSpec, always, recall, "RFC 5246 §7.1"},
	{iana.Server, Kind(iana.Finished), ifReadable, nil, "RFC 5246 §7.4.9"},
	{iana.Client, ChangeCipherSpec, always, protect(iana.Client), "RFC 5246 §7.1"},
	{iana.Client, Kind(iana.NextProtocol), ifNPN, settleNPN, "draft-agl-tls-nextprotoneg-04 §3"},
	{iana.Client, Kind(iana.Finished), ifReadable, nil, "RFC 5246 §7.4.9"},
}}

// Figures are all that there are. A handshake begins with every one open that its player performs, and each message strikes out those
// in which it cannot come.
var Figures = append(spoken, &full13)

// spoken are those that a client or a server performs.
var spoken = []*Figure{&full, &abbreviated}

// Each condition is asked when its line may come next, and knows only what was said until then.

func always(*Score) Presence { return Must }

// ifCertified: all suites but the anonymous and the pre-shared ones come with a certificate.
func ifCertified(s *Score) Presence { return must(s.Agreed.certified()) }

func (a *Agreed) certified() bool {
	s := a.Suite
	return s.Auth != iana.AuthAnon && (s.Auth != iana.AuthPSK || s.Kex == iana.KexRSAPSK)
}

// ifCertifiedMay: RFC 5246 §7.4.4: "A non-anonymous server can optionally request a certificate from the client".
func ifCertifiedMay(s *Score) Presence { return mayIf(s.Agreed.certified()) }

// ifStapling: a server may leave the message out even when it agreed to send it, RFC 6066 §8.
func ifStapling(s *Score) Presence {
	return mayIf(s.Agreed.Stapling)
}

func unlessResumed(s *Score) Presence {
	if versionOf(s.ServerHello) == iana.TLS13 {
		return Never
	}
	switch s.Resumed {
	case Must:
		return Never
	case May:
		return May
	}
	return Must
}

func ifResumed(s *Score) Presence { return s.Resumed }

// ifTicket: a server that answered the extension must send the message, RFC 5077 §3.3.
func ifTicket(s *Score) Presence { return must(s.Agreed.Ticket) }

// ifParams: an ephemeral exchange has parameters; a pre-shared key may come with a hint, RFC 4279 §2.
func ifParams(s *Score) Presence {
	switch k := s.Agreed.Suite.Kex; {
	case k.Ephemeral():
		return Must
	case k.PreShared():
		return May
	}
	return Never
}

func ifRequested(s *Score) Presence {
	if s.Agreed.Version == iana.SSL30 {
		return mayIf(s.CertificateRequest != nil) // RFC 6101 §5.6.6: a client may answer with an alert instead
	}
	return must(s.CertificateRequest != nil)
}

// ifSigned: a client that showed a certificate proves that it holds the key; one that sent an empty list has nothing to prove.
func ifSigned(s *Score) Presence {
	return must(s.ClientCertificate != nil && len(s.ClientCertificate.Chain) > 0)
}

// ifReadable: an observer without a secret sees that something follows ChangeCipherSpec, and not what.
func ifReadable(s *Score) Presence { return must(!s.Blind) }

func mayIf(b bool) Presence {
	if b {
		return May
	}
	return Never
}

func must(b bool) Presence {
	if b {
		return Must
	}
	return Never
}
