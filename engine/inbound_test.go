package engine

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// feed gives an Inbound bytes, chunk by chunk, and collects what comes whole, up to the first
// error.
func feed(in *Inbound, chunks [][]byte) (items []Item, err error) {
	for _, chunk := range chunks {
		for len(chunk) > 0 {
			n := copy(in.Space(), chunk)
			in.Arrived(n)
			chunk = chunk[n:]
			for {
				item, ok, err := in.Next()
				if err != nil {
					return items, err
				}
				if !ok {
					break
				}
				item.Body = bytes.Clone(item.Body)
				items = append(items, item)
			}
		}
	}
	return items, nil
}

func rec(t iana.ContentType, body ...byte) []byte {
	return append([]byte{byte(t), 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}

func msg(t iana.HandshakeType, body ...byte) []byte {
	return append([]byte{byte(t), byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))},
		body...)
}

// RFC 5246 §6.2.1: records have nothing to do with messages, and arrivals nothing with records.
func TestMessagesAreJoinedFromAnyPieces(t *testing.T) {
	var want []Item
	var all []byte
	for i, n := range []int{0, 1, 3, 100, 5000, 16384, 40000, 0, 7} {
		m := msg(iana.HandshakeType(i), bytes.Repeat([]byte{byte(i)}, n)...)
		want = append(want, Item{iana.RecordHandshake, m})
		all = append(all, m...)
	}
	r := rand.New(rand.NewPCG(1, 2))
	cuts := 0
	for _, most := range []int{1, 2, 5, 64, 1000, record.MaxPlaintext} {
		for range 5 {
			cuts++
			var stream []byte
			for rest := all; len(rest) > 0; {
				n := min(1+r.IntN(most), len(rest))
				stream = append(stream, rec(iana.RecordHandshake, rest[:n]...)...)
				rest = rest[n:]
			}
			var chunks [][]byte
			for len(stream) > 0 {
				n := min(1+r.IntN(40000), len(stream))
				chunks = append(chunks, stream[:n])
				stream = stream[n:]
			}
			in := NewInbound(iana.Client, nil)
			got, err := feed(in, chunks)
			if err != nil ||
				!slices.EqualFunc(got, want,
					func(a, b Item) bool {
						return a.Type == b.Type && bytes.Equal(a.Body, b.Body)
					}) {
				t.Errorf("records of up to %d bytes: got %d items and %v, expected %d", most,
					len(got), err, len(want))
			}
			if in.Partial() {
				t.Error("something is left over")
			}
		}
	}
	t.Logf("%d ways to cut", cuts)
}

func TestInboundRefusesBadRecords(t *testing.T) {
	many := func(n int, b []byte) []byte { return bytes.Repeat(b, n) }
	for _, c := range []struct {
		what  string
		bytes []byte
		want  alert.Description
	}{
		{"an unknown type, RFC 5246 §6", []byte{99, 3, 3, 0, 1, 0}, alert.UnexpectedMessage},
		{"another major version, §6.2.1", []byte{22, 2, 3, 0, 1, 0}, alert.ProtocolVersion},
		{"too long on the wire, §6.2.3", []byte{22, 3, 3, 0x48, 1}, alert.RecordOverflow},
		{"too long inside, §6.2.1",
			rec(iana.RecordHandshake, make([]byte, record.MaxPlaintext+1)...),
			alert.RecordOverflow},
		{"an empty handshake record, §6.2.1", rec(iana.RecordHandshake), alert.UnexpectedMessage},
		{"an empty alert", rec(iana.RecordAlert), alert.DecodeError},
		{"half an alert", rec(iana.RecordAlert, 1), alert.DecodeError},
		{"an alert and a half", rec(iana.RecordAlert, 1, 0, 1), alert.DecodeError},
		{"an empty change_cipher_spec, §7.1", rec(iana.RecordChangeCipherSpec),
			alert.UnexpectedMessage},
		{"change_cipher_spec 2", rec(iana.RecordChangeCipherSpec, 2), alert.UnexpectedMessage},
		{"change_cipher_spec 1 1", rec(iana.RecordChangeCipherSpec, 1, 1), alert.UnexpectedMessage},
		{"empty records without end", many(33, rec(iana.RecordApplicationData)),
			alert.UnexpectedMessage},
		{"and with a warning between", slices.Concat(many(17, rec(iana.RecordApplicationData)),
			rec(iana.RecordAlert, 1, 90),
			many(16, rec(iana.RecordApplicationData))), alert.UnexpectedMessage},
		{"a message of 16 MiB, of which 4 bytes came", rec(iana.RecordHandshake, 11, 255, 255, 255),
			alert.IllegalParameter},
		{"a Certificate longer than any ClientHello: our limit",
			rec(iana.RecordHandshake, 11, 2, 1, 0x45), alert.IllegalParameter},
		{"a ClientHello of 131,401 bytes, §7.4.1.2", rec(iana.RecordHandshake, 1, 2, 1, 0x45),
			alert.DecodeError},
	} {
		items, err := feed(NewInbound(iana.Client, nil), [][]byte{c.bytes})
		if e, ok := errors.AsType[*alert.Error](err); !ok || e.Alert != c.want {
			t.Errorf("%s: got %d items and %v, expected %v", c.what, len(items), err, c.want)
		}
	}
}

func TestKeysDoNotChangeInsideAMessage(t *testing.T) {
	in := NewInbound(iana.Client, nil)
	if _, err := feed(in, [][]byte{rec(iana.RecordHandshake, 20, 0, 0, 12, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := in.Protect(nullProtection(t)); alert.Of(err) != alert.UnexpectedMessage {
		t.Errorf("got %v", err)
	}
}

func nullProtection(t testing.TB) record.Protection {
	t.Helper()
	p, err := record.New(record.NULL, record.HMAC_SHA256,
		record.Params{Version: iana.TLS12, Keys: record.Keys{MAC: make([]byte, 32)}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Lengths that a peer claims cost no memory; the bytes that it sends cost a small multiple.
func TestMemoryFollowsTheBytesThatCame(t *testing.T) {
	hellos := func(n int) []byte {
		return rec(iana.RecordHandshake, bytes.Repeat(msg(iana.HelloRequest), n)...)
	}
	for _, c := range []struct {
		what   string
		stream []byte
		most   uint64
	}{
		{"a message of 128 KiB is claimed, one byte comes",
			rec(iana.RecordHandshake, 11, 1, 255, 252, 0), 16 << 10},
		{"a record of 18 KiB is claimed, one byte comes", []byte{22, 3, 3, 0x48, 0, 0}, 16 << 10},
		{"4,096 messages in a record", hellos(4096), 512 << 10},
		{"a message of 100 KiB in records of one byte", func() (b []byte) {
			for _, x := range msg(iana.Certificate, make([]byte, 100<<10)...) {
				b = append(b, rec(iana.RecordHandshake, x)...)
			}
			return b
		}(), 2 << 20},
	} {
		for range 3 {
			feed(NewInbound(iana.Client, nil), [][]byte{c.stream}) // fill the pools
		}
		// collecting the items is the test's own: Next alone is measured
		got := allocated(func() {
			in := NewInbound(iana.Client, nil)
			for rest := c.stream; len(rest) > 0; {
				n := copy(in.Space(), rest)
				in.Arrived(n)
				for rest = rest[n:]; ; {
					if _, ok, err := in.Next(); !ok || err != nil {
						break
					}
				}
			}
		})
		if got > c.most {
			t.Errorf("%s: %d bytes for %d that came, expected at most %d", c.what, got,
				len(c.stream), c.most)
		}
	}
}

// An idle connection holds a small buffer at most, and gives a large one back.
func TestLargeBuffersAreGivenBack(t *testing.T) {
	in := NewInbound(iana.Client, nil)
	if n := len(in.Space()); n != smallBuffer {
		t.Errorf("the first space is %d bytes, expected %d", n, smallBuffer)
	}
	stream := bytes.Repeat(rec(iana.RecordApplicationData, make([]byte, 16000)...), 10)
	if _, err := feed(in, [][]byte{stream}); err != nil {
		t.Fatal(err)
	}
	if n := len(in.Space()); n != smallBuffer {
		t.Errorf("after much data the space is %d bytes, expected %d", n, smallBuffer)
	}
	in.Release()
	if in.buf != nil {
		t.Error("Release kept the buffer")
	}
	in.done = true // the handshake
	if n := len(in.Space()); n != idleBuffer {
		t.Errorf("after the handshake the space is %d bytes, expected %d", n, idleBuffer)
	}
	if _, err := feed(in, [][]byte{stream}); err != nil {
		t.Fatal(err)
	}
	if len(in.buf) != largeBuffer {
		t.Fatalf("bulk data came in %d bytes at a time", len(in.buf))
	}
	if _, err := feed(in, [][]byte{rec(iana.RecordApplicationData, 1)}); err != nil {
		t.Fatal(err)
	}
	if n := len(in.Space()); n != idleBuffer {
		t.Errorf("after bulk and then little data the space is %d bytes, expected %d", n,
			idleBuffer)
	}
}

// In a handshake a buffer is at most twice as long as the part of a record that is in it.
func TestABufferIsTwiceAsLongAsWhatCameOfARecord(t *testing.T) {
	in := NewInbound(iana.Client, nil)
	stream := rec(iana.RecordHandshake, make([]byte, record.MaxPlaintext)...)
	for i, b := range stream[:len(stream)-1] {
		in.Space()[0] = b
		in.Arrived(1)
		if most := max(smallBuffer, 2*(i+1)); len(in.buf) > most {
			t.Fatalf("%d bytes for %d of a record, expected at most %d", len(in.buf), i+1, most)
		}
		if _, ok, err := in.Next(); ok || err != nil {
			t.Fatalf("%d bytes of a record: an item: %v; error: %v", i+1, ok, err)
		}
	}
}

func ExampleInbound() {
	in := NewInbound(iana.Client, nil)
	n := copy(in.Space(), []byte{22, 3, 1, 0, 5, 1, 0, 0, 1, 42})
	in.Arrived(n)
	item, ok, err := in.Next()
	fmt.Println(item.Type, item.Body, ok, err)
	// Output: handshake [1 0 0 1 42] true <nil>
}
