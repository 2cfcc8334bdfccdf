package recompute_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	_ "github.com/vitrine-tls/vitrine/compression"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/recompute"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// case13 is one or several connections of TLS 1.3, one after the other, in one stream of events.
type case13 struct {
	name           string
	client, server func(*vitrine.Config)
	connections    int                      // 0 is 1
	early          bool                     // the last connection has early data
	between        func(c, s *vitrine.Conn) // after the handshake, before the data
	needs          string                   // a command without which it is skipped
}

func groups(ids ...vitrine.CurveID) func(*vitrine.Config) {
	return func(c *vitrine.Config) { c.CurvePreferences = ids }
}

var cases13 = []case13{
	{name: "hybrid"},
	{name: "SecP256r1MLKEM768, by a retry", server: groups(vitrine.SecP256r1MLKEM768)},
	{name: "SecP384r1MLKEM1024, by a retry", server: groups(vitrine.SecP384r1MLKEM1024)},
	{name: "X25519", server: groups(vitrine.X25519)},
	{name: "P-256, by a retry", server: groups(vitrine.CurveP256)},
	{name: "P-384", client: groups(vitrine.CurveP384)},
	{name: "P-521", client: groups(vitrine.CurveP521)},
	{name: "X448", client: groups(30), server: groups(30)},
	{name: "ffdhe2048", client: groups(256), server: groups(256)},
	{name: "ffdhe3072", client: groups(257), server: groups(257)},
	{name: "ffdhe4096, by a retry", client: groups(vitrine.X25519, 258), server: groups(258)},
	{name: "ffdhe6144", client: groups(259), server: groups(259)},
	{name: "ffdhe8192", client: groups(260), server: groups(260)},
	{name: "a client certificate", server: demandCertificate},
	{name: "a late client certificate", client: late, server: late, between: askLate(0x01)},
	{name: "a client certificate, new keys, and another, late one after a retry", client: late,
		server: func(c *vitrine.Config) {
			late(c)
			groups(vitrine.CurveP256)(c)
			c.ClientAuth = tls.RequireAndVerifyClientCert
		},
		between: func(c, s *vitrine.Conn) {
			updateKeys(c, s)
			askLate(1)(c, s)
			updateKeys(c, s)
			askLate(2)(c, s)
		}},
	{name: "certificates compressed by zlib, one of them late",
		client: both(late, compressed(iana.Zlib)), server: both(late, compressed(iana.Zlib)),
		between: askLate(1)},
	{name: "certificates compressed by brotli", needs: "brotli", client: compressed(iana.Brotli),
		server: both(compressed(iana.Brotli), demandCertificate)},
	{name: "certificates compressed by zstd", needs: "zstd", client: compressed(iana.Zstd),
		server: both(compressed(iana.Zstd), demandCertificate)},
	{name: "tickets", connections: 3},
	{name: "a ticket and a retry", connections: 2, server: groups(vitrine.CurveP256)},
	{name: "updated keys", between: updateKeys},
	{name: "TLS_AES_256_GCM_SHA384", client: suites(0x1302), connections: 2},
	{name: "TLS_CHACHA20_POLY1305_SHA256", client: suites(0x1303), connections: 2},
	{name: "TLS_AES_128_CCM_SHA256", client: suites(0x1304), server: suites(0x1304)},
	{name: "TLS_AES_128_CCM_8_SHA256", client: suites(0x1305), server: suites(0x1305)},
	{name: "tickets without a key exchange", connections: 2, client: pskOnly, server: pskOnly},
	{name: "an external key", client: external(false), server: external(false)},
	{name: "an external key without a key exchange",
		client: external(false, pskOnly), server: external(false, pskOnly)},
	{name: "an imported key", client: external(true), server: external(true)},
	{name: "an imported key without a key exchange",
		client: external(true, pskOnly), server: external(true, pskOnly)},
	{name: "raw public keys", connections: 2, client: rawKeys(), server: rawKeys()},
	{name: "raw public keys in TLS 1.2", client: rawKeys(until12), server: rawKeys(until12)},
	{name: "early data", connections: 2, early: true, server: func(c *vitrine.Config) {
		c.SessionStore, c.MaxEarlyData = session.NewMemory(10), 1000
	}},
}

func demandCertificate(c *vitrine.Config) { c.ClientAuth = tls.RequireAndVerifyClientCert }

func late(c *vitrine.Config) { c.PostHandshakeAuth = true }

func compressed(by iana.CertificateCompressionAlgorithm) func(*vitrine.Config) {
	return func(c *vitrine.Config) {
		c.CertificateCompression = []iana.CertificateCompressionAlgorithm{by}
	}
}

func both(edits ...func(*vitrine.Config)) func(*vitrine.Config) {
	return func(c *vitrine.Config) {
		for _, edit := range edits {
			edit(c)
		}
	}
}

// rawKeys lets a side show a raw public key, a server ask for one, and accept anybody's.
func rawKeys(edits ...func(*vitrine.Config)) func(*vitrine.Config) {
	return func(c *vitrine.Config) {
		key := c.Certificates[0].PrivateKey.(crypto.Signer)
		c.Certificates = []tls.Certificate{vitrine.RawPublicKey(key)}
		c.PeerCertificateTypes = []iana.CertificateType{iana.RawPublicKey}
		c.VerifyRawPublicKey = func([]byte) error { return nil }
		c.ClientAuth = tls.RequireAndVerifyClientCert
		for _, edit := range edits {
			edit(c)
		}
	}
}

// askLate asks for a client's certificate after the handshake, with a byte each way that carries
// the question and the answer.
func askLate(mark byte) func(c, s *vitrine.Conn) {
	return func(c, s *vitrine.Conn) {
		s.RequestClientCertificate(tls.RequireAndVerifyClientCert)
		got := make([]byte, 1)
		s.Write([]byte{mark})
		c.Read(got)
		c.Write([]byte{mark})
		s.Read(got)
	}
}

func until12(c *vitrine.Config) {
	c.MinVersion, c.MaxVersion = vitrine.VersionTLS12, vitrine.VersionTLS12
}

func suites(ids ...uint16) func(*vitrine.Config) {
	return func(c *vitrine.Config) { c.CipherSuites13 = ids }
}

func pskOnly(c *vitrine.Config) {
	c.PSKKeyExchangeModes = []iana.PSKKeyExchangeMode{iana.PSKKE}
}

// external gives a side a key that no ticket brought.
func external(imported bool, edits ...func(*vitrine.Config)) func(*vitrine.Config) {
	return func(c *vitrine.Config) {
		c.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) {
			return &vitrine.PSK{Identity: []byte("a friend"), Key: bytes.Repeat([]byte{7}, 32),
				Import: imported}, nil
		}
		for _, edit := range edits {
			edit(c)
		}
	}
}

// updateKeys updates the keys of both directions, once on request.
func updateKeys(c, s *vitrine.Conn) {
	c.KeyUpdate(true)
	s.KeyUpdate(false)
}

// lines makes the connections of a case and returns their events.
func (c *case13) lines(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	events := trace.NewWriter(&out, trace.Reveal())
	ca := rig.Authority()
	client := rig.ClientConfig(func(o *vitrine.Config) {
		o.Certificates = []tls.Certificate{rig.IssueForClient(t, ca, throwaway.Ed25519)}
		o.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
	})
	server := rig.ServerConfig(t, func(o *vitrine.Config) { o.ClientCAs = ca.Pool() })
	for i, o := range []*vitrine.Config{client, server} {
		o.MinVersion, o.MaxVersion = vitrine.VersionTLS13, vitrine.VersionTLS13
		o.Trace = events
		if edit := []func(*vitrine.Config){c.client, c.server}[i]; edit != nil {
			edit(o)
		}
	}
	var ahead atomic.Int64 // a server that is new takes no early data
	for _, o := range []*vitrine.Config{client, server} {
		o.Time = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	}
	for i := range max(1, c.connections) {
		ahead.Add(int64(time.Minute))
		a, b := c.pair(t, client, server, i)
		if got := a.ConnectionState().DidResume; got != (i > 0) {
			t.Fatalf("connection %d resumes: %v", i, got)
		}
		if c.between != nil {
			c.between(a, b)
		}
		talk(t, a, b)
	}
	if err := events.Err(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// pair makes connection number i.
func (c *case13) pair(t testing.TB, client, server *vitrine.Config,
	i int) (a, b *vitrine.Conn) {
	t.Helper()
	if !c.early || i+1 < c.connections {
		return rig.Pair(t, client, server)
	}
	x, y := rig.Wires(t)
	a, b = vitrine.Client(x, client), vitrine.Server(y, server)
	if _, err := a.WriteEarly([]byte("early")); err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() {
		got := make([]byte, 5)
		n, err := b.ReadEarly(got)
		if err == nil && string(got[:n]) != "early" {
			err = fmt.Errorf("got %q", got[:n])
		}
		for err == nil {
			_, err = b.ReadEarly(got)
		}
		if err == io.EOF {
			err = b.Handshake()
		}
		read <- err
	}()
	if err := a.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Fatal(err)
	}
	return a, b
}

// talk sends data and close_notify both ways.
func talk(t testing.TB, client, server *vitrine.Conn) {
	t.Helper()
	var wait sync.WaitGroup
	wait.Go(func() {
		io.Copy(server, server)
		server.Close()
	})
	if _, err := client.Write([]byte("recompute this")); err != nil {
		t.Error(err)
	}
	if err := client.CloseWrite(); err != nil {
		t.Error(err)
	}
	if b, err := io.ReadAll(client); string(b) != "recompute this" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	client.Close()
	wait.Wait()
}

// Everything that TLS 1.3 derives is recomputed, for every group and every way to resume.
func TestEverythingThatTLS13DerivesIsRecomputed(t *testing.T) {
	o := tool(t)
	total, ran, sum := recompute.Tally{}, 0, 0
	for _, c := range testkit.Sample(t, "cases", 12, cases13) {
		t.Run(c.name, func(t *testing.T) {
			if _, err := exec.LookPath(c.needs); c.needs != "" && err != nil {
				t.Skip(err)
			}
			ran++
			tally, err := recompute.Check(o, bytes.NewReader(c.lines(t)))
			if err != nil {
				t.Error(err)
			}
			for kind, n := range tally {
				total[kind] += n
			}
		})
	}
	if total["finished after the handshake"] == 0 && !testing.Short() {
		t.Error("no authentication after the handshake")
	}
	for _, kind := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%6d %s", total[kind], kind)
		sum += total[kind]
	}
	t.Logf("%d cases, %d values recomputed, ML-KEM by %s", ran, sum, o.MLKEM())
	if sum < 100*ran || ran == 0 {
		t.Error("too few")
	}
}
