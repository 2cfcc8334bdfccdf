package capture

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// pcapSamples are the kinds of pcap files, with what differs in each. Wireshark 4.0.17 reads such
// files alike, except that it takes the times of IXIA's hardware for microseconds.
var pcapSamples = []struct {
	name             string
	magic            uint32
	version, minor   uint16
	link, shown      uint32
	extraFile, extra string // at the end of the header of the file, of each packet
	frac             uint32 // 5 microseconds
	swapped          bool   // a packet's length on the wire comes first
}{
	{"usual", 0xA1B2C3D4, 2, 4, 0x40000000 | 101, 101, "", "", 5, false},
	{"nanoseconds", 0xA1B23C4D, 2, 4, 101, 101, "", "", 5000, false},
	{"Kuznetzov", 0xA1B2CD34, 2, 4, 101, 101, "", "patched!", 5, false},
	{"Red Hat 6.1", 0xA1B2C3D4, 2, 4, 1, 1, "", "\x01\x00\x00\x00\x08\x00\x01\x00", 5, false},
	{"SuSE 6.3", 0xA1B2CD34, 2, 4, 1, 1, "", "\x01\x00\x00\x00\x08\x00\x01\x00\x00\x00\x00\x00", 5,
		false},
	{"Nokia", 0xA1B2C3D4, 2, 4, 1, 1, "", "\x9A\x01\xC4\x07", 5, false},
	{"IXIA's hardware", 0x1C0001AC, 2, 4, 1, 1, "\x00\x00\x00\x99", "", 5000, false},
	{"IXIA's software", 0x1C0001AB, 2, 4, 1, 1, "\x00\x00\x00\x99", "", 5, false},
	{"AIX, Ethernet", 0xA1B2C3D4, 2, 2, 6, 1, "", "", 5000, true},
	{"AIX, token ring", 0xA1B2C3D4, 2, 2, 9, 6, "", "", 5000, true},
	{"AIX, loopback", 0xA1B2C3D4, 2, 2, 24, 0, "", "", 5000, true},
	{"version 2.2", 0xA1B2C3D4, 2, 2, 1, 1, "", "", 5, true},
	{"version 2.3", 0xA1B2C3D4, 2, 3, 1, 1, "", "", 5, false},
	{"version 2.3, as 2.2", 0xA1B2C3D4, 2, 3, 1, 1, "", "", 5, true},
	{"DG/UX", 0xA1B2C3D4, 543, 0, 1, 1, "", "", 5, true},
}

func TestEveryKindOfPcapIsRead(t *testing.T) {
	n := 0
	for _, order := range orders {
		for _, kind := range pcapSamples {
			f := &file{ByteOrder: order, AppendByteOrder: order}
			f.u32(kind.magic).u16(kind.version, kind.minor).u32(0, 0, 65535, kind.link)
			f.raw(kind.extraFile)
			for i, p := range []struct {
				data string
				wire uint32
			}{{"abc", 3}, {"de", 1500}, {strings.Repeat("\xFF", 60), 60}} {
				lengths := []uint32{uint32(len(p.data)), p.wire}
				if kind.swapped {
					slices.Reverse(lengths)
				}
				f.u32(uint32(i+1), kind.frac).u32(lengths...).raw(kind.extra + p.data)
			}
			link := LinkType(kind.shown)
			want := []string{fmt.Sprintf(`1 01.000005 %v "abc"/3`, link),
				fmt.Sprintf(`2 02.000005 %v "de"/1500`, link),
				fmt.Sprintf(`3 03.000005 %v %q/60`, link, strings.Repeat("\xFF", 60))}
			if got := listing(bytes.NewReader(f.b)); !slices.Equal(got, want) {
				t.Errorf("%v, %s: got %q, expected %q", order, kind.name, got, want)
			}
			var z bytes.Buffer
			w := gzip.NewWriter(&z)
			w.Write(f.b)
			w.Close()
			if got := listing(&z); !slices.Equal(got, want) {
				t.Errorf("%v, %s, gzip: got %q, expected %q", order, kind.name, got, want)
			}
			n += 2
		}
	}
	t.Logf("%d files", n)
}
