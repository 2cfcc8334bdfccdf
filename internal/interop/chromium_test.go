package interop_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	tls "github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// seenByChromium returns the page that a headless Chromium sees at a server.
func seenByChromium(t *testing.T, at net.Addr) string {
	t.Helper()
	chromium := testkit.Chromium(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu",
		"--disable-background-networking", "--user-data-dir="+t.TempDir(),
		"--ignore-certificate-errors", "--dump-dom", "https://"+at.String()+"/")
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// A program of net/http that has changed its import speaks TLS 1.3 with a hybrid to Chromium: but
// for the import, this is how it is written with crypto/tls.
func TestANetHTTPProgramThatChangesItsImport(t *testing.T) {
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{identity(t, throwaway.ECDSA, iana.Server).Certificate}})
	if err != nil {
		t.Fatal(err)
	}
	type connection struct{}
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := r.Context().Value(connection{}).(*tls.Conn).ConnectionState()
			fmt.Fprintf(w, "<p>%s with %v</p>", tls.VersionName(s.Version), s.CurveID)
		}),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connection{}, c)
		},
	}
	go server.Serve(l)
	defer server.Close()
	const want = "TLS 1.3 with X25519MLKEM768"
	if got := seenByChromium(t, l.Addr()); !strings.Contains(got, want) {
		t.Errorf("Chromium saw %s, expected %s", got, want)
	}
}
