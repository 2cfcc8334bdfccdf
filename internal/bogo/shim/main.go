// Command shim drives Vitrine as BoringSSL's test runner (BoGo) asks for: one process a test, one
// or more connections, all settings as flags. The runner acts as a TLS peer that breaks the
// protocol on purpose and checks what the shim does about it.
//
// The Config is the default one, policy Modern, but for what the tests ask for: old versions,
// suites and signature schemes. What has no setting is done with callbacks.
//
// It exits with 0 for success, 1 for a connection that failed (the reason is one line on standard
// error), 89 for a flag that it does not implement, and 90 for a fault of its own.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
)

const (
	exitFailed        = 1
	exitUnimplemented = 89
	exitFault         = 90
)

// errUnimplemented is a flag, or a value of one, that the shim cannot honour.
var errUnimplemented = errors.New("unimplemented")

func unimplemented(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUnimplemented, fmt.Sprintf(format, args...))
}

func main() {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "panic: %v\n%s", p, debug.Stack())
			os.Exit(exitFault)
		}
	}()
	if slices.Contains(os.Args[1:], "-is-handshaker-supported") {
		fmt.Println("No")
		return
	}
	err := run(os.Args[1:])
	switch {
	case err == nil:
	case errors.Is(err, errUnimplemented):
		fmt.Println(err)
		os.Exit(exitUnimplemented)
	default:
		line := strings.ReplaceAll(err.Error(), "\n", " ")
		fmt.Fprintln(os.Stderr, code(err), line)
		os.Exit(exitFailed)
	}
}

// run performs the connections of one test, one after the other.
func run(args []string) error {
	flags, err := parse(args)
	if err != nil {
		return err
	}
	first, err := flags.options(0, false)
	if err != nil {
		return err
	}
	shared := newShared()
	for i := range first.resumeCount + 1 {
		o, err := flags.options(i, false)
		if err != nil {
			return err
		}
		rejected, err := flags.options(i, true)
		if err != nil {
			return err
		}
		if err := newConnection(o, rejected, shared, i).perform(); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		shared.advance(o)
	}
	return nil
}
