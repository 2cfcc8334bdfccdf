package explain

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// CommandsNeed lists what a shell needs to run every Command.
const CommandsNeed = "a POSIX shell, OpenSSL 3.0 or later (3.5 for ML-KEM), xxd (Debian package " +
	"xxd; macOS and BusyBox have it), and python3 where it is named"

// WithoutXXD is a shell function that replaces xxd in the commands on a machine with python3 and
// without xxd.
const WithoutXXD = `xxd() {
  python3 -c 'import sys
data = sys.stdin.buffer.read()
sys.stdout.buffer.write(bytes.fromhex(data.decode()) if sys.argv[1] == "-r"
  else data.hex().encode() + b"\n")' "$@"
}`

// Command computes one value of a story with another tool, from values that the story has shown
// before. Text is made of hexadecimal digits, numbers and words of this package. It never contains
// text of a peer or a file, so it is safe to paste into a shell.
type Command struct {
	Name    string // of the value: "master_secret", "data + MAC + padding"
	Tool    string // "openssl", "openssl 3.5", "openssl and python3", "cut"
	Text    string // for a POSIX shell; perhaps of several lines
	Output  []byte // what it prints in hex, 256 bytes a line
	Verdict string // what it prints instead, if it checks something: "Verified OK"
}

// Prints returns what the command prints, without line ends.
func (c Command) Prints() string {
	if c.Verdict != "" {
		return c.Verdict
	}
	return hex.EncodeToString(c.Output)
}

// The names of hashes of messages: RFC 7627 §3, RFC 5246 §7.4.9 and RFC 8446 §4.4.1.
const (
	sessionHash    = "session_hash"
	handshakeHash  = "Hash(handshake_messages)"
	transcriptHash = "Transcript-Hash"
)

// Hashes reports whether the command hashes messages, and so needs no secret.
func (c Command) Hashes() bool {
	return c.Name == sessionHash || c.Name == handshakeHash || c.Name == transcriptHash
}

// Notebook collects from a stream of events what later commands need. Its zero value is empty.
type Notebook struct {
	rsaKey   []byte            // the server's throw-away key
	privates map[string][]byte // the client's ephemeral keys, by public key
	views    map[trace.Role]*notes
}

// notes holds the inputs from the events of one role.
type notes struct {
	agreed    trace.Agreed
	suite     *suite.Suite
	messages  []*trace.Message // of this handshake
	ephemeral *trace.Ephemeral
	block     []byte
	keys      [2]*trace.KeysInstalled
	rsaKey    []byte
	privates  map[string][]byte
}

// retried reports whether the last message is a HelloRetryRequest.
func (v *notes) retried() bool {
	n := len(v.messages)
	return n > 0 && message.IsHelloRetryRequest(v.messages[n-1].Raw)
}

// message returns the first message of type t from a side in this handshake, or nil.
func (v *notes) message(from iana.Side, t iana.HandshakeType) []byte {
	if i := v.find(from, t); i < len(v.messages) {
		return v.messages[i].Raw
	}
	return nil
}

// find returns the index of that message, or the number of messages if there is none.
func (v *notes) find(from iana.Side, t iana.HandshakeType) int {
	i := slices.IndexFunc(v.messages,
		func(m *trace.Message) bool { return m.From == from && m.Type == t })
	if i < 0 {
		return len(v.messages)
	}
	return i
}

func (v *notes) parse(from iana.Side, raw []byte) message.Message {
	m, err := DialectOf(v.agreed, from).Parse(raw)
	if err != nil {
		return nil
	}
	return m
}

// digests are the names that openssl has for the hashes of the PRF.
var digests = map[string]string{"SHA-256": "SHA256", "SHA-384": "SHA384", "MD5+SHA-1": "MD5-SHA1"}

// labels are the PRF labels that a command may show as text, with the names of the outputs.
var labels = map[string]string{
	"master secret": "master_secret", "extended master secret": "master_secret",
	"key expansion":   "key_block",
	"client finished": "client_verify_data", "server finished": "server_verify_data",
}

// maxSeed is the total length in bytes of label and seed that openssl kdf accepts.
const maxSeed = 1024

// derived returns the commands for a call of the PRF, and for the hash that is its seed. See RFC
// 5246 §5.
func (v *notes) derived(d *trace.Derived) []Command {
	digest := digests[d.Hash]
	if d.Function != "PRF" || digest == "" || len(d.Secret) == 0 || len(d.Output) == 0 ||
		len(d.Label)+len(d.Seed) > maxSeed {
		return nil
	}
	name, label := labels[d.Label], "'seed:"+d.Label+"'"
	if name == "" { // an exporter's
		name, label = "output", "hexseed:"+hexOf([]byte(d.Label))
	}
	kdf := fmt.Sprintf("openssl kdf -keylen %d -kdfopt digest:%s -kdfopt hexsecret:%s -kdfopt %s",
		len(d.Output), digest, hexOf(d.Secret), label)
	if len(d.Seed) > 0 {
		kdf += " -kdfopt hexseed:" + hexOf(d.Seed)
	}
	commands := []Command{openssl(name, pipe(kdf+" -binary TLS1-PRF", toHex), d.Output)}
	covered := 0
	switch d.Label {
	case "extended master secret":
		name, covered = sessionHash, len(v.messages)
	case "client finished":
		name, covered = handshakeHash, v.find(iana.Client, iana.Finished)
	case "server finished":
		name, covered = handshakeHash, v.find(iana.Server, iana.Finished)
	}
	if covered == 0 {
		return commands
	}
	var transcript []byte
	for _, m := range v.messages[:covered] {
		transcript = append(transcript, m.Raw...)
	}
	hash := pipe(feed(transcript), "openssl dgst -"+strings.ToLower(digest)+" -binary", toHex)
	return append([]Command{openssl(name, hash, d.Seed)}, commands...)
}

// cut returns the commands that cut the keys of one direction out of the key_block. See RFC 5246
// §6.3.
func (v *notes) cut(k *trace.KeysInstalled) (commands []Command) {
	if v.suite == nil || len(v.block) == 0 {
		return nil
	}
	shape := v.suite.Shape(v.agreed.Version)
	values := map[string][]byte{"MAC_key": k.MACKey, "key": k.Key, "IV": k.IV}
	for _, p := range shape.Parts() {
		value := values[strings.TrimPrefix(p.Name, k.From.String()+"_write_")]
		if p.From != k.From || p.Len == 0 || len(value) != p.Len || p.Offset+p.Len > len(v.block) {
			continue
		}
		text := fmt.Sprintf("echo %s | cut -c %d-%d", hexOf(v.block), 2*p.Offset+1,
			2*(p.Offset+p.Len))
		commands = append(commands, Command{Name: p.Name, Tool: "cut", Text: text, Output: value})
	}
	return commands
}

// The words that commands are made of.

const toHex = "xxd -p -c 256"

func openssl(name, text string, output []byte) Command {
	return Command{Name: name, Tool: "openssl", Text: text, Output: output}
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// feed is a command that writes bytes to a pipe. echo is built into the shell, so the length of its
// argument is not limited.
func feed(b []byte) string { return "echo " + hexOf(b) + " | xxd -r -p" }

func pipe(stages ...string) string { return strings.Join(stages, " | ") }

// hexFile is a command that writes bytes to a file.
func hexFile(name string, b []byte) string { return feed(b) + " > " + name }

// aside is a command that runs lines in a temporary directory and then removes the files that they
// made there.
func aside(lines []string, files ...string) string {
	lines = append(append([]string{`(cd "$(mktemp -d)" || exit`}, lines...),
		"rm "+strings.Join(files, " ")+")")
	return strings.Join(lines, "\n")
}

// enc is a command that encrypts, or decrypts with -d, without padding. A nil IV is left out.
func enc(cipher string, key, iv []byte) string {
	text := "openssl enc -" + cipher + " -nopad -K " + hexOf(key)
	if iv != nil {
		text += " -iv " + hexOf(iv)
	}
	return text
}

func python(name, program string, output []byte) Command {
	return Command{Name: name, Tool: "python3", Text: "python3 -c '" + program + "'",
		Output: output}
}
