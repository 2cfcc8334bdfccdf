package probe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
)

// ClientHellos that are unusual and valid: a server that fails at one of them will fail with newer
// clients.

type oddity struct {
	id   string
	edit func(*prober, *Offer)
}

// oddities are such changes of a ClientHello. They are tried together, and each alone only if that
// fails.
var oddities = []oddity{
	{"grease", func(_ *prober, o *Offer) {
		o.Suites = append([]iana.CipherSuite{0x1A1A}, o.Suites...)
		o.Groups = append([]iana.Group{0x2A2A}, o.Groups...)
		o.Schemes = append([]iana.SignatureScheme{0x3A3A}, o.Schemes...)
		*o = *o.with(func(m *message.ClientHello) {
			m.Extensions = append(m.Extensions, message.Extension{Type: 0x4A4A},
				message.Extension{Type: 0x5A5A, Data: []byte{0}})
		})
	}},
	{"unknown_version", func(_ *prober, o *Offer) {
		*o = *o.with(func(m *message.ClientHello) {
			for i, x := range m.Extensions {
				if x.Type == iana.ExtSupportedVersions {
					m.Extensions[i].Data = []byte{4, 0x7F, 0x7F, 3, 4}
					return
				}
			}
			m.Version = 0x0305
		})
	}},
	{"many_suites", func(_ *prober, o *Offer) {
		for id := iana.CipherSuite(0xFF01); len(o.Suites) < 140; id++ { // of private use
			o.Suites = append(o.Suites, id)
		}
	}},
	{"long_hello", func(p *prober, o *Offer) { padTo(o, 4500, p.server.Name) }},
	{"record_version", func(_ *prober, o *Offer) {
		if o.Record = iana.TLS12; o.Version == iana.TLS12 {
			o.Record = iana.SSL30
		}
	}},
}

// tolerance is the question whether a server tolerates one of the oddities.
func tolerance(id, what string) question {
	return question{id, what, func(ctx context.Context, p *prober) (Told, How, string) {
		if p.together() {
			return Yes, Seen, "together with the others"
		}
		i := slices.IndexFunc(oddities, func(o oddity) bool { return o.id == id })
		return p.tolerates(ctx, p.either(), func(o *Offer) { oddities[i].edit(p, o) })
	}}
}

// odd asks with all oddities together and reports whether the server accepts that.
func (p *prober) odd(ctx context.Context) bool {
	o := p.either()
	if o == nil {
		return false
	}
	for _, row := range oddities {
		row.edit(p, o)
	}
	return p.server.Ask(ctx, o).Outcome == Accepted
}

// tolerates compares the answers to the base with and without a change. A refusal counts if it
// comes twice while the base is accepted in between.
func (p *prober) tolerates(ctx context.Context, o *Offer, edit func(*Offer)) (Told, How, string) {
	if o == nil {
		return NotApplicable, "", ""
	}
	changed := *o
	changed.Suites = slices.Clone(o.Suites)
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
	// it answered, so it did not refuse
	if second.Outcome == Cut || second.Outcome == Silent && len(second.first) > 0 {
		return NotTold, "", second.Refusal()
	}
	if second.Outcome.dropped() && !changed.padded &&
		!p.takesLength(ctx, o, len(second.sent)) {
		return NotTold, "", fmt.Sprintf("%s; another hello of %d bytes is dropped, too",
			second.Refusal(), len(second.sent))
	}
	return No, Inferred, second.Refusal() + "; without it, accepted"
}

// takesLength reports whether the server accepts an offer that is made as long as n bytes, if it is
// shorter and there is room for padding: then the length is not what it fails at.
func (p *prober) takesLength(ctx context.Context, o *Offer, n int) bool {
	padded := *o
	return !padTo(&padded, n, p.server.Name) || p.server.insist(ctx, &padded).Outcome == Accepted
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

// askSplit is asked apart from the oddities: records that are short hide that a message is long.
func askSplit(ctx context.Context, p *prober) (Told, How, string) {
	return p.tolerates(ctx, p.either(), func(o *Offer) {
		o.Pause = 5 * time.Millisecond
		o.Split = func(raw []byte) [][]byte { return [][]byte{raw[:1], raw[1:40], raw[40:]} }
	})
}

// askWithoutName asks without server_name, and names the certificate if it is another one.
func askWithoutName(ctx context.Context, p *prober) (Told, How, string) {
	if p.server.Name == "" {
		return NotApplicable, "", "no question had a name"
	}
	var chain [][]byte
	if v := p.report.best(iana.TLS13); v.version == iana.TLS13 {
		sp := p.server.speak(ctx, 0, func(c *vitrine.Config) {
			only(iana.TLS13)(c)
			c.ServerName = ""
		})
		if c := sp.certificate(); c != nil {
			chain = c.Chain
		}
	} else if o := p.base(); o != nil {
		o.NoName = true
		chain = p.server.Ask(ctx, o).Chain
	}
	if len(chain) > 0 {
		return Yes, Seen, p.otherLeaf(chain[0])
	}
	return p.tolerates(ctx, p.either(), func(o *Offer) { o.NoName = true })
}

// otherLeaf names a certificate, if it is none of those that were shown for the name.
func (p *prober) otherLeaf(der []byte) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.report.Chains {
		if string(c.raw[0]) == string(der) {
			return ""
		}
	}
	leaf, err := pki.ReadCertificate(der)
	if err != nil {
		return "with a certificate that cannot be read"
	}
	return "with another certificate: " + bounded(leaf.Subject.String())
}

// askBackends looks for signs that several servers answer: two certificates for the same kind of
// key, and extensions that come in different orders.
func askBackends(_ context.Context, p *prober) (Told, How, string) {
	type kind struct {
		version iana.Version
		suite   iana.CipherSuite
		scheme  iana.SignatureScheme
	}
	leaves := map[kind]string{}
	before := map[[2]iana.ExtensionType]bool{}
	for _, a := range p.answers {
		if len(a.Chain) > 0 {
			k := kind{a.Version, a.Suite, a.Scheme}
			if old, ok := leaves[k]; ok && old != string(a.Chain[0]) {
				return No, Inferred, "two certificates came in like answers"
			}
			leaves[k] = string(a.Chain[0])
		}
		for i, x := range a.Hello.Extensions {
			for _, y := range a.Hello.Extensions[i+1:] {
				if before[[2]iana.ExtensionType{y.Type, x.Type}] {
					return No, Inferred, "the extensions came in two orders"
				}
				before[[2]iana.ExtensionType{x.Type, y.Type}] = true
			}
		}
	}
	return Yes, Inferred, "its answers have one order of extensions"
}
