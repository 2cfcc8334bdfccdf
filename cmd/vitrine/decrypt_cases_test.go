package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// captureCase is a capture with a fault, what is given with it, and what decrypt must say.
type captureCase struct {
	file string
	args string // names of files are relative to testdata/cases
	code int
	says []string // on standard output, as one line
	not  []string
}

// run runs decrypt on a case, and returns what it printed as one line.
func (c captureCase) run(t *testing.T) {
	t.Helper()
	dir := filepath.Join(testkit.Root(), "testdata", "cases")
	args := []string{"decrypt", filepath.Join(dir, c.file)}
	for _, a := range strings.Fields(c.args) {
		if strings.Contains(a, "/") {
			a = filepath.Join(dir, a)
		}
		args = append(args, a)
	}
	code, stdout, stderr := command(t, args...)
	said := strings.Join(strings.Fields(stdout+" "+stderr), " ")
	if code != c.code {
		t.Errorf("%s %s: exit code %d, expected %d: %s", c.file, c.args, code, c.code, said)
	}
	for _, want := range c.says {
		if !strings.Contains(said, want) {
			t.Errorf("%s %s: expected %q in %s", c.file, c.args, want, said)
		}
	}
	for _, wrong := range c.not {
		if strings.Contains(said, wrong) {
			t.Errorf("%s %s: did not expect %q in %s", c.file, c.args, wrong, said)
		}
	}
}

// A handshake that a peer ended is not reported as missing bytes. Its server's name is known.
func TestEndedHandshakesAreReported(t *testing.T) {
	const hole = "does not have all of the handshake"
	keys := " --keylog encapsulations/keys.log"
	for _, c := range []captureCase{
		{"cut-handshakes/fin-after-hello.pcap", "--sni localhost", 0, []string{
			"handshake_failed: the client closed the connection (FIN) after its client_hello",
			"the server's server_hello"}, []string{hole}},
		{"cut-handshakes/fin-after-hello.pcap", "--sni other.test", 3,
			[]string{"No TCP connection in this capture is selected"}, nil},
		{"cut-handshakes/fin-after-hello.pcap", keys, 3,
			[]string{"handshake_failed", "localhost", "nothing was decrypted"}, []string{hole}},
		{"cut-handshakes/http-answer.pcap", "--sni localhost", 0, []string{
			`in the clear, with HTTP: "HTTP/1.1 400 Bad Request"`}, []string{hole}},
		{"cut-handshakes/http-answer.pcap", "--json", 0, []string{
			`"server_name":"localhost"`, `"decrypted":false`, `"reason":"handshake_failed"`}, nil},
		{"cut-handshakes/client-rst-after-flight.pcap", "--sni localhost", 0, []string{
			"the client reset the connection (RST) after the server's server_hello_done",
			"did, most often, not accept that"}, []string{hole}},
		{"cut-handshakes/client-rst-after-flight.pcap", "--detail steps", 0, []string{
			"FAILED: the client reset the connection (RST) after the server's server_hello_done"},
			[]string{"FORWARD SECRET"}},
		{"tcp/asym-client.pcap", "--keylog tcp/keys.log", 3, []string{"localhost",
			"the capture has the client's packets (20) and none of the server's"}, []string{hole}},
	} {
		c.run(t)
	}
}

// TLS in tunnels, on other links and in EAP is read; what is not read is named, with exit code 3 if
// nothing is.
func TestTLSIsFoundInWhatCarriesIt(t *testing.T) {
	const keys = "--keylog encapsulations/keys.log"
	for _, name := range []string{"vxlan", "gre-ip", "geneve", "ppp", "nflog", "pktap"} {
		captureCase{"encapsulations/" + name + ".pcap", keys, 0,
			[]string{"localhost", "24 of 24", "3716 of 3716"}, []string{"Not read"}}.run(t)
	}
	for _, c := range []captureCase{
		{"framed/eapol.pcap", "--keylog framed/eapol.keys", 0, []string{"27 of 27",
			"eap1 02:00:00:00:00:01 -> 02:00:00:00:00:02", "EAP-TLS in IEEE 802.1X"}, nil},
		{"framed/eapol.pcap", "--keylog framed/eapol.keys --stream eap1", 0, []string{"27 of 27"},
			nil},
		{"framed/eapol.pcap", "--keylog framed/eapol.keys --stream eap", 0, []string{"27 of 27"},
			nil},
		{"framed/eapol.pcap", "--keylog framed/eapol.keys --stream eap2-3", 3, nil,
			[]string{"27 of 27"}},
		{"framed/eapol.pcap", "--keylog framed/eapol.keys --stream 0", 3, nil,
			[]string{"27 of 27"}},
		{"framed/eapol.pcap", "--json", 0, []string{`"stream":-1,"client":"02:00:00:00:00:01"`,
			`"carrier":"EAP-TLS in IEEE 802.1X"`}, nil},
		{"framed/mssql-tds.pcap", "--keylog framed/mssql-tds.keys", 0,
			[]string{"localhost", "28 of 28"}, nil},
		{"framed/mssql-tds.pcap", "", 0, []string{"no_secret"}, []string{"handshake_not_captured"}},
	} {
		c.run(t)
	}
}

// A capture without TLS is reported as such, with what it has.
func TestACaptureWithoutTLSIsNoSuccess(t *testing.T) {
	name := filepath.Join(t.TempDir(), "quic.pcap")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := capture.NewWriter(f, capture.WriterOptions{})
	for range 412 { // IPv4, UDP to port 443, and a long header of QUIC
		w.Packet(capture.Packet{Link: capture.LinkRaw, Data: testkit.Unhex(t,
			"45000030 00004000 40110000 0a000001 0a000002 c11101bb 001c0000"+
				"c0000000 01080000 00000000 00000000 40000000"), Time: time.Unix(1, 0)})
	}
	w.Flush()
	f.Close()
	for _, args := range [][]string{{"decrypt", name}, {"decrypt", name, "--json"}} {
		code, stdout, stderr := command(t, args...)
		said := strings.Join(strings.Fields(stdout+" "+stderr), " ")
		if want := "412 of UDP to port 443: QUIC, which Vitrine does not read"; code !=
			exitUndecrypted || !strings.Contains(said, want) {
			t.Errorf("%v: exit code %d, expected %d and %q in %s", args, code, exitUndecrypted,
				want, said)
		}
	}
}

// What a capture lacks is reported with its cause, and of two copies the one that authenticates is
// read.
func TestFaultsOfTCPAreReported(t *testing.T) {
	for _, c := range []captureCase{
		{"tcp/snap96.pcap", "--keylog tcp/keys.log", 3, []string{
			"bytes_missing: 8925 bytes of the client are not in the capture", "(snaplen 96)",
			"tcpdump -s 0"}, nil},
		{"tcp/snap96.pcap", "--keylog tcp/keys.log --json", 3, []string{`"decrypted":false`,
			`"bytes_missing":8925`, `"reason":"bytes_missing"`}, nil},
		{"tcp/retransmit-other-before.pcap", "--keylog tcp/keys.log", 0,
			[]string{"9042 of 9042", "3746 of 3746"}, nil},
	} {
		c.run(t)
	}
}

// One direction of a connection is reported as that, whichever it is and wherever it begins.
func TestOneDirectionIsReportedWithItsSide(t *testing.T) {
	keylogs := filepath.Join(testkit.Root(), "testdata", "captures", "keylogs")
	whole, err := os.ReadFile(filepath.Join(keylogs, "t.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	const fileHeader, packetHeader, port = 24, 16, 14 + 20 // Ethernet and IPv4 are before TCP
	for _, c := range []struct {
		server bool
		from   int // packets of this direction that are left out
		says   string
	}{
		{false, 0, "has the client's packets"},
		{true, 0, "has the server's packets"},
		{true, 1, "has the server's packets"}, // the ServerHello shows whose they are
		{true, 5, "has the packets of one side"},
	} {
		half, n := bytes.Clone(whole[:fileHeader]), 0
		for rest := whole[fileHeader:]; len(rest) > 0; {
			size := packetHeader + int(binary.LittleEndian.Uint32(rest[8:]))
			p := rest[:size]
			rest = rest[size:]
			server := binary.BigEndian.Uint16(p[packetHeader+port:]) == 443
			if server != c.server {
				continue
			}
			if n++; n > c.from {
				half = append(half, p...)
			}
		}
		name := filepath.Join(t.TempDir(), "half.pcap")
		if err := os.WriteFile(name, half, 0o600); err != nil {
			t.Fatal(err)
		}
		code, stdout, _ := command(t, "decrypt", name, "--keylog",
			filepath.Join(keylogs, "k-bom.log"))
		said := strings.Join(strings.Fields(stdout), " ")
		if code != exitUndecrypted || !strings.Contains(said, c.says) ||
			!strings.Contains(said, "capture at a place that both directions pass") {
			t.Errorf("%+v: exit code %d, %s", c, code, said)
		}
	}
}
