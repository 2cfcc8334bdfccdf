package engine

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/record"
)

// The bits of the state in which FuzzInbound begins.
const (
	underKeys  = 1 << iota // records are sealed
	version13              // under keys of TLS 1.3
	skipsEarly             // early data is dropped
	isDone                 // the handshake is done
	mayBeSSL2              // the first bytes may be a hello of SSL 2.0
	fromServer
	versioned // the version is negotiated, and fragments are of 512 bytes
	asBytes   // the input is what arrives, and not what is sealed
)

// The bits of a record in the program of FuzzInbound: five bytes are type, bits, times, length and
// what it is filled with.
const (
	inClear = 1 << iota
	damaged
	otherVersion
	long // 256 times the length
	counted
)

// sealer makes the records of a peer that has the right keys.
type sealer struct {
	half record.Half
	t    *testing.T
	v    iana.Version
}

// program returns the records that a program stands for, and how many bytes they carry.
func (s *sealer) program(program []byte) (stream []byte) {
	for step := range slices.Chunk(program, 5) {
		if len(step) < 5 || len(stream) > 1<<17 {
			break
		}
		kind, bits, n := iana.ContentType(step[0]), step[1], int(step[3])
		if bits&long != 0 {
			n *= 66
		}
		body := bytes.Repeat(step[4:], n)
		if bits&counted != 0 && n >= 4 { // a handshake message that is whole
			copy(body, []byte{step[4], 0, byte((n - 4) >> 8), byte(n - 4)})
		}
		for range 1 + int(step[2])%60 {
			stream = append(stream, s.record(kind, bits, body)...)
		}
	}
	return stream
}

func (s *sealer) record(kind iana.ContentType, bits byte, body []byte) []byte {
	b := rec(kind, body...)
	if bits&inClear == 0 && s.half.Protected() &&
		(len(body) > 0 || kind == iana.RecordApplicationData) {
		sealed, err := s.half.Seal(nil, kind, iana.TLS12, body)
		if err != nil {
			s.t.Fatal(err)
		}
		b = sealed
	}
	if bits&damaged != 0 {
		b[len(b)-1] ^= 1
	}
	if bits&otherVersion != 0 {
		b[2] = 1
	}
	return b
}

// inbound returns an Inbound in a state, and its peer.
func inbound(t *testing.T, state byte) (*Inbound, *sealer) {
	from := iana.Client
	if state&fromServer != 0 {
		from = iana.Server
	}
	in, peer := NewInbound(from, nil), &sealer{t: t, v: iana.TLS12}
	if state&version13 != 0 {
		peer.v = iana.TLS13
	}
	in.hello2 = state&mayBeSSL2 != 0
	if state&versioned != 0 {
		in.SetVersion(peer.v, 512)
		peer.half.SetMaxFragment(512)
	}
	if state&skipsEarly != 0 {
		in.SkipEarlyData(1000)
	}
	if state&underKeys != 0 {
		iv := make([]byte, record.AES_128_GCM.IVLen(peer.v))
		for _, protect := range []func(record.Protection) error{in.Protect,
			func(p record.Protection) error { peer.half.Protect(p); return nil }} {
			p, err := record.New(record.AES_128_GCM, nil, record.Params{Version: peer.v,
				Keys: record.Keys{Key: make([]byte, 16), IV: iv}})
			if err != nil {
				t.Fatal(err)
			}
			if err := protect(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	in.done = state&isDone != 0
	return in, peer
}

// FuzzInbound: any bytes, and any records of a peer that has the keys, in any chunks and in every
// state give items or an error with an alert. Items are within their limits; under keys nothing
// comes of bytes that were not sealed; and memory follows the bytes.
func FuzzInbound(f *testing.F) {
	keep := testkit.SampleSeeds(23)
	add := func(program []byte, chunk, state byte) {
		if keep() {
			f.Add(program, chunk, state)
		}
	}
	for state := range 256 {
		if state&asBytes != 0 {
			continue
		}
		for kind := byte(19); kind < 25; kind++ {
			add([]byte{kind, 0, 0, 2, 1}, 7, byte(state))
			add([]byte{kind, inClear, 0, 1, 1, kind, 0, 0, 2, 1}, 0, byte(state))
		}
		for _, program := range [][]byte{
			{23, 0, 40, 0, 0}, {20, inClear, 40, 1, 1}, {22, counted, 40, 4, 0}, {22, 0, 0, 3, 1},
			{22, counted, 2, 90, 1, 23, 0, 0, 9, 9}, {22, 0, 0, 5, 1, 23, 0, 0, 1, 1},
			{21, 0, 0, 3, 1},
			{20, 0, 0, 2, 1}, {22, inClear, 0, 0, 0}, {23, damaged, 9, 99, 1},
			{23, damaged, 0, 9, 1,
				22, counted, 0, 9, 2, 23, 0, 0, 9, 9}, {23, long, 9, 250, 7},
			{22, otherVersion, 0, 9, 1},
			{22, long, 0, 250, 255}, {22, long, 0, 250, 1}, {21, inClear, 0, 2, 1},
			{23, inClear, 30, 99, 1}, {22, 0, 0, 4, 1, 20, inClear, 0, 1, 1},
		} {
			add(program, 255, byte(state))
		}
	}
	hello := rec(iana.RecordHandshake, msg(iana.ClientHello, 1, 2, 3)...)
	ssl2 := testkit.Unhex(f, "801c 01 0301 0003 0000 0010 000035 07070707070707070707070707070707")
	whole := rec(iana.RecordHandshake, msg(iana.ClientHello, make([]byte, 300)...)...)
	for _, stream := range [][]byte{whole,
		slices.Concat(rec(22, whole[5:7]...), rec(22, whole[7:]...)),
		slices.Concat(rec(22, whole[5:7]...), rec(22, whole[7:100]...)), make([]byte, 0),
		rec(22, msg(iana.ClientHello, make([]byte, 17000)...)[:16384]...),
		slices.Concat(hello, rec(iana.RecordChangeCipherSpec, 1)), ssl2,
		{22, 3, 3, 0x48, 0, 0}, bytes.Repeat(rec(iana.RecordHandshake, 0, 0, 0, 0), 50)} {
		for state := byte(0); state < 128; state += 16 {
			add(stream, 7, state|asBytes)
			add(stream, 7, state|asBytes|underKeys)
		}
		for _, spoilt := range testkit.Spoil(stream, 7) {
			f.Add(spoilt, byte(7), byte(asBytes|mayBeSSL2))
		}
	}
	f.Fuzz(func(t *testing.T, input []byte, chunk, state byte) {
		in, peer := inbound(t, state)
		stream := input
		if state&asBytes == 0 {
			stream = peer.program(input)
		}
		items, err := feed(in, slices.Collect(slices.Chunk(stream, int(chunk)+1)))
		checkItems(t, in, items, err, len(stream), state)
		checkFirst(t, stream)
		again := in.Unread()
		if len(again) > len(stream) || in.Partial() != (len(again) > 0 || in.Leftover() > 0) {
			t.Errorf("%d bytes are not read of %d, and partial is %v", len(again), len(stream),
				in.Partial())
		}
		if err == nil {
			in.Drained()
			in.Release()
			if p, err := record.New(
				record.NULL,
				record.HMAC_SHA256,
				record.Params{Version: iana.TLS12,
					Keys: record.Keys{MAC: make([]byte, 32)}},
			); err != nil {
				t.Fatal(err)
			} else if err := in.Protect(
				p,
			); (err != nil) != (in.Leftover() > 0) {
				t.Errorf("new keys with %d bytes of a message: %v", in.Leftover(), err)
			}
		}
	})
}

// checkFirst follows a first message at once and byte by byte: both are whole at the same byte.
func checkFirst(t *testing.T, stream []byte) {
	t.Helper()
	var slow, fast First
	stream = stream[:min(len(stream), MaxFirst)]
	more, n := true, 0
	for ; more && n <= len(stream); n++ {
		more = slow.More(stream[:n])
	}
	if fast.More(stream) != more {
		t.Errorf("byte by byte more is needed: %v, which at once is otherwise", more)
	}
}

// checkItems holds what came of a stream of n bytes to what must be true of it.
func checkItems(t *testing.T, in *Inbound, items []Item, err error, n int, state byte) {
	t.Helper()
	sum := 0
	for _, i := range items {
		sum += len(i.Body)
		if i.Type != iana.RecordHandshake && len(i.Body) > record.MaxPlaintext ||
			len(i.Body) > maxMessage {
			t.Errorf("a %v of %d bytes", i.Type, len(i.Body))
		}
	}
	if state&underKeys != 0 && state&asBytes != 0 && state&(version13|mayBeSSL2) == 0 &&
		len(items) > 0 {
		t.Errorf("%d items that nobody sealed", len(items))
	}
	if sum > n {
		t.Errorf("%d bytes came of %d", sum, n)
	}
	if e, ok := errors.AsType[*alert.Error](err); err != nil && (!ok || e.Ref == "") {
		t.Errorf("an error without an alert or a section: %v", err)
	}
	if len(in.buf) > largeBuffer || in.messages.Cap() > 2*n+4096 {
		t.Errorf("%d and %d bytes are held for %d", len(in.buf), in.messages.Cap(), n)
	}
}
