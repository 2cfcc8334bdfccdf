package rig

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Main runs the tests of a package, and fails if they leave a goroutine behind that runs our code:
// every connection must have ended with the test that made it. Call it from TestMain.
func Main(m *testing.M) { os.Exit(Watched{m}.Run()) }

// Watched is a *testing.M whose Run does what Main does, for a TestMain that does more.
type Watched struct{ M *testing.M }

// Run returns the exit code.
func (w Watched) Run() int {
	code := w.M.Run()
	if left := leaked(Patience); left != "" {
		fmt.Fprintf(os.Stderr, "goroutines that outlive their tests:\n\n%s\n", left)
		code = max(code, 1)
	}
	return code
}

// leaked waits until no goroutine but the caller's runs our code, and returns the stacks of those
// that still do after the given time.
func leaked(within time.Duration) string {
	for end := time.Now().Add(within); ; time.Sleep(10 * time.Millisecond) {
		buf := make([]byte, 1<<20)
		buf = buf[:runtime.Stack(buf, true)]
		var left []string
		for i, stack := range strings.Split(string(buf), "\n\n") {
			if i > 0 && strings.Contains(stack, "github.com/vitrine-tls/vitrine") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(end) {
			return strings.Join(left, "\n\n")
		}
	}
}
