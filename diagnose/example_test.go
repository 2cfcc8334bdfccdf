package diagnose_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// A program that cannot connect to an old device finds out why, and what would help.
func Example() {
	addr, roots, stop := oldDevice()
	defer stop()
	config := &vitrine.Config{RootCAs: roots.Pool(), ServerName: "device.test"}
	_, err := vitrine.Dial("tcp", addr, config)

	failure, ok := diagnose.Of(err)
	if !ok {
		fmt.Println("no handshake failed:", err)
		return
	}
	for _, sentence := range failure.Explain().Inferred {
		what, _, _ := strings.Cut(sentence, ": ") // the rest gives possible reasons
		fmt.Println("inferred:", what)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	try := func(_ context.Context, c *vitrine.Config) (s vitrine.ConnectionState, err error) {
		conn, err := vitrine.Dial("tcp", addr, c)
		if err != nil {
			return s, err
		}
		defer conn.Close()
		return conn.ConnectionState(), nil
	}
	for _, proof := range diagnose.Prove(ctx, config, failure.Changes(config), try) {
		fmt.Printf("tried %v: works: %v\n", &proof.Change, proof.Works())
	}
	// Output:
	// inferred: the server found nothing in our offer that it can do
	// tried CurvePreferences: …: works: false
	// tried CipherSuites13: …CCM: works: false
	// tried Policy: vitrine.Compatible: works: false
	// tried Policy: vitrine.Legacy: works: true
}

// oldDevice starts a server that only knows triple DES.
func oldDevice() (addr string, ca *throwaway.CA, stop func()) {
	ca, err := throwaway.New(throwaway.Options{})
	if err != nil {
		panic(err)
	}
	cert, err := ca.Issue(throwaway.RSA, []string{"device.test"})
	if err != nil {
		panic(err)
	}
	l, err := vitrine.Listen("tcp", "127.0.0.1:0", &vitrine.Config{
		Certificates: []tls.Certificate{cert},
		MaxVersion:   vitrine.VersionTLS12,
		CipherSuites: []uint16{uint16(iana.TLS_RSA_WITH_3DES_EDE_CBC_SHA)},
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
	return l.Addr().String(), ca, func() { l.Close() }
}
