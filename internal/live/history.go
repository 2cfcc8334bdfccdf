package live

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/internal/bug"
	"github.com/vitrine-tls/vitrine/trace"
)

// Limits bound a History. What is too much goes, the oldest first. A limit of 0 is the default.
type Limits struct {
	Connections int
	Age         time.Duration
	Bytes       int64 // of the files of connections, compressed
}

// The limits of a History, unless others are given.
const (
	DefaultConnections = 10_000
	DefaultAge         = 7 * 24 * time.Hour
	DefaultBytes       = 256 << 20
)

// History keeps connections in a folder: the events of each in a file of its own, compressed JSON
// lines as trace.Writer writes them, and a row for each in an index. Files appear whole or not at
// all, and the index only grows between two of its rewritings, so that a process that is killed
// leaves a folder that can be read. One process at a time writes to a folder.
//
// It is written by a goroutine of its own. What waits for it is bounded.
type History struct {
	root   *os.Root
	limits Limits
	reveal bool
	reader bool // nothing may be changed
	store  func(Row, []trace.Entry) (int64, error)

	mu     sync.Mutex
	queue  []job
	held   int // bytes of the events in queue
	closed bool
	err    error // the first one

	wake  chan struct{}
	done  chan struct{}
	known map[string]*stored // used by the goroutine, and by Open before it; guarded by mu
	order []string           // of the IDs in known, the oldest first; likewise
	bytes int64              // likewise
	lines int                // of the index
}

// stored is a connection in the folder.
type stored struct {
	Row  Row   `json:"row"`
	Size int64 `json:"size"`
}

type job struct {
	row     Row
	entries []trace.Entry
	size    int
}

// The bounds of what waits to be written.
const (
	maxJobs = 1024
	maxHeld = 32 << 20
)

const (
	indexName = "index.jsonl"
	ending    = ".json.gz"
)

// names are the IDs that a Hub makes.
var names = regexp.MustCompile(`^[0-9a-z]{1,16}-[0-9]{1,16}$`)

// OpenHistory opens a folder, or makes it. Its owner alone may read what is written. Secrets are
// written only with reveal.
func OpenHistory(dir string, l Limits, reveal bool) (*History, error) {
	if l.Connections == 0 {
		l.Connections = DefaultConnections
	}
	if l.Age == 0 {
		l.Age = DefaultAge
	}
	if l.Bytes == 0 {
		l.Bytes = DefaultBytes
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	h := &History{root: root, limits: l, reveal: reveal, known: map[string]*stored{},
		wake: make(chan struct{}, 1), done: make(chan struct{})}
	h.store = h.write
	if err := errors.Join(h.load(), h.prune(time.Now()), h.rewrite()); err != nil {
		root.Close()
		return nil, err
	}
	go h.work()
	return h, nil
}

// Rows returns the connections in the folder, the oldest first, and at most most of them, the
// newest.
func (h *History) Rows(most int) (rows []Row) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range h.order[max(0, len(h.order)-most):] {
		rows = append(rows, h.known[id].Row)
	}
	return rows
}

// Keep takes a connection to be written, with the size of its events, or reports that too much
// waits. It does not wait itself: see Options.Keep.
func (h *History) Keep(r Row, entries []trace.Entry, size int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.queue) >= maxJobs || h.held+size > maxHeld {
		return false
	}
	h.queue = append(h.queue, job{r, entries, size})
	h.held += size
	select {
	case h.wake <- struct{}{}:
	default:
	}
	return true
}

// Close writes what waits, and returns the first error of writing.
func (h *History) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	h.mu.Unlock()
	close(h.wake)
	<-h.done
	return errors.Join(h.err, h.root.Close())
}

// Err returns the first error of writing.
func (h *History) Err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// pruning is how often old connections are looked for while there are no new ones.
const pruning = time.Minute

func (h *History) work() {
	defer close(h.done)
	old := time.NewTicker(pruning)
	defer old.Stop()
	for more := true; more; {
		select {
		case _, more = <-h.wake:
		case <-old.C:
		}
		for {
			j, ok := h.next()
			if !ok {
				break
			}
			h.survive(func() error { return h.take(j) })
		}
		h.survive(func() error { return h.prune(time.Now()) })
	}
}

// survive calls f and notes its error. A panic is one, too: it must not end the server that is
// watched.
func (h *History) survive(f func() error) {
	var err error
	failed := bug.Survive(func() { err = f() })
	h.note(errors.Join(err, failed))
}

// take writes a connection.
func (h *History) take(j job) error {
	size, err := h.store(j.row, j.entries)
	if err == nil {
		err = errors.Join(h.remember(j.row, size), h.prune(time.Now()))
	}
	return err
}

// next returns what is to be written next.
func (h *History) next() (j job, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.queue) == 0 {
		h.queue = nil
		return j, false
	}
	j = h.queue[0]
	h.queue = h.queue[1:]
	h.held -= j.size
	return j, true
}

func (h *History) note(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil && h.err == nil {
		h.err = err
	}
}

// add puts a connection, whose file is there, into known. A later row takes the place of an earlier
// one.
func (h *History) add(s *stored) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := s.Row.ID
	if before := h.known[id]; before != nil {
		h.bytes -= before.Size
	} else {
		h.order = append(h.order, id)
	}
	h.known[id] = s
	h.bytes += s.Size
}

// prune removes what is too much.
func (h *History) prune(now time.Time) error {
	for {
		h.mu.Lock()
		if len(h.order) == 0 {
			h.mu.Unlock()
			return nil
		}
		id := h.order[0]
		s := h.known[id]
		if len(h.order) <= h.limits.Connections && h.bytes <= h.limits.Bytes &&
			now.Sub(s.Row.Start) <= h.limits.Age {
			h.mu.Unlock()
			return nil
		}
		h.order = h.order[1:]
		delete(h.known, id)
		h.bytes -= s.Size
		h.mu.Unlock()
		if err := h.root.Remove(id + ending); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
}

// Format prints how many connections there are, whatever the verb.
func (h *History) Format(f fmt.State, _ rune) { trace.Print(f, h.described()) }

// MarshalText returns what Format prints.
func (h *History) MarshalText() ([]byte, error) { return trace.Text(h.described()) }

func (h *History) described() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprintf("live.History of %d connections", len(h.order))
}
