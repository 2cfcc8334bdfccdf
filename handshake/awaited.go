package handshake

import "slices"

// Awaited is what may come next, in words: "the server's server_hello (RFC 5246 §7.4.1.3)". It is for those who explain why a
// handshake came no further. A line that was said and refused is still awaited: it became no fact.
func (m *Machine) Awaited() string {
	if m.said.Line != nil {
		return spell([]*Line{m.said.Line})
	}
	var next []*Line
	for _, l := range m.expected() {
		same := func(o *Line) bool { return o.From == l.From && o.Says == l.Says }
		if !slices.ContainsFunc(next, same) { // two figures often go on alike
			next = append(next, l)
		}
	}
	return spell(next)
}
