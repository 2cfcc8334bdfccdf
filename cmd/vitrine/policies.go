package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
)

// policyRow is a policy in --json.
type policyRow struct {
	Name       string   `json:"name"`
	Date       string   `json:"date"`
	Purpose    string   `json:"purpose"`
	MinVersion string   `json:"min_version"`
	MaxVersion string   `json:"max_version"`
	Suites13   []string `json:"suites13"` // of TLS 1.3
	Suites     []string `json:"suites"`   // of the versions before
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
			for _, p := range append(vitrine.Policies(), vitrine.EarlierPolicies()...) {
				rows = append(rows, policyRow{
					p.Name(),
					p.Date(),
					p.Purpose(),
					p.MinVersion().String(),
					p.MaxVersion().String(),
					spelled(p.CipherSuites13()),
					spelled(p.CipherSuites()),
					spelled(p.Groups()),
					spelled(p.SignatureSchemes()),
				})
			}
			if asJSON {
				return writeJSONLines(cmd.OutOrStdout(), rows)
			}
			return printPolicies(fit(cmd.OutOrStdout()), rows[:len(vitrine.Policies())])
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object for each policy")
	return cmd
}

// printPolicies lists for each policy what the stricter ones before it do not have.
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
		if p.MaxVersion != before.MaxVersion {
			fmt.Fprintf(w, "  to         %s%s\n", plus, p.MaxVersion)
		}
		for _, list := range []struct {
			name      string
			has, have []string
		}{{"suite", p.Suites13, before.Suites13}, {"suite", p.Suites, before.Suites},
			{"group", p.Groups, before.Groups},
			{"signature", p.Schemes, before.Schemes}} {
			for _, one := range list.has {
				if !slices.Contains(list.have, one) {
					fmt.Fprintf(w, "  %-9s  %s%s\n", list.name, plus, one)
				}
			}
		}
		before = p
	}
	_, err := fmt.Fprintln(w, "\nSuites, groups and schemes are preferred in the order of --json, "+
		"which also has the earlier policies: "+
		strings.Join(policyNames()[len(vitrine.Policies()):], ", "))
	return err
}
