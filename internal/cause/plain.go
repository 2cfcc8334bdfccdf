package cause

import (
	"fmt"
	"strings"
)

// NotTLS returns the name of the protocol whose servers or clients begin with these bytes. ok is
// false if the bytes may be TLS: a TLS record begins with its type, 20 to 23, and the version byte
// 3.
func NotTLS(first []byte) (what string, ok bool) {
	if len(first) == 0 || len(first) >= 2 && first[0] >= 20 && first[0] <= 23 && first[1] == 3 {
		return "", false
	}
	text := string(first)
	for _, p := range plaintexts {
		if strings.HasPrefix(text, p.prefix) ||
			len(text) >= 5 && strings.HasPrefix(p.prefix, text) {
			return p.what, true
		}
	}
	for _, p := range shapes {
		if p.of(first) {
			return p.what, true
		}
	}
	return unknown, len(first) >= 2 || first[0] < 20 || first[0] > 23 && first[0] < 0x80
}

const unknown = "something unknown"

// IsHTTP reports whether a client or a server that begins with these bytes uses HTTP without TLS.
func IsHTTP(first []byte) bool {
	what, ok := NotTLS(first)
	return ok && strings.HasPrefix(what, "plain HTTP")
}

// advice says what to do about a peer that begins as another protocol does, with these bytes.
func advice(what, peer string, first []byte) string {
	switch {
	case strings.HasPrefix(what, "the PROXY protocol"):
		return "what stands before this server, such as a load balancer, is set to send the " +
			"PROXY protocol: turn that off there, or read it before TLS begins"
	case what == ssl2 && peer == "client":
		return oldForm(first)
	case what == heartbeat:
		return "somebody looks whether this " + otherOf(peer) + " has Heartbleed " +
			"(CVE-2014-0160): it reads no such record"
	case strings.HasPrefix(what, "plain HTTP (a request"):
		return "the client spoke plain HTTP: its URL must begin with https://"
	}
	if what != unknown {
		return fmt.Sprintf("the %s begins as %s does: it does not speak TLS here, or not yet", peer,
			what)
	}
	return "the " + peer + " does not speak TLS here, or not yet"
}

// oldForm says what a ClientHello in the form of SSL 2.0 offers, and who takes it. See RFC 5246
// §E.2.
func oldForm(first []byte) string {
	const old = "the client is so old that its ClientHello has the form of SSL 2.0"
	switch {
	case len(first) > 4 && first[3] < 3:
		return old + ", and it offers no other version: no policy has it (RFC 6176)"
	case len(first) > 4 && first[3] == 3 && first[4] == 0:
		return old + ", and it offers at most SSL 3.0: no policy has it (RFC 7568)"
	}
	return old + ", which is taken by policy legacy alone"
}

func otherOf(peer string) string {
	if peer == "client" {
		return "server"
	}
	return "client"
}

const (
	ssl2      = "SSL 2.0"
	heartbeat = "a heartbeat of TLS before any handshake"
)

// shapes are protocols that are known by more than their first bytes.
var shapes = []struct {
	what string
	of   func(first []byte) bool
}{
	{"MySQL", func(b []byte) bool { return len(b) > 5 && b[3] == 0 && b[4] == 10 }},
	{"MQTT", func(b []byte) bool { return len(b) > 7 && b[0] == 0x10 && string(b[4:8]) == "MQTT" }},
	{"HTTP/2 without TLS", func(b []byte) bool { // a SETTINGS frame: RFC 9113 §4.1, §6.5
		return len(b) > 7 && b[0] == 0 && b[3] == 4 && b[4]&^1 == 0 && b[5]|b[6]|b[7] == 0
	}},
	{"telnet", func(b []byte) bool { return len(b) > 1 && b[0] == 0xFF && b[1] >= 0xFB }},
	{"SMB", func(b []byte) bool { return len(b) > 7 && b[0] == 0 && string(b[5:8]) == "SMB" }},
	{"LDAP", func(b []byte) bool { return len(b) > 3 && b[0] == 0x30 && b[2] == 2 && b[3] == 1 }},
	{"OpenVPN", func(b []byte) bool {
		return len(b) > 2 && b[0] == 0 && int(b[1]) >= 14 && (b[2] == 0x38 || b[2] == 0x40)
	}},
	{ssl2, func(b []byte) bool { return len(b) > 3 && b[0]&0x80 != 0 && b[2] == 1 }},
}

// plaintexts are the beginnings of protocols that may be found where TLS was expected.
var plaintexts = []struct{ prefix, what string }{
	{"HTTP/", "plain HTTP (an answer)"}, {"GET ", "plain HTTP (a request)"},
	{"HEAD ", "plain HTTP (a request)"}, {"POST ", "plain HTTP (a request)"},
	{"PUT ", "plain HTTP (a request)"}, {"OPTIONS ", "plain HTTP (a request)"},
	{"DELETE ", "plain HTTP (a request)"},
	{"PATCH ", "plain HTTP (a request)"}, {"PRI * ", "plain HTTP/2"},
	{"CONNECT ", "plain HTTP (a request to a proxy)"},
	{"TRACE ", "plain HTTP (a request)"},
	{"PROXY ", "the PROXY protocol, version 1"},
	{"\r\n\r\n\x00\r\nQU", "the PROXY protocol, version 2"},
	{"\x03\x00\x00", "RDP (a TPKT header)"}, {"\x12\x01\x00", "TDS (SQL Server)"},
	{"\x00\x00\x00\x08\x04\xd2\x16\x2f", "PostgreSQL (a request for TLS)"},
	{"\x04\x01\x00", "TDS (SQL Server)"}, {"E\x00\x00\x00", "PostgreSQL (an error)"},
	{"\x05\x01\x00", "SOCKS 5"}, {"\x05\x02\x00", "SOCKS 5"}, {"\x04\x01", "SOCKS 4"},
	{"\x05\xff", "SOCKS 5"}, {"\x18\x03", heartbeat}, {"\x13BitTor", "BitTorrent"},
	{"AMQP", "AMQP"}, {"@RSYNCD", "rsync"}, {"RTSP/", "RTSP"}, {"SIP/2.0", "SIP"},
	{"200 ", "NNTP"}, {"201 ", "NNTP"}, {"421 ", "SMTP or FTP"}, {"554 ", "SMTP"},
	{"NOTICE ", "IRC"}, {"INFO {", "NATS"}, {"-DENIED", "Redis"}, {"+PONG", "Redis"},
	{"* BYE", "IMAP"}, {"* PREAUTH", "IMAP"}, {"QUIT", "a command of a text protocol"},
	{"HELP", "a command of a text protocol"},
	{"\x16\xfe", "DTLS"}, {"*1\r\n", "Redis"}, {"PING", "Redis"},
	{"INVITE ", "SIP"}, {"REGISTER ", "SIP"}, {"NICK ", "IRC"}, {"CAP ", "IRC"},
	{"SSH-", "SSH"}, {"220", "SMTP or FTP"}, {"* OK", "IMAP"}, {"+OK", "POP3"},
	{"-ERR", "POP3 or Redis"}, {"<?xml", "XMPP"}, {"<stream", "XMPP"},
	{"EHLO ", "SMTP"}, {"HELO ", "SMTP"}, {"RFB ", "VNC"},
	{"<html", "plain HTTP (an answer without a head)"},
	{"<!DOCTYPE", "plain HTTP (an answer without a head)"},
}
