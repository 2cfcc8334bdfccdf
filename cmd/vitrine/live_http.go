package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/render/html"
	"github.com/vitrine-tls/vitrine/render/liveview"
)

// routes returns the handler of the live view, for a gate to stand before.
func (v *liveView) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", v.list)
	mux.HandleFunc("GET /events", v.follow)
	mux.HandleFunc("GET /rows", v.rows)
	mux.HandleFunc("GET /c/{id}", v.one)
	mux.HandleFunc("GET /compare/{a}/{b}", v.two)
	return mux
}

func (v *liveView) options() liveview.Options {
	return liveview.Options{Where: v.where, Reveal: v.reveal}
}

// list answers with the page, which asks for its rows.
func (v *liveView) list(w http.ResponseWriter, _ *http.Request) {
	var page bytes.Buffer
	if err := liveview.Write(&page, v.options()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	v.send(w, liveview.Policy(), page.Bytes())
}

// pageTime bounds how long a page may take to be sent.
const pageTime = 30 * time.Second

// send answers with a page.
func (v *liveView) send(w http.ResponseWriter, policy string, page []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Write(page)
}

// changesJSON is what the page gets of live.Changes.
type changesJSON struct {
	Whole bool       `json:"whole,omitempty"`
	Rows  []live.Row `json:"rows"`
	Gone  []string   `json:"gone,omitempty"`
	Stats live.Stats `json:"stats"`
}

// encode returns c as one line of JSON, with its line feed, without anything that a peer could have
// meant as markup, or for the eye to be deceived.
func (v *liveView) encode(c live.Changes) []byte {
	for i := range c.Rows {
		r := &c.Rows[i]
		for _, s := range []*string{&r.Name, &r.ALPN, &r.ClientCertificate, &r.Why, &r.Cause} {
			*s = explain.Escape(*s)
		}
		r.How = live.Words(r.Reason)
		if r.Offer != nil {
			r.Offer = r.Offer.Escaped(explain.Escape)
		}
	}
	var line bytes.Buffer
	if err := writeJSON(&line, changesJSON{c.Whole, c.Rows, c.Gone, v.hub.Stats()}); err != nil {
		return []byte("null\n")
	}
	return line.Bytes()
}

// rows answers with all rows as JSON.
func (v *liveView) rows(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(v.encode(v.hub.Changes(0, live.DefaultRows)))
}

// Those who follow get at most rowsAtOnce rows at a time, and not more often than every breath. Who
// does not read for patienceUI is let go: its browser comes again.
const (
	rowsAtOnce = 64
	breath     = 100 * time.Millisecond
	heartbeat  = 15 * time.Second
	patienceUI = 10 * time.Second
)

// follow sends what changes as server-sent events. A browser that comes again says with
// Last-Event-ID what it has, and gets what changed since.
func (v *liveView) follow(w http.ResponseWriter, r *http.Request) {
	select {
	case v.readers <- struct{}{}:
		defer func() { <-v.readers }()
	default:
		http.Error(w, "so many pages follow already", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	since := v.since(r.Header.Get("Last-Event-ID"))
	out := http.NewResponseController(w)
	say := func(format string, args ...any) bool {
		out.SetWriteDeadline(time.Now().Add(v.patience))
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil && out.Flush() == nil
	}
	for ok := say("retry: 1000\n\n"); ok; {
		c := v.hub.Changes(since, rowsAtOnce)
		since = c.Last
		if c.Any() || c.Whole {
			ok = say("id: %s.%d\nevent: change\ndata: %s\n", v.hub.Name(), since, v.encode(c))
		}
		if c.More {
			continue
		}
		ctx, cancel := context.WithTimeout(r.Context(), heartbeat)
		err := v.hub.Wait(ctx, since)
		cancel()
		switch {
		case r.Context().Err() != nil:
			return
		case err != nil:
			ok = say(": still here\n\n")
		default:
			time.Sleep(breath)
		}
	}
}

// since returns the change that a Last-Event-ID names, or 0 if it is none of this run.
func (v *liveView) since(id string) uint64 {
	name, n, _ := strings.Cut(id, ".")
	since, err := strconv.ParseUint(n, 10, 64)
	if err != nil || name != v.hub.Name() {
		return 0
	}
	return since
}

// exports are what a connection is given out as, by the end of its path.
var exports = []struct {
	end, kind string
	secret    bool // it makes no sense without secrets
	write     func(w io.Writer, c connection, reveal bool) error
}{
	{".json", "application/jsonl", false, writeEvents},
	{".pcapng", "application/octet-stream", false, writePcap},
	{".keys", "text/plain; charset=utf-8", true,
		func(w io.Writer, c connection, _ bool) error { return writeKeyLog(w, c) }},
}

// one answers with the page of a connection, or with one of the exports.
func (v *liveView) one(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	for _, x := range exports {
		name, found := strings.CutSuffix(id, x.end)
		if !found {
			continue
		}
		row, c, ok := v.find(w, name)
		if !ok {
			return
		}
		if x.secret && !v.reveal {
			http.Error(w, "secrets are not given out: "+v.command+" --reveal does",
				http.StatusForbidden)
			return
		}
		var b bytes.Buffer
		if err := x.write(&b, c, v.reveal); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", x.kind)
		w.Header().Set("Content-Disposition", `attachment; filename="`+row.ID+x.end+`"`)
		w.Write(b.Bytes())
		return
	}
	row, c, ok := v.find(w, id)
	if !ok {
		return
	}
	defer v.turn()()
	run, err := v.run(row, c)
	if err == nil {
		err = untellable(c.entries)
	}
	if err != nil {
		v.bare(w, row, err)
		return
	}
	v.page(w, html.Options{Lead: leadOf(row)}, run)
}

// two answers with a page of two connections side by side.
func (v *liveView) two(w http.ResponseWriter, r *http.Request) {
	defer v.turn()()
	var runs []html.Run
	for _, id := range []string{r.PathValue("a"), r.PathValue("b")} {
		row, c, ok := v.find(w, id)
		if !ok {
			return
		}
		run, err := v.run(row, c)
		if err == nil {
			err = untellable(c.entries)
		}
		if err != nil {
			v.bare(w, row, fmt.Errorf("it cannot be compared: %w", err))
			return
		}
		runs = append(runs, run)
	}
	v.page(w, html.Options{}, runs...)
}

func (v *liveView) page(w http.ResponseWriter, o html.Options, runs ...html.Run) {
	var page bytes.Buffer
	if err := html.Write(&page, o, runs...); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	v.send(w, html.Policy()+"; frame-ancestors 'none'", page.Bytes())
}

// turn waits until a page may be made.
func (v *liveView) turn() (done func()) {
	v.making <- struct{}{}
	return func() { <-v.making }
}

// find returns a connection, or answers that there is none.
func (v *liveView) find(w http.ResponseWriter, id string) (row live.Row, c connection, ok bool) {
	row, entries, ok := v.hub.Find(id)
	if !ok {
		http.Error(w, "there is no such connection, or not any more", http.StatusNotFound)
		return row, c, false
	}
	if row.Forgotten && row.Stored && v.history != nil {
		var err error
		if entries, err = v.history.Read(id); err != nil {
			http.Error(w, "the history does not have it any more", http.StatusNotFound)
			return row, c, false
		}
		row.Forgotten = false
	}
	about := explain.Run{Command: v.command, Client: row.Client, Server: row.Server,
		Open: !row.Over(), Handshake: time.Duration(row.Handshake * float64(time.Millisecond))}
	return row, connection{entries: entries, about: about}, true
}

// run returns what the page of a connection shows.
func (v *liveView) run(row live.Row, c connection) (html.Run, error) {
	run := html.Run{Entries: c.entries, About: c.about}
	if v.reveal {
		return run, nil
	}
	return concealed(run)
}

// concealed returns a run with fingerprints in the place of its secrets.
func concealed(run html.Run) (html.Run, error) {
	hidden, err := redacted(run.Entries)
	if err != nil {
		return run, err
	}
	run.Prints, run.Entries = html.Fingerprints(run), hidden
	run.About.Fingerprints = true
	return run, nil
}
