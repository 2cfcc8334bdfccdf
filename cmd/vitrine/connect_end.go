package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/internal/reach"
)

// briefly returns in a few words why a try failed.
func briefly(err error) string {
	if r, ok := errors.AsType[*alert.Received](err); ok {
		return "the server sends " + r.Description.String()
	}
	if t, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return diagnose.Distrust(t.Err, t.UnverifiedCertificates, time.Now())
	}
	if e, ok := errors.AsType[*alert.Error](err); ok {
		return e.Error()
	}
	failure, ok := diagnose.Of(err)
	switch {
	case timedOut(err) && ok && len(failure.First) > 0:
		return "the server does not end its answer"
	case timedOut(err):
		return "the server sends nothing"
	case errors.Is(err, syscall.ECONNRESET):
		return "the server resets the connection"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the server closes the connection"
	}
	return strings.TrimPrefix(reach.Words(err), "vitrine: ")
}

// timedOut reports whether err says that a time limit has passed.
func timedOut(err error) bool {
	timeout, network := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		network && timeout.Timeout()
}

// ending closes the connection and returns who closed it and how. It sends close_notify, and waits
// a moment for the server's.
func (c *caller) ending(a *attempt) string {
	defer c.progress.during("waiting for the server's close_notify")()
	ours := a.conn.CloseWrite()
	a.conn.SetReadDeadline(time.Now().Add(min(c.timeout, farewell)))
	rest := &io.LimitedReader{R: a.conn, N: 1 << 20}
	more, err := io.Copy(io.Discard, rest)
	_, _, end := a.raw.Received()
	a.conn.Close()
	if e, ok := errors.AsType[*alert.Error](err); ok {
		return fmt.Sprintf("we ended the connection with the alert %v: %v", e.Alert, e)
	}
	if rest.N == 0 || more > 0 && timedOut(err) {
		return "we said close_notify; the server went on sending"
	}
	switch {
	case a.cut:
		return "the server closed TCP (FIN) without close_notify: what it said may have been cut"
	case a.left, ours != nil && err == nil:
		return "the server said close_notify first"
	case ours != nil && end == reach.FIN:
		return "the server closed TCP (FIN) without close_notify"
	case ours != nil && end == reach.Reset:
		return "the server reset the connection"
	case err == nil && c.gets: // it may have left after its answer
		return "both sides said close_notify"
	case err == nil:
		return "we said close_notify; the server answered close_notify"
	case end == reach.FIN:
		return "we said close_notify; the server closed TCP (FIN) without close_notify"
	case end == reach.Reset:
		return "we said close_notify; the server reset the connection"
	}
	a.refused(err)
	if r, ok := errors.AsType[*alert.Received](err); ok {
		return "we said close_notify; the server sent the alert " + r.Description.String()
	}
	return "we said close_notify; the server said nothing more, and left the connection open"
}

// farewell bounds the wait for the server's close_notify.
const farewell = 2 * time.Second
