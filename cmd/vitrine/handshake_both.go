package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/render/html"
	screen "github.com/vitrine-tls/vitrine/render/term"
)

// Runs of two connections: a resumption with the connection before it, and TLS 1.2 beside TLS 1.3.

// resumptionNames are the names of the two connections of a resumption.
var resumptionNames = [2]string{"FIRST CONNECTION", "SECOND CONNECTION"}

// showBoth writes a resumption: the connection before it, itself, and both side by side.
func showBoth(cmd *cobra.Command, outcome *demo.Outcome, o *outputs, level explain.Level,
	style screen.Style) error {
	outcome.First.Run.Flags = outcome.Run.Flags
	both := [2]*demo.Outcome{outcome.First, outcome}
	if err := writeBoth(cmd, both, o); err != nil || o.json {
		return err
	}
	out := cmd.OutOrStdout()
	if o.html != "" && o.detail == "" { // the page tells the rest
		return screen.WriteResult(out, explain.Tell(outcome.Entries, outcome.Run), style)
	}
	var stories [2]*explain.Story
	for i, one := range both {
		stories[i] = explain.Tell(one.Entries, one.Run)
		if i == 0 {
			stories[i].Result.Try = nil
		}
		if _, err := fmt.Fprintf(out, "%s\n", resumptionNames[i]); err != nil {
			return err
		}
		if err := tellStory(out, stories[i], one.Entries, level, style); err != nil {
			return err
		}
	}
	return screen.WriteComparison(out, explain.Compare(stories[0], stories[1], resumptionNames),
		style)
}

// writeBoth writes the files that were asked for: a page has both connections, of the others there
// is one for each.
func writeBoth(cmd *cobra.Command, both [2]*demo.Outcome, o *outputs) error {
	o.reveal = true
	var runs []html.Run
	for i, one := range both {
		c := connection{one.Entries, one.Run, i}
		runs = append(runs, html.Run{Entries: one.Entries, About: one.Run})
		a := o.artefacts
		a.html = ""
		for _, name := range []*string{&a.events, &a.markdown, &a.pcap, &a.keyLog} {
			if *name != "" {
				*name = numbered(*name, fmt.Sprint(i+1), len(both))
			}
		}
		if err := a.write(c, cmd.ErrOrStderr()); err != nil {
			return err
		}
		if o.saveKeys != "" && i == 0 { // both have the same
			if err := saveKeys(o.saveKeys, c, cmd.ErrOrStderr()); err != nil {
				return fmt.Errorf("--save-keys: %w", err)
			}
		}
		if o.json {
			if err := writeEvents(cmd.OutOrStdout(), c, true); err != nil {
				return err
			}
		}
	}
	if o.html == "" {
		return nil
	}
	return writePage(o.html, runs, cmd.ErrOrStderr())
}

// chooseBoth returns the options of the TLS 1.3 side of a comparison.
func (w *wishes) chooseBoth() (demo.Options, error) {
	for _, f := range []struct {
		set  bool
		flag string
	}{
		{w.tls != "", "--tls"}, {w.kx != "", "--kx"}, {w.suite != "", "--suite"},
		{w.group != "", "--group"}, {w.ems != nil, "--ems"}, {w.etm != nil, "--etm"},
		{w.hrr, "--hrr"}, {w.resume, "--resume"}, {w.keyUpdate, "--key-update"},
		{w.earlyData, "--early-data"}, {w.lateAuth, "--post-handshake-auth"},
		{w.tamper != nil, "--tamper"},
	} {
		if f.set {
			return demo.Options{}, contradiction("--compare", f.flag,
				"--compare chooses both runs", "vitrine handshake --compare")
		}
	}
	one := *w
	one.compare, one.tls = false, "1.3"
	return one.choose()
}

// compare performs a handshake of TLS 1.2 and one of TLS 1.3, and shows them side by side.
func compare(cmd *cobra.Command, newer demo.Options, o *outputs, style screen.Style) error {
	older := newer
	older.Version, older.Suite = iana.TLS12, iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	older.ExtendedMasterSecret = true
	if newer.Auth == throwaway.RSA {
		older.Suite = iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	}
	var both [2]*demo.Outcome
	var stories [2]*explain.Story
	for i, options := range []demo.Options{older, newer} {
		var err error
		if both[i], err = demo.Perform(cmd.Context(), options); err != nil {
			return err
		}
		both[i].Run.Flags = given(cmd)
		stories[i] = explain.Tell(both[i].Entries, both[i].Run)
		if err := errors.Join(both[i].ClientError, both[i].ServerError); err != nil {
			return err
		}
	}
	if err := writeBoth(cmd, both, o); err != nil || o.json {
		return err
	}
	if err := screen.WriteComparison(cmd.OutOrStdout(), explain.Compare(stories[0], stories[1],
		[2]string{"TLS 1.2", "TLS 1.3"}), style); err != nil {
		return err
	}
	_, err := io.WriteString(cmd.OutOrStdout(), "TRY     vitrine handshake --kx ecdhe\n"+
		"        vitrine handshake --tls 1.3\n        vitrine handshake --compare --html "+
		"out.html\n")
	return err
}
