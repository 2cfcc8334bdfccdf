package demo

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/playground"
	"github.com/vitrine-tls/vitrine/trace"
)

// middle is somebody between the two sides, who performs acts.
type middle struct {
	tampers []Tamper
	acts    []playground.Act
	finders []finder // of acts on a field
}

// newMiddle returns somebody who does what the tampers say. It finds the places of lines and fields
// in the records of reference, a run that nobody altered.
func newMiddle(tampers []Tamper, reference *Outcome) (*middle, error) {
	m := &middle{tampers: slices.Clone(tampers)}
	rungs := explain.Rungs(reference.Entries)
	for i := range m.tampers {
		t := &m.tampers[i]
		if t.Act.Kind == "" {
			t.Act.Kind = playground.Flip
		}
		find, err := t.locate(rungs, reference.Entries)
		if err != nil {
			return nil, err
		}
		m.acts, m.finders = append(m.acts, t.Act), append(m.finders, find)
	}
	return m, playground.Check(m.acts)
}

// locate sets the record of t, and returns the finder of its field, or nil if it has none.
func (t *Tamper) locate(rungs []explain.Rung, entries []trace.Entry) (finder, error) {
	index := 0 // of the message in its record
	if t.Line != 0 || t.Act.Record == 0 {
		if t.Line < 1 || t.Line > len(rungs) {
			return nil, &UsageError{fmt.Sprintf("%d: the ladder of this run has no such line",
				t.Line), []string{fmt.Sprintf("1 to %d", len(rungs))}, fmt.Sprint(len(rungs))}
		}
		line := &rungs[t.Line-1]
		t.Act.Side, t.Act.Record = line.From, line.Place.Record+1
		index = line.Place.Message
	}
	r := sealedRecord(entries, t.Act.Side, t.Act.Record-1)
	if r == nil {
		n := sealed(entries, t.Act.Side)
		last := fmt.Sprintf("%v%d", t.Act.Side, n)
		return nil, &UsageError{fmt.Sprintf("the %v sends no record %d in this run", t.Act.Side,
			t.Act.Record), []string{fmt.Sprintf("%v1 to %s", t.Act.Side, last)},
			string(playground.Drop) + ":" + last}
	}
	size := len(r.Header) + len(r.Fragment)
	switch {
	case t.At && t.Act.Offset >= size:
		return nil, &UsageError{fmt.Sprintf("%s: the record has %d bytes", t.name(fmt.Sprint(
			t.Act.Offset)), size), []string{fmt.Sprintf("offsets 0 to %d", size-1)},
			t.name(fmt.Sprint(size - 1))}
	case t.At || !places(t.Act.Kind):
		return nil, nil
	case t.Line == 0 && t.Field == "" || t.Act.Kind == playground.Cut && t.Field == "":
		t.Act.Offset = size - 1
		return nil, nil
	case r.Protection != "":
		return inProtected(r, index, t)
	}
	return inClear(r, index, t, dialect(entries))
}

// sealed returns how many records a side has sent.
func sealed(entries []trace.Entry, from iana.Side) (n int) {
	for sealedRecord(entries, from, n) != nil {
		n++
	}
	return n
}

// passing sets the offset of an act on a field: the field lies where it lies in this record.
func (m *middle) passing(i int, record []byte) {
	if m.finders[i] == nil {
		return
	}
	p, err := m.finders[i](record)
	if a := &m.acts[i]; err != nil {
		a.Offset = len(record) // nowhere
	} else if a.Offset = p.first; a.Kind == playground.Flip {
		a.Offset = p.flipped
	}
}

// report returns what was done, with the lines of the run on which it was.
func (m *middle) report(link *playground.Link, entries []trace.Entry) *explain.Tampered {
	report := &explain.Tampered{}
	rungs := explain.Rungs(entries)
	for i := range m.acts {
		t, a := &m.tampers[i], &m.acts[i]
		act := explain.Act{Field: t.Field, Idle: link.Idle(i)}
		act.Line = lineOf(rungs, a, t)
		if act.How = "nothing: " + act.Idle; act.Idle == "" {
			act.How = "somebody in between " + how(a, t, sentRecord(link, a))
			act.Unnoticed = unnoticed(link, a, dialect(entries).Version)
		}
		report.Acts = append(report.Acts, act)
	}
	return report
}

// fates are what becomes of a record by an act of each kind.
var fates = map[playground.Kind]playground.Fate{
	playground.Flip: playground.Changed, playground.Set: playground.Changed,
	playground.Drop: playground.Dropped, playground.Duplicate: playground.Duplicated,
	playground.Swap: playground.Moved, playground.Replay: playground.Replayed,
	playground.Inject: playground.Forged,
}

// unnoticed returns why neither side could notice an act, or an empty string.
func unnoticed(link *playground.Link, a *playground.Act, version iana.Version) (why string) {
	for _, r := range link.Records() {
		number := a.Record
		if a.Kind == playground.Inject {
			number = 0
		}
		if r.Side != a.Side || r.Number != number || r.Fate != fates[a.Kind] {
			continue
		}
		if why = r.Unnoticed(version); why == "" {
			return ""
		}
	}
	return why
}

// lineOf returns the line that an act is on, or 0 if there is none.
func lineOf(rungs []explain.Rung, a *playground.Act, t *Tamper) (line int) {
	for _, r := range rungs {
		if r.From != a.Side || r.Place.Record != a.Record-1 {
			continue
		}
		if line == 0 || r.Number == t.Line {
			line = r.Number
		}
	}
	return line
}

// sentRecord returns what was sent as the record of an act.
func sentRecord(link *playground.Link, a *playground.Act) []byte {
	for _, r := range link.Records() {
		if r.Side == a.Side && r.Number == a.Record && r.Sent != nil {
			return r.Sent
		}
	}
	return nil
}

// how says what an act did to the record that was sent.
func how(a *playground.Act, t *Tamper, sent []byte) string {
	what := ""
	if t.Field != "" {
		what = " (" + t.Field + ")"
	}
	number := fmt.Sprintf("record %d of the %v", a.Record, a.Side)
	switch a.Kind {
	case playground.Flip:
		mask, few := max(a.Mask, 1), "one bit"
		if n := bits.OnesCount8(mask); n > 1 {
			few = fmt.Sprintf("%d bits", n)
		}
		was := sent[a.Offset]
		return fmt.Sprintf("flipped %s of byte %d of the record's %d%s: %02x became %02x", few,
			a.Offset, len(sent), what, was, was^mask)
	case playground.Set:
		end := min(a.Offset+len(a.Data), len(sent))
		return fmt.Sprintf("set %d bytes from byte %d of the record's %d%s: %s became %s",
			end-a.Offset, a.Offset, len(sent), what, some(sent[a.Offset:end]),
			some(a.Data[:end-a.Offset]))
	case playground.Drop:
		return "took " + number + " off the wire"
	case playground.Duplicate:
		return "let " + number + " arrive twice"
	case playground.Swap:
		return "held " + number + " back, behind the next one"
	case playground.Replay:
		if a.At == 0 {
			return "let " + number + " arrive again, behind all others"
		}
		return fmt.Sprintf("let %s arrive again, behind record %d", number, a.At)
	case playground.Inject:
		return fmt.Sprintf("sent %d bytes in the %v's name, before its record %d: %s", len(a.Data),
			a.Side, a.Record, some(a.Data))
	}
	return fmt.Sprintf("cut the %v's stream inside its record %d, behind %d of %d bytes", a.Side,
		a.Record, min(a.Offset, len(sent)), len(sent))
}

// some returns the beginning of bytes in hex.
func some(b []byte) string {
	const most = 16
	if len(b) > most {
		return fmt.Sprintf("%x…", b[:most])
	}
	return fmt.Sprintf("%x", b)
}
