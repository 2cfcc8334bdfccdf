package message_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// once is a connection that has sent what its Reader has, and takes whatever is sent to it.
type once struct {
	net.Conn
	io.Reader
}

func (o once) Read(p []byte) (int, error)       { return o.Reader.Read(p) }
func (once) Write(p []byte) (int, error)        { return len(p), nil }
func (once) Close() error                       { return nil }
func (once) SetDeadline(time.Time) error        { return nil }
func (once) SetWriteDeadline(_ time.Time) error { return nil }

// standardHello is a ClientHello as crypto/tls reads it; nil if it refuses the hello.
func standardHello(raw []byte) (info *tls.ClientHelloInfo) {
	var records []byte
	for part := range slices.Chunk(raw, 1<<14) {
		records = append(records, byte(iana.RecordHandshake), 3, 1, byte(len(part)>>8),
			byte(len(part)))
		records = append(records, part...)
	}
	server := tls.Server(once{nil, bytes.NewReader(records)}, &tls.Config{
		MinVersion: tls.VersionTLS10,
		GetConfigForClient: func(i *tls.ClientHelloInfo) (*tls.Config, error) {
			info = i
			return nil, errors.New("enough")
		}})
	server.Handshake()
	return info
}

// outOfBounds names the vector of a ClientHello whose length RFC 5246 §7.4.1.2 does not allow.
// crypto/tls reads such a hello and refuses it later, or not at all.
func outOfBounds(raw []byte) string {
	in := cryptobyte.String(raw[message.HeaderLen+2+32:])
	var id, suites, methods cryptobyte.String
	if !in.ReadUint8LengthPrefixed(&id) || !in.ReadUint16LengthPrefixed(&suites) ||
		!in.ReadUint8LengthPrefixed(&methods) {
		return "any vector"
	}
	switch {
	case len(id) > 32:
		return "session_id"
	case len(suites) == 0:
		return "cipher_suites"
	case len(methods) == 0:
		return "compression_methods"
	}
	return ""
}

// boundless are hellos that crypto/tls reads, with vectors that are too long or too short.
func boundless(f *testing.F) (all [][]byte) {
	for _, c := range []struct{ id, suites, methods int }{
		{33, 1, 1}, {255, 1, 1}, {0, 0, 1}, {0, 1, 0}, {32, 0, 0}, {33, 0, 0}, {32, 1, 1},
	} {
		b := cryptobyte.NewBuilder([]byte{byte(iana.ClientHello)})
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16(uint16(iana.TLS12))
			b.AddBytes(make([]byte, 32))
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(make([]byte, c.id)) })
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				b.AddBytes(make([]byte, 2*c.suites))
			})
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
				b.AddBytes(make([]byte, c.methods))
			})
		})
		raw := b.BytesOrPanic()
		if standardHello(raw) == nil {
			f.Fatalf("crypto/tls does not read %+v", c)
		}
		all = append(all, raw)
	}
	return all
}

// FuzzHello: of a ClientHello that crypto/tls accepts we read the same suites, groups, schemes and
// versions, and it is not refused for its form.
func FuzzHello(f *testing.F) {
	for _, raw := range hellos(f) {
		f.Add(raw)
	}
	for _, raw := range boundless(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) < message.HeaderLen || raw[0] != byte(iana.ClientHello) || len(raw) > 60000 {
			return
		}
		// What comes after the message is another message to crypto/tls, and an error to Parse.
		length := int(raw[1])<<16 | int(raw[2])<<8 | int(raw[3])
		raw = raw[:min(len(raw), message.HeaderLen+length)]
		theirs := standardHello(raw)
		if theirs == nil {
			return
		}
		m, err := message.Dialect{Version: iana.TLS12}.Parse(raw)
		if vector := outOfBounds(raw); vector != "" {
			if err == nil {
				t.Errorf("we read a hello whose %s has a length that it cannot have", vector)
			}
			return
		}
		if err != nil {
			t.Fatalf("crypto/tls reads it, we: %v", err)
		}
		ours := m.(*message.ClientHello)
		if !slices.EqualFunc(ours.CipherSuites, theirs.CipherSuites,
			func(a iana.CipherSuite, b uint16) bool { return uint16(a) == b }) {
			t.Errorf("got the suites %v, crypto/tls %v", ours.CipherSuites, theirs.CipherSuites)
		}
		var groups message.SupportedGroups
		if _, err := ours.Extensions.Read(iana.ExtSupportedGroups, &groups); err == nil &&
			!slices.EqualFunc(groups.Groups, theirs.SupportedCurves,
				func(a iana.Group, b tls.CurveID) bool { return uint16(a) == uint16(b) }) {
			t.Errorf("got the groups %v, crypto/tls %v", groups.Groups, theirs.SupportedCurves)
		}
		var names message.ServerNames
		if ok, err := ours.Extensions.Read(iana.ExtServerName, &names); err == nil && ok &&
			theirs.ServerName != "" && string(names.Names[0].Name) != theirs.ServerName &&
			len(names.Names) == 1 {
			t.Errorf("got the name %q, crypto/tls %q", names.Names[0].Name, theirs.ServerName)
		}
	})
}
