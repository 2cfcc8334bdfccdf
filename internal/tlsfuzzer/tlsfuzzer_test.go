// Package tlsfuzzer runs the scripts of tlsfuzzer against `vitrine serve`. See
// docs/verification.md.
package tlsfuzzer

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A server is how `vitrine serve` is started for some of the scripts.
type server struct {
	name  string
	flags []string
}

// A run is a script with its arguments, and what it finds otherwise than it expects.
type run struct {
	server, script string
	args           []string
	differs        []difference
}

// A difference is a conversation of a script, a pattern of path.Match, that ends in another way
// than the script expects, with the reason why that is right.
type difference struct{ conversation, reason string }

func (r *run) String() string { return strings.Join(append([]string{r.script}, r.args...), " ") }

// A plan is testdata/scripts.tsv. Its lines are: server, a name and flags; run, the server's name,
// a script and its arguments; an empty field, a conversation and a reason, of the run before; not,
// a script that is not run and the reason.
type plan struct {
	servers []server
	runs    []*run
	left    map[string]string // reasons, by script
}

func readPlan(t *testing.T) *plan {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "scripts.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	p := &plan{left: map[string]string{}}
	for line := range strings.Lines(string(b)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch {
		case strings.HasPrefix(line, "#"):
		case fields[0] == "server" && len(fields) > 2:
			p.servers = append(p.servers, server{fields[1], fields[2:]})
		case fields[0] == "run" && len(fields) > 2:
			p.runs = append(p.runs, &run{server: fields[1], script: fields[2], args: fields[3:]})
		case fields[0] == "" && len(fields) == 3 && len(p.runs) > 0:
			last := p.runs[len(p.runs)-1]
			last.differs = append(last.differs, difference{fields[1], fields[2]})
		case fields[0] == "not" && len(fields) == 3:
			p.left[fields[1]] = fields[2]
		default:
			t.Fatalf("a line that is none of these: %q", line)
		}
	}
	return p
}

// The plan names each script once as run or as left out, and each server that a run names.
func TestThePlanIsWhole(t *testing.T) {
	p := readPlan(t)
	ran := map[string]bool{}
	for _, r := range p.runs {
		ran[r.script] = true
		if !slices.ContainsFunc(p.servers, func(s server) bool { return s.name == r.server }) {
			t.Errorf("%v: there is no server %s", r, r.server)
		}
		if p.left[r.script] != "" {
			t.Errorf("%s is run and left out", r.script)
		}
		for _, d := range r.differs {
			if _, err := path.Match(d.conversation, ""); err != nil || len(d.reason) < 8 {
				t.Errorf("%v: %q with the reason %q: %v", r, d.conversation, d.reason, err)
			}
		}
	}
	t.Logf("%d scripts: %d runs, %d left out", len(ran)+len(p.left), len(p.runs), len(p.left))
}

// tlsfuzzer: https://github.com/tlsfuzzer/tlsfuzzer. Each script plays a client in conversations
// that say what the server must answer.
func TestTlsfuzzerFindsWhatItExpects(t *testing.T) {
	suite := os.Getenv("TLSFUZZER")
	if suite == "" {
		t.Skip("TLSFUZZER does not name the suite: see docs/verification.md")
	}
	p := readPlan(t)
	scripts, err := filepath.Glob(filepath.Join(suite, "scripts", "test-*.py"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%s has no scripts: %v", suite, err)
	}
	for _, s := range scripts {
		name := filepath.Base(s)
		if p.left[name] == "" &&
			!slices.ContainsFunc(p.runs, func(r *run) bool { return r.script == name }) {
			t.Errorf("the plan does not know %s", name)
		}
	}
	command := filepath.Join(t.TempDir(), "vitrine")
	if out, err := exec.Command("go", "build", "-o", command,
		"github.com/vitrine-tls/vitrine/cmd/vitrine").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var sum counts
	for _, s := range p.servers {
		t.Run(s.name, func(t *testing.T) {
			address := serve(t, suite, command, s.flags)
			for _, r := range p.runs {
				if r.server == s.name {
					t.Run(r.String(), func(t *testing.T) { sum.add(perform(t, suite, address, r)) })
				}
			}
		})
	}
	t.Logf("%d runs: %d conversations as expected, %d otherwise with a reason, %d without",
		sum.runs, sum.passed, sum.differ, sum.failed)
}

// counts are numbers of runs and of their conversations.
type counts struct{ runs, passed, differ, failed int }

func (c *counts) add(d counts) {
	c.runs += d.runs
	c.passed += d.passed
	c.differ += d.differ
	c.failed += d.failed
}

// serve starts the command with these flags in the suite's folder, until the test ends, and returns
// its address. A server that has ended before then, or has had a panic, fails the test.
func serve(t *testing.T, suite, command string, flags []string) string {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	logged := func() string {
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	c := exec.Command(command, append([]string{"serve", "--listen", "127.0.0.1:0", "--color",
		"never"}, flags...)...)
	c.Dir, c.Stdout, c.Stderr = suite, out, out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		if c.Process.Signal(syscall.SIGTERM) != nil || strings.Contains(logged(), "panic") {
			t.Errorf("the server ended, or had a panic: %s", tail(logged()))
		}
		<-ended
	})
	for range 100 {
		if m := listens.FindStringSubmatch(logged()); m != nil {
			return m[1]
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the server does not listen: %s", tail(logged()))
	return ""
}

var (
	listens  = regexp.MustCompile(`serves at (127\.0\.0\.1:\d+)`)
	total    = regexp.MustCompile(`(?m)^(PASS|XFAIL|FAIL|XPASS): (\d+)$`)
	failures = regexp.MustCompile(`(?ms)^(?:FAILED|XPASSED):\n((?:\t.*?\n)+)`)
)

// perform runs a script and compares what it finds otherwise with the list.
func perform(t *testing.T, suite, address string, r *run) counts {
	host, port, _ := net.SplitHostPort(address)
	args := append([]string{filepath.Join("scripts", r.script), "-h", host, "-p", port}, r.args...)
	c := exec.Command("python3", args...)
	c.Dir = suite
	c.Env = append(os.Environ(), "PYTHONPATH="+suite+":"+os.Getenv("PYTHONPATH"))
	out, err := c.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	found := counts{runs: 1}
	for _, m := range total.FindAllSubmatch(out, -1) {
		n := 0
		fmt.Sscan(string(m[2]), &n)
		switch string(m[1]) {
		case "PASS", "XFAIL":
			found.passed += n
		}
	}
	if found.passed == 0 && failures.Find(out) == nil {
		t.Errorf("nothing ran: %v\n%s", err, tail(string(out)))
	}
	hit := map[string]bool{}
	for _, m := range failures.FindAllSubmatch(out, -1) {
		for line := range strings.Lines(string(m[1])) {
			conversation := strings.Trim(strings.TrimSpace(line), "'\"")
			i := slices.IndexFunc(r.differs, func(d difference) bool {
				ok, _ := path.Match(d.conversation, conversation)
				return ok
			})
			if i < 0 {
				found.failed++
				t.Errorf("%s: otherwise than expected%s", conversation, why(out, conversation))
				continue
			}
			hit[r.differs[i].conversation] = true
			found.differ++
		}
	}
	for _, d := range r.differs {
		if !hit[d.conversation] {
			t.Errorf("%s is as expected, or there is no such conversation", d.conversation)
		}
	}
	return found
}

// why returns the last error that the script prints of a conversation.
func why(out []byte, conversation string) string {
	_, after, found := strings.Cut(string(out), "\n"+conversation+" ...\n")
	if !found {
		return ""
	}
	after, _, _ = strings.Cut(after, "\n\n")
	lines := strings.Split(strings.TrimSpace(after), "\n")
	return ": " + lines[len(lines)-1]
}

func tail(s string) string { return s[max(0, len(s)-2000):] }
