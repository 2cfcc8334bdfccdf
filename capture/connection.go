package capture

import (
	"net/netip"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// A Handler receives the data of one connection. Each direction comes in order and without
// repetition; the two are interleaved as the packets were, except where one had to wait for a
// missing segment.
type Handler interface {
	// Bytes receives the next bytes of a direction and the time of the packet that made them
	// available. The bytes are valid during the call.
	Bytes(from iana.Side, at time.Time, b []byte)

	// Gap is called if the next n bytes of a direction are not in the capture.
	Gap(from iana.Side, n int64)

	// End is called last.
	End()
}

// Connection is a TCP connection in a capture.
type Connection struct {
	// Stream counts from 0 in the order of first packets, as Wireshark's tcp.stream. An ICMP error
	// that quotes a TCP header counts for none; Wireshark 4.0 counts one for it if the header is
	// whole and of a connection that has no packet before.
	Stream int

	// Client opened the connection, according to a SYN. If there was none, Guessed is true and the
	// Server is the end with the lower port; the data may show otherwise.
	Client, Server netip.AddrPort
	Guessed        bool

	// Start and Last are the times of the first packet and of the last so far.
	Start, Last time.Time

	Packets int

	// Carrier says what carries a connection that is not one of TCP, such as EAP-TLS in IEEE
	// 802.1X. Its Stream is negative. Names replace the addresses if it has none.
	Carrier string
	Names   [2]string

	// Facts are complete when the Handler's End is called.
	Facts Facts
}

// Facts are properties of a connection that its packets show and its bytes do not.
type Facts struct {
	// Opened reports for each side whether its direction is known from the first byte on. If not,
	// the capture began later. It is known when the Handler is made.
	Opened [2]bool

	Packets [2]int    // of each side
	Endings [2]Ending // how each side ended its direction
	First   iana.Side // who ended it first, if anybody did
	Cut     int       // packets whose payload was not captured whole
	Snaplen int       // bytes captured of the longest of these packets
}

// Ended reports whether a side ended the connection within the capture.
func (f *Facts) Ended() bool { return f.Endings[0] != NotEnded || f.Endings[1] != NotEnded }

// Ending is how a side ended its direction of a connection.
type Ending int

// The endings.
const (
	NotEnded Ending = iota // within the capture
	EndedFIN
	EndedRST
)

func (e Ending) String() string { return [...]string{"not ended", "FIN", "RST"}[e] }
