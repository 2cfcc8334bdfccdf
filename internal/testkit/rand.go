package testkit

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
)

// Rand returns a stream derived from a seed: SHA-256 of the seed and a counter. It is for tests
// only.
func Rand(seed string) io.Reader { return &stream{seed: seed} }

type stream struct {
	seed string
	n    uint64
	rest []byte
}

func (s *stream) Read(p []byte) (int, error) {
	for i := 0; i < len(p); {
		if len(s.rest) == 0 {
			sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(s.seed), s.n))
			s.n, s.rest = s.n+1, sum[:]
		}
		n := copy(p[i:], s.rest)
		s.rest = s.rest[n:]
		i += n
	}
	return len(p), nil
}
