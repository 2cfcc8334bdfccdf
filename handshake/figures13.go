package handshake

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// full13 is Figures 1 to 4 of RFC 8446 in one table, after both hellos: a resumption (Figure 3) and
// early data (Figure 4) leave lines out or add some; the retry of Figure 2 is in the opening.
var full13 = Figure{"RFC 8446, Figures 1 to 4: TLS 1.3", ifTLS13, []Line{
	{iana.Server, Kind(iana.EncryptedExtensions), ifReadable(iana.Server), negotiateEncrypted,
		"RFC 8446 §4.3.1"},
	{iana.Server, Kind(iana.CertificateRequest), mayCertify, nil, "RFC 8446 §4.3.2"},
	{iana.Server, Kind(iana.Certificate), ifSigned13, nil, "RFC 8446 §4.4.2"},
	{iana.Server, Kind(iana.CertificateVerify), ifSigned13, nil, "RFC 8446 §4.4.3"},
	{iana.Server, Kind(iana.Finished), ifReadable(iana.Server), advance(iana.Server, Application),
		"RFC 8446 §4.4.4"},
	{iana.Client, Kind(iana.EndOfEarlyData), ifEarly, endEarly, "RFC 8446 §4.5"},
	{iana.Client, Kind(iana.Certificate), ifRequested13, nil, "RFC 8446 §4.4.2"},
	{iana.Client, Kind(iana.CertificateVerify), ifVerified13, nil, "RFC 8446 §4.4.3"},
	{iana.Client, Kind(iana.Finished), ifReadable(iana.Client), advance(iana.Client, Resumable),
		"RFC 8446 §4.4.4"},
}, &protocol13}

func ifTLS13(s *Score) Presence { return must(negotiation.VersionOf(s.ServerHello) == iana.TLS13) }

// ifSigned13: a server that uses a pre-shared key sends no certificate. See RFC 8446 §4.4.2.
func ifSigned13(s *Score) Presence { return must(s.signs13()) }

func mayCertify(s *Score) Presence { return mayIf(s.signs13()) }

func (s *Score) signs13() bool {
	return !s.Blind[iana.Server] && !s.ServerHello.Extensions.Has(iana.ExtPreSharedKey)
}

// ifEarly: in QUIC nothing marks the end of early data. See RFC 9001 §8.3.
func ifEarly(s *Score) Presence {
	return must(!s.Blind[iana.Client] && s.EarlyAccepted() && !s.quic)
}

func ifRequested13(s *Score) Presence {
	return must(!s.Blind[iana.Client] && s.CertificateRequest != nil)
}

func ifVerified13(s *Score) Presence {
	return must(!s.Blind[iana.Client] && s.shows(iana.Client))
}

// protocol13 is that of TLS 1.3.
var protocol13 = protocol{begin: begin13, first: first13, end: (*Machine).keepTranscript,
	compresses: true}
