package explain

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/subtle"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/keys"
)

// Finding is a way to arrive at an expected value.
type Finding struct {
	Name string   // what the value is: "client_write_key", "bytes 64 to 95 of key_block"
	How  []string // what has to be different for it; empty: nothing, this is what was derived
}

// maxMistakes is the number of mistakes that are combined. With three or more, matches by chance
// would be taken for an explanation.
const maxMistakes = 2

// maxTyped is the length in bytes of the longest input in which every digit is varied: that of a
// secret of secp521r1.
const maxTyped = 66

// The lengths of an expected value in bytes. A shorter one would match by chance, and nothing that
// is derived here is longer.
const (
	minExpected = 4
	maxExpected = 1024
)

// Search looks for expected among the values that can be derived: correctly, then with up to two
// common mistakes, then with one digit of one input mistyped. It returns the ways with the fewest
// mistakes, and what it tried. The length of expected must be 4 to 1024 bytes.
func (d *Derivation) Search(expected []byte) (found []Finding, tried *Tried, err error) {
	if len(expected) < minExpected || len(expected) > maxExpected {
		return nil, nil,
			misfit("expect", "got %s, expected %d to %d: anything shorter would be found by chance",
				octets(len(expected)), minExpected, maxExpected)
	}
	s := &search{Derivation: d, want: expected, limit: maxMistakes}
	s.walk()
	if len(s.found) == 0 {
		s.slips()
	}
	if len(s.found) == 0 {
		s.mistyped()
	}
	slices.SortStableFunc(s.found,
		func(a, b Finding) int { return cmp.Compare(len(a.How), len(b.How)) })
	for i, f := range s.found {
		if len(f.How) > len(s.found[0].How) {
			s.found = s.found[:i]
			break
		}
	}
	return s.found, &Tried{Values: s.tried, Typed: s.typed, Missing: d.Missing()}, nil
}

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

// walk tries every combination of mistakes.
func (s *search) walk() {
	s.look("client_random", s.Given.Client, len(s.Given.Client), nil)
	s.look("server_random", s.Given.Server, len(s.Given.Server), nil)
	s.look("session_hash", s.Given.SessionHash, len(s.Given.SessionHash), nil)
	s.walkFrom(path{})
	if s.transcript != nil || s.Given.Client == nil || s.Given.Server == nil {
		return
	}
	exchanged := *s.Derivation
	exchanged.Given.Client, exchanged.Given.Server = s.Given.Server, s.Given.Client
	other := *s
	other.Derivation = &exchanged
	other.walkFrom(path{"client_random and server_random are exchanged"})
	s.tried, s.found = other.tried, other.found
}

func (s *search) walkFrom(p path) {
	for _, h := range s.hashes() {
		q := p.with(h.how)
		for _, m := range s.masters(h, q) {
			s.fromMaster(h, m.value, m.path)
		}
	}
}

type reached struct {
	value []byte
	path  path
}

// masters returns the master_secrets that can be derived with h.
func (s *search) masters(h hashVariant, p path) []reached {
	g := &s.Given
	if g.PreMaster == nil {
		var list []reached
		given := append([]variant{{"", g.Master}}, spellings("master_secret", g.Master)...)
		for _, t := range given {
			s.look("master_secret", t.value, len(t.value), p.with(t.how))
			list = s.append(list, t.value, p.with(t.how))
		}
		for _, seed := range s.masterSeeds(h.Hash) {
			q := p.with("what was given as master_secret was taken for the " +
				"pre_master_secret").with(seed.how...)
			list = s.append(list, s.derive(h, g.Master, seed, "master_secret", keys.MasterLen, q),
				q)
		}
		return list
	}
	list := []reached{}
	for _, pre := range s.preMasters() {
		s.look("pre_master_secret", pre.value, len(pre.value), p.with(pre.how))
		for _, seed := range s.masterSeeds(h.Hash) {
			if q := p.with(pre.how).with(seed.how...); len(q) <= s.limit {
				list = append(list,
					reached{s.derive(h, pre.value, seed, "master_secret", keys.MasterLen, q), q})
			}
		}
	}
	if len(p) == 0 && len(list) > 0 && len(list[0].path) == 0 {
		for _, t := range spellings("master_secret", list[0].value) {
			list = s.append(list, t.value, p.with(t.how))
		}
	}
	return s.append(list, g.PreMaster,
		p.with("the pre_master_secret is taken for the master_secret: the step to it was left "+
			"out"))
}

func (s *search) append(list []reached, value []byte, p path) []reached {
	if len(p) > s.limit || len(value) == 0 {
		return list
	}
	return append(list, reached{value, p})
}

// fromMaster compares everything that can be derived from a master_secret.
func (s *search) fromMaster(h hashVariant, master []byte, p path) {
	n := s.Given.Suite.Shape(s.Given.Version).Len()
	var block []byte
	for i, seed := range s.blockSeeds() {
		q := p.with(seed.how...)
		if len(q) <= s.limit {
			b := s.derive(h, master, seed, "key_block", n, q)
			if i == 0 {
				block = b
			}
		}
	}
	seeds := s.finishedSeeds(h.Hash)
	s.fromSecret(h, master, seeds, p)
	if block != nil {
		for _, v := range blockAsSecret(block, s.Given.Suite.Shape(s.Given.Version)) {
			s.fromSecret(h, v.value, seeds, p.with(v.how))
		}
	}
}

// fromSecret compares the verify_data that a secret gives.
func (s *search) fromSecret(h hashVariant, secret []byte, seeds []finishedSeed, p path) {
	for _, seed := range seeds {
		if q := p.with(seed.how); len(q) <= s.limit {
			s.derive(h, secret, seedVariant{nil, seed.label, seed.seed}, seed.name,
				keys.VerifyDataLen, q)
		}
	}
}

// blockAsSecret are what is taken of the key_block in the place of the master_secret.
func blockAsSecret(block []byte, shape keys.Shape) []variant {
	const rightly = "the secret of Finished is the master_secret (RFC 5246 §7.4.9)"
	list := []variant{{"Finished is made with the key_block: " + rightly, block}}
	for _, k := range shape.Parts() {
		list = append(list, variant{fmt.Sprintf("Finished is made with the %s: %s", k.Name,
			rightly), block[k.Offset : k.Offset+k.Len]})
	}
	return append(list, variant{"Finished is made with the first 48 bytes of the key_block: " +
		rightly, block[:min(keys.MasterLen, len(block))]})
}

// derive runs the PRF, for at least as many bytes as a longer expansion would have, and compares
// its output. It returns the first n bytes.
func (s *search) derive(h hashVariant, secret []byte, t seedVariant, name string, n int,
	p path) []byte {
	long := max(n, len(s.want))
	if name == "key_block" {
		long = max(long, s.longest())
	}
	if h.form == nil {
		h.form = expanded
	}
	out := h.form(h.Hash, secret, []byte(t.label), []byte(t.seed), long)
	s.look(name, out, n, p)
	return out[:n]
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
