package explain

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/keys"
)

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
	if slices.ContainsFunc(s.found, Finding.whole) { // a part of another value by chance
		s.found = slices.DeleteFunc(s.found, func(f Finding) bool { return !f.whole() })
	}
	return s.found, &Tried{Values: s.tried, Typed: s.typed, Missing: d.Missing()}, nil
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
		seeds := s.masterSeeds(h.Hash)
		if len(p) == 0 && pre.how == "" {
			seeds = slices.Concat(seeds, s.loneMasterSeeds(h.Hash))
		}
		for _, seed := range seeds {
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
	shape := s.Given.Suite.Shape(s.Given.Version)
	blocks := s.blockSeeds()
	if len(p) == 0 {
		blocks = slices.Concat(blocks, s.loneBlockSeeds())
	}
	for _, seed := range blocks {
		if q := p.with(seed.how...); len(q) <= s.limit {
			s.derive(h, master, seed, "key_block", shape.Len(), q)
		}
	}
	seeds := s.finishedSeeds(h.Hash)
	s.fromSecret(h, master, seeds, p)
	if len(blocks) > 0 {
		right := blocks[0]
		block := s.prf(h, master, right, max(shape.Len(), keys.MasterLen))
		for _, v := range blockAsSecret(block, shape) {
			s.fromSecret(h, v.value, seeds, p.with(v.how))
		}
	}
}

// fromSecret compares the verify_data that a secret gives.
func (s *search) fromSecret(h hashVariant, secret []byte, seeds []finishedSeed, p path) {
	for _, seed := range seeds {
		if q := p.with(seed.how); len(q) <= s.limit && !(seed.alone && len(p) > 0) {
			s.derive(h, secret, seedVariant{nil, seed.label, seed.seed}, seed.name,
				keys.VerifyDataLen, q)
		}
	}
}

// blockAsSecret are what is taken of the key_block in the place of the master_secret. long has at
// least as many bytes as that.
func blockAsSecret(long []byte, shape keys.Shape) []variant {
	block := long[:shape.Len()]
	const rightly = "the secret of Finished is the master_secret (RFC 5246 §7.4.9)"
	list := []variant{{"Finished is made with the key_block: " + rightly, block}}
	for _, k := range shape.Parts() {
		list = append(list, variant{fmt.Sprintf("Finished is made with the %s: %s", k.Name,
			rightly), block[k.Offset : k.Offset+k.Len]})
	}
	return append(list, variant{"Finished is made with the first 48 bytes of the key_block: " +
		rightly, long[:keys.MasterLen]})
}
