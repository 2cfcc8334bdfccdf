package cause

import (
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// cause is something to infer from what was seen. The table is ordered from the most specific to
// the least.
type cause struct {
	text string
	of   func(*Failure) bool
}

var causes = []cause{
	{"the server has nothing to say to our certificate as long as we are silent: it issues no " +
		"tickets, and lets the client speak first", (*Failure).AwaitsInVain},
	{"the server wants a client certificate, and has got none that it accepts",
		(*Failure).CertificateWanted},
	{"the server does not trust the client certificate that it got: wrong authority, expired, or " +
		"of a user that it does not know", (*Failure).CertificateRefused},
	{"the server knows TLS 1.2 too little or not at all: it is older than 2008, or set up so",
		func(f *Failure) bool {
			return f.Side == iana.Client && f.Answered != nil && f.Answered.Version < iana.TLS12 &&
				f.HasSent(alert.ProtocolVersion)
		}},
	{"the server speaks only versions that we did not offer: older ones, or TLS 1.3 alone",
		func(f *Failure) bool {
			return f.Side == iana.Client && f.HasReceived(alert.ProtocolVersion)
		}},
	{"the server does not know RFC 5746, and so could be made to renegotiate for somebody else; " +
		"old firmware is like that",
		func(f *Failure) bool { return f.Sent != nil && f.Sent.Ref == "RFC 5746 §3.4" }},
	{"the server's Diffie-Hellman prime is too short to be safe", func(f *Failure) bool {
		return f.HasSent(alert.InsufficientSecurity) && f.Answered != nil
	}},
	{"the server's certificate is meant for RSA key exchange alone, or for signatures alone, " +
		"and the server chose a suite that needs the other: its KeyUsage was set without thought " +
		"of ECDHE",
		(*Failure).KeyUsageViolated},
	{"the server found nothing in our offer that it can do: it may have only RSA or finite-field " +
		"key exchange, only CBC, only TLS 1.0 or 1.1, or a certificate of another kind, or none " +
		"and only pre-shared keys",
		func(f *Failure) bool {
			return f.Side == iana.Client && f.Answered == nil &&
				f.HasReceived(alert.HandshakeFailure, alert.InsufficientSecurity)
		}},
	{"the server has no site of this name, or wants to be asked for one",
		func(f *Failure) bool { return f.HasReceived(alert.UnrecognizedName) }},
	{"the server speaks none of the application protocols on offer",
		func(f *Failure) bool { return f.HasReceived(alert.NoApplicationProtocol) }},
	{"the server knows no pre-shared key of this identity, or uses it in another way: in another " +
		"mode, imported or not, for another context",
		func(f *Failure) bool { return f.HasReceived(alert.UnknownPSKIdentity) }},
	{"the server has another pre-shared key for this identity, or another hash for it",
		(*Failure).KeyRefused},
	{"the two sides have different pre-shared keys for this identity, or use them with different " +
		"hashes", (*Failure).keyDiffers},
	{"the server sends back what it gets: it is an echo service, or something on the way returns " +
		"our bytes", (*Failure).echoes},
	{"what answers is a client of TLS, too: it sent a ClientHello of its own", (*Failure).greets},
	{"the server refuses us before it begins: because of our address, or of the name that we " +
		"asked for", func(f *Failure) bool {
		return f.Side == iana.Client && f.Answered == nil &&
			f.HasReceived(alert.AccessDenied, alert.UserCanceled)
	}},
	{"the server does not understand our hello: it fails at an extension, a group or a version " +
		"that it should ignore, or misses one that it needs", func(f *Failure) bool {
		return f.Side == iana.Client && f.Answered == nil && f.Received != nil
	}},
	{"the server answers too slowly, or something on the way swallows the rest of its answer",
		func(f *Failure) bool {
			return f.Side == iana.Client && f.Answered == nil && f.Gone == Silent &&
				len(f.First) > 0
		}},
	{"the server broke off in the middle of its ServerHello: it ends there, or something on the " +
		"way cuts what it sends", (*Failure).BrokenOff},
	{"the server broke off in the middle of its answer: it ends there, or something on the way " +
		"cuts what it sends", (*Failure).partial},
	{"the server, or something before it, ends connections that it does not like by " +
		"close_notify: it does not serve this name, address or client", func(f *Failure) bool {
		return f.Side == iana.Client && f.Answered == nil && f.closing()
	}},
	{"the server, or something before it, drops connections that it does not like without a " +
		"word: an extension or a version that it does not know, a name, an address that it does " +
		"not serve. Or it is no TLS server", func(f *Failure) bool {
		return f.Side == iana.Client && f.Answered == nil && (f.Gone == Closed || f.Gone == Reset)
	}},
	{"the server waits for something else than TLS, is overloaded, or something on the way " +
		"swallows what it does not know", func(f *Failure) bool {
		return f.Side == iana.Client && f.Answered == nil && f.Gone == Silent
	}},
	{"the server began the handshake and gave it up: it fails at something of its own, such as " +
		"its key or a store, or at a message of ours", func(f *Failure) bool {
		return f.Side == iana.Client && f.Answered != nil && f.Received != nil
	}},
	{"the server began the handshake and went away without a word: it fails at something of its " +
		"own, such as its certificate or key, or something on the way ended the connection when " +
		"it saw the answer", func(f *Failure) bool {
		return f.Side == iana.Client && f.Answered != nil && (f.Gone == Closed || f.Gone == Reset)
	}},
	{"the server began the handshake and then fell silent: it hangs, or waits for something slow " +
		"such as a key in hardware, or what follows is lost on the way, as packets are that are " +
		"too long for it", func(f *Failure) bool {
		return f.Side == iana.Client && f.Answered != nil && f.Gone == Silent
	}},
	{"the client found nothing in common with us, or has no certificate where we require one",
		func(f *Failure) bool {
			return f.Side == iana.Server && f.HasReceived(alert.HandshakeFailure)
		}},
	{"the client does not trust our certificate: give it our authority", func(f *Failure) bool {
		return f.Side == iana.Server &&
			f.HasReceived(alert.UnknownCA, alert.BadCertificate, alert.CertificateUnknown,
				alert.CertificateExpired)
	}},
	{"the client has no certificate, or none that it wants to show: no policy helps, it needs " +
		"one that we accept", func(f *Failure) bool {
		return f.Side == iana.Server && f.Sent != nil && f.Sent.Kind == alert.KindNoCertificate
	}},
	{"the client offers nothing that we allow", (*Failure).NothingShared},
	{"the client sends nothing, or too slowly: it may wait for us to begin, as in another " +
		"protocol, or something on the way swallows what it sends", func(f *Failure) bool {
		return f.Side == iana.Server && f.Gone == Silent
	}},
	{"the client broke off before its ClientHello was whole: it gave up, or something on the way " +
		"ended the connection", func(f *Failure) bool {
		return f.Side == iana.Server && f.Offered == nil && len(f.First) > 0 && f.Gone != NotGone
	}},
	{"the client does not take the version that we chose", func(f *Failure) bool {
		return f.Side == iana.Server && f.HasReceived(alert.ProtocolVersion)
	}},
	{"the client does not take our certificate: it is of a kind that it does not know, was " +
		"revoked, or the user refused it", func(f *Failure) bool {
		return f.Side == iana.Server &&
			f.HasReceived(alert.UnsupportedCertificate, alert.CertificateRevoked,
				alert.AccessDenied, alert.UserCanceled, alert.NoCertificate,
				alert.CertificateUnobtainable, alert.BadCertificateStatusResponse)
	}},
	{"the client could not go on: it fails at something of its own, or does not accept a message " +
		"of ours, which may have been changed on the way", func(f *Failure) bool {
		return f.Side == iana.Server && f.Received != nil
	}},
	{"the client only wanted to see whether anybody listens, or did not like what it got",
		func(f *Failure) bool { return f.Side == iana.Server && f.Gone != NotGone }},
}

// unhelped are the causes that are left once every change that might help was tried in vain: what
// the changes have refuted is not inferred any more.
var unhelped = []cause{
	{"the server refuses every version, suite and group that we have: it may have no certificate " +
		"and only pre-shared keys, or a certificate that fits nothing, or wants another name",
		func(f *Failure) bool {
			return f.Side == iana.Client && f.Answered == nil &&
				f.HasReceived(alert.HandshakeFailure, alert.InsufficientSecurity)
		}},
	{"the server speaks no version that Vitrine speaks",
		func(f *Failure) bool {
			return f.Side == iana.Client && f.HasReceived(alert.ProtocolVersion)
		}},
	{"the server refuses every hello that we can make", func(f *Failure) bool {
		return f.Side == iana.Client && f.Answered == nil && !f.KeyRefused() &&
			f.HasReceived(alert.DecodeError, alert.IllegalParameter, alert.InternalError,
				alert.UnexpectedMessage, alert.DecryptError, alert.UnsupportedExtension,
				alert.MissingExtension)
	}},
	{"the server, or something before it, ends every connection that begins with a ClientHello " +
		"by close_notify, in every form that was tried: it does not serve this address or client",
		func(f *Failure) bool {
			return f.Side == iana.Client && f.Answered == nil && f.closing()
		}},
	{"the server, or something before it, drops every connection that begins with a ClientHello, " +
		"in every form that was tried: it does not serve this address or client, waits for " +
		"something before TLS, such as the PROXY protocol, or is no TLS server",
		func(f *Failure) bool {
			return f.Side == iana.Client && f.Answered == nil && len(f.First) == 0 &&
				(f.Gone == Closed || f.Gone == Reset)
		}},
}

// Unhelped returns what can be inferred once all Changes were tried in vain.
func (f *Failure) Unhelped() []string {
	for _, c := range unhelped {
		if c.of(f) {
			return []string{c.text}
		}
	}
	return f.Explain(time.Now()).Inferred
}

// NothingShared reports whether we, a server, refused for want of a version, suite, group or
// signature scheme in common.
func (f *Failure) NothingShared() bool {
	return f.Side == iana.Server && f.Sent != nil &&
		slices.Contains([]alert.Kind{alert.KindVersion, alert.KindSuite, alert.KindGroup,
			alert.KindScheme}, f.Sent.Kind) &&
		(f.Sent.Alert == alert.HandshakeFailure || f.Sent.Alert == alert.ProtocolVersion)
}
