package lessons

import (
	"fmt"
	"strings"
)

// Guide returns the lessons with their answers for a teacher, as docs/teaching.md has them.
func Guide() string {
	var b strings.Builder
	for _, l := range All() {
		fmt.Fprintf(&b, "### %d. %s\n\n**%s** `#lesson=%d`\n\n", l.Number, l.Title,
			l.Question, l.Number)
		for i, goal := range l.Goals {
			fmt.Fprintf(&b, "- *%s*: %s\n", goal, l.Answer[i])
		}
		fmt.Fprintf(&b, "\nTo talk about: %s (%s)\n\n", l.Talk, strings.Join(l.Refs, ", "))
		fmt.Fprintf(&b, "> %s\n\n", l.Reply)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
