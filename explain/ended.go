package explain

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
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
