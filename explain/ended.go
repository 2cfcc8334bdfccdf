package explain

import (
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// ended returns how the connection ended.
func (t *teller) ended() Ending {
	e := Ending{Handshake: t.progress()}
	if e.Handshake == Unfinished && t.Run.Failed != "" {
		e.Handshake = Failed
	}
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

// comes reports whether the story has a message of this type.
func (t *teller) comes(kind iana.HandshakeType) bool {
	return slices.ContainsFunc(t.lines, func(s *rung) bool { return s.is(kind) })
}

// unchanged returns what the Finished messages of these sides are about: that nobody changed a byte
// of the messages that they cover, or that somebody did, or that nobody knows, since the handshake
// failed before one of them was accepted.
func (t *teller) unchanged(motto, messages string, from ...iana.Side) string {
	covered := len(t.lines)
	for i, s := range t.lines {
		if s.is(iana.Finished) {
			covered = i
		}
	}
	for _, s := range t.lines[:covered] {
		if s.Kind == iana.RecordHandshake &&
			(s.Altered || s.Fate == trace.FateDropped || s.Fate == trace.FateMoved) {
			return fmt.Sprintf("messages %s did not all arrive as they were sent", messages)
		}
	}
	accepted := slices.ContainsFunc(from, func(side iana.Side) bool {
		return t.client.check("finished", side) != nil || t.server.check("finished", side) != nil
	})
	if t.progress() != Finished && !accepted && !t.client.partial && !t.server.partial {
		return "none was accepted: nothing says that no byte was changed"
	}
	return fmt.Sprintf(motto, messages)
}
