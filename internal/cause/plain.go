package cause

import "strings"

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
	if len(first) > 5 && first[3] == 0 && first[4] == 10 {
		return "MySQL", true
	}
	if len(first) > 7 && first[0] == 0x10 && text[4:8] == "MQTT" {
		return "MQTT", true
	}
	if len(first) > 3 && first[0]&0x80 != 0 && first[2] == 1 {
		return "SSL 2.0", true
	}
	return unknown, len(first) >= 2 || first[0] < 20 || first[0] > 23 && first[0] < 0x80
}

const unknown = "something unknown"

// IsHTTP reports whether a client or a server that begins with these bytes uses HTTP without TLS.
func IsHTTP(first []byte) bool {
	what, ok := NotTLS(first)
	return ok && strings.HasPrefix(what, "plain HTTP")
}

// advice says what to do about a peer that begins as another protocol does.
func advice(what, peer string) string {
	switch {
	case strings.HasPrefix(what, "the PROXY protocol"):
		return "what stands before this server, such as a load balancer, is set to send the " +
			"PROXY protocol: turn that off there, or read it before TLS begins"
	case what == "SSL 2.0" && peer == "client":
		return "the client is so old that its ClientHello has the form of SSL 2.0: policy legacy " +
			"takes it"
	case strings.HasPrefix(what, "plain HTTP (a request"):
		return "the client spoke plain HTTP: its URL must begin with https://"
	}
	return "the " + peer + " does not speak TLS here, or not yet"
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
	{"\x05\x01\x00", "SOCKS 5"}, {"\x05\x02\x00", "SOCKS 5"}, {"\x04\x01", "SOCKS 4"},
	{"\x16\xfe", "DTLS"}, {"*1\r\n", "Redis"}, {"PING", "Redis"},
	{"INVITE ", "SIP"}, {"REGISTER ", "SIP"}, {"NICK ", "IRC"}, {"CAP ", "IRC"},
	{"SSH-", "SSH"}, {"220", "SMTP or FTP"}, {"* OK", "IMAP"}, {"+OK", "POP3"},
	{"-ERR", "POP3 or Redis"}, {"<?xml", "XMPP"}, {"<stream", "XMPP"},
	{"EHLO ", "SMTP"}, {"HELO ", "SMTP"}, {"RFB ", "VNC"},
	{"<html", "plain HTTP (an answer without a head)"},
	{"<!DOCTYPE", "plain HTTP (an answer without a head)"},
}
