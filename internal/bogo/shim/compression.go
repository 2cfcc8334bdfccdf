package main

import (
	"crypto/rand"
	"errors"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/compress"
)

// The algorithms that BoringSSL's tests compress certificates with: one drops the two zeros that a
// Certificate of TLS 1.3 begins with, one puts four bytes before it, and one a random byte.
const (
	shrinking iana.CertificateCompressionAlgorithm = 0xff01
	expanding iana.CertificateCompressionAlgorithm = 0xff02
	random    iana.CertificateCompressionAlgorithm = 0xff03
)

// compressionsOn returns what may compress certificates, best first, as BoringSSL's shim has it.
func (o *options) compressionsOn() []iana.CertificateCompressionAlgorithm {
	switch {
	case o.compressions:
		return []iana.CertificateCompressionAlgorithm{expanding, shrinking, random}
	case o.compression != 0:
		return []iana.CertificateCompressionAlgorithm{
			iana.CertificateCompressionAlgorithm(o.compression)}
	}
	return nil
}

func init() {
	compress.Register(shrinking, compress.Codec{
		Pack: func(b []byte) ([]byte, error) { return after(b, "\x00\x00") },
		Expand: func(b []byte, _ int) ([]byte, error) {
			return append([]byte{0, 0}, b...), nil
		},
	})
	compress.Register(expanding, compress.Codec{
		Pack: func(b []byte) ([]byte, error) { return append([]byte{1, 2, 3, 4}, b...), nil },
		Expand: func(b []byte, _ int) ([]byte, error) {
			return after(b, "\x01\x02\x03\x04")
		},
	})
	compress.Register(random, compress.Codec{
		Pack: func(b []byte) ([]byte, error) {
			first := make([]byte, 1)
			rand.Read(first)
			return append(first, b...), nil
		},
		Expand: func(b []byte, _ int) ([]byte, error) {
			if len(b) == 0 {
				return nil, errors.New("a byte is missing")
			}
			return b[1:], nil
		},
	})
}

// after returns what stands behind prefix.
func after(b []byte, prefix string) ([]byte, error) {
	if len(b) < len(prefix) || string(b[:len(prefix)]) != prefix {
		return nil, errors.New("it does not begin as it should")
	}
	return b[len(prefix):], nil
}
