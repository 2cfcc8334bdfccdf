package starttls_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/starttls"
)

// script is a server that sends fixed lines and records what it receives.
type script struct {
	io.Reader
	received bytes.Buffer
}

func (s *script) Write(p []byte) (int, error) { return s.received.Write(p) }

const mysqlGreeting = "\x4a\x00\x00\x00\x0a8.0.36\x00\x01\x00\x00\x00abcdefgh" +
	"\x00\xff\xff\xff\x02\x00\xff\xdf\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"ijklmnopqrst\x00caching_sha2_password\x00"

// preLogin is an answer of Microsoft SQL Server with this ENCRYPTION, or without one.
func preLogin(encryption string) string {
	if encryption == "" {
		return "\x04\x01\x00\x14\x00\x00\x01\x00\x00\x00\x06\x00\x06\xff\x10\x00\x00\x00\x00\x00"
	}
	return "\x04\x01\x00\x1a\x00\x00\x01\x00\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff" +
		"\x10\x00\x00\x00\x00\x00" + encryption
}

// dialogues are conversations with servers of every protocol.
var dialogues = []struct {
	protocol, server, client string // what the client sends, with | between parts
	err                      string // or a part of the error
}{
	{"smtp", "220-a\r\n220 b\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n",
		"EHLO vitrine.invalid\r\n|STARTTLS\r\n", ""},
	{"smtp", "220 b\r\n250 x\r\n454 not now\r\n", "STARTTLS\r\n",
		`answers "454 not now", expected 220`},
	{"smtp", "SSH-2.0-x\r\n", "", `answers "SSH-2.0-x"`},
	{"smtp", "220 b\r\n250 x\r\n220 go\r\n250 injected\r\n", "STARTTLS\r\n",
		"14 bytes in the clear after the server's consent"},
	{"smtp", "220 b\r\n", "EHLO", "closed the connection"},
	{"smtp", "220" + strings.Repeat("x", 9000), "", "longer than 8192 bytes"},
	{"smtp", strings.Repeat("220-x\r\n", 300), "", "more than 200 lines"},
	{"lmtp", "220 b\r\n250 x\r\n220 go\r\n", "LHLO vitrine.invalid\r\n", ""},
	{"imap", "* OK hi\r\n* BYE not\r\na1 OK go\r\n", "a1 STARTTLS\r\n", ""},
	{"imap", "* OK hi\r\na1 BAD no\r\n", "a1 STARTTLS", `answers "a1 BAD no"`},
	{"pop3", "+OK\r\n+OK go\r\n", "STLS\r\n", ""},
	{"pop3", "+OK\r\n-ERR\r\n", "STLS\r\n", "-ERR"},
	{"ftp", "220 hi\r\n234 go\r\n", "AUTH TLS\r\n", ""},
	{"ftp", "220 hi\r\n530 no\r\n", "AUTH TLS\r\n", "530"},
	{"nntp", "200 hi\r\n382 go\r\n", "STARTTLS\r\n", ""},
	{"sieve", "\"IMPLEMENTATION\" \"x\"\r\n\"STARTTLS\"\r\nOK\r\nOK go\r\n", "STARTTLS\r\n",
		""},
	{"sieve", "OK\r\nNO\r\n", "STARTTLS\r\n", `answers "NO"`},
	{"xmpp", "<stream:stream><stream:features><starttls " +
		"xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features><proceed xmlns='x'/>",
		"to='a&amp;b'|jabber:client|<starttls", ""},
	{"xmpp", "<stream:stream><stream:features></stream:features>", "", "does not offer TLS"},
	{"xmpp-server",
		"<stream:features>urn:ietf:params:xml:ns:xmpp-tls</stream:features><proceed/>",
		"jabber:server", ""},
	{"xmpp-server",
		"<stream:features>urn:ietf:params:xml:ns:xmpp-tls</stream:features><failure/>",
		"jabber:server", "<failure/>"},
	{"xmpp", strings.Repeat("x", 9000), "", "more than 8192 bytes"},
	{"ldap", "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00",
		"\x77\x18\x80\x161.3.6.1.4.1.1466.20037", ""},
	{"ldap", "\x30\x84\x00\x00\x00\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00",
		"1.3.6.1", ""},
	{"ldap", "\x30\x82\x00\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00", "1.3.6.1", ""},
	{"ldap", "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00", "1.3.6.1",
		"its resultCode is not success"},
	{"ldap", "\x30\x84\xff\xff\xff\xff", "", "not an LDAPMessage"},
	{"ldap", "\x30\x89\xff", "", "too long"},
	{"ldap", "HTTP/1.1", "", "not an LDAPMessage"},
	{"postgres", "S", "\x00\x00\x00\x08\x04\xd2\x16\x2f", ""},
	{"postgres", "N", "", "'N', expected 'S'"},
	{"postgres", "SE", "", "1 bytes in the clear"},
	{"mysql", mysqlGreeting, "\x20\x00\x00\x01\x00\x8a\x00\x00", ""},
	{"mysql", strings.Replace(mysqlGreeting, "\x00\xff\xff\xff\x02", "\x00\xff\xf7\xff\x02", 1),
		"", "does not offer TLS"},
	{"mysql", "\x04\x00\x00\x00\xff\x15\x04x", "", "not that of protocol 10"},
	{"mysql", "\xff\xff\xff\x00", "", "too long"},
	{"mssql", preLogin("\x01"), "\x12\x01\x00\x1a", ""},
	{"mssql", preLogin("\x00"), "\xff\x10\x00\x00\x00\x00\x00\x01", ""}, // TLS for the login
	{"mssql", preLogin("\x02"), "", "ENCRYPT_NOT_SUP"},
	{"mssql", preLogin(""), "", "no ENCRYPTION"},
	{"mssql", "HTTP/1.1 400 Bad Request\r\n", "", "expected the header of an answer"},
	{"mssql", "\x04\x01\xff\xff\x00\x00\x00\x00", "", "expected the header of an answer"},
	{"rdp", "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x1f\x08\x00\x02\x00\x00\x00",
		"\x03\x00\x00\x13\x0e\xe0|\x01\x00\x08\x00\x03\x00\x00\x00", ""},
	{"rdp", "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x03\x00\x08\x00\x02\x00\x00\x00",
		"", "does not allow TLS"},
	{"rdp", "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x00\x08\x00\x00\x00\x00\x00",
		"", "RDP's own security"},
	{"rdp", "\x03\x00\x00\x0b\x06\xd0\x00\x00\x12\x34\x00", "", "negotiates no security"},
	{"rdp", "SSH-2.0-OpenSSH", "", "expected an X.224 connection confirm"},
}

func TestDialoguesLeadToTLSOrSayWhyNot(t *testing.T) {
	completed := map[string]bool{"submission": true} // the same as smtp
	for _, c := range dialogues {
		p, ok := starttls.ByName(c.protocol)
		if !ok {
			t.Fatalf("no %s", c.protocol)
		}
		if c.err == "" {
			completed[c.protocol] = true
		}
		s := &script{Reader: strings.NewReader(c.server)}
		err := p.Ask(s, "a&b")
		if c.err == "" && err != nil ||
			c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s, %.40q: got %v, expected %q", c.protocol, c.server, err, c.err)
		}
		for want := range strings.SplitSeq(c.client, "|") {
			if !strings.Contains(s.received.String(), want) {
				t.Errorf("%s, %.40q: sent %q, expected %q in it", c.protocol, c.server,
					s.received.String(), want)
			}
		}
		// An answer that is cut anywhere is an error, and does not hang or panic.
		for n := range min(len(c.server), 200) {
			if err := p.Ask(&script{Reader: strings.NewReader(c.server[:n])}, "x"); err == nil &&
				c.err == "" {
				t.Errorf("%s, %.40q: no error after a cut at %d bytes", c.protocol,
					c.server, n)
			}
		}
	}
	for _, name := range starttls.Names() {
		if !completed[name] {
			t.Errorf("%s has no successful dialogue", name)
		}
	}
	t.Logf("%d cases, %d protocols", len(dialogues), len(starttls.Names()))
}

func TestGreetingsNameTheirProtocol(t *testing.T) {
	for greeting, want := range map[string]string{
		"220 mail.example ESMTP Postfix\r\n": "smtp", "220 ProFTPD\r\n": "ftp",
		"* OK IMAP4rev1": "imap", "+OK hi": "pop3", "200 news": "nntp",
		"\"IMPLEMENTATION\" \"Dovecot\"": "sieve", mysqlGreeting: "mysql", "HTTP/1.1 400": "",
		"SSH-2.0": "", "": "", "\x16\x03\x03": "",
	} {
		p, ok := starttls.Greeted([]byte(greeting))
		if ok != (want != "") || ok && p.Name != want {
			t.Errorf("%.30q: got %v, expected %q", greeting, p, want)
		}
	}
	if p, ok := starttls.ByPort("5432"); !ok || p.Name != "postgres" {
		t.Error("5432 is postgres")
	}
	if _, ok := starttls.ByPort("443"); ok {
		t.Error("443 begins with TLS")
	}
}
