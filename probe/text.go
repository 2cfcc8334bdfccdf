package probe

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
)

// few joins texts, the first of them.
func few(texts []string) string {
	const most = 6
	if len(texts) > most {
		return strings.Join(texts[:most], ", ") + fmt.Sprintf(" and %d more", len(texts)-most)
	}
	return strings.Join(texts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// bounded makes a text from a peer printable and cuts it to about three lines.
func bounded(s string) string {
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return alert.Escape(s)
}
