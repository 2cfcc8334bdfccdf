package main

import (
	"fmt"
	"io"
	"math"
	"os/exec"
	"strconv"
	"strings"
)

// document has the table between two marks, and around it what people wrote.
const (
	document    = "docs/performance.md"
	tableBegins = "<!-- table: go run ./internal/bench -write -->\n"
	tableEnds   = "<!-- /table -->\n"
)

const heading = "| | Vitrine | time to crypto/tls | instructions | time to OpenSSL | " +
	"instructions | allocations | KB | cryptography | goal |\n" +
	"|---|---|---|---|---|---|---|---|---|---|\n"

// table returns the generated part of the document.
func table(m machine, results []result, read []captured) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s.\n", m.kind, m.when)
	section := ""
	for _, r := range results {
		if r.section != section {
			section = r.section
			fmt.Fprintf(&b, "\n### %s\n\n%s", section, heading)
		}
		fmt.Fprintln(&b, r.line())
	}
	if len(read) > 0 {
		b.WriteString(capturesTable(read))
	}
	b.WriteString(behind(results))
	return b.String()
}

// line returns the row as Markdown.
func (r result) line() string {
	if r.failed != nil {
		return fmt.Sprintf("| %s | not measured: %v |", r.name, r.failed)
	}
	cells := []string{r.name, r.own()}
	for i := 1; i <= 2; i++ {
		time, instructions := "–", "–"
		if s, ok := r.ratio(i); ok {
			time = fmt.Sprintf("%.2f (%.2f–%.2f)", s.median, s.low, s.high)
		}
		if n := r.stacks[i].instructions; n > 0 {
			instructions = fmt.Sprintf("%.3f", r.stacks[0].instructions/n)
		}
		cells = append(cells, time, instructions)
	}
	cells = append(cells, r.beside(allocsOf, 1), r.beside(bytesOf, 1000), r.cryptography(),
		r.judged())
	return "| " + strings.Join(cells, " | ") + " |"
}

// own returns what an operation of Vitrine costs.
func (r result) own() string {
	if r.memory() {
		return fmt.Sprintf("%.1f KB", spreadOf(r.stacks[0].of(bytesOf)).median/1000)
	}
	return fmt.Sprintf("%.0f µs", spreadOf(r.stacks[0].of(microsOf)).median)
}

// beside returns a figure of Vitrine's and of crypto/tls's.
func (r result) beside(figure func(sample) float64, unit float64) string {
	if r.memory() {
		return "–"
	}
	var cells []string
	for _, m := range r.stacks[:2] {
		if len(m.samples) > 0 {
			cells = append(cells, fmt.Sprintf("%.0f", spreadOf(m.of(figure)).median/unit))
		}
	}
	return strings.Join(cells, " / ")
}

// cryptography returns its share in Vitrine's time and in crypto/tls's.
func (r result) cryptography() string {
	var cells []string
	for _, s := range r.shares {
		if s != (shares{}) {
			cells = append(cells, fmt.Sprintf("%.0f %%", 100*s.cryptography()))
		}
	}
	if cells == nil {
		return "–"
	}
	return strings.Join(cells, " / ")
}

// judged returns the goal, and whether it was met: beside the better of the others, which is the
// one with the greater ratio.
func (r result) judged() string {
	if r.goal == 0 {
		return ""
	}
	mark := "met"
	if !r.met() {
		mark = "**not met**"
	}
	return fmt.Sprintf("≤ %.2f: %s", r.goal, mark)
}

// worst returns the ratio to the better of the others.
func (r result) worst() (worst float64) {
	for i := 1; i <= 2; i++ {
		if s, ok := r.ratio(i); ok {
			worst = max(worst, s.median)
		}
	}
	return worst
}

// met reports whether the goal, if there is one, is reached, as far as the table shows it.
func (r result) met() bool {
	return r.goal == 0 || r.failed != nil || math.Round(100*r.worst()) <= math.Round(100*r.goal)
}

// rewritten returns the document with this table in place of the one it has.
func rewritten(text string, m machine, results []result, read []captured) string {
	before, rest, _ := strings.Cut(text, tableBegins)
	_, after, _ := strings.Cut(rest, tableEnds)
	return before + tableBegins + table(m, results, read) + tableEnds + after
}

// committed returns the document as it was committed last.
func committed() (string, error) {
	text, err := exec.Command("git", "show", "HEAD:./"+document).Output()
	return string(text), err
}

// What a ratio may grow by before a row counts as slower: instructions and memory repeat to a
// hundredth or two.
const tolerance = 1.03

// compare says which rows got slower than those of the document: by instructions where both have
// them, and else by processor time, if the quartiles no longer overlap.
func compare(w io.Writer, text string, m machine, results []result) error {
	if !strings.Contains(text, m.kind+"\n") {
		return fmt.Errorf("the table of %s was made elsewhere; here: %s", document, m.kind)
	}
	slower := 0
	for _, r := range results {
		old := cellsOf(text, r)
		now := cellsOf(table(m, []result{r}, nil), r)
		for i := 2; old != nil && i <= 4; i += 2 {
			if reason := worse(old[i:i+2], now[i:i+2], r.memory()); reason != "" {
				slower++
				fmt.Fprintf(w, "slower beside %s: %s: %s: %s\n",
					[]string{cryptoTLS, openSSL}[i/2-1], r.section, r.name, reason)
			}
		}
	}
	if slower > 0 {
		return fmt.Errorf("%d figures got slower than in %s", slower, document)
	}
	fmt.Fprintln(w, "nothing got slower than in", document)
	return nil
}

// cellsOf returns the cells of r's line in a document, or nil.
func cellsOf(text string, r result) []string {
	_, section, _ := strings.Cut(text, "### "+r.section+"\n")
	section, _, _ = strings.Cut(section, "\n#")
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if strings.TrimSpace(cells[0]) == r.name && len(cells) > 5 {
			return cells
		}
	}
	return nil
}

// worse compares a cell of time and one of instructions with what they were, and returns what got
// worse, or nothing.
func worse(old, now []string, memory bool) string {
	was, errWas := strconv.ParseFloat(old[1], 64)
	is, errIs := strconv.ParseFloat(now[1], 64)
	if errWas == nil && errIs == nil {
		if is > was*tolerance {
			return fmt.Sprintf("instructions %s, were %s", now[1], old[1])
		}
		return ""
	}
	var a, b spread
	_, errWas = fmt.Sscanf(old[0], "%f (%f–%f)", &a.median, &a.low, &a.high)
	_, errIs = fmt.Sscanf(now[0], "%f (%f–%f)", &b.median, &b.low, &b.high)
	if errWas != nil || errIs != nil || b.low <= a.high ||
		memory && b.median <= a.median*tolerance {
		return ""
	}
	return fmt.Sprintf("%s, was %s", now[0], old[0])
}
