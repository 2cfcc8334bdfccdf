package record

import (
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

func TestHeadersAreParsedAndBadOnesRefused(t *testing.T) {
	const ok = alert.CloseNotify // no error
	for _, c := range []struct {
		name string
		in   []byte
		want Header
		err  alert.Description
	}{
		{"a ClientHello's first record", []byte{22, 3, 1, 0, 170},
			Header{iana.RecordHandshake, iana.TLS10, 170}, ok},
		{"more than a header", []byte{23, 3, 3, 1, 2, 99},
			Header{iana.RecordApplicationData, iana.TLS12, 258}, ok},
		{"no bytes, §6.2.1", []byte{23, 3, 3, 0, 0},
			Header{iana.RecordApplicationData, iana.TLS12, 0}, ok},
		{"a minor version to come, appendix E.1", []byte{20, 3, 9, 0, 1},
			Header{iana.RecordChangeCipherSpec, 0x0309, 1}, ok},
		{"the longest, §6.2.3", []byte{21, 3, 3, 0x48, 0},
			Header{iana.RecordAlert, iana.TLS12, MaxCiphertext}, ok},
		{"one more, §6.2.3", []byte{21, 3, 3, 0x48, 1}, Header{}, alert.RecordOverflow},
		{"type 19, §6", []byte{19, 3, 3, 0, 0}, Header{}, alert.UnexpectedMessage},
		{"heartbeat, which nobody negotiated, §6", []byte{24, 3, 3, 0, 0}, Header{},
			alert.UnexpectedMessage},
		{"plain HTTP", []byte("GET /"), Header{}, alert.UnexpectedMessage},
		{"an SSL 2.0 hello, appendix E.2", []byte{0x80, 46, 1, 3, 1}, Header{},
			alert.UnexpectedMessage},
		{"major version 2", []byte{22, 2, 3, 0, 0}, Header{}, alert.ProtocolVersion},
		{"DTLS", []byte{22, 0xfe, 0xfd, 0, 0}, Header{}, alert.ProtocolVersion},
		{"four bytes, which is the caller's mistake", []byte{22, 3, 3, 0}, Header{},
			alert.InternalError},
	} {
		got, err := ParseHeader(c.in)
		switch {
		case c.err == ok && (err != nil || got != c.want):
			t.Errorf("%s: got %+v, %v, expected %+v", c.name, got, err, c.want)
		case c.err != ok && (err == nil || alert.Of(err) != c.err):
			t.Errorf("%s: got %v, expected %v", c.name, err, c.err)
		}
	}
}
