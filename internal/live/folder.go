package live

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/trace"
)

// This file has what a History does in its folder.

// ReadHistory returns the connections of a folder, the oldest first, and changes nothing there. It
// returns an error if the folder has no index.
func ReadHistory(dir string) ([]Row, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if _, err := root.Stat(indexName); err != nil {
		return nil, err
	}
	h := &History{root: root, reader: true, known: map[string]*stored{}}
	if err := h.load(); err != nil {
		return nil, err
	}
	return h.Rows(len(h.order)), nil
}

// FileOf returns the name of a connection's file in the folder of a History.
func FileOf(r Row) string { return r.ID + ending }

// write writes the file of a connection and returns its size.
func (h *History) write(r Row, entries []trace.Entry) (size int64, err error) {
	return h.replace(r.ID+ending, func(w io.Writer) error {
		z := gzip.NewWriter(w)
		var options []trace.Option
		if h.reveal {
			options = append(options, trace.Reveal())
		}
		out := trace.NewWriter(z, options...)
		for _, e := range entries {
			out.Put(e)
		}
		return errors.Join(out.Err(), z.Close())
	})
}

// replace writes a file whole, or leaves what was there.
func (h *History) replace(name string, write func(io.Writer) error) (size int64, err error) {
	draft := "." + name + ".part"
	f, err := h.root.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	b := bufio.NewWriter(f)
	err = errors.Join(write(b), b.Flush())
	if info, statErr := f.Stat(); err == nil && statErr == nil {
		size = info.Size()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = h.root.Rename(draft, name)
	}
	if err != nil {
		h.root.Remove(draft)
	}
	return size, err
}

// remember adds a line to the index, or rewrites it when most of its lines are of no use any more.
func (h *History) remember(r Row, size int64) error {
	s := &stored{Row: r, Size: size}
	h.add(s)
	if h.lines > 2*len(h.order)+64 {
		return h.rewrite()
	}
	line, err := lineOf(s)
	if err != nil {
		return err
	}
	f, err := h.root.OpenFile(indexName, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	h.lines++
	_, err = f.Write(line)
	return errors.Join(err, f.Close())
}

// lineOf returns a line of the index.
func lineOf(s *stored) ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return append(trace.EscapeJSON(nil, b), '\n'), nil
}

// rewrite writes the index anew.
func (h *History) rewrite() error {
	h.mu.Lock()
	var text bytes.Buffer
	var err error
	for _, id := range h.order {
		line, lineErr := lineOf(h.known[id])
		err = errors.Join(err, lineErr)
		text.Write(line)
	}
	h.lines = len(h.order)
	h.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = h.replace(indexName, func(w io.Writer) error {
		_, err := w.Write(text.Bytes())
		return err
	})
	return err
}

// maxIndex bounds what is read of the index, in bytes.
const maxIndex = 64 << 20

// load reads what the folder has: the index, as far as its files are there, and files that are in
// no index, because a process was killed before it wrote the line.
func (h *History) load() error {
	files := map[string]os.FileInfo{}
	dir, err := h.root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	list, err := dir.ReadDir(-1)
	if err != nil {
		return err
	}
	for _, entry := range list {
		name := entry.Name()
		if strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".part") {
			if !h.reader {
				h.root.Remove(name)
			}
			continue
		}
		id, ours := strings.CutSuffix(name, ending)
		info, err := entry.Info()
		if ours && err == nil && info.Mode().IsRegular() && names.MatchString(id) {
			files[id] = info
		}
	}
	rows := h.indexed()
	for id, info := range files {
		r, ok := rows[id]
		if !ok {
			if r, err = h.rebuild(id); err != nil {
				continue // it is no file of ours
			}
		}
		if r.Start.IsZero() {
			r.Start = info.ModTime()
		}
		h.add(&stored{Row: interrupted(r), Size: info.Size()})
	}
	slices.SortFunc(h.order, func(a, b string) int {
		return cmp.Or(h.known[a].Row.Start.Compare(h.known[b].Row.Start), cmp.Compare(a, b))
	})
	return nil
}

// indexed returns the last row of each connection that the index has: none if it cannot be read. A
// line that was cut off is left out. A row that it lacks is made anew.
func (h *History) indexed() map[string]Row {
	rows := map[string]Row{}
	f, err := h.root.Open(indexName)
	if err != nil {
		return rows
	}
	defer f.Close()
	index, err := io.ReadAll(io.LimitReader(f, maxIndex))
	if err != nil {
		return rows
	}
	for line := range bytes.Lines(index) {
		var s stored
		if json.Unmarshal(line, &s) == nil && names.MatchString(s.Row.ID) {
			rows[s.Row.ID] = s.Row
		}
	}
	return rows
}

// rebuild returns the row of a connection from its file.
func (h *History) rebuild(id string) (r Row, err error) {
	entries, err := h.Read(id)
	if err != nil {
		return r, err
	}
	hub := New(Options{})
	c := hub.Open(Row{})
	for _, e := range entries {
		if c.row.Start.IsZero() {
			c.row.Start = e.Time
		}
		c.Put(e)
	}
	r = c.shown()
	r.ID = id
	return r, nil
}

// interrupted returns the row of a connection of an earlier run. What had not ended then has ended
// with that run.
func interrupted(r Row) Row {
	r.Stored, r.Forgotten = true, true
	if !r.Over() {
		if r.State = Closed; r.Version == "" {
			r.State = Failed
		}
		r.Reason, r.Why = "unknown", "the server ended before the connection did"
	}
	return r
}

// maxEvents bounds the events of a file, in bytes.
const maxEvents = 256 << 20

// Read returns the events of a connection. Secrets that were not written are missing.
func (h *History) Read(id string) ([]trace.Entry, error) {
	if !names.MatchString(id) {
		return nil, fmt.Errorf("live: there is no connection %q", id)
	}
	f, err := h.root.Open(id + ending)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return nil, err
	}
	return trace.Read(io.LimitReader(z, maxEvents))
}
