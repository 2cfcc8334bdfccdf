package probe_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/probe"
)

// What servers of known make and configuration do, answer by answer.
func TestAnswersAboutSessionsAndOrders(t *testing.T) {
	two, err := rig.Authority().Issue(throwaway.RSA, []string{rig.ServerName, "second.example"})
	if err != nil {
		t.Fatal(err)
	}
	second := two.Leaf.DNSNames[1]
	suites := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256}
	asks := &tls.Config{Certificates: []tls.Certificate{two}, MaxVersion: tls.VersionTLS12,
		CipherSuites: suites, ClientAuth: tls.RequestClientCert}
	plain := &tls.Config{Certificates: []tls.Certificate{two}, MaxVersion: tls.VersionTLS12,
		CipherSuites: suites}
	newest := &tls.Config{Certificates: []tls.Certificate{two}, MinVersion: tls.VersionTLS13}
	type facts map[string]string // "told" or "told: part of the detail"
	for _, tt := range []struct {
		name     string
		start    func(*testing.T) func(context.Context) (net.Conn, error)
		want     facts
		findings []string // of these kinds
	}{
		{"crypto/tls, TLS 1.2", stdlibServer(plain), facts{"session_ticket": "yes",
			"session_id": "no", "short_tickets": "not told", "psk_resumption": "not applicable",
			"ticketbleed":       "no",
			"ticket_other_name": "yes: as " + second, "client_renegotiation": "no: alert",
			"group_order": "no: it takes the first", "dh_reuse": "no", "one_server": "yes",
			"compressed_certificate": "not applicable", "many_suites": "yes",
			"record_version": "yes"}, nil},
		{"crypto/tls, TLS 1.2, asks for a client certificate", stdlibServer(asks),
			facts{"client_certificate": "yes", "ticket_other_name": "yes"},
			[]string{"warn ticket_other_name"}},
		{"crypto/tls, TLS 1.3", stdlibServer(newest), facts{"session_ticket": "not applicable",
			"psk_resumption": "yes: ticket", "early_data": "no", "compressed_certificate": "no",
			"client_renegotiation": "not applicable", "group_order": "yes",
			"no_server_name": "yes", "hello_retry_request": "yes", "record_size_limit": "no"}, nil},
		{"Ticketbleed", func(t *testing.T) func(context.Context) (net.Conn, error) {
			return listen(t, bleeding(plain))
		}, facts{"ticketbleed": "yes: 32 bytes"}, []string{"high ticketbleed"}},
		{"OpenSSL that renegotiates", func(t *testing.T) func(context.Context) (net.Conn, error) {
			return reach(broken.OpenSSL(t, "-client_renegotiation", "-num_tickets", "3"))
		}, facts{"client_renegotiation": "yes", "psk_resumption": "yes: 3 tickets",
			"session_ticket": "yes: 2h", "short_tickets": "yes",
			"group_order": "no: without shares the server's own",
			"session_id":  "yes"}, []string{"info client_renegotiation"}},
		{"OpenSSL", func(t *testing.T) func(context.Context) (net.Conn, error) {
			return reach(broken.OpenSSL(t))
		}, facts{"client_renegotiation": "no: no_renegotiation"}, nil},
		{"GnuTLS", func(t *testing.T) func(context.Context) (net.Conn, error) {
			return reach(broken.GnuTLS(t, "NORMAL"))
		}, facts{"client_renegotiation": "yes", "session_ticket": "yes: 6h",
			"group_order": "no", "record_size_limit": "yes"},
			[]string{"info client_renegotiation"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := ask(t, tt.start(t))
			if !r.Reached {
				t.Fatal(r.Problem)
			}
			for id, want := range tt.want {
				told, detail, _ := strings.Cut(want, ": ")
				if f := r.Fact(id); string(f.Told) != told || !strings.Contains(f.Detail, detail) {
					t.Errorf("%s: %s (%s), expected %s", id, f.Told, f.Detail, want)
				}
			}
			found := strings.Join(ids(r), "\n")
			for _, want := range tt.findings {
				if !strings.Contains(found, want) {
					t.Errorf("findings %q, expected %q among them", found, want)
				}
			}
			for _, kind := range []string{"ticketbleed", "ticket_other_name",
				"client_renegotiation"} {
				if strings.Contains(found, kind) != strings.Contains(strings.Join(tt.findings, " "),
					kind) {
					t.Errorf("findings %q", found)
				}
			}
		})
	}
}

func stdlibServer(c *tls.Config) func(*testing.T) func(context.Context) (net.Conn, error) {
	return func(t *testing.T) func(context.Context) (net.Conn, error) {
		return listen(t, broken.Stdlib(c))
	}
}

// bleeding serves with crypto/tls, and makes 32 bytes of a session ID of 16 that the server echoes.
func bleeding(config *tls.Config) func(net.Conn) {
	return func(c net.Conn) {
		ours, theirs := net.Pipe()
		go func() {
			defer ours.Close()
			broken.Stdlib(config)(ours)
		}()
		defer theirs.Close()
		hello, err := rig.ReadRecord(c)
		if err != nil {
			return
		}
		short := len(hello) > 43 && hello[43] == 16 // after the headers, the version and the random
		go func() {
			theirs.Write(hello)
			io.Copy(theirs, c)
			theirs.Close()
		}()
		if short {
			answer, err := rig.ReadRecord(theirs)
			if err != nil || answer[43] != 16 {
				return
			}
			long := append(append(answer[:60:60], make([]byte, 16)...), answer[60:]...)
			long[43] = 32
			for _, at := range []int{3, 7} { // the lengths of record and message
				n := int(long[at])<<8 | int(long[at+1]) + 16
				long[at], long[at+1] = byte(n>>8), byte(n)
			}
			c.Write(long)
		}
		io.Copy(c, theirs)
	}
}

// A server that stops answering in the middle is reported as such, with all that it refused
// last.
func TestAProbeSaysThatAServerBannedIt(t *testing.T) {
	left := make(chan struct{}, 30)
	for range cap(left) {
		left <- struct{}{}
	}
	serve := broken.Stdlib(&tls.Config{Certificates: []tls.Certificate{rig.Certificate(t,
		throwaway.RSA)}})
	s := &probe.Server{Name: rig.ServerName, Parallel: 2, Dial: listen(t, func(c net.Conn) {
		select {
		case <-left:
			serve(c)
		default:
		}
	})}
	r := s.Probe(t.Context(), probe.Trust{Name: rig.ServerName, Roots: rig.Authority().Pool()})
	if strings.Count(r.Problem, "no longer accepts what it accepted before") != 1 {
		t.Errorf("problem %q", r.Problem)
	}
	for _, v := range r.Versions {
		if v.Told == probe.No {
			t.Errorf("%s: no", v.Name)
		}
	}
	for _, f := range r.Facts {
		if f.Told == probe.No && f.How == probe.Inferred && f.ID != "dh_reuse" &&
			f.ID != "encrypt_then_mac" { // two that follow from what was accepted
			t.Errorf("%s: no, inferred: %s", f.ID, f.Detail)
		}
	}
	if r.Retries[probe.Closed]+r.Retries[probe.Reset] == 0 {
		t.Errorf("retries %v", r.Retries)
	}
}
