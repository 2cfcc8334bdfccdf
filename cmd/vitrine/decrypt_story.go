package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/render/html"
	"github.com/vitrine-tls/vitrine/trace"
)

// story has the events of one connection, up to a limit.
type story struct {
	trace.Memory
	number string
	about  explain.Run
	size   int
	cut    bool
}

// The limits of the events kept of one connection, in bytes, and of the connections with events.
const (
	maxStory   = 8 << 20
	eventSize  = 256 // memory of an event besides its bytes
	maxStories = 64
)

// Put keeps an event if the story is not too large: above maxStory no records, and above twice
// maxStory nothing.
func (s *story) Put(e trace.Entry) {
	limit := 2 * maxStory
	s.size += eventSize
	switch x := e.Event.(type) {
	case *trace.Record:
		s.size += len(x.Fragment) + len(x.Plaintext)
		limit = maxStory
	case *trace.Message:
		s.size += len(x.Raw)
	}
	if s.size > limit {
		s.cut = true
		return
	}
	s.Memory.Put(e)
}

// tellStories writes the selected connections for --detail, --html and --events.
func (s *showing) tellStories() error {
	stories := s.stories
	stderr := s.cmd.ErrOrStderr()
	if len(stories) == 0 && s.tells() {
		return fmt.Errorf("no TLS connection is selected: there is nothing for --html, --events " +
			"or --detail")
	}
	if len(stories) == maxStories {
		fmt.Fprintf(fit(stderr),
			"! only the first %d connections are shown in full: --stream, --host, --port and "+
				"--sni select others.\n", maxStories)
	}
	var runs []html.Run
	for _, t := range stories {
		if t.cut {
			fmt.Fprintf(fit(stderr), "! stream %s: only its first %d MiB of records are shown.\n",
				t.number, maxStory>>20)
		}
		c := connection{entries: t.Entries, about: t.about}
		if !s.artefacts.reveal {
			entries, err := redacted(c.entries)
			if err != nil {
				return err
			}
			c.entries = entries
		}
		noStory := explain.Tellable(c.entries)
		if noStory != nil && (s.detail != "" || s.artefacts.html != "") {
			fmt.Fprintf(fit(stderr), "! stream %s: %v.\n", t.number, noStory)
		}
		if s.detail != "" && noStory == nil {
			if err := s.table.line("STREAM %s", t.number); err != nil {
				return err
			}
			if err := tellStory(s.cmd.OutOrStdout(), explain.Tell(c.entries, c.about), c.entries,
				s.level, s.style); err != nil {
				return err
			}
		}
		if s.artefacts.events != "" {
			a := artefacts{events: numbered(s.artefacts.events, t.number, len(stories)),
				reveal: s.artefacts.reveal}
			if err := a.write(connection{entries: t.Entries, about: t.about}, stderr); err != nil {
				return err
			}
		}
		if noStory == nil {
			runs = append(runs, html.Run{Entries: c.entries, About: c.about})
		}
	}
	if len(runs) == 0 && (s.detail != "" || s.artefacts.html != "") {
		return errors.New("none of the selected connections can be explained: there is nothing " +
			"for --html or --detail; --events and --pcap write what was sent")
	}
	if s.artefacts.html == "" {
		return nil
	}
	return writePage(s.artefacts.html, runs, stderr)
}

// numbered returns the file name for one of several connections.
func numbered(name, stream string, of int) string {
	if of == 1 {
		return name
	}
	ext := filepath.Ext(name)
	return fmt.Sprintf("%s-%s%s", strings.TrimSuffix(name, ext), stream, ext)
}
