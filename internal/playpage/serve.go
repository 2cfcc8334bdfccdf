package playpage

import (
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/gate"
)

// Handler serves the page and its WebAssembly.
type Handler struct {
	page []byte
	wasm []byte // for clients that do not take brotli, which no browser is
	br   []byte
	tag  string // an ETag of the WebAssembly
}

// NewHandler returns a Handler for the assets.
func NewHandler(a *Assets) (*Handler, error) {
	page, err := write(a, "'self'")
	if err != nil {
		return nil, err
	}
	wasm, err := a.Wasm()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(a.Brotli)
	return &Handler{page: page, wasm: wasm, br: a.Brotli,
		tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}, nil
}

// ServeHTTP answers the requests of the page. The name in the request must be one of this machine:
// another name that leads here would be that of a page elsewhere (DNS rebinding).
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	gate.Protect(header, "default-src 'none'")
	gate.Unread(w, r)
	switch {
	case !ownName(r.Host):
		http.Error(w, "this name is not one of the playground's", http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are answered", http.StatusMethodNotAllowed)
	case r.URL.Path == "/":
		header.Set("Content-Type", "text/html; charset=utf-8")
		gate.Protect(header, Policy("'self'"))
		send(w, r, h.page)
	case r.URL.Path == "/playground.wasm":
		h.sendWasm(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (h *Handler) sendWasm(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "application/wasm")
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", h.tag)
	header.Set("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == h.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if !takesBrotli(r.Header.Get("Accept-Encoding")) {
		send(w, r, h.wasm)
		return
	}
	header.Set("Content-Encoding", "br")
	send(w, r, h.br)
}

func send(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Method == http.MethodGet {
		w.Write(body)
	}
}

// takesBrotli reports whether an Accept-Encoding field accepts brotli. See RFC 9110 §12.5.3.
func takesBrotli(accepts string) bool {
	for part := range strings.SplitSeq(accepts, ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(coding) == "br" {
			return strings.Trim(strings.TrimPrefix(strings.TrimSpace(weight), "q="), "0.") != "" ||
				weight == ""
		}
	}
	return false
}

// ownName reports whether a Host field names this machine: localhost, or an address.
func ownName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	return host == "localhost" || net.ParseIP(host) != nil
}
