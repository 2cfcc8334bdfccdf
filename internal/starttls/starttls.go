// Package starttls asks a server of a protocol that begins in the clear to continue under TLS.
//
// Bytes that arrive in the clear after the server's consent may come from an attacker, and would be
// taken for protected data. They are an error. See RFC 3207 §6.
package starttls

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/framing"
)

// Protocol is a protocol with a way to begin TLS.
type Protocol struct {
	Name string
	Port string // the well-known port
	Ref  string

	ask func(*talk) error

	// Framing, if set, is how records are carried until the handshake is done.
	Framing *framing.Framing
}

// ByName returns the protocol with a name.
func ByName(name string) (*Protocol, bool) {
	return find(func(p *Protocol) bool { return p.Name == name })
}

// ByPort returns the protocol with a well-known port.
func ByPort(port string) (*Protocol, bool) {
	return find(func(p *Protocol) bool { return p.Port == port })
}

func find(is func(*Protocol) bool) (*Protocol, bool) {
	if i := slices.IndexFunc(protocols, is); i >= 0 {
		return protocols[i], true
	}
	return nil, false
}

// Names returns the names of all protocols.
func Names() []string {
	var names []string
	for _, p := range protocols {
		names = append(names, p.Name)
	}
	return names
}

// Greeted recognises the protocol of a server that sends first, by the beginning of its greeting.
// FTP and SMTP begin alike and are told apart by the text.
func Greeted(first []byte) (*Protocol, bool) {
	line, _, _ := strings.Cut(string(first), "\n")
	name := ""
	switch {
	case strings.HasPrefix(line, "220") && strings.Contains(strings.ToUpper(line), "FTP"):
		name = "ftp"
	case strings.HasPrefix(line, "220"):
		name = "smtp"
	case strings.HasPrefix(line, "* OK"):
		name = "imap"
	case strings.HasPrefix(line, "+OK"):
		name = "pop3"
	case strings.HasPrefix(line, "200 ") || strings.HasPrefix(line, "201 "):
		name = "nntp"
	case strings.HasPrefix(line, `"IMPLEMENTATION"`):
		name = "sieve"
	case len(first) > 5 && first[3] == 0 && first[4] == 10 && int(first[0])|int(first[1])<<8+5 > 20:
		name = "mysql"
	}
	return ByName(name)
}

// Ask talks to the server until TLS can begin. host is the name of the server.
func (p *Protocol) Ask(conn io.ReadWriter, host string) error {
	t := &talk{in: bufio.NewReaderSize(conn, maxLine), out: conn, host: host}
	if err := p.ask(t); err != nil {
		return fmt.Errorf("starttls %s (%s): %w", p.Name, p.Ref, err)
	}
	if n := t.in.Buffered(); n > 0 {
		return fmt.Errorf("starttls %s (%s): got %d bytes in the clear after the server's "+
			"consent, expected none: an attacker may have inserted them", p.Name, p.Ref, n)
	}
	return nil
}

// Limits on what a server may send before it consents, in bytes and lines.
const (
	maxLine  = 8 << 10
	maxLines = 200
)

// talk is the conversation in the clear.
type talk struct {
	in   *bufio.Reader
	out  io.Writer
	host string
}

func (t *talk) say(format string, args ...any) error {
	_, err := fmt.Fprintf(t.out, format+"\r\n", args...)
	return err
}

func (t *talk) line() (string, error) {
	b, err := t.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		err = fmt.Errorf("got a line longer than %d bytes", maxLine)
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("the server closed the connection: %w", io.ErrUnexpectedEOF)
	}
	return strings.TrimRight(string(b), "\r\n"), err
}

// until reads lines up to the last one of an answer, and returns that line.
func (t *talk) until(ends func(line string) bool) (string, error) {
	for range maxLines {
		line, err := t.line()
		if err != nil || ends(line) {
			return line, err
		}
	}
	return "", fmt.Errorf("got an answer of more than %d lines", maxLines)
}

// code reads an answer of one or more lines with a number and text. It must begin with want. See
// RFC 5321 §4.2.1.
func (t *talk) code(want string) error {
	last := func(l string) bool { return len(l) < 4 || l[3] != '-' || l[0] < '0' || l[0] > '9' }
	line, err := t.until(last)
	if err == nil && !strings.HasPrefix(line, want) {
		err = refused(line, want)
	}
	return err
}

// starts reads one line that must begin with want.
func (t *talk) starts(want string) error {
	line, err := t.line()
	if err == nil && !strings.HasPrefix(line, want) {
		err = refused(line, want)
	}
	return err
}

func refused(line, want string) error {
	return fmt.Errorf("the server answers %.200q, expected %s", line, want)
}
