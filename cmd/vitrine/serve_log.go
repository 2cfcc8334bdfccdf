package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/cause"
	"github.com/vitrine-tls/vitrine/internal/front"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// welcome prints what is served and how to connect to it.
func (h *host) welcome(addr net.Addr) {
	w := &bytes.Buffer{} // written at once: who waits for the first line finds them all
	defer func() { w.WriteTo(fit(h.cmd.ErrOrStderr())) }()
	_, port, _ := net.SplitHostPort(addr.String())
	where := addr.String()
	if a, ok := addr.(*net.TCPAddr); ok && a.IP.IsUnspecified() {
		where = net.JoinHostPort("127.0.0.1", port)
	}
	name, trust := "localhost", "-k"
	leaf := h.config.Certificates[0].Leaf
	if leaf != nil {
		for _, n := range diagnose.Names(leaf) {
			if !strings.Contains(n, "*") {
				name = n
				break
			}
		}
	}
	roots, curl := "", "curl "
	switch {
	case h.caOut != "":
		trust, roots = "--cacert "+quoted(h.caOut), " -CAfile "+quoted(h.caOut)
	case h.own == nil:
		trust, roots = "--cacert "+quoted(h.certs[0]), " -partial_chain -CAfile "+quoted(h.certs[0])
	}
	host, _, _ := net.SplitHostPort(where)
	if name != "localhost" && name != host {
		curl += fmt.Sprintf("--resolve %s:%s:%s ", name, port, host)
	}
	extra, legacy := h.ciphers()
	url := "https://" + net.JoinHostPort(name, port) + "/"
	fmt.Fprintf(w,
		"Vitrine TLS serves at %s, up to %v, policy %s (listening; SIGTERM or ^C ends it)\n", addr,
		highest(h.config), h.config.Policy.Name())
	if h.own != nil {
		fmt.Fprintf(w, "  certificate  made for %s, pin %s; trust it nowhere else\n",
			explain.Escape(strings.Join(h.names, ", ")), pinOf(leaf))
	}
	if !h.echo && h.forward == "" {
		fmt.Fprintf(w, "  %s%s%s %s\n", curl, trust, legacy, url)
	}
	if h.desk != nil {
		fmt.Fprintf(w, "  a browser shows the page of its own connection: %s\n", url)
	}
	fmt.Fprintf(w, "  openssl s_client -connect %s -servername %s%s%s\n", where, name, roots, extra)
	fmt.Fprintf(w, "  vitrine connect %s --sni %s%s\n", where, name,
		map[bool]string{true: " -k", false: " --ca " +
			quoted(strings.TrimPrefix(trust, "--cacert "))}[trust == "-k"])
	if h.rawKeys && leaf != nil {
		fmt.Fprintf(w, "  vitrine connect %s --raw-public-key --pin %s\n", where,
			quoted(pinOf(leaf)))
	}
}

// ciphers returns the flags that openssl and curl need for suites that are off in them.
func (h *host) ciphers() (openssl, curl string) {
	var names []string
	for _, id := range h.config.CipherSuites {
		names = append(names, iana.CipherSuite(id).OpenSSL())
	}
	if names == nil {
		return "", ""
	}
	list := strings.Join(names, ":")
	for _, id := range h.config.CipherSuites {
		if suite.Status(suite.ByID(iana.CipherSuite(id))) == suite.Insecure {
			list += ":@SECLEVEL=0"
			break
		}
	}
	return " -tls1_2 -cipher " + list, " --ciphers " + list + " --tls-max 1.2"
}

// complain writes an error to standard error, with everything made printable but its line feeds.
func (h *host) complain(err error) {
	var text strings.Builder
	for line := range strings.Lines("vitrine: " + err.Error() + "\n") {
		text.WriteString(explain.Escape(strings.TrimSuffix(line, "\n")) + "\n")
	}
	fmt.Fprint(fit(h.cmd.ErrOrStderr()), text.String())
}

// bug reports a panic that ended the connection of remote.
func (h *host) bug(remote net.Addr, err error) { h.complain(fmt.Errorf("%v: %w", remote, err)) }

// visit is one line of the log.
type visit struct {
	Time    string  `json:"time"`
	Remote  string  `json:"remote"`
	OK      bool    `json:"ok"`
	MS      float64 `json:"ms"`
	Version string  `json:"version,omitempty"`
	Suite   string  `json:"suite,omitempty"`
	Group   string  `json:"group,omitempty"`
	Name    string  `json:"server_name,omitempty"`
	ALPN    string  `json:"alpn,omitempty"`
	Client  string  `json:"client,omitempty"`
	Late    bool    `json:"post_handshake_auth,omitempty"` // the client showed itself later
	Resumed bool    `json:"resumed,omitempty"`
	Early   string  `json:"early_data,omitempty"` // accepted or rejected
	// EarlyWhy is why early data was rejected, with the section.
	EarlyWhy string `json:"early_data_reason,omitempty"`
	Plain    bool   `json:"plain_http,omitempty"`
	Error    string `json:"error,omitempty"`
	Cause    string `json:"cause,omitempty"` // inferred
}

// report logs the result of a handshake.
func (h *host) report(v front.Visit) {
	line := visit{Time: v.At.UTC().Format(time.RFC3339), Remote: v.Remote.String(),
		OK: v.Err == nil, MS: float64(v.Took.Microseconds()) / 1000, Plain: v.Plain}
	switch s := v.State; {
	case v.Err == nil:
		line.setNegotiated(s)
		if s.EarlyData != vitrine.EarlyDataNone {
			line.Early, line.EarlyWhy = s.EarlyData.String(), s.EarlyDataReason
		}
	case v.Plain:
		line.Error = "plain HTTP on a TLS port"
	case len(v.First) == 0 && left(v.Err):
		line.Error = "came and left without a word: a health check, or a scan"
	default:
		line.Error = strings.TrimPrefix(v.Err.Error(), "vitrine: ") + limitOf(v.Err)
		if f, ok := diagnose.Of(v.Err); ok && !errors.Is(v.Err, front.ErrRoom) {
			line.Error = refusal(f) + limitOf(v.Err)
			f.First = v.First
			if what, foreign := f.Foreign(); foreign {
				line.Error = "not TLS: " + what
			}
			line.Name = askedFor(f.Offered)
			line.Cause = strings.Join(f.Explain().Inferred, "; ")
		}
	}
	if h.view != nil {
		h.view.report(v, line)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.put(line)
	h.show(v, line)
}

// The most bytes that a line of the log, as text, has of an error and of its cause. JSON has all.
const (
	maxError = 200
	maxCause = 150
)

// lists matches what an error lists.
var lists = regexp.MustCompile(`\[[^\[\]]*\]`)

// fewer returns an error with the first three entries of each list, so that what follows a list
// is not cut.
func fewer(text string) string {
	return lists.ReplaceAllStringFunc(text, func(list string) string {
		names := strings.Fields(list[1 : len(list)-1])
		if len(names) < 5 {
			return list
		}
		return fmt.Sprintf("[%s and %d more]", strings.Join(names[:3], " "), len(names)-3)
	})
}

// cutText returns the first n bytes of a text, at most, without half a character.
func cutText(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}

// refusal says why a handshake failed.
func refusal(f *diagnose.Failure) string {
	if f.Trust != nil {
		return cause.DistrustOf(
			iana.Client,
			f.Trust.Err,
			f.Trust.UnverifiedCertificates,
			time.Now(),
		)
	}
	return strings.TrimPrefix(f.Err.Error(), "vitrine: ")
}

// limitOf returns which flag sets the limit that an error is about, in parentheses.
func limitOf(err error) string {
	switch {
	case errors.Is(err, front.ErrFull):
		return " (--max-conns)"
	case errors.Is(err, front.ErrShare):
		return " (--max-per-addr)"
	}
	return ""
}

// left reports whether a client closed or reset the connection.
func left(err error) bool {
	f, ok := diagnose.Of(err)
	return ok && (f.Gone == diagnose.Closed || f.Gone == diagnose.Reset)
}

// put writes a line of the log. h.mu must be held.
func (h *host) put(line visit) {
	if h.json {
		writeJSON(h.out, line)
	} else {
		fmt.Fprintln(fit(h.out), line.text())
	}
}

// setNegotiated fills in what was negotiated.
func (v *visit) setNegotiated(s vitrine.ConnectionState) {
	v.Version, v.Suite, v.Group = iana.Version(s.Version).String(),
		iana.CipherSuite(s.CipherSuite).String(), s.GroupName
	v.Name, v.ALPN, v.Resumed, v.Client = s.ServerName, s.NegotiatedProtocol, s.DidResume,
		front.ClientName(s)
}

// askedFor returns the host name that a client asked for, or an empty string if it is not valid: an
// invalid one must not fill the log.
func askedFor(ch *message.ClientHello) string {
	if ch == nil {
		return ""
	}
	return negotiation.HostName(ch)
}

// text returns the line for people: time, client, and what was negotiated or why it failed.
func (v *visit) text() string {
	words := []string{v.Time, v.Remote}
	if !v.OK {
		words = append(words, "failed:", cutText(fewer(v.Error), maxError))
		if v.Cause != "" && v.Cause != v.Error {
			words = append(words, "("+cutText(v.Cause, maxCause)+")")
		}
		return explain.Escape(strings.Join(words, " "))
	}
	words = append(words, v.Version, v.Suite)
	for _, f := range []struct{ name, value string }{{"group", v.Group}, {"sni", v.Name},
		{"alpn", v.ALPN}, {"client", v.Client}} {
		if f.value != "" {
			words = append(words, f.name+"="+quoted(f.value))
		}
	}
	if v.Late {
		words = append(words, "after the handshake")
	}
	if v.Resumed {
		words = append(words, "resumed")
	}
	if v.Early != "" {
		early := "early data " + v.Early
		if v.EarlyWhy != "" {
			early += ": " + v.EarlyWhy + ","
		}
		words = append(words, early)
	}
	return explain.Escape(strings.Join(append(words, fmt.Sprintf("%.1f ms", v.MS)), " "))
}

// configFor returns the Config of a connection, which gets a sink for its events if somebody wants
// them: see visitorOf.
func (h *host) configFor(c net.Conn) *vitrine.Config {
	if h.glass != nil || h.desk != nil || h.view != nil {
		h.receive(c)
	}
	return h.current.Load()
}

// receive makes the visitor of a connection.
func (h *host) receive(c net.Conn) {
	v := &visitor{}
	if h.glass != nil {
		v.glass = &recorder{}
	}
	if h.desk != nil {
		from := c.RemoteAddr()
		v.page, v.leave = h.desk.recorder(from), func() { h.desk.leave(from) }
	}
	if h.view != nil {
		v.live = h.view.visit(c)
	}
	front.Keep(c, v)
}

// show prints the handshake of a connection that --glass selects. h.mu must be held.
func (h *host) show(v front.Visit, line visit) {
	watched := visitorOf(v.Conn)
	if watched == nil || watched.glass == nil {
		return
	}
	r := watched.glass
	r.stop()
	if !h.matches(line) {
		return
	}
	w := h.out
	if h.json {
		w = h.cmd.ErrOrStderr()
	}
	entries := r.entries()
	if !spoken(entries) {
		return // the line of the log names what came instead of TLS
	}
	if !h.reveal {
		var err error
		if entries, err = redacted(entries); err != nil {
			return
		}
	}
	style, _ := styleOf(w, h.color)
	level, _ := levelOf(h.detail)
	run := explain.Run{Command: h.cmd.CommandPath(), Client: line.Remote, Server: h.listen,
		Handshake: v.Took}
	if err := tellStory(w, explain.Tell(entries, run), entries, level, style); err != nil {
		fmt.Fprintf(h.cmd.ErrOrStderr(), "vitrine: --glass: %s\n", explain.Escape(err.Error()))
	}
}

// spoken reports whether there is a message or an alert to show.
func spoken(entries []trace.Entry) bool {
	return slices.ContainsFunc(entries, func(e trace.Entry) bool {
		switch e.Event.(type) {
		case *trace.Message, *trace.Alert:
			return true
		}
		return false
	})
}

// matches reports whether one of the filters of --glass matches.
func (h *host) matches(v visit) bool {
	host, _, _ := net.SplitHostPort(v.Remote)
	for _, filter := range h.glass {
		if filter == "all" || filter == "failed" && !v.OK {
			return true
		}
		for _, what := range []string{host, v.Remote, v.Name} {
			if ok, err := path.Match(filter, what); ok && err == nil && what != "" {
				return true
			}
		}
	}
	return false
}
