package negotiation

import "testing"

// The reserved values of the two extensions differ, whatever is drawn: no extension may come twice.
// See RFC 8701 §2 and RFC 8446 §4.2.
func TestTheTwoGREASEExtensionsDiffer(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			drawn := make([]byte, greases)
			drawn[greaseFirst], drawn[greaseLast] = byte(a), byte(b)
			g := Greased{drawn}
			first, last := g.value(greaseFirst), g.value(greaseLast)
			if first == last || first&0x0F0F != 0x0A0A || first>>8 != first&0xFF {
				t.Fatalf("drawn %d and %d: %#04x and %#04x", a, b, first, last)
			}
		}
	}
}
