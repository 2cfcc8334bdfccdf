package explain

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/trace"
)

// Values that result if an input, or the expected value, was mistyped.

// slips finds derived values that differ from the expected one in a few bytes: then the expected
// value has the mistake.
func (s *search) slips() {
	values := s.derived()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		if len(value) != len(s.want) || len(value) < keys.VerifyDataLen {
			continue
		}
		var wrong []int
		for i := range value {
			if value[i] != s.want[i] {
				wrong = append(wrong, i)
			}
		}
		if len(wrong) <= len(value)/8 {
			s.report(name,
				path{fmt.Sprintf("the expected value itself differs from it in %s, at %v from 0: "+
					"it looks mistyped", Count(len(wrong), "byte"), wrong)})
		}
	}
}

// derived returns all correctly derived values by name.
func (s *search) derived() map[string][]byte {
	values := map[string][]byte{}
	for name, x := range see(s.Entries, trace.Client).derived {
		values[name] = x.Output
	}
	for _, k := range s.Keys {
		values[k.Name] = k.Value.Client
	}
	return values
}

// mistyped tries every input with one digit changed or two neighbouring digits swapped, and no
// other mistake. It leaves the randoms alone if there is a transcript, since nobody types one.
func (s *search) mistyped() {
	inputs := []struct {
		name  string
		value func(*Given) *[]byte
	}{
		{"pre_master_secret", func(g *Given) *[]byte { return &g.PreMaster }},
		{"master_secret", func(g *Given) *[]byte { return &g.Master }},
		{"session_hash", func(g *Given) *[]byte { return &g.SessionHash }},
		{"client_random", func(g *Given) *[]byte { return &g.Client }},
		{"server_random", func(g *Given) *[]byte { return &g.Server }},
	}
	if s.transcript != nil {
		inputs = inputs[:2]
	}
	for _, in := range inputs {
		value := *in.value(&s.Given)
		if len(value) > maxTyped {
			continue
		}
		if value != nil {
			s.typed = append(s.typed, in.name)
		}
		for how, typed := range typos(in.name, value) {
			d := *s.Derivation
			*in.value(&d.Given) = typed
			one := &search{Derivation: &d, want: s.want, limit: maxMistakes}
			one.straight()
			s.tried += one.tried
			for _, f := range one.found {
				s.report(f.Name, path{how}.with(f.How...))
			}
		}
	}
}

// straight derives without any mistake.
func (s *search) straight() {
	h := hashVariant{Hash: s.hash()}
	master := s.Given.Master
	if s.Given.PreMaster != nil {
		master = s.derive(h, s.Given.PreMaster, s.masterSeeds(h.Hash)[0], "master_secret",
			keys.MasterLen, nil)
	}
	if seeds := s.blockSeeds(); len(seeds) > 0 {
		s.derive(h, master, seeds[0], "key_block", s.Given.Suite.Shape(s.Given.Version).Len(), nil)
	}
}

// typos yields value with each digit changed and with each pair of neighbouring digits swapped.
func typos(name string, value []byte) func(func(string, []byte) bool) {
	digits := hex.EncodeToString(value)
	return func(yield func(string, []byte) bool) {
		try := func(how string, typed []byte) bool {
			b, err := hex.DecodeString(string(typed))
			return err != nil || yield(how, b)
		}
		for i := range digits {
			for _, c := range "0123456789abcdef" {
				typed := []byte(digits)
				if typed[i] = byte(c); byte(c) == digits[i] {
					continue
				}
				if !try(fmt.Sprintf("digit %d of %s (in byte %d from 0) is %c in the place of %c",
					i+1, name, i/2, c, digits[i]), typed) {
					return
				}
			}
			if i+1 < len(digits) && digits[i] != digits[i+1] {
				typed := []byte(digits)
				typed[i], typed[i+1] = typed[i+1], typed[i]
				if !try(fmt.Sprintf("digits %d and %d of %s have changed places", i+1, i+2, name),
					typed) {
					return
				}
			}
		}
	}
}
