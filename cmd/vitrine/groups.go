package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
)

// groupRow is a group in the table and in --json.
type groupRow struct {
	Name   string `json:"name"`
	Number int    `json:"number"`
	Kind   string `json:"kind"`
	Policy string `json:"policy"` // the strictest policy that has it
	Ref    string `json:"ref"`
	Text   string `json:"text"`
}

func newGroups() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "groups",
		Short: "List the groups that Vitrine supports for DHE, ECDHE and TLS 1.3",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var rows []groupRow
			for _, name := range append(groupNames(), hybridNames()...) {
				rows = append(rows, newGroupRow(name))
			}
			if asJSON {
				return writeJSONLines(cmd.OutOrStdout(), rows)
			}
			lines := []string{"NUMBER\tNAME\tKIND\tPOLICY\tWHAT IT IS"}
			for _, r := range rows {
				lines = append(lines,
					fmt.Sprintf("%d\t%s\t%s\t%s\t%s", r.Number, r.Name, r.Kind, r.Policy, r.Text))
			}
			return aligned(fit(cmd.OutOrStdout()), lines)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object for each group")
	return cmd
}

func newGroupRow(name string) groupRow {
	g, _ := iana.GroupByName(name)
	r := groupRow{Name: name, Number: int(g), Kind: "elliptic curve"}
	switch {
	case g.FiniteField():
		r.Kind = "finite field"
	case g.Hybrid():
		r.Kind = "hybrid, TLS 1.3"
	}
	for _, p := range vitrine.Policies() {
		if slices.Contains(p.Groups(), g) {
			r.Policy = p.Name()
			break
		}
	}
	for _, t := range explain.Lookup(name) {
		if t.Kind == "group" {
			r.Ref, r.Text = t.Ref, t.Text
		}
	}
	return r
}
