package handshake

// Awaited is what may come next, in words: "the server's server_hello (RFC 5246 §7.4.1.3)". It is for those who explain why a
// handshake came no further.
func (m *Machine) Awaited() string {
	var next []*Line
	for _, l := range m.expected() {
		next = append(next, l)
	}
	return spell(next)
}
