package probe_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/probe"
	"github.com/vitrine-tls/vitrine/suite"
)

// readHello reads a ClientHello.
func readHello(c net.Conn) *message.ClientHello {
	var raw []byte
	for len(raw) < 4 || message.Length(raw) > len(raw) {
		record, err := rig.ReadRecord(c)
		if err != nil || record[0] != 22 {
			return nil
		}
		raw = append(raw, record[5:]...)
	}
	m, err := message.Dialect{Version: iana.TLS12}.Parse(raw)
	if err != nil {
		return nil
	}
	return m.(*message.ClientHello)
}

// inRecords returns messages in records of at most 16 KiB.
func inRecords(t *testing.T, d message.Dialect, messages ...message.Message) []byte {
	var all, out []byte
	for _, m := range messages {
		raw, err := d.Encode(m)
		if err != nil {
			t.Error(err)
		}
		all = append(all, raw...)
	}
	for part := range slices.Chunk(all, 1<<14) {
		out = append(append(out, 22, 3, 3, byte(len(part)>>8), byte(len(part))), part...)
	}
	return out
}

// A server that agrees to everything, and each time with as much as it may send, costs memory for
// what is reported, and not for what it sent.
func TestAnswersAreNotKept(t *testing.T) {
	var asked atomic.Int32
	dial := listen(t, func(c net.Conn) {
		ch := readHello(c)
		if ch == nil || len(ch.CipherSuites) == 0 {
			return
		}
		sh := &message.ServerHello{Version: min(ch.Version, iana.TLS12),
			CipherSuite: ch.CipherSuites[0]}
		leaf := binary.BigEndian.AppendUint32(make([]byte, 100), uint32(asked.Add(1)))
		c.Write(inRecords(t, message.Dialect{Version: sh.Version}, sh,
			&message.Certificate{Chain: [][]byte{leaf, make([]byte, 200<<10)}},
			&message.CertificateRequest{Types: []iana.ClientCertificateType{1},
				Schemes:     []iana.SignatureScheme{iana.RSA_PKCS1_SHA256},
				Authorities: [][]byte{make([]byte, 40<<10)}},
			&message.ServerHelloDone{}))
	})
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc >> 10)
	}
	before, most := heap(), 0
	s := &probe.Server{Dial: dial, Name: rig.ServerName, Timeout: 5 * time.Second, Parallel: 4,
		Progress: func(string) { most = max(most, heap()) }}
	r := s.Probe(t.Context(), probe.Trust{Name: rig.ServerName})
	sent := int(asked.Load()) * 240
	t.Logf("%d connections, %d KiB sent, %d KiB held", r.Connections, sent, most-before)
	if sent < 100<<10 {
		t.Errorf("only %d KiB were sent: that shows nothing", sent)
	}
	if limit := 40 << 10; most-before > limit {
		t.Errorf("%d KiB are held, expected at most %d", most-before, limit)
	}
	if len(r.Chains) != 16 {
		t.Errorf("%d chains, expected 16", len(r.Chains))
	}
}

// A server that answers each hello with another prime has few of them tested, and no two primes of
// one length are taken for the same.
func TestFewPrimesAreTested(t *testing.T) {
	ffdhe, _ := kex.Named(iana.FFDHE2048)
	known, _ := kex.Params(ffdhe)
	var asked atomic.Int32
	dial := listen(t, func(c net.Conn) {
		ch := readHello(c)
		if ch == nil || ch.Version < iana.TLS12 {
			return
		}
		for _, id := range ch.CipherSuites {
			if r := suite.Readable(id); r == nil || !strings.Contains(id.String(), "_DHE_RSA_") {
				continue
			}
			p := bytes.Clone(known)
			p[100] += byte(asked.Add(1) - 1)
			sh := &message.ServerHello{Version: iana.TLS12, CipherSuite: id}
			c.Write(inRecords(t, message.Dialect{Version: iana.TLS12, Kex: iana.KexDHE,
				Auth: iana.AuthRSA}, sh, &message.Certificate{Chain: [][]byte{make([]byte, 100)}},
				&message.ServerKeyExchange{P: p, G: []byte{2}, DHPublic: p[1:],
					Scheme: iana.RSA_PKCS1_SHA256, Signature: make([]byte, 256)},
				&message.ServerHelloDone{}))
			return
		}
		c.Write([]byte{21, 3, 3, 0, 2, 2, 40})
	})
	s := &probe.Server{Dial: dial, Name: rig.ServerName, Timeout: 5 * time.Second, Parallel: 4}
	r := s.Probe(t.Context(), probe.Trust{Name: rig.ServerName})
	if asked.Load() < 10 || len(r.Primes) != 8 {
		t.Fatalf("%d answers with a prime of their own, %d in the report, expected 8",
			asked.Load(), len(r.Primes))
	}
	safe := 0
	for _, p := range r.Primes {
		if p.Bits != 2048 {
			t.Errorf("a prime of %d bits", p.Bits)
		}
		if p.Safe {
			safe++
		}
	}
	if safe != 1 {
		t.Errorf("%d are safe, expected the one of RFC 7919", safe)
	}
}
