package demo

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/playground"
)

// Tamper says what somebody in between does: an act, on the record of a line of the printed ladder
// or on one that the act names.
type Tamper struct {
	Line  int    // of the ladder; 0: Act names the record
	Field string // of the line; empty: that is in Act, or is the default field of the message
	// Act is what is done; without a Kind it flips one bit. Line sets its Side and Record, and
	// Field its Offset.
	Act playground.Act
	// At says that Act has the Offset.
	At bool
}

// UsageError reports a Tamper that is none, or does not fit the ladder.
type UsageError struct {
	Problem string
	Choices []string // what there is to choose from
	Example string   // one of them
}

func (e *UsageError) Error() string {
	return e.Problem + "; choose one of " + strings.Join(e.Choices, ", ")
}

// Syntax has an example of each form that ParseTamper takes.
func Syntax() []string {
	return []string{"10", "10:mac", "flip:10:mac:80", "set:2:cipher_suite:c02f", "drop:client3",
		"duplicate:10", "swap:client1", "replay:client2:3", "inject:client1:1503030002010a",
		"cut:server4:20"}
}

// parts says how many parts may follow the record in the text of an act, at least and at most.
var parts = map[playground.Kind][2]int{
	playground.Flip: {0, 2}, playground.Set: {2, 2}, playground.Drop: {0, 0},
	playground.Duplicate: {0, 0}, playground.Swap: {0, 0}, playground.Replay: {0, 1},
	playground.Inject: {1, 1}, playground.Cut: {0, 1},
}

// ParseTamper parses NUMBER[:FIELD], a line of the ladder of which one bit is flipped, or one of
//
//	flip:RECORD[:PLACE[:MASK]]   set:RECORD:PLACE:HEX   drop:RECORD     duplicate:RECORD
//	swap:RECORD                  replay:RECORD[:AT]     inject:RECORD:HEX   cut:RECORD[:PLACE]
//
// RECORD is the number of a line, or a side and the number of its record: "client3". PLACE is an
// offset in the record, its header included, or a field. It returns a *UsageError.
func ParseTamper(text string) (Tamper, error) {
	words := strings.Split(text, ":")
	kind := playground.Kind(words[0])
	t := Tamper{Act: playground.Act{Kind: kind}}
	if _, err := strconv.Atoi(words[0]); err == nil && len(words) <= 2 {
		t.Act.Kind, words = playground.Flip, append([]string{""}, words...)
	}
	bounds, known := parts[t.Act.Kind]
	if more := len(words) - 2; !known || more < bounds[0] || more > bounds[1] {
		return t, malformed("takes a number of the printed ladder, and perhaps a field, or an act "+
			"on a record", text)
	}
	if !t.where(words[1]) {
		return t, malformed(fmt.Sprintf("%.20q is no line and no record", words[1]), text)
	}
	if problem := t.details(words[2:]); problem != "" {
		return t, malformed(problem, text)
	}
	return t, nil
}

func malformed(problem, text string) error {
	return &UsageError{fmt.Sprintf("%s; got %.60q", problem, text), Syntax(), "10:header"}
}

// where sets the line or the record.
func (t *Tamper) where(text string) bool {
	for _, side := range []iana.Side{iana.Client, iana.Server} {
		if number, ok := strings.CutPrefix(text, side.String()); ok {
			n, err := strconv.Atoi(number)
			t.Act.Side, t.Act.Record = side, n
			return err == nil && n > 0
		}
	}
	n, err := strconv.Atoi(text)
	t.Line = n
	return err == nil
}

// details sets what follows the record. It returns what is wrong with that, or an empty string.
func (t *Tamper) details(words []string) (problem string) {
	last := ""
	if len(words) > 0 {
		last = words[len(words)-1]
	}
	switch a := &t.Act; a.Kind {
	case playground.Replay:
		n, err := strconv.Atoi(cmp.Or(last, "0"))
		if a.At = n; err != nil || n < 0 {
			return fmt.Sprintf("%.20q is no number of a record", last)
		}
		return ""
	case playground.Inject, playground.Set:
		b, err := hex.DecodeString(last)
		if a.Data = b; err != nil || len(b) == 0 {
			return fmt.Sprintf("%.20q are no bytes in hex", last)
		}
		words = words[:len(words)-1]
	case playground.Flip:
		if len(words) == 2 {
			mask, err := strconv.ParseUint(last, 16, 8)
			if a.Mask = byte(mask); err != nil || mask == 0 {
				return fmt.Sprintf("%.20q is no mask in hex, 01 to ff", last)
			}
			words = words[:1]
		}
	}
	if len(words) == 0 {
		return ""
	}
	n, err := strconv.Atoi(words[0])
	if err != nil {
		t.Field = words[0]
		return ""
	}
	t.Act.Offset, t.At = n, true
	if n < 0 {
		return fmt.Sprintf("%d is no offset", n)
	}
	return ""
}

// places reports whether the act is on bytes of its record.
func places(k playground.Kind) bool {
	return slices.Contains([]playground.Kind{playground.Flip, playground.Set, playground.Cut}, k)
}

// name returns what the command calls a place of t's record, or the record itself.
func (t *Tamper) name(field string) string {
	name := fmt.Sprint(t.Line)
	if t.Line == 0 {
		name = fmt.Sprintf("%v%d", t.Act.Side, t.Act.Record)
	}
	if t.Act.Kind != playground.Flip || t.Line == 0 {
		name = string(t.Act.Kind) + ":" + name
	}
	if field != "" {
		name += ":" + field
	}
	if t.Act.Kind == playground.Set {
		name += ":" + t.Act.Data.String()
	}
	return name
}
