package vitrine

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
	"github.com/vitrine-tls/vitrine/trace"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write golden files anew")

// A golden file is one connection: the case, the bytes of each flight, a key log, and the secrets
// that both sides derive. The same file is replayed by a client, by a server, and by an observer
// with each kind of secret that suffices.
//
// The case is "key value" lines: suite, cert, group, ems, etm, client, mfl, rsl, alpn, staple.

func TestGoldenConnectionsReplayInAllThreeRoles(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	observed := 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			g := newGolden(t, a)
			if *update {
				g.record(t)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			g.replay(t, iana.Client)
			g.replay(t, iana.Server)
			observed += g.observe(t)
		})
	}
	t.Logf("%d connections, each replayed as client and as server, and observed %d times",
		len(files), observed)
}

type golden struct {
	archive *txtar.Archive
	ca      *throwaway.CA
	config  [2]*Config
	key     crypto.PrivateKey // the server's
}

func newGolden(t *testing.T, a *txtar.Archive) *golden {
	g := &golden{archive: a}
	o := throwaway.Options{Seed: testkit.Rand("golden")}
	var err error
	if g.ca, err = throwaway.New(o); err != nil {
		t.Fatal(err)
	}
	c := &Config{ServerName: "vitrine.test", RootCAs: g.ca.Pool(), ClientCAs: g.ca.Pool(),
		MaxVersion: VersionTLS12, ExtendedMasterSecret: Off, EncryptThenMAC: Off,
		StatusRequest: Off, Timestamps: Off,
		Time: func() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }}
	s := c.Clone()
	kind, clientKind, staple := throwaway.RSA, throwaway.Kind(""), false
	for line := range strings.Lines(g.file("case")) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, c := range []*Config{c, s} {
			switch k {
			case "suite":
				id, ok := iana.SuiteByName(v)
				if !ok {
					t.Fatalf("no suite %q", v)
				}
				c.CipherSuites = []uint16{uint16(id)}
			case "group":
				id, _ := iana.GroupByName(v)
				c.CurvePreferences = []tls.CurveID{tls.CurveID(id)}
			case "ems":
				c.ExtendedMasterSecret = Required
			case "etm":
				c.EncryptThenMAC = Required
			case "rsl":
				fmt.Sscan(v, &c.RecordSizeLimit)
			case "alpn":
				c.NextProtos = strings.Split(v, ",")
			}
		}
		switch k {
		case "cert":
			kind = throwaway.Kind(v)
		case "client":
			clientKind = throwaway.Kind(v)
			s.ClientAuth = tls.RequireAndVerifyClientCert
		case "mfl":
			fmt.Sscan(v, &c.MaxFragmentLength)
		case "staple":
			c.StatusRequest, s.StatusRequest, staple = Required, Preferred, true
		}
	}
	cert := g.issue(t, kind)
	if staple {
		if cert.OCSPStaple, err = g.ca.Staple(cert.Leaf); err != nil {
			t.Fatal(err)
		}
	}
	s.Certificates, g.key = []tls.Certificate{cert}, cert.PrivateKey
	if clientKind != "" {
		c.Certificates = []tls.Certificate{g.issue(t, clientKind, throwaway.ForClient)}
	}
	c.Rand, s.Rand = testkit.Rand("client"), testkit.Rand("server")
	g.config = [2]*Config{c, s}
	return g
}

func (g *golden) issue(t *testing.T, kind throwaway.Kind,
	edits ...func(*x509.Certificate)) tls.Certificate {
	cert, err := g.ca.Issue(kind, []string{"vitrine.test"}, edits...)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (g *golden) file(name string) string {
	for _, f := range g.archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func (g *golden) set(name, data string) {
	g.archive.Files = append(g.archive.Files, txtar.File{Name: name, Data: []byte(data)})
}

// end is one side, driven without a socket. Its messages after the handshake follow a script, so
// that it can be replayed.
type end struct {
	*engine.Engine
	me     iana.Side
	events trace.Memory
	got    []byte
	spoke  bool
}

var says = [2]string{"GET / HTTP/1.1\r\nHost: vitrine.test\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nvisible"}

func (g *golden) end(t *testing.T, me iana.Side) *end {
	e := &end{me: me}
	c := g.config[me].Clone()
	c.Rand, c.Trace = testkit.Rand(me.String()), &e.events
	h, err := c.handshake(me, &Conn{}, c.log(&Conn{me: me}))
	if err != nil {
		t.Fatal(err)
	}
	e.Engine = engine.NewEngine(me, h)
	return e
}

// hear takes a flight and returns the answer to it.
func (e *end) hear(t *testing.T, flight []byte) []byte {
	for {
		n := copy(e.In.Space(), flight)
		e.In.Arrived(n)
		flight = flight[n:]
		if err := e.Proceed(t.Context()); err != nil {
			t.Fatalf("%v: %v", e.me, err)
		}
		for e.Machine().Done() {
			var b [64]byte
			n, err := e.Read(b[:])
			e.got = append(e.got, b[:n]...)
			if err != nil {
				break
			}
		}
		if len(flight) == 0 {
			break
		}
	}
	if e.Machine().Done() && !e.spoke && (e.me == iana.Client || len(e.got) > 0) {
		e.spoke = true
		if err := e.Out.Seal(iana.RecordApplicationData, []byte(says[e.me])); err != nil {
			t.Fatal(err)
		}
		if e.me == iana.Server {
			if err := e.SealAlert(1, 0, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	out := bytes.Clone(e.Out.Sealed())
	if out != nil {
		e.Out.Sent()
	}
	return out
}

// record runs the connection and writes the file.
func (g *golden) record(t *testing.T) {
	g.archive.Files = slices.DeleteFunc(g.archive.Files,
		func(f txtar.File) bool { return f.Name != "case" })
	ends := [2]*end{g.end(t, iana.Client), g.end(t, iana.Server)}
	var flight []byte
	for i, me := 0, iana.Client; i < 20; i, me = i+1, me.Peer() {
		if flight = ends[me].hear(t, flight); len(flight) == 0 {
			break
		}
		g.set(fmt.Sprintf("flight %d from %v", i+1, me), dump(flight))
	}
	for _, e := range ends {
		if string(e.got) != says[e.me.Peer()] {
			t.Fatalf("%v got %q", e.me, e.got)
		}
	}
	m := ends[0].Machine()
	g.set("keylog", fmt.Sprintf("CLIENT_RANDOM %x %x\n", m.ClientHello.Random, m.Secret(nil)))
	g.set("secrets", secrets(ends[0].events.Entries))
}

// dump is hex, 32 bytes a line.
func dump(b []byte) string {
	var s strings.Builder
	for line := range slices.Chunk(b, 32) {
		fmt.Fprintf(&s, "%x\n", line)
	}
	return s.String()
}

// flights gives the recorded bytes, in order.
func (g *golden) flights(t *testing.T, each func(from iana.Side, b []byte)) {
	n := 0
	for _, f := range g.archive.Files {
		var i int
		var who string
		if _, err := fmt.Sscanf(f.Name, "flight %d from %s", &i, &who); err != nil {
			continue
		}
		from := iana.Client
		if who == "server" {
			from = iana.Server
		}
		each(from, testkit.Unhex(t, string(f.Data)))
		n++
	}
	if n < 4 {
		t.Fatalf("%d flights recorded", n)
	}
}

// secrets lists what was derived, in order; the exchange itself first.
func secrets(entries []trace.Entry) string {
	var s strings.Builder
	for _, e := range entries {
		switch e := e.Event.(type) {
		case *trace.SharedSecret:
			fmt.Fprintf(&s, "%s %s\n", e.Name, hex.EncodeToString(e.Output))
		case *trace.Derived:
			fmt.Fprintf(&s, "%s %s\n", e.Name, hex.EncodeToString(e.Output))
		case *trace.KeysInstalled:
			fmt.Fprintf(&s, "keys of the %v: %s %s %s\n", e.From, hex.EncodeToString(e.MACKey),
				hex.EncodeToString(e.Key), hex.EncodeToString(e.IV))
		}
	}
	return s.String()
}

// sorted makes two views comparable: a server checks the client's Finished before it computes its
// own, a client the other way round.
func sorted(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

// replay plays one role against the recorded flights of the other: every byte that it says must be
// as recorded.
func (g *golden) replay(t *testing.T, me iana.Side) {
	e := g.end(t, me)
	var heard []byte
	g.flights(t, func(from iana.Side, b []byte) {
		if from != me {
			heard = b
			return
		}
		if got := e.hear(t, heard); !bytes.Equal(got, b) {
			t.Errorf("as %v: said\n%sexpected\n%s", me, dump(got), dump(b))
		}
		heard = nil
	})
	if heard != nil {
		e.hear(t, heard)
	}
	if string(e.got) != says[me.Peer()] {
		t.Errorf("as %v: read %q, expected %q", me, e.got, says[me.Peer()])
	}
	if got, want := sorted(secrets(e.events.Entries)), sorted(g.file("secrets")); got != want {
		t.Errorf("as %v: derived\n%s\nexpected\n%s", me, got, want)
	}
}

// observe watches the recorded flights with each secret that suffices, and gives how many there
// were.
func (g *golden) observe(t *testing.T) int {
	log, err := keylog.Read(strings.NewReader(g.file("keylog")))
	if err != nil {
		t.Fatal(err)
	}
	with := map[string]observe.Source{"key log": observe.KeyLog(log)}
	for _, me := range []iana.Side{iana.Client, iana.Server} {
		e := g.end(t, me)
		var heard []byte
		g.flights(t, func(from iana.Side, b []byte) { // a replay makes the ephemeral keys again
			if from == me {
				e.hear(t, heard)
			}
			heard = b
		})
		for _, x := range e.events.Entries {
			if x, ok := x.Event.(*trace.Ephemeral); ok {
				with[fmt.Sprintf("the %v's ephemeral key", me)] = observe.Ephemeral(x.Private)
			}
		}
	}
	if d, ok := g.key.(crypto.Decrypter); ok && len(with) == 1 {
		with["the server's RSA key"] = observe.RSAKey("key", d)
	}
	for name, s := range with {
		for _, step := range []int{1 << 20, 7, 1} {
			g.watch(t, fmt.Sprintf("%s, %d bytes a step", name, step), s, step)
		}
	}
	return 3 * len(with)
}

func (g *golden) watch(t *testing.T, name string, s observe.Source, step int) {
	var events trace.Memory
	var got [2][]byte
	c := observe.New(s, &events)
	c.Data = func(from iana.Side, b []byte) { got[from] = append(got[from], b...) }
	var flows [2][]byte
	g.flights(t, func(from iana.Side, b []byte) { flows[from] = append(flows[from], b...) })
	// the wrong way round: the figure puts it right
	for _, from := range []iana.Side{iana.Server, iana.Client} {
		for b := range slices.Chunk(flows[from], step) {
			if err := c.Feed(from, b); err != nil {
				t.Fatalf("with %s: %v", name, err)
			}
		}
	}
	for _, from := range []iana.Side{iana.Client, iana.Server} {
		if string(got[from]) != says[from] {
			t.Errorf("with %s: the %v's data is %q, expected %q", name, from, got[from], says[from])
		}
	}
	want := sorted(g.file("secrets"))
	if strings.HasPrefix(name, "key log") { // which begins with the master_secret
		want = sorted(strings.Join(slices.DeleteFunc(strings.Split(want, "\n"),
			func(l string) bool {
				return strings.HasPrefix(l, "pre_master_secret") ||
					strings.HasPrefix(l, "master_secret")
			}), "\n"))
	}
	if got := sorted(secrets(events.Entries)); got != want {
		t.Errorf("with %s: derived\n%s\nexpected\n%s", name, got, want)
	}
}
