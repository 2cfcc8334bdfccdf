package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newMan returns the command that writes manual pages, one for each command, from the same texts as
// --help. It is hidden: install.sh calls it.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages of all commands to a folder",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return writeManual(cmd.Root(), args[0])
		},
	}
}

// writeManual writes the pages of root and its commands to dir, which it makes if it does not
// exist.
func writeManual(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range append([]*cobra.Command{root}, commandsOf(root)...) {
		name := filepath.Join(dir, manName(c)+".1")
		if err := writePublicFile(name, func(w io.Writer) error {
			_, err := io.WriteString(w, manPage(c))
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// commandsOf returns the commands that have a page.
func commandsOf(root *cobra.Command) (list []*cobra.Command) {
	for _, c := range root.Commands() {
		if !c.Hidden && (c.Runnable() || c.Long != "") && c.Name() != "completion" &&
			c.Name() != "help" {
			list = append(list, c)
		}
	}
	return list
}

func manName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manPage returns the page of a command in the language of man(7).
func manPage(c *cobra.Command) string {
	var b strings.Builder
	name := manName(c)
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"Vitrine TLS\" \"Vitrine TLS\"\n", roff(strings.ToUpper(name)))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(c.Short))
	use := c.UseLine()
	if !c.HasParent() {
		use += " COMMAND [flags]"
	}
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(use))
	b.WriteString(".SH DESCRIPTION\n")
	for paragraph := range strings.SplitSeq(c.Long, "\n\n") {
		b.WriteString(".PP\n" + manText(paragraph))
	}
	if !c.HasParent() {
		b.WriteString(".SH COMMANDS\n")
		for _, sub := range commandsOf(c) {
			fmt.Fprintf(&b, ".TP\n.BR %s (1)\n%s\n", roff(manName(sub)), roff(sub.Short))
		}
	}
	c.InitDefaultHelpFlag()
	b.WriteString(".SH OPTIONS\n")
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		short := ""
		if f.Shorthand != "" {
			short = `\fB\-` + roff(f.Shorthand) + `\fR, `
		}
		fmt.Fprintf(&b, ".TP\n%s\\fB%s\\fR \\fI%s\\fR\n%s%s\n", short, roff("--"+f.Name),
			roff(kind), roff(usage), roff(defaultOf(f)))
	})
	if c.Example != "" {
		b.WriteString(".SH EXAMPLES\n.nf\n")
		for line := range strings.Lines(c.Example) {
			b.WriteString(roff(strings.TrimSuffix(line, "\n")) + "\n")
		}
		b.WriteString(".fi\n")
	}
	if c.HasParent() {
		fmt.Fprintf(&b, ".SH SEE ALSO\n.BR %s (1)\n", roff(manName(c.Parent())))
	}
	return b.String()
}

// manText returns a paragraph. Lines that are indented, as in a table, or that begin with a name
// and a colon stay as they are.
func manText(paragraph string) string {
	keep := strings.Contains("\n"+paragraph, "\n  ") || strings.Contains(paragraph, ":  ")
	text := ""
	for line := range strings.Lines(paragraph) {
		text += roff(strings.TrimSuffix(line, "\n")) + "\n"
	}
	if keep {
		return ".nf\n" + text + ".fi\n"
	}
	return text
}

// defaultOf returns what --help says of a flag's default.
func defaultOf(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "false", "[]", "0", "0s":
		return ""
	}
	return " (default " + f.DefValue + ")"
}

// roff escapes what the language of man(7) would take for its own.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~",
		`\(ti`).Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	var b strings.Builder
	for _, r := range s {
		if r > 0x7E {
			fmt.Fprintf(&b, `\[u%04X]`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
