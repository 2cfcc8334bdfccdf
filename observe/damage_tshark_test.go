package observe_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/observe"
)

var damagedRuns = flag.Int("damaged", 6,
	"how often each connection of TestDamagedCapturesAreReadAsByTshark is damaged")

// compared are connections that are damaged for tshark too: their secrets are a key log.
var compared = []string{ephemeral, modern, "illustrated/illustrated-tls12",
	"illustrated/illustrated-tls13", "generated/ossl-tls13-keyupdate-aes128",
	"snet/TLS1_ECDHE-RSA-AES128-SHA", "generated/ossl-tls12-bulk-chacha",
	"generated/gnutls-tls13-recordsize"}

// damages are what becomes of the packets of a connection: one of them is lost, cut, changed,
// doubled or late, or a file ends before it.
var damages = []struct {
	what string
	do   func(dice *rand.Rand, all []capture.Packet, at int) []capture.Packet
}{
	{"lost", func(_ *rand.Rand, all []capture.Packet, at int) []capture.Packet {
		return append(all[:at:at], all[at+1:]...)
	}},
	{"cut", func(dice *rand.Rand, all []capture.Packet, at int) []capture.Packet {
		p := &all[at]
		p.Data = p.Data[:40+dice.IntN(len(p.Data)-40)]
		return all
	}},
	{"changed", func(dice *rand.Rand, all []capture.Packet, at int) []capture.Packet {
		p := &all[at]
		p.Data = bytes.Clone(p.Data)
		p.Data[40+dice.IntN(len(p.Data)-40)] ^= 1 << dice.IntN(8)
		return all
	}},
	{"doubled", func(_ *rand.Rand, all []capture.Packet, at int) []capture.Packet {
		return append(all[:at+1:at+1], all[at:]...)
	}},
	{"late", func(_ *rand.Rand, all []capture.Packet, at int) []capture.Packet {
		if at+1 < len(all) {
			all[at], all[at+1] = all[at+1], all[at]
		}
		return all
	}},
	{"the end", func(_ *rand.Rand, all []capture.Packet, at int) []capture.Packet {
		return all[:at]
	}},
}

// A damaged connection, and what was read of it: by direction, in pieces.
type damaged struct {
	what         string
	changed      bool // a packet was
	updates      bool // keys are updated in it
	whole        [2][]byte
	ours, theirs [2][][]byte
}

// A damaged capture is read as tshark reads it, or better: whatever packet of a connection is lost,
// cut, changed, doubled, late or the end, what we read was sent, and is no less than what tshark
// reads. There are two exceptions: a connection whose handshake was changed is not read, while
// tshark takes its secrets from the key log all the same; and behind a handshake of which a part is
// missing a KeyUpdate is not followed. -damaged N compares more of them.
func TestDamagedCapturesAreReadAsByTshark(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed (apt-get install tshark)")
	}
	dice := rand.New(rand.NewPCG(11, 7))
	var file, keys bytes.Buffer
	w := capture.NewWriter(&file, capture.WriterOptions{})
	var all []*damaged
	var sources []observe.Source
	for _, id := range compared {
		tape, source, log := recordedWithKeys(t, id)
		keys.Write(log)
		for n := range *damagedRuns {
			how := damages[n%len(damages)]
			packets := packetsOf(t, tape, uint16(10000+len(all)))
			at := 3 + dice.IntN(len(packets)-3) // behind the handshake of TCP
			for len(packets[at].Data) <= 40 {
				at = 3 + dice.IntN(len(packets)-3)
			}
			for _, p := range how.do(dice, packets, at) {
				if err := w.Packet(p); err != nil {
					t.Fatal(err)
				}
			}
			all = append(all, &damaged{what: fmt.Sprintf("%s, packet %d %s", id, at, how.what),
				changed: how.what == "changed", updates: strings.Contains(id, "keyupdate"),
				whole: play(tape, source, nil).plain})
			sources = append(sources, source)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	readOurs(t, &file, all, observe.Sources(sources...))
	readByTshark(t, file.Bytes(), keys.Bytes(), all)
	more, unsound, updated, sum, ourSum := 0, 0, 0, 0, 0
	for _, d := range all {
		for side, whole := range d.whole {
			ours, ok := lengthWithin(d.ours[side], whole)
			if !ok {
				t.Errorf("%s: the %v did not send what was read", d.what, iana.Side(side))
			}
			theirs, ok := lengthWithin(d.theirs[side], whole)
			switch {
			case ok && theirs > ours && d.changed && len(d.ours[0])+len(d.ours[1]) == 0:
				unsound++
			case ok && theirs > ours && d.updates:
				updated++
			case ok && theirs > ours:
				t.Errorf("%s: tshark reads %d bytes of the %v, we %d of %d", d.what, theirs,
					iana.Side(side), ours, len(whole))
			}
			if ours > theirs {
				more++
			}
			sum, ourSum = sum+theirs, ourSum+ours
		}
	}
	t.Logf("%d damaged connections: %d bytes read by tshark, %d by us, more of %d directions",
		len(all), sum, ourSum, more)
	t.Logf("tshark reads %d directions behind a handshake that is not sound, and %d further "+
		"behind new keys", unsound, updated)
}

// lengthWithin returns how long pieces are, and whether they lie in whole one behind the other.
func lengthWithin(pieces [][]byte, whole []byte) (n int, ok bool) {
	for _, p := range pieces {
		i := bytes.Index(whole, p)
		if i < 0 {
			return n, false
		}
		n, whole = n+len(p), whole[i+len(p):]
	}
	return n, true
}

// recordedWithKeys is recorded, with the text of the key log.
func recordedWithKeys(t *testing.T, id string) (*tape, observe.Source, []byte) {
	all, source := recorded(t, id)
	for _, c := range index(t) {
		if name := c.Secrets["keylog"]; c.ID == id && name != "" {
			log, err := os.ReadFile(filepath.Join(c.dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return all, source, append(log, '\n')
		}
	}
	t.Fatalf("%s has no key log", id)
	return nil, nil, nil
}

// packetsOf are the packets of a connection with this port of the client.
func packetsOf(t *testing.T, all *tape, port uint16) (packets []capture.Packet) {
	var file bytes.Buffer
	w := capture.NewWriter(&file, capture.WriterOptions{})
	c := w.Connection(netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port),
		netip.MustParseAddrPort("192.0.2.2:443"))
	for i, s := range *all {
		if err := c.Send(s.from, time.Unix(1, int64(i)*1000), s.b); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	eachPacket(t, &file, func(p capture.Packet) {
		p.Data = bytes.Clone(p.Data)
		packets = append(packets, p)
	})
	return packets
}

func eachPacket(t *testing.T, file io.Reader, do func(capture.Packet)) {
	in, err := capture.Open(file)
	for err == nil {
		var p capture.Packet
		if p, err = in.Next(); err == nil {
			do(p)
		}
	}
	if err != io.EOF {
		t.Fatal(err)
	}
}

// readOurs reads the file as vitrine decrypt does.
func readOurs(t *testing.T, file *bytes.Buffer, all []*damaged, source observe.Source) {
	w := &observe.Watch{Source: source,
		Data: func(x *observe.Watched, from iana.Side, plain []byte) {
			d := all[x.Client.Port()-10000]
			d.ours[from] = append(d.ours[from], bytes.Clone(plain))
		}}
	a := capture.Assembler{New: w.Handler}
	eachPacket(t, bytes.NewReader(file.Bytes()), func(p capture.Packet) { a.Add(p) })
	a.Close()
	w.Close()
}

// readByTshark reads the file as tshark follows TLS.
func readByTshark(t *testing.T, file, keys []byte, all []*damaged) {
	dir := t.TempDir()
	pcap, log := filepath.Join(dir, "damaged.pcapng"), filepath.Join(dir, "keys.log")
	for name, b := range map[string][]byte{pcap: file, log: keys} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"-n", "-q", "-r", pcap, "-o", "tcp.reassemble_out_of_order:TRUE",
		"-o", "tls.keylog_file:" + log}
	for i := range all {
		args = append(args, "-z", fmt.Sprintf("follow,tls,raw,%d", i))
	}
	out, err := exec.Command("tshark", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var d *damaged
	var first iana.Side // node 0, whose packet was the first with something decrypted
	for line := range strings.Lines(string(out)) {
		line = strings.TrimRight(line, "\n")
		if stream, ok := strings.CutPrefix(line, "Filter: tcp.stream eq "); ok {
			n, err := strconv.Atoi(stream)
			if err != nil {
				t.Fatal(err)
			}
			d = all[n]
			continue
		}
		if node, ok := strings.CutPrefix(line, "Node 0: "); ok {
			if first = iana.Client; strings.HasSuffix(node, ":443") {
				first = iana.Server
			}
			continue
		}
		text, second := strings.CutPrefix(line, "\t")
		b, err := hex.DecodeString(text)
		if err != nil || d == nil || len(b) == 0 {
			continue
		}
		side := first
		if second {
			side = first.Peer()
		}
		d.theirs[side] = append(d.theirs[side], b)
	}
}
