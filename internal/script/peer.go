// Package script has a TLS 1.2 peer that performs its side of a handshake from the packages below
// package handshake. By itself it follows RFC 5246; every message and flight can be edited, to see
// what the other side does. It does not need a *testing.T: callers check its own failures with Err.
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
	"sync"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// A Peer is a client or a server whose messages can be edited. After an edit it goes on as well as
// it can until the other side has answered.
type Peer struct {
	me   iana.Side
	conn net.Conn
	rand io.Reader
	Cert tls.Certificate
	peer *x509.Certificate // the server's, if we are the client
	Edit Edits

	in, Out    record.Half
	version    iana.Version // of the records that it seals
	bytes      []byte       // received, and not yet a whole record
	messages   []byte       // handshake bytes that are not yet a whole message
	Transcript []byte

	Hello             *message.ClientHello
	answer            *message.ServerHello
	suite             *suite.Suite
	ServerKeyExchange *message.ServerKeyExchange
	master            keys.Master
	block             keys.Block

	Alert *alert.Received // the alert that ended the connection
	Data  []byte          // application data that was received

	mu  sync.Mutex
	err error // the first failure of our own
}

// Edits change what a Peer sends. A nil function changes nothing.
type Edits struct {
	Hello       func(*message.ClientHello)
	Answer      func(*message.ServerHello)
	Params      func(*message.ServerKeyExchange) // before they are signed
	Signed      func(*message.ServerKeyExchange) // after
	Request     *message.CertificateRequest      // a server's; nil: no certificate is requested
	Key         func(*message.ClientKeyExchange)
	Verify      func(*message.CertificateVerify)
	VerifyData  func([]byte) []byte
	Staple      *message.CertificateStatus
	Group       kex.Group                  // a server's; nil: X25519 or ffdhe2048
	Anonymous   bool                       // a client sends an empty Certificate when asked
	First, Last func(*Peer, []Item) []Item // the flight with the hello; that with Finished
}

// An Item is what a Peer sends at once: a handshake message or the content of another record.
type Item struct {
	Name  string // "server_hello", "change_cipher_spec", …
	Type  iana.ContentType
	Raw   []byte
	Wire  []byte // if not nil, these bytes are sent without a record around them
	Tail  []byte // sent in the same record, and not part of the transcript
	Aside bool   // not part of the transcript
}

// New returns a peer that performs the side me over conn with random values from random. cert
// authenticates a server, and a client that is asked.
func New(random io.Reader, me iana.Side, conn net.Conn, cert tls.Certificate, e Edits) *Peer {
	return &Peer{me: me, conn: conn, rand: random, Cert: cert, Edit: e, version: iana.TLS12,
		in: record.Half{From: me.Peer()}, Out: record.Half{From: me}}
}

// Err returns the first failure of the peer itself, as opposed to what the other side made of it:
// for example that it has no key to sign with. It may be called while the peer runs.
func (s *Peer) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Fail notes a failure of the peer itself for Err. The peer goes on.
func (s *Peer) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && err != nil {
		s.err = fmt.Errorf("script: %w", err)
	}
}

var errAlert = errors.New("script: an alert came")

// NextRecord returns the type and the decrypted content of the next record.
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

// Receive returns the next handshake message and its bytes.
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

// Play runs a script in a goroutine, then reads until the other side ends the connection, and
// closes it. The channel yields the script's error.
func (s *Peer) Play(script func() error) <-chan error {
	done := make(chan error, 1)
	go func() {
		err := script()
		s.drain()
		s.conn.Close()
		done <- err
	}()
	return done
}

// drain reads until the other side ends the connection.
func (s *Peer) drain() {
	for {
		if _, _, err := s.NextRecord(); err != nil {
			return
		}
	}
}

func (s *Peer) dialect() message.Dialect {
	d := message.Dialect{Version: iana.TLS12}
	if s.suite != nil {
		d.Kex, _ = s.suite.KeyExchange()
	}
	return d
}

// Encode returns a message as an Item.
func (s *Peer) Encode(m message.Message) Item {
	raw, err := s.dialect().Encode(m)
	if err != nil {
		s.Fail(err)
	}
	return Item{Name: m.Type().String(), Type: iana.RecordHandshake, Raw: raw}
}

// Send sends each Item in a record of its own. A Finished without content is computed now.
func (s *Peer) Send(items []Item) error {
	for _, i := range items {
		if i.Wire != nil {
			if _, err := s.conn.Write(i.Wire); err != nil {
				return err
			}
			continue
		}
		if i.Name == "finished" && i.Raw == nil {
			i.Raw = s.finished()
		}
		if i.Type == iana.RecordHandshake && !i.Aside {
			s.Transcript = append(s.Transcript, i.Raw...)
		}
		b, err := s.Out.Seal(nil, i.Type, s.version, slices.Concat(i.Raw, i.Tail))
		if err != nil {
			return err
		}
		if _, err := s.conn.Write(b); err != nil {
			return err
		}
		if i.Name == "change_cipher_spec" {
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

// Encode returns a handshake message of any type and body.
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

// protect starts to use the derived keys in one direction, if there are any yet.
func (s *Peer) protect(from iana.Side) {
	if s.block.Raw == nil {
		return
	}
	etm := s.answer.Extensions.Has(iana.ExtEncryptThenMAC) && s.suite.Cipher.CBC()
	p, err := record.New(s.suite.Cipher, s.suite.MAC,
		record.Params{Version: iana.TLS12, EncryptThenMAC: etm,
			Keys: record.Keys(s.block.Of(from)), Rand: s.rand})
	if err != nil {
		s.Fail(err)
		return
	}
	if from == s.me {
		s.Out.Protect(p)
	} else {
		s.in.Protect(p)
	}
}

// derive computes the keys from a pre_master_secret. The transcript ends with ClientKeyExchange.
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

// sign signs with the first of schemes that fits the certificate's key.
func (s *Peer) sign(schemes []iana.SignatureScheme, signed []byte) (iana.SignatureScheme, []byte) {
	cred, err := pki.FromTLS(&s.Cert)
	if err != nil {
		s.Fail(err)
		return 0, nil
	}
	pub, _ := cred.Chain.PublicKey()
	scheme, err := pki.ChooseScheme(pub, schemes, schemes)
	if err != nil {
		s.Fail(err)
		return 0, nil
	}
	signature, err := pki.Sign(s.rand, s.Cert.PrivateKey.(crypto.Signer), scheme, signed)
	if err != nil {
		s.Fail(err)
	}
	return scheme, signature
}
