package diagnose_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// A program that cannot reach an old device finds out why, and what would help.
func Example() {
	addr, roots := oldDevice()
	config := &vitrine.Config{RootCAs: roots.Pool(), ServerName: "device.test"}
	_, err := vitrine.Dial("tcp", addr, config)

	failure, ok := diagnose.Of(err)
	if !ok {
		fmt.Println("no handshake failed:", err)
		return
	}
	for _, sentence := range failure.Explain().Inferred {
		fmt.Println("inferred:", sentence)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, proof := range diagnose.Prove(ctx, config, failure.Changes(config), func(ctx context.Context, c *vitrine.Config) (s vitrine.ConnectionState, err error) {
		conn, err := vitrine.Dial("tcp", addr, c)
		if err != nil {
			return s, err
		}
		defer conn.Close()
		return conn.ConnectionState(), nil
	}) {
		fmt.Printf("tried %v: works: %v\n", &proof.Change, proof.Works())
		if proof.Works() {
			fmt.Println("in Go:", proof.Change.Go)
		}
	}
	// Output:
	// inferred: the server found nothing in our offer that it can do: it may have only RSA or finite-field key exchange, only CBC, only TLS 1.0 or 1.1, or a certificate of another kind
	// tried --policy compatible: works: false
	// tried --policy legacy: works: true
	// in Go: Policy: vitrine.Legacy
}

// oldDevice is a server with nothing but triple DES.
func oldDevice() (addr string, ca *throwaway.CA) {
	ca, err := throwaway.New(throwaway.Options{})
	if err != nil {
		panic(err)
	}
	cert, err := ca.Issue(throwaway.RSA, []string{"device.test"})
	if err != nil {
		panic(err)
	}
	l, err := vitrine.Listen("tcp", "127.0.0.1:0", &vitrine.Config{
		Certificates: []tls.Certificate{cert}, CipherSuites: []uint16{uint16(iana.TLS_RSA_WITH_3DES_EDE_CBC_SHA)},
	})
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(io.Discard, c); c.Close() }()
		}
	}()
	return l.Addr().String(), ca
}
