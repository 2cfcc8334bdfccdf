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
		add := func(mode byte, list []piece) { f.Add(byte(which), mode, written(list)) }
		for mode := range byte(8) {
			add(mode, pieces)
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
			if mode&1 != 0 {
				sink = &trace.Memory{}
			}
			c := observe.New(sources[int(which)%len(sources)], sink)
			if mode&2 != 0 {
				c.Data = func(from iana.Side, plain []byte) { read[from] += len(plain) }
			}
			c.Sessions = &observe.Sessions{}
			return c
		}
		came := playPieces(&s, b, mode&4 != 0)
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
func playPieces(s *observe.Stream, b []byte, endsEarly bool) (came int) {
	in := bytes.NewReader(b)
	for {
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
	if !endsEarly {
		s.End()
	}
	return came
}
