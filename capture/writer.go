package capture

import (
	"encoding/binary"
	"io"
	"net/netip"
	"sync"
	"time"
)

// secretsNote is the comment of a file with secrets.
const secretsNote = "This capture holds secrets: the keys of its TLS connections are inside. " +
	"Whoever has it can read them."

// WriterOptions say what a written capture begins with.
type WriterOptions struct {
	// HoldsSecrets allows Secrets, and makes the beginning of the file say that anyone who has it
	// can read the connections.
	HoldsSecrets bool

	// Comment is for readers of the file. It is in the section header, after the note about
	// secrets.
	Comment string

	// Now returns the time of packets without one. nil means a clock that starts with the year 2000
	// and advances by a millisecond at each call, so that the same connections give the same file.
	Now func() time.Time
}

// A Writer writes a pcapng capture, which can contain the secrets that decrypt it. It is safe for
// concurrent use. After the first error of the underlying writer all calls return that error.
type Writer struct {
	mu      sync.Mutex
	out     io.Writer
	options WriterOptions
	buf     []byte
	links   map[LinkType]uint32 // interfaces described, by link type
	started bool
	ticks   int64
	begun   int             // connections
	held    []*Conversation // those that wait for their secrets
	err     error
}

// A Conversation is a TCP connection that is being written: data becomes segments that a network
// could have carried, between a TCP handshake and a close. It is safe for concurrent use.
type Conversation struct {
	w      *Writer
	v6     bool
	ends   [2]end
	opened bool
	last   time.Time
	netif  uint32

	waiting bool    // packets wait for secrets
	held    []byte  // these packets
	known   [2]bool // TLS 1.3: the secrets of a side's data
}

// end is one side of a Conversation.
type end struct {
	addr     netip.AddrPort
	seq      uint32 // of the next byte
	finished bool
}

// NewWriter returns a Writer. It writes nothing before the first call of another method.
func NewWriter(w io.Writer, o WriterOptions) *Writer {
	return &Writer{out: w, options: o, links: map[LinkType]uint32{}}
}

// Packet writes a packet that was captured elsewhere.
func (w *Writer) Packet(p Packet) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.packet(p.Link, p.Time, p.Data, p.Length)
	return w.flush()
}

// le is the byte order of what is written.
var le = binary.LittleEndian

// start writes the section header.
func (w *Writer) start() {
	if w.started {
		return
	}
	w.started = true
	w.buf = block(w.buf, blockSection, func(b []byte) []byte {
		b = le.AppendUint32(b, byteOrderMagic)
		b = le.AppendUint32(b, 1)          // version 1.0
		b = le.AppendUint64(b, ^uint64(0)) // the section's length is not known
		if w.options.HoldsSecrets {
			b = option(b, optComment, []byte(secretsNote))
		}
		if w.options.Comment != "" {
			b = option(b, optComment, []byte(w.options.Comment))
		}
		b = option(b, optUserAppl, []byte("vitrine"))
		return option(b, optEnd, nil)
	})
}

// describe returns the number of the interface for a link type. It writes the description of a new
// one.
func (w *Writer) describe(l LinkType) uint32 {
	if n, ok := w.links[l]; ok {
		return n
	}
	n := uint32(len(w.links))
	w.links[l] = n
	w.block(blockInterface, func(b []byte) []byte {
		b = le.AppendUint16(b, uint16(l))
		b = le.AppendUint16(b, 0)
		b = le.AppendUint32(b, 0) // no limit
		b = option(b, optName, []byte("vitrine"))
		if w.options.HoldsSecrets {
			b = option(b, optComment, []byte(secretsNote))
		}
		b = option(b, optTSResol, []byte{9}) // nanoseconds
		return option(b, optEnd, nil)
	})
	return n
}

func (w *Writer) packet(l LinkType, at time.Time, data []byte, length int) {
	n := w.describe(l)
	w.buf = packetBlock(w.buf, n, Packet{Time: at, Data: data, Length: length})
}

// packetBlock appends an Enhanced Packet Block.
func packetBlock(b []byte, netif uint32, p Packet) []byte {
	stamp := uint64(0)
	if !p.Time.IsZero() {
		stamp = uint64(p.Time.UnixNano())
	}
	return block(b, blockEnhancedPacket, func(b []byte) []byte {
		b = le.AppendUint32(b, netif)
		b = le.AppendUint32(b, uint32(stamp>>32))
		b = le.AppendUint32(b, uint32(stamp))
		b = le.AppendUint32(b, uint32(len(p.Data)))
		b = le.AppendUint32(b, uint32(max(p.Length, len(p.Data))))
		return align(append(b, p.Data...))
	})
}

// block appends a block. fill appends its body.
func block(b []byte, typ uint32, fill func([]byte) []byte) []byte {
	at := len(b)
	b = fill(append(le.AppendUint32(b, typ), 0, 0, 0, 0))
	n := uint32(len(b) - at + 4)
	le.PutUint32(b[at+4:], n)
	return le.AppendUint32(b, n)
}

// block writes a block, and the beginning of the file before the first one.
func (w *Writer) block(typ uint32, fill func([]byte) []byte) {
	w.start()
	w.buf = block(w.buf, typ, fill)
}

func (w *Writer) flush() error {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.out.Write(w.buf)
	}
	w.buf = w.buf[:0]
	return w.err
}

// now returns the time of a packet without one.
func (w *Writer) now() time.Time {
	if w.options.Now != nil {
		return w.options.Now()
	}
	w.ticks++
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return start.Add(time.Duration(w.ticks) * time.Millisecond)
}

// option appends an option. Its value is truncated to 65,535 bytes.
func option(b []byte, code uint16, value []byte) []byte {
	value = value[:min(len(value), 1<<16-1)]
	b = le.AppendUint16(b, code)
	b = le.AppendUint16(b, uint16(len(value)))
	return align(append(b, value...))
}

// align appends zeros up to a multiple of 4 bytes. Everything before in the buffer is aligned, so
// its length is enough to know.
func align(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
