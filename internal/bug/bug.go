// Package bug turns a panic into an error: a server that serves many must not end because of what
// one of them met.
package bug

import (
	"fmt"
	"runtime"
	"strings"
)

// The bounds of what an error tells.
const (
	maxText   = 256 // bytes
	maxFrames = 24  // calls
)

// Error is a panic that was caught. Its text is bounded, and it has no arguments of calls and no
// values of types that could hold a secret.
type Error struct {
	Text  string
	Calls []string // functions with file and line, the innermost first
}

// Error returns what happened and where, in several lines.
func (e *Error) Error() string {
	return fmt.Sprintf("a bug: %s\n\t%s", e.Text, strings.Join(e.Calls, "\n\t"))
}

// From returns a panic as an error: recovered is what recover returned. It returns nil of nil, and
// an *Error, with which another goroutine's panic goes on in this one, as it is. It must be called
// by the deferred function itself, so that the calls are those of the panic.
func From(recovered any) error {
	if recovered == nil {
		return nil
	}
	if e, ok := recovered.(*Error); ok {
		return e
	}
	return &Error{Text: text(recovered), Calls: calls()}
}

// text tells errors and strings, and of everything else the type alone: a key may be in it.
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

// calls does not use debug.Stack, which prints arguments: an array that is passed by value is one.
func calls() (list []string) {
	pcs := make([]uintptr, maxFrames)
	// below Callers, calls, From, defer
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
