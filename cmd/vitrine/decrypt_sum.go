package main

import (
	"crypto/sha256"
	"hash"
	"sync/atomic"
)

// sum computes the SHA-256 of one direction. For long ones it does so in a goroutine of its own,
// because that takes as long as decryption; for at most maxSums at a time, because that takes
// memory.
type sum struct {
	h     hash.Hash
	n     int64
	block []byte
	full  chan []byte // to the goroutine; nil without one
	empty chan []byte
	done  chan struct{}
}

const (
	sumBlock  = 256 << 10
	sumBlocks = 4
	longSum   = 1 << 20 // the length of a direction, in bytes, that starts a goroutine
	maxSums   = 8       // the goroutines at a time
)

// sums counts the goroutines.
var sums atomic.Int32

func (s *sum) write(b []byte) {
	if s.h == nil {
		s.h = sha256.New()
	}
	before := s.n
	if s.n += int64(len(b)); before < longSum && s.n >= longSum {
		s.begin()
	}
	if s.full == nil {
		s.h.Write(b)
		return
	}
	for len(b) > 0 {
		n := min(len(b), sumBlock-len(s.block))
		s.block, b = append(s.block, b[:n]...), b[n:]
		if len(s.block) == sumBlock {
			s.full <- s.block
			s.block = <-s.empty
		}
	}
}

// begin starts the goroutine, if there are not too many.
func (s *sum) begin() {
	if sums.Add(1) > maxSums {
		sums.Add(-1)
		return
	}
	s.full, s.empty, s.done = make(chan []byte, sumBlocks), make(chan []byte, sumBlocks),
		make(chan struct{})
	for range sumBlocks {
		s.empty <- make([]byte, 0, sumBlock)
	}
	s.block = make([]byte, 0, sumBlock)
	go func() {
		defer close(s.done)
		for b := range s.full {
			s.h.Write(b)
			s.empty <- b[:0]
		}
	}()
}

// value returns the digest. That of a nil sum is the digest of no data.
func (s *sum) value() []byte {
	if s == nil || s.h == nil {
		return sha256.New().Sum(nil)
	}
	if s.full != nil {
		close(s.full)
		<-s.done
		s.h.Write(s.block)
		s.full, s.block = nil, nil
		sums.Add(-1)
	}
	return s.h.Sum(nil)
}
