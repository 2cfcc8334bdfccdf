package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
	"github.com/vitrine-tls/vitrine/trace"
)

// showing shows the connections in their order, as far as its memory allows.
type showing struct {
	*decryption
	in        *packets
	secrets   *secretStore
	watch     observe.Watch
	assembler capture.Assembler

	mu          sync.Mutex
	next        int           // number of the next row
	rows        map[int]*seen // rows that wait for next
	stories     []*story
	lines       []keylog.Line // of the selected connections
	undecrypted int
	shown       int
	others      map[string]int // connections that are not TLS, by what they are
	tls         int            // connections that are, selected or not
	picked      int            // of these, those that are selected
	read        int            // of these, those of which something was decrypted
	table       *connectionTable
	printed     printout
	news        bool  // the capture had secrets since retry
	err         error // the first one
}

// maxOpen bounds the connections that are open at once. Each takes about 7 KiB before its handshake
// is done.
const maxOpen = 1 << 15

// maxRows bounds the rows that wait for an earlier one. Beyond it, rows are shown out of order.
const maxRows = 1 << 14

// seen has the state of one connection.
type seen struct {
	selected bool
	sums     [2]*sum
	files    [2]*dataFile
	story    *story
	out      *jsonRow // when it is done; nil for one that is not shown
	secrets  []keylog.Line
	failed   bool
	inner    []*seen // connections in its data
	live     *watchedLive
}

func newShowing(d *decryption, in *packets, secrets *secretStore) (*showing, error) {
	s := &showing{decryption: d, in: in, secrets: secrets, rows: map[int]*seen{},
		others: map[string]int{}}
	s.table = &connectionTable{w: d.cmd.OutOrStdout(), style: d.style,
		wide: columns(d.cmd.OutOrStdout()), live: in.live}
	if d.out != "" {
		if err := os.MkdirAll(d.out, 0o700); err != nil {
			return nil, fmt.Errorf("--out: %w", err)
		}
	}
	if in.open != nil {
		if err := s.embedded(); err != nil {
			return nil, err
		}
	}
	if secrets.any() || in.late {
		s.watch.Source = secrets.source()
	}
	s.watch.Inner = d.inner
	s.watch.Late = in.late && (in.live && len(secrets.files) > 0 || !in.live)
	s.watch.Open = s.opened
	s.watch.Done = s.done
	s.watch.Failed = s.broken
	if in.live {
		s.watch.Progress = s.progress
	}
	if d.print || d.out != "" || d.json {
		s.watch.Data = s.data
	}
	if s.tells() || d.view != nil {
		s.watch.Sink = s.sink
	}
	s.assembler.New = s.watch.Handler
	s.assembler.Limits.Connections = maxOpen
	return s, nil
}

// tells reports whether stories are told at the end.
func (s *showing) tells() bool {
	return s.artefacts.html != "" || s.artefacts.events != "" || s.level != explain.Steps ||
		s.detail != ""
}

// embedded reads a file for the secrets inside, which may follow the packets that they decrypt.
// Only pcapng has any.
func (s *showing) embedded() error {
	r, err := s.in.open()
	if err != nil {
		return err
	}
	if !r.MayHoldSecrets() {
		return nil
	}
	r.secrets = s.secretsBlock
	for {
		if _, err := r.Next(); err != nil {
			return nil // damage is reported when the packets are read
		}
	}
}

func (s *showing) secretsBlock(t capture.SecretsType, b []byte) {
	if t != capture.SecretsTLSKeyLog {
		return
	}
	if s.secrets.add(b, s.cmd.ErrOrStderr()) > 0 {
		s.secrets.found = true
		s.news = s.in.late
	}
}

// idle looks for new secrets and ends old connections. It is called while a live capture is quiet,
// and every few thousand packets.
func (s *showing) idle() {
	s.growLogs(nil)
	s.retry()
	s.watch.Flush()
	s.watch.Expire(patience)
}

// retry makes the waiting connections try the secrets that were added since the last call. It
// visits all of them, so it is not called for every block of secrets.
func (s *showing) retry() {
	if s.news {
		s.news = false
		s.watch.Retry()
	}
}

// patience is how long a live connection that has ended waits for its secret.
const patience = 5 * time.Second

// progress shows a live connection when its handshake is done. Its row appears again when it ends.
func (s *showing) progress(w *observe.Watched) {
	r := w.Value.(*seen)
	report := w.Stream.Report()
	if r.live != nil {
		r.live.progress(report)
	}
	if s.json || s.print || !r.selected || !s.which.named(report.ServerName) {
		return
	}
	out := newJSONRow(w, report, [2]*sum{})
	out.open = true
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.table.row(out); err != nil && s.err == nil {
		s.err = err
	}
}

func (s *showing) opened(w *observe.Watched) {
	w.Value = &seen{selected: s.which.takes(w)}
}

// sink returns a Sink for the events of a connection, or nil if they are not kept.
func (s *showing) sink(w *observe.Watched) trace.Sink {
	r := w.Value.(*seen)
	if s.view != nil && r.selected {
		r.live = s.view.watch(w)
	}
	if story := s.story(w, r); story != nil {
		return sinks{story, r.live}
	}
	if r.live != nil {
		return r.live
	}
	return nil
}

// story returns what keeps the events of a connection for its story, or nil if it is not told.
func (s *showing) story(w *observe.Watched, r *seen) trace.Sink {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !r.selected || !s.tells() || len(s.stories) >= maxStories {
		return nil
	}
	r.story = &story{number: numberOf(w),
		about: explain.Run{Command: "vitrine decrypt", Client: w.Client.String(),
			Server: w.Server.String()}}
	s.stories = append(s.stories, r.story)
	return r.story
}

// data receives decrypted data.
func (s *showing) data(w *observe.Watched, from iana.Side, plain []byte) {
	r := w.Value.(*seen)
	if !r.selected || len(s.which.snis) > 0 && !s.which.named(w.Stream.Report().ServerName) {
		return
	}
	if s.json {
		if r.sums[from] == nil {
			r.sums[from] = &sum{}
		}
		r.sums[from].write(plain)
	}
	if s.out != "" {
		if r.files[from] == nil {
			r.files[from] = &dataFile{name: filepath.Join(s.out,
				fmt.Sprintf("%s-%s.bin", numberOf(w), directions[from]))}
		}
		s.keep(r.files[from].write(plain))
	}
	if s.print {
		s.keep(s.printed.write(s.cmd.OutOrStdout(), numberOf(w), from, plain))
	}
}

// streamName returns a connection's number. Those of EAP have numbers of their own.
func streamName(n int) string {
	if n < 0 {
		return fmt.Sprintf("eap%d", -n)
	}
	return fmt.Sprint(n)
}

// numberOf returns a connection's number, also of one inside another.
func numberOf(w *observe.Watched) string {
	if w.Outer != nil {
		return numberOf(w.Outer) + ".inner"
	}
	return streamName(w.Number)
}

var directions = [2]string{"client_to_server", "server_to_client"}

// broken reports a panic while a connection was read, with what a report of the bug needs. Its row
// has the reason.
func (s *showing) broken(w *observe.Watched, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, failed := fmt.Fprintf(fit(s.cmd.ErrOrStderr()), "! connection %s: %s\n", numberOf(w),
		explain.Escape(err.Error()))
	if s.err == nil {
		s.err = failed
	}
}

func (s *showing) keep(err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

// done receives a connection that has ended, and shows the rows that are next.
func (s *showing) done(w *observe.Watched) {
	r := w.Value.(*seen)
	report := w.Stream.Report()
	s.secrets.fit(w, report.Source)
	if r.live != nil {
		r.live.done(report)
	}
	for _, f := range r.files {
		s.keep(f.close())
	}
	if r.selected && s.which.named(report.ServerName) {
		r.out = newJSONRow(w, report, r.sums)
		r.failed = failed(report)
		if c := w.Stream.Connection(); c != nil {
			r.secrets = c.Secrets()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if report.Reason == nil || report.Reason.Code != observe.NotTLS {
		s.tls++
	}
	if why := report.Reason; r.story != nil && why != nil && why.Code == observe.HandshakeFailed {
		r.story.about.Failed = why.Detail
	}
	if r.story != nil && r.out == nil {
		s.stories = slices.DeleteFunc(s.stories, func(t *story) bool { return t == r.story })
	}
	if w.Outer != nil {
		outer := w.Outer.Value.(*seen)
		outer.inner = append(outer.inner, r)
		return
	}
	if s.in.live || w.Number < 0 { // in the order in which they end
		s.showRow(r)
		return
	}
	s.rows[w.Number] = r
	for {
		r, ok := s.rows[s.next]
		if !ok && len(s.rows) <= maxRows {
			return
		}
		if ok {
			delete(s.rows, s.next)
			s.showRow(r)
		}
		s.next++
	}
}

// failed reports whether application data of a connection was not decrypted.
func failed(r *observe.Report) bool {
	if r.Reason == nil || r.Reason.Code == observe.NotTLS {
		return false
	}
	if r.Reason.Code == observe.InternalError {
		return true
	}
	lost := int64(0)
	for _, f := range r.Flows {
		lost += f.Unread + f.Missing
	}
	return lost > 0
}

// showRow shows a connection, and then those in its data.
func (s *showing) showRow(r *seen) {
	s.showOne(r)
	for _, in := range r.inner {
		s.showRow(in)
	}
}

func (s *showing) showOne(r *seen) {
	if r.out == nil {
		return
	}
	if r.failed {
		s.undecrypted++
	}
	s.lines = append(s.lines, r.secrets...)
	if r.out.Reason == string(observe.NotTLS) && !s.json && !s.which.any() {
		s.others[r.out.clear]++
		return
	}
	s.shown++
	if r.out.Reason != string(observe.NotTLS) {
		s.picked++
	}
	if r.out.Decrypted || r.out.ToServer.Bytes+r.out.ToClient.Bytes > 0 {
		s.read++
	}
	var err error
	switch {
	case s.json:
		err = writeJSON(s.cmd.OutOrStdout(), r.out)
	case s.print:
		err = s.unread(r.out)
	default:
		err = s.table.row(r.out)
	}
	if err != nil && s.err == nil {
		s.err = err
	}
}

// unread says on standard error why not all of a connection is printed.
func (s *showing) unread(j *jsonRow) error {
	if j.Reason == "" {
		return nil
	}
	_, err := fmt.Fprintf(fit(s.cmd.ErrOrStderr()), "! connection %d (%s): %s: %s\n", j.Stream,
		explain.Escape(j.Server), j.Reason, explain.Escape(j.Detail))
	return err
}

// finish shows the remaining rows and writes the files.
func (s *showing) finish() error {
	for _, n := range slices.Sorted(maps.Keys(s.rows)) {
		s.showRow(s.rows[n])
	}
	if !s.json && !s.print {
		s.keep(s.table.end(s.shown, s.others, s.which.any()))
		s.keep(s.acknowledge())
	}
	s.keep(s.tellSkipped())
	if s.err != nil {
		return s.err
	}
	stderr := s.cmd.ErrOrStderr()
	if s.keyLog != "" {
		if err := writeFile(s.keyLog, s.writeSecrets); err != nil {
			return fmt.Errorf("--keylog-out: %w", err)
		}
		fmt.Fprintf(fit(stderr),
			"! %s holds secrets: whoever has it and the capture reads the connections.\n",
			explain.Escape(s.keyLog))
	}
	if s.pcap != "" {
		if err := writeFile(s.pcap, s.writeCapture); err != nil {
			return fmt.Errorf("--pcap: %w", err)
		}
		fmt.Fprintf(fit(stderr), "! %s holds secrets: the keys of its connections are inside.\n",
			explain.Escape(s.pcap))
	}
	return s.tellStories()
}
