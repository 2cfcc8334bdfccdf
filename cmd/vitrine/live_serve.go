package main

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/internal/front"
	"github.com/vitrine-tls/vitrine/internal/live"
)

// liveVisit is a connection of serve in the live view.
type liveVisit struct {
	*live.Conn
	conn  net.Conn
	other atomic.Pointer[serviceLeg] // of a proxy
	// unserved says why its service failed, if it did.
	unserved atomic.Pointer[string]
}

// legs says which connection to a service ends with this one.
func (l *liveVisit) legs(s serviceLeg) { l.other.Store(&s) }

// visit adds a connection that was accepted.
func (v *liveView) visit(c net.Conn) *liveVisit {
	return &liveVisit{conn: c, Conn: v.hub.Open(live.Row{Start: time.Now(),
		Client: c.RemoteAddr().String(), Server: c.LocalAddr().String()})}
}

// report says how the handshake of a connection went.
func (v *liveView) report(f front.Visit, line visit) {
	took := func(r *live.Row) {
		r.Handshake = float64(f.Took.Microseconds()) / 1000
		r.EarlyData, r.EarlyWhy = line.Early, line.EarlyWhy
		if f.Err != nil {
			r.Reason, r.Why, r.Cause = reasonOf(f), line.Error, line.Cause
		}
	}
	visitor := visitorOf(f.Conn)
	switch {
	case visitor == nil || visitor.live == nil: // it was refused at the door
		v.hub.Open(live.Row{Start: f.At, Client: f.Remote.String()}).End(true, took)
	case f.Err != nil:
		visitor.live.End(true, took)
	default:
		visitor.live.Set(took)
	}
}

// reasonOf returns the code of a failure. It is empty if an alert was sent: then that is the code.
func reasonOf(v front.Visit) string {
	for _, known := range []struct {
		err  error
		code string
	}{{front.ErrFull, "no_room"}, {front.ErrShare, "address_share"}, {front.ErrRoom, "sent_away"}} {
		if errors.Is(v.Err, known.err) {
			return known.code
		}
	}
	f, ok := diagnose.Of(v.Err)
	if !ok {
		f = &diagnose.Failure{}
	}
	if _, foreign := diagnose.NotTLS(v.First); foreign && !v.Plain {
		return "not_tls"
	}
	switch {
	case v.Plain:
		return "plain_http"
	case len(v.First) == 0 && left(v.Err):
		return "left_without_a_word"
	case f.Received != nil || f.Sent != nil:
		return ""
	case f.Gone == diagnose.Closed:
		return "closed_in_handshake"
	case f.Gone == diagnose.Reset:
		return "reset_in_handshake"
	case f.Gone == diagnose.Silent:
		return "timeout_in_handshake"
	}
	return ""
}

// end says that a connection has ended, and how its socket did if TLS does not say it.
func (l *liveVisit) end() {
	if other := l.other.Load(); other != nil {
		other.End(false, nil)
	}
	if why := l.unserved.Load(); why != nil {
		l.End(true, func(r *live.Row) { r.Reason, r.Why = "service_failed", *why })
		return
	}
	how, said := front.HowItEnded(l.conn), l.SaidGoodbye()
	l.End(false, func(r *live.Row) {
		switch {
		case how == front.Idle:
			r.Reason, r.Why = "idle", "nothing passed for as long as --idle-timeout allows"
		case how == front.Reset && !said:
			r.Reason, r.Why = "reset", "the client reset the connection, and data may be missing "+
				"at the end"
		}
	})
}
