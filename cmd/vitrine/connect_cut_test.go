package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// Of a server whose answers are cut after a number of bytes, in whichever way, nothing is reported
// that is false without the cut. VITRINE_CUTS=all tries every length.
func TestConnectInfersNothingFalseFromACut(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{rig.Certificate(t, throwaway.ECDSA)}}
	server := testkit.ServeTCP(t, func(c net.Conn) { tls.Server(c, config).Handshake() })
	lengths := map[broken.Ending][]int64{
		broken.Closing:   {1, 6, 60, 140, 700, 1200},
		broken.Resetting: {5, 90, 900},
		broken.Stalling:  {3, 900},
	}
	if os.Getenv("VITRINE_CUTS") == "all" {
		for end := range lengths {
			lengths[end] = nil
			for n := range int64(2000) { // none is no cut: nothing is answered
				lengths[end] = append(lengths[end], n+1)
			}
		}
	}
	gate := make(chan struct{}, 4)
	for end, list := range lengths {
		for _, n := range list {
			t.Run(fmt.Sprintf("%s after %d", end, n), func(t *testing.T) {
				t.Parallel()
				gate <- struct{}{}
				defer func() { <-gate }()
				timeout := "10s"
				if end == broken.Stalling {
					timeout = "500ms"
				}
				code, stdout, stderr := command(t, "connect", broken.Relay(t, server, n, end),
					"-i=false", "-k", "--timeout", timeout, "--sni", rig.ServerName)
				for _, text := range []string{"speaks only", "the server fails at", "keys alone",
					"in TLS 1.2 it has only", "it has only the group", "does not speak",
					"no TLS server", "it does not know"} {
					if strings.Contains(strings.Join(strings.Fields(stdout+stderr), " "), text) {
						t.Errorf("%q is false; exit code %d:\n%s%s", text, code, stdout, stderr)
					}
				}
			})
		}
	}
}
