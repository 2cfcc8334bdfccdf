package vitrine_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// exampleCA issues the certificates of the examples; yours come from files:
// vitrine.LoadX509KeyPair.
func exampleCA() *throwaway.CA {
	ca, err := throwaway.New(throwaway.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return ca
}

func issue(ca *throwaway.CA, kind throwaway.Kind) vitrine.Certificate {
	cert, err := ca.Issue(kind, []string{"localhost"})
	if err != nil {
		log.Fatal(err)
	}
	return cert
}

// echo answers each connection with its own data, and returns the address.
func echo(config *vitrine.Config) (addr string, stop func()) {
	l, err := vitrine.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr().String(), func() { l.Close() }
}

// A client that trusts one authority.
func ExampleDial() {
	ca := exampleCA()
	addr, stop := echo(&vitrine.Config{Certificates: []vitrine.Certificate{issue(ca,
		throwaway.ECDSA)}})
	defer stop()

	conn, err := vitrine.Dial("tcp", addr,
		&vitrine.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	fmt.Fprint(conn, "hello")
	conn.CloseWrite() // close_notify: the server reads io.EOF
	answer, err := io.ReadAll(conn)
	fmt.Printf("%s, %v\n", answer, err)

	state := conn.ConnectionState()
	fmt.Println(vitrine.VersionName(state.Version), state.GroupName, state.Concerns)
	// Output:
	// hello, <nil>
	// TLS 1.3 X25519MLKEM768 []
}

// A server that answers one connection. GetCertificate, GetConfigForClient and the others are
// crypto/tls's.
func ExampleListen() {
	ca := exampleCA()
	config := &vitrine.Config{Certificates: []vitrine.Certificate{issue(ca, throwaway.ECDSA),
		issue(ca, throwaway.Ed25519)}}
	l, err := vitrine.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintln(conn, "at your service")
	}()

	conn, err := vitrine.Dial("tcp", l.Addr().String(),
		&vitrine.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	greeting, err := io.ReadAll(conn)
	fmt.Printf("%s%v\n", greeting, err)
	// Output:
	// at your service
	// <nil>
}

// Both sides authenticate. A server requests a certificate with ClientAuth, and says whom it trusts
// with ClientCAs.
func ExampleConfig_mutualTLS() {
	servers, clients := exampleCA(), exampleCA()
	user, err := clients.Issue(throwaway.ECDSA, []string{"a user"}, throwaway.ForClient)
	if err != nil {
		log.Fatal(err)
	}
	addr, stop := echo(&vitrine.Config{
		Certificates: []vitrine.Certificate{issue(servers, throwaway.ECDSA)},
		ClientAuth:   vitrine.RequireAndVerifyClientCert,
		ClientCAs:    clients.Pool(),
		VerifyConnection: func(s vitrine.ConnectionState) error {
			fmt.Println("the client is", s.VerifiedChains[0][0].Subject.CommonName)
			return nil
		},
	})
	defer stop()

	for _, certs := range [][]vitrine.Certificate{{user}, nil} {
		conn, err := vitrine.Dial("tcp", addr,
			&vitrine.Config{RootCAs: servers.Pool(), ServerName: "localhost", Certificates: certs})
		if err != nil { // in TLS 1.2
			fmt.Println(err)
			continue
		}
		fmt.Fprint(conn, "hello")
		conn.CloseWrite()
		// In TLS 1.3 the server judges the client when the client's handshake is over.
		answer, err := io.ReadAll(conn)
		if refused, ok := errors.AsType[*alert.Received](err); ok {
			fmt.Println(refused)
		} else {
			fmt.Printf("%s\n", answer)
		}
		conn.Close()
	}
	// Output:
	// the client is a user
	// hello
	// peer sent alert: fatal certificate_required (116)
}

// An appliance that stopped learning in 2008: TLS 1.0, RSA key exchange, CBC. The default policy
// does not reach it; Legacy does, and says what that is worth.
func ExamplePolicy_legacyAppliance() {
	ca := exampleCA()
	addr, stop := echo(&vitrine.Config{
		Certificates: []vitrine.Certificate{issue(ca, throwaway.RSA)},
		MinVersion:   vitrine.VersionTLS10,
		MaxVersion:   vitrine.VersionTLS10,
		CipherSuites: []uint16{vitrine.TLS_RSA_WITH_AES_128_CBC_SHA},
	})
	defer stop()

	for _, policy := range []*vitrine.Policy{vitrine.Modern, vitrine.Legacy} {
		conn, err := vitrine.Dial("tcp", addr,
			&vitrine.Config{RootCAs: ca.Pool(), ServerName: "localhost", Policy: policy})
		if failed, ok := errors.AsType[*vitrine.HandshakeError](err); ok {
			fmt.Println(policy.Name(), "fails:", failed.Err)
			continue
		}
		defer conn.Close()
		state := conn.ConnectionState()
		fmt.Println(policy.Name(), "works:", vitrine.VersionName(state.Version),
			vitrine.CipherSuiteName(state.CipherSuite))
		fmt.Println(len(state.Concerns), "concerns")
	}
	// Output:
	// modern fails: peer sent alert: fatal protocol_version (70)
	// legacy works: TLS 1.0 TLS_RSA_WITH_AES_128_CBC_SHA
	// 3 concerns
}

// The glass: every message, choice, derivation and record of a connection is an event. Secrets
// print as fingerprints unless a writer is told to reveal them.
func ExampleConfig_trace() {
	ca := exampleCA()
	addr, stop := echo(&vitrine.Config{Certificates: []vitrine.Certificate{issue(ca,
		throwaway.ECDSA)}})
	defer stop()

	var seen trace.Memory
	conn, err := vitrine.Dial("tcp", addr,
		&vitrine.Config{RootCAs: ca.Pool(), ServerName: "localhost", Trace: &seen})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	for _, e := range seen.Entries {
		switch e := e.Event.(type) {
		case *trace.Message:
			fmt.Println(e.From, "says", e.Type)
		case *trace.Derived:
			fmt.Printf("  %s = %s(%q): %d bytes\n", e.Name, e.Function, e.Label, len(e.Output))
		}
	}
	// Output:
	// client says client_hello
	// server says server_hello
	//   early_secret = HKDF-Extract(""): 32 bytes
	//   derived_secret = HKDF-Expand-Label("derived"): 32 bytes
	//   handshake_secret = HKDF-Extract(""): 32 bytes
	//   client_handshake_traffic_secret = HKDF-Expand-Label("c hs traffic"): 32 bytes
	//   server_handshake_traffic_secret = HKDF-Expand-Label("s hs traffic"): 32 bytes
	//   server_handshake_write_key = HKDF-Expand-Label("key"): 16 bytes
	//   server_handshake_write_iv = HKDF-Expand-Label("iv"): 12 bytes
	//   client_handshake_write_key = HKDF-Expand-Label("key"): 16 bytes
	//   client_handshake_write_iv = HKDF-Expand-Label("iv"): 12 bytes
	// server says encrypted_extensions
	// server says certificate
	// server says certificate_verify
	// server says finished
	//   finished_key = HKDF-Expand-Label("finished"): 32 bytes
	//   server_verify_data = HMAC(""): 32 bytes
	//   derived_secret = HKDF-Expand-Label("derived"): 32 bytes
	//   main_secret = HKDF-Extract(""): 32 bytes
	//   client_application_traffic_secret = HKDF-Expand-Label("c ap traffic"): 32 bytes
	//   server_application_traffic_secret = HKDF-Expand-Label("s ap traffic"): 32 bytes
	//   exporter_secret = HKDF-Expand-Label("exp master"): 32 bytes
	//   server_application_write_key = HKDF-Expand-Label("key"): 16 bytes
	//   server_application_write_iv = HKDF-Expand-Label("iv"): 12 bytes
	//   finished_key = HKDF-Expand-Label("finished"): 32 bytes
	//   client_verify_data = HMAC(""): 32 bytes
	// client says finished
	//   resumption_secret = HKDF-Expand-Label("res master"): 32 bytes
	//   client_application_write_key = HKDF-Expand-Label("key"): 16 bytes
	//   client_application_write_iv = HKDF-Expand-Label("iv"): 12 bytes
}

// device is a key that never leaves its place: all it does is sign. A crypto.Decrypter beside it
// would serve RSA key exchange.
type device struct{ inside crypto.Signer }

func (d device) Public() crypto.PublicKey { return d.inside.Public() }

func (d device) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	fmt.Println("the device signs a", opts.HashFunc(), "digest")
	return d.inside.Sign(rand, digest, opts)
}

// A private key may be anything that signs. While a slow one works, the handshake's context still
// ends the wait.
func ExampleConfig_signer() {
	ca := exampleCA()
	cert := issue(ca, throwaway.ECDSA)
	cert.PrivateKey = device{cert.PrivateKey.(crypto.Signer)}
	addr, stop := echo(&vitrine.Config{Certificates: []vitrine.Certificate{cert}})
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer := &vitrine.Dialer{NetDialer: &net.Dialer{},
		Config: &vitrine.Config{RootCAs: ca.Pool(), ServerName: "localhost"}}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	conn.Close()
	// Output:
	// the device signs a SHA-256 digest
}

// A client that sends a harmless request before the handshake is done, where it can, and a server
// that reads it apart from the rest. Ten seconds after the start the second connection's request
// would be accepted.
func ExampleConn_WriteEarly() {
	ca := exampleCA()
	server := &vitrine.Config{
		Certificates: []vitrine.Certificate{issue(ca, throwaway.ECDSA)},
		SessionStore: session.NewMemory(10000),
		MaxEarlyData: 1 << 14,
	}
	addr, stop := answerEarly(server)
	defer stop()
	client := &vitrine.Config{RootCAs: ca.Pool(), ServerName: "localhost",
		ClientSessionCache: vitrine.NewLRUClientSessionCache(0)}
	for range 2 {
		raw, err := net.Dial("tcp", addr)
		if err != nil {
			log.Fatal(err)
		}
		conn := vitrine.Client(raw, client)
		request := []byte("what time is it?")
		_, early := conn.WriteEarly(request)
		err = conn.Handshake()
		if errors.Is(early, vitrine.ErrNoEarlyData) ||
			errors.Is(err, vitrine.ErrEarlyDataRejected) {
			_, err = conn.Write(request) // the server has not read it
		}
		if err != nil {
			log.Fatal(err)
		}
		answer := make([]byte, 4)
		if _, err := io.ReadFull(conn, answer); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s, early data: %v\n", answer, conn.ConnectionState().EarlyData)
		conn.Close()
	}
	// Output:
	// late, early data: none
	// late, early data: rejected
}

// answerEarly serves clients that ask something, early or late, and returns the address.
func answerEarly(config *vitrine.Config) (addr string, stop func()) {
	l, err := vitrine.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		log.Fatal(err)
	}
	serve := func(conn *vitrine.Conn) {
		defer conn.Close()
		buf := make([]byte, 1<<14)
		if n, err := conn.ReadEarly(buf); n > 0 && err == nil {
			conn.WriteEarly([]byte("soon")) // what may be asked twice
			return
		}
		if _, err := conn.Read(buf); err == nil {
			conn.Write([]byte("late"))
		}
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn.(*vitrine.Conn))
		}
	}()
	return l.Addr().String(), func() { l.Close() }
}
