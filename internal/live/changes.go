package live

import (
	"context"
	"slices"
)

// Changes is what changed in a Hub since somebody looked last.
type Changes struct {
	// Whole says that Rows begin the list again: what the reader had is to be forgotten.
	Whole bool
	Rows  []Row    // in the order of their changes
	Gone  []string // IDs of rows that are not listed any more
	Last  uint64   // to be given to the next call
	More  bool     // there are more already
}

// Any reports whether there is anything new.
func (c *Changes) Any() bool { return c.Whole || len(c.Rows)+len(c.Gone) > 0 }

// Changes returns what changed after the change number since, and at most most rows. Nothing is
// kept for a reader between two calls, so that a slow one costs no more than a fast one: of a row
// that changed often it gets the last state.
func (h *Hub) Changes(since uint64, most int) Changes {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := Changes{Last: since}
	if since > h.change || since < h.trimmed || since == 0 {
		c.Whole, c.Last, since = true, 0, 0
	}
	var news []*Conn
	for e := h.changed.Front(); e != nil && e.Value.(*Conn).last > since; e = e.Next() {
		news = append(news, e.Value.(*Conn))
	}
	slices.Reverse(news)
	if c.More = len(news) > most; c.More {
		news = news[:most]
	}
	until := h.change
	if c.More {
		until = news[most-1].last
	}
	for _, x := range news {
		c.Rows = append(c.Rows, x.shown())
	}
	for _, g := range h.gone {
		if !c.Whole && g.change > since && g.change <= until {
			c.Gone = append(c.Gone, g.id)
		}
	}
	c.Last = until
	return c
}

// Wait waits until something changed after the change number since, and returns the error of ctx if
// that ends first.
func (h *Hub) Wait(ctx context.Context, since uint64) error {
	h.mu.Lock()
	if h.change != since {
		h.mu.Unlock()
		return nil
	}
	if h.bell == nil {
		h.bell = make(chan struct{})
	}
	bell := h.bell
	h.mu.Unlock()
	select {
	case <-bell:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
