package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/explain"
)

// show writes the report, or what is left of it.
func (c *caller) show(cmd *cobra.Command, r *report) error {
	if c.json {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	out := c.reportTo(cmd)
	r.writeHead(out)
	r.writeTail(out)
	return nil
}

// lines writes the lines of a report: a name, and a text that is wrapped beside it. Everything is
// made printable, because much of it comes from a peer.
type lines struct{ w io.Writer }

func (l lines) put(name, format string, args ...any) {
	text := wrap(explain.Escape(fmt.Sprintf(format, args...)), l.width()-14)
	for i, part := range text {
		if i > 0 {
			name = ""
		}
		fmt.Fprintf(l.w, "%s\n", strings.TrimRight(fmt.Sprintf("  %-11s %s", name, part), " "))
	}
}

func (l lines) width() int {
	if f, ok := l.w.(*fitted); ok {
		return min(usualWidth, f.width)
	}
	return usualWidth
}

func (l lines) title(text string) { fmt.Fprintln(l.w, explain.Escape(text)) }

// writeHead writes what is known after the handshake.
func (r *report) writeHead(w io.Writer) {
	if r.headWritten {
		return
	}
	r.headWritten = true
	l := lines{w}
	l.title("Vitrine TLS offers up to " + r.Offers + " · connect " + r.Target)
	l.title("WAY")
	for _, p := range r.Phases {
		switch {
		case p.Error != "" && p.Name == "tls":
			l.put(p.Name, "failed after %s", ms(p.took))
		case p.slower:
			l.put(p.Name, "%s: given up after %s: %s", p.Detail, ms(p.took), p.Error)
		case p.Error != "":
			l.put(p.Name, "%s: failed after %s: %s", p.Detail, ms(p.took), p.Error)
		default:
			l.put(p.Name, "%s: %s", p.Detail, ms(p.took))
		}
	}
	if r.Offered != nil {
		r.Offered.write(l)
	}
	r.writeNegotiated(l)
	if r.ClientAuth != nil {
		if r.Negotiated == nil {
			l.title("CLIENT")
		}
		r.ClientAuth.write(l)
	}
	r.writeChain(l)
	if len(r.Concerns)+len(r.Remarks) > 0 {
		l.title("TO KNOW")
	}
	for _, c := range r.Concerns {
		l.put(c.Level, "%s: %s (%s)", c.What, c.Reason, c.Ref)
	}
	for _, remark := range r.Remarks {
		l.put("TLS 1.3", "%s", remark)
	}
}

func (r *report) writeNegotiated(l lines) {
	n := r.Negotiated
	if n == nil {
		return
	}
	l.title("NEGOTIATED")
	l.put("version", "%s", n.Version)
	suite := n.Suite
	if n.OpenSSL != "" && n.OpenSSL != n.Suite {
		suite += " (" + n.OpenSSL + ")"
	}
	l.put("suite", "%s", suite)
	secret := "forward secret"
	if !n.ForwardSecret {
		secret = "NOT forward secret"
	}
	l.put("exchange", "%s", explain.Join(", ", n.KeyExchange, n.Group, secret))
	if n.Retry {
		l.put("retry", "the server asked for %s: HelloRetryRequest, one round trip more",
			explain.Join(" and ", n.RetryFor...))
	}
	if n.Signature != "" {
		l.put("signature", "%s", n.Signature)
	}
	if n.ALPN != "" {
		l.put("protocol", "%s", n.ALPN)
	}
	if len(n.Extensions) > 0 {
		l.put("with", "%s", strings.Join(n.Extensions, ", "))
	}
	if len(n.Without) > 0 {
		l.put("without", "%s", strings.Join(n.Without, ", "))
	}
}

func (r *report) writeChain(l lines) {
	if len(r.Chain) == 0 {
		if r.Trust != "" {
			l.put("trust", "%s", r.Trust)
		}
		return
	}
	l.title("CERTIFICATES")
	const day = "2006-01-02"
	for i, c := range r.Chain {
		l.put(fmt.Sprintf("%d subject", i), "%s", orNone(c.Subject))
		if len(c.Names) > 0 {
			l.put("  names", "%s", strings.Join(c.Names, ", "))
		}
		l.put("  issuer", "%s", orNone(c.Issuer))
		l.put("  valid", "%s to %s, %s", c.NotBefore.Format(day), c.NotAfter.Format(day),
			validity(c, time.Now()))
		l.put("  key", "%s, signed with %s", c.Key, c.Signed)
		l.put("  pin", "%s", c.Pin)
		l.put("  SHA-256", "%s", c.SHA256)
	}
	if r.Trusted != nil && !*r.Trusted {
		l.put("not trusted", "%s", r.Trust)
	} else if r.Trust != "" {
		l.put("trust", "%s", r.Trust)
	}
}

func orNone(s string) string {
	if s == "" {
		return "(empty)"
	}
	return s
}

func validity(c *certReport, now time.Time) string {
	switch {
	case now.Before(c.NotBefore):
		return "not yet"
	case now.After(c.NotAfter):
		return "expired " + diagnose.Age(now.Sub(c.NotAfter)) + " ago"
	}
	return diagnose.Age(c.NotAfter.Sub(now)) + " left"
}

// writeTail writes how the connection ended or why it failed.
func (r *report) writeTail(w io.Writer) {
	l := lines{w}
	if r.Answer != "" || r.Resumption != nil || r.Tickets != nil || r.End != "" {
		l.title("END")
	}
	if r.Answer != "" {
		l.put("http", "%s", r.Answer)
	}
	if r.AnswerHint != "" {
		l.put("hint", "%s", r.AnswerHint)
	}
	if r.End != "" {
		l.put("close", "%s", r.End)
	}
	if r.Renegotiation != "" {
		l.put("again", "%s", r.Renegotiation)
	}
	if r.KeyUpdate != "" {
		l.put("key update", "%s", r.KeyUpdate)
	}
	if r.LateCert != "" {
		l.put("client cert", "%s", r.LateCert)
	}
	if r.Tickets != nil {
		l.put("tickets", "%s", r.Tickets.text())
	}
	if r.EarlyData != nil {
		l.put("early data", "%s", r.EarlyData.text())
	}
	if r.Resumption != nil {
		l.put("resumption", "%s", r.Resumption.text())
	}
	if r.Failure != nil {
		r.Failure.write(l)
	}
}

// failureReport has the reasons for a failure and what to do about it.
type failureReport struct {
	Seen     []string      `json:"seen"`
	Found    []string      `json:"found,omitempty"` // by questions to the server, after the failure
	Inferred []string      `json:"inferred,omitempty"`
	Tried    []tried       `json:"tried,omitempty"`
	Proved   string        `json:"proved,omitempty"`
	Cause    string        `json:"cause,omitempty"` // what the change that works shows
	Works    string        `json:"works_with,omitempty"`
	Go       string        `json:"go,omitempty"`
	Costs    string        `json:"costs,omitempty"`
	Try      []string      `json:"try,omitempty"`
	Ref      string        `json:"ref,omitempty"`
	hopeless string        // why no change can help
	shown    bool          // about our own certificate
	fails    string        // at what the server fails, as far as its answers show
	missing  string        // what the server needs and our offer lacks
	took     time.Duration // of the failed handshake
	repin    []flagChange  // the pin of the server's key, if --pin has another
	second   string        // why the certificate is not trusted, once a change has helped
}

type tried struct {
	Change string `json:"change"`
	Result string `json:"result"`
}

func (f *failureReport) write(l lines) {
	l.title("FAILED")
	for _, s := range f.Seen {
		l.put("seen", "%s", s)
	}
	for _, s := range f.Inferred {
		l.put("inferred", "%s", s)
	}
	for _, s := range f.Found {
		l.put("found", "%s", s)
	}
	for _, t := range f.Tried {
		l.put("tried", "%s: %s", t.Change, t.Result)
	}
	if f.Proved != "" {
		l.put("proved", "%s", explain.Join(": ", f.Proved, f.Cause))
	}
	if f.Works != "" {
		fmt.Fprintf(l.w, "works with: %s\n", explain.Escape(f.Works))
	}
	switch {
	case strings.HasSuffix(f.Go, ")"): // a call
		fmt.Fprintf(l.w, "in Go:      %s\n", explain.Escape(f.Go))
	case f.Go != "":
		fmt.Fprintf(l.w, "in Go:      vitrine.Config{%s}\n", explain.Escape(f.Go))
	}
	if f.Costs != "" {
		for i, part := range wrap("what it costs: "+f.Costs, l.width()-2) {
			if i > 0 {
				part = "  " + part
			}
			fmt.Fprintln(l.w, part)
		}
	}
	for _, t := range slices.Compact(f.Try) {
		fmt.Fprintf(l.w, "try:        %s\n", explain.Escape(t))
	}
}
