package probe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
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
	{"compression", "compresses records (CRIME)", askCompression},
	{"alpn_h2", "selects HTTP/2 by ALPN", protocol("h2")},
	{"alpn_http11", "selects HTTP/1.1 by ALPN", protocol("http/1.1")},
	{"session_id", "resumes by session ID", askSessionID},
	{"session_ticket", "resumes by ticket (RFC 5077)", askTicket},
	{"psk_resumption", "resumes in TLS 1.3 by ticket", askPSK},
	{"early_data", "accepts early data (0-RTT)", askEarlyData},
	{"client_certificate", "asks for a client certificate", askClientCertificate},
	{"no_server_name", "answers without server_name", askWithoutName},
	{"grease", "tolerates unknown values (RFC 8701)", askGREASE},
	{"unknown_version", "tolerates a version that does not exist yet", askUnknownVersion},
	{"long_hello", "tolerates a ClientHello of over 4,000 bytes", askLong},
	{"short_hello", "tolerates a ClientHello of 256 to 511 bytes", askMiddle},
	{"split_hello", "tolerates a ClientHello in several records", askSplit},
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

// tolerates compares the answers to the base with and without a change. A refusal counts if it
// comes twice while the base is accepted in between.
func (p *prober) tolerates(ctx context.Context, o *Offer, edit func(*Offer)) (Told, How, string) {
	if o == nil {
		return NotApplicable, "", ""
	}
	changed := *o
	edit(&changed)
	first := p.server.Ask(ctx, &changed)
	if first.Outcome == Accepted {
		return Yes, Seen, ""
	}
	if again := p.server.Ask(ctx, o); again.Outcome != Accepted {
		return NotTold, "", "the server no longer answers: " + again.Refusal()
	}
	second := p.server.Ask(ctx, &changed)
	if second.Outcome == Accepted {
		return NotTold, "", "refused once and accepted once: " + first.Refusal()
	}
	return No, Inferred, second.Refusal() + "; without it, accepted"
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
		if v := &p.report.Versions[i]; v.Told == Yes && v.version <= iana.TLS12 && v.version > 2 {
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

// resumes makes two connections and reports whether the second resumed the first.
func (p *prober) resumes(ctx context.Context, v iana.Version,
	edit func(*vitrine.Config)) (Told, How, string) {
	cache := vitrine.NewLRUClientSessionCache(4)
	for i := range 3 {
		sp := p.server.speak(ctx, ticketWait, func(c *vitrine.Config) {
			only(v)(c)
			c.ClientSessionCache = cache
			edit(c)
		})
		switch {
		case sp.state.DidResume:
			return Yes, Seen, ""
		case sp.err != nil && i == 0:
			return NotTold, "", bounded(sp.err.Error())
		}
	}
	return No, Inferred, "offered twice, and not resumed"
}

func askSessionID(ctx context.Context, p *prober) (Told, How, string) {
	v := p.report.best(iana.TLS12)
	if v == nil || v.version < iana.TLS10 {
		return NotApplicable, "", ""
	}
	return p.resumes(ctx, v.version, func(c *vitrine.Config) { c.SessionTicketsDisabled = true })
}

func askTicket(ctx context.Context, p *prober) (Told, How, string) {
	v := p.report.best(iana.TLS12)
	a := p.sample(iana.TLS12)
	switch {
	case v == nil || v.version < iana.TLS10 || a == nil:
		return NotApplicable, "", ""
	case !a.Hello.Extensions.Has(iana.ExtSessionTicket):
		return No, Inferred, "asked for one, and not answered"
	}
	return p.resumes(ctx, v.version, func(*vitrine.Config) {})
}

func askPSK(ctx context.Context, p *prober) (Told, How, string) {
	if p.report.version(iana.TLS13).Told != Yes {
		return NotApplicable, "", ""
	}
	return p.resumes(ctx, iana.TLS13, func(*vitrine.Config) {})
}

func askEarlyData(ctx context.Context, p *prober) (Told, How, string) {
	if p.report.version(iana.TLS13).Told != Yes {
		return NotApplicable, "", ""
	}
	sp := p.server.speak(ctx, ticketWait, only(iana.TLS13))
	m := sp.message(iana.NewSessionTicket)
	if m == nil {
		return NotTold, "", "no ticket came within 0.3 s of the handshake"
	}
	parsed, err := message.Dialect{Version: iana.TLS13}.Parse(m.Raw)
	if err != nil {
		return NotTold, "", "its ticket cannot be read"
	}
	var most message.MaxEarlyData
	ticket := parsed.(*message.NewSessionTicket)
	if ok, err := ticket.Extensions.Read(iana.ExtEarlyData, &most); err != nil || !ok ||
		most.Size == 0 {
		return No, Seen, "its ticket does not allow it"
	}
	return Yes, Seen, fmt.Sprintf("its ticket allows %d bytes", most.Size)
}

func askClientCertificate(ctx context.Context, p *prober) (Told, How, string) {
	for _, a := range p.answers {
		if a.Request != nil {
			return Yes, Seen, fmt.Sprintf("it names %d authorities", len(a.Request.Authorities))
		}
	}
	if p.report.version(iana.TLS13).Told == Yes {
		sp := p.server.speak(ctx, 0, only(iana.TLS13))
		if sp.message(iana.CertificateRequest) != nil {
			return Yes, Seen, ""
		}
		if sp.err != nil && sp.message(iana.Certificate) == nil {
			return NotTold, "", bounded(sp.err.Error())
		}
	}
	return No, Seen, ""
}

func askWithoutName(ctx context.Context, p *prober) (Told, How, string) {
	if p.server.Name == "" {
		return NotApplicable, "", "no question had a name"
	}
	return p.tolerates(ctx, p.either(), func(o *Offer) {
		*o = *o.with(func(m *message.ClientHello) {
			m.Extensions = slices.DeleteFunc(m.Extensions,
				func(x message.Extension) bool { return x.Type == iana.ExtServerName })
		})
	})
}

func askGREASE(ctx context.Context, p *prober) (Told, How, string) {
	return p.tolerates(ctx, p.either(), func(o *Offer) {
		o.Suites = append([]iana.CipherSuite{0x1A1A}, o.Suites...)
		o.Groups = append([]iana.Group{0x2A2A}, o.Groups...)
		o.Schemes = append([]iana.SignatureScheme{0x3A3A}, o.Schemes...)
		*o = *o.with(func(m *message.ClientHello) {
			m.Extensions = append(m.Extensions, message.Extension{Type: 0x4A4A},
				message.Extension{Type: 0x5A5A, Data: []byte{0}})
		})
	})
}

func askUnknownVersion(ctx context.Context, p *prober) (Told, How, string) {
	if o := p.base13(); o != nil {
		return p.tolerates(ctx, o, func(o *Offer) {
			*o = *o.with(func(m *message.ClientHello) {
				for i, x := range m.Extensions {
					if x.Type == iana.ExtSupportedVersions {
						m.Extensions[i].Data = []byte{4, 0x7F, 0x7F, 3, 4}
					}
				}
			})
		})
	}
	return p.tolerates(ctx, p.base(), func(o *Offer) {
		*o = *o.with(func(m *message.ClientHello) { m.Version = 0x0305 })
	})
}

// padTo makes the hello n bytes long.
func padTo(o *Offer, n int, name string) {
	raw, err := o.encode(name)
	if err != nil || len(raw)+4 > n {
		return
	}
	pad := make([]byte, n-len(raw)-4)
	*o = *o.with(func(m *message.ClientHello) {
		m.Extensions.Add(iana.ExtPadding, &message.Padding{Zeros: pad})
	})
}

func askLong(ctx context.Context, p *prober) (Told, How, string) {
	return p.tolerates(ctx, p.either(), func(o *Offer) { padTo(o, 4500, p.server.Name) })
}

func askMiddle(ctx context.Context, p *prober) (Told, How, string) {
	o := p.either()
	if o == nil {
		return NotApplicable, "", ""
	}
	o.Unpadded = true
	if len(o.Suites) > 8 {
		o.Suites = o.Suites[:8]
	}
	return p.tolerates(ctx, o, func(o *Offer) { padTo(o, 400, p.server.Name) })
}

func askSplit(ctx context.Context, p *prober) (Told, How, string) {
	return p.tolerates(ctx, p.either(), func(o *Offer) {
		o.Split = func(raw []byte) [][]byte {
			return [][]byte{raw[:1], raw[1:40], raw[40:]}
		}
	})
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
