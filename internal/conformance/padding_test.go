package conformance_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/trace"
)

// sealedLengths keeps the lengths of the fragments that each side sealed under TLS 1.3.
type sealedLengths struct {
	mu   sync.Mutex
	seen map[int]int
}

func (l *sealedLengths) Put(e trace.Entry) {
	r, ok := e.Event.(*trace.Record)
	if !ok || r.Direction != trace.Sealed || r.Header[0] != byte(iana.RecordApplicationData) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen = map[int]int{}
	}
	l.seen[len(r.Fragment)]++
}

// Whatever is sent, records are padded to what Config.RecordPadding says and to no more than the
// peer allows, with crypto/tls and with each other. See RFC 8446 §5.4.
func TestRecordsArePadded(t *testing.T) {
	const around = 1 + 16 // the content type and the tag
	for _, c := range []struct {
		what   string
		pad    func(int) int
		limit  int // of the peer, where it is ours
		length func(n int) bool
	}{
		{"multiples of 256", vitrine.PadTo(256), 0,
			func(n int) bool { return n%256 == 0 || n == 16384 }},
		{"multiples of 1", vitrine.PadTo(1), 0, func(n int) bool { return n <= 16384 }},
		{"all alike", vitrine.PadTo(16384), 0, func(n int) bool { return n == 16384 }},
		{"too much", func(n int) int { return n + 1<<20 }, 0,
			func(n int) bool { return n == 16384 }},
		{"less than nothing", func(n int) int { return -n }, 0,
			func(n int) bool { return n <= 16384 }},
		{"multiples of 100, at most 250", vitrine.PadTo(100), 250,
			func(n int) bool { return n == 100 || n == 200 || n == 249 }},
	} {
		var lengths sealedLengths
		edit := func(config *vitrine.Config) {
			config.RecordPadding, config.Trace, config.RecordSizeLimit = c.pad, &lengths, c.limit
		}
		run := func(t *testing.T, ours *vitrine.Conn, peer net.Conn) {
			for _, n := range []int{1, 100, 255, 256, 257, 1000} {
				sent := bytes.Repeat([]byte{byte(n)}, n)
				if _, err := ours.Write(sent); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, n)
				if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got, sent) {
					t.Fatalf("%d bytes: %v", n, err)
				}
			}
			converse(t, ours, peer, 16<<10)
		}
		if c.limit == 0 {
			pairs13(t, run, edit)
		} else {
			client, server := rig.Pair(t, rig.ClientConfig(only13, edit),
				rig.ServerConfig(t, only13, edit))
			lengths.seen = nil // the hellos' flight, before the limit is known
			run(t, client, server)
		}
		for n := range lengths.seen {
			if n = n - around; !c.length(n) {
				t.Errorf("%s: a record with %d bytes of content and padding", c.what, n)
			}
		}
		if len(lengths.seen) == 0 {
			t.Errorf("%s: no record was seen", c.what)
		}
	}
}

// In TLS 1.3 record_size_limit counts the content type and the padding: RFC 8449 §4.
func TestRecordSizeLimitCountsTheContentType(t *testing.T) {
	for _, c := range []struct {
		limits [2]int // by whose extension it is
		most   [2]int // content, by sender
	}{
		{[2]int{64, 16384}, [2]int{16383, 63}}, {[2]int{1000, 64}, [2]int{63, 999}},
		{[2]int{64, 0}, [2]int{16384, 16384}},
	} {
		var lengths [2]sealedLengths
		client, server := rig.Pair(t, rig.ClientConfig(only13, func(config *vitrine.Config) {
			config.RecordSizeLimit, config.Trace = c.limits[0], &lengths[0]
		}, fullRecords), rig.ServerConfig(t, only13, func(config *vitrine.Config) {
			config.RecordSizeLimit, config.Trace = c.limits[1], &lengths[1]
		}, fullRecords))
		lengths[0].seen, lengths[1].seen = nil, nil
		converse(t, client, server, 64<<10)
		for side := range lengths {
			most := 0
			for n := range lengths[side].seen {
				most = max(most, n-1-16)
			}
			if most != c.most[side] {
				t.Errorf("limits %d: the %v's longest record holds %d bytes, expected %d", c.limits,
					iana.Side(side), most, c.most[side])
			}
		}
	}
}
