package probe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// question is something to find out when the versions and their suites are known.
type question struct {
	id, what string
	ask      func(context.Context, *prober) (Told, How, string)
}

// questions are asked in this order, some at the same time. Those that resemble an attack come
// last, in attacks: they may get us banned.
var questions = []question{
	{"fallback_scsv", "refuses a needless fallback (TLS_FALLBACK_SCSV, RFC 7507)", askFallback},
	{"downgrade_sentinel", "marks a lower version in its random (RFC 8446 §4.1.3)", askSentinel},
	{"secure_renegotiation", "secure renegotiation (RFC 5746)",
		extension12(iana.ExtRenegotiationInfo)},
	{"extended_master_secret", "extended_master_secret (RFC 7627)",
		extension12(iana.ExtExtendedMasterSecret)},
	{"encrypt_then_mac", "encrypt_then_mac for CBC suites (RFC 7366)", askEncryptThenMAC},
	{"record_size_limit", "negotiates record_size_limit (RFC 8449)", askRecordSizeLimit},
	{"hello_retry_request", "asks for another key share where it must (RFC 8446 §4.1.4)", askRetry},
	{"compression", "compresses records (CRIME)", askCompression},
	{"alpn_h2", "selects HTTP/2 by ALPN", protocol("h2")},
	{"alpn_http11", "selects HTTP/1.1 by ALPN", protocol("http/1.1")},
	{"session_id", "resumes by session ID", askSessionID},
	{"session_ticket", "resumes by ticket (RFC 5077)", askTicket},
	{"short_tickets", "its tickets until TLS 1.2 live for a day at most", askTicketLifetime},
	{"psk_resumption", "resumes in TLS 1.3 by ticket", askPSK},
	{"early_data", "accepts early data (0-RTT)", askEarlyData},
	{"client_certificate", "asks for a client certificate", askClientCertificate},
	{"compressed_certificate", "compresses its certificates (RFC 8879)", askCompressedCertificate},
	{"no_server_name", "answers without server_name", askWithoutName},
	{"one_server", "answers as one server does", askBackends},
	{"group_order", "has an order of groups of its own", askGroupOrder},
	tolerance("grease", "tolerates unknown values (RFC 8701)"),
	tolerance("unknown_version", "tolerates a version that does not exist yet"),
	tolerance("many_suites", "tolerates more than 127 cipher suites"),
	tolerance("long_hello", "tolerates a ClientHello of over 4,000 bytes"),
	{"split_hello", "tolerates a ClientHello in several records and segments", askSplit},
	tolerance("record_version", "tolerates another version in the header of the first record"),
	{"short_hello", "tolerates a ClientHello of 256 to 511 bytes", askMiddle},
}

// base is the hello that each question changes in one thing: the newest version until TLS 1.2 and
// the suites that the server accepted in it.
func (p *prober) base() *Offer {
	v := p.report.best(iana.TLS12)
	if v == nil {
		return nil
	}
	return &Offer{Version: v.version, Suites: v.ids(), Groups: groups12, Schemes: schemes}
}

// base13 is base in TLS 1.3.
func (p *prober) base13() *Offer {
	v := p.report.version(iana.TLS13)
	if v.Told != Yes {
		return nil
	}
	return &Offer{Version: iana.TLS13, Suites: v.ids(), Groups: groups13, Schemes: schemes}
}

// either is the base of the newest version.
func (p *prober) either() *Offer {
	if o := p.base13(); o != nil {
		return o
	}
	return p.base()
}

func extension12(t iana.ExtensionType) func(context.Context, *prober) (Told, How, string) {
	return func(_ context.Context, p *prober) (Told, How, string) {
		a := p.sample(iana.TLS12)
		switch {
		case a == nil:
			return NotApplicable, "", ""
		case a.Hello.Extensions.Has(t):
			return Yes, Seen, ""
		}
		return No, Inferred, "offered, and not answered"
	}
}

func askFallback(ctx context.Context, p *prober) (Told, How, string) {
	var below *Version
	for i := range p.report.Versions {
		if v := &p.report.Versions[i]; v.Told == Yes && v.version <= iana.TLS12 &&
			v.version > ssl2 {
			if best := p.report.best(iana.TLS13); best.version > v.version {
				below = v
				break
			}
		}
	}
	if below == nil {
		return NotApplicable, "", "the server has one version"
	}
	o := &Offer{Version: below.version, Groups: groups12, Schemes: schemes,
		Suites: append(below.ids(), iana.TLS_FALLBACK_SCSV)}
	a := p.server.insist(ctx, o)
	switch {
	case a.Outcome == Accepted:
		return No, Seen, fmt.Sprintf("it answered with %v", a.Version)
	case a.Alert != nil && *a.Alert == alert.InappropriateFallback:
		return Yes, Seen, a.Refusal()
	case a.Outcome.refused():
		return NotTold, "", "refused otherwise: " + a.Refusal()
	}
	return NotTold, "", a.Refusal()
}

func askSentinel(_ context.Context, p *prober) (Told, How, string) {
	best := p.report.best(iana.TLS13)
	for _, a := range p.answers {
		if a.Version >= best.version || best.version < iana.TLS12 || a.Version < iana.TLS10 {
			continue
		}
		if a.offer.Version >= best.version {
			continue
		}
		tail := string(a.Hello.Random[24:])
		if want := sentinel(a.Version); tail == want {
			return Yes, Seen, ""
		}
		return No, Seen, "in " + a.Version.String()
	}
	return NotApplicable, "", "the server has one version"
}

func sentinel(v iana.Version) string {
	if v == iana.TLS12 {
		return "DOWNGRD\x01"
	}
	return "DOWNGRD\x00"
}

func askEncryptThenMAC(_ context.Context, p *prober) (Told, How, string) {
	told, how, detail := NotApplicable, How(""), "no CBC suite"
	for _, a := range p.answers {
		if a.Version < iana.TLS10 || !strings.Contains(a.Suite.String(), "_CBC") {
			continue
		}
		if a.Hello.Extensions.Has(iana.ExtEncryptThenMAC) {
			return Yes, Seen, ""
		}
		told, how, detail = No, Inferred, "offered, and not answered"
	}
	return told, how, detail
}

// askRecordSizeLimit looks at what answers the extension in the first handshake of each kind.
func askRecordSizeLimit(_ context.Context, p *prober) (Told, How, string) {
	told, detail := NotApplicable, ""
	for _, sp := range []*spoken{p.first13(), p.first12()} {
		x := sp.answered()
		switch {
		case x.Has(iana.ExtRecordSizeLimit):
			return Yes, Seen, ""
		case x != nil:
			told = No
		case told != No && sp.err != nil && len(sp.messages) > 0:
			told, detail = NotTold, bounded(sp.err.Error())
		}
	}
	if told == No {
		return No, Inferred, "offered, and not answered"
	}
	return told, "", detail
}

func askRetry(_ context.Context, p *prober) (Told, How, string) {
	if p.report.version(iana.TLS13).Told != Yes {
		return NotApplicable, "", ""
	}
	for _, a := range p.answers {
		if a.Version == iana.TLS13 && a.Hello.IsRetry() {
			return Yes, Seen, "a hello without a share is answered with a HelloRetryRequest"
		}
	}
	return NotTold, "", "it answered hellos without a share otherwise"
}

func askCompression(ctx context.Context, p *prober) (Told, How, string) {
	o := p.base()
	if o == nil {
		return NotApplicable, "", ""
	}
	o.Compressions = []iana.CompressionMethod{1} // DEFLATE, RFC 3749
	a := p.server.insist(ctx, o)
	switch {
	case a.Outcome != Accepted:
		return NotTold, "", a.Refusal()
	case a.Hello.CompressionMethod != iana.CompressionNull:
		return Yes, Seen, "it selected DEFLATE"
	}
	return No, Seen, "it selected null"
}

func protocol(name string) func(context.Context, *prober) (Told, How, string) {
	return func(ctx context.Context, p *prober) (Told, How, string) {
		v := p.report.best(iana.TLS13)
		sp := p.server.speak(ctx, 0, func(c *vitrine.Config) {
			only(v.version)(c)
			c.NextProtos = []string{name}
		})
		switch {
		case sp.state.NegotiatedProtocol == name:
			return Yes, Seen, ""
		case sp.err == nil:
			return No, Seen, "it selected none"
		case alerted(sp.err, alert.NoApplicationProtocol):
			return No, Seen, "alert no_application_protocol"
		}
		return NotTold, "", bounded(sp.err.Error())
	}
}

// alerted reports whether err is an alert d of the server.
func alerted(err error, d alert.Description) bool {
	received, ok := errors.AsType[*alert.Received](err)
	return ok && received.Description == d
}

// sample returns an answer that was accepted in the newest version until most, or nil.
func (p *prober) sample(most iana.Version) *Answer {
	v := p.report.best(most)
	if v == nil || v.version < iana.TLS10 {
		return nil
	}
	for _, a := range p.answers {
		if a.Version == v.version {
			return a
		}
	}
	return nil
}

// fresh returns n random bytes.
func fresh(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
