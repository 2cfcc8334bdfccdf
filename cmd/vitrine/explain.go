package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/render/html"
	screen "github.com/vitrine-tls/vitrine/render/term"
	"github.com/vitrine-tls/vitrine/trace"
)

// explainOutput has the flags that say how saved events are shown.
type explainOutput struct {
	artefacts
	detail, color string
	json, redact  bool
}

func newExplain() *cobra.Command {
	var o explainOutput
	cmd := &cobra.Command{
		Use: "explain FILE...|TERM",
		Short: "Show saved events as text, a page or a document; or explain a term, a number or " +
			"an error message",
		Long: `FILE has events that --events or --json wrote, on this machine or another; - is
standard input. Without a flag they are shown as 'vitrine handshake' shows its own. --html takes
several files and shows their connections side by side.

TERM is a word or a number of TLS: an alert, a message, an extension, a group, a signature scheme,
a suite or a version, by name or number; a secret such as key_block; or an error message that a
program printed when a handshake failed, which is explained with its usual cause and the command
that finds out more. A number with several meanings is explained in all of them. If a file has the
name of a TERM, the file is shown.`,
		Example: `  vitrine explain run.json --detail bytes
  vitrine explain rsa.json ecdhe.json --html both.html
  vitrine explain run.json --redact --json > public.json
  vitrine explain 40
  vitrine explain 0xC02F
  vitrine explain key_block
  vitrine explain "sslv3 alert handshake failure"`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{cmd.CommandPath() + " takes a FILE of events or a TERM",
					cmd.CommandPath() + " key_block"}
			}
			style, err := styleOf(cmd.OutOrStdout(), o.color)
			if err != nil {
				return err
			}
			if rows, ok := historyIn(args); ok {
				return explainHistory(cmd, args[0], rows, &o)
			}
			if areFiles(args) {
				return explainFiles(cmd, args, &o, style)
			}
			return explainTerm(cmd, strings.Join(args, " "), &o, style)
		},
		ValidArgsFunction: func(_ *cobra.Command, _ []string, _ string) ([]string,
			cobra.ShellCompDirective) {
			var names []string
			for _, t := range explain.Terms() {
				names = append(names, t.Name)
			}
			return names, cobra.ShellCompDirectiveDefault
		},
	}
	f := cmd.Flags()
	artefactFlags(cmd, &o.artefacts)
	f.BoolVar(&o.json, "json", false,
		"print the events, or the meanings of TERM, as JSON lines and nothing else")
	f.BoolVar(&o.redact, "redact", false, "leave out the secrets and the plaintext")
	detailFlag(cmd, &o.detail)
	colorFlag(cmd, &o.color)
	return cmd
}

// areFiles reports whether args are files and not a term: whether one of them exists or looks like
// the name of a file.
func areFiles(args []string) bool {
	for _, a := range args {
		if info, err := os.Stat(a); a == "-" || err == nil && !info.IsDir() {
			return true
		}
		// the text of an error may name a file of the program's source
		message := strings.ContainsRune(a, ' ')
		if strings.ContainsRune(a, os.PathSeparator) && !message || strings.HasSuffix(a, ".json") ||
			strings.HasSuffix(a, ".jsonl") {
			return true
		}
	}
	return false
}

func explainFiles(cmd *cobra.Command, names []string, o *explainOutput, style screen.Style) error {
	level, err := levelOf(o.detail)
	if err != nil {
		return err
	}
	one := o.artefacts
	one.html = ""
	if len(names) > 1 && (one.any() || o.json) {
		return &usageError{"only --html takes several FILEs", cmd.CommandPath() + " " +
			quoted(names[0]) + " " + quoted(names[1]) + " --html out.html"}
	}
	var runs []connection
	var pages []html.Run
	for _, name := range names {
		c, err := load(cmd.InOrStdin(), name, o.redact && !o.json)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return ofInput(name, err)
			}
			what, _, _ := strings.Cut(err.Error(), ": invalid character") // a library's words
			return ofInput(name, errors.New(what))
		}
		runs = append(runs, c)
		pages = append(pages, html.Run{Entries: c.entries, About: c.about})
	}
	if o.html != "" {
		if err := writePage(o.html, pages, cmd.ErrOrStderr()); err != nil {
			return err
		}
	}
	one.reveal = !o.redact
	if err := one.write(runs[0], cmd.ErrOrStderr()); err != nil {
		return err
	}
	switch {
	case o.json:
		return copyEvents(cmd.OutOrStdout(), runs[0].entries, o.redact)
	case o.any():
		return nil
	}
	return tellFiles(cmd.OutOrStdout(), names, runs, level, style)
}

func tellFiles(w io.Writer, names []string, runs []connection, level explain.Level,
	style screen.Style) error {
	for i, s := range runs {
		if i > 0 {
			fmt.Fprintln(w)
		}
		story := explain.Tell(s.entries, s.about)
		story.Result.Try = []explain.Hint{{Flag: "--detail bytes,keys", What: "everything"},
			{Flag: "--html out.html", What: "as a page"}}
		if err := tellStory(w, story, s.entries, level, style); err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
	}
	return nil
}

// load reads a file of events, and removes secrets if redact is set.
func load(stdin io.Reader, name string, redact bool) (c connection, err error) {
	r := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return c, errors.Unwrap(err)
		}
		defer f.Close()
		r = f
	}
	if r, err = unpacked(r); err != nil {
		return c, err
	}
	if c.entries, err = trace.Read(r); err != nil {
		return c, err
	}
	if len(c.entries) == 0 {
		return c, errors.New("line 2: there are no events after the schema line")
	}
	if redact {
		if c.entries, err = redacted(c.entries); err != nil {
			return c, err
		}
	}
	c.about = explain.Saved(c.entries)
	c.about.Flags = " " + quoted(name)
	return c, nil
}

// unpacked returns what r has, also if it is compressed with gzip, as the files of --history are.
func unpacked(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	if magic, _ := b.Peek(2); string(magic) != "\x1f\x8b" {
		return b, nil
	}
	return gzip.NewReader(b)
}

// explainTerm prints the meanings of a word or number.
func explainTerm(cmd *cobra.Command, word string, o *explainOutput, style screen.Style) error {
	for flag, value := range map[string]string{"--markdown": o.markdown, "--html": o.html,
		"--events": o.events, "--pcap": o.pcap, "--keylog-out": o.keyLog, "--detail": o.detail} {
		if value != "" {
			return &usageError{fmt.Sprintf("%s is for a FILE, and there is no file %q", flag, word),
				"vitrine handshake --events run.json"}
		}
	}
	terms := explain.Lookup(word)
	if len(terms) == 0 {
		wayOut := "vitrine explain handshake_failure"
		problem := fmt.Sprintf("there is no file %q, and the catalogue has no such word or number",
			word)
		if near := explain.Near(word); len(near) > 0 {
			wayOut = "vitrine explain " + quoted(near[0])
			problem += "; perhaps " + strings.Join(near, ", ")
		}
		return &usageError{problem, wayOut}
	}
	if o.json {
		return writeJSONLines(cmd.OutOrStdout(), terms)
	}
	return screen.WriteTerms(cmd.OutOrStdout(), terms, style)
}
