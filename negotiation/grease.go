package negotiation

import (
	"io"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// GREASE: reserved values in extensible lists, sent so that peers which do not ignore unknown
// values are found early. A peer's answer with one is rejected like any value that was not offered.
// See RFC 8701.

// grease is a place for a reserved value.
type grease uint8

const (
	GreaseSuite grease = iota
	greaseGroup        // the key share too
	greaseVersion
	GreaseScheme
	greaseProtocol
	greaseMode
	greaseFirst // extensions
	greaseLast
	greases
)

// Greased holds the reserved values of a side, if it sends any. They are the same in all its
// messages: a second hello must repeat those of the first.
type Greased struct{ drawn []byte }

// value returns the reserved value for a place: 0x0A0A, 0x1A1A up to 0xFAFA. Those of the two
// extensions differ. See RFC 8701 §2.
func (g *Greased) value(at grease) uint16 {
	n := g.drawn[at] & 0xF
	if at == greaseLast && n == g.drawn[greaseFirst]&0xF {
		n ^= 1
	}
	return 0x0A0A | uint16(n)<<12 | uint16(n)<<4
}

// Draw draws the values of this side, once, if it sends any.
func (g *Greased) Draw(c *Config) error {
	if !c.GREASE || g.drawn != nil {
		return nil
	}
	drawn := make([]byte, greases)
	if _, err := io.ReadFull(c.Rand, drawn); err != nil {
		return err
	}
	g.drawn = drawn
	return nil
}

// WithGrease returns a list with the reserved value of its place before it.
func WithGrease[T ~uint16](g *Greased, at grease, list []T) []T {
	if g.drawn == nil {
		return list
	}
	return append([]T{T(g.value(at))}, list...)
}

// Extend adds an empty extension before the others, and one of one byte after them; pre_shared_key
// stays the last.
func (g *Greased) Extend(e message.Extensions) message.Extensions {
	if g.drawn == nil {
		return e
	}
	first := message.Extension{Type: iana.ExtensionType(g.value(greaseFirst)), Data: []byte{}}
	last := message.Extension{Type: iana.ExtensionType(g.value(greaseLast)), Data: []byte{0}}
	at := len(e)
	if at > 0 && e[at-1].Type == iana.ExtPreSharedKey {
		at--
	}
	return append(message.Extensions{first}, slices.Insert(e, at, last)...)
}

// withMode returns the modes with a reserved one, which has one byte: 0x0B, 0x2A up to 0xE4. See
// RFC 8701 §2.
func (g *Greased) withMode(modes []iana.PSKKeyExchangeMode) []iana.PSKKeyExchangeMode {
	if g.drawn == nil {
		return modes
	}
	reserved := iana.PSKKeyExchangeMode(0x0B + 0x1F*(g.drawn[greaseMode]&7))
	return append([]iana.PSKKeyExchangeMode{reserved}, modes...)
}

// IsGreaseName reports whether an application protocol is a reserved one: two bytes of a reserved
// value.
func IsGreaseName(name []byte) bool {
	return len(name) == 2 && name[0] == name[1] && name[0]&0xF == 0xA
}
