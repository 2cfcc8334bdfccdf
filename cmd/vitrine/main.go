// Command vitrine shows how TLS comes to its keys.
//
// The code of "vitrine NAME" is in NAME.go, NAME13.go and NAME_*.go, its tests too. What several
// commands share is in cli_*.go, and their live page in live*.go. The tests in docs_*_test.go
// compare the documents with what the commands do. The stories in testdata are run by main_test.go,
// connect_peers_test.go and decrypt_test.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/explain"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// unlisted returns args without the dash before an item of a list, which is no flag, if explain is
// asked about it: GnuTLS prints such lines.
func unlisted(root *cobra.Command, args []string) []string {
	if c, _, err := root.Find(args); err != nil || c.Name() != "explain" {
		return args
	}
	args = slices.Clone(args)
	for i, a := range args {
		args[i] = strings.TrimPrefix(a, "- ")
	}
	return args
}

// misspelt returns the error of a first word that is no command, if others follow: with --help or
// --version among them it would be passed over.
func misspelt(root *cobra.Command, args []string) error {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	if len(args) < 2 || strings.HasPrefix(args[0], "-") || strings.HasPrefix(args[0], "__") {
		return nil // "__" begins what shells ask when they complete a line
	}
	if c, _, err := root.Find(args); err == nil && c == root {
		return noCommand(root, args[0])
	}
	return nil
}

// run runs the command with args and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(unlisted(root, args))
	root.SetOut(stdout)
	root.SetErr(stderr)
	told := fit(stderr)
	cmd, err := root, misspelt(root, args)
	if err == nil {
		cmd, err = root.ExecuteContextC(ctx)
	}
	if value, ok := errors.AsType[*valueError](err); ok {
		err = value.usage(cmd)
	}
	if locked(err) && ctx.Err() == nil {
		err = unlocking(cmd, err)
	}
	if named, ok := errors.AsType[*inputError](err); ok && ctx.Err() == nil {
		var usage *usageError
		if !errors.As(err, &usage) {
			err = &usageError{named.Error(), cmd.CommandPath() + " --help"}
		}
	}
	var usage *usageError
	var coded *exitError
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &usage):
		usage = usage.completed(cmd)
		fmt.Fprintf(told, "vitrine: %s\ntry:     %s\n", bounded(usage.problem),
			bounded(usage.wayOut))
		return exitUsage
	}
	fmt.Fprintf(told, "vitrine: %s\n", bounded(strings.TrimPrefix(err.Error(), "vitrine: ")))
	if errors.As(err, &coded) {
		return coded.code
	}
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "vitrine",
		Short: "Vitrine TLS: a TLS stack that can be seen through",
		Long: `Vitrine TLS shows how a client and a server arrive at the same keys: every message,
every derivation, every byte.

  vitrine handshake        is where to begin
  vitrine help exit-codes  tells what each exit code means

Text is as wide as the terminal, or as the environment variable COLUMNS says, for a pipe too.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,

		PersistentPreRunE: checkFlags,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return noCommand(cmd, args[0])
		},
	}
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(writeHelp)
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(),
		"CommandPathPadding}} {{.Short}}", "CommandPathPadding}}  {{.Short}}", 1))
	info, ok := debug.ReadBuildInfo()
	root.Version = version(info, ok) // adds --version
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetHelpCommand(newHelp())
	root.AddCommand(newHandshake(), newConnect(), newServe(), newDecrypt(), newDerive(),
		newExplain(), newPlayground(), newProbe(), newSuites(), newGroups(), newPolicies(),
		newVersion(), newExitCodes(), newMan())
	return root
}

// maxPrinted is how much is printed of an error, in bytes: it may quote a file, or a peer.
const maxPrinted = 4000

// bounded returns an error's text, printable and not endless.
func bounded(text string) string {
	if len(text) > maxPrinted {
		text = text[:maxPrinted] + "…"
	}
	return explain.Escape(text)
}
