package main

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/render/html"
	"github.com/vitrine-tls/vitrine/render/markdown"
	"github.com/vitrine-tls/vitrine/trace"
)

// artefacts are the files that a connection can leave behind. All of them are made of its events,
// so that every command that has events writes the same ones.
type artefacts struct {
	events, markdown, html, pcap, keyLog string
	reveal                               bool // show secrets in events, document and page
	pcapWithoutKeys                      bool
}

// artefactFlags adds the flags of all commands that make connections.
func artefactFlags(cmd *cobra.Command, a *artefacts) {
	f := cmd.Flags()
	f.StringVar(&a.markdown, "markdown", "", "write the same as a document to this file")
	f.StringVar(&a.html, "html", "", "write the same as a page for a browser to this file")
	f.StringVar(&a.events, "events", "",
		"write the events to this file as JSON lines, for vitrine explain")
	f.StringVar(&a.pcap, "pcap", "",
		"write the connection to this file as a pcapng with the keys inside: Wireshark opens it "+
			"decrypted")
	f.BoolVar(&a.pcapWithoutKeys, "pcap-without-keys", false,
		"leave the keys out of --pcap: what somebody on the way would record")
	f.StringVar(&a.keyLog, "keylog-out", "",
		"write the connection's secret to this file as SSLKEYLOGFILE has it (RFC 9850)")
}

// artefactNames are the flags that say where something goes, and not what happens.
var artefactNames = []string{"json", "markdown", "html", "events", "pcap", "pcap-without-keys",
	"keylog-out", "save-keys", "detail", "color", "reveal"}

// connection is what the artefacts are made of.
type connection struct {
	entries []trace.Entry
	about   explain.Run
}

// any tells whether a file was asked for.
func (a *artefacts) any() bool { return a.events+a.markdown+a.html+a.pcap+a.keyLog != "" }

// write writes what was asked for. What holds secrets is said on stderr: asking for it was asking
// for them.
func (a *artefacts) write(c connection, stderr io.Writer) error {
	shown := c.entries
	if !a.reveal {
		var err error
		if shown, err = redacted(c.entries); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		flag, name, holds string
		write             func(io.Writer) error
	}{
		{"--events", a.events, "", func(w io.Writer) error { return writeEvents(w, c, a.reveal) }},
		{"--markdown", a.markdown, "",
			func(w io.Writer) error { return markdown.Write(w, explain.Tell(shown, c.about)) }},
		{"--html", a.html, "", func(w io.Writer) error {
			return html.Write(w, html.Options{}, html.Run{Entries: shown, About: c.about})
		}},
		{"--pcap", a.pcap, keysInside[!a.pcapWithoutKeys],
			func(w io.Writer) error { return writePcap(w, c, !a.pcapWithoutKeys) }},
		{"--keylog-out", a.keyLog, "whoever has it and a capture reads the connection",
			func(w io.Writer) error { return writeKeyLog(w, c) }},
	} {
		if f.name == "" {
			continue
		}
		if err := writeFile(f.name, f.write); err != nil {
			return fmt.Errorf("%s: %w", f.flag, err)
		}
		if f.holds != "" {
			fmt.Fprintf(stderr, "! %s holds secrets: %s.\n", explain.Escape(f.name), f.holds)
		}
	}
	return nil
}

var keysInside = map[bool]string{true: "the keys of its connection are inside"}

// redacted is entries as somebody reads them who must not see the secrets.
func redacted(entries []trace.Entry) ([]trace.Entry, error) {
	r, w := io.Pipe()
	go func() { w.CloseWithError(copyEvents(w, entries, true)) }()
	return trace.Read(r)
}

// writeEvents writes the events with a notice before them.
func writeEvents(w io.Writer, c connection, reveal bool) error {
	if !reveal {
		return copyEvents(w, c.entries, true)
	}
	note := trace.Entry{Role: trace.Client, Event: &trace.Notice{Text: notice(c.about)}}
	return copyEvents(w, slices.Insert(slices.Clone(c.entries), 0, note), false)
}

// notice is what stands at the top of everything that holds the secrets of a run.
func notice(about explain.Run) string { return explain.Secrets(about).Text }

// writeKeyLog writes the connection's secret. A line with # is a comment. See RFC 9850 §2.
func writeKeyLog(w io.Writer, c connection) error {
	if _, err := fmt.Fprintf(w, "# Holds secrets. %s\n", notice(c.about)); err != nil {
		return err
	}
	_, err := w.Write(explain.KeyLog(c.entries))
	return err
}

// writePcap writes the connection as packets, the keys before them.
func writePcap(w io.Writer, c connection, secrets bool) error {
	options := capture.WriterOptions{HoldsSecrets: secrets}
	if secrets {
		options.Comment = notice(c.about)
	}
	if c.about.Tampered != nil {
		options.Comment = strings.TrimSpace(options.Comment +
			" Captured behind the one who altered it.")
	}
	sent := explain.Wire(c.entries, c.about.Tampered)
	if c.about.Seed != "" && len(sent) > 0 {
		options.Now = stepped(sent[0].At)
	}
	p := capture.NewWriter(w, options)
	if log := explain.KeyLog(c.entries); secrets && len(log) > 0 {
		if err := p.Secrets(log); err != nil {
			return err
		}
	}
	talk := p.Connection(endpoints(c.about))
	for _, s := range sent {
		if c.about.Seed != "" {
			s.At = time.Time{}
		}
		if err := talk.Say(s.From, s.At, s.Bytes); err != nil {
			return err
		}
	}
	if err := talk.Close(); err != nil {
		return err
	}
	return p.Flush()
}

// stepped is a clock that begins at start and goes on by a millisecond whenever it is asked: the
// clock of a seeded run stands still, and packets of one moment are hard to read.
func stepped(start time.Time) func() time.Time {
	n := -1
	return func() time.Time {
		n++
		return start.Add(time.Duration(n) * time.Millisecond)
	}
}

// endpoints are the addresses of a run. ":443" is a port of the client's own host. Those of a
// seeded run are none, since the system chose them: then the Writer has its own.
func endpoints(about explain.Run) (client, server netip.AddrPort) {
	client, err := netip.ParseAddrPort(about.Client)
	if err != nil {
		return client, server
	}
	text := about.Server
	if strings.HasPrefix(text, ":") {
		text = client.Addr().String() + text
	}
	server, _ = netip.ParseAddrPort(text)
	return client, server
}

func copyEvents(w io.Writer, entries []trace.Entry, redact bool) error {
	var options []trace.Option
	if !redact {
		options = append(options, trace.Reveal())
	}
	j := trace.NewWriter(w, options...)
	for _, e := range entries {
		j.Put(e)
	}
	return j.Err()
}

func writePage(name string, runs []html.Run) error {
	err := writeFile(name,
		func(w io.Writer) error { return html.Write(w, html.Options{}, runs...) })
	if err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	return nil
}

// given are the flags that the run depends on, as they were given, without some.
func given(cmd *cobra.Command, without ...string) string {
	var b strings.Builder
	without = append(without, artefactNames...)
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case slices.Contains(without, f.Name):
		case f.Value.Type() == "bool" && f.Value.String() == "true":
			b.WriteString(" --" + f.Name)
		default:
			b.WriteString(" --" + f.Name + "=" + quoted(f.Value.String()))
		}
	})
	return b.String()
}
