package dump

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A Value is one that a program reported. Name is in RFC 5246's spelling: client_random,
// server_random, pre_master_secret, master_secret, session_hash, or suite and version, which are
// Text, as is what is not hex.
type Value struct {
	Name  string
	Bytes []byte
	Text  string
	Line  int  // the number of the line that names it, beginning with 1
	Trace bool // openssl -trace printed it
	Seed  bool // it was in a seed of the PRF, behind the secrets that belong to it
}

// headings are the names of values, as Heading returns them.
var headings = map[string]string{
	"clientrandom": "client_random", "clientnonce": "client_random",
	"serverrandom": "server_random", "servernonce": "server_random",
	"premastersecret": "pre_master_secret", "premaster": "pre_master_secret",
	"mastersecret": "master_secret", "masterkey": "master_secret",
	"sslmastersecret": "master_secret", "cipher": "suite", "ciphersuite": "suite",
	"protocol": "version", "serverversion": "version",
}

// Field returns the name of a value that a program calls name, whatever the case, hyphens and
// underscores.
func Field(name string) (field string, known bool) {
	name = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
	field, known = headings[name]
	return field, known
}

// A Report reads the report of a program line by line. The zero Report is ready to use.
type Report struct {
	n     int
	count int    // of ClientHellos
	hello string // whose hello the lines are of: "client_random" or "server_random"
	time  []byte // gmt_unix_time, the random's first four bytes
	under Value  // whose bytes are in the lines that follow
}

// maxValue is the most bytes that a value has.
const maxValue = 4 << 10

// Read reads line n. It returns the values that are complete with it, and whether the line
// belongs to one.
func (r *Report) Read(n int, line string) (values []Value, known bool) {
	r.n = n
	line = strings.TrimRight(line, "\r\n")
	if r.under.Name != "" {
		offset, b, _, ok := Line(line)
		if !ok {
			offset, b, _, ok = Line(message(line))
		}
		if ok && (offset < 0 || offset == len(r.under.Bytes)) && len(r.under.Bytes) < maxValue {
			r.under.Bytes = append(r.under.Bytes, b...)
			return nil, true
		}
	}
	values = r.End()
	v, known := r.value(strings.TrimSpace(line))
	if !known {
		v, known = r.value(strings.TrimSpace(message(line)))
	}
	if v.Bytes != nil || v.Text != "" {
		v.Line = r.n
		values = append(values, v)
	}
	return values, known
}

// ClientHellos returns how many have begun. What is reported before one is of another connection.
func (r *Report) ClientHellos() int { return r.count }

// Under returns the name of the value whose bytes are in the lines that follow its heading, or "",
// and how many bytes there are so far.
func (r *Report) Under() (name string, n int) { return r.under.Name, len(r.under.Bytes) }

// End returns a value that was complete only with the last line. Its Bytes are nil if nothing
// followed its heading.
func (r *Report) End() []Value {
	v := r.under
	switch r.under = (Value{}); v.Name {
	case "":
		return nil
	case "seed":
		return ofSeed(v)
	}
	return []Value{v}
}

// ofSeed returns what a seed of the PRF, with its label, says besides what its report names.
func ofSeed(v Value) []Value {
	is := func(name string, b []byte) Value {
		return Value{Name: name, Bytes: b, Line: v.Line, Seed: true}
	}
	if hash, ok := bytes.CutPrefix(v.Bytes, []byte("extended master secret")); ok {
		return []Value{is("session_hash", hash)}
	}
	if randoms, ok := bytes.CutPrefix(v.Bytes, []byte("key expansion")); ok && len(randoms) == 64 {
		return []Value{is("server_random", randoms[:32]), is("client_random", randoms[32:])}
	}
	return nil
}

// value reads what stands in one line: a value, or the heading of one.
func (r *Report) value(line string) (v Value, known bool) {
	if is := r.begins(line); is {
		return v, true
	}
	switch {
	case strings.HasPrefix(line, "gmt_unix_time=0x"): // openssl -trace
		r.time, _ = hex.DecodeString(line[len("gmt_unix_time=0x"):])
		return v, r.hello != ""
	case strings.HasPrefix(line, "random_bytes (len="):
		_, text, _ := strings.Cut(line, ": ")
		b, err := hex.DecodeString(text)
		if err != nil || len(r.time) != 4 || r.hello == "" {
			return v, false
		}
		return Value{Name: r.hello, Bytes: append(r.time, b...), Trace: true}, true
	case strings.HasPrefix(line, "cipher_suite {"):
		_, text, _ := strings.Cut(line, "} ")
		return Value{Name: "suite", Text: text}, true
	case strings.HasPrefix(line, "ssl_set_cipher found CIPHER 0x"): // Wireshark
		fields := strings.Fields(line)
		if len(fields) < 5 {
			return v, false
		}
		return Value{Name: "suite", Text: fields[4]}, true
	case strings.HasPrefix(line, "tls_hash: hash seed["):
		r.under = Value{Name: "seed", Line: r.n}
		return v, true
	case strings.HasPrefix(line, "server_version=0x"):
		_, text, _ := strings.Cut(line, "(TLS ")
		return Value{Name: "version", Text: strings.TrimSuffix(text, ")")}, true
	}
	name, text, ok := Heading(strings.ReplaceAll(line, `"`, ""))
	if !ok {
		return v, false
	}
	text = strings.TrimSuffix(text, ",")
	if r.hello != "" && name == "randomcookie" {
		return Value{Name: r.hello, Bytes: cookie(text)}, true
	}
	if r.hello != "" && name == "random" && text != "" { // javax.net.debug since Java 11
		b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		return Value{Name: r.hello, Bytes: b}, err == nil
	}
	v.Name, known = headings[name]
	return r.headed(v, text), known
}

// headed returns the value behind a heading, or remembers the heading if the value is in the lines
// that follow.
func (r *Report) headed(v Value, text string) Value {
	switch v.Name {
	case "":
		return Value{}
	case "suite":
		v.Text, _, _ = strings.Cut(text, "(")
		return v
	case "version":
		v.Text = strings.TrimPrefix(text, "TLSv")
		return v
	}
	if text == "" {
		v.Line = r.n
		r.under = v
		return Value{}
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		v.Text = text
		return v
	}
	v.Bytes = b
	return v
}

// hellos are the messages that the randoms are in.
var hellos = map[string]string{"client_random": "ClientHello", "server_random": "ServerHello"}

// begins reports whether a line begins a hello: "*** ClientHello, TLSv1.2" of Java up to 8,
// `"ClientHello": {` since 11, "ClientHello, Length=288" of openssl -trace.
func (r *Report) begins(line string) bool {
	line = strings.TrimLeft(line, `*" `)
	for _, name := range []string{"client_random", "server_random"} {
		rest, ok := strings.CutPrefix(line, hellos[name])
		if ok && (strings.HasPrefix(rest, ",") || strings.HasPrefix(rest, `":`)) {
			r.hello, r.time = name, nil
			if name == "client_random" {
				r.count++
			}
			return true
		}
	}
	return false
}

// cookie reads a random as Java up to 8 prints it: "GMT: 1412085437 bytes = { 8, 149, … }". Java
// adds up the first four bytes with their signs, so that each that is above 127 takes one from the
// byte before it. It returns nil if text is something else.
func cookie(text string) []byte {
	fields := strings.FieldsFunc(
		text,
		func(c rune) bool { return strings.ContainsRune(" ,{}=", c) },
	)
	if len(fields) != 2+1+28 || fields[0] != "GMT:" || fields[2] != "bytes" {
		return nil
	}
	time, err := strconv.ParseInt(fields[1], 10, 32)
	if err != nil {
		return nil
	}
	b := make([]byte, 4, 32)
	for i := 3; i >= 0; i-- {
		b[i] = byte(time)
		time = (time - int64(int8(b[i]))) >> 8
	}
	for _, field := range fields[3:] {
		n, err := strconv.ParseUint(field, 10, 8)
		if err != nil {
			return nil
		}
		b = append(b, byte(n))
	}
	return b
}

// String returns the name and the length of the value.
func (v Value) String() string { return fmt.Sprintf("%s (%d bytes)", v.Name, len(v.Bytes)) }

// Format prints what String returns, whatever the verb.
func (v Value) Format(f fmt.State, _ rune) { io.WriteString(f, v.String()) }

// MarshalText returns what Format prints.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// String returns nothing of what was read.
func (r Report) String() string { return "dump.Report" }

// Format prints what String returns, whatever the verb.
func (r Report) Format(f fmt.State, _ rune) { io.WriteString(f, r.String()) }

// MarshalText returns what Format prints.
func (r Report) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
