package playground

import (
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// guards counts the verdicts of a sweep of the records in the clear, and returns the bytes that
// nobody protects.
func guards(t *testing.T, s Setup) (kinds map[alert.Kind]int, open []Place) {
	t.Helper()
	list, err := Sweep(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	kinds = map[alert.Kind]int{}
	for _, g := range list {
		v := &g.Verdict
		switch v.Outcome {
		case Caught:
			kinds[v.Kind]++
			if v.Section == "" || v.Check == "" || v.Why == "" {
				t.Errorf("byte %d of record %d of the %v: %+v", g.Offset, g.Record, g.Side, v)
			}
		case Undetected:
			open = append(open, Place{Side: g.Side, Record: g.Record, Offset: g.Offset, Len: 1})
			if len(v.Changes) != 1 {
				t.Errorf(
					"byte %d of record %d of the %v: %q",
					g.Offset,
					g.Record,
					g.Side,
					v.Changes,
				)
			}
		case Stalled: // a length that became greater
		default:
			t.Errorf("byte %d of record %d of the %v: %s", g.Offset, g.Record, g.Side, v.Outcome)
		}
	}
	if len(list) < 500 {
		t.Errorf("only %d bytes", len(list))
	}
	return kinds, open
}

// RFC 5246 §6.2.1 and appendix E.1: the minor version of each side's first record is protected by
// nobody; every other byte by a check, which cites a section. With extended_master_secret what
// Finished would notice makes other keys.
func TestTwoBytesAreProtectedByNobody(t *testing.T) {
	if testing.Short() {
		t.Skip("with -short: two thousand runs")
	}
	nobody := []Place{{iana.Client, 1, 2, 1}, {iana.Server, 1, 2, 1}}
	plain, open := guards(t, Setup{})
	if !slices.Equal(open, nobody) {
		t.Errorf("open: %v", open)
	}
	bound, open := guards(t, Setup{ExtendedMasterSecret: true})
	if !slices.Equal(open, nobody) {
		t.Errorf("open with EMS: %v", open)
	}
	moved := plain[alert.KindFinished]
	if moved < 20 || bound[alert.KindFinished] != 0 ||
		bound[alert.KindRecord] < plain[alert.KindRecord]+moved {
		t.Errorf("Finished %d and %d, records %d and %d", moved, bound[alert.KindFinished],
			plain[alert.KindRecord], bound[alert.KindRecord])
	}
}

// What a side refuses is an event before its alert, with the bytes that arrived.
func TestEveryCaughtActLeavesAnEvent(t *testing.T) {
	for _, s := range []Setup{{}, {Version: "1.3"}} {
		whole := run(t, s)
		for _, of := range whole.Records {
			for at := 0; at < len(of.Sent); at += 7 {
				r := run(t, s, Act{Kind: Flip, Side: of.Side, Record: of.Number, Offset: at})
				if r.Verdict.Outcome != Caught {
					continue
				}
				e := r.firstFailure()
				f := e.Event.(*trace.Failed)
				x := r.Records[max(r.Verdict.Index-1, 0)]
				if f.Check != alert.KindTruncated && (r.Verdict.Index == 0 ||
					string(x.Got[:len(f.Record)]) != string(f.Record)) {
					t.Errorf("byte %d of record %d of the %v: %+v", at, of.Number, of.Side, f)
				}
			}
		}
	}
}
