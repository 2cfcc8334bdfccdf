package html

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
)

// comparison shows runs side by side, with corresponding steps in one row.
type comparison struct {
	Heads []string
	Rows  []comparedRow
}

type comparedRow struct {
	Chapter string // where one begins
	Name    string
	Cells   []cell
}

// cell is a step of one run, or a gap.
type cell struct {
	Gap       bool
	Different bool // from the first run that has the step
	Link      string
	Title     string
	Way       string
	Details   []string
}

// compare aligns the steps of runs.
func compare(runs []*run) *comparison {
	c := &comparison{}
	var script []string
	steps := make([]map[string]*step, len(runs))
	for i, r := range runs {
		c.Heads = append(c.Heads, r.Letter+" · "+r.Result.Summary)
		var keys []string
		keys, steps[i] = lines(r)
		script = weave(script, keys)
	}
	chapter := 0
	for _, key := range script {
		row := comparedRow{}
		first := ""
		for i := range runs {
			p := steps[i][key]
			if p == nil {
				row.Cells = append(row.Cells, cell{Gap: true})
				continue
			}
			if row.Name == "" {
				row.Name = p.Title
			}
			if p.Chapter > chapter {
				chapter, row.Chapter = p.Chapter, fmt.Sprintf("%d %s", p.Chapter, p.Of)
			}
			one := cell{Link: p.ID, Title: p.Title, Way: p.Way, Details: details(p)}
			text := strings.Join(one.Details, "\n")
			if first == "" {
				first = text
			}
			one.Different = text != first
			row.Cells = append(row.Cells, one)
		}
		c.Rows = append(c.Rows, row)
	}
	return c
}

// lines returns the steps of a run, and their keys in order. Keys have no variant, and repeated
// ones get a number.
func lines(r *run) (keys []string, steps map[string]*step) {
	steps = map[string]*step{}
	for _, p := range r.Steps {
		key := base(p.key)
		if strings.HasPrefix(p.key, "application_data/early") {
			key = "early_data"
		}
		if p.Line != nil {
			key += "/" + p.Line.From.String()
		}
		for n := 2; steps[key] != nil; n++ {
			key = fmt.Sprintf("%s#%d", strings.SplitN(key, "#", 2)[0], n)
		}
		steps[key] = p
		keys = append(keys, key)
	}
	return keys, steps
}

// weave merges two sequences along a longest common subsequence. Where they differ in the order of
// what both have, that of the first is kept.
func weave(a, b []string) []string {
	if len(a) == 0 {
		return b
	}
	length := make([][]int, len(a)+1)
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	inFirst := map[string]bool{}
	for _, key := range a {
		inFirst[key] = true
	}
	var out []string
	i := 0
	for j, key := range b {
		for i < len(a) && a[i] != key && length[i+1][j] >= length[i][j+1] {
			out, i = append(out, a[i]), i+1
		}
		switch {
		case i < len(a) && a[i] == key:
			out, i = append(out, key), i+1
		case !inFirst[key]:
			out = append(out, key)
		}
	}
	return append(out, a[i:]...)
}

// details returns what can be compared between runs: kinds and lengths of values, but no random
// bytes.
func details(p *step) (list []string) {
	if p.Size != "" {
		list = append(list, p.Size)
	}
	for _, f := range p.Facts {
		switch {
		case f.Text != "":
			list = append(list, strings.TrimPrefix(f.Name+": ", ": ")+explain.Escape(f.Text))
		case f.Value.Bytes > 0:
			list = append(list, fmt.Sprintf("%s, %d bytes", f.Label, f.Value.Bytes))
		}
	}
	for _, d := range p.Derivations {
		var in []string
		for _, i := range d.Inputs {
			in = append(in, i.Name)
		}
		list = append(list,
			fmt.Sprintf("%s(%s; %q): %d bytes", d.Function, strings.Join(in, ", "),
				d.Label, d.Bytes))
	}
	if p.Bar != nil {
		for _, k := range p.Bar.Parts {
			list = append(list, fmt.Sprintf("%s %d", k.Short, k.Len))
		}
	}
	for _, t := range p.Records {
		if t.Protected {
			list = append(list, t.How)
		}
	}
	return list
}
