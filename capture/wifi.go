package capture

import "encoding/binary"

// radiotap skips a header whose length is in it, and the padding behind the header of IEEE 802.11
// that its flags may announce. See https://www.radiotap.org.
func radiotap(d *decoder, p part) (layer, part) {
	n, ok := headerLen(p)
	if !ok {
		return d.short()
	}
	if radiotapFlags(p.b[:n])&0x20 != 0 {
		return wifiPadded, p.from(n)
	}
	return wifi, p.from(n)
}

// headerLen returns the length of a header that begins with a version, a byte of padding and that
// length, and has eight bytes or more: radiotap's, and that of PPI, which is modelled on it.
func headerLen(p part) (n int, ok bool) {
	if len(p.b) < 8 {
		return 0, false
	}
	n = int(binary.LittleEndian.Uint16(p.b[2:]))
	return n, n >= 8 && n <= len(p.b)
}

// radiotapFlags returns the field Flags, or 0. Only TSFT, of 8 bytes, may precede it.
func radiotapFlags(b []byte) byte {
	const tsft, flags, more = 1, 2, 1 << 31
	present, at := binary.LittleEndian.Uint32(b[4:]), 8
	for w := present; w&more != 0; at += 4 {
		if len(b) < at+4 {
			return 0
		}
		w = binary.LittleEndian.Uint32(b[at:])
	}
	if present&flags == 0 {
		return 0
	}
	if present&tsft != 0 {
		at = (at+7)&^7 + 8
	}
	if at >= len(b) {
		return 0
	}
	return b[at]
}

func wifi(d *decoder, p part) (layer, part)       { return d.wifi(p, false) }
func wifiPadded(d *decoder, p part) (layer, part) { return d.wifi(p, true) }

// wifi reads a frame of IEEE 802.11 §9.2.4 that carries data.
func (d *decoder) wifi(p part, padded bool) (layer, part) {
	const (
		data              = 2
		noData, qos       = 4, 8 // of the subtype
		toDS, fromDS      = 1, 2
		protected, htCtrl = 0x40, 0x80
		aMSDU             = 0x80
	)
	if len(p.b) < 24 {
		return d.short()
	}
	kind, subtype, flags := p.b[0]>>2&3, p.b[0]>>4, p.b[1]
	if kind != data || subtype&noData != 0 {
		return d.skip("IEEE 802.11 frames without data", 0)
	}
	if flags&protected != 0 {
		return d.skip("IEEE 802.11 frames that the network encrypts (WPA or WEP): decrypt them "+
			"first", 0)
	}
	n := 24
	if flags&(toDS|fromDS) == toDS|fromDS {
		n += 6
	}
	aggregated := false
	if subtype&qos != 0 {
		if len(p.b) < n+2 {
			return d.short()
		}
		aggregated = p.b[n]&aMSDU != 0
		if n += 2; flags&htCtrl != 0 {
			n += 4
		}
	}
	if padded {
		n = (n + 3) &^ 3
	}
	d.station(p.b, flags&fromDS != 0)
	if !aggregated {
		return after(n, llc), p
	}
	// The first of its frames is read: two addresses, a length, LLC.
	if len(p.b) < n+14 {
		return d.short()
	}
	size := int(binary.BigEndian.Uint16(p.b[n+12:]))
	if len(p.b) > n+14+size+14 {
		d.count("frames behind the first one of an IEEE 802.11 A-MSDU", 0)
	}
	return llc, p.from(n + 14).to(size)
}

// station notes the hardware addresses of a frame with one access point.
func (d *decoder) station(b []byte, fromAP bool) {
	to, from := b[4:10], b[10:16]
	if fromAP {
		from = b[16:22]
	} else {
		to = b[16:22]
	}
	copy(d.macs[0][:], to)
	copy(d.macs[1][:], from)
}
