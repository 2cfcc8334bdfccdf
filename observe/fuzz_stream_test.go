package observe_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/observe"
	"github.com/vitrine-tls/vitrine/trace"
)

// fuzzed are captures of connections of every kind, whose secrets FuzzStream has.
var fuzzed = []string{
	ephemeral,
	modern,
	"snet/ssl3_0",
	transport,
	"illustrated/illustrated-tls12",
	"illustrated/illustrated-tls13",
	"generated/ossl-tls12-renegotiate-ecdhe-gcm",
	"generated/ossl-tls12-psk-aes128-gcm-sha256",
	"generated/gnutls-tls12-resume",
	"generated/ossl-tls13-0rtt-aes256",
	"generated/ossl-tls13-hrr-p384",
	"generated/ossl-tls13-resume",
	"generated/ossl-tls13-keyupdate-aes128",
	"generated/ossl-tls13-ext-psk",
	"snet/mTLS1_3_RSA",
	"generated/ossl-tls12-clientauth",
	"snet/TLS1_ECDHE-RSA-NULL-SHA",
	"derived/tampered-cbc-mte-padding",
	"generated/ossl-tls12-fragmented-cert",
}

// A piece is what a stream has next of a side: bytes, a gap, or a copy of what came before.
type piece struct {
	from iana.Side
	kind byte // see pieces
	b    []byte
	n    int
}

// The kinds of pieces.
const (
	isBytes = iota
	isGap
	isAgain
)

// written encodes pieces: side and kind, a length, and the bytes.
func written(pieces []piece) (b []byte) {
	for _, p := range pieces {
		b = append(b, byte(p.from)|p.kind<<1)
		b = binary.BigEndian.AppendUint16(b, uint16(max(p.n, len(p.b))))
		b = append(b, p.b...)
	}
	return b
}

// The bits of FuzzStream's mode.
const (
	traced    = 1 << iota // its events are kept
	passed                // its data is counted
	endsEarly             // there is no end
	repeats               // of bytes, copies are kept that differ
	rests                 // what a Watch does between two pieces is done
)

// disordered are the pieces of a connection with what only a hostile or a lossy network brings: one
// side before the other, other copies, gaps on gaps, and records that do not belong there.
func disordered(pieces []piece) (all [][]piece) {
	sides := [2][]piece{}
	for _, p := range pieces {
		sides[p.from] = append(sides[p.from], p)
	}
	all = append(all, slices.Concat(sides[1], sides[0]), slices.Concat(sides[0], sides[1]))
	all = append(all, slices.Concat(pieces, pieces), slices.Concat(pieces[:1], pieces))
	for side, own := range sides {
		var copies []piece // each piece first with a wrong byte, then as it was
		for _, p := range own {
			wrong := bytes.Clone(p.b)
			wrong[len(wrong)/2] ^= 1
			copies = append(copies, piece{from: p.from, b: wrong},
				piece{from: p.from, kind: isAgain, b: p.b},
				piece{from: p.from, kind: isAgain, b: wrong[:len(wrong)/2+1]})
		}
		all = append(all, slices.Concat(copies, sides[1-side]),
			slices.Concat(sides[1-side], copies))
		gone := piece{from: iana.Side(side), kind: isGap, n: 3}
		for _, at := range []int{0, 1, len(own) / 2, len(own)} {
			at = min(at, len(own))
			all = append(all, slices.Concat(slices.Insert(slices.Clone(own), at, gone, gone),
				sides[1-side]), slices.Concat(sides[1-side],
				slices.Insert(slices.Clone(own), at, gone, gone)))
			for _, b := range [][]byte{{21, 3, 3, 0, 2, 1, 100}, {21, 3, 3, 0, 2, 2, 40},
				{21, 3, 3, 0, 1, 1}, {23, 3, 3, 0, 2, 1, 2}, {20, 3, 3, 0, 1, 1},
				{22, 3, 3, 0, 4, 0, 0, 0, 0}, {0x80, 0x2e, 1, 3, 3}, bytes.Repeat([]byte{9}, 99)} {
				strange := piece{from: iana.Side(side), b: b}
				all = append(all, slices.Insert(slices.Clone(pieces),
					min(2*at, len(pieces)), strange))
			}
		}
	}
	hello := []byte{0x80, 28, 1, 3, 1, 0, 3, 0, 0, 0, 16, 0, 0, 0x35}
	hello = append(hello, bytes.Repeat([]byte{7}, 16)...)
	for _, cut := range []int{14, len(hello)} { // of SSL 2.0
		all = append(all, append([]piece{{b: hello[:cut]}, {b: hello[cut:]}}, sides[1]...))
	}
	long := piece{from: iana.Server, b: bytes.Repeat(append([]byte{23, 3, 3, 8, 0},
		make([]byte, 2048)...), 30)}
	return append(all, append(slices.Clone(pieces), long, long),
		append([]piece{long, long}, sides[0]...),
		slices.Concat(sides[1], []piece{long, long}, sides[0]))
}

// FuzzStream: a damaged or hostile stream of any kind of connection, with its secrets, those of
// another or none, ends in a report, and nothing is read twice.
func FuzzStream(f *testing.F) {
	var sources []observe.Source
	for which, id := range fuzzed {
		all, source := recorded(f, id)
		sources = append(sources, source)
		var pieces []piece
		for _, s := range *all {
			pieces = append(pieces, piece{from: s.from, b: s.b})
		}
		keep := testkit.SampleSeeds(41)
		add := func(mode byte, list []piece) {
			if keep() {
				f.Add(byte(which), mode, written(list))
			}
		}
		for mode := range byte(8) {
			add(mode, pieces)
			add(mode|rests|repeats, pieces)
		}
		for _, list := range disordered(pieces) {
			add(rests|repeats|2, list)
			add(2, list)
		}
		f.Add(byte(which+1), byte(0), written(pieces)) // the secrets of another
		for i, p := range pieces {
			mode := byte(i % 8)
			gap := slices.Clone(pieces)
			gap[i] = piece{from: p.from, kind: isGap, n: len(p.b)}
			add(mode, gap)
			add(
				mode,
				slices.Insert(slices.Clone(pieces), i, piece{from: p.from, kind: isAgain, b: p.b}),
			)
			add(mode, append(slices.Clone(pieces[:i]), pieces[min(i+2, len(pieces)):]...))
			if len(p.b) > 9 { // the end of a segment, its beginning, and its middle
				half := slices.Clone(pieces)
				half[i] = piece{from: p.from, b: p.b[:len(p.b)/2]}
				add(
					mode,
					slices.Insert(
						half,
						i+1,
						piece{from: p.from, kind: isGap, n: len(p.b) - len(p.b)/2},
					),
				)
				half = slices.Clone(pieces)
				half[i] = piece{from: p.from, kind: isGap, n: 7}
				add(mode, slices.Insert(half, i+1, piece{from: p.from, b: p.b[7:]}))
			}
			for _, spoilt := range testkit.Spoil(p.b, 3) {
				changed := slices.Clone(pieces)
				changed[i].b = spoilt
				add(mode, changed)
			}
		}
	}
	f.Fuzz(func(t *testing.T, which, mode byte, b []byte) {
		var s observe.Stream
		read := [2]int{}
		s.New = func() *observe.Connection {
			var sink trace.Sink
			if mode&traced != 0 {
				sink = &trace.Memory{}
			}
			c := observe.New(sources[int(which)%len(sources)], sink)
			if mode&passed != 0 {
				c.Data = func(from iana.Side, plain []byte) { read[from] += len(plain) }
			}
			c.Sessions, c.Repeats = &observe.Sessions{}, mode&repeats != 0
			return c
		}
		came := playPieces(&s, b, mode)
		if c := s.Connection(); c != nil {
			c.GiveUp()
			for _, line := range c.Secrets() {
				if len(line.Secret) == 0 {
					t.Error("a secret of no bytes")
				}
			}
			if n := c.Skipped(iana.Client) + c.Skipped(iana.Server); n < 0 {
				t.Errorf("%d bytes were skipped", n)
			}
		}
		r := s.Report()
		if r.Reason == nil && !r.Decrypted {
			t.Errorf("%+v", r)
		}
		if sum := read[0] + read[1]; sum > came {
			t.Errorf("%d bytes were read of %d", sum, came)
		}
	})
}

// playPieces plays what a program stands for, and returns how many bytes came.
func playPieces(s *observe.Stream, b []byte, mode byte) (came int) {
	in := bytes.NewReader(b)
	for {
		if mode&rests != 0 {
			s.Rest()
		}
		var head [3]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			break
		}
		from, kind, n := iana.Side(head[0]&1), head[0]>>1%4, int(binary.BigEndian.Uint16(head[1:]))
		if kind == isGap {
			if n > 0 {
				s.Gap(from, int64(n))
			}
			continue
		}
		body := make([]byte, min(n, in.Len()))
		in.Read(body)
		if kind == isAgain {
			s.Again(from, int64(len(body)), body)
			continue
		}
		s.Bytes(from, body)
		came += len(body)
	}
	if mode&endsEarly == 0 {
		s.End()
	}
	return came
}
