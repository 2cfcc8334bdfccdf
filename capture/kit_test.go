package capture

import (
	"encoding/hex"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// conversation is the data of one connection of a capture.
type conversation struct {
	*Connection
	sent  [2][]byte
	gaps  [2]int64
	ended int
}

func (c *conversation) Bytes(from iana.Side, _ time.Time, b []byte) {
	c.sent[from] = append(c.sent[from], b...)
}
func (c *conversation) Gap(from iana.Side, n int64) { c.gaps[from] += n }
func (c *conversation) End()                        { c.ended++ }

// listener keeps all conversations, by stream.
type listener map[int]*conversation

func (l listener) take(c *Connection) Handler {
	l[c.Stream] = &conversation{Connection: c}
	return l[c.Stream]
}

// assemble reads a whole capture. It returns everything that came before the reader's error.
func assemble(r io.Reader) (listener, *Assembler, error) {
	l := listener{}
	a := &Assembler{New: l.take}
	in, err := Open(r)
	if err != nil {
		return l, a, err
	}
	for {
		p, err := in.Next()
		if err != nil {
			a.Close()
			if err == io.EOF {
				err = nil
			}
			return l, a, err
		}
		if err := a.Add(p); err != nil {
			return l, a, err
		}
	}
}

// indexed is a case of testdata/captures/index.json.
type indexed struct {
	ID, File string
	Secrets  map[string]string
	Streams  []struct{ Stream int }
	dir      string
}

// index returns the cases of the index of captures.
func index(t testing.TB) []indexed {
	t.Helper()
	dir, cases := testkit.Captures[indexed](t)
	for i := range cases {
		cases[i].dir = dir
	}
	return cases
}

// tshark gives what it prints. Without it, the test is skipped.
func tshark(t testing.TB, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed (apt-get install tshark)")
	}
	var stderr strings.Builder
	cmd := exec.Command(path, append([]string{"-n"}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark %q: %v\n%s", args, err, &stderr)
	}
	return string(out)
}

// followed is a stream as tshark reassembles it, with the data of the side that sent first in
// sent[0].
type followed struct {
	nodes [2]string
	sent  [2][]byte
}

// follow has tshark follow the first n streams of a file.
func follow(t testing.TB, name string, n int) []followed {
	t.Helper()
	args := []string{"-q", "-r", name, "-o", "tcp.reassemble_out_of_order:TRUE"}
	for i := range n {
		args = append(args, "-z", fmt.Sprintf("follow,tcp,raw,%d", i))
	}
	all := make([]followed, n)
	var f *followed
	for line := range strings.Lines(tshark(t, args...)) {
		line = strings.TrimRight(line, "\n")
		if n, ok := strings.CutPrefix(line, "Filter: tcp.stream eq "); ok {
			i, err := strconv.Atoi(n)
			if err != nil {
				t.Fatal(err)
			}
			f = &all[i]
			continue
		}
		if f == nil || line == "" || strings.HasPrefix(line, "===") ||
			strings.HasPrefix(line, "Follow: ") {
			continue
		}
		if node, ok := strings.CutPrefix(line, "Node "); ok {
			f.nodes[node[0]-'0'] = node[3:]
			continue
		}
		text, second := strings.CutPrefix(line, "\t")
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatalf("tshark printed %q", line)
		}
		i := 0
		if second {
			i = 1
		}
		f.sent[i] = append(f.sent[i], b...)
	}
	return all
}

// segmentOf returns the TCP segment of a packet, if it has one.
func (d *decoder) segmentOf(p *Packet) (segment, bool, error) {
	what, err := d.decode(p)
	return d.segment, what == aSegment, err
}
