// Package script is a TLS 1.2 peer that plays its side by hand, from the packages below the
// handshake. Left alone it is honest; each step can be edited, to see what the other side makes of
// it.
package script

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

// A script is a peer that plays its side by hand, from the packages below the handshake. Left alone
// it is honest; a case edits what it says, and it then goes on as well as it can until the other
// side has answered.
type Peer struct {
	T    testing.TB
	me   iana.Side
	conn net.Conn
	rand io.Reader
	Cert tls.Certificate
	peer *x509.Certificate // of a server that it called
	Edit Edits

	in, Out    record.Half
	version    iana.Version // of the records that it seals
	bytes      []byte       // arrived, and no record yet
	messages   []byte       // handshake bytes that are no message yet
	Transcript []byte

	Hello             *message.ClientHello
	answer            *message.ServerHello
	suite             *suite.Suite
	ServerKeyExchange *message.ServerKeyExchange
	master            keys.Master
	block             keys.Block

	Alert *alert.Received // the alert that ended it
	Data  []byte          // application data that came
}

// Edits are the places where a case can depart from honesty. A nil one does not.
type Edits struct {
	Hello       func(*message.ClientHello)
	Answer      func(*message.ServerHello)
	Params      func(*message.ServerKeyExchange) // before they are signed
	Signed      func(*message.ServerKeyExchange) // after
	Request     *message.CertificateRequest      // from a server: ask for a certificate
	Key         func(*message.ClientKeyExchange)
	Verify      func(*message.CertificateVerify)
	VerifyData  func([]byte) []byte
	Staple      *message.CertificateStatus
	Group       kex.Group // of a server; nil: X25519 or ffdhe2048
	Anonymous   bool      // a client that is asked shows no certificate
	First, Last func(*Peer, []Item) []Item
}

// A line is one thing that the script sends: a handshake message, or what another type of record
// holds.
type Item struct {
	Name  string // "server_hello", "change_cipher_spec", …
	Type  iana.ContentType
	Raw   []byte
	Wire  []byte // if set: these bytes as they are, and no record
	Tail  []byte // in the same record, and in no transcript
	Aside bool   // it is in no transcript
}

func New(t testing.TB, me iana.Side, conn net.Conn, cert tls.Certificate, e Edits) *Peer {
	return &Peer{T: t, me: me, conn: conn, rand: testkit.Rand(t.Name()), Cert: cert, Edit: e,
		version: iana.TLS12,
		in:      record.Half{From: me.Peer()}, Out: record.Half{From: me}}
}

var errAlert = errors.New("script: an alert came")

// NextRecord is the next record's content.
func (s *Peer) NextRecord() (iana.ContentType, []byte, error) {
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
			s.Alert = &alert.Received{Level: alert.Level(plain[0]),
				Description: alert.Description(plain[1])}
			return 0, nil, errAlert
		}
	case iana.RecordApplicationData:
		s.Data = append(s.Data, plain...)
	}
	return h.Type, plain, nil
}

// Receive is the next handshake message, raw.
func (s *Peer) Receive() (message.Message, []byte, error) {
	for len(s.messages) < message.HeaderLen || len(s.messages) < message.Length(s.messages) {
		typ, plain, err := s.NextRecord()
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
		s.Transcript = append(s.Transcript, raw...)
	}
	return m, raw, err
}

// Drain reads until the other side ends it.
func (s *Peer) Drain() {
	for {
		if _, _, err := s.NextRecord(); err != nil {
			return
		}
	}
}

func (s *Peer) dialect() message.Dialect {
	d := message.Dialect{Version: iana.TLS12}
	if s.suite != nil {
		d.Kex = s.suite.Kex
	}
	return d
}

// Encode is a message as a line.
func (s *Peer) Encode(m message.Message) Item {
	raw, err := s.dialect().Encode(m)
	if err != nil {
		s.T.Errorf("script: %v", err)
	}
	return Item{Name: m.Type().String(), Type: iana.RecordHandshake, Raw: raw}
}

// Send sends lines: each its own record. A Finished without content gets it now.
func (s *Peer) Send(lines []Item) error {
	for _, l := range lines {
		if l.Wire != nil {
			if _, err := s.conn.Write(l.Wire); err != nil {
				return err
			}
			continue
		}
		if l.Name == "finished" && l.Raw == nil {
			l.Raw = s.finished()
		}
		if l.Type == iana.RecordHandshake && !l.Aside {
			s.Transcript = append(s.Transcript, l.Raw...)
		}
		b, err := s.Out.Seal(nil, l.Type, s.version, slices.Concat(l.Raw, l.Tail))
		if err != nil {
			return err
		}
		if _, err := s.conn.Write(b); err != nil {
			return err
		}
		if l.Name == "change_cipher_spec" {
			s.protect(s.me)
		}
	}
	return nil
}

func (s *Peer) finished() []byte {
	data := make([]byte, 12)
	if s.suite != nil && s.master.Bytes() != nil {
		data = s.master.VerifyData(s.me, s.hash())
	}
	if s.Edit.VerifyData != nil {
		data = s.Edit.VerifyData(data)
	}
	return Encode(iana.Finished, data)
}

// Encode has any type and body.
func Encode(t iana.HandshakeType, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b[0] = byte(t)
	return append(b, body...)
}

func (s *Peer) hash() []byte {
	h := s.suite.PRFHash(iana.TLS12).New()
	h.Write(s.Transcript)
	return h.Sum(nil)
}

// protect switches a direction to the keys, if there are any yet.
func (s *Peer) protect(from iana.Side) {
	if s.block.Raw == nil {
		return
	}
	etm := s.answer.Extensions.Has(iana.ExtEncryptThenMAC) && s.suite.Cipher.CBC()
	p, err := record.New(s.suite.Cipher, s.suite.MAC,
		record.Params{Version: iana.TLS12, EncryptThenMAC: etm,
			Keys: record.Keys(s.block.Of(from)), Rand: s.rand})
	if err != nil {
		s.T.Errorf("script: %v", err)
		return
	}
	if from == s.me {
		s.Out.Protect(p)
	} else {
		s.in.Protect(p)
	}
}

// derive makes the keys from a pre_master_secret. The transcript ends with ClientKeyExchange.
func (s *Peer) derive(pre []byte) {
	prf, r := keys.PRF{Hash: s.suite.PRF},
		keys.Randoms{Client: s.Hello.Random, Server: s.answer.Random}
	if s.answer.Extensions.Has(iana.ExtExtendedMasterSecret) {
		s.master = prf.ExtendedMaster(pre, s.hash())
	} else {
		s.master = prf.Master(pre, r)
	}
	s.block = s.master.KeyBlock(s.suite.Shape(iana.TLS12), r)
}

// sign signs with the best scheme of the certificate's key that schemes has.
func (s *Peer) sign(schemes []iana.SignatureScheme, signed []byte) (iana.SignatureScheme, []byte) {
	cred, err := pki.FromTLS(&s.Cert)
	if err != nil {
		s.T.Errorf("script: %v", err)
		return 0, nil
	}
	pub, _ := cred.Chain.PublicKey()
	scheme, err := pki.ChooseScheme(pub, schemes, schemes)
	if err != nil {
		s.T.Errorf("script: %v", err)
		return 0, nil
	}
	signature, err := pki.Sign(s.rand, s.Cert.PrivateKey.(crypto.Signer), scheme, signed)
	if err != nil {
		s.T.Errorf("script: %v", err)
	}
	return scheme, signature
}

// AllSchemes is what a script signs with.
var AllSchemes = []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256, iana.ECDSA_SECP384R1_SHA384,
	iana.RSA_PSS_RSAE_SHA256,
	iana.ED25519, iana.ED448, iana.RSA_PSS_PSS_SHA256}

var (
	ChangeCipherSpec = Item{Name: "change_cipher_spec", Type: iana.RecordChangeCipherSpec,
		Raw: []byte{1}}
	Finished   = Item{Name: "finished", Type: iana.RecordHandshake}
	ForgedData = Item{Name: "data", Type: iana.RecordApplicationData, Raw: []byte("forged")}
)

// The edits of a flight.

func Drop(name string) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item {
		return slices.DeleteFunc(f, func(l Item) bool { return l.Name == name })
	}
}

func Repeat(name string) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item {
		i := Find(f, name)
		again := f[i]
		again.Aside = true
		return slices.Insert(f, i+1, again)
	}
}

func Swap(a, b string) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item {
		i, j := Find(f, a), Find(f, b)
		f[i], f[j] = f[j], f[i]
		return f
	}
}

func Before(name string, more ...Item) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item { return slices.Insert(f, Find(f, name), more...) }
}

func Replace(name string, edit func([]byte) []byte) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item {
		l := &f[Find(f, name)]
		l.Raw = edit(bytes.Clone(l.Raw))
		return f
	}
}

// Behind puts bytes behind a message, into its record.
func Behind(name string, tail ...byte) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item { f[Find(f, name)].Tail = tail; return f }
}

// Only sends these lines and nothing of the flight.
func Only(more ...Item) func(*Peer, []Item) []Item {
	return func(*Peer, []Item) []Item { return more }
}

func Add(more ...Item) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item { return append(f, more...) }
}

func Find(f []Item, name string) int {
	i := slices.IndexFunc(f, func(l Item) bool { return l.Name == name })
	if i < 0 {
		panic(fmt.Sprintf("script: no %s in this flight", name))
	}
	return i
}

// Body is an edit of a message's body that leaves its header right.
func Body(edit func([]byte) []byte) func([]byte) []byte {
	return func(raw []byte) []byte { return Encode(iana.HandshakeType(raw[0]), edit(raw[4:])) }
}

// Record is a line of bytes in a record of any type.
func Record(typ iana.ContentType,
	b ...byte) Item {
	return Item{Name: "content", Type: typ, Raw: b}
}

// Wire is bytes as they are.
func Wire(b ...byte) Item { return Item{Name: "wire", Wire: b} }

// Message is a handshake message of any type and body.
func Message(t iana.HandshakeType, b ...byte) Item {
	return Item{Name: t.String(), Type: iana.RecordHandshake, Raw: Encode(t, b),
		Aside: t == iana.HelloRequest}
}
