package explain

import "github.com/vitrine-tls/vitrine/trace"

// Rung is a line of the ladder with the events behind it. A pointer is nil if no side logged such
// an event.
type Rung struct {
	Line
	Message  *trace.Message // of handshake lines: as its sender saw it
	Received *trace.Message // as the other side saw it
	Record   *trace.Record  // the record in which it begins, as its sender saw it
	Opened   *trace.Record  // the same as the other side saw it
}

// Rungs returns the lines that Ladder returns, with their events.
func Rungs(entries []trace.Entry) []Rung {
	var rungs []Rung
	lines, _ := buildLadder(entries)
	for _, s := range lines {
		rungs = append(rungs, Rung{s.Line, s.Message, s.Received, s.Record, s.Opened})
	}
	return rungs
}
