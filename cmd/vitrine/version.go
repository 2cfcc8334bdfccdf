package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version and the commit",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version(info, ok))
			return err
		},
	}
}

// version returns a line such as "vitrine v1.2.3, commit 0123456789ab, go1.26 linux/amd64".
func version(info *debug.BuildInfo, ok bool) string {
	platform := fmt.Sprintf("%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if !ok {
		return "vitrine, built without build information, " + platform
	}
	commit, modified := "unknown (built outside of its repository, or with -buildvcs=false)", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = " with changes"
		}
	}
	return fmt.Sprintf("vitrine %s, commit %s%s, %s", info.Main.Version, commit, modified, platform)
}
