package html

import (
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
)

// hardWords are extensions that a page explains where it first names them, in full or in short,
// with their entries in the glossary.
var hardWords = []struct{ name, short, entry string }{
	{"extended_master_secret", "EMS", "extended master secret"},
	{"encrypt_then_mac", "EtM", "encrypt-then-MAC"},
}

// explainWords adds the meaning of each hard word to the first fact that has it.
func (r *run) explainWords() {
	meanings := map[string]string{}
	for _, w := range explain.Glossary(iana.TLS12) {
		meanings[w.Name] = w.Meaning
	}
	for _, w := range hardWords {
		if f, name := r.firstWith(w.name, w.short); f != nil {
			if name == w.short {
				name += " is " + w.name
			}
			f.Note = explain.Join(" ", f.Note, name+": "+meanings[w.entry])
		}
	}
}

// firstWith returns the first fact of the run that has one of some words, and the word; or nil.
func (r *run) firstWith(words ...string) (*fact, string) {
	for _, p := range r.Steps {
		for i := range p.Facts {
			for _, w := range words {
				if strings.Contains(p.Facts[i].Text, w) {
					return &p.Facts[i], w
				}
			}
		}
	}
	return nil, ""
}
