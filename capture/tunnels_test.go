package capture

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// eth is an Ethernet frame with a segment in it, and mac the header of one.
const (
	mac = "020000000001 020000000002 "
	eth = mac + "0800 $4"
)

// inIP is a payload in IPv4, in hex, and inUDP one in UDP in IPv4.
func inIP(proto int, payload string) string {
	b := unhex(payload)
	header := []byte{0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, byte(proto), 0, 0, 10, 9, 0, 1, 10, 9, 0, 2}
	header[2], header[3] = byte((20+len(b))>>8), byte(20+len(b))
	header[10], header[11] = byte(^sum(0, header)>>8), byte(^sum(0, header))
	return hex.EncodeToString(append(header, b...))
}

// unhex is for constants of this file.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(expand(s)), ""))
	if err != nil {
		panic(err)
	}
	return b
}

func inUDP(port int, payload string) string {
	n := 8 + len(unhex(payload))
	return inIP(17, fmt.Sprintf("c111 %04x %04x 0000 %s", port, n, payload))
}

// tunnels are a segment behind every header of a tunnel or a link that is not Ethernet.
var tunnels = []linkFrame{
	{"IEEE 802.3 with SNAP", LinkEthernet, mac + "0035 aaaa03 000000 0800 $4"},
	{"TRILL", LinkEthernet, mac + "22f3 003f 0001 0002" + eth},
	{"TRILL with options", LinkEthernet, mac + "22f3 007f 0001 0002 00000000" + eth},
	{"batman-adv", LinkEthernet, mac + "4305 40 0f 32 01 020000000009" + eth},
	{"ISL", LinkEthernet, "01000c000000 020000000002 0057 aaaa03 020000 0002 0000 0000" + eth +
		"00000000"},
	{"SunATM", LinkSunATM, "02000005 aaaa03 000000 0800 $4"},
	{"VXLAN at another port", LinkRaw, inUDP(4788, "0800000000000100"+eth)},
	{"Juniper's mirror", LinkRaw, inUDP(30030, "deadbeef 00000001"+inIP(4, "$4"))},
	{"VN-Tag", LinkEthernet, mac + "8926 80010002 0800 $4"},
	{"IEEE 802.1BR", LinkEthernet, mac + "893f 0000 0000 0000 0800 $4"},
	{"IEEE 802.1ah", LinkEthernet, mac + "88e7 00000001" + eth},
	{"HSR", LinkEthernet, mac + "892f 0033 0001 0800 $4"},
	{"MACsec without encryption", LinkEthernet,
		mac + "88e5 00 00 00000001 0800 $4 00000000000000000000000000000000"},
	{"Cisco MetaData", LinkEthernet, mac + "8909 0101 0001 0002 0800 $4"},
	{"MPLS pseudowire", LinkEthernet, mac + "8847 00011140 00000000" + eth},
	{"MPLS pseudowire without a control word", LinkEthernet, mac + "8847 00011140" + eth},
	{"PPPoE with a compressed protocol", LinkEthernet, mac + "8864 11000001002e 21 $4"},
	{"GRE", LinkRaw, inIP(47, "0000 0800 $4")},
	{"GRE with IPv6", LinkRaw, inIP(47, "0000 86dd $6")},
	{"GRE, checksum, key and number", LinkRaw, inIP(47, "b000 0800 00000000 00000001 00000002 $4")},
	{"NVGRE", LinkRaw, inIP(47, "2000 6558 00000100"+eth)},
	{"GRE with MPLS", LinkRaw, inIP(47, "0000 8847 00011140 $4")},
	{"PPTP", LinkRaw, inIP(47, "3001 880b 00330001 00000001 ff03 0021 $4")},
	{"EoIP", LinkRaw, inIP(47, "2001 6400 3b000100"+eth)},
	{"ERSPAN I", LinkRaw, inIP(47, "0000 88be"+eth)},
	{"ERSPAN II", LinkRaw, inIP(47, "1000 88be 00000001 10010001 00000000"+eth)},
	{"ERSPAN III", LinkRaw, inIP(47, "1000 22eb 00000001 20010001 00000000 00000000"+eth)},
	{"ERSPAN III with a subheader", LinkRaw,
		inIP(47, "1000 22eb 00000001 20010001 00000000 00000001 0000000000000000"+eth)},
	{"EtherIP", LinkRaw, inIP(97, "3000"+eth)},
	{"MPLS in IP", LinkRaw, inIP(137, "00011140 $4")},
	{"authentication header in IPv4", LinkRaw,
		inIP(51, "04 04 0000 00000001 00000001 000000000000000000000000 $4")},
	{"L2TPv3 with a cookie", LinkRaw, inIP(115, "00000001 0123456701234567"+eth)},
	{"L2TPv2", LinkRaw, inUDP(1701, "0002 0001 0001 ff03 0021 $4")},
	{"L2TPv2 with a length and numbers", LinkRaw,
		inUDP(1701, "4802 003d 0001 0001 0001 0001 ff03 0021 $4")},
	{"VXLAN", LinkRaw, inUDP(4789, "0800000000000100"+eth)},
	{"VXLAN at Linux's port", LinkRaw, inUDP(8472, "0800000000000100"+eth)},
	{"VXLAN-GPE with IP", LinkRaw, inUDP(4790, "0c00000100000100 $4")},
	{"VXLAN-GPE with NSH", LinkRaw, inUDP(4790,
		"0c00000400000100 0fc60103 00000100 00000000000000000000000000000000"+eth)},
	{"Geneve", LinkRaw, inUDP(6081, "0000655800000100"+eth)},
	{"Geneve with options and IP", LinkRaw, inUDP(6081, "0200080000000100 0001000100000000 $4")},
	{"GTP-U", LinkRaw, inUDP(2152, "30ff002d00000001 $4")},
	{"GTP-U with an extension header", LinkRaw,
		inUDP(2152, "34ff003500000001 00000085 01000900 $4")},
	{"Teredo", LinkRaw, inUDP(3544, "$6")},
	{"Teredo with authentication and an origin", LinkRaw,
		inUDP(3544, "0001 0000 0000000000000000 00 0000 ee3e 3ffefdfd $6")},
	{"LISP", LinkRaw, inUDP(4341, "0000000000000000 $4")},
	{"GRE in UDP", LinkRaw, inUDP(4754, "0000 0800 $4")},
	{"MPLS in UDP", LinkRaw, inUDP(6635, "00011140 $4")},
	{"IP in UDP", LinkRaw, inUDP(9999, inIP(4, "$4"))},
	{"IP in UDP to WireGuard's port", LinkRaw, inUDP(51820, inIP(4, "$4"))},
	{"IPv6 in UDP", LinkRaw, inUDP(9999, "$6")},
	{"GUE", LinkRaw, inUDP(6080, "00040000 $4")},
	{"GUE without a header", LinkRaw, inUDP(6080, "$6")},
	{"TZSP", LinkRaw, inUDP(37008, "01000001 0a01c8 01"+eth)},
	{"TZSP with IEEE 802.11", LinkRaw, inUDP(37008, "01000012 01"+wifiData)},
	{"HP's mirrored port", LinkRaw, inUDP(7932, "000000000000000000000000"+eth)},
	{"CAPWAP", LinkRaw, inUDP(5247, "00 10 00 00 00000000"+eth)},
	{"CAPWAP with IEEE 802.11", LinkRaw, inUDP(5247, "00 10 03 00 00000000"+wifiData)},
	{"tunnel in tunnel in tunnel", LinkEthernet, mac + "0800" + inUDP(4789, "0800000000000100"+
		mac+"8100 0064 0800"+inIP(47, "0000 6558"+mac+"0800"+inUDP(6081, "0000655800000100"+eth)))},
	{"PPP", LinkPPP, "ff03 0021 $4"},
	{"PPP without address", LinkPPP, "0057 $6"},
	{"PPP in HDLC", LinkPPPHDLC, "ff03 0021 $4"},
	{"PPP with MPLS", LinkPPP, "ff03 0281 00011140 $4"},
	{"PPP with bridged frames", LinkPPP, "ff03 0031 0001" + eth},
	{"PPP with a direction", LinkPPPDir, "00 ff03 0021 $4"},
	{"PPP of pppd", LinkPPPD, "00 ff03 0021 $4"},
	{"Cisco HDLC", LinkCHDLC, "0f00 0800 $4"},
	{"Frame Relay", LinkFrameRelay, "1841 03 cc $4"},
	{"Frame Relay with SNAP", LinkFrameRelay, "1841 03 00 80 000000 0800 $4"},
	{"Frame Relay of Cisco", LinkFrameRelay, "1841 0800 $4"},
	{"RFC 1483", LinkRFC1483, "aaaa03 000000 0800 $4"},
	{"FDDI", LinkFDDI, "50 020000000001 020000000002 aaaa03 000000 0800 $4"},
	{"Token Ring", LinkTokenRing, "1040 020000000001 020000000002 aaaa03 000000 0800 $4"},
	{"Token Ring with a route", LinkTokenRing,
		"1040 020000000001 820000000002 0830 0012 0023 0030 aaaa03 000000 0800 $4"},
	{"FireWire", LinkFireWire, "0200000000000001 0200000000000002 0800 $4"},
	{"PFLOG", LinkPFLOG, "3d020000" + strings.Repeat("00", 60) + "$4"},
	{"ENC", LinkENC, "000000020000000000000000 $4"},
	{"NFLOG", LinkNFLOG, "02000000 08000100 08000303 05000a00 00 000000 3100 0900 $4"},
	{"PKTAP", LinkPKTAP, "6c000000 01000000 01000000" + strings.Repeat("00", 96) + eth},
	{"PKTAP of a raw interface", LinkPKTAP, "6c000000 01000000 0c000000" +
		strings.Repeat("00", 96) + "$4"},
	{"PPI", LinkPPI, "00000800 01000000" + eth},
	{"IPoIB", LinkIPoIB, "0800 0000 $4"},
	{"IPoIB behind a GRH", LinkIPoIB, strings.Repeat("00", 40) + "0800 0000 $4"},
	{"ERF", LinkERF, "0000000000000000 02 00 004f 0000 003b 0000" + eth},
	{"IEEE 802.11", LinkWiFi, wifiData},
	{"IEEE 802.11 with QoS", LinkWiFi, "8802 0000 020000000001 020000000003 020000000002 0000 " +
		"0000 aaaa03 000000 0800 $4"},
	{"IEEE 802.11 between access points", LinkWiFi, "0803 0000 020000000001 020000000003 " +
		"020000000002 0000 020000000004 aaaa03 000000 0800 $4"},
	{"IEEE 802.11 A-MSDU", LinkWiFi, "8802 0000 020000000001 020000000003 020000000002 0000 " +
		"8000 020000000001 020000000002 0035 aaaa03 000000 0800 $4"},
	{"radiotap", LinkRadiotap, "0000 0900 02000000 10" + wifiData + "00000000"},
	{"radiotap with a time stamp and padding", LinkRadiotap,
		"0000 1a00 2b480000 0000000000000000 20 00 6c09 a000 d3 00 0000" + // flags: padded
			"8802 0000 020000000001 020000000003 020000000002 0000 0000 0000 aaaa03 000000 " +
			"0800 $4"},
	{"Prism", LinkPrism, "44000000 90000000" + strings.Repeat("00", 136) + wifiData},
	{"AVS", LinkAVS, "80211001 00000040" + strings.Repeat("00", 56) + wifiData},
	{"tagged by a switch", LinkDSAPrepend, "20000001" + eth},
	{"mPacket", LinkMPacket, "55555555555555d5" + eth},
}

const wifiData = "0802 0000 020000000001 020000000003 020000000002 0000 aaaa03 000000 0800 $4"

// notOfTshark says why tshark 4.0 does not find the segment.
var notOfTshark = map[string]string{
	"IP in UDP":                              "it has no port",
	"IP in UDP to WireGuard's port":          "it has no port",
	"IPv6 in UDP":                            "it has no port",
	"GUE":                                    "it is not read",
	"GUE without a header":                   "it is not read",
	"L2TPv3 with a cookie":                   "the cookie's length is a preference",
	"HP's mirrored port":                     "its port is a preference",
	"VXLAN at another port":                  "its port is a preference",
	"Juniper's mirror":                       "its port is a preference",
	"TRILL with options":                     "options are not skipped",
	"VXLAN at Linux's port":                  "its port is a preference",
	"MPLS pseudowire":                        "what a label carries is a preference",
	"MPLS pseudowire without a control word": "what a label carries is a preference",
	"CAPWAP with IEEE 802.11":                "the order of a field's bytes is a preference",
	"IPoIB":                                  "a GRH is expected before it",
	"PPP of pppd":                            "the link type is not read",
	"tagged by a switch":                     "the link type is not read",
	"mPacket":                                "its checksum is expected",
}

func TestEveryTunnelIsDecoded(t *testing.T) { decodeAll(t, tunnels, notOfTshark) }

// What is not decoded is counted and named, and the count of names is bounded.
func TestSkippedPacketsAreNamed(t *testing.T) {
	a := Assembler{}
	add := func(link LinkType, s string) {
		b := frame(t, s)
		a.Add(Packet{Link: link, Data: b, Length: len(b)})
	}
	quic := "c0 00000001 08 0000000000000000 00 00 4000 00000000"
	for range 3 {
		add(LinkRaw, inUDP(443, quic))
		add(LinkRaw, inUDP(9443, quic))
	}
	add(LinkRaw, inUDP(9443, "40 0000000000000000")) // a short header, at a port that is known
	add(LinkRaw, inUDP(5684, "16 fefd 0000 000000000000 0001 00"))
	add(LinkEthernet, mac+"0806 0001080006040001")
	add(LinkEthernet, mac+"88e5 0c 00 00000001 0000")
	add(LinkRaw, inIP(50, "00000001 00000001"))
	add(147, "00")
	add(220, "00")
	add(LinkRaw, inUDP(5685, "2c 0001 0013 00000000000000000000000000000000000000")) // DTLS 1.3
	add(LinkWiFi, "0842 0000 020000000001 020000000003 020000000002 0000 0000")
	var got []string
	for _, s := range a.Skipped() {
		got = append(got, fmt.Sprintf("%d of %s", s.Packets, s.What))
	}
	for _, want := range []string{
		"3 of UDP to port 443: QUIC, which Vitrine does not read",
		"4 of UDP to port 9443: QUIC, which Vitrine does not read",
		"1 of UDP to port 5684: DTLS, which Vitrine does not read", "1 of ARP",
		"1 of MACsec that the network encrypts", "1 of ESP (IPsec), which the network encrypts",
		"1 of link type 147: a user's own, USER0", "1 of link type 220: USB",
		"1 of UDP to port 5685: DTLS, which Vitrine does not read",
		"1 of IEEE 802.11 frames that the network encrypts (WPA or WEP): decrypt them first",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("expected %q in %q", want, got)
		}
	}
	for port := range 2000 {
		add(LinkRaw, inUDP(20000+port, quic))
	}
	if n := len(a.Skipped()); n > maxSkipped+1 {
		t.Errorf("%d kinds are kept, expected at most %d", n, maxSkipped+1)
	}
	if n := len(a.decoder.ports); n > maxKnownPorts {
		t.Errorf("%d ports are kept, expected at most %d", n, maxKnownPorts)
	}
}

// An ICMP error quotes the header of a segment: that makes no connection, and no number.
func TestAnICMPErrorIsNoConnection(t *testing.T) {
	streams := 0
	a := Assembler{New: func(*Connection) Handler { streams++; return nil }}
	for _, f := range []string{inIP(1, "0301 0000 00000000 $4"),
		"60000000 0051 3a40 " + addresses6 + "0100 0000 00000000 $6"} {
		b := frame(t, f)
		a.Add(Packet{Link: LinkRaw, Data: b, Length: len(b)})
	}
	b := frame(t, "$4")
	a.Add(Packet{Link: LinkRaw, Data: b, Length: len(b)})
	a.Close()
	if streams != 1 || a.streams != 1 {
		t.Errorf("got %d streams, expected the segment's alone", a.streams)
	}
}
