package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes of all commands.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUndecrypted = 3
	exitUntrusted   = 4
	exitUnreached   = 5
	exitInterrupted = 130
)

// exitCodes is the table of exit codes. The texts of --help are made from it. A row without a
// command applies to all commands.
var exitCodes = []struct {
	code    int
	command string
	meaning string
}{
	{exitOK, "", "success"},
	{exitFailed, "", "the handshake or another step failed"},
	{exitFailed, "probe", "there is a finding of the severity of --fail-on"},
	{exitUsage, "", "the command line is wrong, or a file that it names cannot be used: nothing " +
		"was done, and a line that helps is printed"},
	{exitUndecrypted, "decrypt",
		"data of a selected connection was not decrypted although there was a secret or " +
			"--print or --out, or the capture has no TLS, or none that is selected"},
	{exitUntrusted, "connect", "the server's certificate is not trusted"},
	{exitUnreached, "probe", "a server was not reached, or does not speak TLS there"},
	{exitUnreached, "connect", "the server was not reached, or does not speak TLS there"},
	{exitInterrupted, "", "interrupted"},
}

// exitLine returns the exit codes of one command as a paragraph of its --help.
func exitLine(command string) string {
	var codes []string
	last := -1
	for _, row := range exitCodes {
		switch {
		case row.command != "" && row.command != command:
			continue
		case row.code == last:
			codes[len(codes)-1] += ", or " + row.meaning
		default:
			codes = append(codes, fmt.Sprintf("%d %s", row.code, row.meaning))
		}
		last = row.code
	}
	return "Exit codes: " + strings.Join(codes, "; ") + "."
}

// newExitCodes returns the help topic exit-codes, a command that cannot be run.
func newExitCodes() *cobra.Command {
	var text strings.Builder
	text.WriteString("The exit codes of vitrine:\n\n")
	for _, row := range exitCodes {
		meaning := row.meaning
		if row.command != "" {
			meaning = row.command + ": " + meaning
		}
		fmt.Fprintf(&text, "  %3d  %s\n", row.code, meaning)
	}
	return &cobra.Command{Use: "exit-codes", Short: "The exit codes of all commands",
		Long: text.String()}
}
