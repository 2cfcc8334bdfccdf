package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	screen "github.com/vitrine-tls/vitrine/render/term"
)

// colorFlag adds --color to a command.
func colorFlag(cmd *cobra.Command, when *string) {
	cmd.Flags().StringVar(when, "color", "auto", "colours and box drawing: auto, always or never")
	complete(cmd, "color", "auto", "always", "never")
}

// styleOf returns what out can show, given the value of --color. With "auto", a pipe gets ASCII
// without colours, and NO_COLOR turns colours off but not box drawing.
func styleOf(out io.Writer, when string) (screen.Style, error) {
	f, isFile := out.(*os.File)
	wide := columns(out)
	terminal := isFile && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
	switch when {
	case "always":
		return screen.Style{Unicode: true, Color: true, Columns: wide}, nil
	case "never":
		return screen.Style{Unicode: terminal && utf8Locale(), Columns: wide}, nil
	case "auto":
		return screen.Style{Unicode: terminal && utf8Locale(), Color: terminal &&
			os.Getenv("NO_COLOR") == "", Columns: wide}, nil
	}
	return screen.Style{}, unknownValue("color", when, "auto", "always", "never")
}

// utf8Locale reports whether the locale says that the terminal shows UTF-8. The first of the three
// variables that is set decides.
func utf8Locale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(name); v != "" {
			v = strings.ToUpper(v)
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return false
}

// minColumns is the least width that is believed of COLUMNS.
const minColumns = 20

// columns returns the width of the environment variable COLUMNS, which a user exports to set it,
// for a pipe too; or else that of the terminal, or 0 if out is no terminal.
func columns(out io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n >= minColumns {
		return n
	}
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return w
}

// complete registers the values of a flag for completion by the shell.
func complete(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag,
		cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// quoted quotes s for a POSIX shell if that is needed.
func quoted(s string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-.:,/", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// wrap breaks a text at spaces into lines of at most width characters, if its words allow.
func wrap(text string, width int) (parts []string) {
	line := ""
	for word := range strings.SplitSeq(text, " ") {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			parts, line = append(parts, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(parts, line)
}

// aligned prints lines whose cells are separated by tabs as a table.
func aligned(w io.Writer, lines []string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(t, strings.Join(lines, "\n")); err != nil {
		return err
	}
	return t.Flush()
}
