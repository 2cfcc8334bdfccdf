package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// handshake12 is one handshake in the newest version until TLS 1.2, on which several questions
// build. It asks for a ticket.
func (p *prober) handshake12(ctx context.Context) *spoken {
	v := p.report.best(iana.TLS12)
	if v == nil || v.version < iana.TLS10 {
		return &spoken{err: errors.New("no version from TLS 1.0 to 1.2")}
	}
	p.cache12 = vitrine.NewLRUClientSessionCache(4)
	return p.server.speak(ctx, 0, func(c *vitrine.Config) {
		only(v.version)(c)
		c.ClientSessionCache, c.RecordSizeLimit = p.cache12, 1<<14
	})
}

// handshake13 is handshake12 in TLS 1.3. It waits for tickets, and offers to expand certificates.
func (p *prober) handshake13(ctx context.Context) *spoken {
	if p.report.version(iana.TLS13).Told != Yes {
		return &spoken{err: errors.New("no TLS 1.3")}
	}
	p.cache13 = vitrine.NewLRUClientSessionCache(4)
	return p.server.speak(ctx, ticketWait, func(c *vitrine.Config) {
		only(iana.TLS13)(c)
		c.ClientSessionCache, c.RecordSizeLimit = p.cache13, 1<<14
		c.CertificateCompression = []iana.CertificateCompressionAlgorithm{iana.Zlib, iana.Brotli,
			iana.Zstd}
	})
}

// resumes makes up to two connections after first and reports whether one resumed its session.
func (p *prober) resumes(ctx context.Context, v iana.Version, first *spoken,
	cache vitrine.ClientSessionCache, edit func(*vitrine.Config)) (Told, How, string) {
	if first.err != nil {
		return NotTold, "", words(first.err)
	}
	cut := first.cut
	for range 2 {
		sp := p.server.speak(ctx, ticketWait, func(c *vitrine.Config) {
			only(v)(c)
			c.ClientSessionCache = cache
			edit(c)
		})
		if sp.state.DidResume {
			return Yes, Seen, ""
		}
		cut = cut || sp.cut
	}
	if cut { // a session of such a connection is not offered
		return NotTold, "", "its connections end without close_notify"
	}
	return No, Inferred, "offered twice, and not resumed"
}

func askSessionID(ctx context.Context, p *prober) (Told, How, string) {
	v := p.report.best(iana.TLS12)
	if v == nil || v.version < iana.TLS10 {
		return NotApplicable, "", ""
	}
	cache := vitrine.NewLRUClientSessionCache(4)
	noTickets := func(c *vitrine.Config) { c.SessionTicketsDisabled = true }
	first := p.server.speak(ctx, 0, func(c *vitrine.Config) {
		only(v.version)(c)
		c.ClientSessionCache = cache
		noTickets(c)
	})
	return p.resumes(ctx, v.version, first, cache, noTickets)
}

func askTicket(ctx context.Context, p *prober) (Told, How, string) {
	v, a := p.report.best(iana.TLS12), p.sample(iana.TLS12)
	switch {
	case v == nil || v.version < iana.TLS10 || a == nil:
		return NotApplicable, "", ""
	case !a.Hello.Extensions.Has(iana.ExtSessionTicket):
		return No, Inferred, "asked for one, and not answered"
	}
	told, how, detail := p.resumes(ctx, v.version, p.first12(), p.cache12,
		func(*vitrine.Config) {})
	if t := p.first12().ticket(v.version); t != nil && told == Yes {
		detail = "it says that a ticket lives for " + lifetime(t.LifetimeHint)
	}
	return told, how, detail
}

func askTicketLifetime(_ context.Context, p *prober) (Told, How, string) {
	v := p.report.best(iana.TLS12)
	if v == nil || v.version < iana.TLS10 {
		return NotApplicable, "", ""
	}
	switch t := p.first12().ticket(v.version); {
	case t == nil:
		return NotApplicable, "", "it sent no ticket"
	case t.LifetimeHint == 0:
		return NotTold, "", "it does not say for how long"
	case t.LifetimeHint > 24*60*60:
		return No, Seen, "they live for " + lifetime(t.LifetimeHint)
	}
	return Yes, Seen, ""
}

func askPSK(ctx context.Context, p *prober) (Told, How, string) {
	if p.report.version(iana.TLS13).Told != Yes {
		return NotApplicable, "", ""
	}
	told, how, detail := p.resumes(ctx, iana.TLS13, p.first13(), p.cache13,
		func(*vitrine.Config) {})
	if t := p.first13().ticket(iana.TLS13); t != nil && told == Yes {
		detail = fmt.Sprintf("%s, the last of which lives for %s",
			count(p.first13().tickets(), "ticket"), lifetime(t.LifetimeHint))
	}
	return told, how, detail
}

// lifetime formats a number of seconds as a duration in words; 0 is unspecified up to TLS 1.2.
func lifetime(seconds uint32) string {
	if seconds == 0 {
		return "an unspecified time"
	}
	d := (time.Duration(seconds) * time.Second).String()
	return strings.TrimSuffix(strings.TrimSuffix(d, "0s"), "0m")
}

// ticket returns the last ticket of a connection, or nil.
func (sp *spoken) ticket(v iana.Version) *message.NewSessionTicket {
	m := sp.message(iana.NewSessionTicket)
	if m == nil {
		return nil
	}
	parsed, err := message.Dialect{Version: v}.Parse(m.Raw)
	if err != nil {
		return nil
	}
	return parsed.(*message.NewSessionTicket)
}

// tickets returns how many tickets came.
func (sp *spoken) tickets() (n int) {
	for _, m := range sp.messages {
		if m.Type == iana.NewSessionTicket {
			n++
		}
	}
	return n
}

func askEarlyData(_ context.Context, p *prober) (Told, How, string) {
	if p.report.version(iana.TLS13).Told != Yes {
		return NotApplicable, "", ""
	}
	sp := p.first13()
	t := sp.ticket(iana.TLS13)
	var most message.MaxEarlyData
	switch {
	case sp.err != nil:
		return NotTold, "", words(sp.err)
	case t == nil:
		return NotTold, "", "no ticket came within 0.3 s of the handshake"
	}
	if ok, err := t.Extensions.Read(iana.ExtEarlyData, &most); err != nil || !ok || most.Size == 0 {
		return No, Seen, "its ticket does not allow it"
	}
	return Yes, Seen, fmt.Sprintf("its ticket allows %d bytes", most.Size)
}

func askClientCertificate(_ context.Context, p *prober) (Told, How, string) {
	for _, a := range p.answers {
		if a.Request != nil {
			return Yes, Seen, "it names " + authorities(len(a.Request.Authorities))
		}
	}
	if p.report.version(iana.TLS13).Told == Yes {
		sp := p.first13()
		if sp.message(iana.CertificateRequest) != nil {
			return Yes, Seen, ""
		}
		if sp.err != nil && sp.message(iana.EncryptedExtensions) == nil {
			return NotTold, "", words(sp.err)
		}
	}
	return No, Seen, ""
}

func authorities(n int) string {
	switch n {
	case 0:
		return "no authorities"
	case 1:
		return "1 authority"
	}
	return fmt.Sprintf("%d authorities", n)
}

func askCompressedCertificate(_ context.Context, p *prober) (Told, How, string) {
	if p.report.version(iana.TLS13).Told != Yes {
		return NotApplicable, "", ""
	}
	sp := p.first13()
	m := sp.message(iana.CompressedCertificate)
	switch {
	case m != nil && len(m.Raw) > 6:
		x := iana.CertificateCompressionAlgorithm(uint16(m.Raw[4])<<8 | uint16(m.Raw[5]))
		return Yes, Seen, "with " + x.String()
	case sp.message(iana.Certificate) != nil:
		return No, Seen, "offered zlib, brotli and zstd"
	}
	return NotTold, "", "no certificate came"
}

// askRenegotiation asks for another handshake inside a connection. See RFC 5746.
func askRenegotiation(ctx context.Context, p *prober) (Told, How, string) {
	v := p.report.best(iana.TLS12)
	if v == nil || v.version < iana.TLS10 {
		return NotApplicable, "", "no version until TLS 1.2"
	}
	if p.report.Fact("secure_renegotiation").Told == No {
		return NotTold, "", "without secure renegotiation it is not asked"
	}
	var err error
	sp := p.server.talk(ctx, func(c *vitrine.Config) {
		only(v.version)(c)
		c.Renegotiation = vitrine.RenegotiateOnceAsClient
	}, func(conn *vitrine.Conn, raw net.Conn) {
		raw.SetDeadline(time.Now().Add(p.server.patience()))
		err = conn.Renegotiate(ctx)
	})
	hellos := 0
	for _, m := range sp.messages {
		if m.Type == iana.ServerHello {
			hellos++
		}
	}
	refusal, alerted := errors.AsType[*alert.Received](err)
	switch {
	case sp.err != nil:
		return NotTold, "", words(sp.err)
	case hellos > 1:
		return Yes, Seen, "it answered a ClientHello inside the connection"
	case alerted:
		return No, Seen, "alert " + refusal.Description.String()
	case timedOut(err):
		return NotTold, "", "silent"
	}
	return No, Inferred, "it ended the connection"
}

// offerTicket sends a hello with a ticket of handshake12's and a session ID, by whose echo a server
// says that it resumes. See RFC 5077 §3.4.
func (p *prober) offerTicket(ctx context.Context, ticket, id []byte, name string) *Answer {
	o := p.base().with(func(m *message.ClientHello) {
		m.SessionID = id
		for i := range m.Extensions {
			if m.Extensions[i].Type == iana.ExtSessionTicket {
				m.Extensions[i].Data = ticket
			}
		}
	})
	o.Name = name
	return p.server.insist(ctx, o)
}

// askTicketbleed offers a ticket with a short session ID. A server of F5's before 2017 echoes 32
// bytes, those behind ours from its memory, which are not kept. See CVE-2016-9244.
func askTicketbleed(ctx context.Context, p *prober) (Told, How, string) {
	if p.report.Fact("session_ticket").Told != Yes {
		return NotApplicable, "", "no tickets until TLS 1.2"
	}
	t := p.first12().ticket(p.report.best(iana.TLS12).version)
	if t == nil {
		return NotTold, "", "no ticket came"
	}
	id := fresh(16)
	a := p.offerTicket(ctx, t.Ticket, id, "")
	switch {
	case a.Outcome != Accepted:
		return NotTold, "", a.Refusal()
	case len(a.Hello.SessionID) > len(id) && bytes.HasPrefix(a.Hello.SessionID, id):
		return Yes, Seen, fmt.Sprintf("it echoes %d bytes of a session ID of %d",
			len(a.Hello.SessionID), len(id))
	}
	return No, Seen, ""
}

// askOtherName offers a ticket under another name of the server's. It is allowed, and harmful where
// names differ in whose client certificates they accept (CVE-2025-23419).
func askOtherName(ctx context.Context, p *prober) (Told, How, string) {
	if p.report.Fact("session_ticket").Told != Yes {
		return NotApplicable, "", "no tickets until TLS 1.2"
	}
	other := p.otherName()
	if other == "" {
		return NotApplicable, "", "no second name of the server is known"
	}
	t := p.first12().ticket(p.report.best(iana.TLS12).version)
	if t == nil {
		return NotTold, "", "no ticket came"
	}
	a := p.offerTicket(ctx, t.Ticket, fresh(32), other)
	switch {
	case a.Outcome != Accepted:
		return NotTold, "", fmt.Sprintf("as %s: %s", other, a.Refusal())
	case a.Resumed:
		return Yes, Seen, "as " + other
	}
	return No, Seen, fmt.Sprintf("as %s it made a full handshake", other)
}

// otherName returns another name of the server than Name, or "".
func (p *prober) otherName() string {
	if p.server.Name == "" {
		return ""
	}
	for _, name := range p.server.OtherNames {
		if !strings.EqualFold(name, p.server.Name) {
			return name
		}
	}
	for _, c := range p.report.Chains {
		i := slices.IndexFunc(c.Names, func(n string) bool {
			return !strings.EqualFold(n, p.server.Name) && !strings.Contains(n, "*") &&
				net.ParseIP(n) == nil && isHostName(n)
		})
		if i >= 0 {
			return c.Names[i]
		}
	}
	return ""
}

// isHostName reports whether a name of a certificate can be sent as server_name.
func isHostName(name string) bool {
	return len(name) > 0 && len(name) < 254 && strings.Trim(strings.ToLower(name),
		"abcdefghijklmnopqrstuvwxyz0123456789-.") == "" && strings.Contains(name, ".")
}
