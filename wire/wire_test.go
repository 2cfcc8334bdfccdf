package wire_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/wire"
)

// colour is an enum that prints as a code point does.
type colour uint16

func (c colour) String() string {
	if c == 1 {
		return "red"
	}
	return fmt.Sprintf("0x%04X", uint16(c))
}

// sample has a field of each kind.
type sample struct {
	Byte    uint8
	Colour  colour
	Long    uint32
	Fixed   [3]byte
	Short   []byte
	Medium  []byte
	Large   []byte
	Name    []byte
	Title   []byte
	Small   []uint8
	Colours []colour
	Pairs   []pair
	Signed  []byte // set by Span
	Inner   []byte
	Tail    []byte
}

type pair struct {
	A uint8
	B []byte
}

func (s *sample) layout(c *wire.Codec) {
	wire.Uint8(c, "byte", &s.Byte)
	wire.Uint16(c, "colour", &s.Colour)
	wire.Uint32(c, "long", &s.Long)
	wire.Fixed(c, "fixed", s.Fixed[:])
	wire.Opaque8(c, "short", &s.Short, 0, 4)
	wire.Opaque16(c, "medium", &s.Medium, 1, 1<<16-1)
	wire.Span(c, &s.Signed, func(c *wire.Codec) {
		wire.Opaque24(c, "large", &s.Large, 0, 1<<24-1)
		wire.Text8(c, "name", &s.Name, 0, 255)
	})
	wire.Text16(c, "title", &s.Title, 0, 1<<16-1)
	wire.Vector8(c, "small", &s.Small, 0, 255,
		func(c *wire.Codec, v *uint8) { wire.Uint8(c, "item", v) })
	wire.Vector16(c, "colours", &s.Colours, 0, 4,
		func(c *wire.Codec, v *colour) { wire.Uint16(c, "item", v) })
	wire.Vector24(c, "pairs", &s.Pairs, 0, 1<<24-1, func(c *wire.Codec, p *pair) {
		wire.Struct(c, "pair", func(c *wire.Codec) {
			wire.Uint8(c, "a", &p.A)
			wire.Opaque8(c, "b", &p.B, 0, 255)
		})
	})
	wire.Inner(c, "inner", &s.Inner, 0, 1<<16-1, func(c *wire.Codec) {
		var n uint16
		wire.Uint16(c, "inside", &n)
	})
	if c.Tail(s.Tail != nil) {
		wire.Length24(c, "end", func(c *wire.Codec) { wire.Rest(c, "tail", &s.Tail) })
	}
}

var full = sample{
	Byte: 7, Colour: 1, Long: 0xFFFFFFFF, Fixed: [3]byte{1, 2, 3}, Short: []byte{4},
	Medium: []byte{5, 6}, Large: []byte{7, 8, 9},
	Name: []byte("a"), Title: []byte("b\n"), Small: []uint8{1, 2}, Colours: []colour{1, 2},
	Pairs: []pair{{1, []byte{2}}, {3, []byte{}}},
	Inner: []byte{0, 9}, Tail: []byte{10},
}

const fullBytes = "07 0001 ffffffff 010203 01 04 0002 0506 000003 070809 01 61 0002 620a 02 01 " +
	"02 0004 0001 0002" +
	"000005 01 01 02 03 00 0002 0009 000001 0a"

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLayoutEncodesAndDecodesTheSame(t *testing.T) {
	in := full
	got, err := wire.Encode("sample", in.layout)
	if err != nil {
		t.Fatal(err)
	}
	raw := unhex(t, fullBytes)
	if !bytes.Equal(got, raw) {
		t.Fatalf("got %x, expected %x", got, raw)
	}
	if want := unhex(t, "000003 070809 01 61"); !bytes.Equal(in.Signed, want) {
		t.Errorf("written, the span is %x, expected %x", in.Signed, want)
	}
	var out sample
	if err := wire.Decode(raw, "sample", out.layout); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, out) {
		t.Errorf("got %+v, expected %+v", out, in)
	}
	if &out.Medium[0] != &raw[14] {
		t.Error("an opaque field is a copy, expected a slice of the input")
	}
	if cap(out.Short) != len(out.Short) {
		t.Error("appending to a field would write over the next")
	}
}

// fullFields are the fields of fullBytes: depth, offset and length, name, and the value of leaves.
const fullFields = `
0 0+53 sample
1 0+1 byte = 7
1 1+2 colour = red (0x0001)
1 3+4 long = 4294967295
1 7+3 fixed =
1 10+2 short
2 10+1 length = 1
2 11+1 short =
1 12+4 medium
2 12+2 length = 2
2 14+2 medium =
1 16+6 large
2 16+3 length = 3
2 19+3 large =
1 22+2 name
2 22+1 length = 1
2 23+1 name = "a"
1 24+4 title
2 24+2 length = 2
2 26+2 title = "b\n"
1 28+3 small
2 28+1 length = 2
2 29+1 item = 1
2 30+1 item = 2
1 31+6 colours
2 31+2 length = 4
2 33+2 item = red (0x0001)
2 35+2 item = 0x0002
1 37+8 pairs
2 37+3 length = 5
2 40+3 pair
3 40+1 a = 1
3 41+2 b
4 41+1 length = 1
4 42+1 b =
2 43+2 pair
3 43+1 a = 3
3 44+1 b
4 44+1 length = 0
1 45+4 inner
2 45+2 length = 2
2 47+2 inside = 9
1 49+4 end
2 49+3 length = 1
2 52+1 tail =
`

func TestAnnotateCoversEveryByte(t *testing.T) {
	got := wire.Annotate(unhex(t, fullBytes), "sample", new(sample).layout)
	want := strings.Split(strings.Trim(fullFields, "\n"), "\n")
	var lines []string
	for _, f := range got {
		line := fmt.Sprintf("%d %d+%d %s", f.Depth, f.Offset, f.Len, f.Name)
		if f.Leaf {
			line = strings.TrimRight(line+" = "+f.Value, " ")
		}
		lines = append(lines, line)
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nexpected\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestErrorsNameFieldAndOffset(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "s.byte, byte 0: got 0 bytes, expected 1",
		"07 00":                 "s.colour, byte 1: got 1 bytes, expected 2",
		"07 0001 000000":        "s.long, byte 3: got 3 bytes, expected 4",
		"07 0001 00000000 0102": "s.fixed, byte 7: got 2 bytes, expected 3",
		"07 0001 00000000 010203 05 " +
			"0102030405": "s.short, byte 10: got a length of 5, expected 0 to 4",
		"07 0001 00000000 010203 " +
			"02 01": "s.short, byte 10: got a length of 2, expected at most the 1 bytes " +
			"that are left",
		"07 0001 00000000 010203 " +
			"00 0000": "s.medium, byte 11: got a length of 0, expected 1 to 65535",
		"07 0001 00000000 010203 " +
			"00 0001": "s.medium, byte 11: got a length of 1, expected at most the 0 " +
			"bytes that are left",
		"07 0001 00000000 010203 00 " +
			"000109 0000": "s.large.length, byte 14: got 2 bytes, expected 3",
		fullBytes + "00": "s, byte 53: got 1 bytes more, expected the end",
	} {
		raw := unhex(t, in)
		if err := wire.Decode(raw, "s", new(sample).layout); err == nil || err.Error() != want {
			t.Errorf("%s:\ngot      %v\nexpected %s", in, err, want)
		}
		fields := wire.Annotate(raw, "s", new(sample).layout)
		if last := fields[len(fields)-1]; last.Name != "unparsed" || last.Value != want {
			t.Errorf("%s: the annotation says %+v", in, last)
		}
	}
}

// Content of an Inner field that does not fit its layout fails neither Decode nor Encode. Annotate
// marks it as unparsed and continues after it.
func TestMalformedInnerContentIsNoError(t *testing.T) {
	for _, content := range []string{"", "01", "010203"} {
		in := full
		in.Inner = unhex(t, content)
		raw, err := wire.Encode("sample", in.layout)
		if err != nil {
			t.Fatal(err)
		}
		var out sample
		if err := wire.Decode(raw, "sample", out.layout); err != nil ||
			!reflect.DeepEqual(in, out) {
			t.Errorf("%q: %v", content, err)
		}
		broken := false
		fields := wire.Annotate(raw, "sample", new(sample).layout)
		for _, f := range fields {
			broken = broken || f.Name == "unparsed"
		}
		if last := fields[len(fields)-1]; !broken || last.Name != "tail" {
			t.Errorf("%q: %+v", content, fields)
		}
	}
}

func TestFirstErrorIsKept(t *testing.T) {
	var ran bool
	err := wire.Decode([]byte{1, 2}, "s", func(c *wire.Codec) {
		c.Failf("first")
		c.Failf("second")
		var v uint8
		wire.Uint8(c, "v", &v)
		wire.Struct(c, "part", func(*wire.Codec) { ran = true })
		if v != 0 || c.More() || c.Tail(true) {
			t.Error("reading went on after an error")
		}
	})
	if want := "s, byte 0: first"; err == nil || err.Error() != want || ran {
		t.Errorf("got %v, expected %s", err, want)
	}
}

// A list whose elements are empty ends at maxElements.
func TestListOfEmptyElementsEnds(t *testing.T) {
	var list []struct{}
	err := wire.Decode([]byte{1, 0}, "s", func(c *wire.Codec) {
		wire.Vector8(c, "list", &list, 0, 255, func(*wire.Codec, *struct{}) {})
	})
	if want := "s.list, byte 1: got more elements, expected at most 65535"; err == nil ||
		err.Error() != want {
		t.Errorf("got %v, expected %s", err, want)
	}
}

// What could not be read is not written.
func TestListOfTooManyElementsIsNotWritten(t *testing.T) {
	for n, want := range map[int]string{65535: "",
		65536: "s.list, byte 0: got 65536 elements, expected at most 65535"} {
		list := make([]struct{}, n)
		_, err := wire.Encode("s", func(c *wire.Codec) {
			wire.Vector24(c, "list", &list, 0, 255, func(*wire.Codec, *struct{}) {})
		})
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && got != want {
			t.Errorf("%d elements: got %v, expected %q", n, err, want)
		}
	}
}

// twice reads lists of both kinds, of small elements, and writes them again. Sums must be even.
func twice(t *testing.T, raw []byte) {
	var numbers []uint16
	var items []uint8
	layout := func(c *wire.Codec) {
		wire.Uint16s(c, "numbers", "number", &numbers, 0, 1<<16-1)
		wire.Vector24(c, "items", &items, 0, 1<<24-1, func(c *wire.Codec, v *uint8) {
			wire.Uint8(c, "item", v)
			if *v%2 != 0 {
				c.Failf("got %d, expected an even number", *v)
			}
		})
	}
	if wire.Decode(raw, "twice", layout) != nil {
		if c, err := wire.Encode("twice", layout); err == nil && bytes.Equal(c, raw) {
			t.Fatalf("%x is refused, and written", raw)
		}
		return
	}
	again, err := wire.Encode("twice", layout)
	if err != nil || !bytes.Equal(again, raw) {
		t.Fatalf("%x was written again as %x, %v", raw, again, err)
	}
	items = append(items, 1)
	if _, err := wire.Encode("twice", layout); err == nil {
		t.Fatal("an odd number is written")
	}
}

func FuzzCodec(f *testing.F) {
	f.Add(unhex(f, fullBytes))
	for _, spoilt := range testkit.Spoil(unhex(f, fullBytes), 300) {
		f.Add(spoilt)
	}
	f.Add([]byte{})
	f.Add(append([]byte{0, 6, 1, 2, 3, 4, 5, 6, 1, 0x11, 0x70}, make([]byte, 70000)...))
	f.Add([]byte{0, 2, 1, 2, 0, 0, 2, 5, 5})
	f.Add([]byte{0, 3, 1, 2, 3, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		twice(t, raw)
		at := 0
		for _, x := range wire.Annotate(raw, "s", new(sample).layout) {
			if x.Offset != at || x.Leaf && x.Len <= 0 && x.Name != "unparsed" ||
				x.Offset+x.Len > len(raw) {
				t.Fatalf("a gap or an overlap at %d: %+v", at, x)
			}
			if x.Leaf {
				at += x.Len
			}
		}
		if at != len(raw) {
			t.Fatalf("the leaves end at %d of %d", at, len(raw))
		}
		var s sample
		if wire.Decode(raw, "s", s.layout) != nil {
			return
		}
		if again, err := wire.Encode("s", s.layout); err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("%x was written again as %x, %v", raw, again, err)
		}
	})
}

// Uint16s accepts and rejects the same bytes as Vector16 with Uint16, with the same errors.
func TestUint16sEqualsVector16OfUint16(t *testing.T) {
	for _, in := range []string{"", "00", "0000", "0001", "000101", "00020102", "000400010203",
		"00030001ff", "0002010203", "0006000100020003"} {
		b, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		var fast, slow []colour
		fastLayout := func(c *wire.Codec) { wire.Uint16s(c, "colours", "item", &fast, 0, 4) }
		slowLayout := func(c *wire.Codec) {
			wire.Vector16(c, "colours", &slow, 0, 4,
				func(c *wire.Codec, v *colour) { wire.Uint16(c, "item", v) })
		}
		got, want := wire.Decode(b, "s", fastLayout), wire.Decode(b, "s", slowLayout)
		if fmt.Sprint(got) != fmt.Sprint(want) || !slices.Equal(fast, slow) ||
			(fast == nil) != (slow == nil) {
			t.Errorf("%s: got %v, %v, expected %v, %v", in, fast, got, slow, want)
		}
		if f, s := wire.Annotate(b, "s", fastLayout),
			wire.Annotate(b, "s", slowLayout); !reflect.DeepEqual(f, s) {
			t.Errorf("%s: annotated as %v, expected %v", in, f, s)
		}
		again, err := wire.Encode("s", fastLayout)
		if want == nil && (err != nil || !bytes.Equal(again, b)) {
			t.Errorf("%s: encoded as %x, %v", in, again, err)
		}
	}
}

func TestASetHasWhatWasAdded(t *testing.T) {
	for _, n := range []int{0, 1, 24, 25, 1000} { // on both sides of where it turns into bits
		var s wire.Set[uint16]
		for i := range n {
			if v := uint16(i * 65); s.Has(v) || !s.Add(v) || !s.Has(v) || s.Add(v) {
				t.Errorf("%d of %d: it is there too early, or not, or twice", i, n)
			}
		}
		for i := range n {
			if !s.Has(uint16(i*65)) || s.Has(uint16(i*65+1)) {
				t.Errorf("%d of %d: it is not there, or its neighbour is", i, n)
			}
		}
	}
}
