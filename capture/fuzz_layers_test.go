package capture

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// rare are the forms of headers that neither frames nor tunnels have, and what is not read.
var rare = []linkFrame{
	{"QUIC", LinkRaw, inUDP(443, "c0 00000001 08 0000000000000000 00 00 4000 00000000")},
	{"DTLS", LinkRaw, inUDP(5684, "16 fefd 0000 000000000000 0001 00")},
	{"ARP", LinkEthernet, mac + "0806 0001080006040001"},
	{
		"NSH in Ethernet",
		LinkEthernet,
		mac + "894f 0fc60103 00000100" + strings.Repeat("00", 16) + eth,
	},
	{"NSH with IPv6", LinkEthernet, mac + "894f 00820102 00000100 $6"},
	{"NSH with MPLS", LinkEthernet, mac + "894f 00820105 00000100 00011140 $4"},
	{"WCCP", LinkEthernet, mac + "883e 00000000 $4"},
	{"MACsec that is encrypted", LinkEthernet, mac + "88e5 0c 00 00000001 0000"},
	{"MACsec with an SCI", LinkEthernet, mac + "88e5 20 00 00000001 0200000000010001 0800 $4" +
		strings.Repeat("00", 16)},
	{"MPLS without an end", LinkEthernet, mac + "8847 00010040"},
	{"MPLS with nothing behind it", LinkEthernet, mac + "8847 00011140"},
	{"MPLS, a frame in IPv6", LinkEthernet, mac + "8847 00011140" + mac + "86dd $6"},
	{"MPLS, a tagged frame", LinkEthernet, mac + "8847 00011140" + mac + "8100 0064 0800 $4"},
	{"MPLS, a control channel", LinkEthernet, mac + "8847 00011140 10000000 0000"},
	{"MPLS, a control word before IPv6", LinkEthernet, mac + "8847 00011140 00000000 $6"},
	{"ERSPAN III of IP", LinkRaw,
		inIP(47, "1000 22eb 00000001 20010001 00000000 00000800 $4")},
	{"Ethernet in IPv6", LinkRaw, "6000000000438f40 $a " + eth},
	{"PPTP with an acknowledgement", LinkRaw,
		inIP(47, "3081 880b 00330001 00000001 00000002 ff03 0021 $4")},
	{"L2TPv3, control", LinkRaw, inIP(115, "00000000 00000000")},
	{"L2TPv3 with IP", LinkRaw, inIP(115, "00000001 $4")},
	{"L2TPv3 with PPP", LinkRaw, inIP(115, "00000001 ff03 0021 $4")},
	{"L2TPv3 in UDP", LinkRaw, inUDP(1701, "0003 0000 00000001 $4")},
	{"L2TPv2, control", LinkRaw, inUDP(1701, "c802 000c 0000 0000 0000 0000")},
	{"L2TPv2 with an offset", LinkRaw, inUDP(1701, "0202 0001 0001 0002 0000 ff03 0021 $4")},
	{"L2TPv2 with half an offset", LinkRaw, inUDP(1701, "0202 0001 0001 00")},
	{"PPP in HDLC with a flag", LinkPPP, "7e ff03 0021 $4"},
	{"PPP that is Cisco HDLC", LinkPPPHDLC, "0f00 0800 $4"},
	{"PPP, compressed", LinkPPP, "ff03 00fd 0000"},
	{"PPP, multilink", LinkPPP, "ff03 003d 0000"},
	{"PPP with EAP", LinkPPP, "ff03 c227 0101000a0d20 00000000"},
	{"PPP with a bridged FDDI frame", LinkPPP, "ff03 0031 0002" + eth},
	{"Cisco HDLC that is PPP", LinkCHDLC, "ff03 0021 $4"},
	{"Frame Relay with IPv6", LinkFrameRelay, "1841 03 8e $6"},
	{"Frame Relay with PPP", LinkFrameRelay, "1841 03 cf 0021 $4"},
	{"LLC with IP", LinkEthernet, mac + "0035 0606 03 $4"},
	{"LLC of ISO with IP", LinkEthernet, mac + "0035 fefe 03 cc $4"},
	{"LLC of ISO with PPP", LinkEthernet, mac + "0035 fefe 03 cf 0021 $4"},
	{"SNAP with a bridged frame", LinkEthernet, mac + "0050 aaaa03 0080c2 0007" + eth},
	{"ERF with an extension header", LinkERF,
		"0000000000000000 82 00 0057 0000 003b 0000 0000000000000000 0000" + eth},
	{"ERF with half an extension header", LinkERF, "0000000000000000 82 00 0057 0000 003b 0000 00"},
	{"ERF with PPP", LinkERF, "0000000000000000 01 00 004f 0000 003b 0000 ff03 0021 $4"},
	{"ERF with IP", LinkERF, "0000000000000000 16 00 004f 0000 003b 0000 $4"},
	{"VXLAN with the flag of GPE", LinkRaw, inUDP(4789, "0c00000100000100 $4")},
	{"VXLAN-GPE without it", LinkRaw, inUDP(4790, "0800000000000100"+eth)},
	{"Geneve, cut", LinkRaw, inUDP(6081, "3f00655800000100")},
	{"GTP-U with a number", LinkRaw, inUDP(2152, "32ff003100000001 00010000 $4")},
	{"GTP-U with a frame", LinkRaw, inUDP(2152, "30ff003b00000001"+eth)},
	{"TZSP with Prism", LinkRaw, inUDP(37008, "01000077 01 44000000 90000000"+
		strings.Repeat("00", 136)+wifiData)},
	{"TZSP with AVS", LinkRaw, inUDP(37008, "0100007f 01 80211001 00000040"+
		strings.Repeat("00", 56)+wifiData)},
	{"TZSP without an end", LinkRaw, inUDP(37008, "01000001 0a01c8")},
	{"GUE, control", LinkRaw, inUDP(6080, "20010000 $4")},
	{"GUE, cut", LinkRaw, inUDP(6080, "1f040000 00")},
	{"CAPWAP under DTLS", LinkRaw, inUDP(5247, "01 10 00 00 00000000")},
	{"CAPWAP in fragments", LinkRaw, inUDP(5247, "00 10 00 80 00000000"+eth)},
	{"CAPWAP, too short", LinkRaw, inUDP(5247, "00 08 00 00 00000000"+eth)},
	{"tunnels without end", LinkRaw, nested(20)},
	{"IEEE 802.11 that is encrypted", LinkWiFi,
		"0842 0000 020000000001 020000000003 020000000002 0000 0000"},
	{"IEEE 802.11 without data", LinkWiFi,
		"4802 0000 020000000001 020000000003 020000000002 0000 0000"},
	{"IEEE 802.11 with HT control", LinkWiFi, "8882 0000 020000000001 020000000003 020000000002 " +
		"0000 0000 00000000 aaaa03 000000 0800 $4"},
}

// nested is IPv4 in IPv4, n times.
func nested(n int) string {
	s := "$4"
	for range n {
		s = inIP(4, s)
	}
	return s
}

// talks are packets that are read together: EAP, fragments.
var talks = []struct {
	link   LinkType
	frames []string
}{
	{
		LinkEthernet,
		[]string{
			over802(1, eapHex(1, 1, 13, "20")),
			over802(2, eapHex(2, 1, 13, "8000000004aabbccdd")),
			over802(1, eapHex(1, 2, 13, "c0000000060102")),
			over802(2, eapHex(2, 2, 13, "00")),
			over802(1, eapHex(1, 3, 13, "0003040506")),
			over802(1, eapHex(1, 4, 25, "21")),
			over802(
				2,
				eapHex(2, 5, 55, "100000000200112233ffff"),
			),
			over802(2, eapHex(2, 1, 26, "00")),
		},
	},
	{LinkRaw, []string{overRADIUS(1, 7, "", eapHex(2, 0, 1, "6162")),
		overRADIUS(11, 7, "5151", eapHex(1, 1, 21, "20")),
		overRADIUS(1, 8, "5151", eapHex(2, 1, 21, "00aabbccddeeff00112233445566778899")),
		overRADIUS(11, 8, "5252", eapHex(1, 2, 21, "0001"))}},
	{LinkRaw, []string{"4500001c 00012000 4006$sum 0a000001 0a000002 c35001bb00000064",
		"45000025 00010001 4006$sum 0a000001 0a000002 000001f4 5018ffff 00000000 68656c6c6f",
		"45000025 00010001 4006$sum 0a000001 0a000002 000001f4 5018ffff 00000000 68656c6c6f"}},
	{LinkRaw, []string{"60000000 0010 2c40 $a 06000001 00000001 c35001bb00000064",
		"60000000 0019 2c40 $a 06000008 00000001 000001f4 5018ffff 00000000 68656c6c6f"}},
}

// packed puts the length of each packet before it.
func packed(packets ...[]byte) (b []byte) {
	for _, p := range packets {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(p))), p...)
	}
	return b
}

// Any bytes behind any link type are read without a panic, and within the bound of layers.
func FuzzLayers(f *testing.F) {
	keep := testkit.SampleSeeds(4)
	for _, c := range slices.Concat(frames, tunnels, rare) {
		if !keep() {
			continue
		}
		b := frame(f, c.frame)
		f.Add(uint16(c.link), packed(b, b))
		for _, spoilt := range testkit.Spoil(b, 24) {
			f.Add(uint16(c.link), packed(spoilt))
		}
	}
	for _, c := range talks {
		var packets [][]byte
		for _, s := range c.frames {
			packets = append(packets, frame(f, s))
		}
		all := packed(packets...)
		f.Add(uint16(c.link), all)
		for _, spoilt := range testkit.Spoil(all, 200) {
			f.Add(uint16(c.link), spoilt)
		}
	}
	f.Fuzz(func(t *testing.T, link uint16, b []byte) {
		total, packets := 0, 0
		a := Assembler{New: func(*Connection) Handler { return measure{&total} },
			Limits: Limits{Fragments: 4000}}
		for rest := b; len(rest) > 2; packets++ {
			n := min(int(binary.BigEndian.Uint16(rest)), len(rest)-2)
			a.Add(Packet{Link: LinkType(link), Data: rest[2 : 2+n], Length: n + 7*(packets%2)})
			rest = rest[2+n:]
		}
		if n := len(a.Skipped()); n > 2*packets { // an A-MSDU has frames behind the first
			t.Fatalf("%d packets were skipped for %d reasons", packets, n)
		}
		a.Close()
		if total > 2*len(b) {
			t.Fatalf("%d bytes of data in packets of %d", total, len(b))
		}
	})
}
