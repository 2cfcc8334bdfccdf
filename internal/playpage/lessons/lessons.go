// Package lessons has the texts of the playground's twelve lessons, and what can be turned in them.
// What they begin with, and whether a goal is reached, is for package playground to say.
package lessons

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/playground"
)

// Lesson is a lesson as the page shows it.
type Lesson struct {
	Number   int
	Title    string
	Question string
	Text     []string // paragraphs
	Goals    []string
	Turn     string // what the knob is
	Knob     []Position
	Tools    []Tool
	Refs     []string // "RFC 5246 §7.4.9"
	Answer   []string // for the teacher, one for each goal, in docs/teaching.md
	Talk     string   // what to talk about afterwards
	Reply    string   // for the teacher: the answer to it
}

// Position is a position of a lesson's knob. The lesson begins with the first.
type Position struct {
	Label string
	Setup playground.Setup
}

// Tool is something that takes more than a click on a byte: the acts are computed from the run. Its
// name is one of Tools'.
type Tool struct{ Label, Name string }

// All returns the lessons in their order.
func All() []Lesson {
	list := make([]Lesson, 0, len(texts))
	for _, l := range playground.Lessons() {
		t, ok := texts[l.ID]
		if !ok {
			panic(fmt.Sprintf("lessons: lesson %q has no text", l.ID))
		}
		x := Lesson{Number: l.Number, Title: t.title, Question: l.Question, Text: t.text,
			Turn: t.turn, Tools: t.tools, Refs: t.refs, Answer: t.answer, Talk: t.talk,
			Reply: t.reply}
		for _, g := range l.Goals {
			x.Goals = append(x.Goals, g.Text)
		}
		for _, k := range t.knob {
			s := l.Setup
			if k.change != nil {
				k.change(&s)
			}
			x.Knob = append(x.Knob, Position{k.label, s})
		}
		list = append(list, x)
	}
	return list
}

// text is what this package adds to a lesson of package playground.
type text struct {
	title  string
	text   []string
	turn   string
	knob   []turned
	tools  []Tool
	refs   []string
	answer []string
	talk   string
	reply  string
}

// turned is a position of a knob, as a change of the lesson's Setup; nil changes nothing.
type turned struct {
	label  string
	change func(*playground.Setup)
}
