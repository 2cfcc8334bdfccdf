package main

import (
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/observe"
	"github.com/vitrine-tls/vitrine/trace"
)

// look opens the live view of a capture that goes on, if it is wanted.
func (d *decryption) look() (stop func(), err error) {
	if d.view, err = d.live.open(d.cmd, d.artefacts.reveal); err != nil {
		return nil, err
	}
	where := "decrypt -i " + d.netif
	if d.follow != "" {
		where = "decrypt -f " + d.follow
	}
	if stop, err = d.view.serve(d.cmd, &d.live, where); err == nil {
		d.view.announce(d.cmd.ErrOrStderr())
	}
	return stop, err
}

// sinks passes events on to several.
type sinks []trace.Sink

// Put passes e on.
func (s sinks) Put(e trace.Entry) {
	for _, sink := range s {
		sink.Put(e)
	}
}

// watchedLive is a connection of a capture in the live view.
type watchedLive struct {
	*live.Conn
	start time.Time
}

// Put keeps e.
func (l *watchedLive) Put(e trace.Entry) {
	if l == nil {
		return
	}
	e.Time = time.Now()
	l.Conn.Put(e)
}

// watch adds a connection, whose TLS begins.
func (v *liveView) watch(w *observe.Watched) *watchedLive {
	start := w.Start
	if start.IsZero() {
		start = time.Now()
	}
	l := &watchedLive{v.hub.Open(live.Row{Start: start, Client: w.Client.String(),
		Server: w.Server.String()}), start}
	l.Watched()
	return l
}

// progress says what is known once the handshake is done, or as far as it can be read.
func (l *watchedLive) progress(r *observe.Report) {
	l.Set(func(row *live.Row) { setReported(row, r) })
}

// done says how a connection ended or, if not all of it was read, why.
func (l *watchedLive) done(r *observe.Report) {
	failed := r.Reason != nil && brokenCodes[r.Reason.Code]
	l.End(failed, func(row *live.Row) {
		setReported(row, r)
		if r.Reason != nil {
			row.Reason, row.Why, row.Cause = string(r.Reason.Code), r.Reason.Detail, r.Reason.Remedy
		}
	})
}

// brokenCodes are those of connections that failed, and not only the reading of them.
var brokenCodes = map[observe.Code]bool{observe.HandshakeFailed: true,
	observe.MalformedHandshake: true, observe.RecordAuthenticationFailed: true}

func setReported(row *live.Row, r *observe.Report) {
	if r.Version != 0 {
		row.Version = r.Version.String()
	}
	if r.Suite != 0 {
		row.Suite = r.Suite.String()
	}
	for _, f := range []struct{ to, from *string }{{&row.Group, &r.Group}, {&row.ALPN, &r.ALPN},
		{&row.Name, &r.ServerName}} {
		if *f.from != "" {
			*f.to = *f.from
		}
	}
	row.Resumed = r.Resumed
	row.Received.Data, row.Sent.Data = r.Flows[iana.Client].Bytes, r.Flows[iana.Server].Bytes
}
