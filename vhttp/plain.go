package vhttp

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/cause"
)

// errPlain reports a client that speaks HTTP without TLS. Its text is that of net/http.
var errPlain = errors.New("client sent an HTTP request to an HTTPS server")

// answerPlain answers a client that spoke HTTP instead of TLS in the clear, as net/http does. It
// returns the error of the handshake, or errPlain. See RFC 9110 §15.5.1.
func answerPlain(raw net.Conn, err error) error {
	failed, ok := errors.AsType[*vitrine.HandshakeError](err)
	if !ok || !cause.IsHTTP(failed.First) {
		return err
	}
	raw.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(raw,
		"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
	return errPlain
}
