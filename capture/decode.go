package capture

import "fmt"

// decode returns what a packet carries: then the segment, or the EAP packet, is set. An error means
// that packets of this link type cannot be decoded.
func (d *decoder) decode(p *Packet) (found, error) {
	d.found, d.macs = nothing, [2][6]byte{}
	next := linkLayers[p.Link]
	if next == nil {
		d.skip(linkText(p.Link), int(p.Link))
		return nothing, fmt.Errorf("capture: packets of %v are not read", p.Link)
	}
	rest := part{p.Data, max(p.Length, len(p.Data))}
	for range maxLayers {
		if next, rest = next(d, rest); next == nil {
			return d.found, nil
		}
	}
	d.skip("tunnels in tunnels, nested too deeply", 0)
	return nothing, nil
}
