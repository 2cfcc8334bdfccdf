package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// wire makes packets of one connection.
type wire struct{ conv *Conversation }

func newWire() wire {
	return wire{newConversation(nil, 1, netip.MustParseAddrPort("10.0.0.1:50000"),
		netip.MustParseAddrPort("10.0.0.2:443"))}
}

func (w wire) packet(from iana.Side, flags uint8, seq, ack uint32, data string) Packet {
	w.conv.ends[from].seq, w.conv.ends[from.Peer()].seq = seq, ack
	b := w.conv.segment(nil, from, flags, []byte(data))
	return Packet{Link: LinkRaw, Data: b, Length: len(b), Time: time.Unix(1, 0)}
}

// cutTo returns p as a capture with this snaplen has it.
func (p Packet) cutTo(snap int) Packet {
	p.Data = p.Data[:min(snap, len(p.Data))]
	return p
}

const (
	client = iana.Client
	server = iana.Server
	none   = flagACK
)

// transcript is what a Handler received, in words.
type transcript struct {
	streams []*Connection
	lines   []string
}

type scribe struct {
	t *transcript
	n int
}

func (s scribe) Bytes(from iana.Side, _ time.Time, b []byte) {
	who := fmt.Sprintf("%d %v ", s.n, from)
	if i := len(s.t.lines) - 1; i >= 0 && strings.HasPrefix(s.t.lines[i], who) &&
		!strings.Contains(s.t.lines[i], "misses") {
		s.t.lines[i] += string(b) // how the bytes are cut does not matter
		return
	}
	s.t.lines = append(s.t.lines, who+string(b))
}
func (s scribe) Gap(from iana.Side, n int64) {
	s.t.lines = append(s.t.lines, fmt.Sprintf("%d %v misses %d", s.n, from, n))
}
func (s scribe) End() { s.t.lines = append(s.t.lines, fmt.Sprintf("%d ends", s.n)) }

func transcribe(t *testing.T, limits Limits, packets ...Packet) *transcript {
	t.Helper()
	out := new(transcript)
	a := Assembler{Limits: limits, New: func(c *Connection) Handler {
		out.streams = append(out.streams, c)
		return scribe{out, c.Stream}
	}}
	for _, p := range packets {
		if err := a.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	a.Close()
	if a.waiting != 0 || a.holes.n != 0 || a.open.n != 0 || a.closing.n != 0 {
		t.Errorf("after Close %d bytes wait in %d lanes, %d connections are open and %d closing",
			a.waiting, a.holes.n, a.open.n, a.closing.n)
	}
	return out
}

func TestSegmentsAreReassembled(t *testing.T) {
	w := newWire()
	p := w.packet
	syn := []Packet{p(client, flagSYN, 99, 0, ""), p(server, flagSYN|flagACK, 499, 100, ""),
		p(client, none, 100, 500, "")}
	with := func(more ...Packet) []Packet { return append(slices.Clone(syn), more...) }
	for _, c := range []struct {
		name    string
		packets []Packet
		want    []string
	}{
		{"in order, both directions",
			with(p(client, none, 100, 500, "hello"), p(server, none, 500, 105, "hi")),
			[]string{"0 client hello", "0 server hi", "0 ends"}},
		{"both FINs end it at once",
			with(p(client, flagFIN|none, 100, 500, "a"), p(server, flagFIN|none, 500, 102, "b"),
				p(client, none, 102, 502, "late")),
			[]string{"0 client a", "0 server b", "0 ends"}},
		{"swapped", with(p(client, none, 102, 500, "c"), p(client, none, 100, 500, "ab"),
			p(client, none, 103, 500, "d")),
			[]string{"0 client abcd", "0 ends"}},
		{"FIN before the data that it ends",
			with(p(client, flagFIN|none, 102, 500, ""), p(server, flagFIN|none, 500, 103, ""),
				p(client, none, 100, 500, "ab")),
			[]string{"0 client ab", "0 ends"}},
		{"repeated",
			with(p(client, none, 100, 500, "ab"), p(client, none, 100, 500, "ab"),
				p(client, none, 101, 500, "bc")),
			[]string{"0 client abc", "0 ends"}},
		{"repeated while it waits",
			with(p(client, none, 102, 500, "cd"), p(client, none, 102, 500, "cd"),
				p(client, none, 101, 500, "bcde"), p(client, none, 100, 500, "a")),
			[]string{"0 client abcde", "0 ends"}},
		{"overlapping and different: the first copy wins",
			with(p(client, none, 102, 500, "CD"), p(client, none, 104, 500, "E"),
				p(client, none, 100, 500, "abcdefg")),
			[]string{"0 client abCDEfg", "0 ends"}},
		{"keep-alives say nothing",
			with(p(client, none, 100, 500, "a"), p(client, none, 100, 500, "\x00"),
				p(client, none, 101, 500, "b")),
			[]string{"0 client ab", "0 ends"}},
		{"data with the SYN",
			[]Packet{p(client, flagSYN, 99, 0, "early"), p(client, none, 105, 1, " late")},
			[]string{"0 client early late", "0 ends"}},
		{"missing", with(p(client, none, 105, 500, "x"), p(server, none, 500, 106, "y")),
			[]string{"0 server y", "0 client misses 5", "0 client x", "0 ends"}},
		{"missing before the FIN",
			with(p(client, none, 100, 500, "x"), p(client, flagFIN|none, 108, 500, "")),
			[]string{"0 client x", "0 client misses 7", "0 ends"}},
		{"cut by the capture",
			with(p(client, none, 100, 500, "0123456789").cutTo(44),
				p(client, none, 110, 500, "ab")),
			[]string{"0 client 0123", "0 client misses 6", "0 client ab", "0 ends"}},
		{"cut while it waits",
			with(p(client, none, 110, 500, "ab").cutTo(41), p(client, none, 112, 500, "c"),
				p(client, none, 100, 500, "0123456789")),
			[]string{"0 client 0123456789a", "0 client misses 1", "0 client c", "0 ends"}},
		{"RST, and what came late",
			with(p(client, none, 102, 500, "c"), p(server, flagRST, 500, 0, ""),
				p(client, none, 100, 500, "ab")),
			[]string{"0 client abc", "0 ends"}},
		{"SYN after SYN+ACK and data",
			[]Packet{syn[1], p(client, none, 100, 500, "ab"), syn[0],
				p(server, none, 500, 102, "c")},
			[]string{"0 client ab", "0 server c", "0 ends"}},
		{"SYN after the data that it begins",
			[]Packet{p(client, none, 100, 500, "ab"), syn[0], p(client, none, 102, 500, "c")},
			[]string{"0 client abc", "0 ends"}},
		{"no SYN", []Packet{p(client, none, 100, 500, "ab"), p(server, none, 500, 102, "c"),
			p(client, none, 102, 501, "d")},
			[]string{"0 client ab", "0 server c", "0 client d", "0 ends"}},
		{"no SYN, and swapped",
			[]Packet{p(client, none, 102, 500, "cd"), p(client, none, 100, 500, "ab"),
				p(server, none, 500, 104, "e")},
			[]string{"0 client abcd", "0 server e", "0 ends"}},
		{"no SYN, and what is acknowledged comes late",
			[]Packet{p(client, none, 102, 500, "cd"), p(server, none, 500, 102, "x"),
				p(client, none, 100, 500, "ab"), p(server, none, 501, 104, "")},
			[]string{"0 client abcd", "0 server x", "0 ends"}},
		{"no SYN, and the answer's beginning missing",
			[]Packet{p(client, none, 100, 500, "ab"), p(server, none, 505, 102, "e"),
				p(client, none, 102, 506, "")},
			[]string{"0 client ab", "0 server misses 5", "0 server e", "0 ends"}},
		{"same ports again",
			with(p(client, none, 100, 500, "a"), p(client, flagSYN, 7000, 0, ""),
				p(client, none, 7001, 0, "b")),
			[]string{"0 client a", "0 ends", "1 client b", "1 ends"}},
		{"same ports again, after the end",
			with(p(client, flagFIN|none, 100, 500, "a"), p(server, flagFIN|none, 500, 102, ""),
				p(client, flagSYN, 7000, 0, ""), p(client, none, 7001, 0, "b")),
			[]string{"0 client a", "0 ends", "1 client b", "1 ends"}},
		{"a SYN sent again is no new connection", with(syn[0], p(client, none, 100, 500, "a")),
			[]string{"0 client a", "0 ends"}},
		{"the numbers wrap",
			[]Packet{p(client, flagSYN, 0xFFFFFFFD, 0, ""), p(client, none, 1, 1, "de"),
				p(client, none, 0xFFFFFFFE, 1, "abc"), p(client, none, 3, 1, "f")},
			[]string{"0 client abcdef", "0 ends"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := transcribe(t, Limits{}, c.packets...).lines; !slices.Equal(got, c.want) {
				t.Errorf("got %q, expected %q", got, c.want)
			}
		})
	}
}

func TestTheClientIsTheOneThatOpenedTheConnection(t *testing.T) {
	w := newWire()
	p := w.packet
	for _, c := range []struct {
		name    string
		packets []Packet
		guessed bool
		opened  [2]bool
	}{
		{"SYN", []Packet{p(client, flagSYN, 99, 0, ""), p(server, none, 500, 100, "x"),
			p(client, none, 100, 501, "")}, false, [2]bool{true, false}},
		{"SYN and SYN+ACK",
			[]Packet{p(client, flagSYN, 99, 0, ""), p(server, flagSYN|none, 499, 100, ""),
				p(server, none, 500, 100, "x")}, false, [2]bool{true, true}},
		{"SYN+ACK only",
			[]Packet{p(server, flagSYN|none, 499, 100, ""), p(server, none, 500, 100, "x")}, false,
			[2]bool{true, true}},
		{"the lower port", []Packet{p(server, none, 500, 100, "x")}, true, [2]bool{}},
	} {
		got := transcribe(t, Limits{}, c.packets...)
		if s := got.streams[0]; s.Server.Port() != 443 || s.Client.Port() != 50000 ||
			s.Guessed != c.guessed || s.Facts.Opened != c.opened {
			t.Errorf("%s: %+v", c.name, s)
		}
		if got.lines[0] != "0 server x" {
			t.Errorf("%s: %q", c.name, got.lines)
		}
	}
}

// TestAnyOrderGivesTheSameBytes cuts streams into segments, sends some of them twice or cut
// differently, and shuffles all.
func TestAnyOrderGivesTheSameBytes(t *testing.T) {
	const rounds = 400
	for round := range rounds {
		r := rand.New(rand.NewPCG(1, uint64(round)))
		w := newWire()
		var streams [2][]byte
		isn := [2]uint32{r.Uint32(), r.Uint32()}
		if round%4 == 0 {
			isn[0] = -uint32(r.IntN(3000)) // wraps
		}
		packets := []Packet{w.packet(client, flagSYN, isn[0]-1, 0, ""),
			w.packet(server, flagSYN|none, isn[1]-1, isn[0], "")}
		var body []Packet
		for side := range streams {
			s := make([]byte, r.IntN(6000))
			for i := range s {
				s[i] = byte(r.Uint32())
			}
			streams[side] = s
			for at := 0; at < len(s); {
				n := min(1+r.IntN(400), len(s)-at)
				body = append(body,
					w.packet(iana.Side(side), none, isn[side]+uint32(at), isn[1-side],
						string(s[at:at+n])))
				if r.IntN(3) == 0 {
					from := r.IntN(at + 1)
					to := from + r.IntN(len(s)-from+1)
					to = min(to, from+1400)
					body = append(body,
						w.packet(iana.Side(side), none, isn[side]+uint32(from), isn[1-side],
							string(s[from:to])))
				}
				at += n
			}
		}
		r.Shuffle(len(body), func(i, j int) { body[i], body[j] = body[j], body[i] })
		l := listener{}
		a := Assembler{New: l.take}
		shared := make([]byte, 2000) // a Reader's packets lie in one place
		for _, p := range append(packets, body...) {
			p.Data = shared[:copy(shared, p.Data)]
			a.Add(p)
		}
		if len(body) > 0 && a.waiting != 0 {
			t.Fatalf("round %d: all came, and %d bytes wait", round, a.waiting)
		}
		a.Close()
		for side, want := range streams {
			if len(want) > 0 && (!bytes.Equal(l[0].sent[side], want) || l[0].gaps[side] != 0) {
				t.Fatalf("round %d: the %v sent %d bytes and %d are missing, expected %d", round,
					iana.Side(side), len(l[0].sent[side]), l[0].gaps[side], len(want))
			}
		}
	}
	t.Logf("%d connections", rounds)
}

func TestWaitingIsBounded(t *testing.T) {
	w := newWire()
	chunk := string(make([]byte, 1000))
	syn := w.packet(client, flagSYN, 99, 0, "")
	got := transcribe(t, Limits{Connection: 10_000}, syn,
		w.packet(client, none, 200, 0, chunk),
		w.packet(client, none, 1200, 0, string(make([]byte, 20_000))))
	if len(got.lines) != 3 || got.lines[0] != "0 client misses 100" {
		t.Errorf("one connection: %.40q", got.lines)
	}
	// Of two connections the one that has waited for longer gives up, as often as needed.
	other := newWire()
	other.conv.ends[client].addr = netip.MustParseAddrPort("10.0.0.1:50001")
	seen := new(transcript)
	a := Assembler{Limits: Limits{Waiting: 1500},
		New: func(c *Connection) Handler { return scribe{seen, c.Stream} }}
	big := strings.Repeat("b", 1400)
	for _, p := range []Packet{syn, other.packet(client, flagSYN, 99, 0, ""),
		w.packet(client, none, 200, 0, "a"),
		other.packet(client, none, 300, 0, "x"), other.packet(client, none, 400, 0, "y"),
		w.packet(client, none, 300, 0, big), w.packet(client, none, 2000, 0, big)} {
		a.Add(p)
	}
	want := []string{"0 client misses 100", "0 client a", "1 client misses 200", "1 client x",
		"0 client misses 99", "0 client " + big, "1 client misses 99", "1 client y"}
	if !slices.Equal(seen.lines, want) || a.waiting > 1500 {
		t.Errorf("two connections: %.30q, and %d bytes wait, expected %.30q", seen.lines,
			a.waiting, want)
	}
	got = transcribe(t, Limits{Connections: 1}, w.packet(client, none, 100, 0, "a"),
		other.packet(client, none, 100, 0, "b"), w.packet(client, none, 101, 0, "c"))
	if want := []string{"0 client a", "0 ends", "1 client b", "1 ends"}; !slices.Equal(got.lines,
		want) {
		t.Errorf("more connections than allowed: %q, expected %q", got.lines, want)
	}
}

func TestBytesWaitOnlyIfTheyMust(t *testing.T) {
	w := newWire()
	p := w.packet
	for _, c := range []struct {
		name    string
		packets []Packet
		want    string
	}{
		{"behind what the capture has cut",
			[]Packet{p(client, flagSYN, 99, 0, ""), p(client, none, 100, 0, "abc").cutTo(41),
				p(client, none, 103, 0, "d")}, "0 client d"},
		{"a direction whose beginning is not known",
			[]Packet{p(client, none, 100, 0, "x"), {Link: LinkRaw,
				Data: bytes.Clone(p(client, none, 101, 0, strings.Repeat("y", maxBefore)).Data)}},
			"0 client x" + strings.Repeat("y", maxBefore)},
	} {
		seen := new(transcript)
		a := Assembler{New: func(c *Connection) Handler { return scribe{seen, c.Stream} }}
		for _, p := range c.packets {
			binary.BigEndian.PutUint16(p.Data[2:], 0) // longer than a datagram can say
			a.Add(p)
		}
		if len(seen.lines) == 0 || seen.lines[len(seen.lines)-1] != c.want {
			t.Errorf("%s: got %.60q", c.name, seen.lines)
		}
	}
}

func TestAConnectionThatWasResetEndsBeforeTheCapture(t *testing.T) {
	w := newWire()
	seen := new(transcript)
	a := Assembler{New: func(c *Connection) Handler { return scribe{seen, c.Stream} }}
	for _, p := range []Packet{w.packet(client, flagSYN, 99, 0, ""),
		w.packet(client, none, 200, 0, "x"), w.packet(server, flagRST, 0, 0, "")} {
		a.Add(p)
	}
	for range lingering {
		a.Add(Packet{Link: LinkRaw})
	}
	if len(seen.lines) != 0 {
		t.Errorf("it did not wait: %q", seen.lines)
	}
	a.Add(Packet{Link: LinkRaw})
	if want := []string{"0 client misses 100", "0 client x", "0 ends"}; !slices.Equal(seen.lines,
		want) {
		t.Errorf("got %q, expected %q", seen.lines, want)
	}
}

func TestMemoryStaysFlatOverManyConnections(t *testing.T) {
	w := newWire()
	a := Assembler{New: func(*Connection) Handler { return nil }}
	const n = 400_000
	for i := range n {
		var addr [4]byte
		binary.BigEndian.PutUint32(addr[:], uint32(i))
		w.conv.ends[client].addr = netip.AddrPortFrom(netip.AddrFrom4(addr), 5000)
		a.Add(w.packet(client, flagSYN, 99, 0, ""))
		switch i % 4 {
		case 0:
			a.Add(w.packet(client, none, 200, 0, "a hole")) // and nothing comes after it
		case 1:
			a.Add(w.packet(client, flagRST, 100, 0, ""))
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	t.Logf("%d connections, %d MiB", a.streams, m.HeapAlloc>>20)
	if a.streams != n || m.HeapAlloc > 150<<20 {
		t.Errorf("%d connections and %d MiB, expected %d and at most 150", a.streams,
			m.HeapAlloc>>20, n)
	}
	if len(a.table) > a.open.n+a.closing.n+remembering || a.open.n > a.Limits.Connections {
		t.Errorf("%d connections are known, %d of them open and %d closing", len(a.table), a.open.n,
			a.closing.n)
	}
	a.Close()
}

func TestHostileHolesCostLittle(t *testing.T) {
	w := newWire()
	var gaps, n int
	a := Assembler{New: func(c *Connection) Handler { return counter{&gaps, &n} }}
	a.Add(w.packet(client, flagSYN, 99, 0, ""))
	p := w.packet(client, none, 0, 0, "x")
	start := time.Now()
	const packets = 200_000
	for i := range packets { // every second byte, backwards
		binary.BigEndian.PutUint32(p.Data[24:], uint32(100+2*(packets-i)))
		a.Add(p)
		if lane := &a.last.lanes[0]; len(lane.held) > maxHeld+1 {
			t.Fatalf("%d pieces wait", len(lane.held))
		}
	}
	a.Close()
	t.Logf("%d packets in %v, %d gaps", packets, time.Since(start), gaps)
	if time.Since(start) > 20*time.Second || gaps == 0 {
		t.Errorf("%v and %d gaps", time.Since(start), gaps)
	}
}

type counter struct{ gaps, bytes *int }

func (c counter) Bytes(_ iana.Side, _ time.Time, b []byte) { *c.bytes += len(b) }
func (c counter) Gap(iana.Side, int64)                     { *c.gaps++ }
func (c counter) End()                                     {}
