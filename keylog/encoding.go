package keylog

import (
	"bytes"
	"encoding/binary"
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
func otherFile(start []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(start, []byte(m.begins)) {
			return m.name
		}
	}
	return ""
}

// An encoding is that of a text. UTF-8 has no order.
type encoding struct {
	name  string // "UTF-16 without a byte order mark"
	mark  int    // bytes of the byte order mark
	order binary.ByteOrder
}

// encodingOf returns the encoding of a text from its first 8 bytes.
func encodingOf(start []byte) encoding {
	switch {
	case bytes.HasPrefix(start, []byte{0xEF, 0xBB, 0xBF}):
		return encoding{"UTF-8 with a byte order mark", 3, nil}
	case bytes.HasPrefix(start, []byte{0xFF, 0xFE}):
		return encoding{"UTF-16", 2, binary.LittleEndian}
	case bytes.HasPrefix(start, []byte{0xFE, 0xFF}):
		return encoding{"UTF-16", 2, binary.BigEndian}
	case wide(start, 1): // a key log is ASCII only
		return encoding{"UTF-16 without a byte order mark", 0, binary.LittleEndian}
	case wide(start, 0):
		return encoding{"UTF-16 without a byte order mark", 0, binary.BigEndian}
	}
	return encoding{name: "UTF-8"}
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

// appendUTF8 appends a text in UTF-8, and returns what of it is left: half of a character. Invalid
// UTF-16 becomes the replacement character, which no line of a key log contains.
func (e encoding) appendUTF8(dst, text []byte) (all, left []byte) {
	if e.order == nil {
		return append(dst, text...), nil
	}
	units := make([]uint16, 0, len(text)/2)
	for ; len(text) > 1; text = text[2:] {
		units = append(units, e.order.Uint16(text))
	}
	for _, c := range utf16.Decode(units) {
		dst = utf8.AppendRune(dst, c)
	}
	return dst, text
}
