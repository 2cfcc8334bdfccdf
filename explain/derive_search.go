package explain

import (
	"bytes"
	"crypto"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/keys"
)

// Finding is a way to arrive at an expected value.
type Finding struct {
	Name string   // what the value is: "client_write_key", "bytes 64 to 95 of key_block"
	How  []string // what has to be different for it; empty: nothing, this is what was derived
}

// whole reports whether what was found is a value, and not a part of one.
func (f Finding) whole() bool { return !strings.HasPrefix(f.Name, "bytes ") }

// maxMistakes is the number of mistakes that are combined. With three or more, matches by chance
// would be taken for an explanation.
const maxMistakes = 2

// maxTyped is the length in bytes of the longest input in which every digit is varied: that of a
// secret of secp521r1.
const maxTyped = 66

type search struct {
	*Derivation
	want  []byte
	limit int
	tried int
	typed []string
	found []Finding

	// what was computed before, by hash
	finished map[crypto.Hash][]finishedSeed
	sessions map[crypto.Hash][]seedVariant
}

// variant is a value that an input may have, and the mistake that leads to it. The first of each
// list has no mistake.
type variant struct {
	how   string
	value []byte
}

// seedVariant is the same for a label and a seed.
type seedVariant struct {
	how         path
	label, seed string
}

// path is the list of mistakes so far.
type path []string

func (p path) with(how ...string) path {
	for _, h := range how {
		if h != "" {
			p = append(slices.Clip(p), h)
		}
	}
	return p
}

// derive runs the PRF, for at least as many bytes as a longer expansion would have, and compares
// its output. It returns the first n bytes.
func (s *search) derive(h hashVariant, secret []byte, t seedVariant, name string, n int,
	p path) []byte {
	long := max(n, len(s.want))
	if name == "key_block" {
		long = max(long, s.longest())
	}
	out := s.prf(h, secret, t, long)
	s.look(name, out, n, p)
	return out[:n]
}

// prf runs the PRF for n bytes.
func (s *search) prf(h hashVariant, secret []byte, t seedVariant, n int) []byte {
	if h.form == nil {
		h.form = expanded
	}
	return h.form(h.Hash, secret, []byte(t.label), []byte(t.seed), n)
}

// longest returns the length in bytes of the longest key_block that tools are known to print: with
// an IV of 16 bytes for each direction.
func (s *search) longest() int {
	shape := s.Given.Suite.Shape(s.Given.Version)
	mac := shape.MAC
	if mac == 0 {
		mac = macLengths[len(macLengths)-1] // MAC keys may have been cut by mistake
	}
	return 2 * (mac + shape.Key + max(shape.IV, 16))
}

// macLengths are the lengths in bytes of the MAC keys that somebody may cut in front of the keys of
// a suite with authenticated encryption, which has none.
var macLengths = []int{16, 20, 32, 48}

// behindMACs names the part of a key_block that begins at an offset if MAC keys are cut in front.
func behindMACs(shape keys.Shape, at, n int) (name, how string) {
	if shape.MAC > 0 {
		return "", ""
	}
	for _, mac := range macLengths {
		for _, k := range shape.Parts() {
			if k.Offset+2*mac == at && k.Len == n {
				return k.Name, fmt.Sprintf("it is cut behind two MAC keys of %s: a suite with "+
					"authenticated encryption has no MAC keys (RFC 5288 §3)", octets(mac))
			}
		}
	}
	return "", ""
}

// expanded is the PRF itself.
func expanded(h crypto.Hash, secret, label, seed []byte, n int) []byte {
	return expand(h, secret, string(label), seed, n)
}

func expand(h crypto.Hash, secret []byte, label string, seed []byte, n int) []byte {
	out := make([]byte, n)
	for _, e := range (keys.PRF{Hash: h}).Chain(secret, label, seed, n) {
		rest := out
		for _, block := range e.Output {
			rest = rest[subtle.XORBytes(rest, rest, block):]
		}
	}
	return out
}

// look compares the expected value with out, whose first n bytes are the value called name.
func (s *search) look(name string, out []byte, n int, p path) {
	s.tried++
	if len(p) > s.limit {
		return
	}
	if at := bytes.Index(out, s.want); at >= 0 {
		what, how := s.describe(name, at, n)
		s.report(what, p.with(how))
		return
	}
	backwards := slices.Clone(s.want)
	slices.Reverse(backwards)
	if at := bytes.Index(out, backwards); at >= 0 && len(p) < s.limit {
		what, _ := s.describe(name, at, n)
		s.report(what, p.with("the bytes are in reverse order"))
	}
}

func (s *search) report(name string, p path) {
	for _, f := range s.found {
		if f.Name == name && slices.Equal(f.How, p) {
			return
		}
	}
	s.found = append(s.found, Finding{name, p})
}

// describe names the bytes at an offset of a value with n bytes.
func (s *search) describe(name string, at, n int) (what, how string) {
	end := at + len(s.want)
	if at == 0 && end == n {
		return name, ""
	}
	if name == "key_block" {
		for _, k := range s.Given.Suite.Shape(s.Given.Version).Parts() {
			if k.Offset == at && k.Len == len(s.want) {
				return k.Name, ""
			}
		}
		if name, how := behindMACs(s.Given.Suite.Shape(s.Given.Version), at,
			len(s.want)); name != "" {
			return name, how
		}
	}
	switch {
	case end <= n:
		return fmt.Sprintf("bytes %d to %d of %s", at, end-1, name), ""
	case at == 0 && name == "key_block":
		return name,
			fmt.Sprintf("it was expanded to %s, of which the suite takes %d: Wireshark and "+
				"tshark do so, to print IVs that a CBC suite does not take since TLS 1.1",
				octets(end), n)
	case name == "key_block":
		return fmt.Sprintf("bytes %d to %d of a longer key expansion", at, end-1),
			fmt.Sprintf("the suite takes only the first %d: what follows is no key of this "+
				"connection, though Wireshark and tshark print it as IVs", n)
	}
	return name, fmt.Sprintf("the PRF was run for %s in the place of %d", octets(end), n)
}

type finishedSeed struct {
	how, name, label, seed string
	alone                  bool // it is not tried after another mistake
}
