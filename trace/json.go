package trace

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf16"
)

// Schema is the version of the JSON lines. It changes when the meaning of a name does; a new event
// or a new field does not change it.
const Schema = 1

// A Writer is a Sink that writes JSON lines: first {"event":"schema","version":1}, then one event a
// line. An event has "event", "seq", "role", "ref" if a section applies, "time" if the Log has a
// clock, and then its fields in the order of events.go. Bytes are lower-case hex, code points the
// names in their registries.
//
// Several Logs may share a Writer. Its seq counts the lines that it wrote, from 1.
type Writer struct {
	reveal bool

	mu   sync.Mutex
	w    io.Writer
	seq  int
	line []byte
	err  error
}

// An Option changes what a Writer shows.
type Option func(*Writer)

// Reveal makes a Writer show secrets and plaintext. Without it a secret is shown as a fingerprint,
// and a record's plaintext as a length: a hash would reveal a short or guessable plaintext.
func Reveal() Option { return func(w *Writer) { w.reveal = true } }

// NewWriter writes the schema line to w and returns a Sink for the rest. Each event is one call of
// w.Write.
func NewWriter(w io.Writer, options ...Option) *Writer {
	j := &Writer{w: w}
	for _, o := range options {
		o(j)
	}
	_, j.err = fmt.Fprintf(w, `{"event":"schema","version":%d}`+"\n", Schema)
	return j
}

// Err returns the first error of a write. After it nothing more is written.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Put writes one line.
func (w *Writer) Put(e Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return
	}
	w.seq++
	e.Seq = w.seq
	w.line = w.appendEntry(w.line[:0], e)
	_, w.err = w.w.Write(w.line)
}

func (w *Writer) appendEntry(b []byte, e Entry) []byte {
	b = appendString(append(b, `{"event":`...), e.Name())
	b = strconv.AppendInt(append(b, `,"seq":`...), int64(e.Seq), 10)
	b = appendString(append(b, `,"role":`...), string(e.Role))
	if e.Ref != "" {
		b = appendString(append(b, `,"ref":`...), e.Ref)
	}
	if !e.Time.IsZero() {
		b = appendString(append(b, `,"time":`...), e.Time.UTC().Format(time.RFC3339Nano))
	}
	if u, ok := e.Event.(*Unknown); ok {
		for _, f := range u.Fields {
			b = EscapeJSON(append(appendString(append(b, ','), f.Name), ':'), f.Value)
		}
	} else {
		b = w.appendFields(b, reflect.ValueOf(e.Event).Elem())
	}
	return append(b, '}', '\n')
}

func (w *Writer) appendFields(b []byte, v reflect.Value) []byte {
	for f, value := range v.Fields() {
		if f.Anonymous {
			b = w.appendFields(b, value)
			continue
		}
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if option == "omitempty" &&
			(value.IsZero() || value.Kind() == reflect.Slice && value.Len() == 0) {
			continue
		}
		b = append(appendString(append(b, ','), name), ':')
		b = w.appendValue(b, value, name)
	}
	return b
}

func (w *Writer) appendValue(b []byte, v reflect.Value, name string) []byte {
	switch x := v.Interface().(type) {
	case Secret:
		return w.appendSecret(b, x, name)
	case Hex:
		return append(hex.AppendEncode(append(b, '"'), x), '"')
	case fmt.Stringer:
		return appendString(b, x.String())
	}
	switch v.Kind() {
	case reflect.String:
		return appendString(b, v.String())
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	default: // the fields of events.go have no other kind: a test writes and reads each
		return strconv.AppendUint(b, v.Uint(), 10)
	}
}

func (w *Writer) appendSecret(b []byte, s Secret, name string) []byte {
	switch {
	case w.reveal:
		return append(hex.AppendEncode(append(b, '"'), s), '"')
	case name == "plaintext" && len(s) > 0:
		return appendString(b, fmt.Sprintf("%s%d bytes", redactedPrefix, len(s)))
	default:
		return appendString(b, s.String())
	}
}

// appendString appends a JSON string that is safe to show on a terminal and in a page, whatever a
// peer put into it: everything not printable is escaped, and so is what HTML could interpret as
// markup.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		if r == '"' || r == '\\' {
			b = append(b, '\\')
		}
		b = appendRune(b, r)
	}
	return append(b, '"')
}

// appendRune appends a character of a JSON string, escaped if it is not printable or HTML could
// interpret it as markup.
func appendRune(b []byte, r rune) []byte {
	switch {
	case unicode.IsPrint(r) && !strings.ContainsRune("<>&", r):
		return append(b, string(r)...)
	case r > 0xFFFF:
		hi, lo := utf16.EncodeRune(r)
		return fmt.Appendf(b, `\u%04x\u%04x`, hi, lo)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}

// EscapeJSON appends one JSON value to dst in a form that is safe to show on a terminal and in a
// page, whatever a peer put into it: without space between tokens, and with everything escaped that
// is not printable, including C1 and bidirectional controls, or that HTML could interpret as
// markup. It appends null if value is not JSON.
func EscapeJSON(dst, value []byte) []byte {
	var compact bytes.Buffer
	if json.Compact(&compact, value) != nil {
		return append(dst, "null"...)
	}
	for _, r := range compact.String() { // what is escaped below occurs within strings only
		dst = appendRune(dst, r)
	}
	return dst
}

// Unknown is an event of a later version of Vitrine, kept as it is, so that reading and writing
// lose nothing.
type Unknown struct {
	Event  string
	Fields []Field
}

// Field is one field of an Unknown event.
type Field struct {
	Name  string
	Value json.RawMessage
}

func (u *Unknown) event() string { return u.Event }
