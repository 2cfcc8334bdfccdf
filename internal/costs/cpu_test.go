//go:build unix

package costs_test

import (
	"crypto/tls"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/record"
)

// mostProcessor bounds what a hello costs a server, in terms of what it costs crypto/tls. It is
// about as much; the rest is for a machine that does other things.
const mostProcessor = 2

// A client that has recorded one hello can send it as often as it likes, at no cost of its own:
// each makes the server agree a key and, in TLS 1.3 and with ECDHE, sign. That is what one
// handshake can cost, and it is no more than crypto/tls spends on the same bytes.
func TestOneHelloCostsLittleProcessorTime(t *testing.T) {
	if testkit.RaceEnabled {
		t.Skip("the race detector takes time of its own")
	}
	const rounds, each = 8, 40
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		config := rig.ServerConfig(t, version)
		theirs := &tls.Config{Certificates: config.Certificates}
		raw := inRecords(iana.RecordHandshake, hello(t, version), record.MaxPlaintext)
		answer := func(handshake func(net.Conn) error) {
			a, b := net.Pipe()
			a.SetDeadline(rig.Deadline())
			done := make(chan struct{})
			go func() { defer close(done); handshake(b) }()
			if _, err := a.Write(raw); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Read(make([]byte, 1<<14)); err != nil {
				t.Fatal(err)
			}
			a.Close()
			<-done
		}
		var spent [2]time.Duration
		for range rounds { // in turn, so that what else the machine does strikes both
			for i, handshake := range []func(net.Conn) error{
				func(c net.Conn) error { return vitrine.Server(c, config).Handshake() },
				func(c net.Conn) error { return tls.Server(c, theirs).Handshake() },
			} {
				before := processorTime(t)
				for range each {
					answer(handshake)
				}
				spent[i] += processorTime(t) - before
			}
		}
		t.Logf("a hello of %d bytes: %v of the processor, %v with crypto/tls", len(raw),
			spent[0]/(rounds*each), spent[1]/(rounds*each))
		if spent[0] > mostProcessor*spent[1] {
			t.Errorf("it costs more than %d times as much", mostProcessor)
		}
	})
}

// processorTime returns what this process has used of the processor.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
