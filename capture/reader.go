package capture

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// SecretsType says what a Decryption Secrets Block contains, by the number in
// draft-ietf-opsawg-pcapng.
type SecretsType uint32

// SecretsTLSKeyLog is a TLS key log in the form of RFC 9850.
const SecretsTLSKeyLog SecretsType = 0x544C534B

// A Reader returns the packets of a capture file or stream. To follow a growing file, give it an
// io.Reader that waits at the end. It is not safe for concurrent use.
type Reader struct {
	// Secrets, if set before the first Next, receives the content of each Decryption Secrets Block
	// as it occurs in the file, which may be after the packets that it decrypts. The bytes are
	// valid during the call.
	Secrets func(SecretsType, []byte)

	// Comment, if set before the first Next, receives the comments of sections, interfaces, packets
	// and secrets. Some captures carry their keys in one.
	Comment func(string)

	in     *bufio.Reader
	format format
	drop   int    // bytes of in that the last block occupies until the next call
	long   []byte // the buffer of a block that is longer than in's
	offset int64  // of the next block
	number int
	err    error
}

// format reads the packets of one kind of file. ok is false for a block that is not a packet.
type format interface {
	next(*Reader) (p Packet, ok bool, err error)
}

const (
	bufferSize = 256 << 10 // longer blocks are copied
	maxPacket  = 256 << 10 // the longest packet that capturing programs write
	maxBlock   = 16 << 20  // more than a packet: secrets and comments can be long
)

// Next returns the next packet. At the end of the capture the error is io.EOF. Any other error says
// at which byte the file is damaged or cut short. All later calls return the same error.
func (r *Reader) Next() (Packet, error) {
	for r.err == nil {
		p, ok, err := r.format.next(r)
		switch {
		case err == io.EOF:
			r.err = io.EOF
		case err != nil:
			r.err = fmt.Errorf("capture: byte %d, after packet %d: %w", r.offset, r.number, err)
		case ok:
			r.number++
			p.Number = r.number
			return p, nil
		}
	}
	return Packet{}, r.err
}

// peek returns the next n bytes without consuming them, or io.EOF if there are none.
func (r *Reader) peek(n int) ([]byte, error) {
	if r.drop > 0 {
		r.in.Discard(r.drop) // cannot fail: these bytes are buffered
		r.drop = 0
	}
	b, err := r.in.Peek(n)
	return b, r.cut(len(b), n, err)
}

// take consumes and returns the next n bytes, which are valid until the next call.
func (r *Reader) take(n int) ([]byte, error) {
	if n <= bufferSize {
		b, err := r.peek(n)
		if err == nil {
			r.drop = n
			r.offset += int64(n)
		}
		return b, err
	}
	if _, err := r.peek(0); err != nil {
		return nil, err
	}
	long := bytes.NewBuffer(r.long[:0]) // grows with what is there, not with what the length claims
	got, err := io.CopyN(long, r.in, int64(n))
	r.long = long.Bytes()
	if err := r.cut(int(got), n, err); err != nil {
		return nil, err
	}
	r.offset += int64(n)
	return r.long, nil
}

// skip consumes n bytes without storing them.
func (r *Reader) skip(n int64) error {
	if _, err := r.peek(0); err != nil {
		return err
	}
	for n > 0 {
		step, err := r.in.Discard(int(min(n, 1<<30)))
		n -= int64(step)
		r.offset += int64(step)
		if err != nil {
			return noEOF(err)
		}
	}
	return nil
}

// cut returns io.EOF for a file that ends between blocks and io.ErrUnexpectedEOF for one that ends
// within one.
func (r *Reader) cut(got, want int, err error) error {
	if err == io.EOF && got > 0 && got < want {
		return fmt.Errorf("cut short: %w", io.ErrUnexpectedEOF)
	}
	return err
}

func (r *Reader) comment(text []byte) {
	if r.Comment != nil {
		r.Comment(string(text))
	}
}

// noEOF returns the error for an end of the file where it must continue.
func noEOF(err error) error {
	if err == io.EOF {
		return fmt.Errorf("cut short: %w", io.ErrUnexpectedEOF)
	}
	return err
}
