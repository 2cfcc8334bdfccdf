package playground

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// changes says what became different in a run in which nobody noticed: on the wire, in what was
// negotiated, and in the data.
func (r *Result) changes() (list []string) {
	more := 0
	for i := range r.Records {
		all := r.changed(&r.Records[i])
		why := r.Records[i].Unnoticed(r.agreed(iana.Server).Version)
		if last := len(all) - 1; last >= 0 && why != "" {
			all[last] += ", but " + why
		}
		few := min(len(all), mostChanges-len(list))
		list, more = append(list, all[:few]...), more+len(all)-few
	}
	if more > 0 {
		list = append(list, fmt.Sprintf("and %d more changes on the wire", more))
	}
	whole, err := Run(r.Setup, nil)
	if err != nil {
		return list
	}
	for _, side := range []iana.Side{iana.Client, iana.Server} {
		if a, b := whole.agreed(side), r.agreed(side); a != b {
			list = append(list, fmt.Sprintf("the %v negotiates otherwise", side))
		}
		if a, b := &whole.Ends[side], &r.Ends[side]; a.Received != b.Received {
			list = append(list, fmt.Sprintf("the %v has read %s in place of %s", side,
				quoted(b.Received), quoted(a.Received)))
		}
	}
	if r.Again != nil && r.Again.Ends[iana.Server].Early != "" {
		list = append(list, fmt.Sprintf("the server has read %s in another connection, too",
			quoted(r.Again.Ends[iana.Server].Early)))
	}
	return list
}

// Bounds of what a sentence says: of changes on the wire, and of the bytes of each.
const (
	mostChanges = 6
	mostBytes   = 80
)

// quoted returns text in quotation marks, and its beginning if it is long.
func quoted(s string) string {
	if len(s) <= mostBytes {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q… (%d bytes)", s[:mostBytes], len(s))
}

// inHex returns bytes in hex, and the first of them if there are many.
func inHex(b trace.Hex) string {
	if len(b) <= mostBytes {
		return b.String()
	}
	return fmt.Sprintf("%v… (%d bytes)", b[:mostBytes], len(b))
}

// changed says what became different of one record.
func (r *Result) changed(of *Record) (list []string) {
	name := fmt.Sprintf("record %d of the %v", of.Number, of.Side)
	if of.Fate != Changed {
		switch of.Fate {
		case Delivered:
		case Forged:
			article := "a"
			if strings.ContainsAny(of.TypeName[:1], "aeiou") {
				article = "an"
			}
			what := "read"
			if of.Unread {
				what = "been sent"
			}
			list = append(list, fmt.Sprintf("the %v has %s %s %s that the %v never sent",
				of.Side.Peer(), what, article, of.TypeName, of.Side))
		default:
			list = append(list, fmt.Sprintf("%s: %s", name, of.Fate))
		}
		return list
	}
	if len(of.Got) != len(of.Sent) {
		return []string{fmt.Sprintf("%s arrived with %d of %d bytes", name, len(of.Got),
			len(of.Sent))}
	}
	for _, f := range r.Fields(of) {
		end := f.Offset + f.Len
		if f.Leaf && !bytes.Equal(of.Sent[f.Offset:end], of.Got[f.Offset:end]) {
			list = append(list, fmt.Sprintf("%s: %s became %s, it was %s", name, f.Name,
				inHex(of.Got[f.Offset:end]), inHex(of.Sent[f.Offset:end])))
		}
	}
	return list
}

// tampered returns what was done, for the glass, or nil.
func (r *Result) tampered() *explain.Tampered {
	t := &explain.Tampered{Stall: r.Verdict.Outcome == Stalled}
	for i := range r.Records {
		of := &r.Records[i]
		if of.Fate == Delivered {
			continue
		}
		a := explain.Act{How: fmt.Sprintf("record %d of the %v: %s", of.Number, of.Side, of.Fate)}
		if list := r.changed(of); len(list) > 0 {
			a.How = strings.Join(list, "; ")
		}
		if len(of.Carries) > 0 && of.Sent != nil {
			a.Line = of.Carries[0].Step
		}
		t.Acts = append(t.Acts, a)
	}
	if len(t.Acts) == 0 {
		return nil
	}
	return t
}

// agreed returns what a side has negotiated.
func (r *Result) agreed(side iana.Side) trace.Agreed {
	for _, e := range r.Entries {
		if a, ok := e.Event.(*trace.Agreed); ok && e.Role == trace.Role(side.String()) {
			return *a
		}
	}
	return trace.Agreed{}
}
