// Package keylog reads and writes the files that TLS programs write when SSLKEYLOGFILE is set: each
// line has a label, an identifier of the connection and a secret of it. See RFC 9850.
//
// Besides the labels of RFC 9850 it has three older ones that still occur: PMS_CLIENT_RANDOM and
// RSA, which NSS wrote and which give a pre_master_secret, and "RSA Session-ID:… Master-Key:…",
// which identifies a session instead of a connection. Lines that other programs or people have
// altered are read too: see forms.go. Anyone with such a file can read the connections in it:
// create it with mode 0600, and never print a Line.
//
// It is part of Vitrine's API.
package keylog

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"slices"
)

// Label says what a secret is, in the spelling of the file.
type Label string

const (
	// ClientRandom is the label of the master_secret up to TLS 1.2. See RFC 9850 §2.2.
	ClientRandom Label = "CLIENT_RANDOM"

	// The labels of TLS 1.3. Traffic secrets after a KeyUpdate are not in the file, since they
	// follow from the first ones. See RFC 9850 §2.1.
	ClientEarlyTraffic Label = "CLIENT_EARLY_TRAFFIC_SECRET"
	EarlyExporter      Label = "EARLY_EXPORTER_SECRET"
	ClientHandshake    Label = "CLIENT_HANDSHAKE_TRAFFIC_SECRET"
	ServerHandshake    Label = "SERVER_HANDSHAKE_TRAFFIC_SECRET"
	ClientTraffic      Label = "CLIENT_TRAFFIC_SECRET_0"
	ServerTraffic      Label = "SERVER_TRAFFIC_SECRET_0"
	Exporter           Label = "EXPORTER_SECRET"

	ECHSecret Label = "ECH_SECRET" // the KEM's shared secret of an encrypted ClientHello
	ECHConfig Label = "ECH_CONFIG" // the configuration that it was encrypted for

	PreMasterByRandom    Label = "PMS_CLIENT_RANDOM" // pre_master_secret, by client_random
	PreMasterByEncrypted Label = "RSA"               // the same, by 8 bytes of its encryption
	MasterBySession      Label = "RSA Session-ID"    // master_secret, by session ID
)

// A Line is one secret. It shares its slices with the Log that it came from: do not write to them.
type Line struct {
	Label  Label
	ID     []byte // client_random, 32 bytes, except for the last two labels
	Secret []byte
}

// String returns label, ID and the length of the secret.
func (l Line) String() string {
	return fmt.Sprintf("%s %x (%d bytes)", l.Label, l.ID, len(l.Secret))
}

// Format prints what String returns, whatever the verb.
func (l Line) Format(f fmt.State, _ rune) { io.WriteString(f, l.String()) }

// MarshalText returns what Format prints.
func (l Line) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Append appends the line in the form of the file, with a line feed, in lower-case hex with single
// spaces. See RFC 9850 §2.
func (l Line) Append(dst []byte) []byte {
	if l.Label == MasterBySession {
		return fmt.Appendf(dst, "RSA Session-ID:%x Master-Key:%x\n", l.ID, l.Secret)
	}
	return fmt.Appendf(dst, "%s %x %x\n", l.Label, l.ID, l.Secret)
}

// Log holds the secrets of connections. The zero Log is empty and ready to use. A Log is safe for
// concurrent use only while all goroutines just read.
type Log struct {
	lines []Line
	index map[key]int
	text  int // bytes parsed, bounded by MaxLog

	counts   Counts
	nameless [][]byte
	session  []byte // the last Session-ID of s_client's form
}

// Counts says what was read into a Log.
type Counts struct {
	Lines    int    // that are neither empty nor comments
	Secrets  int    // lines with a secret that can be used
	Zeros    int    // lines with a secret of zeros, which is a placeholder
	Unknown  int    // lines with no label that is known
	First    int    // the number of the first of them, in what was read last
	Encoding string // "UTF-8", "UTF-16" with or without a byte order mark; the last one read
}

// Counts returns what was read so far, which is nothing of a nil Log.
func (l *Log) Counts() Counts {
	if l == nil {
		return Counts{}
	}
	return l.counts
}

// Has reports whether there is a secret for a client_random, or a session ID.
func (l *Log) Has(id []byte) bool {
	labels, _ := l.Labels(id)
	return len(labels) > 0
}

// Labels returns the labels of the secrets for a client_random, or a session ID, sorted, and
// whether there are lines for it whose secret is zeros.
func (l *Log) Labels(id []byte) (labels []Label, placeholders bool) {
	if l == nil || len(id) == 0 {
		return nil, false
	}
	for label := range shapes {
		i, ok := l.index[key{label, string(id)}]
		switch {
		case ok && zeros(l.lines[i].Secret):
			placeholders = true
		case ok:
			labels = append(labels, label)
		}
	}
	slices.Sort(labels)
	return labels, placeholders
}

type key struct {
	label Label
	id    string
}

// MaxLog bounds the text that a Log accepts, in bytes: about one and a half million connections of
// TLS 1.2.
const MaxLog = 256 << 20

// maxLine bounds a line, in bytes. It leaves room for the longest pre_master_secret and ECHConfig
// that Parse accepts.
const maxLine = 16 << 10

// Read reads a key log. If lines cannot be read, the error names the first one and says how many
// there were, and the Log has all others. See RFC 9850 §2.
func Read(r io.Reader) (*Log, error) {
	l := new(Log)
	return l, l.Merge(r)
}

// Merge reads another key log into l, with the same errors as Read. Of several secrets with the
// same label and ID the last one stays, as in Wireshark, unless it is zeros. The text may be UTF-8
// or UTF-16, with or without a byte order mark, as PowerShell writes it. Besides what Parse reads
// it may be wrapped, in a hex dump, or what a program reports: javax.net.debug of Java up to 8,
// openssl s_client -trace, GnuTLS, and Wireshark's debug file.
func (l *Log) Merge(r io.Reader) error {
	var split lineSplitter
	in := bufio.NewReader(r)
	l.counts.First, l.session = 0, nil
	if other := otherFile(in); other != "" {
		l.counts.Encoding = "no text"
		return fmt.Errorf("keylog: this is %s", other)
	}
	r, l.counts.Encoding = decoded(in)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 2*maxLine)
	lines.Split(split.next)
	reading := reading{log: l}
	for lines.Scan() {
		reading.n++
		if split.tooLong {
			reading.fail(reading.n, fmt.Errorf("a line of more than %d bytes", maxLine))
			continue
		}
		reading.line(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("keylog: line %d: %w", reading.n+1, err)
	}
	return reading.end()
}

// A lineSplitter splits lines for a Scanner whose buffer is bounded. A line of more than maxLine
// bytes becomes an empty one, with tooLong set, and does not affect those after it.
type lineSplitter struct{ inside, tooLong bool }

func (s *lineSplitter) next(data []byte, atEOF bool) (int, []byte, error) {
	n, line, err := splitLines(data, atEOF)
	if n == 0 && len(data) > maxLine+1 {
		s.inside = true
		// The last byte stays: it may be the CR of a CR LF, or the last of the file.
		return len(data) - 1, nil, nil
	}
	if s.tooLong = n > 0 && (s.inside || len(line) > maxLine); s.tooLong {
		s.inside, line = false, line[:0]
	}
	return n, line, err
}

// splitLines is a bufio.SplitFunc for lines that end in CR, LF or both. See RFC 9850 §2.
func splitLines(data []byte, atEOF bool) (int, []byte, error) {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0 && atEOF && len(data) > 0:
		return len(data), data, nil
	case i < 0:
		return 0, nil, nil
	case data[i] == '\r' && i+1 == len(data) && !atEOF:
		return 0, nil, nil // a line feed may follow
	case data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n':
		return i + 2, data[:i], nil
	}
	return i + 1, data[:i], nil
}

// Parse reads one line, without its end. Comments, empty lines and unknown labels are ignored, as
// RFC 9850 §2 asks. What a program's log puts before a label is skipped, and so are quotes, 0x
// before a value, colons between its bytes and a remark behind it; the lines Session-ID and
// Master-Key of OpenSSL's s_client are read as well. An error says what is wrong with a line of a
// known label, or what a line of another kind is, and quotes only the label.
func (l *Log) Parse(line []byte) error {
	fields := bytes.Fields(line)
	if len(fields) == 0 || fields[0][0] == '#' {
		return nil
	}
	l.counts.Lines++
	label, values := l.find(fields)
	return l.parse(line, label, values)
}

// parse reads a line in which find found a label and values.
func (l *Log) parse(line []byte, label Label, values [][]byte) error {
	want, known := shapes[label]
	switch {
	case !known, bytes.HasPrefix(line, []byte("-----")): // or PEM
		l.counts.Unknown++
		return foreign(line)
	case len(values) != 2:
		return fmt.Errorf("%s with %d values, expected 2", label, len(values))
	}
	id, err1 := unhex(values[0])
	secret, err2 := unhex(values[1])
	if err1 != nil || err2 != nil {
		return fmt.Errorf("%s: expected two values in hex", label)
	}
	nameless := label == MasterBySession && len(id) == 0
	if !want.id.has(len(id)) && !nameless || !want.secret.has(len(secret)) {
		return fmt.Errorf("%s: values of %d and %d bytes, expected %v and %v", label, len(id),
			len(secret), want.id, want.secret)
	}
	if l.text += len(line); l.text > MaxLog {
		return errTooLong
	}
	if zeros(secret) {
		l.counts.Zeros++
	} else {
		l.counts.Secrets++
	}
	l.Add(Line{label, id, secret})
	return nil
}

var errTooLong = fmt.Errorf("more than %d MiB of key log", MaxLog>>20)

// zeros reports whether a secret is a placeholder.
func zeros(secret []byte) bool { return len(bytes.Trim(secret, "\x00")) == 0 }

// Add adds a line. It replaces one with the same label and ID, unless its secret is zeros and the
// other's is not. Master secrets without a session ID are all kept: see Nameless.
func (l *Log) Add(line Line) {
	k := key{line.Label, string(line.ID)}
	if line.Label == MasterBySession && len(line.ID) == 0 {
		k.id = string(line.Secret)
	}
	if i, ok := l.index[k]; ok {
		if !zeros(line.Secret) || zeros(l.lines[i].Secret) {
			l.lines[i] = line
		}
		return
	}
	if l.index == nil {
		l.index = map[key]int{}
	}
	l.index[k] = len(l.lines)
	if line.Label == MasterBySession && len(line.ID) == 0 {
		l.nameless = append(l.nameless, line.Secret)
	}
	l.lines = append(l.lines, line)
}

// Nameless returns the master secrets that have no session ID, as versions of OpenSSL write them
// for sessions with tickets. They can only be tried.
func (l *Log) Nameless() [][]byte {
	if l == nil {
		return nil
	}
	return l.nameless
}

// Secret returns a secret, or nil if there is none. id is the client_random, except for
// PreMasterByEncrypted (the first 8 bytes of the encrypted pre_master_secret) and MasterBySession
// (the session ID). In a nil Log there is none, and zeros, which are a placeholder, are none.
func (l *Log) Secret(label Label, id []byte) []byte {
	if l == nil {
		return nil
	}
	i, ok := l.index[key{label, string(id)}]
	if !ok || zeros(l.lines[i].Secret) {
		return nil
	}
	return l.lines[i].Secret
}

// Len returns how many secrets the Log has.
func (l *Log) Len() int { return len(l.lines) }

// All iterates over the lines in the order in which they were added.
func (l *Log) All() iter.Seq[Line] { return slices.Values(l.lines) }

// WriteTo writes the Log as a file of RFC 9850.
func (l *Log) WriteTo(w io.Writer) (int64, error) {
	var text []byte
	for _, line := range l.lines {
		text = line.Append(text)
	}
	n, err := w.Write(text)
	return int64(n), err
}

func unhex(text []byte) ([]byte, error) {
	if len(text) > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') {
		text = text[2:]
	}
	if len(text) > 2 && text[2] == ':' {
		text = bytes.ReplaceAll(text, []byte(":"), nil)
	}
	out := make([]byte, hex.DecodedLen(len(text)))
	_, err := hex.Decode(out, text)
	return out, err
}
