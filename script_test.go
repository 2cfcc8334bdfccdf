package vitrine_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// A script is a peer that plays its side by hand, from the packages below the handshake. Left alone it is honest; a case edits what
// it says, and it then goes on as well as it can until the other side has answered.
type script struct {
	t    testing.TB
	me   iana.Side
	conn net.Conn
	rand io.Reader
	cert tls.Certificate
	peer *x509.Certificate // of a server that it called
	edit edits

	in, out    record.Half
	version    iana.Version // of the records that it seals
	bytes      []byte       // arrived, and no record yet
	messages   []byte       // handshake bytes that are no message yet
	transcript []byte

	hello  *message.ClientHello
	answer *message.ServerHello
	suite  *suite.Suite
	ske    *message.ServerKeyExchange
	master keys.Master
	block  keys.Block

	heard *alert.Received // the alert that ended it
	data  []byte          // application data that came
}

// edits are the places where a case can depart from honesty. A nil one does not.
type edits struct {
	hello       func(*message.ClientHello)
	answer      func(*message.ServerHello)
	params      func(*message.ServerKeyExchange) // before they are signed
	signed      func(*message.ServerKeyExchange) // after
	request     *message.CertificateRequest      // from a server: ask for a certificate
	key         func(*message.ClientKeyExchange)
	verify      func(*message.CertificateVerify)
	verifyData  func([]byte) []byte
	staple      *message.CertificateStatus
	group       kex.Group // of a server; nil: X25519 or ffdhe2048
	anonymous   bool      // a client that is asked shows no certificate
	first, last func(*script, []line) []line
}

// A line is one thing that the script sends: a handshake message, or what another type of record holds.
type line struct {
	name  string // "server_hello", "change_cipher_spec", …
	typ   iana.ContentType
	raw   []byte
	wire  []byte // if set: these bytes as they are, and no record
	tail  []byte // in the same record, and in no transcript
	aside bool   // it is in no transcript
}

func newScript(t testing.TB, me iana.Side, conn net.Conn, cert tls.Certificate, e edits) *script {
	return &script{t: t, me: me, conn: conn, rand: testkit.Rand(t.Name()), cert: cert, edit: e, version: iana.TLS12,
		in: record.Half{From: me.Peer()}, out: record.Half{From: me}}
}

var errAlert = errors.New("script: an alert came")

// next is the next record's content.
func (s *script) next() (iana.ContentType, []byte, error) {
	need := func(n int) error {
		for len(s.bytes) < n {
			b := make([]byte, 1<<15)
			m, err := s.conn.Read(b)
			s.bytes = append(s.bytes, b[:m]...)
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := need(record.HeaderLen); err != nil {
		return 0, nil, err
	}
	h, err := record.ParseHeader(s.bytes)
	if err != nil {
		return 0, nil, err
	}
	if err := need(record.HeaderLen + h.Length); err != nil {
		return 0, nil, err
	}
	fragment := bytes.Clone(s.bytes[record.HeaderLen:][:h.Length])
	s.bytes = s.bytes[record.HeaderLen+h.Length:]
	_, plain, err := s.in.Open(h, fragment)
	if err != nil {
		return 0, nil, err
	}
	switch h.Type {
	case iana.RecordAlert:
		if plain[0] == byte(alert.Fatal) || plain[1] == byte(alert.CloseNotify) {
			s.heard = &alert.Received{Level: alert.Level(plain[0]), Description: alert.Description(plain[1])}
			return 0, nil, errAlert
		}
	case iana.RecordApplicationData:
		s.data = append(s.data, plain...)
	}
	return h.Type, plain, nil
}

// hear is the next handshake message, raw.
func (s *script) hear() (message.Message, []byte, error) {
	for len(s.messages) < message.HeaderLen || len(s.messages) < message.Length(s.messages) {
		typ, plain, err := s.next()
		if err != nil {
			return nil, nil, err
		}
		if typ == iana.RecordChangeCipherSpec {
			s.protect(s.me.Peer())
			continue
		}
		if typ == iana.RecordHandshake {
			s.messages = append(s.messages, plain...)
		}
	}
	n := message.Length(s.messages)
	raw := s.messages[:n:n]
	s.messages = s.messages[n:]
	m, err := s.dialect().Parse(raw)
	if err == nil {
		s.transcript = append(s.transcript, raw...)
	}
	return m, raw, err
}

// drain reads until the other side ends it.
func (s *script) drain() {
	for {
		if _, _, err := s.next(); err != nil {
			return
		}
	}
}

func (s *script) dialect() message.Dialect {
	d := message.Dialect{Version: iana.TLS12}
	if s.suite != nil {
		d.Kex = s.suite.Kex
	}
	return d
}

// encode is a message as a line.
func (s *script) encode(m message.Message) line {
	raw, err := s.dialect().Encode(m)
	if err != nil {
		s.t.Errorf("script: %v", err)
	}
	return line{name: m.Type().String(), typ: iana.RecordHandshake, raw: raw}
}

// say sends lines: each its own record. A Finished without content gets it now.
func (s *script) say(lines []line) error {
	for _, l := range lines {
		if l.wire != nil {
			if _, err := s.conn.Write(l.wire); err != nil {
				return err
			}
			continue
		}
		if l.name == "finished" && l.raw == nil {
			l.raw = s.finished()
		}
		if l.typ == iana.RecordHandshake && !l.aside {
			s.transcript = append(s.transcript, l.raw...)
		}
		b, err := s.out.Seal(nil, l.typ, s.version, slices.Concat(l.raw, l.tail))
		if err != nil {
			return err
		}
		if _, err := s.conn.Write(b); err != nil {
			return err
		}
		if l.name == "change_cipher_spec" {
			s.protect(s.me)
		}
	}
	return nil
}

func (s *script) finished() []byte {
	data := make([]byte, 12)
	if s.suite != nil && s.master.Bytes() != nil {
		data = s.master.VerifyData(s.me, s.hash())
	}
	if s.edit.verifyData != nil {
		data = s.edit.verifyData(data)
	}
	return handshakeMessage(iana.Finished, data)
}

// handshakeMessage has any type and body.
func handshakeMessage(t iana.HandshakeType, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b[0] = byte(t)
	return append(b, body...)
}

func (s *script) hash() []byte {
	h := s.suite.PRFHash(iana.TLS12).New()
	h.Write(s.transcript)
	return h.Sum(nil)
}

// protect switches a direction to the keys, if there are any yet.
func (s *script) protect(from iana.Side) {
	if s.block.Raw == nil {
		return
	}
	etm := s.answer.Extensions.Has(iana.ExtEncryptThenMAC) && s.suite.Cipher.CBC()
	p, err := record.New(s.suite.Cipher, s.suite.MAC, record.Params{Version: iana.TLS12, EncryptThenMAC: etm,
		Keys: record.Keys(s.block.Of(from)), Rand: s.rand})
	if err != nil {
		s.t.Errorf("script: %v", err)
		return
	}
	if from == s.me {
		s.out.Protect(p)
	} else {
		s.in.Protect(p)
	}
}

// derive makes the keys from a pre_master_secret. The transcript ends with ClientKeyExchange.
func (s *script) derive(pre []byte) {
	prf, r := keys.PRF{Hash: s.suite.PRF}, keys.Randoms{Client: s.hello.Random, Server: s.answer.Random}
	if s.answer.Extensions.Has(iana.ExtExtendedMasterSecret) {
		s.master = prf.ExtendedMaster(pre, s.hash())
	} else {
		s.master = prf.Master(pre, r)
	}
	s.block = s.master.KeyBlock(s.suite.Shape(iana.TLS12), r)
}

// sign signs with the best scheme of the certificate's key that schemes has.
func (s *script) sign(schemes []iana.SignatureScheme, signed []byte) (iana.SignatureScheme, []byte) {
	cred, err := pki.FromTLS(&s.cert)
	if err != nil {
		s.t.Errorf("script: %v", err)
		return 0, nil
	}
	pub, _ := cred.Chain.PublicKey()
	scheme, err := pki.ChooseScheme(pub, schemes, schemes)
	if err != nil {
		s.t.Errorf("script: %v", err)
		return 0, nil
	}
	signature, err := pki.Sign(s.rand, s.cert.PrivateKey.(crypto.Signer), scheme, signed)
	if err != nil {
		s.t.Errorf("script: %v", err)
	}
	return scheme, signature
}

// everyScheme is what a script signs with.
var everyScheme = []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256, iana.ECDSA_SECP384R1_SHA384, iana.RSA_PSS_RSAE_SHA256,
	iana.ED25519, iana.ED448, iana.RSA_PSS_PSS_SHA256}

var (
	changeCipherSpec = line{name: "change_cipher_spec", typ: iana.RecordChangeCipherSpec, raw: []byte{1}}
	finished         = line{name: "finished", typ: iana.RecordHandshake}
	forgedData       = line{name: "data", typ: iana.RecordApplicationData, raw: []byte("forged")}
)

// The edits of a flight.

func drop(name string) func(*script, []line) []line {
	return func(_ *script, f []line) []line {
		return slices.DeleteFunc(f, func(l line) bool { return l.name == name })
	}
}

func repeat(name string) func(*script, []line) []line {
	return func(_ *script, f []line) []line {
		i := find(f, name)
		again := f[i]
		again.aside = true
		return slices.Insert(f, i+1, again)
	}
}

func swap(a, b string) func(*script, []line) []line {
	return func(_ *script, f []line) []line {
		i, j := find(f, a), find(f, b)
		f[i], f[j] = f[j], f[i]
		return f
	}
}

func before(name string, more ...line) func(*script, []line) []line {
	return func(_ *script, f []line) []line { return slices.Insert(f, find(f, name), more...) }
}

func replace(name string, edit func([]byte) []byte) func(*script, []line) []line {
	return func(_ *script, f []line) []line {
		l := &f[find(f, name)]
		l.raw = edit(bytes.Clone(l.raw))
		return f
	}
}

// behind puts bytes behind a message, into its record.
func behind(name string, tail ...byte) func(*script, []line) []line {
	return func(_ *script, f []line) []line { f[find(f, name)].tail = tail; return f }
}

// only sends these lines and nothing of the flight.
func only(more ...line) func(*script, []line) []line {
	return func(*script, []line) []line { return more }
}

func add(more ...line) func(*script, []line) []line {
	return func(_ *script, f []line) []line { return append(f, more...) }
}

func find(f []line, name string) int {
	i := slices.IndexFunc(f, func(l line) bool { return l.name == name })
	if i < 0 {
		panic(fmt.Sprintf("script: no %s in this flight", name))
	}
	return i
}

// body is an edit of a message's body that leaves its header right.
func body(edit func([]byte) []byte) func([]byte) []byte {
	return func(raw []byte) []byte { return handshakeMessage(iana.HandshakeType(raw[0]), edit(raw[4:])) }
}

// content is a line of bytes in a record of any type.
func content(typ iana.ContentType, b ...byte) line { return line{name: "content", typ: typ, raw: b} }

// wire is bytes as they are.
func wire(b ...byte) line { return line{name: "wire", wire: b} }

// says is a handshake message of any type and body.
func says(t iana.HandshakeType, b ...byte) line {
	return line{name: t.String(), typ: iana.RecordHandshake, raw: handshakeMessage(t, b), aside: t == iana.HelloRequest}
}
