package probe

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

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
	o := &Offer{Version: below.version, Groups: below.groups(), Schemes: schemes,
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
			told, detail = NotTold, words(sp.err)
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
		return NotTold, "", words(sp.err)
	}
}

// alerted reports whether err is an alert d of the server.
func alerted(err error, d alert.Description) bool {
	received, ok := errors.AsType[*alert.Received](err)
	return ok && received.Description == d
}
