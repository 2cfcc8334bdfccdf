package pki

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

func TestCertificatesAreSharedWhileTheyAreHeldAndNoLonger(t *testing.T) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(throwaway.ECDSA, []string{"shared.test"})
	if err != nil {
		t.Fatal(err)
	}
	der := cert.Certificate[0]
	first, err := ParseChain([][]byte{der})
	if err != nil {
		t.Fatal(err)
	}
	second, err := ParseChain([][]byte{bytes.Clone(der)})
	if err != nil || first.Leaf() != second.Leaf() {
		t.Errorf("parsed twice, %v", err)
	}
	runtime.KeepAlive(first)
	first, second = nil, nil
	for range 100 {
		runtime.GC()
		if _, ok := parsed.Load(string(der)); !ok {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("a certificate that nobody holds is still in the cache")
}
