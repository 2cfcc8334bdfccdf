package main

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
)

// The commands that explanations of error messages give are commands of this program.
func TestCommandsOfExplanationsAreOurs(t *testing.T) {
	checked := map[string]bool{}
	for _, term := range explain.Terms() {
		if term.Try == "" || checked[term.Try] {
			continue
		}
		checked[term.Try] = true
		cmd, args, err := newRoot().Find(strings.Fields(term.Try)[1:])
		if err == nil {
			err = cmd.ParseFlags(args)
		}
		if err != nil {
			t.Errorf("%s: %v", term.Try, err)
		}
	}
	if len(checked) < 10 {
		t.Errorf("%d commands, expected more", len(checked))
	}
}
