package conformance_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
)

// A renegotiator is a server that asks for a second handshake, and departs from the RFC in it.
type renegotiator struct {
	what   string
	ref    string
	want   alert.Description
	says   string
	ends   how
	edits  script.Edits          // of the second handshake
	cert   *tls.Certificate      // of the second handshake; nil: the same
	suite  iana.CipherSuite      // of the second handshake; 0: the same
	config func(*vitrine.Config) // of the client
	asks   []script.Item         // nil: a HelloRequest
	// what the client reads in the end; "": "forged" after each handshake
	got string
}

func TestClientRefusesBadRenegotiation(t *testing.T) {
	const hf, um = alert.HandshakeFailure, alert.UnexpectedMessage
	set := func(f func(*message.ServerHello)) script.Edits { return script.Edits{Answer: f} }
	info := func(f func([]byte) []byte) script.Edits {
		return set(func(m *message.ServerHello) {
			for i, x := range m.Extensions {
				if x.Type == iana.ExtRenegotiationInfo {
					b := f(x.Data[1:])
					m.Extensions[i].Data = append([]byte{byte(len(b))}, b...)
				}
			}
		})
	}
	stranger := rig.Certificate(t, throwaway.RSA)
	old := func(c *vitrine.Config) { c.MinVersion = tls.VersionTLS10 }
	cases := []renegotiator{
		{what: "nothing is wrong", ref: "RFC 5746 §3.5", ends: accepted},
		{what: "it wants a certificate now", ref: "RFC 5246 §7.4.4", ends: accepted,
			edits: script.Edits{Request: anyCertificate()}},
		{what: "data between HelloRequest and ServerHello", ref: "RFC 5246 §7.4.1.1",
			ends: accepted,
			asks: []script.Item{script.Message(iana.HelloRequest), script.ForgedData},
			got:  "forgedforgedforged"},
		{what: "data after ServerHelloDone", ref: "RFC 5246 §7.4", ends: accepted,
			edits: script.Edits{First: script.Add(script.ForgedData)}, got: "forgedforgedforged"},
		{what: "HelloRequest twice", ref: "RFC 5246 §7.4.1.1", ends: accepted,
			asks: []script.Item{script.Message(iana.HelloRequest),
				script.Message(iana.HelloRequest)}},
		{what: "renegotiation_info of none", ref: "RFC 5746 §3.5", want: hf,
			says: "renegotiation_info", edits: info(func([]byte) []byte { return nil })},
		{what: "renegotiation_info without the server's half", ref: "RFC 5746 §3.5", want: hf,
			edits: info(func(b []byte) []byte { return b[:12] })},
		{what: "renegotiation_info with halves exchanged", ref: "RFC 5746 §3.5", want: hf,
			edits: info(func(b []byte) []byte { return slices.Concat(b[12:], b[:12]) })},
		{what: "renegotiation_info with one bit changed", ref: "RFC 5746 §3.5", want: hf,
			edits: info(func(b []byte) []byte { b[23] ^= 1; return b })},
		{
			what: "no renegotiation_info",
			ref:  "RFC 5746 §3.5",
			want: hf,
			edits: set(
				func(m *message.ServerHello) {
					m.Extensions = without(m.Extensions, iana.ExtRenegotiationInfo)
				},
			),
		},
		{what: "another certificate", ref: "RFC 5746 §5", want: alert.BadCertificate,
			says: "another certificate", cert: &stranger,
			suite: iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
		{what: "a pre-shared key instead of the certificate", ref: "RFC 5746 §5", want: hf,
			says: "which has none", suite: iana.TLS_PSK_WITH_AES_128_GCM_SHA256,
			config: func(c *vitrine.Config) {
				c.CipherSuites = []uint16{uint16(rig.ECDSAGCM),
					uint16(iana.TLS_PSK_WITH_AES_128_GCM_SHA256)}
				c.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK,
					error) {
					return &vitrine.PSK{Key: []byte{1}}, nil
				}
			}},
		{what: "another version", ref: "RFC 7627 §5.4", want: hf, says: "another version",
			config: old, suite: iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
			edits: set(func(m *message.ServerHello) { m.Version = iana.TLS11 })},
		{what: "TLS 1.3", ref: "RFC 8446 §4.1.3", want: alert.ProtocolVersion,
			says: "the server chose TLS 1.3 in a renegotiation",
			edits: set(func(m *message.ServerHello) {
				m.Extensions.Add(iana.ExtSupportedVersions,
					&message.SelectedVersion{Version: iana.TLS13})
			})},
		{what: "no extended_master_secret", ref: "RFC 7627 §5.4", want: hf,
			says: "another kind of master_secret", edits: set(func(m *message.ServerHello) {
				m.Extensions = without(m.Extensions, iana.ExtExtendedMasterSecret)
			})},
		{what: "another protocol in mid-connection", ref: "RFC 7301 §3.1", want: hf,
			says:   "the protocol \"b\"",
			config: func(c *vitrine.Config) { c.NextProtos = []string{"a", "b"} },
			edits: set(func(m *message.ServerHello) {
				m.Extensions.Add(iana.ExtALPN, &message.Protocols{Names: [][]byte{[]byte("b")}})
			})},
		{what: "the first session again", ref: "RFC 5246 §7.4.1.3", want: um,
			edits: script.Edits{First: func(*script.Peer,
				[]script.Item) []script.Item {
				return []script.Item{script.ChangeCipherSpec}
			}}, says: "expected the server's server_hello"},
		{what: "data between ChangeCipherSpec and Finished", ref: "RFC 5246 §7.1", want: um,
			says:  "application data",
			edits: script.Edits{Last: script.Before("finished", script.ForgedData)}},
		{what: "a wrong Finished", ref: "RFC 5246 §7.4.9", want: alert.DecryptError,
			edits: script.Edits{VerifyData: func(b []byte) []byte { b[0] ^= 1; return b }}},
		{what: "half a message behind the HelloRequest", ref: "RFC 5246 §7.3", want: um,
			says: "after the server's hello_request",
			asks: script.Behind("hello_request", 2, 0)(nil,
				[]script.Item{script.Message(iana.HelloRequest)})},
		{what: "a HelloRequest with a body", ref: "RFC 5246 §7.4.1.1", want: um,
			asks: []script.Item{script.Message(iana.HelloRequest, 1)}},
	}
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
	t.Logf("%d servers that renegotiate", len(cases))
}

func (c *renegotiator) run(t *testing.T) {
	config := rig.ClientConfig(rig.Until12)
	config.CipherSuites = []uint16{uint16(rig.ECDSAGCM),
		uint16(iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
		uint16(iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)}
	config.Renegotiation = tls.RenegotiateOnceAsClient
	if c.config != nil {
		c.config(config)
	}
	ours, wire := rig.Wires(t)
	peer := rig.Script(t, iana.Server, wire, rig.Certificate(t, throwaway.ECDSA), script.Edits{})
	done := peer.Play(func() error {
		err := peer.Serve(rig.ECDSAGCM)
		if err == nil {
			err = c.renegotiate(peer)
		}
		return err
	})
	conn := vitrine.Client(ours, config)
	want := c.got
	if want == "" && c.ends == accepted {
		want = "forgedforged"
	}
	var got []byte
	b := make([]byte, 100)
	var err error
	for err == nil && (len(want) == 0 || len(got) < len(want)) {
		var n int
		n, err = conn.Read(b)
		got = append(got, b[:n]...)
	}
	if c.ends == accepted {
		if err != nil || string(got) != want {
			t.Errorf("got %q and %v, expected %q", got, err, want)
		}
		if n := conn.ConnectionState().Renegotiations; n != 1 {
			t.Errorf("the state tells of %d renegotiations", n)
		}
		if _, err := conn.Write([]byte("and on")); err != nil {
			t.Error(err)
		}
		conn.Close()
		if scriptErr := <-done; scriptErr != nil || string(peer.Data) != "and on" {
			t.Errorf("the server got %q; its script ended with %v", peer.Data, scriptErr)
		}
		return
	}
	if description, ours := rig.AlertOf(err); !ours || description != c.want ||
		!bytes.Contains([]byte(err.Error()), []byte(c.says)) {
		t.Errorf("got %v, expected %v that says %q", err, c.want, c.says)
	}
	if string(got) != "forged" {
		t.Errorf("%q was delivered, expected what came before", got)
	}
	if _, err := conn.Write([]byte("secret")); err == nil {
		t.Error("data was sent after a failure")
	}
	conn.Close()
	if scriptErr := <-done; peer.Alert == nil || peer.Alert.Description != c.want {
		t.Errorf("the server heard %v, expected %v; its script ended with %v", peer.Alert, c.want,
			scriptErr)
	}
}

// renegotiate asks for another handshake and plays the server in it.
func (c *renegotiator) renegotiate(s *script.Peer) error {
	end := len(s.Transcript) // the client's Finished, and then ours
	prior := slices.Concat(s.Transcript[end-28:end-16], s.Transcript[end-12:end])
	asks := c.asks
	if asks == nil {
		asks = []script.Item{script.Message(iana.HelloRequest)}
	}
	if err := s.Send(asks); err != nil {
		return err
	}
	s.Transcript, s.Edit = nil, c.edits
	edit := s.Edit.Answer
	s.Edit.Answer = func(m *message.ServerHello) {
		var theirs message.RenegotiationInfo
		if _, err := s.Hello.Extensions.Read(iana.ExtRenegotiationInfo, &theirs); err != nil ||
			!bytes.Equal(theirs.RenegotiatedConnection, prior[:12]) {
			s.Fail(fmt.Errorf("the client's renegotiation_info is %x (%v), expected %x",
				theirs.RenegotiatedConnection, err, prior[:12]))
		}
		m.Extensions = without(m.Extensions, iana.ExtRenegotiationInfo)
		m.Extensions.Add(iana.ExtRenegotiationInfo,
			&message.RenegotiationInfo{RenegotiatedConnection: prior})
		if edit != nil {
			edit(m)
		}
	}
	if c.cert != nil {
		s.Cert = *c.cert
	}
	id := c.suite
	if id == 0 {
		id = rig.ECDSAGCM
	}
	return s.Serve(id)
}

// RFC 5246 §7.2.2: a client that renegotiates once says no to the second request, and goes on.
func TestClientRenegotiatesOnce(t *testing.T) {
	config := rig.ClientConfig(
		rig.Until12,
		func(c *vitrine.Config) { c.Renegotiation = tls.RenegotiateOnceAsClient },
	)
	ours, wire := rig.Wires(t)
	peer := rig.Script(t, iana.Server, wire, rig.Certificate(t, throwaway.ECDSA), script.Edits{})
	done := asksTwice(peer)
	conn := vitrine.Client(ours, config)
	for range 3 {
		b := make([]byte, 6)
		if n, err := conn.Read(b); string(b[:n]) != "forged" || err != nil {
			t.Fatalf("got %q and %v", b[:n], err)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	refusesRenegotiation(t, peer)
}

// asksTwice lets a scripted server renegotiate, and then ask once more, with data behind it. What
// it returns yields the error of all that.
func asksTwice(peer *script.Peer) <-chan error {
	done := make(chan error, 1)
	go func() {
		err := peer.Serve(rig.ECDSAGCM)
		if err == nil {
			err = (&renegotiator{}).renegotiate(peer)
		}
		if err == nil {
			err = peer.Send([]script.Item{script.Message(iana.HelloRequest), script.ForgedData})
		}
		done <- err
	}()
	return done
}

// refusesRenegotiation fails unless a peer's next record is the warning no_renegotiation.
func refusesRenegotiation(t *testing.T, peer *script.Peer) {
	t.Helper()
	typ, got, err := peer.NextRecord()
	if typ != iana.RecordAlert ||
		!bytes.Equal(got, []byte{byte(alert.Warning), byte(alert.NoRenegotiation)}) || err != nil {
		t.Errorf("got %v %x (%v), expected the warning no_renegotiation", typ, got, err)
	}
}

// RFC 5746 §4.1: without renegotiation_info nobody knows whose handshake the first one was, so
// there is no second.
func TestClientDoesNotRenegotiateUnsafely(t *testing.T) {
	config := rig.ClientConfig(
		rig.Until12,
		func(c *vitrine.Config) {
			c.Policy, c.Renegotiation = vitrine.Legacy, tls.RenegotiateFreelyAsClient
		},
	)
	ours, wire := rig.Wires(t)
	peer := rig.Script(t, iana.Server, wire, rig.Certificate(t, throwaway.ECDSA), script.Edits{
		Answer: func(m *message.ServerHello) {
			m.Extensions = without(m.Extensions, iana.ExtRenegotiationInfo)
		},
		Last: script.Add(script.Message(iana.HelloRequest)),
	})
	done := make(chan error, 1)
	go func() { done <- peer.Serve(rig.ECDSAGCM) }()
	conn := vitrine.Client(ours, config)
	b := make([]byte, 6)
	if n, err := conn.Read(b); string(b[:n]) != "forged" || err != nil {
		t.Fatalf("got %q and %v", b[:n], err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	refusesRenegotiation(t, peer)
}
