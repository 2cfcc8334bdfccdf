package front

import (
	"crypto/tls"
	"io"
	"net/http"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// maxAsideBody is how much of a request's body is read, and dropped, before its client is asked for
// a certificate.
const maxAsideBody = 64 << 10

// AskClients returns a handler that asks a client of TLS 1.3 for a certificate before its first
// request is passed to next, and waits for the answer for at most timeout. auth judges it; if it
// demands a certificate, a request without one is answered 403 (Forbidden). proved is called when a
// certificate was accepted. next gets requests without their bodies.
//
// The answer is received by the read that net/http has in flight while a handler runs, which there
// is in HTTP/1.1 once the body was read. HTTP/2 forbids the request: RFC 9113 §9.2.3.
func AskClients(next http.Handler, auth tls.ClientAuthType, timeout time.Duration,
	proved func(*vitrine.Conn)) http.Handler {
	demanded := auth == tls.RequireAnyClientCert || auth == tls.RequireAndVerifyClientCert
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := vhttp.Conn(r)
		if n, err := io.Copy(io.Discard, io.LimitReader(r.Body, maxAsideBody+1)); err != nil ||
			n > maxAsideBody {
			http.Error(w, "the body is too long", http.StatusRequestEntityTooLarge)
			return
		}
		why := "your client does not say that it can be asked for one after the handshake"
		if c != nil && c.ClientAnswer() == nil && c.RequestClientCertificate(auth) == nil {
			why = "your client has not shown one"
			wait := time.NewTimer(timeout)
			defer wait.Stop()
			select {
			case <-c.ClientAnswer():
				if len(c.ConnectionState().PeerCertificates) > 0 {
					proved(c)
				}
			case <-r.Context().Done():
				panic(http.ErrAbortHandler) // the answer was refused, or the client is gone
			case <-wait.C:
				w.Header().Set("Connection", "close")
			}
		}
		if demanded && (c == nil || len(c.ConnectionState().PeerCertificates) == 0) {
			http.Error(w, "this needs a client certificate, and "+why, http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
