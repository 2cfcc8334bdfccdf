package interop_test

import (
	"crypto/x509"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
)

// name is the host name of all servers.
const name = "vitrine.test"

// office has the keys of all tests, because making an RSA key takes longer than a handshake with
// it.
var office *interop.Office

// met counts the connections that did all that their cases ask for, by the other stack.
var met sync.Map

func count(t *testing.T, stack string) {
	if !t.Failed() {
		n, _ := met.LoadOrStore(stack, new(atomic.Int32))
		n.(*atomic.Int32).Add(1)
	}
}

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "vitrine-interop-")
	if err == nil {
		office, err = interop.NewOffice(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := rig.Watched{M: m}.Run()
	os.RemoveAll(dir)
	of := ""
	if testing.Short() {
		of = ", a sample because of -short,"
	}
	met.Range(func(stack, n any) bool {
		fmt.Printf("interop: %d connections with %v%s went as they should\n",
			n.(*atomic.Int32).Load(), stack, of)
		return true
	})
	os.Exit(code)
}

// identities are made when they are first needed.
var identities struct {
	sync.Mutex
	made map[string]*interop.Identity
}

// identity returns the certificate of a server called name, or of a client.
func identity(t *testing.T, kind throwaway.Kind, of iana.Side) *interop.Identity {
	t.Helper()
	identities.Lock()
	defer identities.Unlock()
	if identities.made == nil {
		identities.made = map[string]*interop.Identity{}
	}
	key := fmt.Sprint(kind, of)
	if id := identities.made[key]; id != nil {
		return id
	}
	var edits []func(*x509.Certificate)
	names := []string{name}
	if of == iana.Client {
		edits, names = append(edits, throwaway.ForClient), []string{"somebody"}
	}
	id, err := office.Issue(kind, names, edits...)
	if err != nil {
		t.Fatal(err)
	}
	identities.made[key] = id
	return id
}

// keyFor returns a kind of key for the server of a suite.
func keyFor(s *suite.Suite) throwaway.Kind {
	if s.ServerKey() == iana.AuthECDSA {
		return throwaway.ECDSA
	}
	return throwaway.RSA
}

// require skips a test if the other stack is not installed.
func require(t *testing.T, s *interop.Stack) {
	t.Helper()
	if missing := s.Missing(); missing != "" {
		t.Skip(missing)
	}
}
