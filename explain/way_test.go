package explain

import (
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// A ladder takes time in proportion to its records and messages, also where the receiver has not
// opened all records, so that their numbers are not their places. Whoever sends or injects them
// would otherwise choose how long the story takes.
func TestLadderOfManyRecordsTakesNoSquare(t *testing.T) {
	took := func(n uint64) time.Duration {
		var entries []trace.Entry
		for i := uint64(2); i < n; i++ {
			entries = append(entries,
				trace.Entry{Role: trace.Server, Event: &trace.Record{From: iana.Client, Number: i,
					Direction: trace.Opened, ContentType: iana.RecordApplicationData}},
				trace.Entry{Role: trace.Between, Event: &trace.Delivery{From: iana.Client,
					Fate: trace.FateForged, Arrival: i}})
		}
		start := time.Now()
		if lines := Ladder(entries); len(lines) < int(n)-2 {
			t.Fatalf("%d lines of %d records", len(lines), n)
		}
		return time.Since(start)
	}
	var ratio float64
	for range 8 { // other load may disturb some of them
		if ratio = float64(took(40_000)) / float64(took(4_000)); ratio < 30 {
			return
		}
	}
	t.Errorf("ten times the records take %.0f times as long", ratio)
}
