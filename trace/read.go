package trace

import (
	"bufio"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxLine bounds a line, in bytes: the longest handshake message has 16 MiB, in hex twice that.
const maxLine = 64 << 20

// Read reads what a Writer wrote. Errors name the line and the field. A stream of another schema is
// rejected. Fields that this version does not know are ignored, and events that it does not know
// are returned as *Unknown. A redacted secret is returned empty.
func Read(r io.Reader) ([]Entry, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	var entries []Entry
	n := 0
	for lines.Scan() {
		n++
		var fields fields
		if err := json.Unmarshal(lines.Bytes(), &fields); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, noObject(lines.Bytes(), err))
		}
		if n == 1 {
			if err := checkSchema(fields); err != nil {
				return nil, fmt.Errorf("line 1: %w", err)
			}
			continue
		}
		e, err := readEntry(fields)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		entries = append(entries, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", n+1, err)
	}
	if n == 0 {
		return nil, errors.New("line 1: the stream is empty; it must begin with " +
			`{"event":"schema","version":1}`)
	}
	return entries, nil
}

// noObject returns the error for a line that is not JSON, or that ends too early.
func noObject(line []byte, err error) error {
	if _, syntax := errors.AsType[*json.SyntaxError](err); syntax && len(line) > 0 &&
		err.Error() == "unexpected end of JSON input" {
		return errors.New("it ends in the middle of an event: the file was cut off here")
	}
	return fmt.Errorf("not a JSON object: %w", err)
}

type fields map[string]json.RawMessage

// take reads field name into v and removes it from f. An absent field leaves v alone.
func (f fields) take(name string, v any) error {
	raw, ok := f[name]
	if !ok {
		return nil
	}
	delete(f, name)
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("field %q: %w", name, err)
	}
	return nil
}

func checkSchema(f fields) error {
	var event string
	var version int
	if err := errors.Join(f.take("event", &event), f.take("version", &version)); err != nil {
		return err
	}
	if event != "schema" {
		return fmt.Errorf(`field "event": got %q, expected "schema": `+
			"this is not an event stream of Vitrine", event)
	}
	if version != Schema {
		return fmt.Errorf(`field "version": got schema version %d, this Vitrine reads version %d`,
			version, Schema)
	}
	return nil
}

func readEntry(f fields) (e Entry, err error) {
	var event string
	var at time.Time
	err = errors.Join(f.take("event", &event), f.take("seq", &e.Seq), f.take("role", &e.Role),
		f.take("ref", &e.Ref), f.take("time", &at))
	if err != nil {
		return e, err
	}
	if event == "" {
		return e, errors.New(`field "event" is missing`)
	}
	e.Time = at
	make, known := events[event]
	if !known {
		u := &Unknown{Event: event}
		for _, name := range slices.Sorted(maps.Keys(f)) {
			u.Fields = append(u.Fields, Field{name, f[name]})
		}
		e.Event = u
		return e, nil
	}
	e.Event = make()
	return e, readFields(f, reflect.ValueOf(e.Event).Elem())
}

// events makes an empty event of each name.
var events = map[string]func() Event{
	"message":        func() Event { return new(Message) },
	"choice":         func() Event { return new(Choice) },
	"agreed":         func() Event { return new(Agreed) },
	"ephemeral":      func() Event { return new(Ephemeral) },
	"throwaway_key":  func() Event { return new(ThrowawayKey) },
	"shared_secret":  func() Event { return new(SharedSecret) },
	"derived":        func() Event { return new(Derived) },
	"given":          func() Event { return new(Given) },
	"keys_installed": func() Event { return new(KeysInstalled) },
	"record":         func() Event { return new(Record) },
	"verified":       func() Event { return new(Verified) },
	"signed":         func() Event { return new(Signed) },
	"alert":          func() Event { return new(Alert) },
	"failed":         func() Event { return new(Failed) },
	"delivery":       func() Event { return new(Delivery) },
	"done":           func() Event { return new(Done) },
	"notice":         func() Event { return new(Notice) },
}

func readFields(f fields, v reflect.Value) error {
	for field, value := range v.Fields() {
		if field.Anonymous {
			if err := readFields(f, value); err != nil {
				return err
			}
			continue
		}
		name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
		raw, ok := f[name]
		if !ok && option == "omitempty" {
			continue
		}
		if !ok {
			return fmt.Errorf("field %q is missing", name)
		}
		if err := readValue(raw, value); err != nil {
			return fmt.Errorf("field %q: %w", name, err)
		}
	}
	return nil
}

func readValue(raw json.RawMessage, v reflect.Value) error {
	_, named := v.Interface().(fmt.Stringer)
	_, text := v.Addr().Interface().(encoding.TextUnmarshaler)
	if !named || text {
		return json.Unmarshal(raw, v.Addr().Interface())
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return err
	}
	n, err := codePoint(name, v.Type())
	v.SetUint(n)
	return err
}

// names holds, for each type of code point, the numbers by name, computed on first use.
var names sync.Map // reflect.Type → map[string]uint64

// codePoint returns the number for which the String method of t returns name.
func codePoint(name string, t reflect.Type) (uint64, error) {
	if digits, ok := strings.CutPrefix(name, "0x"); ok {
		return strconv.ParseUint(digits, 16, t.Bits())
	}
	numbers, ok := names.Load(t)
	if !ok {
		numbers, _ = names.LoadOrStore(t, numbersByName(t))
	}
	n, ok := numbers.(map[string]uint64)[name]
	if !ok {
		return 0, fmt.Errorf("%q is not a value of %s", name, t.Name())
	}
	return n, nil
}

func numbersByName(t reflect.Type) map[string]uint64 {
	numbers := map[string]uint64{}
	v := reflect.New(t).Elem()
	for n := uint64(0); n <= math.MaxUint16>>(16-t.Bits()); n++ {
		v.SetUint(n)
		name := v.Interface().(fmt.Stringer).String()
		if _, taken := numbers[name]; !taken && !strings.HasPrefix(name, "0x") {
			numbers[name] = n
		}
	}
	return numbers
}
