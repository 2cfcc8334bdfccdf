package capture_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
)

// tshark gives the lines that it prints about a capture, with every checksum verified.
func tshark(t *testing.T, args ...string) []string {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed (apt-get install tshark)")
	}
	var stderr strings.Builder
	cmd := exec.Command(path,
		append([]string{"-n", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"},
			args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark %q: %v\n%s", args, err, &stderr)
	}
	return slices.DeleteFunc(strings.Split(string(out), "\n"),
		func(l string) bool { return l == "" })
}

// complaints returns the packets about which tshark has more to say than that a connection ends.
func complaints(t *testing.T, file, port string) []string {
	const note = "0x400000"
	sent := tshark(t, "-r", file, "-d", "tcp.port=="+port+",tls", "-Y",
		"_ws.malformed || _ws.expert.severity >= "+note,
		"-T", "fields", "-e", "frame.number", "-e", "_ws.expert.message")
	return slices.DeleteFunc(sent, func(line string) bool {
		_, what, _ := strings.Cut(line, "\t")
		return what == "Connection finish (FIN),This frame initiates the connection closing" ||
			what == "Connection finish (FIN),This frame undergoes the connection closing"
	})
}

// recorded is one capture of connections, taken at one side.
type recorded struct {
	bytes.Buffer
	w *capture.Writer
}

func newRecorded() *recorded {
	r := new(recorded)
	r.w = capture.NewWriter(r, capture.WriterOptions{HoldsSecrets: true})
	return r
}

func (r *recorded) save(t *testing.T, name string) string {
	t.Helper()
	if err := r.w.Flush(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, r.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// exchange performs a handshake and one request, large in one direction, and taps both sides.
func exchange(t *testing.T, l net.Listener, client, server *vitrine.Config, records [2]*recorded,
	path string) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		tap := capture.Tap(conn, records[iana.Server].w, iana.Server)
		server := server.Clone()
		server.KeyLogWriter = records[iana.Server].w.KeyLog()
		c := vitrine.Server(tap, server)
		defer c.Close()
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			t.Errorf("%s: server: %v", path, err)
			return
		}
		body := strings.Repeat(r.URL.Path, 3000)
		fmt.Fprintf(c,
			"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s",
			len(body), body)
		if tap.Err() != nil {
			t.Error(tap.Err())
		}
	})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	client = client.Clone()
	client.KeyLogWriter = records[iana.Client].w.KeyLog()
	c := vitrine.Client(capture.Tap(conn, records[iana.Client].w, iana.Client), client)
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: vitrine.test\r\n\r\n", path)
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("%s: client: %v", path, err)
	}
	c.Close()
	wg.Wait()
}

func TestWrittenCapturesOpenDecryptedInTshark(t *testing.T) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	client := &vitrine.Config{RootCAs: ca.Pool(), ServerName: "vitrine.test"}
	server := new(vitrine.Config)
	for _, kind := range []throwaway.Kind{throwaway.RSA, throwaway.ECDSA} {
		cert, err := ca.Issue(kind, []string{"vitrine.test"})
		if err != nil {
			t.Fatal(err)
		}
		server.Certificates = append(server.Certificates, cert)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	records, want := [2]*recorded{newRecorded(), newRecorded()}, []string{}
	psk := &vitrine.PSK{Identity: []byte("vitrine"), Key: []byte("0123456789abcdef")}
	all := testkit.Sample(t, "suites", 4, slices.Concat(suite.All(), suite.All13()))
	for i, s := range all {
		path := "/" + s.String()
		for _, c := range []*vitrine.Config{client, server} {
			c.CipherSuites, c.MaxVersion = []uint16{uint16(s.ID)}, vitrine.VersionTLS12
			c.Renegotiation = tls.RenegotiateNever
			c.GetPSK = nil
			if s.TLS13() {
				c.CipherSuites, c.CipherSuites13 = nil, c.CipherSuites
				c.MinVersion, c.MaxVersion = vitrine.VersionTLS13, vitrine.VersionTLS13
			}
			if s.PreShared() {
				c.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) { return psk, nil }
			}
		}
		exchange(t, l, client, server, records, path)
		if s.ID>>8 == 0xD0 {
			continue // ECDHE_PSK of RFC 8442, which tshark 4.0 has no entry for
		}
		want = append(want, fmt.Sprintf("%d\tGET\t%s\t", i, path),
			fmt.Sprintf("%d\t\t%s\t200", i, path))
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, side := range []iana.Side{iana.Client, iana.Server} {
		file := records[side].save(t, side.String()+".pcapng")
		got := tshark(t, "-r", file, "-d", "tcp.port=="+port+",tls", "-Y", "http", "-T", "fields",
			"-e", "tcp.stream", "-e", "http.request.method", "-e", "http.request.uri", "-e",
			"http.response.code", "-e", "http.response_for.uri")
		for i, line := range got { // the answer names what it answers, with its host
			if f := strings.Split(line, "\t"); len(f) == 5 && f[1] == "" {
				uri := f[4][strings.LastIndex(f[4], "/"):]
				got[i] = f[0] + "\t\t" + uri + "\t" + f[3]
			} else {
				got[i] = strings.TrimRight(line, "\t") + "\t"
			}
		}
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("at the %v: tshark did not decrypt %q", side, line)
			}
		}
		if len(got) != len(want) {
			t.Errorf("at the %v: tshark shows %d messages, expected %d", side, len(got), len(want))
		}
		if c := complaints(t, file, port); len(c) > 0 {
			t.Errorf("at the %v: tshark complains of\n%s", side, strings.Join(c, "\n"))
		}
	}
	t.Logf("%d suites, %d decrypted, recorded at both sides", len(all), len(want)/2)
}

func TestWrittenStreamsReadBack(t *testing.T) {
	v6 := netip.MustParseAddrPort("[2001:db8::1]:50000")
	type pair struct {
		name                   string
		client, server         netip.AddrPort
		wantClient, wantServer string
	}
	for _, c := range testkit.Sample(t, "pairs", 5, []pair{
		{"IPv4", netip.MustParseAddrPort("10.0.0.1:50000"),
			netip.MustParseAddrPort("10.0.0.2:8443"), "10.0.0.1:50000", "10.0.0.2:8443"},
		{"IPv6 with a zone", v6, netip.MustParseAddrPort("[fe80::2%eth0]:443"),
			"[2001:db8::1]:50000", "[fe80::2]:443"},
		{"IPv4 mapped into IPv6", netip.MustParseAddrPort("[::ffff:10.0.0.1]:1"),
			netip.MustParseAddrPort("10.0.0.2:2"), "10.0.0.1:1", "10.0.0.2:2"},
		{"no addresses", netip.AddrPort{}, netip.AddrPort{}, "192.0.2.1:49152", "192.0.2.2:443"},
		{"addresses of two families", v6, netip.MustParseAddrPort("10.0.0.2:8443"),
			"192.0.2.1:50000", "192.0.2.2:8443"},
	}) {
		t.Run(c.name, func(t *testing.T) {
			big := bytes.Repeat([]byte("0123456789abcdef"), 20_000) // 320,000 bytes: five windows
			var out bytes.Buffer
			w := capture.NewWriter(&out, capture.WriterOptions{Comment: "for a test"})
			conv := w.Connection(c.client, c.server)
			for range 2 {
				for _, err := range []error{conv.Send(iana.Client, time.Time{}, []byte("hello")),
					conv.Send(iana.Server, time.Time{}, big),
					conv.Send(iana.Client, time.Time{}, nil), conv.Finish(iana.Server, time.Time{}),
					conv.Close()} {
					if err != nil {
						t.Fatal(err)
					}
				}
			}
			file := filepath.Join(t.TempDir(), "w.pcapng")
			os.WriteFile(file, out.Bytes(), 0o600)
			if c := complaints(t, file, "1"); len(c) > 0 {
				t.Errorf("tshark complains of\n%s", strings.Join(c, "\n"))
			}
			for _, flight := range tshark(t, "-r", file, "-Y", "tcp.analysis.bytes_in_flight", "-T",
				"fields", "-e", "tcp.analysis.bytes_in_flight") {
				if n, err := strconv.Atoi(flight); err != nil || n > 65535 {
					t.Errorf("%s bytes in flight, %v: more than the window", flight, err)
				}
			}
			got := read(t, out.Bytes())
			if len(got) != 1 || got[0].Client.String() != c.wantClient ||
				got[0].Server.String() != c.wantServer || got[0].Guessed {
				t.Fatalf("%d connections, the first %v", len(got), got[0])
			}
			if string(got[0].sent[0]) != "hello" || !bytes.Equal(got[0].sent[1], big) ||
				got[0].gap != 0 || got[0].ends != 1 {
				t.Errorf("read %d and %d bytes, %d missing, %d ends", len(got[0].sent[0]),
					len(got[0].sent[1]), got[0].gap, got[0].ends)
			}
		})
	}
}

// seen is a connection that was read back.
type seen struct {
	*capture.Connection
	sent [2][]byte
	gap  int64
	ends int
}

func (h *seen) Bytes(from iana.Side, _ time.Time, b []byte) {
	h.sent[from] = append(h.sent[from], b...)
}
func (h *seen) Gap(_ iana.Side, n int64) { h.gap += n }
func (h *seen) End()                     { h.ends++ }

func read(t *testing.T, file []byte) (all []*seen) {
	t.Helper()
	in, err := capture.Open(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	a := capture.Assembler{New: func(c *capture.Connection) capture.Handler {
		all = append(all, &seen{Connection: c})
		return all[len(all)-1]
	}}
	for {
		p, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	a.Close()
	return all
}

func TestSecretsPrecedeTheirPacketsAndAreAnnounced(t *testing.T) {
	random := bytes.Repeat([]byte{7}, 32)
	line := fmt.Appendf(nil, "CLIENT_RANDOM %x %x\n", random, bytes.Repeat([]byte{9}, 48))
	write := func(w *capture.Writer) {
		one, two := w.Connection(netip.AddrPort{}, netip.AddrPort{}),
			w.Connection(netip.AddrPort{}, netip.AddrPort{})
		one.Send(iana.Client, time.Time{}, append([]byte("one "), random...))
		two.Send(iana.Client, time.Time{}, []byte("two"))
		w.Secrets(line)
		one.Send(iana.Server, time.Time{}, []byte("answer"))
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	var out, again bytes.Buffer
	write(capture.NewWriter(&out, capture.WriterOptions{HoldsSecrets: true}))
	write(capture.NewWriter(&again, capture.WriterOptions{HoldsSecrets: true}))
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("the same connections give two files")
	}
	in, err := capture.Open(&out)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	in.Comment = func(s string) {
		if order = append(order, "comment"); !strings.Contains(s, "holds secrets") {
			t.Errorf("comment %q", s)
		}
	}
	in.Secrets = func(typ capture.SecretsType, b []byte) {
		if order = append(order, "secrets"); typ != capture.SecretsTLSKeyLog ||
			!bytes.Equal(b, line) {
			t.Errorf("secrets of type %x: %q", typ, b)
		}
	}
	for p, err := in.Next(); err != io.EOF; p, err = in.Next() {
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"one", "two", "answer"} {
			if bytes.Contains(p.Data, []byte(s)) {
				order = append(order, s)
			}
		}
	}
	// of the section, the interface, the secrets
	want := []string{"comment", "comment", "secrets", "comment", "one", "answer", "two"}
	if !slices.Equal(order, want) {
		t.Errorf("got %v, expected %v", order, want)
	}
	if err := capture.NewWriter(&out, capture.WriterOptions{}).Secrets(line); err == nil {
		t.Error("secrets went into a capture that does not announce them")
	}
}

// Of TLS 1.3's secrets, those of the data are the last: a packet with the server's flight may not
// precede any of them, whatever their order. See RFC 9850 §2.
func TestPacketsWaitForAllSecretsOfTLS13(t *testing.T) {
	random := bytes.Repeat([]byte{7}, 32)
	labels := []string{"CLIENT_EARLY_TRAFFIC_SECRET", "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
		"SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0", "CLIENT_TRAFFIC_SECRET_0",
		"EXPORTER_SECRET"}
	var out bytes.Buffer
	w := capture.NewWriter(&out, capture.WriterOptions{HoldsSecrets: true})
	c := w.Connection(netip.AddrPort{}, netip.AddrPort{})
	c.Send(iana.Client, time.Time{}, append([]byte("hello "), random...))
	c.Send(iana.Server, time.Time{}, []byte("flight"))
	for _, label := range labels {
		if err := w.Secrets(fmt.Appendf(nil, "%s %x %x\n", label, random, random)); err != nil {
			t.Fatal(err)
		}
		written := bytes.Contains(out.Bytes(), []byte("flight"))
		if late := slices.Contains(labels[4:], label); written != late {
			t.Errorf("after %s: the packets are written: %v", label, written)
		}
	}
}

func TestReusedPortsAreANewConnection(t *testing.T) {
	var out bytes.Buffer
	w := capture.NewWriter(&out, capture.WriterOptions{})
	a, b := netip.MustParseAddrPort("10.0.0.1:50000"), netip.MustParseAddrPort("10.0.0.2:443")
	for _, s := range []string{"one", "two"} {
		c := w.Connection(a, b)
		c.Send(iana.Client, time.Time{}, []byte(s))
		c.Close()
	}
	if got := read(t, out.Bytes()); len(got) != 2 || string(got[0].sent[0]) != "one" ||
		string(got[1].sent[0]) != "two" {
		t.Errorf("%d connections: %v", len(got), got)
	}
}

func TestTimeDoesNotGoBack(t *testing.T) {
	var out bytes.Buffer
	w := capture.NewWriter(&out, capture.WriterOptions{})
	c := w.Connection(netip.AddrPort{}, netip.AddrPort{})
	for _, s := range []int64{5, 3, 6} {
		c.Send(iana.Client, time.Unix(s, 7), []byte("x"))
	}
	in, err := capture.Open(&out)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for p, err := in.Next(); err == nil; p, err = in.Next() {
		got = append(got, fmt.Sprint(p.Time.UnixNano()))
	}
	if want := strings.Fields(strings.Repeat("5000000007 ", 7) +
		strings.Repeat("6000000007 ", 2)); !slices.Equal(got, want) {
		t.Errorf("got %v, expected %v", got, want)
	}
}

func TestWaitingForSecretsIsBounded(t *testing.T) {
	var out bytes.Buffer
	w := capture.NewWriter(&out, capture.WriterOptions{HoldsSecrets: true})
	c := w.Connection(netip.AddrPort{}, netip.AddrPort{})
	for range 11 {
		if out.Len() > 1000 {
			t.Fatal("it was written before it had to be")
		}
		c.Send(iana.Client, time.Time{}, make([]byte, 90_000))
	}
	if c.Send(iana.Client, time.Time{}, make([]byte, 90_000)); out.Len() < 1<<20 {
		t.Errorf("%d bytes are written", out.Len())
	}
}
