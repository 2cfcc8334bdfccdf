package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// connection is one connection of a test.
type connection struct {
	*options
	rejected *options // those that hold once the server has rejected early data
	shared   *shared
	number   int
	tls      *vitrine.Conn
	hello    *vitrine.ClientHelloInfo // of a server: what the client sent last

	cache    clientCache
	store    serverStore
	messages messages
	secrets  bytes.Buffer // NSS key log
	selected int          // the number of the credential that was used
}

func newConnection(o, rejected *options, s *shared, i int) *connection {
	c := &connection{options: o, rejected: rejected, shared: s, number: i, selected: usualIndex}
	c.cache.ClientSessionCache, c.store.Memory = s.cache, s.store
	if c.messages.me = iana.Client; o.server {
		c.messages.me = iana.Server
	}
	return c
}

// perform dials the runner, who is the TCP server whatever the TLS roles are.
func (c *connection) perform() error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	host := "127.0.0.1"
	if c.ipv6 {
		host = "::1"
	}
	wire, err := net.Dial("tcp", net.JoinHostPort(host, fmt.Sprint(c.port)))
	if err != nil {
		return err
	}
	if _, err := wire.Write(binary.LittleEndian.AppendUint64(nil, uint64(c.shimID))); err != nil {
		return err
	}
	if c.refuse {
		wire.Write([]byte{byte(iana.RecordAlert), 3, 1, 0, 2,
			byte(alert.Fatal), byte(alert.HandshakeFailure)})
		drain(wire)
		return failure("HANDSHAKE_FAILURE")
	}
	if c.server {
		c.tls = vitrine.Server(wire, cfg)
	} else {
		c.tls = vitrine.Client(wire, cfg)
	}
	err = c.exchange()
	if err != nil {
		drain(wire)
	}
	wire.Close()
	return err
}

// drain ends what we send, and reads what the runner still does: if bytes lie unread when the
// socket closes, it sees a reset instead of the alert.
func drain(wire net.Conn) {
	half := wire.(*net.TCPConn)
	half.CloseWrite()
	half.SetReadDeadline(time.Now().Add(5 * time.Second))
	io.Copy(io.Discard, half)
}

// exchange performs the handshake and moves data as the runner expects it.
func (c *connection) exchange() error {
	sent, err := c.early()
	if err != nil {
		return err
	}
	if !c.implicit || c.enableEarly {
		if err := c.handshake(); err != nil {
			return err
		}
		if err := c.check(); err != nil {
			return err
		}
		if c.handshakeTwice {
			if err := c.tls.Handshake(); err != nil {
				return err
			}
		}
	}
	if err := c.write(sent); err != nil {
		return err
	}
	if !c.shimShutsDown && !c.differentSizes {
		if err := c.echo(); err != nil {
			return err
		}
	}
	if c.implicit && !c.enableEarly {
		if err := c.check(); err != nil {
			return err
		}
	}
	if n := c.tls.ConnectionState().Renegotiations; c.expectRenegs != nil && n != *c.expectRenegs {
		return fmt.Errorf("got %d renegotiations, expected %d", n, *c.expectRenegs)
	}
	if err := c.messages.check(c.expectMessages); err != nil {
		return err
	}
	return c.close()
}

// write sends what comes before the peer's first data, without the n bytes that went as early data.
func (c *connection) write(n int) error {
	var lines [][]byte
	if c.exportLength > 0 {
		if err := c.tls.Handshake(); err != nil {
			return err
		}
		var context []byte
		if c.useExportContext {
			context = append([]byte{}, c.exportContext...)
		}
		b, err := c.tls.ExportKeyingMaterial(c.exportLabel, context, c.exportLength)
		if err != nil {
			return err
		}
		lines = append(lines, b)
	}
	if c.trafficSecrets {
		b, err := c.applicationSecrets()
		if err != nil {
			return err
		}
		lines = append(lines, b)
	}
	if c.tlsUnique {
		state := c.tls.ConnectionState()
		if state.TLSUnique == nil {
			return failure("failed to get tls-unique")
		}
		lines = append(lines, state.TLSUnique)
	}
	if c.differentSizes {
		for _, n := range []int{0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769} {
			lines = append(lines, bytes.Repeat([]byte{0x42}, n))
		}
	} else if c.shimWritesFirst {
		for range c.repeatWrite {
			lines = append(lines, []byte(c.initialWrite))
		}
	}
	for _, b := range lines {
		early := min(n, len(b))
		if n -= early; early > 0 && early == len(b) {
			continue
		}
		if _, err := c.tls.Write(b[early:]); err != nil {
			return err
		}
	}
	return nil
}

// echo returns what the peer sends, each byte inverted, until it ends the connection.
func (c *connection) echo() error {
	b := make([]byte, c.readSize)
	var from io.Reader = c.tls
	if c.peek { // Go's way to look at what comes
		from = bufio.NewReader(c.tls)
	}
	for {
		if peeked, ok := from.(*bufio.Reader); ok {
			if _, err := peeked.Peek(1); err != nil && err != io.EOF {
				return err
			}
		}
		n, err := from.Read(b)
		for i := range b[:n] {
			b[i] ^= 0xff
		}
		if n > 0 {
			if c.keyUpdate {
				if err := c.tls.KeyUpdate(false); err != nil {
					return err
				}
			}
			if _, err := c.tls.Write(b[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF) && !c.checkCloseNotify && cutBetween(err):
			return nil // the runner often ends without close_notify
		case err != nil:
			return err
		}
	}
}

// cutBetween reports whether the stream ended at a record boundary.
func cutBetween(err error) bool { return !strings.Contains(err.Error(), "inside") }

// close ends the connection; with -check-close-notify both close_notify alerts must come.
func (c *connection) close() error {
	if !c.checkCloseNotify {
		if c.shimShutsDown {
			return nil
		}
		c.tls.CloseWrite()
		return nil
	}
	if err := c.tls.CloseWrite(); err != nil {
		return err
	}
	switch _, err := c.tls.Read(make([]byte, 1)); {
	case err == nil:
		return failure(":APPLICATION_DATA_ON_SHUTDOWN:")
	case err != io.EOF:
		//lint:ignore ST1005 the runner compares this text
		return fmt.Errorf("Unexpected SSL_shutdown result: -1 != 1: no close_notify: %w", err)
	}
	return nil
}

// check compares what was negotiated with the expectations of the test.
func (c *connection) check() error {
	s := c.tls.ConnectionState()
	for _, check := range []func(*vitrine.ConnectionState) error{
		c.noteKey, c.checkFacts, c.checkPeer, c.checkPeerType, c.checkSessions, c.checkLists,
		c.checkEarly,
	} {
		if err := check(&s); err != nil {
			return err
		}
	}
	return nil
}

func (c *connection) checkFacts(s *vitrine.ConnectionState) error {
	resumed := c.number > 0 && !c.expectMiss
	early := s.Version < vitrine.VersionTLS13 // TLS 1.3 always has what two extensions brought
	switch {
	case s.DidResume != resumed:
		return fmt.Errorf("session was resumed: %v, expected %v", s.DidResume, resumed)
	case c.expectVersion != 0 && s.Version != c.expectVersion:
		return fmt.Errorf("got version 0x%04x, expected 0x%04x", s.Version, c.expectVersion)
	case c.expectServerName != "" && s.ServerName != c.expectServerName:
		return fmt.Errorf("got server_name %q, expected %q", s.ServerName, c.expectServerName)
	case c.expectNoServerName && s.ServerName != "":
		return fmt.Errorf("got server_name %q, expected none", s.ServerName)
	case c.expectALPN != nil && s.NegotiatedProtocol != *c.expectALPN:
		return fmt.Errorf("got protocol %q, expected %q", s.NegotiatedProtocol, *c.expectALPN)
	case c.number > 0 && c.expectSkew != int(s.TicketAgeSkew.Round(time.Second)/time.Second) &&
		c.expectSkew != 0:
		return fmt.Errorf("got a skew of %v, expected %d s", s.TicketAgeSkew, c.expectSkew)
	case c.expectHRR != nil && s.HelloRetryRequest != *c.expectHRR:
		return fmt.Errorf("a HelloRetryRequest came: %v", s.HelloRetryRequest)
	case c.expectCipher != 0 && s.CipherSuite != c.expectCipher:
		return fmt.Errorf("got the suite 0x%04x, expected 0x%04x", s.CipherSuite, c.expectCipher)
	case c.expectAES != 0 && s.CipherSuite != c.expectAES && s.CipherSuite != c.expectNoAES:
		return fmt.Errorf("got the suite 0x%04x, expected 0x%04x or 0x%04x", s.CipherSuite,
			c.expectAES, c.expectNoAES)
	case c.expectCurve != 0 && uint16(s.CurveID) != c.expectCurve:
		return fmt.Errorf("got group %v, expected %v", s.CurveID, c.expectCurve)
	case c.expectEMS && early && !s.ExtendedMasterSecret:
		return failure("no extended_master_secret")
	case c.expectSecure && early && !s.SecureRenegotiation:
		return failure("no secure renegotiation")
	case c.expectSelected != nil && *c.expectSelected != c.selected:
		return fmt.Errorf("used credential %d, expected %d", c.selected, *c.expectSelected)
	}
	return nil
}

// checkPeer compares what the peer proved itself with.
func (c *connection) checkPeer(s *vitrine.ConnectionState) error {
	none := c.expectNoPeerCert || c.psk != "" || len(s.PSKIdentity) > 0
	needed := !none && (!c.server || c.requireCert)
	got, want := uint16(s.PeerSignatureScheme), c.expectPeerSignature
	n := len(s.PeerCertificates)
	if s.PeerRawPublicKey != nil {
		n = 1
	}
	switch {
	case none && n > 0 || needed && n == 0:
		return fmt.Errorf("got %d certificates, expected some: %v", n, needed)
	case want != 0 && got != want && !s.DidResume:
		return fmt.Errorf("the peer signed with 0x%04x, expected 0x%04x", got, want)
	case c.expectOCSP != nil && !bytes.Equal(s.OCSPResponse, c.expectOCSP):
		return fmt.Errorf("got another OCSP response, of %d bytes", len(s.OCSPResponse))
	}
	return nil
}

// checkPeerType compares the peer's certificate type, and its raw public key.
func (c *connection) checkPeerType(s *vitrine.ConnectionState) error {
	got := iana.X509
	if s.PeerRawPublicKey != nil {
		got = iana.RawPublicKey
	}
	if c.expectPeerType != nil && int(got) != *c.expectPeerType {
		return fmt.Errorf("got the certificate type %v, expected %d", got, *c.expectPeerType)
	}
	digest := sha256.Sum256(s.PeerRawPublicKey)
	if c.expectPeerKey != nil && !bytes.Equal(digest[:], c.expectPeerKey) {
		return failure("the peer's raw public key is another")
	}
	return nil
}

func (c *connection) checkLists(s *vitrine.ConnectionState) error {
	if c.expectPeerCertFile != "" {
		chain, err := peerFile(c.expectPeerCertFile)
		if err != nil {
			return err
		}
		if len(chain) != len(s.PeerCertificates) {
			return fmt.Errorf("got %d certificates, expected %d",
				len(s.PeerCertificates), len(chain))
		}
		for i, cert := range s.PeerCertificates {
			if !bytes.Equal(cert.Raw, chain[i]) {
				return fmt.Errorf("certificate %d is another", i)
			}
		}
	}
	if c.expectSCT != nil {
		want, err := timestamps(c.expectSCT)
		if err != nil {
			return err
		}
		if len(want) != len(s.SignedCertificateTimestamps) {
			return fmt.Errorf("got %d timestamps", len(s.SignedCertificateTimestamps))
		}
		for i, b := range want {
			if !bytes.Equal(b, s.SignedCertificateTimestamps[i]) {
				return fmt.Errorf("timestamp %d is another", i)
			}
		}
	}
	if c.expectAdvertisedALPN != nil && c.hello != nil {
		var got []byte
		for _, p := range c.hello.SupportedProtos {
			got = append(append(got, byte(len(p))), p...)
		}
		if !bytes.Equal(got, c.expectAdvertisedALPN) {
			return fmt.Errorf("got the protocols %q", got)
		}
	}
	return nil
}
