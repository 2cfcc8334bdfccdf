package wire

import "slices"

// Set is a set of numbers of two bytes, such as extension types, that a peer may fill. Add and Has
// take constant time, however many numbers a peer has sent: it can put 16,383 empty extensions into
// a hello, and comparing each with all others would take a tenth of a second. The zero value is
// empty.
type Set[T ~uint16] struct {
	low  uint64 // those below 64, by bit
	few  [24]T  // the first n of the others: most lists are short
	n    int
	bits []uint64 // once few is full, all of the others
}

// Has reports whether v is in the set.
func (s *Set[T]) Has(v T) bool {
	if v < 64 {
		return s.low>>v&1 == 1
	}
	if s.bits == nil {
		return slices.Contains(s.few[:s.n], v)
	}
	return s.bits[v/64]>>(v%64)&1 == 1
}

// Add adds v, and reports whether it was not in the set.
func (s *Set[T]) Add(v T) bool {
	if v < 64 {
		added := s.low>>v&1 == 0
		s.low |= 1 << v
		return added
	}
	if s.Has(v) {
		return false
	}
	if s.bits == nil && s.n < len(s.few) {
		s.few[s.n] = v
		s.n++
		return true
	}
	if s.bits == nil {
		s.bits = make([]uint64, 1<<16/64)
		for _, had := range s.few {
			s.bits[had/64] |= 1 << (had % 64)
		}
	}
	s.bits[v/64] |= 1 << (v % 64)
	return true
}
