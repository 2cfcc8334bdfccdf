package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/render/html"
	"github.com/vitrine-tls/vitrine/render/markdown"
	screen "github.com/vitrine-tls/vitrine/render/term"
	"github.com/vitrine-tls/vitrine/trace"
)

// explainOutput is how saved events are shown.
type explainOutput struct {
	markdown, html, detail, color string
	json, redact                  bool
}

func newExplain() *cobra.Command {
	var o explainOutput
	cmd := &cobra.Command{
		Use:   "explain FILE...|TERM",
		Short: "Show saved events as a story, a page or a document; or explain a word, a number, an error message",
		Long: `FILE has events that --events or --json wrote, on this machine or another; - is standard input. Without a flag they are
shown as 'vitrine handshake' shows a run of its own. --html takes several files and shows the runs beside one another.

TERM is a word or a number of TLS: an alert, a message, an extension, a group, a signature scheme, a suite, a version, by name or
number; a secret such as key_block; or what some program said when a handshake failed. A number that means several things gets all
of its meanings. A file of the same name comes first.`,
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
				return &usageError{cmd.CommandPath() + " takes a FILE of events or a TERM", cmd.CommandPath() + " key_block"}
			}
			style, err := styleOf(cmd.OutOrStdout(), o.color)
			if err != nil {
				return err
			}
			if areFiles(args) {
				return explainFiles(cmd, args, &o, style)
			}
			return explainTerm(cmd, strings.Join(args, " "), &o, style)
		},
		ValidArgsFunction: func(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, t := range explain.Terms() {
				names = append(names, t.Name)
			}
			return names, cobra.ShellCompDirectiveDefault
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.markdown, "markdown", "", "write the events as a document to this file")
	f.StringVar(&o.html, "html", "", "write the events as a page to this file")
	f.BoolVar(&o.json, "json", false, "print the events, or the meanings of TERM, as JSON lines and nothing else")
	f.BoolVar(&o.redact, "redact", false, "leave out the secrets and the plaintext")
	detailFlag(cmd, &o.detail)
	colorFlag(cmd, &o.color)
	return cmd
}

// areFiles tells files from a term: a name that exists, or looks like that of a file.
func areFiles(args []string) bool {
	for _, a := range args {
		if info, err := os.Stat(a); a == "-" || err == nil && !info.IsDir() {
			return true
		}
		if strings.ContainsRune(a, os.PathSeparator) || strings.HasSuffix(a, ".json") || strings.HasSuffix(a, ".jsonl") {
			return true
		}
	}
	return false
}

// saved is a file of events.
type saved struct {
	entries []trace.Entry
	about   explain.Run
}

func explainFiles(cmd *cobra.Command, names []string, o *explainOutput, style screen.Style) error {
	level, err := levelOf(o.detail)
	if err != nil {
		return err
	}
	if len(names) > 1 && (o.markdown != "" || o.json) {
		return &usageError{"--markdown and --json take one FILE", cmd.CommandPath() + " " + quoted(names[0]) + " --html out.html"}
	}
	var runs []saved
	for _, name := range names {
		s, err := load(cmd.InOrStdin(), name, o.redact && !o.json)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		runs = append(runs, s)
	}
	if o.html != "" {
		var pages []html.Run
		for _, s := range runs {
			pages = append(pages, html.Run{Entries: s.entries, About: s.about})
		}
		if err := writeFile(o.html, func(w io.Writer) error { return html.Write(w, html.Options{}, pages...) }); err != nil {
			return fmt.Errorf("--html: %w", err)
		}
	}
	if o.markdown != "" {
		story := explain.Tell(runs[0].entries, runs[0].about)
		if err := writeFile(o.markdown, func(w io.Writer) error { return markdown.Write(w, story) }); err != nil {
			return fmt.Errorf("--markdown: %w", err)
		}
	}
	switch {
	case o.json:
		return copyEvents(cmd.OutOrStdout(), runs[0].entries, o.redact)
	case o.html != "" || o.markdown != "":
		return nil
	}
	return tellFiles(cmd.OutOrStdout(), names, runs, level, style)
}

func tellFiles(w io.Writer, names []string, runs []saved, level explain.Level, style screen.Style) error {
	for i, s := range runs {
		if i > 0 {
			fmt.Fprintln(w)
		}
		story := explain.Tell(s.entries, s.about)
		story.Result.Try = []explain.Hint{{Flag: "--detail bytes,keys", What: "everything"}, {Flag: "--html out.html", What: "as a page"}}
		if err := tellStory(w, story, s.entries, level, style); err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
	}
	return nil
}

// load reads a file of events, and leaves out what must not be shown.
func load(stdin io.Reader, name string, redact bool) (s saved, err error) {
	r := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return s, errors.Unwrap(err)
		}
		defer f.Close()
		r = f
	}
	if s.entries, err = trace.Read(bufio.NewReader(r)); err != nil {
		return s, err
	}
	if len(s.entries) == 0 {
		return s, errors.New("line 2: there are no events behind the schema")
	}
	if redact {
		var b bytes.Buffer
		if err := copyEvents(&b, s.entries, true); err != nil {
			return s, err
		}
		if s.entries, err = trace.Read(&b); err != nil {
			return s, err
		}
	}
	s.about = explain.Saved(s.entries)
	s.about.Flags = " " + quoted(name)
	return s, nil
}

func copyEvents(w io.Writer, entries []trace.Entry, redact bool) error {
	var options []trace.Option
	if !redact {
		options = append(options, trace.Reveal())
	}
	j := trace.NewWriter(w, options...)
	for _, e := range entries {
		j.Put(e)
	}
	return j.Err()
}

// explainTerm prints what a word means.
func explainTerm(cmd *cobra.Command, word string, o *explainOutput, style screen.Style) error {
	for flag, given := range map[string]bool{"--markdown": o.markdown != "", "--html": o.html != "", "--redact": o.redact, "--detail": o.detail != ""} {
		if given {
			return &usageError{fmt.Sprintf("%s is for a FILE, and there is no file %q", flag, word), "vitrine handshake --events run.json"}
		}
	}
	terms := explain.Lookup(word)
	if len(terms) == 0 {
		wayOut := "vitrine explain handshake_failure"
		problem := fmt.Sprintf("there is no file %q, and the catalogue has no such word or number", word)
		if near := explain.Near(word); len(near) > 0 {
			wayOut = "vitrine explain " + quoted(near[0])
			problem += "; perhaps " + strings.Join(near, ", ")
		}
		return &usageError{problem, wayOut}
	}
	if o.json {
		e := json.NewEncoder(cmd.OutOrStdout())
		for _, t := range terms {
			if err := e.Encode(t); err != nil {
				return err
			}
		}
		return nil
	}
	return screen.WriteTerms(cmd.OutOrStdout(), terms, style)
}

// detailFlag adds --detail to a command that tells a story.
func detailFlag(cmd *cobra.Command, detail *string) {
	cmd.Flags().StringVar(detail, "detail", "", "how deep: steps; bytes (every byte named); keys (inside the PRF, and commands); bytes,keys")
	complete(cmd, "detail", "steps", "bytes", "keys", "bytes,keys")
}

var levels = map[string]explain.Level{"steps": explain.Steps, "bytes": explain.Bytes, "keys": explain.Inner}

func levelOf(detail string) (level explain.Level, err error) {
	if detail == "" {
		return explain.Steps, nil
	}
	for word := range strings.SplitSeq(detail, ",") {
		l, ok := levels[word]
		if !ok {
			return 0, &usageError{fmt.Sprintf("--detail takes steps, bytes or keys, got %q", word), "vitrine handshake --detail bytes"}
		}
		level |= l
	}
	return level, nil
}

// tellStory writes a story to the terminal, as deep as it is wanted.
func tellStory(w io.Writer, s *explain.Story, entries []trace.Entry, level explain.Level, style screen.Style) error {
	if level == explain.Steps {
		return screen.Write(w, s, style)
	}
	return screen.WriteDetailed(w, s, explain.Dig(entries, level), style)
}
