package explain

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Ending is how a connection ended, as far as the events of one side, or of both, can tell.
type Ending struct {
	Handshake Progress
	// Goodbye tells of each side whether it sent close_notify, as it or its peer saw it.
	Goodbye [2]bool
	// Cut says that a side saw the stream end without its peer's close_notify.
	Cut bool
	// Partial says that there may be alerts which the events do not have.
	Partial bool
	// Fatal is the first fatal alert, from whichever side, or empty.
	Fatal string
}

// Progress is how far a handshake came.
type Progress uint8

// How far it came.
const (
	Unfinished Progress = iota // no side saw its end
	Failed                     // a side saw it fail
	Finished                   // every side with events saw its end
)

// Truncated reports whether data may be missing at the end, since nobody sent close_notify, or a
// side missed that of its peer. See RFC 5246 §7.2.1 and RFC 8446 §6.1.
func (e *Ending) Truncated() bool { return e.Cut || e.Goodbye == [2]bool{} && !e.Partial }

// ended returns how the connection ended.
func (t *teller) ended() Ending {
	e := Ending{Handshake: t.progress()}
	for _, v := range []*view{t.client, t.server} {
		e.Partial = e.Partial || v.partial
		e.Cut = e.Cut || v.failed != nil && v.failed.Check == alert.KindTruncated
		for side, alerts := range v.alerts {
			for _, a := range alerts {
				switch {
				case a.Description == alert.CloseNotify:
					e.Goodbye[side] = true
				case a.Level == alert.Fatal && e.Fatal == "":
					e.Fatal = iana.Side(side).String() + " sent " + a.Description.String()
				}
			}
		}
	}
	return e
}

// progress returns how far the handshake came. A side that saw its end may still fail later, in
// the data.
func (t *teller) progress() Progress {
	here, done := 0, 0
	for _, v := range []*view{t.client, t.server} {
		if !v.here {
			continue
		}
		here++
		switch {
		case v.done != nil && v.done.OK:
			done++
		case v.done != nil || v.failed != nil:
			return Failed
		}
	}
	if here == 0 || done < here {
		return Unfinished
	}
	return Finished
}
