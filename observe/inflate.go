package observe

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
)

// inflater decompresses one direction: one zlib stream, of which each record has a part that ends
// at a byte boundary. Compression was abandoned because the length of what is compressed reveals
// its content (CRIME). See RFC 3749 §2.
type inflater struct {
	begun  bool
	window []byte
	reader io.ReadCloser
}

const window = 32 << 10

var errInflate = errors.New("observe: a record cannot be decompressed")

func (z *inflater) record(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return b, nil
	}
	if !z.begun {
		if len(b) < 2 || b[0]&0x0F != 8 {
			return nil, errInflate
		}
		z.begun = true
		b = b[2:] // zlib's header
	}
	if z.reader == nil {
		z.reader = flate.NewReader(bytes.NewReader(b))
	} else if err := z.reader.(flate.Resetter).Reset(bytes.NewReader(b),
		z.window[max(0, len(z.window)-window):]); err != nil {
		return nil, errInflate
	}
	plain, err := io.ReadAll(io.LimitReader(z.reader, record.MaxPlaintext+1))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || len(plain) > record.MaxPlaintext {
		return nil, errInflate
	}
	if z.window = append(z.window, plain...); len(z.window) > 2*window {
		z.window = z.window[:copy(z.window, z.window[len(z.window)-window:])]
	}
	return plain, nil
}

// memory returns about how many bytes z holds: package flate has a window of its own, and tables.
func (z *inflater) memory() int {
	if z == nil || z.reader == nil {
		return 0
	}
	return cap(z.window) + window + 12<<10
}

// inflated returns the uncompressed_length of a CompressedCertificate, or 0 for another message.
// See RFC 8879 §4.
func inflated(raw []byte) int {
	const at = message.HeaderLen + 2 // after the algorithm
	if len(raw) < at+3 || raw[0] != byte(iana.CompressedCertificate) {
		return 0
	}
	return int(raw[at])<<16 | int(raw[at+1])<<8 | int(raw[at+2])
}
