package vitrine_test

import (
	"bytes"
	"io"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
)

func TestEverySuiteMovesAMegabyteEachWay(t *testing.T) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range suite.Certified() {
		n++
		t.Run(s.String(), func(t *testing.T) {
			cert, err := ca.Issue(rig.KindFor(s), []string{"vitrine.test"})
			if err != nil {
				t.Fatal(err)
			}
			base := vitrine.Config{CipherSuites: []uint16{uint16(s.ID)}, RootCAs: ca.Pool(),
				ServerName: "vitrine.test"}
			server := base.Clone()
			server.Certificates = append(server.Certificates, cert)
			l, err := vitrine.Listen("tcp", "127.0.0.1:0", server)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				io.Copy(c, c)
			}()
			c, err := vitrine.Dial("tcp", l.Addr().String(), &base)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
			go func() {
				c.Write(sent)
				c.CloseWrite()
			}()
			got, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(got, sent) {
				t.Fatalf("got %d bytes and %v, expected the %d sent and no error", len(got), err,
					len(sent))
			}
		})
	}
	t.Logf("%d suites", n)
}

var _ net.Conn = (*vitrine.Conn)(nil)
