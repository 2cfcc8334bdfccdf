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
// blocks are skipped), Ethernet with IEEE 802.1Q and 802.1ad tags, MPLS labels and PPPoE, Linux
// cooked captures of both versions, loopback and raw IP, IPv4 (RFC 791), IPv6 and its extension
// headers (RFC 8200), and the sequence space of TCP (RFC 9293 §3.4). It ignores checksums, which
// are wrong in every capture of a host whose network card computes them, and the options of TCP,
// none of which changes a byte of the stream. Of tunnels it reads IP in IP only.
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
	LinkNull     LinkType = 0 // BSD loopback: the address family in host byte order
	LinkEthernet LinkType = 1
	LinkRawBSD   LinkType = 12  // raw IP, the number of some systems
	LinkRawOpen  LinkType = 14  // raw IP, the number of OpenBSD
	LinkRaw      LinkType = 101 // raw IP of either version
	LinkLoop     LinkType = 108 // OpenBSD loopback: the address family in network byte order
	LinkSLL      LinkType = 113 // Linux cooked
	LinkIPv4     LinkType = 228
	LinkIPv6     LinkType = 229
	LinkSLL2     LinkType = 276 // Linux cooked, version 2
)

var linkNames = map[LinkType]string{
	LinkNull: "NULL", LinkEthernet: "ETHERNET", LinkRawBSD: "RAW", LinkRawOpen: "RAW",
	LinkRaw: "RAW", LinkLoop: "LOOP",
	LinkSLL: "LINUX_SLL", LinkIPv4: "IPV4", LinkIPv6: "IPV6", LinkSLL2: "LINUX_SLL2",
}

func (l LinkType) String() string {
	if n, ok := linkNames[l]; ok {
		return n
	}
	return fmt.Sprintf("link type %d", uint16(l))
}

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
