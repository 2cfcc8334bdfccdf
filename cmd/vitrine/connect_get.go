package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/reach"
)

// The request of --get, and why it failed.

// httpRequest returns the request of --get.
func (c *caller) httpRequest() string {
	host := c.config.ServerName
	if host == "" {
		host = c.target.host
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if c.target.port != "443" {
		host += ":" + c.target.port
	}
	return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: vitrine\r\nAccept: */*\r\n"+
		"Connection: close\r\n\r\n", c.path(), host)
}

// path returns the path of --get.
func (c *caller) path() string {
	if strings.HasPrefix(c.get, "/") || c.get == "*" {
		return c.get
	}
	return "/" + c.get
}

// request makes one HTTP request. The body goes to standard output.
func (c *caller) request(cmd *cobra.Command, a *attempt, r *report) error {
	path := c.path()
	if strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7F }) {
		return &usageError{fmt.Sprintf("--get takes a path without spaces and control "+
			"characters, got %q", path), cmd.CommandPath() + " " + quoted(c.target.String()) +
			" --get /"}
	}
	if c.json {
		return c.requestTo(io.Discard, a, r)
	}
	return c.requestTo(c.progress.beside(printable(cmd.OutOrStdout())), a, r)
}

// requestTo makes the request of --get and writes the body to out.
func (c *caller) requestTo(out io.Writer, a *attempt, r *report) error {
	defer c.progress.during("waiting for the answer to --get " + explain.Escape(c.path()))()
	failed := &requestError{path: c.path(), within: c.timeout}
	a.conn.SetDeadline(time.Now().Add(c.timeout))
	if _, failed.err = io.WriteString(a.conn, c.httpRequest()); failed.err != nil {
		return failed
	}
	// net/http itself takes a head of any length
	limited := &io.LimitedReader{R: &untilCut{a}, N: maxHead}
	answer := &countedReader{Reader: limited}
	response, err := finalResponse(bufio.NewReader(answer))
	failed.began = answer.bytes > 0
	if err != nil {
		failed.long, failed.ended = limited.N <= 0, a.left || a.cut
		failed.err = err
		return failed
	}
	limited.N = math.MaxInt64
	defer response.Body.Close()
	r.Answer = response.Proto + " " + response.Status
	r.AnswerHint = r.uncertified(response.StatusCode)
	failed.body = true
	failed.got, failed.err = io.Copy(out, &untimed{response.Body, a.conn, c.timeout})
	if failed.length = response.ContentLength; failed.err != nil {
		return failed
	}
	return nil
}

// uncertified says that an answer may be one for want of a client certificate, as nginx's 400 is.
func (r *report) uncertified(status int) string {
	switch status {
	case 400, 401, 403, 495, 496:
		if r.ClientAuth != nil && r.ClientAuth.Shown == "none" {
			return "the server asked for a client certificate and got none, which may be why"
		}
	}
	return ""
}

// finalResponse reads the head of an answer, and of those that inform before it: RFC 9110 §15.2.
func finalResponse(in *bufio.Reader) (*http.Response, error) {
	for {
		response, err := http.ReadResponse(in, nil)
		if err != nil || response.StatusCode >= 200 ||
			response.StatusCode == http.StatusSwitchingProtocols {
			return response, err
		}
	}
}

// requestError says why the request of --get failed.
type requestError struct {
	path        string
	within      time.Duration // how long was waited
	began       bool          // there is some of an answer
	long        bool          // its head is longer than maxHead
	ended       bool          // the stream ended in its head, wherever that was
	body        bool          // its head was read
	got, length int64         // of the body; length is -1 if the head does not tell it
	err         error
}

func (e *requestError) Unwrap() error { return e.err }

func (e *requestError) Error() string {
	during := "before it answered --get " + e.path
	switch {
	case e.body && e.length >= 0:
		during = fmt.Sprintf("after %d of the %d bytes of its answer to --get %s", e.got, e.length,
			e.path)
	case e.body:
		during = fmt.Sprintf("after %d bytes of its answer to --get %s", e.got, e.path)
	case e.began:
		during = "in the head of its answer to --get " + e.path
	}
	received, alerted := errors.AsType[*alert.Received](e.err)
	timeout, network := errors.AsType[net.Error](e.err)
	switch {
	case e.long:
		return fmt.Sprintf("the head of the answer to --get %s does not end in %d bytes", e.path,
			maxHead)
	case alerted:
		return fmt.Sprintf("the server sent the alert %v %s", received.Description, during)
	case network && timeout.Timeout(), errors.Is(e.err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("the server fell silent %s: nothing came for %v", during, e.within)
	case network && errors.Is(e.err, syscall.ECONNRESET),
		network && errors.Is(e.err, syscall.EPIPE): // not of our own output
		return "the server reset the connection " + during
	case e.ended, errors.Is(e.err, io.EOF), errors.Is(e.err, io.ErrUnexpectedEOF):
		return "the server ended the connection " + during
	case e.began && !e.body:
		why := []rune(reach.Words(e.err))
		if len(why) > maxQuoted {
			why = append(why[:maxQuoted:maxQuoted], '…')
		}
		return fmt.Sprintf("what the server answers to --get %s is not HTTP/1: %s", e.path,
			string(why))
	}
	return fmt.Sprintf("--get %s: %s", e.path, reach.Words(e.err))
}

// countedReader counts the bytes that were read.
type countedReader struct {
	io.Reader
	bytes int64
}

func (r *countedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.bytes += int64(n)
	return n, err
}

// untilCut reads to the end of the stream, and notes how it ended. Between two records it ends with
// io.EOF, as in curl and net/http, because the body of an HTTP/1.0 answer often ends like that.
type untilCut struct{ *attempt }

func (u *untilCut) Read(p []byte) (int, error) {
	n, err := u.conn.Read(p)
	if e, ok := errors.AsType[*vitrine.TruncatedError](err); ok && !e.Partial {
		u.cut, err = true, io.EOF
	} else if errors.Is(err, io.EOF) {
		u.left = true
	}
	return n, err
}

// maxQuoted is how much of an error is shown that may quote the server.
const maxQuoted = 200

// maxHead bounds the head of an HTTP answer, in bytes.
const maxHead = 1 << 20

// untimed sets the read deadline anew before each Read.
type untimed struct {
	io.Reader
	conn    net.Conn
	timeout time.Duration
}

func (u *untimed) Read(p []byte) (int, error) {
	u.conn.SetReadDeadline(time.Now().Add(u.timeout))
	return u.Reader.Read(p)
}
