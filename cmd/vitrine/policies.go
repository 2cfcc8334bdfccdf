package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
)

// groupRow is a group as the table and --json show it.
type groupRow struct {
	Name   string `json:"name"`
	Number int    `json:"number"`
	Kind   string `json:"kind"`
	Policy string `json:"policy"` // the strictest that has it
	Ref    string `json:"ref"`
	Text   string `json:"text"`
}

func newGroups() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "groups",
		Short: "List the groups for DHE and ECDHE that Vitrine speaks",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var rows []groupRow
			for _, name := range groupNames() {
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
			return aligned(cmd.OutOrStdout(), lines)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object for each group")
	return cmd
}

func newGroupRow(name string) groupRow {
	g, _ := iana.GroupByName(name)
	r := groupRow{Name: name, Number: int(g), Kind: "elliptic curve"}
	if g.FiniteField() {
		r.Kind = "finite field"
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

// policyRow is a policy as --json shows it.
type policyRow struct {
	Name       string   `json:"name"`
	Date       string   `json:"date"`
	Purpose    string   `json:"purpose"`
	MinVersion string   `json:"min_version"`
	Suites     []string `json:"suites"`
	Groups     []string `json:"groups"`
	Schemes    []string `json:"signature_schemes"`
}

func newPolicies() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "policies",
		Short: "List the policies: dated sets of versions, suites, groups and schemes, best first",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var rows []policyRow
			for _, p := range vitrine.Policies() {
				rows = append(rows, policyRow{
					p.Name(), p.Date(), p.Purpose(), p.MinVersion().String(),
					spelled(p.CipherSuites()), spelled(p.Groups()), spelled(p.SignatureSchemes()),
				})
			}
			if asJSON {
				return writeJSONLines(cmd.OutOrStdout(), rows)
			}
			return printPolicies(cmd.OutOrStdout(), rows)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object for each policy")
	return cmd
}

// printPolicies lists of each policy what the stricter ones before it do not have.
func printPolicies(w io.Writer, rows []policyRow) error {
	var before policyRow
	for i, p := range rows {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s  of %s: %s\n", p.Name, p.Date, p.Purpose)
		plus := ""
		if i > 0 {
			plus = "+ "
			fmt.Fprintf(w, "  all of %s, and\n", before.Name)
		}
		if p.MinVersion != before.MinVersion {
			fmt.Fprintf(w, "  from       %s%s\n", plus, p.MinVersion)
		}
		for _, list := range []struct {
			name      string
			has, have []string
		}{{"suite", p.Suites, before.Suites}, {"group", p.Groups, before.Groups},
			{"signature", p.Schemes, before.Schemes}} {
			for _, one := range list.has {
				if !slices.Contains(list.have, one) {
					fmt.Fprintf(w, "  %-9s  %s%s\n", list.name, plus, one)
				}
			}
		}
		before = p
	}
	_, err := fmt.Fprintln(w, "\nSuites, groups and schemes are preferred in the order of --json.")
	return err
}

// spelled are the registries' names.
func spelled[T fmt.Stringer](list []T) []string {
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = v.String()
	}
	return names
}

// aligned prints lines of cells with tabs between them.
func aligned(w io.Writer, lines []string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(t, strings.Join(lines, "\n")); err != nil {
		return err
	}
	return t.Flush()
}
