package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/keylog"
)

// This file has what decrypt does at the end of a run.

// interrupted reads what key logs have at the end of a live capture, also a line without its end.
func (s *showing) interrupted() {
	s.growLogs((*keylog.Growing).Close)
	s.retry()
}

// growLogs reads what was added to the key logs, and calls then, which may be nil, for what has no
// end yet. If there are new secrets, the waiting connections try them.
func (s *showing) growLogs(then func(*keylog.Growing) error) {
	for _, g := range s.secrets.files {
		if n, err := s.secrets.grow(g, then, s.cmd.ErrOrStderr()); err == nil && n > 0 {
			s.watch.Retry()
		}
	}
}

// acknowledge reports how much was read from the key logs.
func (s *showing) acknowledge() error {
	for _, g := range s.secrets.files {
		if err := s.table.note(g.describe()); err != nil {
			return err
		}
	}
	if len(s.secrets.files) == 0 {
		return nil
	}
	where := "key logs"
	if s.secrets.found {
		where = "key logs or in the capture itself"
	}
	return s.table.note(fmt.Sprintf("%s of this capture with a secret in %s.",
		explain.Count(s.secrets.fits, "connection"), where))
}

// maxSkips bounds how many kinds of packets that were not read are named.
const maxSkips = 12

// tellSkipped reports the packets that were not read, below the table or, if there is none, on
// stderr.
func (s *showing) tellSkipped() error {
	list := s.assembler.Skipped()
	if len(list) == 0 {
		return nil
	}
	var kinds []string
	others, total := 0, 0
	for i, k := range list {
		total += k.Packets
		if i >= maxSkips {
			others += k.Packets
			continue
		}
		kinds = append(kinds, fmt.Sprintf("%d of %s", k.Packets, k.What))
	}
	if others > 0 {
		kinds = append(kinds, fmt.Sprintf("%d of %d other kinds", others, len(list)-maxSkips))
	}
	text := fmt.Sprintf("Not read: %s: %s.", explain.Count(total, "packet"),
		strings.Join(kinds, "; "))
	if s.json || s.print {
		_, err := fmt.Fprintf(fit(s.cmd.ErrOrStderr()), "! %s\n", explain.Escape(text))
		return err
	}
	return s.table.note(text)
}

func (s *showing) writeSecrets(w io.Writer) error {
	if _, err := io.WriteString(w,
		"# Holds secrets: whoever has this file and the capture reads the "+
			"connections.\n"); err != nil {
		return err
	}
	return writeLines(w, s.lines)
}

func writeLines(w io.Writer, lines []keylog.Line) error {
	var text []byte
	for _, l := range lines {
		text = l.Append(text)
	}
	_, err := w.Write(text)
	return err
}

// writeCapture writes the secrets, and a copy of the packets after them.
func (s *showing) writeCapture(w io.Writer) error {
	open := s.in.open
	if s.in.spool != "" {
		open = func() (*captureFiles, error) {
			return openFiles(s.in.ctx, []string{s.in.spool}, &counter{},
				func(f func()) { s.in.shut = append(s.in.shut, f) })
		}
	}
	if open == nil {
		return errNoCopy
	}
	r, err := open()
	if err != nil {
		return err
	}
	out := capture.NewWriter(w, capture.WriterOptions{HoldsSecrets: len(s.lines) > 0})
	if len(s.lines) > 0 {
		var text []byte
		for _, l := range s.lines {
			text = l.Append(text)
		}
		if err := out.Secrets(text); err != nil {
			return err
		}
	}
	for {
		p, err := r.Next()
		if err != nil {
			return errors.Join(out.Flush()) // damage was reported before
		}
		if err := out.Packet(p); err != nil {
			return err
		}
	}
}

// connections counts connections by what they are, the most frequent first.
func connections(by map[string]int) string {
	total, names := 0, slices.Sorted(maps.Keys(by))
	slices.SortStableFunc(names, func(a, b string) int { return by[b] - by[a] })
	var kinds []string
	for _, name := range names {
		total += by[name]
		if name != "" {
			kinds = append(kinds, fmt.Sprintf("%d %s", by[name], name))
		}
	}
	text := explain.Count(total, "TCP connection")
	if len(kinds) > 0 {
		text += " (" + strings.Join(kinds, "; ") + ")"
	}
	return text
}
