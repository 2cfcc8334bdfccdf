package front

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// greeting is what a client is told about its connection.
type greeting struct {
	Version    string   `json:"version"`
	Suite      string   `json:"suite"`
	Group      string   `json:"group,omitempty"`
	ServerName string   `json:"server_name,omitempty"`
	Protocol   string   `json:"protocol,omitempty"`
	Client     string   `json:"client,omitempty"`
	With       []string `json:"with,omitempty"`
	Resumed    bool     `json:"resumed,omitempty"`
	EarlyData  bool     `json:"early_data,omitempty"`
	Concerns   []string `json:"concerns,omitempty"`

	tls13 bool
}

// Hello tells a client what was negotiated, in JSON if it accepts JSON and else as text, and ends
// the connection.
func Hello(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Connection", "close")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	c := vhttp.Conn(r)
	if c == nil {
		fmt.Fprintln(w, "hello from Vitrine TLS")
		return
	}
	g := greet(c.ConnectionState(), r)
	if Accepts(r, "application/json") {
		h.Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(g)
		return
	}
	g.write(w)
}

// Accepts reports whether a request names a media type among those that it accepts. A range such as
// */* names none.
func Accepts(r *http.Request, mediaType string) bool {
	for _, line := range r.Header.Values("Accept") {
		for item := range strings.SplitSeq(line, ",") {
			name, parameters, _ := strings.Cut(item, ";")
			if strings.EqualFold(strings.TrimSpace(name), mediaType) {
				q := strings.TrimRight(strings.ReplaceAll(parameters, " ", ""), "0.")
				return q != "q=" // q=0 refuses it
			}
		}
	}
	return false
}

func greet(s vitrine.ConnectionState, r *http.Request) *greeting {
	return &greeting{Version: iana.Version(s.Version).String(),
		Suite: iana.CipherSuite(s.CipherSuite).String(), Group: s.GroupName,
		ServerName: s.ServerName, Protocol: s.NegotiatedProtocol, Client: ClientName(s),
		With: with(s), Resumed: s.DidResume, EarlyData: r.Header.Get("Early-Data") == "1",
		Concerns: s.Concerns, tls13: s.Version == vitrine.VersionTLS13}
}

func (g *greeting) write(w http.ResponseWriter) {
	fmt.Fprintf(w, "hello from behind the glass\n\nversion      %v\nsuite        %v\n", g.Version,
		g.Suite)
	for _, f := range []struct{ name, value string }{
		{"group", g.Group}, {"server name", g.ServerName}, {"protocol", g.Protocol},
		{"client", g.Client}, {"with", strings.Join(g.With, ", ")},
	} {
		if f.value != "" {
			fmt.Fprintf(w, "%-12s %q\n", f.name, f.value)
		}
	}
	switch {
	case g.Resumed && g.tls13:
		fmt.Fprintln(w, "resumed      yes: by a ticket and a new key exchange, no certificate")
	case g.Resumed:
		fmt.Fprintln(w, "resumed      yes: no key exchange, no certificate")
	}
	if g.EarlyData {
		fmt.Fprintln(w, "early data   yes: this request came before the handshake was done")
	}
	for _, concern := range g.Concerns {
		fmt.Fprintf(w, "! %s\n", concern)
	}
}

func with(s vitrine.ConnectionState) (names []string) {
	for name, on := range map[string]bool{"extended_master_secret": s.ExtendedMasterSecret,
		"encrypt_then_mac": s.EncryptThenMAC} {
		if on {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// ClientName returns the subject of the client's certificate, or the pin of its raw public key,
// with a remark if nobody knows whether it is true. It returns an empty string if the client showed
// none.
func ClientName(s vitrine.ConnectionState) string {
	const anybody = " (unauthenticated)"
	switch {
	case s.PeerRawPublicKey != nil:
		name := "raw public key " + pki.PinText(s.PeerRawPublicKey)
		if !s.PeerRawPublicKeyKnown {
			name += anybody
		}
		return name
	case len(s.PeerCertificates) == 0:
		return ""
	case s.VerifiedChains == nil:
		return s.PeerCertificates[0].Subject.String() + anybody
	}
	return s.PeerCertificates[0].Subject.String()
}
