package capture

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// WriterOptions say what stands at the top of a written capture.
type WriterOptions struct {
	// HoldsSecrets allows Secrets, and says at the top of the file that whoever has it can read the
	// connections.
	HoldsSecrets bool

	// Comment is for the reader of the file. It stands in the section header, behind the word about
	// secrets.
	Comment string

	// Now tells the time of packets that are given none. nil stands for a clock that starts with
	// the year 2000 and goes on by a millisecond whenever it is asked, so that the same connections
	// give the same file.
	Now func() time.Time
}

// secretsNote is what a file with secrets says at its top.
const secretsNote = "This capture holds secrets: the keys of its TLS connections are inside. " +
	"Whoever has it can read them."

// A Writer writes a pcapng capture that needs nothing else to be read in the clear. Its methods may
// be called by several goroutines. The first error of the underlying writer is the answer of all
// later calls.
type Writer struct {
	mu       sync.Mutex
	out      io.Writer
	options  WriterOptions
	buf      []byte
	links    map[LinkType]uint32 // interfaces described, by link type
	started  bool
	ticks    int64
	speakers int
	held     []*Conversation // they wait for their secrets
	err      error
}

// NewWriter makes a Writer. Nothing is written before the first call of another method.
func NewWriter(w io.Writer, o WriterOptions) *Writer {
	return &Writer{out: w, options: o, links: map[LinkType]uint32{}}
}

// Secrets writes lines of a key log (RFC 9850) into a Decryption Secrets Block. It stands before
// the packets that those secrets open, since readers like Wireshark go through a file once: where a
// capture holds secrets, each Conversation keeps back what it says until the secrets of its
// client_random came, it ends, or it has said 1 MiB.
func (w *Writer) Secrets(keylog []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.options.HoldsSecrets {
		return errors.New("capture: secrets for a capture that does not say it holds any")
	}
	w.block(blockSecrets, func(b []byte) []byte {
		b = le.AppendUint32(b, uint32(SecretsTLSKeyLog))
		b = le.AppendUint32(b, uint32(len(keylog)))
		b = align(append(b, keylog...))
		b = option(b, optComment, []byte(secretsNote))
		return option(b, optEnd, nil)
	})
	for line := range bytes.Lines(keylog) {
		fields := bytes.Fields(line)
		if len(fields) != 3 {
			continue
		}
		if random, err := hex.AppendDecode(nil, fields[1]); err == nil && len(random) == 32 {
			w.release(random)
		}
	}
	return w.flush()
}

// KeyLog is Secrets as an io.Writer, for a Config's KeyLogWriter. Each Write must have whole lines.
func (w *Writer) KeyLog() io.Writer { return keyLogWriter{w} }

type keyLogWriter struct{ w *Writer }

func (k keyLogWriter) Write(p []byte) (int, error) {
	if err := k.w.Secrets(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// release lets the conversations go on that began with this client_random: it stands in the first
// segment of the client.
func (w *Writer) release(random []byte) {
	for _, c := range slices.Clone(w.held) {
		if bytes.Contains(c.held, random) {
			c.release()
		}
	}
}

// Packet writes a packet that was captured elsewhere.
func (w *Writer) Packet(p Packet) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.packet(p.Link, p.Time, p.Data, p.Length)
	return w.flush()
}

// Flush writes what still waits for its secrets, and the top of the file even if nothing else came.
// It gives the first error.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start()
	for len(w.held) > 0 {
		w.held[0].release()
	}
	return w.flush()
}

// Connection begins a TCP connection. An address that is not valid, or not of the other's family,
// is replaced by one that is kept for documentation (RFC 5737); a port 0 by 443 for the server and
// one from 49152 on for the client.
func (w *Writer) Connection(client, server netip.AddrPort) *Conversation {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.speakers++
	return newConversation(w, w.speakers, client, server)
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

// describe gives the number of the interface for a link type, and writes it down if it is new.
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

// block appends a block whose body fill appends.
func block(b []byte, typ uint32, fill func([]byte) []byte) []byte {
	at := len(b)
	b = fill(append(le.AppendUint32(b, typ), 0, 0, 0, 0))
	n := uint32(len(b) - at + 4)
	le.PutUint32(b[at+4:], n)
	return le.AppendUint32(b, n)
}

// block writes a block, after the top of the file.
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

// now is the time of a packet that was given none.
func (w *Writer) now() time.Time {
	if w.options.Now != nil {
		return w.options.Now()
	}
	w.ticks++
	return time.Date(2000, 1, 1, 0, 0, 0, 0,
		time.UTC).Add(time.Duration(w.ticks) * time.Millisecond)
}

// option appends an option. Its value may have 65,535 bytes; more of a comment is cut off.
func option(b []byte, code uint16, value []byte) []byte {
	value = value[:min(len(value), 1<<16-1)]
	b = le.AppendUint16(b, code)
	b = le.AppendUint16(b, uint16(len(value)))
	return align(append(b, value...))
}

// align fills up to 32 bits. All that stands before in the buffer is aligned, so that its length
// tells.
func align(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
