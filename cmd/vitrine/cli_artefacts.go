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

// artefacts are the files that a connection can leave behind. All are made from its events, so
// every command that has events writes the same files.
type artefacts struct {
	events, markdown, html, pcap, keyLog string
	reveal                               bool // show secrets in events, document and page
	pcapWithoutKeys                      bool
}

// artefactFlags adds the flags for artefacts, which all commands with events of one connection
// share.
func artefactFlags(cmd *cobra.Command, a *artefacts) {
	f := cmd.Flags()
	f.StringVar(&a.markdown, "markdown", "",
		"write a document about the connection, in Markdown, to this file")
	f.StringVar(&a.html, "html", "",
		"write a page about the connection, for a browser, to this file")
	f.StringVar(&a.events, "events", "",
		"write the events to this file as JSON lines, for vitrine explain")
	f.StringVar(&a.pcap, "pcap", "",
		"write the connection to this file as pcapng, with the keys, so that Wireshark can "+
			"decrypt it")
	f.BoolVar(&a.pcapWithoutKeys, "pcap-without-keys", false,
		"leave the keys out of the file of --pcap")
	f.StringVar(&a.keyLog, "keylog-out", "",
		"write the connection's secrets to this file (SSLKEYLOGFILE, RFC 9850)")
}

// artefactNames are the flags that say how and where results are shown. They do not change what
// happens.
var artefactNames = []string{"json", "markdown", "html", "events", "pcap", "pcap-without-keys",
	"keylog-out", "save-keys", "detail", "color", "reveal"}

// connection has the events of a connection and what else is known of it.
type connection struct {
	entries []trace.Entry
	about   explain.Run
	nth     int // of the connections that are written to files of their own, from 0
}

// any reports whether a file was asked for.
func (a *artefacts) any() bool { return a.events+a.markdown+a.html+a.pcap+a.keyLog != "" }

// write writes the files that were asked for, and names those with secrets on stderr. It does not
// ask before it writes secrets: the flag asked for them.
func (a *artefacts) write(c connection, stderr io.Writer) error {
	if !a.any() {
		return nil
	}
	shown := c.entries
	if !a.reveal {
		var err error
		if shown, err = redacted(c.entries); err != nil {
			return err
		}
	}
	keys := len(explain.KeyLog(c.entries)) > 0
	for _, f := range []struct {
		flag, name, holds string
		write             func(io.Writer) error
	}{
		{"--events", a.events, "", func(w io.Writer) error { return writeEvents(w, c, a.reveal) }},
		{"--pcap", a.pcap, keysInside[keys && !a.pcapWithoutKeys],
			func(w io.Writer) error { return writePcap(w, c, keys && !a.pcapWithoutKeys) }},
		{"--keylog-out", a.keyLog, keysAlone[keys],
			func(w io.Writer) error { return writeKeyLog(w, c) }},
		{"--markdown", a.markdown, "", tellable(shown, func(w io.Writer) error {
			return markdown.Write(w, explain.Tell(shown, c.about))
		})},
		{"--html", a.html, pageHolds(shown), tellable(shown, func(w io.Writer) error {
			return html.Write(w, html.Options{}, html.Run{Entries: shown, About: c.about})
		})},
	} {
		if f.name == "" {
			continue
		}
		if err := writeFile(f.name, f.write); err != nil {
			return fmt.Errorf("%s: %w", f.flag, err)
		}
		note(stderr, f.name, f.holds)
	}
	return nil
}

// note names a file that was written, if it holds something.
func note(stderr io.Writer, name, holds string) {
	if holds != "" {
		fmt.Fprintf(fit(stderr), "! %s holds %s.\n", explain.Escape(name), holds)
	}
}

// pageHolds describes the contents of a page of these events.
func pageHolds(entries []trace.Entry) string {
	switch keys, data := explain.Reveals(entries); {
	case keys:
		return "secrets: the keys of the connection and all of its data. Open it in a browser"
	case data:
		return "secrets: data of the connection. Open it in a browser"
	}
	return "no secrets. Open it in a browser"
}

// tellable returns write, or a function that fails if there is no story for the connection.
func tellable(entries []trace.Entry, write func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		if err := explain.Tellable(entries); err != nil {
			return withWayOut(err)
		}
		return write(w)
	}
}

// withWayOut adds to err, which says that there is no story, what there is.
func withWayOut(err error) error {
	return fmt.Errorf("%w; --events and --pcap write what was sent", err)
}

// What a file holds if there are keys for it.
var (
	keysInside = map[bool]string{true: "secrets: the keys of its connection are inside"}
	keysAlone  = map[bool]string{
		true:  "secrets: whoever has it and a capture reads the connection",
		false: "no secrets: the events have none",
	}
)

// redacted returns entries without secrets and plaintext.
func redacted(entries []trace.Entry) ([]trace.Entry, error) {
	r, w := io.Pipe()
	go func() { w.CloseWithError(copyEvents(w, entries, true)) }()
	return trace.Read(r)
}

// writeEvents writes the events as JSON lines. If it reveals secrets, a notice comes first: that of
// saved events, if they have one.
func writeEvents(w io.Writer, c connection, reveal bool) error {
	if !reveal {
		return copyEvents(w, c.entries, true)
	}
	if c.about.Note != "" || explain.Redacted(c.entries) {
		return copyEvents(w, c.entries, false)
	}
	note := trace.Entry{Role: trace.Client, Event: &trace.Notice{Text: notice(c.about)}}
	return copyEvents(w, slices.Insert(slices.Clone(c.entries), 0, note), false)
}

// notice returns the text that precedes the secrets of a run wherever they are written.
func notice(about explain.Run) string { return explain.Secrets(about).Text }

// writeKeyLog writes the connection's secrets in the format of SSLKEYLOGFILE. A line with # is a
// comment. See RFC 9850 §2.
func writeKeyLog(w io.Writer, c connection) error {
	log := explain.KeyLog(c.entries)
	head := "Holds no secrets: the events have none."
	if len(log) > 0 {
		head = "Holds secrets. " + notice(c.about)
	}
	if _, err := fmt.Fprintf(w, "# %s\n", head); err != nil {
		return err
	}
	_, err := w.Write(log)
	return err
}

// writePcap writes the connection as packets in a pcapng file, preceded by the keys if secrets is
// set.
func writePcap(w io.Writer, c connection, secrets bool) error {
	options := capture.WriterOptions{HoldsSecrets: secrets}
	if secrets {
		options.Comment = notice(c.about)
	}
	if c.about.Tampered != nil {
		options.Comment = strings.TrimSpace(options.Comment +
			" Captured behind the one who altered it.")
	}
	sent := explain.Wire(c.entries)
	if c.about.Seed != "" && len(sent) > 0 {
		options.Now = stepped(sent[0].At)
	}
	p := capture.NewWriter(w, options)
	if log := explain.KeyLog(c.entries); secrets && len(log) > 0 {
		if err := p.Secrets(log); err != nil {
			return err
		}
	}
	client, server := endpoints(c.about)
	if !client.IsValid() && c.nth > 0 { // two files can be merged, and show two connections
		client = netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(49152+c.nth))
		server = netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), 443)
	}
	talk := p.Connection(client, server)
	for _, s := range sent {
		if c.about.Seed != "" {
			s.At = time.Time{}
		}
		if err := talk.Send(s.From, s.At, s.Bytes); err != nil {
			return err
		}
	}
	if err := talk.Close(); err != nil {
		return err
	}
	return p.Flush()
}

// stepped returns a clock that begins at start and advances by a millisecond with every call. The
// clock of a seeded run stands still, and packets of one moment are hard to read.
func stepped(start time.Time) func() time.Time {
	n := -1
	return func() time.Time {
		n++
		return start.Add(time.Duration(n) * time.Millisecond)
	}
}

// endpoints returns the addresses of a run. A server address without a host, such as ":443", is on
// the client's host. A seeded run has no addresses, because the system chose them; for the zero
// values the capture.Writer uses addresses of its own.
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
		if n, ok := e.Event.(*trace.Notice); ok && redact && explain.OfSecrets(n) {
			continue
		}
		j.Put(e)
	}
	return j.Err()
}

// writePage writes the page of several connections, and says on stderr what it holds.
func writePage(name string, runs []html.Run, stderr io.Writer) error {
	err := writeFile(name,
		func(w io.Writer) error { return html.Write(w, html.Options{}, runs...) })
	if err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	var all []trace.Entry
	for _, r := range runs {
		all = append(all, r.Entries...)
	}
	note(stderr, name, pageHolds(all))
	return nil
}

// given returns the flags that the run depends on as they were given, but for those in without and
// artefactNames.
func given(cmd *cobra.Command, without ...string) string {
	var b strings.Builder
	without = append(without, artefactNames...)
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case slices.Contains(without, f.Name):
		case f.Value.Type() == "bool" && f.Value.String() == "true":
			b.WriteString(" --" + f.Name)
		default:
			for _, value := range valuesOf(f) {
				b.WriteString(" --" + f.Name + "=" + quoted(unspoken(f.Name, value)))
			}
		}
	})
	return b.String()
}

// valuesOf returns the values that were given to a flag: of one that takes a list as many as there
// are in it.
func valuesOf(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{f.Value.String()}
}
