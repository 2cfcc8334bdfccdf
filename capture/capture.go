// Package capture turns recorded packets into the two byte streams of each TCP connection, and two
// byte streams into packets that other tools open, with the keys inside.
//
// Reading has three steps, each of which can be used alone: a Reader gives the packets of a pcap or
// pcapng file, gzip or plain; an Assembler decodes them and puts the connections together; a
// Handler, one for each connection, takes the bytes in order. What is missing is said as a gap of
// so many bytes and never passed over. Writing is the reverse: a Writer, a Conversation for each
// connection, and Tap, which records a live one.
//
// It implements pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng: Section Header,
// Interface Description, Enhanced, Simple, the obsolete Packet Block, and Decryption Secrets; other
// blocks are passed over), Ethernet with IEEE 802.1Q and 802.1ad tags, Linux cooked captures of
// both versions, loopback and raw IP, IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200),
// and the sequence space of TCP (RFC 9293 §3.4). It leaves out checksums, which are wrong in every
// capture of a host that lets its network card compute them; other tunnels than IP in IP; and
// options of TCP, none of which changes a byte of the stream.
//
// Nothing here trusts the file: lengths do not size an allocation before the bytes are there, and
// what waits for a missing segment or fragment is bounded; see Limits.
package capture

import (
	"fmt"
	"time"
)

// LinkType is what the packets of an interface begin with, by the number that pcap and pcapng files
// use. See https://www.tcpdump.org/linktypes.html.
type LinkType uint16

// The link types that an Assembler decodes.
const (
	LinkNull     LinkType = 0   // BSD loopback: the address family in host byte order
	LinkEthernet LinkType = 1   //
	LinkRawBSD   LinkType = 12  // raw IP, as some systems number it
	LinkRawOpen  LinkType = 14  // raw IP, as OpenBSD numbers it
	LinkRaw      LinkType = 101 // raw IP of either version
	LinkLoop     LinkType = 108 // OpenBSD loopback: the address family in network byte order
	LinkSLL      LinkType = 113 // Linux cooked
	LinkIPv4     LinkType = 228 //
	LinkIPv6     LinkType = 229 //
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
	Number int       // as other tools count: the first is 1
	Time   time.Time // zero in a Simple Packet Block
	Link   LinkType
	Data   []byte // what was captured. A Reader's is valid until the next call of Next
	Length int    // bytes on the wire: more than Data has if the capture was limited (a "snaplen")
}

// Limits bound what is held in memory while bytes before it are missing. The zero value of a field
// stands for its default.
type Limits struct {
	Connection int // bytes of segments that wait in one connection: 64 MiB
	Waiting    int // bytes of segments that wait in all of them: 96 MiB
	Fragments  int // bytes of IP datagrams of which fragments are missing: 4 MiB
	// connections that are open at once: 65,536. The one that was silent for longest ends when
	// there are more
	Connections int
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
