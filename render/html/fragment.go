package html

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"strings"
)

// Fragment says what of the page goes into another page, and how it is named there. It has no
// script, and needs none; its style is Style.
type Fragment struct {
	// Prefix begins every id, so that none is also one of the page around it. It is made of
	// letters, digits and hyphens.
	Prefix string
	// Link begins the target of every link to one of these ids, and the id follows; empty: "#". A
	// page that keeps its state behind the # puts it here, and reads the id behind it.
	Link string
	// Step is the id of one step, as Steps returns it; empty: the whole run.
	Step string
}

// Step is one step of a run.
type Step struct {
	ID      string // without a Prefix: "client-hello", "finished-server"
	Title   string
	Chapter int
	Line    int // of the ladder; 0 if nothing is sent
}

// Steps returns the steps of a run, in their order.
func Steps(r Run) (list []Step) {
	for _, p := range newRun(0, 1, r).Steps {
		s := Step{ID: p.ID, Title: p.Title, Chapter: p.Chapter}
		if p.Line != nil {
			s.Line = p.Line.Number
		}
		list = append(list, s)
	}
	return list
}

// WriteFragment writes a run, or one step of it, for a place inside another page.
func WriteFragment(w io.Writer, f Fragment, r Run) error {
	if strings.Trim(f.Prefix, letters) != "" {
		return fmt.Errorf("html: got a prefix %q, expected letters, digits and hyphens", f.Prefix)
	}
	v := emptyRun(r)
	v.ID, v.Part = f.Prefix, true
	v.prepare(r)
	name, data := "fragment", any(v)
	if f.Step != "" {
		step := v.stepNamed(f.Prefix + f.Step)
		if step == nil {
			return fmt.Errorf("html: the run has no step %q", f.Step)
		}
		name, data = "one", step
	}
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, name, data); err != nil {
		return err
	}
	_, err := w.Write(relink(b.Bytes(), f.Link))
	return err
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

func (r *run) stepNamed(id string) *step {
	for _, p := range r.Steps {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// relink makes the links of a fragment begin with link. What they begin with is in no text, where
// the quote is escaped.
func relink(b []byte, link string) []byte {
	if link == "" {
		return b
	}
	return bytes.ReplaceAll(b, []byte(`href="#`),
		[]byte(`href="`+template.HTMLEscapeString(link)))
}
