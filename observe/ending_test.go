package observe_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
)

// The side that ended a handshake, and how, is reported for every version, whether its records can
// be read or not.
func TestTheSideThatEndedAHandshakeIsReported(t *testing.T) {
	fin := func(by iana.Side) *capture.Facts {
		f := &capture.Facts{Packets: [2]int{3, 3}, First: by}
		f.Endings[by] = capture.EndedFIN
		return f
	}
	says := func(from iana.Side, text string) segment { return segment{from, []byte(text)} }
	clients := func(s segment) bool { return s.from == iana.Client }
	notClients := func(s segment) bool { return !clients(s) }
	all := func(segment) bool { return true }
	for _, c := range []struct {
		id   string
		keep func(segment) bool // of what follows the ClientHello
		add  []segment
		by   *capture.Facts
		code observe.Code
		want string
	}{
		{ephemeral, notClients, nil, fin(iana.Client), observe.HandshakeFailed,
			"the client closed the connection (FIN) after the server's server_hello_done"},
		{ephemeral, func(segment) bool { return false }, nil, fin(iana.Server),
			observe.HandshakeFailed,
			"the server closed the connection (FIN) after the client's client_hello"},
		{ephemeral, notClients, []segment{says(iana.Client, "\x15\x03\x03\x00\x02\x02\x30")},
			fin(iana.Client), observe.HandshakeFailed,
			"the client ended the handshake with the alert unknown_ca"},
		{ephemeral, func(segment) bool { return false },
			[]segment{says(iana.Server, "SSH-2.0-x\r\n")}, fin(iana.Server),
			observe.HandshakeFailed, `in the clear, with SSH: "SSH-2.0-x"`},
		{ephemeral, notClients, nil, &capture.Facts{Packets: [2]int{3, 3}},
			observe.HandshakeNotCaptured, "does not have all of the handshake: it ends after the " +
				"server's server_hello_done, with neither FIN nor RST"},
		{ephemeral, notClients, []segment{says(iana.Client, "\x15\x03\x03\x00\x02\x01\x5a")},
			fin(iana.Client), observe.HandshakeFailed, // RFC 5246 §7.2.2
			"the client sent the alert user_canceled and closed the connection (FIN)"},
		{ephemeral, clients, nil, &capture.Facts{Packets: [2]int{3, 0}},
			observe.HandshakeNotCaptured, "none of the server's"},
		// In TLS 1.3 the end of the handshake is not readable without a secret.
		{modern, notClients, nil, fin(iana.Client), observe.HandshakeFailed,
			"before the handshake was done"},
		{modern, notClients, []segment{says(iana.Client,
			"\x17\x03\x03\x00\x13"+strings.Repeat("x", 19))}, fin(iana.Client),
			observe.HandshakeFailed, "the length of an alert"},
		{modern, notClients, []segment{says(iana.Client, "\x15\x03\x03\x00\x02\x02\x30")},
			fin(iana.Client), observe.HandshakeFailed,
			"the client ended the handshake with the alert unknown_ca in the clear"},
		{modern, all, nil, fin(iana.Client), observe.NoSecret, ""},
		{modern, notClients, nil, &capture.Facts{Packets: [2]int{3, 3}}, observe.NoSecret, ""},
	} {
		recording, _ := recorded(t, c.id)
		s := observe.Stream{New: func() *observe.Connection { return observe.New(nil, nil) },
			Facts: c.by}
		for i, x := range *recording {
			if i == 0 || c.keep(x) {
				s.Bytes(x.from, bytes.Clone(x.b))
			}
		}
		for _, x := range c.add {
			s.Bytes(x.from, x.b)
		}
		s.End()
		r := s.Report()
		if r.Reason == nil || r.Reason.Code != c.code ||
			!strings.Contains(r.Reason.Detail, c.want) {
			t.Errorf("%s: got %v, expected %v with %q", c.id, r.Reason, c.code, c.want)
		}
	}
}

// Connections that begin without TLS are named by their first bytes.
func TestProtocolsInTheClearAreNamed(t *testing.T) {
	for _, c := range []struct {
		says []segment
		want string
	}{
		{[]segment{{iana.Client, []byte("GET / HTTP/1.1\r\n\r\n")}}, "HTTP"},
		{[]segment{{iana.Server, []byte("SSH-2.0-x\r\n")}}, "SSH"},
		{[]segment{{iana.Server, []byte("220 mx\r\n")},
			{iana.Client, []byte("EHLO a\r\n")}}, "SMTP"},
		{[]segment{{iana.Server, []byte("220 mx\r\n")},
			{iana.Client, []byte("EHLO a\r\nSTARTTLS\r\n")},
			{iana.Server, []byte("454 no\r\n")}}, "STARTTLS, after which no TLS came"},
		{[]segment{{iana.Client, []byte("CONNECT a:443 HTTP/1.1\r\n\r\n")},
			{iana.Server, []byte("HTTP/1.1 403 Forbidden\r\n\r\n")}},
			"CONNECT to an HTTP proxy, after which no TLS came"},
		{[]segment{{iana.Client, []byte{1, 2, 3}}}, ""},
		{[]segment{{iana.Client, []byte("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10")}},
			"SSL 2.0, which is not read"},
	} {
		s := observe.Stream{New: func() *observe.Connection { return observe.New(nil, nil) }}
		for _, x := range c.says {
			s.Bytes(x.from, x.b)
		}
		s.End()
		if r := s.Report(); r.Clear != c.want || r.Reason.Code != observe.NotTLS {
			t.Errorf("got %q, %v, expected %q", r.Clear, r.Reason, c.want)
		}
	}
}

// A key log that has no secret for a connection is distinguished from one that has another kind of
// secret for it, or zeros.
func TestMissingKeyLogLinesAreReported(t *testing.T) {
	for line, want := range map[string]string{
		"CLIENT_RANDOM $ " + strings.Repeat("00", 48):           "zeros in place of the secret",
		"CLIENT_TRAFFIC_SECRET_0 $ " + strings.Repeat("11", 32): "has CLIENT_TRAFFIC_SECRET_0 for",
		"CLIENT_RANDOM " + strings.Repeat("ab", 32) + " " + strings.Repeat("11", 48): "" +
			"1 usable line in the key log, none for this client_random",
	} {
		recording, _ := recorded(t, ephemeral)
		random := (*recording)[0].b[11:43]
		log, err := keylog.Read(strings.NewReader(strings.ReplaceAll(line, "$",
			hex.EncodeToString(random))))
		if err != nil {
			t.Fatal(err)
		}
		s := observe.Stream{New: func() *observe.Connection {
			return observe.New(observe.KeyLog(log), nil)
		}}
		for _, x := range *recording {
			s.Bytes(x.from, bytes.Clone(x.b))
		}
		s.End()
		if r := s.Report(); r.Reason == nil || r.Reason.Code != observe.NoSecret ||
			!strings.Contains(r.Reason.Detail, want) {
			t.Errorf("%.30s: got %v, expected %q", line, r.Reason, want)
		}
	}
}

// A draft of TLS 1.3 is named by its number, as are the versions before the drafts.
func TestDraftsOfTLS13AreNamed(t *testing.T) {
	for version, want := range map[string]string{
		"\x7f\x1c": "version 0x7F1C (draft 28 of TLS 1.3) is not read",
		"\xfb\x1a": "version 0xFB1A (an experiment before TLS 1.3) is not read",
	} {
		recording, _ := recorded(t, modern)
		s := observe.Stream{New: func() *observe.Connection { return observe.New(nil, nil) }}
		for _, x := range *recording {
			s.Bytes(x.from, bytes.ReplaceAll(x.b, []byte("\x00\x2b\x00\x02\x03\x04"),
				[]byte("\x00\x2b\x00\x02"+version)))
		}
		s.End()
		if r := s.Report(); r.Reason == nil || r.Reason.Code != observe.UnsupportedVersion ||
			r.Reason.Detail != want || r.KeyExchange != "" {
			t.Errorf("got %v, exchange %q, expected %q", r.Reason, r.KeyExchange, want)
		}
	}
}
