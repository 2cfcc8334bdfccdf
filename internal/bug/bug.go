// Package bug turns panics into errors, so that a server of many connections does not end because
// of one.
package bug

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// The limits of the text of an Error.
const (
	maxText   = 256 // bytes
	maxFrames = 24  // calls
)

// Error is a panic that was recovered. Its text is bounded. It has neither arguments of calls nor
// values whose types could hold a secret.
type Error struct {
	Text  string
	Calls []string // functions with file and line, the innermost first
}

// Prefix begins the text of each Error.
const Prefix = "a bug: "

// Error returns what happened and where, in several lines.
func (e *Error) Error() string {
	return fmt.Sprintf(Prefix+"%s\n\t%s", e.Text, strings.Join(e.Calls, "\n\t"))
}

// From returns a panic as an error: recovered is the result of recover. It returns nil for nil, and
// an *Error, which continues the panic of another goroutine, as it is. It must be called by the
// deferred function itself, because it records the calls of the panic.
func From(recovered any) error {
	if recovered == nil {
		return nil
	}
	if e, ok := recovered.(*Error); ok {
		return e
	}
	return &Error{Text: text(recovered), Calls: calls()}
}

// Text returns what happened of an Error, in one line, and the text of any other error.
func Text(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Text
	}
	return err.Error()
}

// Survive calls f, and returns a panic of it as an error. It is for goroutines of the library,
// above which nobody could recover.
func Survive(f func()) (err error) {
	defer func() { err = From(recover()) }()
	f()
	return nil
}

// Group runs functions in goroutines of their own. The zero Group is ready to use.
type Group struct {
	running sync.WaitGroup
	once    sync.Once
	failed  error
}

// Go calls f in a new goroutine.
func (g *Group) Go(f func()) {
	g.running.Go(func() {
		if err := Survive(f); err != nil {
			g.once.Do(func() { g.failed = err })
		}
	})
}

// Wait waits until all functions have returned. The first panic of one continues here, where a
// program may recover from it.
func (g *Group) Wait() {
	g.running.Wait()
	if g.failed != nil {
		panic(g.failed)
	}
}

// text returns the text of errors and strings. Of everything else it returns the type only, because
// the value may contain a key.
func text(recovered any) string {
	s := fmt.Sprintf("a value of type %T", recovered)
	switch r := recovered.(type) {
	case error:
		s = r.Error()
	case string:
		s = r
	}
	if len(s) > maxText {
		s = s[:maxText] + "…"
	}
	return s
}

// calls returns the functions that led to the panic. It does not use debug.Stack, which prints
// arguments, among them arrays passed by value.
func calls() (list []string) {
	pcs := make([]uintptr, maxFrames)
	// skip Callers, calls, From and the deferred function
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	for {
		f, more := frames.Next()
		if f.Function != "" {
			list = append(list, fmt.Sprintf("%s %s:%d", f.Function, f.File, f.Line))
		}
		if !more {
			return list
		}
	}
}
