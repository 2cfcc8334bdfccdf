package engine

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/trace"
)

// traced connects two engines and keeps the events of both.
func traced(t *testing.T) (engines [2]*Engine, events [2]*trace.Memory) {
	events = [2]*trace.Memory{{}, {}}
	engines, _ = connectBy(t, func(me iana.Side) *negotiation.Config {
		c := config(me)
		c.Log = trace.New(trace.Role(me.String()), events[me], nil)
		return c
	})
	return engines, events
}

// Records and messages have the same number at both sides, and those that arrived say in which
// record they began.
func TestRecordsAndMessagesAreNumbered(t *testing.T) {
	_, events := traced(t)
	type key struct {
		from   iana.Side
		number uint64
	}
	records, messages := map[key]string{}, map[key]string{}
	compared := 0
	for me, memory := range events {
		for _, e := range memory.Entries {
			var at key
			var list map[key]string
			var bytes string
			switch x := e.Event.(type) {
			case *trace.Record:
				at, list, bytes = key{x.From, x.Number}, records, string(x.Fragment)
			case *trace.Message:
				at, list, bytes = key{x.From, x.Number}, messages, string(x.Raw)
				if received := int(x.From) != me; received != (x.Record > 0) {
					t.Errorf("%v: a %v of record %d", iana.Side(me), x.Type, x.Record)
				}
			default:
				continue
			}
			if other, ok := list[at]; ok {
				if compared++; other != bytes {
					t.Errorf(
						"number %d of the %v is not the same at both sides",
						at.number,
						at.from,
					)
				}
			}
			if list[at] = bytes; at.number == 0 {
				t.Errorf("%T without a number", e.Event)
			}
		}
	}
	if compared < 12 {
		t.Errorf("compared %d", compared)
	}
}

// What is refused is an event, with the record as it arrived, before the alert; once.
func TestAFailureIsAnEvent(t *testing.T) {
	engines, events := traced(t)
	if err := engines[0].Seal([]byte("one bit of this is flipped")); err != nil {
		t.Fatal(err)
	}
	b := sealed(engines[0])
	b[len(b)-1] ^= 1
	server := engines[1]
	arrive(server, bytes.Clone(b))
	_, err := server.Read(make([]byte, 100))
	server.Abort(err)
	server.Abort(err)
	if _, _, err := server.SealReplies(); err != nil {
		t.Fatal(err)
	}
	var list []trace.Entry
	for _, e := range events[1].Entries {
		switch e.Event.(type) {
		case *trace.Failed, *trace.Alert:
			list = append(list, e)
		}
	}
	if len(list) != 2 {
		t.Fatalf("%d events of a failure and its alert", len(list))
	}
	f, ok := list[0].Event.(*trace.Failed)
	if !ok || f.Check != alert.KindRecord || f.Alert != alert.BadRecordMAC ||
		f.From != iana.Client || f.Number != 5 || !bytes.Equal(f.Record, b) ||
		list[0].Ref != "RFC 5246 §6.2.3.3" || f.Fields != "fragment" || f.Reason == "" {
		t.Errorf("%q %+v", list[0].Ref, list[0].Event)
	}
}

// RFC 5246 §7.2.1: the end of the stream is only that of the data behind close_notify.
func TestTheEndWithoutCloseNotifyIsTruncation(t *testing.T) {
	for _, told := range []bool{true, false} {
		engines, events := traced(t)
		server := engines[1]
		if told {
			if err := engines[0].SealAlert(alert.Warning, alert.CloseNotify, ""); err != nil {
				t.Fatal(err)
			}
			arrive(server, sealed(engines[0]))
			if _, err := server.Read(make([]byte, 1)); err != io.EOF {
				t.Fatal(err)
			}
		}
		err := server.Ended()
		_, truncated := errors.AsType[*TruncatedError](err)
		if truncated == told || told && err != io.EOF {
			t.Errorf("told %v: %v", told, err)
		}
		failed := 0
		for _, e := range events[1].Entries {
			if f, ok := e.Event.(*trace.Failed); ok && f.Check == alert.KindTruncated {
				failed++
			}
		}
		if (failed == 1) == told {
			t.Errorf("told %v: %d events of a failure", told, failed)
		}
	}
}
