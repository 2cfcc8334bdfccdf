package main

import (
	"bytes"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// usualWidth is the width of text where none is known.
const usualWidth = 100

// fitted is a Writer of lines. It breaks those that are wider than width at spaces, and indents
// what follows. Lines to paste, and words, stay whole.
type fitted struct {
	w     io.Writer
	width int
	rest  []byte // a line whose end has not come
}

// fit returns a Writer of lines that fit the width of w, if that is known.
func fit(w io.Writer) io.Writer {
	if n := columns(w); n > 0 {
		return &fitted{w: w, width: n}
	}
	return w
}

func (f *fitted) Write(p []byte) (int, error) {
	f.rest = append(f.rest, p...)
	end := bytes.LastIndexByte(f.rest, '\n') + 1
	whole := string(f.rest[:end])
	f.rest = append(f.rest[:0], f.rest[end:]...)
	for line := range strings.Lines(whole) {
		if _, err := io.WriteString(f.w, folded(strings.TrimSuffix(line, "\n"), f.width)+
			"\n"); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// pasted matches lines that are made to be pasted.
var pasted = regexp.MustCompile(
	`^(try|works with|in Go): |^ +(ssl_|SSL|ssl-|openssl |curl |\$ )|^ +--.*\\$`,
)

// logged matches a line of a log, by its time.
var logged = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\S+ `)

// gap matches the space between a name and the text beside it.
var gap = regexp.MustCompile(`\S( {2,})\S`)

// folded breaks a line, and puts what follows below the text beside its name, if there is room.
func folded(line string, width int) string {
	if len([]rune(line)) <= width {
		return line
	}
	if example.MatchString(line) {
		return continued(line, width)
	}
	if pasted.MatchString(line) {
		return line
	}
	lead := len(line) - len(strings.TrimLeft(line, " "))
	beside := 0
	for _, at := range gap.FindAllStringSubmatchIndex(line, -1) {
		if n := len([]rune(line[:at[3]])); n <= width/2 {
			beside = at[3]
		}
	}
	if beside == 0 {
		if at := gap.FindStringSubmatchIndex(line); at != nil && lead > 0 { // text below its name
			return line[:at[2]] + "\n" + folded(strings.Repeat(" ", lead+4)+line[at[3]:], width)
		}
		hang := min(lead, 2)
		if logged.MatchString(line) {
			hang = 4
		}
		parts := wrap(line[lead:], width-lead-hang)
		return strings.Repeat(" ", lead) +
			strings.Join(parts, "\n"+strings.Repeat(" ", lead+hang))
	}
	indent := len([]rune(line[:beside]))
	return line[:beside] + strings.Join(wrap(strings.Join(strings.Fields(line[beside:]), " "),
		width-indent), "\n"+strings.Repeat(" ", indent))
}

// example matches a command in a list of examples.
var example = regexp.MustCompile(`^ +vitrine `)

// continued breaks an example before its flags, with the shell's mark of a line that continues.
// What the example is for goes below it.
func continued(line string, width int) string {
	lead := len(line) - len(strings.TrimLeft(line, " "))
	indent := strings.Repeat(" ", lead+4)
	if at := gap.FindStringSubmatchIndex(line); at != nil {
		return continued(line[:at[2]], width) + "\n" + folded(indent+line[at[3]:], width)
	}
	parts := strings.Split(line, " --")
	broken, last := "", parts[0]
	for i, flag := range parts[1:] {
		mark := ` \`
		if i == len(parts)-2 {
			mark = ""
		}
		if len([]rune(last+" --"+flag+mark)) > width {
			broken += last + " \\\n"
			last = indent + "--" + flag
			continue
		}
		last += " --" + flag
	}
	return broken + last
}

// reflowed joins the lines of each paragraph, so that they can be broken elsewhere. Lines that are
// indented stay.
func reflowed(text string) string {
	var b strings.Builder
	joins := false // the line before can be continued
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		plain := line != "" && line[0] != ' '
		switch {
		case joins && plain:
			b.WriteString(" ")
		case b.Len() > 0:
			b.WriteString("\n")
		}
		b.WriteString(line)
		joins = plain
	}
	return b.String()
}

// writeHelp writes the help of a command, as wide as the terminal.
func writeHelp(cmd *cobra.Command, _ []string) {
	out := cmd.OutOrStdout()
	f := &fitted{w: out, width: usualWidth}
	if n := columns(out); n > 0 {
		f.width = n
	}
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	text := strings.TrimRight(reflowed(about), "\n ") + "\n\n"
	if cmd.Runnable() || cmd.HasSubCommands() {
		text += cmd.UsageString()
	}
	io.WriteString(f, text)
}
