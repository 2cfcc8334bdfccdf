package explain

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Search looks for expected among the values that can be derived: correctly, then with one and with
// two of the usual mistakes, then with one digit of one input mistyped. It returns the ways with
// the fewest mistakes. The length of expected must be 4 to 1024 bytes.
func (d *Derivation13) Search(expected []byte) ([]Finding, *Tried, error) {
	if len(expected) < minExpected || len(expected) > maxExpected {
		return nil, nil, misfit("expect", "got %s, expected %d to %d: anything shorter would "+
			"be found by chance", octets(len(expected)), minExpected, maxExpected)
	}
	s := &search13{d: d, want: expected, tried: &Tried{Missing: d.Missing()}}
	s.given()
	s.try(d, method{}, nil)
	var list []mistake13
	if s.open() {
		list = d.usual()
	}
	for _, x := range list { // all of them: a value may come about in several ways
		s.tried.Mistakes++
		s.try(d, x.method(), []string{x.how})
	}
	if s.open() {
		s.pairs(list)
	}
	if s.open() {
		s.slips()
	}
	if s.open() {
		s.typos()
	}
	slices.SortStableFunc(s.found,
		func(a, b Finding) int { return cmp.Compare(len(a.How), len(b.How)) })
	return s.found, s.tried, nil
}

func (x mistake13) method() (m method) {
	x.edit(&m)
	return m
}

// search13 is the state of a search.
type search13 struct {
	d     *Derivation13
	want  []byte
	found []Finding
	tried *Tried
}

func (s *search13) open() bool { return len(s.found) == 0 }

// pairs tries two mistakes at once. Of those of the transcript, it tries the nearest places.
func (s *search13) pairs(list []mistake13) {
	list = slices.DeleteFunc(slices.Clone(list), func(x mistake13) bool { return x.off > 1 })
	for i := range list {
		for j := range list[:i] {
			if list[i].off > 0 && list[j].off > 0 {
				continue
			}
			s.tried.Pairs++
			m := list[j].method()
			list[i].edit(&m)
			s.try(s.d, m, []string{list[j].how, list[i].how})
		}
	}
}

// given looks among the inputs.
func (s *search13) given() {
	g := &s.d.Given
	s.look(Value13{Name: "psk", Bytes: g.PSK}, nil)
	s.look(Value13{Name: "shared_secret", Bytes: g.Shared}, nil)
	for p, h := range g.Hashes {
		s.look(Value13{Name: PointFields[p], Bytes: h}, nil)
	}
}

// try derives with a method and compares every value.
func (s *search13) try(d *Derivation13, m method, how []string) {
	r := &run13{d: d, m: m, put: func(v Value13) { s.look(v, how) }}
	for p := range points {
		if h := r.at(p, m); h != nil && !m.raw && s.d.messages.at[p] > 0 {
			s.look(Value13{Name: "the transcript hash of " + pointUses[p], Bytes: h}, how)
		}
	}
	r.all()
	if how != nil && m.swap.step == "" { // made once, in the last step
		r.alone = true
		r.all()
	}
}

// look compares one value.
func (s *search13) look(v Value13, how []string) {
	if v.Bytes == nil {
		return
	}
	s.tried.Values++
	at := bytes.Index(v.Bytes, s.want)
	if at < 0 {
		backwards := slices.Clone(s.want)
		slices.Reverse(backwards)
		if at = bytes.Index(v.Bytes, backwards); at < 0 || len(how) == maxMistakes {
			return
		}
		how = append(slices.Clip(how), "the bytes are in reverse order")
	}
	name := v.Name
	switch n := len(s.want); {
	case n == len(v.Bytes):
	case at == 5 && strings.HasSuffix(name, "_record") && n == len(v.Bytes)-5:
		name += ", without its header"
	default:
		name = fmt.Sprintf("bytes %d to %d of %s", at, at+n-1, name)
	}
	for _, f := range s.found {
		if f.Name == name {
			return
		}
	}
	s.found = append(s.found, Finding{name, how})
}

// slips finds values that differ from the expected one in a few bytes: then that has the mistake.
func (s *search13) slips() {
	for _, v := range s.d.Values {
		if len(v.Bytes) != len(s.want) || len(v.Bytes) < 12 {
			continue
		}
		var wrong []int
		for i := range v.Bytes {
			if v.Bytes[i] != s.want[i] {
				wrong = append(wrong, i)
			}
		}
		if len(wrong) <= len(v.Bytes)/8 {
			s.found = append(s.found, Finding{v.Name, []string{fmt.Sprintf("the expected "+
				"value itself differs from it in %s, at %v from 0: it looks mistyped",
				Count(len(wrong), "byte"), wrong)}})
		}
	}
}

// typos tries every input with one digit changed or two neighbouring digits swapped.
func (s *search13) typos() {
	type field struct {
		name  string
		value func(*Given13) *[]byte
	}
	inputs := []field{{"psk", func(g *Given13) *[]byte { return &g.PSK }},
		{"shared_secret", func(g *Given13) *[]byte { return &g.Shared }},
		{"ticket_nonce", func(g *Given13) *[]byte { return &g.Nonce }}}
	for p := range points {
		inputs = append(inputs,
			field{PointFields[p], func(g *Given13) *[]byte { return &g.Hashes[p] }})
	}
	for _, in := range inputs {
		value := *in.value(&s.d.Given)
		if len(value) > maxTyped || in.name == "shared_secret" &&
			(s.d.Given.Private[0] != nil || s.d.Given.Private[1] != nil) {
			continue
		}
		if value != nil {
			s.tried.Typed = append(s.tried.Typed, in.name)
		}
		for how, typed := range typos(in.name, value) {
			d := *s.d
			*in.value(&d.Given) = typed
			s.try(&d, method{}, []string{how})
		}
	}
}
