package keylog

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// decoded returns a reader of a text as UTF-8, without a byte order mark, and what it was.
func decoded(r io.Reader) (io.Reader, string) {
	b := bufio.NewReader(r)
	start, _ := b.Peek(3)
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
	case len(start) > 1 && start[0] != 0 && start[1] == 0: // all that a key log has is ASCII
		return &utf16Reader{r: b, order: binary.LittleEndian}, "UTF-16 without a byte order mark"
	case len(start) > 1 && start[0] == 0 && start[1] != 0:
		return &utf16Reader{r: b, order: binary.BigEndian}, "UTF-16 without a byte order mark"
	}
	return b, "UTF-8"
}

// utf16Reader reads UTF-16 as UTF-8. What is no UTF-16 becomes the replacement character, which is
// in no line of a key log.
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
