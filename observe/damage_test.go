package observe_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/observe"
)

// segment is a run of bytes that one side sent.
type segment struct {
	from iana.Side
	b    []byte
}

// tape keeps the segments of a stream.
type tape []segment

func (t *tape) Bytes(from iana.Side, _ time.Time, b []byte) {
	*t = append(*t, segment{from, bytes.Clone(b)})
}
func (t *tape) Gap(iana.Side, int64) {}
func (t *tape) End()                 {}

// observed has the result of observing a tape.
type observed struct {
	plain [2][]byte
	*observe.Report
}

// play lets an observer read a tape. damage changes a segment: if it returns fewer bytes, the rest
// is missing.
func play(t *tape, source observe.Source, damage func(i int, b []byte) []byte) observed {
	return playEnded(t, source, damage, nil)
}

// playEnded is play of a connection whose packets tell how it ended.
func playEnded(t *tape, source observe.Source, damage func(i int, b []byte) []byte,
	by *capture.Facts) observed {
	var h observed
	s := observe.Stream{Facts: by}
	s.New = func() *observe.Connection {
		c := observe.New(source, nil)
		c.Data = func(from iana.Side, b []byte) { h.plain[from] = append(h.plain[from], b...) }
		return c
	}
	for i, x := range *t {
		b := x.b
		if damage != nil {
			b = damage(i, bytes.Clone(b))
		}
		if len(b) > 0 {
			s.Bytes(x.from, b)
		}
		if n := len(x.b) - len(b); n > 0 {
			s.Gap(x.from, int64(n))
		}
	}
	s.End()
	h.Report = s.Report()
	return h
}

// recorded returns the first stream of a capture of the index, and the source that opens it.
func recorded(t testing.TB, id string) (*tape, observe.Source) {
	t.Helper()
	for _, c := range index(t) {
		if c.ID != id {
			continue
		}
		return stream(t, c, c.Streams[0].Stream), c.source(t, c.Secrets, nil)
	}
	t.Skipf("%s is not in the index", id)
	return nil, nil
}

// stream gives one stream of a case.
func stream(t testing.TB, c indexed, number int) *tape {
	all := &tape{}
	eachStream(t, filepath.Join(c.dir, c.File), func(about *capture.Connection) capture.Handler {
		if about.Stream == number {
			return all
		}
		return nil
	})
	return all
}

// One segment after the other is missing. What is read must be right, nothing but what had to be
// lost is lost, and the reason is given.
func TestAMissingSegmentCostsWhatItHolds(t *testing.T) {
	plays, handshakes, bridged := 0, 0, 0
	for _, id := range []string{"snet/tls_ECDHE-RSA-AES256-GCM-SHA384", "snet/tls_AES256-SHA256",
		"generated/ossl-tls12-bulk-chacha", "snet/TLS1_ECDHE-RSA-AES128-SHA",
		"generated/ossl-tls13-padded-records", "generated/gnutls-tls13-recordsize",
		"snet/TLS1_3_TLS_AES_128_CCM_SHA256", "snet/ssl3_0", "zeek/tls-1.2-stream-keylog"} {
		all, source := recorded(t, id)
		whole := play(all, source, nil)
		if !whole.Decrypted {
			t.Fatalf("%s: %v", id, whole.Reason)
		}
		data := false // the handshake is over
		for gone := range *all {
			before := play(cut(all, gone), source, nil)
			data = before.Done
			h := play(all, source, func(i int, b []byte) []byte {
				if i == gone {
					return nil
				}
				return b
			})
			plays++
			lost := 0
			for side := range h.plain {
				if !within(h.plain[side], whole.plain[side]) {
					t.Errorf("%s without segment %d: the %v's data is wrong", id, gone,
						iana.Side(side))
				}
				lost += len(whole.plain[side]) - len(h.plain[side])
			}
			x := (*all)[gone]
			if h.Flows[0].Missing+h.Flows[1].Missing != int64(len(x.b)) && h.Reason != nil &&
				h.Reason.Code != observe.HandshakeNotCaptured {
				t.Errorf("%s without segment %d: %d bytes are said to be missing, expected %d", id,
					gone, h.Flows[0].Missing+h.Flows[1].Missing, len(x.b))
			}
			if h.Reason == nil && (h.Flows[0].Missing+h.Flows[1].Missing) > 0 {
				t.Errorf("%s without segment %d: no reason", id, gone)
			}
			if h.Reason == nil && lost == 0 && len(x.b) > 0 &&
				h.Flows[0].Missing+h.Flows[1].Missing == 0 {
				continue // what was not even begun is not missed
			}
			if !data {
				handshakes++
				if h.Suite == 0 { // a hello
					continue
				}
				bridged++
			}
			if h.Reason == nil || h.Reason.Code != observe.BytesMissing ||
				lost > len(x.b)+2*(1<<14) {
				t.Errorf("%s without segment %d of %d bytes, %d bytes are lost: %v", id, gone,
					len(x.b), lost, h.Reason)
			}
		}
	}
	t.Logf("%d plays, in %d of them the handshake has the hole, which is bridged in %d", plays,
		handshakes, bridged)
}

func cut(t *tape, n int) *tape { c := (*t)[:n]; return &c }

// within reports whether got is whole without one run of bytes.
func within(got, whole []byte) bool {
	n := 0
	for n < len(got) && got[n] == whole[n] {
		n++
	}
	return bytes.HasSuffix(whole, got[n:])
}

// Every record after the handshake is altered in one place: its bytes must not be passed on, and
// all others must be.
func TestAnAlteredRecordIsLeftOut(t *testing.T) {
	plays := 0
	for _, id := range []string{"snet/tls_ECDHE-RSA-AES256-GCM-SHA384", "snet/tls_AES256-SHA256",
		"generated/ossl-tls12-ipv6-dhe-chacha", "snet/tls_DHE-RSA-AES128-CCM",
		"snet/TLS1_3_TLS_AES_128_GCM_SHA256", "snet/TLS1_1_ECDHE-RSA-AES128-SHA"} {
		all, source := recorded(t, id)
		whole := play(all, source, nil)
		for at := range *all {
			if x := (*all)[at]; x.b[0] != byte(iana.RecordApplicationData) ||
				!play(cut(all, at), source, nil).Done {
				continue
			}
			h := play(all, source, func(i int, b []byte) []byte {
				if i == at {
					b[len(b)-1] ^= 1
				}
				return b
			})
			plays++
			lost := 0
			for side := range h.plain {
				if !within(h.plain[side], whole.plain[side]) {
					t.Errorf("%s, segment %d: the %v's data is wrong", id, at, iana.Side(side))
				}
				lost += len(whole.plain[side]) - len(h.plain[side])
			}
			if h.Reason == nil || h.Reason.Code != observe.RecordAuthenticationFailed ||
				h.Flows[0].Refused+h.Flows[1].Refused != 1 {
				t.Errorf("%s, segment %d: %v", id, at, h.Reason)
			}
			if lost == 0 && !strings.Contains(fmt.Sprint(whole.Version), "1.3") {
				t.Errorf("%s, segment %d: nothing is lost", id, at)
			}
		}
	}
	if plays == 0 {
		t.Error("no record was altered")
	}
	t.Logf("%d records", plays)
}
