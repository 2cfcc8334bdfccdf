package record

import (
	"bytes"
	stdhmac "crypto/hmac"
	"fmt"
	"hash"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// cbcRows are the CBC protections.
func cbcRows() []row {
	return slices.DeleteFunc(slices.Clone(protections), func(r row) bool { return !r.cipher.CBC() })
}

func (r row) reference(v iana.Version) reference {
	return reference{r, v, pattern(r.mac.Len), pattern(r.cipher.KeyLen)}
}

func TestCBCRecordsMatchTheReference(t *testing.T) {
	ran := 0
	for _, r := range cbcRows() {
		for _, v := range versions {
			p, ref := r.new(t, v), r.reference(v)
			h := Header{Type: iana.RecordHandshake, Version: v}
			next := pattern(r.cipher.IVLen(v))
			for n := range 300 {
				seq, plain := uint64(n)<<40, pattern(n)
				record, err := p.Seal(nil, seq, h, plain)
				if err != nil {
					t.Fatal(err)
				}
				fragment, iv := record[HeaderLen:], next
				if v > iana.TLS10 {
					iv = fragment[:r.cipher.BlockSize]
				}
				inner := n
				if !r.etm {
					inner += r.mac.Len
				}
				want := ref.fragment(t, seq, h, iv, plain,
					padding(r.cipher.BlockSize-inner%r.cipher.BlockSize))
				if !bytes.Equal(fragment, want) {
					t.Fatalf("%s, %v, %d bytes: got %x, expected %x", p.Traits().Name, v, n,
						fragment, want)
				}
				if v == iana.TLS10 { // RFC 2246 §6.2.3.2: the last ciphertext block is the next IV
					end := len(fragment)
					if r.etm {
						end -= r.mac.Len
					}
					next = fragment[end-r.cipher.BlockSize : end]
				}
				ran++
			}
		}
	}
	t.Logf("%d records", ran)
}

// RFC 5246 §6.2.3.2: "The padding may be any length up to 255 bytes, as long as it results in the
// TLSCiphertext.length being an integral multiple of the block length", and "The receiver MUST
// check this padding".
func TestEveryValidCBCPaddingOpensAndEveryInvalidOneFails(t *testing.T) {
	good, bad := 0, 0
	var lengths []int
	for pad := 1; pad <= maxPadding; pad++ {
		lengths = append(lengths, pad)
	}
	for _, r := range cbcRows() {
		if r.cipher == AES_256_CBC {
			continue // the same code with a longer key
		}
		p, ref := r.new(t, iana.TLS12), r.reference(iana.TLS12)
		h, iv := Header{Type: iana.RecordApplicationData, Version: iana.TLS12},
			pattern(r.cipher.BlockSize)
		for _, pad := range testkit.Sample(t, "lengths of padding", 8, lengths) {
			n := contentFor(r, pad)
			for _, n := range []int{n, n + 256} {
				plain := pattern(n)
				if got, err := p.Open(1, h,
					ref.fragment(t, 1, h, iv, plain, padding(pad))); err != nil ||
					!bytes.Equal(got, plain) {
					t.Fatalf("%s: %d bytes of content, %d of padding: got %d bytes, %v",
						p.Traits().Name, n, pad, len(got), err)
				}
				good++
				for i := range pad { // each padding byte wrong; the last says how many there are
					wrong := padding(pad)
					wrong[i] ^= 1 << (i % 8)
					f := ref.fragment(t, 1, h, iv, plain, wrong)
					got, err := p.Open(1, h, f)
					refused(t, fmt.Sprintf("%s: padding byte %d of %d", p.Traits().Name, i, pad),
						got, f, err)
					bad++
					if r.cipher == DES_EDE3_CBC && i > 8 && pad > 16 {
						break // slow, and the same code
					}
				}
			}
		}
	}
	t.Logf("%d good paddings, %d defects", good, bad)
}

// contentFor returns the length of the shortest content that leaves room for exactly pad bytes of
// padding.
func contentFor(r row, pad int) int {
	n := pad
	if !r.etm {
		n += r.mac.Len
	}
	return (r.cipher.BlockSize - n%r.cipher.BlockSize) % r.cipher.BlockSize
}

// lucky.go reads the hash's state in the form that the standard library has kept since Go 1.10. The
// results are compared with those of crypto/hmac.
func TestHiddenDigestMatchesHMAC(t *testing.T) {
	ran := 0
	for _, m := range []*MAC{HMAC_SHA1, HMAC_SHA256, HMAC_SHA384} {
		key, head := pattern(m.Len), pattern(len(prefix{}))
		x, err := newHMAC(m, key)
		if err != nil {
			t.Fatal(err)
		}
		std := stdhmac.New(m.hash, key)
		for _, size := range []int{m.Len + 1, m.Len + 2, 64, 80, 128, 255, 256, 257, 300, 304, 400,
			512, 1000, 1024} {
			body := pattern(size)
			for n := x.least(body); n < size-m.Len; n++ {
				std.Reset()
				std.Write(head)
				std.Write(body[:n])
				if got, want := x.finish(nil, x.hiddenDigest(head, body, n)),
					std.Sum(nil); !bytes.Equal(got, want) {
					t.Fatalf("%s: %d of %d bytes: got %x, expected %x", m.Name, n, size, got, want)
				}
				if got := x.hiddenMAC(body, n); !bytes.Equal(got, body[n:][:m.Len]) {
					t.Fatalf("%s: MAC after %d of %d bytes: got %x, expected %x", m.Name, n, size,
						got, body[n:][:m.Len])
				}
				ran++
			}
		}
	}
	t.Logf("%d digests", ran)
}

// A watched hash records what is done to it.
type watched struct {
	stateHash
	done *[]string
}

func (w watched) note(format string, args ...any) {
	*w.done = append(*w.done, fmt.Sprintf(format, args...))
}

func (w watched) Write(p []byte) (int, error) {
	w.note("write %d", len(p))
	return w.stateHash.Write(p)
}

func (w watched) Sum(b []byte) []byte {
	w.note("sum")
	return w.stateHash.Sum(b)
}

func (w watched) AppendBinary(b []byte) ([]byte, error) {
	w.note("save")
	return w.stateHash.AppendBinary(b)
}

func (w watched) UnmarshalBinary(b []byte) error {
	w.note("restore")
	return w.stateHash.UnmarshalBinary(b)
}

// Lucky Thirteen: the work done to open a record must depend on its length and on nothing else,
// whether its padding is long, short or invalid. This counts work rather than time, and is exact:
// each call of the hash, with how many bytes, in order.
func TestOpeningCBCDoesTheSameWorkForEveryPadding(t *testing.T) {
	ran := 0
	for _, m := range []*MAC{HMAC_SHA1, HMAC_SHA256, HMAC_SHA384} {
		var done []string
		w := *m
		w.hash = func() hash.Hash { return watched{m.hash().(stateHash), &done} }
		r := row{AES_128_CBC, &w, false}
		p, ref := r.new(t, iana.TLS12), row{AES_128_CBC, m, false}.reference(iana.TLS12)
		h, iv := Header{Type: iana.RecordApplicationData, Version: iana.TLS12}, pattern(16)
		for _, size := range []int{32, 48, 64, 80, 128, 256, 272, 288, 304, 320, 336, 512, 1024,
			4096} {
			var first []string
			open := func(what string, fragment []byte, valid bool) {
				t.Helper()
				done = done[:0]
				if _, err := p.Open(0, h, fragment); (err == nil) != valid {
					t.Fatalf("%s, %d bytes, %s: %v", m.Name, size, what, err)
				}
				if first == nil {
					first = slices.Clone(done)
				}
				if !slices.Equal(done, first) {
					t.Fatalf("%s, %d bytes, %s: did\n%v, and for the first record of this "+
						"length\n%v", m.Name, size, what, done, first)
				}
				ran++
			}
			for pad := 1; pad <= maxPadding && pad+m.Len <= size; pad++ {
				plain := pattern(size - m.Len - pad)
				open("good", ref.fragment(t, 0, h, iv, plain, padding(pad)), true)
				wrong := padding(pad)
				wrong[0] ^= 0x80
				open("bad padding", ref.fragment(t, 0, h, iv, plain, wrong), false)
				open("bad MAC", ref.fragment(t, 1, h, iv, plain, padding(pad)), false)
			}
			if size > m.Len {
				open("padding longer than the record",
					ref.fragment(t, 0, h, iv, nil, bytes.Repeat([]byte{0xff}, size-m.Len)),
					size-m.Len == 256)
			}
		}
	}
	t.Logf("%d records", ran)
}
