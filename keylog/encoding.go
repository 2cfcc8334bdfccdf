package keylog

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// magics are how files begin that are taken for key logs by mistake.
var magics = []struct{ begins, name string }{
	{"\x1F\x8B", "compressed with gzip, which is not read: unpack it first (gunzip)"},
	{"\xFD7zXZ", "compressed with xz, which is not read: unpack it first (unxz)"},
	{"\x28\xB5\x2F\xFD", "compressed with zstd, which is not read: unpack it first (unzstd)"},
	{"PK\x03\x04", "a zip archive, which is not read: unpack it first (unzip)"},
	{"\xD4\xC3\xB2\xA1", aCapture}, {"\xA1\xB2\xC3\xD4", aCapture},
	{"\x4D\x3C\xB2\xA1", aCapture}, {"\xA1\xB2\x3C\x4D", aCapture},
	{"\x0A\x0D\x0D\x0A", aCapture},
	{"\xFF\xFE\x00\x00", "UTF-32, which is not read: convert it to UTF-8"},
	{"\x00\x00\xFE\xFF", "UTF-32, which is not read: convert it to UTF-8"},
}

const aCapture = "a capture of packets, not a key log"

// otherFile returns what a file is that is not a key log, or "".
func otherFile(r *bufio.Reader) string {
	start, _ := r.Peek(6)
	for _, m := range magics {
		if bytes.HasPrefix(start, []byte(m.begins)) {
			return m.name
		}
	}
	return ""
}

// decoded returns a reader that converts a text to UTF-8 without a byte order mark, and the name of
// the text's encoding.
func decoded(b *bufio.Reader) (io.Reader, string) {
	start, _ := b.Peek(8)
	switch {
	case bytes.HasPrefix(start, []byte{0xEF, 0xBB, 0xBF}):
		b.Discard(3)
		return b, "UTF-8 with a byte order mark"
	case bytes.HasPrefix(start, []byte{0xFF, 0xFE}):
		b.Discard(2)
		return &utf16Reader{r: b, order: binary.LittleEndian}, "UTF-16"
	case bytes.HasPrefix(start, []byte{0xFE, 0xFF}):
		b.Discard(2)
		return &utf16Reader{r: b, order: binary.BigEndian}, "UTF-16"
	case wide(start, 1): // a key log is ASCII only
		return &utf16Reader{r: b, order: binary.LittleEndian}, "UTF-16 without a byte order mark"
	case wide(start, 0):
		return &utf16Reader{r: b, order: binary.BigEndian}, "UTF-16 without a byte order mark"
	}
	return b, "UTF-8"
}

// wide reports whether every other byte is zero, beginning with the first or the second, and no
// other.
func wide(b []byte, zero int) bool {
	for i, c := range b {
		if (i%2 == zero) != (c == 0) {
			return false
		}
	}
	return len(b) > 1
}

// utf16Reader reads UTF-16 as UTF-8. Invalid UTF-16 becomes the replacement character, which no
// line of a key log contains.
type utf16Reader struct {
	r     io.Reader
	order binary.ByteOrder
	text  []byte // not read yet
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.text) == 0 {
		var block [1024]byte
		n, err := io.ReadFull(u.r, block[:])
		if n < 2 && err != nil {
			return 0, io.EOF
		}
		var units []uint16
		for i := 0; i+1 < n; i += 2 {
			units = append(units, u.order.Uint16(block[i:]))
		}
		for _, c := range utf16.Decode(units) {
			u.text = utf8.AppendRune(u.text, c)
		}
	}
	n := copy(p, u.text)
	u.text = u.text[n:]
	return n, nil
}
