// Package compress compresses certificates, and expands a peer's within a length that the caller
// sets: RFC 8879. It has zlib of itself; package compression adds the algorithms that the standard
// library has not, so that a program that does without them does not contain them.
package compress

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/vitrine-tls/vitrine/iana"
)

// MaxLen bounds the length of what is expanded, in bytes.
const MaxLen = 128 << 10

// A Codec is an algorithm.
type Codec struct {
	Pack func(b []byte) ([]byte, error)
	// Expand returns at most n+1 bytes, n being at most MaxLen, or an error if packed is malformed
	// or followed by something else. Its memory must not depend on what packed claims.
	Expand func(packed []byte, n int) ([]byte, error)
}

var (
	mu     sync.RWMutex
	codecs = map[iana.CertificateCompressionAlgorithm]Codec{iana.Zlib: {packZlib, expandZlib}}
)

// Register adds an algorithm.
func Register(a iana.CertificateCompressionAlgorithm, c Codec) {
	mu.Lock()
	defer mu.Unlock()
	codecs[a] = c
}

func codec(a iana.CertificateCompressionAlgorithm) (Codec, error) {
	mu.RLock()
	defer mu.RUnlock()
	c, ok := codecs[a]
	if !ok {
		return c, fmt.Errorf("the compression %v is not known, or its package is not imported", a)
	}
	return c, nil
}

// Speaks reports whether the algorithm is there.
func Speaks(a iana.CertificateCompressionAlgorithm) bool {
	_, err := codec(a)
	return err == nil
}

// Pack compresses b.
func Pack(a iana.CertificateCompressionAlgorithm, b []byte) ([]byte, error) {
	c, err := codec(a)
	if err != nil {
		return nil, err
	}
	return c.Pack(b)
}

// Expand returns the n bytes that packed holds. It returns an error if n is not between 1 and
// MaxLen, if packed does not hold exactly n bytes, or if more follows.
func Expand(a iana.CertificateCompressionAlgorithm, packed []byte, n int) ([]byte, error) {
	if n < 1 || n > MaxLen {
		return nil, fmt.Errorf("it claims %d bytes, expected 1 to %d", n, MaxLen)
	}
	c, err := codec(a)
	if err != nil {
		return nil, err
	}
	b, err := c.Expand(packed, n)
	if err == nil && len(b) != n {
		err = errors.New("it does not have the length that it claims")
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

func packZlib(b []byte) ([]byte, error) {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

func expandZlib(packed []byte, n int) ([]byte, error) {
	source := bytes.NewReader(packed)
	r, err := zlib.NewReader(source)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, int64(n)+1))
	if err == nil && source.Len() > 0 {
		err = errors.New("bytes follow it")
	}
	return b, err
}
