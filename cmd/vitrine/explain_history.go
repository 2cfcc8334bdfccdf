package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/live"
)

// historyIn returns the connections in the folder of --history that args name, if they do.
func historyIn(args []string) (rows []live.Row, ok bool) {
	if len(args) != 1 {
		return nil, false
	}
	rows, err := live.ReadHistory(args[0])
	return rows, err == nil
}

// explainHistory lists the connections of a folder of --history, the oldest first.
func explainHistory(cmd *cobra.Command, dir string, rows []live.Row, o *explainOutput) error {
	if o.artefacts.any() || o.detail != "" || o.redact {
		return &usageError{fmt.Sprintf("%s is a folder with %s: name a file in it", dir,
			explain.Count(len(rows), "connection")),
			cmd.CommandPath() + " " + quoted(filepath.Join(dir, "ID.json.gz"))}
	}
	if o.json {
		return writeJSONLines(cmd.OutOrStdout(), rows)
	}
	w := cmd.OutOrStdout()
	for _, r := range rows {
		agreed := r.Version + " " + r.Suite
		if r.Version == "" {
			agreed = "-"
		}
		line := fmt.Sprintf("%s  %s  %s  %s  %s  %s", r.Start.UTC().Format(time.RFC3339), r.Client,
			orDash(r.Name), agreed, r.Reason, quoted(filepath.Join(dir, live.FileOf(r))))
		if _, err := fmt.Fprintln(w, explain.Escape(line)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%s; %s FILE shows one.\n", explain.Count(len(rows), "connection"),
		cmd.CommandPath())
	return err
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
