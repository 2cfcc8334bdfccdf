package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is an error of the command line. wayOut is a command line that can be pasted.
type usageError struct{ problem, wayOut string }

func (e *usageError) Error() string { return e.problem }

// completed returns the error with the file and the flags in its way out that the user gave and
// that are no part of the problem.
func (e *usageError) completed(cmd *cobra.Command) *usageError {
	line, remark, _ := strings.Cut(e.wayOut, " # ")
	if args := cmd.Flags().Args(); len(args) > 0 && !strings.Contains(e.problem, args[0]) {
		line = strings.Replace(line, " traffic.pcapng", " "+quoted(args[0]), 1)
	}
	if !strings.HasPrefix(line+" ", cmd.CommandPath()+" ") || strings.Contains(line, " --help") {
		return e
	}
	said := strings.NewReplacer(",", " ", ":", " ", ";", " ", "=", " ").Replace(e.problem + " " +
		line + " ")
	var without []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if strings.Contains(said, "--"+f.Name+" ") ||
			f.Shorthand != "" && strings.Contains(said, " -"+f.Shorthand+" ") {
			without = append(without, f.Name)
		}
	})
	line += given(cmd, without...)
	if remark != "" {
		line += " # " + remark
	}
	return &usageError{e.problem, line}
}

// valueError reports that a flag has none of its known values.
type valueError struct {
	flag, got string // flag without its dashes
	known     []string
	says      string // the problem, if the known values are too many to list
}

func (e *valueError) Error() string {
	if e.says != "" {
		return "--" + e.flag + ": " + e.says
	}
	return "--" + e.flag + " " + e.problem()
}

func (e *valueError) problem() string {
	return fmt.Sprintf("takes one of %s, got %q", strings.Join(e.known, ", "), e.got)
}

// usage returns the error of the command line of cmd. Its way out is that command line with the
// nearest of the known values.
func (e *valueError) usage(cmd *cobra.Command) *usageError {
	return &usageError{e.Error(), asGiven(cmd, e.flag) + " --" + e.flag + " " +
		quoted(nearest(e.got, e.known))}
}

// inputError reports that something which the command line names cannot be used: a file that is
// missing or not what it must be, or a password that does not open it. Nothing was done.
type inputError struct{ err error }

func (e *inputError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *inputError) Unwrap() error { return e.err }

// ofInput returns an inputError with the name of a flag or file, or the error of the command line
// that err already is.
func ofInput(name string, err error) error {
	if usage, ok := errors.AsType[*usageError](err); ok {
		return usage
	}
	return &inputError{fmt.Errorf("%s: %w", name, plainer(err))}
}

// locked reports whether err says that a file needs a password, or another one.
func locked(err error) bool {
	_, ok := errors.AsType[*lockedError](err)
	return ok
}

// unlocking returns the error of the command line of cmd that names a file which did not open. Its
// way out is that command line with a password.
func unlocking(cmd *cobra.Command, err error) *usageError {
	return &usageError{err.Error(), asGiven(cmd, "password") + " --password env:NAME"}
}

// asGiven returns the command line of cmd without some of its flags, and without those that say
// how results are shown.
func asGiven(cmd *cobra.Command, without ...string) string {
	line := cmd.CommandPath()
	for _, arg := range cmd.Flags().Args() {
		line += " " + quoted(arg)
	}
	return line + given(cmd, without...)
}

// noArgs returns an error if there are arguments, such as a value whose flag was forgotten.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	wayOut := cmd.CommandPath() + " --help"
	if listen := cmd.Flags().Lookup("listen"); listen != nil && !listen.Changed {
		if address := asAddress(args[0], listen.DefValue); address != "" {
			wayOut = cmd.CommandPath() + " --listen " + quoted(address)
		}
	}
	return &usageError{fmt.Sprintf("%s takes no arguments, got %q", cmd.CommandPath(), args[0]),
		wayOut}
}

// asAddress returns the address that s names: a host and a port, or a port at the host of
// another address. If s is neither, it is "".
func asAddress(s, other string) string {
	isPort := func(s string) bool {
		_, err := strconv.ParseUint(s, 10, 16)
		return err == nil
	}
	if isPort(s) {
		host, _, err := net.SplitHostPort(other)
		if err != nil {
			return ""
		}
		return net.JoinHostPort(host, s)
	}
	if _, port, err := net.SplitHostPort(s); err != nil || !isPort(port) {
		return ""
	}
	return s
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
	return &valueError{flag: flag, got: got, known: known}
}
