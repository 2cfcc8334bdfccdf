package message_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/wire"
)

// malformed is a case of testdata/malformed.txt.
type malformed struct{ subject, what, body, err string }

func malformedCases(t testing.TB) (cases []malformed) {
	t.Helper()
	b, err := os.ReadFile("testdata/malformed.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		if lines[i] == "" || lines[i][0] == '#' {
			continue
		}
		subject, what, ok := strings.Cut(lines[i], ": ")
		if !ok || i+2 >= len(lines) {
			t.Fatalf("malformed.txt, line %d: no case: %q", i+1, lines[i])
		}
		cases = append(cases, malformed{subject, what, lines[i+1], lines[i+2]})
		i += 2
	}
	return cases
}

// bytes reads the hex of a case, "xx*n" being n times xx.
func (c malformed) bytes(t testing.TB) (b []byte) {
	t.Helper()
	for _, word := range strings.Fields(c.body) {
		digits, times, repeated := strings.Cut(word, "*")
		n := 1
		if repeated {
			n, _ = strconv.Atoi(times)
		}
		b = append(b, unhex(t, strings.Repeat(digits, n))...)
	}
	return b
}

// number finds the code point that prints as name.
func number[T ~uint8 | ~uint16](t testing.TB, name string) T {
	t.Helper()
	for n := range math.MaxUint16 + 1 {
		if v := T(n); int(v) == n && fmt.Sprint(v) == name {
			return v
		}
	}
	t.Fatalf("nothing is called %q", name)
	return 0
}

// raw is the message of a case and how it is to be read.
func (c malformed) raw(t testing.TB) (message.Dialect, []byte) {
	t.Helper()
	if c.subject == "raw" {
		return dialect, c.bytes(t)
	}
	name, kex, named := strings.Cut(c.subject, " ")
	d := dialect
	if named {
		d.Kex = number[iana.KeyExchange](t, kex)
	}
	return d, framed(number[iana.HandshakeType](t, name), c.bytes(t))
}

func TestMalformedMessagesAreRefusedWithPlaceAndReason(t *testing.T) {
	n := 0
	for _, c := range malformedCases(t) {
		if strings.HasPrefix(c.subject, "extension ") {
			continue
		}
		n++
		d, raw := c.raw(t)
		_, err := parse(t, d, raw)
		if err == nil || err.Error() != c.err {
			t.Errorf("%s: %s:\ngot      %v\nexpected %s", c.subject, c.what, err, c.err)
		}
		if got := alert.Of(alert.Malformed("", err)); got != alert.DecodeError {
			t.Errorf("%s: %s: the alert is %v", c.subject, c.what, got)
		}
	}
	ran(t, n, "malformed messages")
}

func TestMalformedExtensionsAreRefusedWithPlaceAndReason(t *testing.T) {
	n := 0
	for _, c := range malformedCases(t) {
		subject, is := strings.CutPrefix(c.subject, "extension ")
		if !is {
			continue
		}
		n++
		name, side, _ := strings.Cut(subject, " from ")
		typ := number[iana.ExtensionType](t, name)
		var v message.Content
		for _, known := range contents {
			for _, from := range known.from {
				if known.typ == typ && from.String() == side {
					v = known.content
				}
			}
		}
		x := message.Extensions{{Type: typ, Data: c.bytes(t)}}
		if ok, err := x.Read(typ, fresh(v)); !ok || err == nil || err.Error() != c.err {
			t.Errorf("%s: %s:\ngot      %v\nexpected %s", c.subject, c.what, err, c.err)
		}
	}
	ran(t, n, "malformed extensions")
}

// A value that does not fit its field is an error; it is not truncated.
func TestValuesThatDoNotFitAreNotWritten(t *testing.T) {
	suites := []iana.CipherSuite{1}
	null := []iana.CompressionMethod{0}
	ec := message.Dialect{Version: iana.TLS12, Kex: iana.KexECDHE}
	for _, c := range []struct {
		d    message.Dialect
		m    message.Message
		want string
	}{
		{ec, &message.ClientHello{SessionID: make([]byte, 33), CipherSuites: suites,
			CompressionMethods: null},
			"client_hello.body.session_id, byte 38: got 33 bytes to write, expected 0 to 32"},
		{ec, &message.ClientHello{CompressionMethods: null},
			"client_hello.body.cipher_suites, byte 39: got 0 bytes to write, expected 2 to 65534"},
		{ec, &message.ClientHello{CipherSuites: make([]iana.CipherSuite, 1<<15),
			CompressionMethods: null},
			"client_hello.body.cipher_suites, byte 39: got 65536 bytes to write, expected 2 to " +
				"65534"},
		{ec, &message.ClientHello{CipherSuites: suites},
			"client_hello.body.compression_methods, byte 43: got 0 bytes to write, expected 1 " +
				"to 255"},
		{ec, &message.ClientHello{CipherSuites: suites, CompressionMethods: null,
			Extensions: message.Extensions{{Type: 1}, {Type: 1}}},
			"client_hello.body.extensions.extension, byte 51: got max_fragment_length a second " +
				"time, expected each extension once"},
		{ec, &message.ServerHello{Extensions: message.Extensions{{Type: 1,
			Data: make([]byte, 1<<16)}}},
			"server_hello.body.extensions.extension.extension_data, byte 46: got 65536 bytes to " +
				"write, expected 0 to 65535"},
		{ec, &message.ServerHello{Extensions: message.Extensions{{Type: 1,
			Data: make([]byte, 1<<16-4)}, {Type: 2}}},
			"server_hello.body.extensions, byte 42: got 65540 bytes to write, expected 0 to 65535"},
		{ec, &message.Certificate{Chain: [][]byte{make([]byte, 1<<24)}},
			"certificate.body.certificate_list.certificate, byte 7: got 16777216 bytes to write, " +
				"expected 1 to 16777215"},
		{ec, &message.Certificate{Chain: [][]byte{{}}},
			"certificate.body.certificate_list.certificate, byte 7: got 0 bytes to write, " +
				"expected 1 to 16777215"},
		{ec, &message.ServerKeyExchange{CurveType: iana.NamedCurve, ECPublic: make([]byte, 256)},
			"server_key_exchange.body.params.public, byte 7: got 256 bytes to write, expected 1 " +
				"to 255"},
		{ec, &message.ServerKeyExchange{CurveType: 1},
			"server_key_exchange.body.params, byte 4: got a curve_type of explicit_prime, " +
				"expected named_curve"},
		{message.Dialect{Version: iana.TLS12, Kex: iana.KexRSA}, &message.ServerKeyExchange{},
			"server_key_exchange.body, byte 4: got a message that a key exchange by RSA does " +
				"not have"},
		{ec, &message.NewSessionTicket{Ticket: make([]byte, 1<<16)},
			"new_session_ticket.body.ticket, byte 8: got 65536 bytes to write, expected 0 to " +
				"65535"},
	} {
		raw, err := c.d.Encode(c.m)
		if raw != nil || err == nil || err.Error() != c.want {
			t.Errorf("%v: %d bytes,\ngot      %v\nexpected %s", c.m.Type(), len(raw), err, c.want)
		}
	}
	var x message.Extensions
	err := x.Add(iana.ExtALPN, &message.Protocols{Names: [][]byte{{}}})
	if want := (*wire.Error)(nil); !errors.As(err, &want) || len(x) != 0 {
		t.Errorf("an empty protocol name was added: %v, %v", x, err)
	}
}
