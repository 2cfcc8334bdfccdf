package main

import (
	"crypto/sha256"
	"hash"
)

// sum is the SHA-256 of one direction. Of a long one it is computed beside the decryption, which takes as long.
type sum struct {
	h     hash.Hash
	block []byte
	full  chan []byte // to whoever computes; nil for a short direction
	empty chan []byte
	done  chan struct{}
}

const (
	sumBlock  = 256 << 10
	sumBlocks = 4
)

func (s *sum) write(b []byte) {
	if s.h == nil {
		s.h = sha256.New()
	}
	for len(b) > 0 {
		n := min(len(b), sumBlock-len(s.block))
		s.block, b = append(s.block, b[:n]...), b[n:]
		if len(s.block) == sumBlock {
			s.hand()
		}
	}
}

// hand gives a full block away.
func (s *sum) hand() {
	if s.full == nil {
		s.full, s.empty, s.done = make(chan []byte, sumBlocks), make(chan []byte, sumBlocks), make(chan struct{})
		for range sumBlocks {
			s.empty <- make([]byte, 0, sumBlock)
		}
		go func() {
			defer close(s.done)
			for b := range s.full {
				s.h.Write(b)
				s.empty <- b[:0]
			}
		}()
	}
	s.full <- s.block
	s.block = <-s.empty
}

// value ends it. nil is the sum of nothing.
func (s *sum) value() []byte {
	if s == nil || s.h == nil {
		return sha256.New().Sum(nil)
	}
	if s.full != nil {
		close(s.full)
		<-s.done
	}
	s.h.Write(s.block)
	s.block = nil
	return s.h.Sum(nil)
}
