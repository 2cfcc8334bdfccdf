package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/explain"
	screen "github.com/vitrine-tls/vitrine/render/term"
	"github.com/vitrine-tls/vitrine/trace"
)

// detailFlag adds --detail to a command.
func detailFlag(cmd *cobra.Command, detail *string) {
	cmd.Flags().StringVar(detail, "detail", "",
		"level of detail: steps; bytes (every byte named); keys (inside the PRF, and commands); "+
			"bytes,keys")
	complete(cmd, "detail", "steps", "bytes", "keys", "bytes,keys")
}

var levels = map[string]explain.Level{"steps": explain.Steps, "bytes": explain.Bytes,
	"keys": explain.Inner}

func levelOf(detail string) (level explain.Level, err error) {
	if detail == "" {
		return explain.Steps, nil
	}
	for word := range strings.SplitSeq(detail, ",") {
		l, ok := levels[word]
		if !ok {
			return 0, unknownValue("detail", word, "steps", "bytes", "keys")
		}
		level |= l
	}
	return level, nil
}

// tellStory writes a story to the terminal at the given level of detail.
func tellStory(w io.Writer, s *explain.Story, entries []trace.Entry, level explain.Level,
	style screen.Style) error {
	if err := explain.Tellable(entries); err != nil {
		return withWayOut(err)
	}
	if level == explain.Steps {
		return screen.Write(w, s, style)
	}
	return screen.WriteDetailed(w, s, explain.Dig(entries, level), style)
}
