package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
)

// earlyReport is the result of sending the request again as early data (0-RTT).
type earlyReport struct {
	Status string  `json:"status"` // accepted, rejected or not sent
	Reason string  `json:"reason,omitempty"`
	Bytes  int     `json:"bytes,omitempty"`
	MS     float64 `json:"ms,omitempty"` // from the ClientHello to the first byte of the answer
	Answer string  `json:"http_status,omitempty"`
}

const notSent = "not sent"

// early makes the request of --get again in a second connection, as early data.
func (c *caller) early(cmd *cobra.Command, request string) *earlyReport {
	e := &earlyReport{Status: notSent}
	raw, _, err := c.way.Go(cmd.Context())
	if err != nil {
		e.Reason = briefly(err)
		return e
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(c.timeout))
	conn := vitrine.Client(raw, c.config)
	protocol, ok := conn.EarlyProtocol()
	switch {
	case !ok:
		e.Reason = "the first connection brought no ticket that allows early data"
		return e
	case protocol != "" && protocol != "http/1.1":
		e.Reason = fmt.Sprintf("the first connection spoke %q, and --get speaks HTTP/1.1", protocol)
		return e
	}
	began := time.Now()
	if _, err := conn.WriteEarly([]byte(request)); err != nil {
		e.Reason = briefly(err)
		return e
	}
	e.Bytes = len(request)
	switch err := conn.HandshakeContext(cmd.Context()); {
	case errors.Is(err, vitrine.ErrEarlyDataRejected):
		e.Status, e.Reason = "rejected", "the session was resumed"
		if !conn.ConnectionState().DidResume {
			e.Reason = "neither was the session resumed"
		}
		conn.Close()
		return e
	case err != nil:
		e.Status, e.Reason = "failed", briefly(err)
		return e
	}
	e.Status = "accepted"
	e.answer(conn, began)
	conn.Close()
	return e
}

// answer reads the head of the answer.
func (e *earlyReport) answer(conn *vitrine.Conn, began time.Time) {
	in := bufio.NewReader(io.LimitReader(conn, maxHead))
	_, err := in.Peek(1)
	e.MS = float64(time.Since(began).Microseconds()) / 1000
	var response *http.Response
	if err == nil {
		response, err = finalResponse(in)
	}
	if err != nil {
		e.Reason = "no answer: " + briefly(err)
		return
	}
	e.Answer = response.Proto + " " + response.Status
}

// text returns the result in a sentence.
func (e *earlyReport) text() string {
	switch e.Status {
	case "accepted":
		text := fmt.Sprintf("accepted: %d bytes went with the second connection's first flight, "+
			"and the server says that it takes them", e.Bytes)
		if e.Answer == "" {
			return text + "; " + e.Reason
		}
		return fmt.Sprintf("%s; %s, %.1f ms after the ClientHello", text, e.Answer, e.MS)
	case "rejected":
		return fmt.Sprintf("rejected: %d bytes went with the second connection's first flight, "+
			"and the server ignored them; they were not sent again; %s", e.Bytes, e.Reason)
	}
	return e.Status + ": " + e.Reason
}
