package capture

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// linkFrame is a frame of a link type.
type linkFrame struct {
	name  string
	link  LinkType
	frame string
}

// frames are a segment with "hello" after every kind of header, in hex; $4 and $6 stand for
// the datagram in IPv4 and IPv6, $t and its length $l for the segment in the IPv6 datagram.
var frames = []linkFrame{
	{"Ethernet", LinkEthernet, "020000000001 020000000002 0800 $4"},
	{"Ethernet with padding", LinkEthernet, "020000000001 020000000002 0800 $4 0000000000"},
	{"Ethernet, IPv6", LinkEthernet, "020000000001 020000000002 86dd $6"},
	{"VLAN", LinkEthernet, "020000000001 020000000002 8100 0064 0800 $4"},
	{"QinQ, 802.1ad", LinkEthernet, "020000000001 020000000002 88a8 0064 8100 00c8 0800 $4"},
	{"QinQ, before 802.1ad", LinkEthernet, "020000000001 020000000002 9100 0064 8100 00c8 86dd $6"},
	{"MPLS, two labels", LinkEthernet, "020000000001 020000000002 8847 00010040 00011140 $4"},
	{"PPPoE", LinkEthernet, "020000000001 020000000002 8864 11000001002f 0021 $4"},
	{"Linux cooked", LinkSLL, "0000 0001 0006 020000000001 0000 0800 $4"},
	{"Linux cooked, IPv6", LinkSLL, "0004 0304 0006 000000000000 0000 86dd $6"},
	{"Linux cooked, VLAN", LinkSLL, "0000 0001 0006 020000000001 0000 8100 0064 0800 $4"},
	{"Linux cooked 2", LinkSLL2, "0800 0000 00000001 0001 00 06 0200000000010000 $4"},
	{"Linux cooked 2, IPv6", LinkSLL2, "86dd 0000 00000001 0304 04 06 0000000000000000 $6"},
	{"BSD loopback", LinkNull, "02000000 $4"},
	{"BSD loopback, IPv6 on macOS", LinkNull, "1e000000 $6"},
	{"BSD loopback, big-endian", LinkNull, "0000001c $6"},
	{"OpenBSD loopback", LinkLoop, "00000002 $4"},
	{"OpenBSD loopback, IPv6", LinkLoop, "00000018 $6"},
	{"raw", LinkRaw, "$4"},
	{"raw, IPv6", LinkRaw, "$6"},
	{"IPv4", LinkIPv4, "$4"},
	{"IPv6", LinkIPv6, "$6"},
	{"IPv4 with options", LinkRaw, "46000031000040004006$sum 0a000001 0a000002 01010100 $t"},
	{"IPv4 whose length the network card fills in", LinkRaw,
		"45000000000040004006$sum 0a000001 0a000002 $t"},
	{"IPv4 in IPv4", LinkRaw, "45000041000040004004$sum 0a0000fe 0a0000ff $4"},
	{"IPv6 in IPv4", LinkRaw, "45000055000040004029$sum 0a0000fe 0a0000ff $6"},
	{"hop-by-hop and destination options", LinkRaw,
		"6000000000290040 $a 3c00010400000000 0600010400000000 $t"},
	{"routing header", LinkRaw, "600000000021 2b40 $a 0600000000000000 $t"},
	{"an atomic fragment", LinkRaw, "600000000021 2c40 $a 0600000000000001 $t"},
	{"authentication header", LinkRaw,
		"600000000031 3340 $a 06 04 0000 00000001 00000001 000000000000000000000000 $t"},
}

const (
	helloSegment = "c35001bb 00000064 000001f4 5018ffff 00000000 68656c6c6f"
	addresses6   = "20010db8000000000000000000000001 20010db8000000000000000000000002"
)

func frame(t testing.TB, s string) []byte { return testkit.Unhex(t, expand(s)) }

// expand replaces what begins with $.
func expand(s string) string {
	four := "4500002d 00004000 4006$sum 0a000001 0a000002 " + helloSegment
	six := "60000000 0019 0640 " + addresses6 + helloSegment
	s = strings.NewReplacer("$4", four, "$6", six, "$t", helloSegment, "$a", addresses6).Replace(s)
	return strings.ReplaceAll(s, "$sum", "0000")
}

func TestEveryLinkHeaderIsDecoded(t *testing.T) {
	decodeAll(t, frames, nil)
	var d decoder
	_, _, err := d.segmentOf(&Packet{Link: 147})
	if err == nil || err.Error() != "capture: packets of link type 147 are not read" {
		t.Errorf("a link type that is not known: %v", err)
	}
}

// decodeAll finds the segment in all frames, and lets tshark find it in those that it reads.
func decodeAll(t *testing.T, frames []linkFrame, unread map[string]string) {
	var d decoder
	oracle := filepath.Join(t.TempDir(), "frames.pcapng")
	out, err := os.Create(oracle)
	if err != nil {
		t.Fatal(err)
	}
	w := NewWriter(out, WriterOptions{})
	var names []string
	for _, c := range frames {
		b := frame(t, c.frame)
		s, ok, err := d.segmentOf(&Packet{Link: c.link, Data: b, Length: len(b)})
		got := fmt.Sprintf("%v %v %d %d %x %d %s", s.src.addrPort(s.v6), s.dst.addrPort(s.v6),
			s.seq, s.ack, s.flags, s.cut, s.data)
		want := "10.0.0.1:50000 10.0.0.2:443 100 500 18 0 hello"
		if s.v6 {
			want = "[2001:db8::1]:50000 [2001:db8::2]:443 100 500 18 0 hello"
		}
		if !ok || err != nil || got != want {
			t.Errorf("%s: got %q, %v, %v", c.name, got, ok, err)
		}
		w.Packet(Packet{Link: c.link, Data: b, Time: time.Unix(1, 0)})
		names = append(names, c.name)
		for n := range b { // cut anywhere, it is no segment or a shorter one, and never a panic
			if s, ok, _ := d.segmentOf(&Packet{Link: c.link, Data: b[:n], Length: len(b)}); ok &&
				!strings.HasPrefix("hello", string(s.data)) {
				t.Errorf("%s, cut at %d: %q", c.name, n, s.data)
			}
		}
	}
	out.Close()
	lines := strings.Split(tshark(t, "-r", oracle, "-T", "fields", "-e", "tcp.payload"), "\n")
	for i, name := range names {
		if lines[i] != hex.EncodeToString([]byte("hello")) && unread[name] == "" {
			t.Errorf("%s: tshark sees %q in it", name, lines[i])
		}
	}
	t.Logf("%d frames", len(frames))
}

func TestOtherTrafficIsIgnored(t *testing.T) {
	var d decoder
	for name, f := range map[string]string{
		"ARP": "020000000001 020000000002 0806 0001080006040001",
		"UDP": "020000000001 020000000002 0800 4500001c 00004000 40110000 " +
			"0a000001 0a000002 00010002 00080000",
		"IPv4 of no length": "020000000001 020000000002 0800 45000013 00004000 40060000 " +
			"0a000001 0a000002",
		"a short IPv4 header": "020000000001 020000000002 0800 4400002d 00004000 40060000 " +
			"0a000001 0a000002" + helloSegment,
		"a short TCP header": "020000000001 020000000002 0800 45000028 00004000 40060000 " +
			"0a000001 0a000002 c35001bb 00000064 000001f4 4018ffff 00000000",
		"a long TCP header": "020000000001 020000000002 0800 45000028 00004000 40060000 " +
			"0a000001 0a000002 c35001bb 00000064 000001f4 f018ffff 00000000",
		"IPv6, no next": "020000000001 020000000002 86dd 60000000 0000 3b40" + addresses6,
		"IPv4 in IPv4, deep": "020000000001 020000000002 0800" +
			strings.Repeat("450000ff 00004000 40040000 0a000001 0a000002", 6),
	} {
		b := testkit.Unhex(t, f)
		if s, ok, err := d.segmentOf(&Packet{Link: LinkEthernet, Data: b, Length: len(b)}); ok ||
			err != nil {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// fragment4 and fragment6 cut a datagram that carries payload.
func fragment4(id uint16, offset int, more bool, payload []byte) []byte {
	b := []byte{0x45, 0, 0, 0, byte(id >> 8), byte(id), 0, 0, 64, protoTCP, 0, 0, 10, 0, 0, 1, 10,
		0, 0, 2}
	n, f := 20+len(payload), offset/8
	if more {
		f |= 0x2000
	}
	b[2], b[3], b[6], b[7] = byte(n>>8), byte(n), byte(f>>8), byte(f)
	return append(b, payload...)
}

func fragment6(id uint16, offset int, more bool, payload []byte) []byte {
	b := []byte{0x60, 0, 0, 0, 0, 0, protoFragment, 64}
	n, f := 8+len(payload), offset
	if more {
		f |= 1
	}
	b[4], b[5] = byte(n>>8), byte(n)
	for _, s := range []string{"2001:db8::1", "2001:db8::2"} {
		a := netip.MustParseAddr(s).As16()
		b = append(b, a[:]...)
	}
	b = append(b, protoTCP, 0, byte(f>>8), byte(f), 0, 0, byte(id>>8), byte(id))
	return append(b, payload...)
}

func TestFragmentsAreJoinedInAnyOrder(t *testing.T) {
	payload := testkit.Unhex(t, helloSegment)
	big := append(payload[:20:20], strings.Repeat("0123456789", 6000)...)
	n := 0
	for name, cut := range map[string]func(uint16, int, bool,
		[]byte) []byte{"IPv4": fragment4, "IPv6": fragment6} {
		for round := range 100 {
			r := rand.New(rand.NewPCG(2, uint64(round)))
			d := decoder{fragments: fragments{limit: 1 << 20}}
			whole := payload
			if round%2 == 1 {
				whole = big
			}
			var pieces [][]byte
			for at := 0; at < len(whole); {
				size := min(8*(1+r.IntN(1+len(whole)/40)), len(whole)-at)
				piece := cut(uint16(round), at, at+size < len(whole), whole[at:at+size])
				pieces = append(pieces, piece)
				if r.IntN(3) == 0 {
					pieces = append(pieces, piece)
				}
				at += size
			}
			r.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
			var got []byte
			for _, p := range pieces {
				if s, ok, _ := d.segmentOf(&Packet{Link: LinkRaw, Data: p, Length: len(p)}); ok &&
					got == nil {
					got = s.data
				}
			}
			if string(got) != string(whole[20:]) {
				t.Fatalf("%s, round %d: %d bytes, expected %d", name, round, len(got),
					len(whole)-20)
			}
			n++
		}
	}
	t.Logf("%d datagrams", n)
}

func TestHostileFragmentsMakeNoSegment(t *testing.T) {
	add := func(d *decoder, b []byte, length int) bool {
		_, ok, _ := d.segmentOf(&Packet{Link: LinkRaw, Data: b, Length: length})
		return ok
	}
	payload := testkit.Unhex(t, helloSegment) // 25 bytes
	d := decoder{fragments: fragments{limit: 1 << 20}}
	first, last := fragment4(1, 0, true, payload[:16]), fragment4(1, 16, false, payload[16:])
	for name, b := range map[string][]byte{
		"behind 64 KiB":       fragment4(1, 65528, false, payload),
		"not a multiple of 8": fragment4(1, 0, true, payload[:15]),
		"empty":               fragment4(1, 16, true, nil),
	} {
		if add(&d, b, len(b)); len(d.fragments.pending) != 0 {
			t.Errorf("%s: it was kept", name)
		}
	}
	if add(&d, first[:len(first)-1], len(first)); len(d.fragments.pending) != 0 {
		t.Error("cut by the capture: it was kept")
	}
	add(&d, first, len(first))
	evil := fragment4(1, 8, true, []byte("EVILEVIL")) // overlaps: the first copy wins
	add(&d, evil, len(evil))
	s, ok, _ := d.segmentOf(&Packet{Link: LinkRaw, Data: last, Length: len(last)})
	if !ok || s.ack != 500 || string(s.data) != "hello" || d.fragments.held != 0 ||
		len(d.fragments.pending) != 0 {
		t.Errorf("got %+v, %d bytes held", s, d.fragments.held)
	}
	// as many bytes as the datagram has, but not all in their places
	beyond := fragment4(2, 32, true, payload[:8])
	for _, b := range [][]byte{fragment4(2, 24, false, payload[24:]), beyond,
		fragment4(2, 0, true, payload[:16])} {
		if add(&d, b, len(b)) {
			t.Error("a datagram with a hole in it was given")
		}
	}
	for i := range 100_000 { // endless: each the far end of another datagram
		b := fragment4(uint16(i), 65504-8*(i>>16), false, payload[:8])
		add(&d, b, len(b))
		if d.fragments.held > d.fragments.limit {
			t.Fatalf("%d bytes are held", d.fragments.held)
		}
	}
	if len(d.fragments.pending) == 0 || len(d.fragments.pending) > 16 {
		t.Errorf("%d datagrams are held", len(d.fragments.pending))
	}
}
