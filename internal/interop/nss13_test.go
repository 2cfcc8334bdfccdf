package interop_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// nss13 returns the Config and the Setup of connections of TLS 1.3 with a tool of NSS. What a
// client sends is early.
func nss13(t *testing.T, them iana.Side, clientKey throwaway.Kind,
	options ...string) (*vitrine.Config, *interop.Setup) {
	t.Helper()
	m := in13(&meeting{with: interop.NSS, them: them, serverKey: throwaway.ECDSA,
		clientKey: clientKey})
	config, setup := m.defaults(t)
	var err error
	if setup.Database, err = database(t, setup.Identity); err != nil {
		t.Fatal(err)
	}
	if setup.Options = options; them == iana.Client {
		setup.Options = append(options, "-A", earlyFile(t))
	}
	return config, setup
}

// answered sends a request to selfserv, early if that can be, and reads the answer.
func answered(c *vitrine.Conn) error {
	const request = "GET /nothing HTTP/1.0\r\n\r\n"
	_, err := c.WriteEarly([]byte(request))
	if errors.Is(err, vitrine.ErrNoEarlyData) {
		_, err = io.WriteString(c, request)
	} else if err == nil {
		if err = c.Handshake(); errors.Is(err, vitrine.ErrEarlyDataRejected) {
			_, err = io.WriteString(c, request)
		}
	}
	if err != nil {
		return err
	}
	// it may close, and reset, before it has read the end of early data
	b, err := io.ReadAll(c)
	if !bytes.Contains(b, []byte("Server: Generic Web Server")) {
		return fmt.Errorf("selfserv answers %q, %w", b, err)
	}
	return nil
}

// tstclnt offers early data when it comes again. Whether its file is early data, or follows, is a
// matter of when it reads it.
func earlyOfNSS(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	config, setup := nss13(t, iana.Client, "", "-Z")
	takesEarly(config)
	setup.Connects = 2
	peer, next := visitor(ctx, t, interop.NSS, config, setup)
	for i, want := range []vitrine.EarlyDataStatus{vitrine.EarlyDataNone,
		vitrine.EarlyDataAccepted} {
		conn, sent, err := next()
		if got := conn.ConnectionState().EarlyData; err != nil || got != want ||
			sent != "" && want != vitrine.EarlyDataAccepted {
			t.Fatalf("connection %d: %v, %q, %v; they say %s", i+1, got, sent, err, peer.Output())
		}
		talkToNSS(t, conn, early[len(sent):])
	}
}

// talkToNSS reads what tstclnt sends, answers, and ends the connection.
func talkToNSS(t *testing.T, conn *vitrine.Conn, want string) {
	t.Helper()
	defer conn.Close()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Fatalf("they sent %q, %v", got, err)
	}
	if _, err := io.WriteString(conn, "an answer\n"); err != nil {
		t.Fatal(err)
	}
	conn.CloseWrite()
	io.Copy(io.Discard, conn)
}

// pskOfNSS is tstclnt with a PSK. Of a second ticket behind a PSK it makes an error of its own.
func pskOfNSS(t *testing.T, key *interop.PSK) {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	config, setup := nss13(t, iana.Client, "")
	setup.PSK, config.Certificates, config.TicketCount = key, nil, 1
	config.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) {
		return &vitrine.PSK{Identity: []byte(key.Identity), Key: key.Key}, nil
	}
	m := in13(&meeting{with: interop.NSS, them: iana.Client})
	conn, peer, err := m.connect(ctx, config, setup)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Kill()
	conn.SetDeadline(time.Now().Add(deadline))
	if err := conn.Handshake(); err != nil ||
		string(conn.ConnectionState().PSKIdentity) != key.Identity {
		t.Fatalf("%q, %v; they say %s", conn.ConnectionState().PSKIdentity, err, peer.Output())
	}
	talkToNSS(t, conn, early)
}

// selfserv takes early data, but not in the first ten seconds after its start.
func earlyToNSS(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	config, setup := nss13(t, iana.Server, "", "-Z")
	config.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
	server, err := interop.NSS.Serve(ctx, setup)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Kill()
	for i := 0; ; i++ {
		under, err := server.Dial(ctx)
		if err != nil {
			t.Fatal(err)
		}
		under.SetDeadline(time.Now().Add(deadline))
		conn := vitrine.Client(under, config)
		if err := answered(conn); err != nil {
			t.Fatalf("connection %d: %v; they say %s", i+1, err, server.Output())
		}
		conn.Close()
		s := conn.ConnectionState()
		if s.EarlyData == vitrine.EarlyDataAccepted {
			return
		}
		if s.DidResume != (i > 0) {
			t.Fatalf("connection %d: resumed %t", i+1, s.DidResume)
		}
		time.Sleep(time.Second)
	}
}

// late13 is authentication after the handshake in one of the roles: RFC 8446 §4.6.2.
func late13(t *testing.T, with *interop.Stack, them iana.Side) {
	map[*interop.Stack][2]func(*testing.T){
		interop.OpenSSL: {iana.Client: lateOf(interop.OpenSSL, "-enable_pha"),
			iana.Server: lateToOpenSSL},
		interop.GnuTLS: {iana.Client: lateOf(interop.GnuTLS, "--post-handshake-auth"),
			iana.Server: lateToGnuTLS},
		interop.NSS: {iana.Client: lateOfNSS, iana.Server: lateToNSS},
	}[with][them](t)
}

func lateOfNSS(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	m := in13(&meeting{with: interop.NSS, them: iana.Client})
	config, setup := nss13(t, iana.Client, throwaway.ECDSA, "-E")
	config.ClientAuth, config.PostHandshakeAuth = tls.NoClientCert, true
	conn, peer, err := m.connect(ctx, config, setup)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Kill()
	conn.SetDeadline(time.Now().Add(deadline))
	if err := conn.Handshake(); err != nil || conn.ConnectionState().PeerCertificates != nil {
		t.Fatalf("%v; certificates in the handshake: %d; they say %s", err,
			len(conn.ConnectionState().PeerCertificates), peer.Output())
	}
	if err := conn.RequestClientCertificate(tls.RequireAndVerifyClientCert); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "a question\n"); err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() { // the answer comes behind tstclnt's data, and no data behind it
		_, err := io.Copy(io.Discard, conn)
		read <- err
	}()
	for end := time.Now().Add(deadline); len(conn.ConnectionState().PeerCertificates) == 0; {
		if time.Now().After(end) {
			t.Fatalf("no certificate came; they say %s", peer.Output())
		}
		time.Sleep(2 * time.Millisecond)
	}
	conn.CloseWrite() // tstclnt closes, too
	if err := <-read; err != nil {
		t.Error(err)
	}
}

// selfserv asks when it has read a request.
func lateToNSS(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	config, setup := nss13(t, iana.Server, throwaway.ECDSA, "-E", "-r", "-r", "-r", "-r")
	setup.ClientAuth, config.PostHandshakeAuth = false, true
	server, err := interop.NSS.Serve(ctx, setup)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Kill()
	under, err := server.Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	under.SetDeadline(time.Now().Add(deadline))
	conn := vitrine.Client(under, config)
	defer conn.Close()
	if err := answered(conn); err != nil {
		t.Fatalf("%v; they say %s", err, server.Output())
	}
	if conn.ConnectionState().LocalCertificates == nil {
		t.Errorf("we showed no certificate; they say %s", server.Output())
	}
}
