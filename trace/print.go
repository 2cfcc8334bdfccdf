package trace

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Types that hold secrets print themselves, by two methods of one line each: Format, which fmt
// calls for every verb, is Print, and MarshalText, which encoding/json and log/slog call, is Text.
// The package internal/secrecy has the proof that none was forgotten.
//
// A field of type Secret is not enough: where a verb does not fit another field of the same struct,
// fmt prints the struct without calling any methods.

// Print writes v, of any type, as %+v would, with a fingerprint in the place of every run of bytes.
// It is for the method Format of types that hold secrets.
func Print(f fmt.State, v any) { io.WriteString(f, redact(v)) }

// Text returns what Print writes. It is for the method MarshalText of types that hold secrets.
func Text(v any) ([]byte, error) { return []byte(redact(v)), nil }

// The bounds of what is printed of one value.
const (
	maxPrinted = 4 << 10 // bytes, about
	maxNesting = 6
	maxListed  = 8
	maxQuoted  = 64 // bytes of a string
)

// module is the beginning of the paths of our packages: only our types are printed field by field.
var module = strings.TrimSuffix(reflect.TypeFor[Secret]().PkgPath(), "/trace")

func redact(v any) string {
	var p printer
	p.value(reflect.ValueOf(v), 0)
	return p.String()
}

type printer struct{ strings.Builder }

func (p *printer) printf(format string, args ...any) { fmt.Fprintf(&p.Builder, format, args...) }

func (p *printer) value(v reflect.Value, depth int) {
	switch {
	case !v.IsValid():
		p.printf("nil")
	case depth > maxNesting || p.Len() > maxPrinted:
		p.printf("…")
	case isBytes(v.Type()):
		p.bytes(v)
	case !p.named(v):
		p.composite(v, depth)
	}
}

// named prints values of types that print themselves, or that must not be printed field by field.
func (p *printer) named(v reflect.Value) bool {
	t := v.Type()
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case time.Time:
			p.printf("%s", x.Format(time.RFC3339))
			return true
		case fmt.Stringer:
			if t.Kind() != reflect.Pointer && t.Kind() != reflect.Struct &&
				t.Kind() != reflect.Interface {
				p.printf("%s", x.String())
				return true
			}
		}
	}
	if t == reflect.TypeFor[big.Int]() {
		p.printf("a number")
		return true
	}
	if t.Kind() == reflect.Struct && foreign(t.PkgPath()) {
		p.printf("%v", t) // its name only, since nothing is known about its contents
		return true
	}
	return false
}

// foreign reports whether a package belongs to another module. A type without a name has no
// package.
func foreign(pkg string) bool {
	return pkg != "" && pkg != module && !strings.HasPrefix(pkg, module+"/")
}

func (p *printer) composite(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			p.printf("nil")
			return
		}
		if v.Kind() == reflect.Pointer {
			p.WriteByte('&')
		}
		p.value(v.Elem(), depth+1)
	case reflect.Struct:
		p.fields(v, depth)
	case reflect.Slice, reflect.Array:
		p.list(v, depth)
	case reflect.Map:
		p.printf("a map of %d", v.Len())
	case reflect.String:
		s := v.String()
		p.printf("%q", s[:min(len(s), maxQuoted)])
	case reflect.Bool:
		p.printf("%t", v.Bool())
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		p.printf("a %v", v.Kind())
	default: // numbers: fmt prints those of fields that are not exported, too
		p.printf("%v", v)
	}
}

// fields prints a struct without its zero fields, so that the others are easier to find.
func (p *printer) fields(v reflect.Value, depth int) {
	p.printf("%v{", v.Type())
	first := true
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if v.Field(i).IsZero() || strings.HasPrefix(f.Type.PkgPath(), "sync") {
			continue
		}
		if !first {
			p.WriteByte(' ')
		}
		first = false
		p.printf("%s:", f.Name)
		if isBytes(f.Type) && lengthOnly(f) {
			p.printf("%d bytes", v.Field(i).Len())
			continue
		}
		p.value(v.Field(i), depth+1)
	}
	p.WriteByte('}')
}

// lengthOnly reports whether a field may hold plaintext, whose hash would reveal short or guessable
// contents: buffers are unexported fields.
func lengthOnly(f reflect.StructField) bool {
	return !f.IsExported() || slices.Contains([]string{"Plaintext", "Body"}, f.Name)
}

func (p *printer) list(v reflect.Value, depth int) {
	p.WriteByte('[')
	for i := range min(v.Len(), maxListed) {
		if i > 0 {
			p.WriteByte(' ')
		}
		p.value(v.Index(i), depth+1)
	}
	if more := v.Len() - maxListed; more > 0 {
		p.printf(" and %d more", more)
	}
	p.WriteByte(']')
}

func isBytes(t reflect.Type) bool {
	return (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) &&
		t.Elem().Kind() == reflect.Uint8
}

func (p *printer) bytes(v reflect.Value) {
	b := make([]byte, v.Len())
	for i := range b {
		b[i] = byte(v.Index(i).Uint()) // reflect.Copy refuses fields that are not exported
	}
	if v.Type() == reflect.TypeFor[Hex]() && len(b) <= maxQuoted {
		p.WriteString(hex.EncodeToString(b))
		return
	}
	if v.Type() == reflect.TypeFor[Secret]() {
		p.WriteString(Secret(b).String())
		return
	}
	if len(b) == 0 {
		p.WriteString("0 bytes")
		return
	}
	sum := sha256.Sum256(b)
	p.printf("%d bytes, sha256 %x…", len(b), sum[:4])
}
