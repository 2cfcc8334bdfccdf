// Package capture turns recorded packets into the two byte streams of each TCP connection, and two
// byte streams into packets that other tools can open, with the keys in the file.
//
// Reading has three steps, each of which can be used alone: a Reader returns the packets of a pcap
// or pcapng file, plain or compressed with gzip; an Assembler decodes them and reassembles the
// connections; a Handler, one for each connection, receives the bytes in order. Missing bytes are
// reported as a gap of known length. Writing is the reverse: a Writer, a Conversation for each
// connection, and Tap, which records a live one.
//
// It implements pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng: Section Header,
// Interface Description, Enhanced, Simple, the obsolete Packet Block, and Decryption Secrets; other
// blocks are skipped), the link types below, IPv4 (RFC 791), IPv6 and its extension headers (RFC
// 8200), and the sequence space of TCP (RFC 9293 §3.4). It ignores checksums, which are wrong in
// every capture of a host whose network card computes them, and the options of TCP, none of which
// changes a byte of the stream.
//
// Between the link and IP it reads tags (IEEE 802.1Q, 802.1ad, 802.1ah, 802.1BR, VN-Tag), MPLS with
// pseudowires, PPPoE and PPP; of tunnels IP in IP, GRE with ERSPAN and PPTP, EtherIP, L2TP, VXLAN,
// Geneve, GTP-U, LISP, GUE, MPLS, GRE and IP in UDP, Teredo, TZSP, CAPWAP and NSH. EAP methods that
// carry TLS (RFC 5216 and those like it) are connections, too, over IEEE 802.1X, PPP and RADIUS.
// All other packets are counted: see Skipped.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one, except where a frame holds a datagram and a tunnel in a datagram a frame:
//
//	capture.go connection.go queue.go            packets, connections, and queues of these
//	layers.go fragments.go decoder.go            what a packet is made of; what is not read
//	eap.go ethernet.go wifi.go ppp.go            the headers of a packet: TLS without TCP, frames
//	ip.go links.go udp.go decode.go              datagrams, tunnels; with what a packet begins
//	assembler.go copies.go lane.go               TCP's bytes in order, and what comes twice
//	eaptable.go segments.go                      the connection of an EAP packet, of a segment
//	reader.go pcap.go pcapng.go                  the packets of a file
//	foreign.go open.go                           what a file is by its beginning
//	writer.go holding.go conversation.go tap.go  writing
//	print.go                                     printing
//
// Nothing here trusts the file: no length sizes an allocation before the bytes are there, and what
// waits for a missing segment or fragment is bounded; see Limits.
//
// It is part of Vitrine's API.
package capture

import (
	"fmt"
	"time"
)

// LinkType says what the packets of an interface begin with, by the number in pcap and pcapng
// files. See https://www.tcpdump.org/linktypes.html.
type LinkType uint16

// The link types that an Assembler decodes.
const (
	LinkNull          LinkType = 0 // BSD loopback: the address family in host byte order
	LinkEthernet      LinkType = 1
	LinkTokenRing     LinkType = 6
	LinkSLIP          LinkType = 8
	LinkPPP           LinkType = 9
	LinkFDDI          LinkType = 10
	LinkRawBSD        LinkType = 12 // raw IP, the number of some systems
	LinkRawOpen       LinkType = 14 // raw IP, the number of OpenBSD
	LinkPPPHDLC       LinkType = 50
	LinkRFC1483       LinkType = 100
	LinkRaw           LinkType = 101 // raw IP of either version
	LinkCHDLC         LinkType = 104 // Cisco's HDLC
	LinkWiFi          LinkType = 105
	LinkFrameRelay    LinkType = 107
	LinkLoop          LinkType = 108 // OpenBSD loopback: the address family in network byte order
	LinkENC           LinkType = 109 // OpenBSD's IPsec
	LinkSLL           LinkType = 113 // Linux cooked
	LinkPFLOG         LinkType = 117 // OpenBSD's packet filter
	LinkPrism         LinkType = 119
	LinkFibreChannel  LinkType = 122
	LinkRadiotap      LinkType = 127
	LinkSunATM        LinkType = 123
	LinkFireWire      LinkType = 138
	LinkAVS           LinkType = 163
	LinkPPPD          LinkType = 166 // of Linux: a byte before PPP
	LinkPPI           LinkType = 192
	LinkERF           LinkType = 197 // Endace
	LinkPPPDir        LinkType = 204
	LinkCHDLCDir      LinkType = 205
	LinkFrameRelayDir LinkType = 206
	LinkIPNET         LinkType = 226 // Solaris
	LinkIPv4          LinkType = 228
	LinkIPv6          LinkType = 229
	LinkNFLOG         LinkType = 239 // Linux's netfilter
	LinkNetAnalyzer   LinkType = 240
	LinkIPoIB         LinkType = 242
	LinkPKTAP         LinkType = 258 // Apple
	LinkMPacket       LinkType = 274
	LinkSLL2          LinkType = 276 // Linux cooked, version 2
	LinkDSABroadcom   LinkType = 281
	LinkDSAPrepend    LinkType = 282
	LinkDSA           LinkType = 283
	LinkEDSA          LinkType = 284
)

var linkNames = map[LinkType]string{
	LinkNull:          "NULL",
	LinkEthernet:      "ETHERNET",
	LinkTokenRing:     "IEEE802_5",
	LinkSLIP:          "SLIP",
	LinkPPP:           "PPP",
	LinkFDDI:          "FDDI",
	LinkRawBSD:        "RAW",
	LinkRawOpen:       "RAW",
	LinkPPPHDLC:       "PPP_HDLC",
	LinkRFC1483:       "ATM_RFC1483",
	LinkRaw:           "RAW",
	LinkCHDLC:         "C_HDLC",
	LinkWiFi:          "IEEE802_11",
	LinkFrameRelay:    "FRELAY",
	LinkLoop:          "LOOP",
	LinkENC:           "ENC",
	LinkSLL:           "LINUX_SLL",
	LinkPFLOG:         "PFLOG",
	LinkPrism:         "IEEE802_11_PRISM",
	LinkFibreChannel:  "IP_OVER_FC",
	LinkRadiotap:      "IEEE802_11_RADIOTAP",
	LinkSunATM:        "SUNATM",
	LinkFireWire:      "APPLE_IP_OVER_IEEE1394",
	LinkAVS:           "IEEE802_11_AVS",
	LinkPPPD:          "PPP_PPPD",
	LinkPPI:           "PPI",
	LinkERF:           "ERF",
	LinkPPPDir:        "PPP_WITH_DIR",
	LinkCHDLCDir:      "C_HDLC_WITH_DIR",
	LinkFrameRelayDir: "FRELAY_WITH_DIR",
	LinkIPNET:         "IPNET",
	LinkIPv4:          "IPV4",
	LinkIPv6:          "IPV6",
	LinkNFLOG:         "NFLOG",
	LinkNetAnalyzer:   "NETANALYZER",
	LinkIPoIB:         "IPOIB",
	LinkPKTAP:         "PKTAP",
	LinkMPacket:       "ETHERNET_MPACKET",
	LinkSLL2:          "LINUX_SLL2",
	LinkDSABroadcom:   "DSA_TAG_BRCM",
	LinkDSAPrepend:    "DSA_TAG_BRCM_PREPEND",
	LinkDSA:           "DSA_TAG_DSA",
	LinkEDSA:          "DSA_TAG_EDSA",
}

func (l LinkType) String() string {
	if n, ok := linkNames[l]; ok {
		return n
	}
	return fmt.Sprintf("link type %d", uint16(l))
}

// otherLinks name link types that an Assembler does not decode.
var otherLinks = map[LinkType]string{3: "AX.25", 7: "ARCNET", 129: "ARCNET", 143: "DOCSIS",
	144: "IrDA", 147: "a user's own, USER0", 165: "BACnet", 177: "LAPD", 178: "Juniper's Ethernet",
	187: "Bluetooth", 189: "USB", 195: "IEEE 802.15.4", 201: "Bluetooth", 209: "Bluetooth",
	215: "IEEE 802.15.4", 220: "USB", 227: "CAN", 230: "IEEE 802.15.4", 231: "D-Bus",
	243: "MPEG-2 transport streams", 247: "InfiniBand", 248: "SCTP", 249: "USB", 251: "Bluetooth",
	252: "Wireshark's exported PDUs", 253: "Linux's netlink", 254: "Bluetooth", 265: "Zigbee",
	266: "USB", 271: "Linux's vsock", 272: "Bluetooth", 275: "DisplayPort", 283: "IEEE 802.15.4",
	288: "USB"}

// A Packet is one packet of a capture.
type Packet struct {
	Number int       // from 1, as in other tools
	Time   time.Time // zero in a Simple Packet Block
	Link   LinkType
	Data   []byte // what was captured. That of a Reader is valid until the next call of Next
	Length int    // bytes on the wire: more than Data has if the capture was limited (a "snaplen")
}

// Limits bound the memory held while earlier bytes are missing, and the open connections. A field
// of zero or less means its default.
type Limits struct {
	Connection  int // bytes of segments that wait in one connection: 64 MiB
	Waiting     int // bytes of segments that wait in all connections: 96 MiB
	Fragments   int // bytes of IP datagrams of which fragments are missing: 4 MiB
	Connections int // open at once: 65,536; one more ends the one that was idle for longest
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		limit *int
		value int
	}{{&l.Connection, 64 << 20}, {&l.Waiting, 96 << 20}, {&l.Fragments, 4 << 20},
		{&l.Connections, 1 << 16}} {
		if *f.limit <= 0 {
			*f.limit = f.value
		}
	}
	return l
}
