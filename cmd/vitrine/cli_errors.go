package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// usageError is an error of the command line. wayOut is a command line that can be pasted.
type usageError struct{ problem, wayOut string }

func (e *usageError) Error() string { return e.problem }

// noArgs returns an error if there are arguments, such as a value whose flag was forgotten.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{fmt.Sprintf("%s takes no arguments, got %q", cmd.CommandPath(), args[0]),
		cmd.CommandPath() + " --help"}
}

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *exitError) Unwrap() error { return e.err }

func contradiction(a, b, reason, wayOut string) error {
	return &usageError{fmt.Sprintf("%s and %s contradict each other: %s", a, b, reason), wayOut}
}

func unknownValue(flag, got string, known ...string) error {
	return &usageError{fmt.Sprintf("%s takes one of %s, got %q", flag, strings.Join(known, ", "),
		got), "vitrine handshake " + flag + " " + nearest(got, known)}
}

// nearest returns the value of known that begins most like got: the last of several, which of
// versions is the newest, and the first of all if none begins like it.
func nearest(got string, known []string) string {
	best, most := known[0], 0
	for _, k := range known {
		n := 0
		for n < len(k) && n < len(got) && k[n] == got[n] {
			n++
		}
		if n > 0 && n >= most {
			best, most = k, n
		}
	}
	return best
}
