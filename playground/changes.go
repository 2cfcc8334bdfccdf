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
	for i := range r.Records {
		list = append(list, r.changed(&r.Records[i])...)
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
			list = append(list, fmt.Sprintf("the %v has read %q in place of %q", side, b.Received,
				a.Received))
		}
	}
	if r.Again != nil && r.Again.Ends[iana.Server].Early != "" {
		list = append(list, fmt.Sprintf("the server has read %q in another connection, too",
			r.Again.Ends[iana.Server].Early))
	}
	return list
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
			list = append(list, fmt.Sprintf("the %v has read %s %s that the %v never sent",
				of.Side.Peer(), article, of.TypeName, of.Side))
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
			list = append(list, fmt.Sprintf("%s: %s became %v, it was %v", name, f.Name,
				of.Got[f.Offset:end], of.Sent[f.Offset:end]))
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
