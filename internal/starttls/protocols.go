package starttls

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/framing"
)

var protocols = []*Protocol{
	{"smtp", "25", "RFC 3207", func(t *talk) error { return t.mail("EHLO") }, nil},
	{"submission", "587", "RFC 3207", func(t *talk) error { return t.mail("EHLO") }, nil},
	{"lmtp", "24", "RFC 3207", func(t *talk) error { return t.mail("LHLO") }, nil},
	{"imap", "143", "RFC 9051 §6.2.1", imap, nil},
	{"pop3", "110", "RFC 2595 §4", pop3, nil},
	{"ftp", "21", "RFC 4217 §4", ftp, nil},
	{"nntp", "119", "RFC 4642 §2.2", nntp, nil},
	{"sieve", "4190", "RFC 5804 §2.2", sieve, nil},
	{"xmpp", "5222", "RFC 6120 §5.4", func(t *talk) error { return t.xmpp("jabber:client") }, nil},
	{"xmpp-server", "5269", "RFC 6120 §5.4",
		func(t *talk) error { return t.xmpp("jabber:server") }, nil},
	{"ldap", "389", "RFC 4511 §4.14", ldap, nil},
	{"postgres", "5432", "PostgreSQL protocol, SSLRequest", postgres, nil},
	{"mysql", "3306", "MySQL protocol, SSLRequest", mysql, nil},
	{"mssql", "1433", "MS-TDS §2.2.6.5", mssql, framing.TDS},
	{"rdp", "3389", "MS-RDPBCGR §2.2.1.1", rdp, nil},
}

// steps calls functions in order, up to the first error.
func steps(all ...func() error) error {
	for _, step := range all {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// mail is the dialogue of SMTP and LMTP.
func (t *talk) mail(hello string) error {
	return steps(
		func() error { return t.code("220") },
		func() error { return t.say("%s vitrine.invalid", hello) },
		func() error { return t.code("250") },
		func() error { return t.say("STARTTLS") },
		func() error { return t.code("220") },
	)
}

func imap(t *talk) error {
	return steps(
		func() error { return t.starts("* OK") },
		func() error { return t.say("a1 STARTTLS") },
		func() error {
			line, err := t.until(func(l string) bool { return strings.HasPrefix(l, "a1 ") })
			if err == nil && !strings.HasPrefix(line, "a1 OK") {
				err = refused(line, "a1 OK")
			}
			return err
		},
	)
}

func pop3(t *talk) error {
	return steps(
		func() error { return t.starts("+OK") },
		func() error { return t.say("STLS") },
		func() error { return t.starts("+OK") },
	)
}

func ftp(t *talk) error {
	return steps(
		func() error { return t.code("220") },
		func() error { return t.say("AUTH TLS") },
		func() error { return t.code("234") },
	)
}

func nntp(t *talk) error {
	return steps(
		func() error { return t.starts("20") },
		func() error { return t.say("STARTTLS") },
		func() error { return t.starts("382") },
	)
}

func sieve(t *talk) error {
	ok := func() error {
		line, err := t.until(func(l string) bool {
			return strings.HasPrefix(l, "OK") || strings.HasPrefix(l, "NO") ||
				strings.HasPrefix(l, "BYE")
		})
		if err == nil && !strings.HasPrefix(line, "OK") {
			err = refused(line, "OK")
		}
		return err
	}
	return steps(ok, func() error { return t.say("STARTTLS") }, ok)
}

// xmpp reads XML only as far as necessary: up to the end of the stream's features, and then one
// element.
func (t *talk) xmpp(namespace string) error {
	read := func(ends ...string) (string, error) {
		var got strings.Builder
		for got.Len() < maxLine {
			b, err := t.in.ReadByte()
			if err != nil {
				return "", err
			}
			got.WriteByte(b)
			for _, end := range ends {
				if b == '>' && strings.HasSuffix(got.String(), end) {
					return got.String(), nil
				}
			}
		}
		return "", fmt.Errorf("got an answer of more than %d bytes", maxLine)
	}
	if err := t.say("<?xml version='1.0'?><stream:stream to='%s' version='1.0' xmlns='%s' "+
		"xmlns:stream='http://etherx.jabber.org/streams'>",
		strings.NewReplacer("&", "&amp;", "<", "&lt;", "'", "&apos;").Replace(t.host),
		namespace); err != nil {
		return err
	}
	features, err := read("</stream:features>", "<stream:features/>", "</stream:error>")
	if err != nil {
		return err
	}
	if !strings.Contains(features, "urn:ietf:params:xml:ns:xmpp-tls") {
		return errors.New("the server does not offer TLS")
	}
	if err := t.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
		return err
	}
	answer, err := read("/>", "</proceed>", "</failure>")
	if err == nil && !strings.Contains(answer, "<proceed") {
		err = refused(answer, "<proceed/>")
	}
	return err
}

// ldap sends an ExtendedRequest for 1.3.6.1.4.1.1466.20037 and checks for the resultCode success.
func ldap(t *talk) error {
	oid := "1.3.6.1.4.1.1466.20037"
	request := append([]byte{0x30, byte(7 + len(oid)), 0x02, 1, 1, 0x77, byte(2 + len(oid)), 0x80,
		byte(len(oid))}, oid...)
	if _, err := t.out.Write(request); err != nil {
		return err
	}
	var head [2]byte
	if _, err := io.ReadFull(t.in, head[:]); err != nil {
		return err
	}
	n := int(head[1])
	if n > 0x80 { // the long form: n-0x80 bytes of length
		var more [4]byte
		if n -= 0x80; n > len(more) {
			return errors.New("the server's answer is too long")
		}
		if _, err := io.ReadFull(t.in, more[4-n:]); err != nil {
			return err
		}
		n = int(binary.BigEndian.Uint32(more[:]))
	}
	if head[0] != 0x30 || n > maxLine {
		return errors.New("the server's answer is not an LDAPMessage")
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(t.in, body); err != nil {
		return err
	}
	// ExtendedResponse is [APPLICATION 24]; its first element is resultCode ENUMERATED.
	if i := bytes.IndexByte(body, 0x78); i < 0 || !bytes.Contains(body[i:], []byte{0x0A, 1, 0}) {
		return errors.New("the server refuses: its resultCode is not success")
	}
	return nil
}

func postgres(t *talk) error {
	// length, 80877103
	if _, err := t.out.Write([]byte{0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F}); err != nil {
		return err
	}
	b, err := t.in.ReadByte()
	if err == nil && b != 'S' {
		err = fmt.Errorf("the server answers %q, expected 'S': it does not speak TLS", rune(b))
	}
	return err
}

// mysql reads the greeting, whose capabilities say whether the server supports TLS, and answers
// with the beginning of a login that requests TLS.
func mysql(t *talk) error {
	const protocol41, wantsTLS, secure = 1 << 9, 1 << 11, 1 << 15
	var head [4]byte
	if _, err := io.ReadFull(t.in, head[:]); err != nil {
		return err
	}
	n := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
	if n > maxLine {
		return errors.New("the server's greeting is too long")
	}
	greeting := make([]byte, n)
	if _, err := io.ReadFull(t.in, greeting); err != nil {
		return err
	}
	end := bytes.IndexByte(greeting, 0) // version\0 thread(4) salt(8) 0 capabilities(2)
	if len(greeting) == 0 || greeting[0] != 10 || end < 0 || len(greeting) < end+16 {
		return fmt.Errorf("the server's greeting is not that of protocol 10: %.100q", greeting)
	}
	if binary.LittleEndian.Uint16(greeting[end+14:])&wantsTLS == 0 {
		return errors.New("the server does not offer TLS: its capabilities lack SSL")
	}
	request := make([]byte, 4+32)
	request[0], request[3] = 32, head[3]+1
	binary.LittleEndian.PutUint32(request[4:], protocol41|wantsTLS|secure)
	binary.LittleEndian.PutUint32(request[8:], 1<<24)
	request[12] = 45 // utf8mb4
	_, err := t.out.Write(request)
	return err
}
