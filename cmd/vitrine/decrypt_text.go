package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/observe"
	screen "github.com/vitrine-tls/vitrine/render/term"
)

// jsonRow is a connection as --json prints it. Its JSON fields are promised to users.
type jsonRow struct {
	Stream               int      `json:"stream"`
	Client               string   `json:"client"`
	Server               string   `json:"server"`
	Version              string   `json:"version"`
	Suite                string   `json:"suite"`
	KeyExchange          string   `json:"key_exchange"`
	Group                string   `json:"group"`
	ServerName           string   `json:"server_name"`
	ALPN                 string   `json:"alpn"`
	ExtendedMasterSecret bool     `json:"extended_master_secret"`
	EncryptThenMAC       bool     `json:"encrypt_then_mac"`
	Resumed              bool     `json:"resumed"`
	EarlyData            string   `json:"early_data"` // empty if none was offered
	Renegotiations       int      `json:"renegotiations"`
	SecretSource         string   `json:"secret_source"`
	Decrypted            bool     `json:"decrypted"`
	Reason               string   `json:"reason"`
	Detail               string   `json:"detail"`
	ToServer             jsonFlow `json:"client_to_server"`
	ToClient             jsonFlow `json:"server_to_client"`

	// Carrier is what carries the connection if it is not one of TCP, whose Stream is negative.
	Carrier string `json:"carrier,omitempty"`

	// Inner says that the connection is in the data of the one with this number.
	Inner bool `json:"inner,omitempty"`

	notes  []string
	sealed [2]int64
	clear  string // what it is if it is not TLS
	open   bool   // it has not ended
}

// jsonFlow is one direction of a jsonRow.
type jsonFlow struct {
	Bytes   int64  `json:"bytes"`
	Records int    `json:"records"`
	SHA256  string `json:"sha256"`
	Missing int64  `json:"bytes_missing"`
	Unread  int64  `json:"bytes_unread"` // of records of application data
	Early   int64  `json:"bytes_early"`  // of bytes: early data, accepted or not
	Reason  string `json:"reason"`       // why not all of this direction was read
	Detail  string `json:"detail"`
}

func newJSONRow(w *observe.Watched, r *observe.Report, sums [2]*sum) *jsonRow {
	client, server := endsOf(w)
	j := &jsonRow{Stream: w.Number, Client: client, Server: server, Carrier: w.Carrier,
		KeyExchange: r.KeyExchange, Group: r.Group,
		ServerName: r.ServerName, ALPN: r.ALPN, ExtendedMasterSecret: r.ExtendedMasterSecret,
		EncryptThenMAC: r.EncryptThenMAC, Resumed: r.Resumed,
		Renegotiations: r.Renegotiations, SecretSource: r.Source, Decrypted: r.Decrypted}
	if r.Version != 0 {
		j.Version, j.Suite = r.Version.String(), r.Suite.String()
	}
	j.EarlyData = earlyData(r)
	if r.Reason != nil {
		j.Reason, j.Detail = string(r.Reason.Code), detailOf(r.Reason)
	}
	j.notes, j.clear = notesOf(r), r.Clear
	j.Inner = w.Outer != nil
	if w.Inside && !w.Inner() {
		j.notes = append(j.notes,
			"TLS in TLS: another handshake begins in its data; --inner reads it")
	}
	if w.Carrier != "" {
		j.notes = append(j.notes, "not a connection of TCP: "+w.Carrier)
	}
	for i, f := range []*jsonFlow{&j.ToServer, &j.ToClient} {
		flow := r.Flows[i]
		*f = jsonFlow{Bytes: flow.Bytes, Records: flow.Records,
			SHA256: fmt.Sprintf("%x", sums[i].value()), Missing: flow.Missing,
			Unread: flow.Unread, Early: flow.Early}
		if why := r.Reasons[i]; why != nil {
			f.Reason, f.Detail = string(why.Code), detailOf(why)
		}
		j.sealed[i] = flow.Unread + flow.Missing
	}
	return j
}

// endsOf returns the addresses of the client and the server of TLS, or their names.
func endsOf(w *observe.Watched) (client, server string) {
	client, server = w.Names[iana.Client], w.Names[iana.Server]
	if client == "" {
		client, server = w.Client.String(), w.Server.String()
	}
	if w.Stream.Flipped {
		return server, client
	}
	return client, server
}

// earlyData says whether the client's early data was accepted, as far as that is known.
func earlyData(r *observe.Report) string {
	switch {
	case !r.EarlyOffered:
		return ""
	case r.EarlyData:
		return "accepted"
	case r.EarlyKnown:
		return "rejected"
	}
	return "offered"
}

// notesOf returns the notes under a row: why not all was decrypted, and what would help. Each
// direction has its own if they differ.
func notesOf(r *observe.Report) (notes []string) {
	add := func(whose string, why *observe.Reason) {
		if why != nil {
			notes = append(notes, whose+why.String(), remedyOf(why))
		}
	}
	a, b := r.Reasons[iana.Client], r.Reasons[iana.Server]
	if a != nil && b != nil && a.String() != b.String() {
		add("client: ", a)
		add("server: ", b)
	} else {
		add("", r.Reason)
	}
	if n := r.Flows[iana.Client].Early; n > 0 && earlyData(r) == "rejected" {
		notes = append(notes, fmt.Sprintf("%d of the client's bytes are early data (0-RTT) that "+
			"the server rejected", n))
	}
	if n := r.Flows[iana.Client].Clear + r.Flows[iana.Server].Clear; n > 0 {
		notes = append(notes, fmt.Sprintf("%d bytes behind the last record are in the clear: TLS "+
			"protected the login only", n))
	}
	if len(r.Unverified) > 0 {
		notes = append(notes, "not verified: "+strings.Join(r.Unverified, ", "))
	}
	return notes
}

// detailOf returns a reason's sentence with its remedy.
func detailOf(r *observe.Reason) string {
	if remedy := remedyOf(r); remedy != "" {
		return r.Detail + "; " + remedy
	}
	return r.Detail
}

// needFlags are the flags that provide what is missing.
var needFlags = map[observe.Need]string{
	observe.NeedKeyLog: "--keylog FILE", observe.NeedPrivateKey: "--rsa-key FILE",
	observe.NeedEphemeralKey: "--dh-private VALUE",
}

// remedyOf returns the remedy of a reason, with the flags for it.
func remedyOf(r *observe.Reason) string {
	var flags []string
	for _, n := range r.Needs {
		flags = append(flags, needFlags[n])
	}
	if flags == nil {
		return r.Remedy
	}
	return r.Remedy + ": " + strings.Join(flags, " or ")
}

// connectionTable writes a row for each connection and, under it, why something was not decrypted.
// The first rows are kept until the widths of the columns are known, and which of them are empty.
type connectionTable struct {
	w      io.Writer
	style  screen.Style
	wide   int
	live   bool
	rows   []*jsonRow
	widths []int // nil until the heading is written
	folds  bool  // a row is wider than the terminal, and becomes a paragraph
}

const (
	minWidth  = 80
	maxColumn = 40
	keptRows  = 256
)

var columnNames = []string{"STREAM", "CLIENT → SERVER", "VERSION", "SUITE", "GROUP", "NAME", "ALPN",
	"SECRET", "CLIENT'S BYTES", "SERVER'S BYTES"}

// cells returns the columns of a row.
func (j *jsonRow) cells() []string {
	version := j.Version
	if j.Resumed {
		version += "°"
	}
	group := j.Group
	if group == "" {
		group = j.KeyExchange
	}
	number := streamName(j.Stream)
	if j.Inner {
		number += " inner"
	}
	return []string{number, j.Client + " → " + j.Server, version,
		strings.TrimPrefix(j.Suite, "TLS_"), group, j.ServerName, j.ALPN, j.SecretSource,
		j.flow(iana.Client), j.flow(iana.Server)}
}

func (t *connectionTable) row(j *jsonRow) error {
	if t.widths != nil {
		return t.write(j)
	}
	if t.rows = append(t.rows, j); len(t.rows) < keptRows && !t.live {
		return nil
	}
	return t.begin()
}

// begin writes the heading and the rows that were kept.
func (t *connectionTable) begin() error {
	if t.widths != nil || len(t.rows) == 0 {
		return nil
	}
	t.widths = make([]int, len(columnNames))
	resumed := false
	for _, j := range t.rows {
		resumed = resumed || j.Resumed
		for i, cell := range j.cells() {
			t.widths[i] = max(t.widths[i], len([]rune(explain.Escape(cell))))
		}
	}
	if t.live {
		t.widths = []int{6, 41, 8, maxColumn, 10, 24, 8, 20, 14, 14}
	}
	for i, name := range columnNames {
		if t.widths[i] > 0 {
			t.widths[i] = max(t.widths[i], len([]rune(name)))
		}
		if i != 1 {
			t.widths[i] = min(t.widths[i], maxColumn)
		}
	}
	room := t.wide
	if t.live && room == 0 {
		room = usualWidth // columns for whatever may come are too wide for a pipe
	}
	if t.folds = room > 0 && t.total() > room; !t.folds {
		if err := t.aligned(columnNames); err != nil {
			return err
		}
	}
	for _, j := range t.rows {
		if err := t.write(j); err != nil {
			return err
		}
	}
	t.rows = nil
	if resumed {
		return t.line("° a session is resumed, or an external pre-shared key is used")
	}
	return nil
}

// total returns the width of a row.
func (t *connectionTable) total() int {
	n := -2
	for _, w := range t.widths {
		if w > 0 {
			n += w + 2
		}
	}
	if !t.style.Unicode {
		n++ // the arrow has two characters
	}
	return n
}

// paragraph writes a row whose columns have no room beside each other.
func (t *connectionTable) paragraph(cells []string) error {
	if err := t.say(cells[0] + "  " + cells[1]); err != nil {
		return err
	}
	var parts []string
	for i, cell := range cells[2:] {
		switch i += 2; {
		case cell == "":
		case i >= len(cells)-2:
			parts = append(parts, cell+" "+strings.ToLower(columnNames[i]))
		default:
			parts = append(parts, cell)
		}
	}
	return t.note(strings.Join(parts, ", "))
}

// aligned writes the cells of a row, the numbers aligned right. A cell that is too long moves those
// after it.
func (t *connectionTable) aligned(cells []string) error {
	var b strings.Builder
	for i, cell := range cells {
		w := t.widths[i]
		if w == 0 {
			continue
		}
		if cell == "" {
			cell = "-"
		}
		if i > 0 {
			b.WriteString("  ")
		}
		if i == 0 || i >= len(cells)-2 {
			w = -w
		}
		fmt.Fprintf(&b, "%*s", -w, explain.Escape(cell))
	}
	return t.line("%s", b.String())
}

func (t *connectionTable) write(j *jsonRow) error {
	line := t.aligned
	if t.folds {
		line = t.paragraph
	}
	if err := line(j.cells()); err != nil {
		return err
	}
	for _, n := range j.notes {
		if err := t.note(n); err != nil {
			return err
		}
	}
	return nil
}

// flow returns "N of M". If some data was not decrypted, M is an estimate, because the length of
// its padding is unknown.
func (j *jsonRow) flow(from iana.Side) string {
	f := j.ToServer
	if from == iana.Server {
		f = j.ToClient
	}
	if j.open {
		return "open"
	}
	if j.sealed[from] > 0 {
		return fmt.Sprintf("%d of ~%d", f.Bytes, f.Bytes+j.sealed[from])
	}
	if j.SecretSource == "" {
		return "-"
	}
	return fmt.Sprintf("%d of %d", f.Bytes, f.Bytes)
}

// line writes a line with everything made printable, in ASCII if the terminal shows nothing else.
func (t *connectionTable) line(format string, args ...any) error {
	text := strings.TrimRight(explain.Escape(fmt.Sprintf(format, args...)), " ")
	if !t.style.Unicode {
		text = strings.NewReplacer("→", "->", "°", "*").Replace(text)
	}
	_, err := fmt.Fprintln(t.w, text)
	return err
}

func (t *connectionTable) note(text string) error {
	if text == "" {
		return nil
	}
	return t.wrapped("        ", text, t.width()-8)
}

// say writes a text from the first column.
func (t *connectionTable) say(text string) error { return t.wrapped("", text, t.width()) }

func (t *connectionTable) wrapped(indent, text string, width int) error {
	for _, part := range wrap(text, width) {
		if err := t.line("%s%s", indent, part); err != nil {
			return err
		}
	}
	return nil
}

// width returns the columns for text.
func (t *connectionTable) width() int {
	if t.wide == 0 {
		return minWidth + 8
	}
	return t.wide
}

// end writes what is left, and how many connections are not in the table and why. others are those
// without TLS, by what they are; chosen says that flags select connections.
func (t *connectionTable) end(shown int, others map[string]int, chosen bool) error {
	if err := t.begin(); err != nil {
		return err
	}
	switch {
	case shown == 0 && len(others) == 0 && chosen:
		return t.say("No TCP connection in this capture is selected.")
	case shown == 0 && len(others) == 0:
		return t.say("No TCP connection in this capture has data in it.")
	case shown == 0:
		return t.say("No TLS in this capture: " + connections(others) + ".")
	case len(others) > 0:
		return t.say(connections(others) + " besides without TLS.")
	}
	return nil
}
