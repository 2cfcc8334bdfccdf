package record

import (
	"crypto/subtle"
	"encoding/binary"
)

// This file defends against Lucky Thirteen (AlFardan and Paterson, 2013). With MAC-then-encrypt a
// receiver must look at padding before anything is authenticated. If what it does then depends on
// the padding, an attacker who alters records and measures time can read plaintext. So every record
// of one length takes the same steps here:
//
//	unpad         reads the last 256 bytes, whatever padding_length is, and checks all of the
//	              padding among them;
//	verifyHidden  runs the hash over as many blocks as the longest content would need. The state
//	              after each block in which the content may end is masked: one is kept, the others
//	              become zeros;
//	hiddenMAC     reads each place where the MAC may be.
//
// Secret are n, the length of the content, and what is computed from it. Public are the length of
// body and all bounds computed from it. No branch, index or loop bound below depends on what is
// secret.

// maxPadding is the most bytes that padding takes, including padding_length.
const maxPadding = 256

// unpad returns the length of the content, which a MAC of macLen bytes and padding follow, and good
// == 1 if the padding is valid. Invalid padding counts as 1 byte, so that the work that follows is
// the same (RFC 5246 §6.2.3.2). body must be longer than macLen.
func unpad(body []byte, macLen int) (n, good int) {
	last := len(body) - 1
	value := body[last]
	var wrong byte
	for i := range min(maxPadding, len(body)) {
		wrong |= mask(subtle.ConstantTimeLessOrEq(i, int(value))) & (body[last-i] ^ value)
	}
	good = subtle.ConstantTimeByteEq(wrong, 0)
	good &= subtle.ConstantTimeLessOrEq(int(value)+1+macLen, len(body))
	return len(body) - macLen - subtle.ConstantTimeSelect(good, int(value)+1, 1), good
}

// verifyHidden returns 1 if the content, the first n bytes of body, is followed by its MAC, else 0.
// n is secret.
func (x *hmac) verifyHidden(p *prefix, seq uint64, h Header, body []byte, n int) int {
	got := x.hiddenMAC(body, n)
	x.want = x.finish(x.want[:0], x.hiddenDigest(p.put(seq, h, n), body, n))
	return subtle.ConstantTimeCompare(x.want, got)
}

// least returns the length of the shortest content that body can have.
func (x *hmac) least(body []byte) int { return max(0, len(body)-x.Len-maxPadding) }

// hiddenDigest returns the inner digest of HMAC over prefix and body[:n]. n is secret.
//
// The hash's padding is written here, so that each Write is exactly one call of the compression
// function and the state after it is the digest if the message ends there. For SHA-1 and SHA-2 a
// saved state is 4 bytes of name and then the chaining value in the form of a digest; tests check
// that the standard library keeps to that.
func (x *hmac) hiddenDigest(prefix, body []byte, n int) []byte {
	end := len(prefix) + n                      // where 0x80 goes
	most := len(prefix) + len(body) - x.Len - 1 // the last place where it may go
	bits := uint64(x.blockSize+end) * 8         // counting K ⊕ ipad

	// All before the block at this place is content, whatever n is.
	at := (len(prefix) + x.least(body)) / x.blockSize * x.blockSize

	x.restore(x.inner)
	if at > 0 {
		x.h.Write(prefix)
		x.h.Write(body[:at-len(prefix)])
	}
	clear(x.digest)
	for ; at <= most+x.countLen; at += x.blockSize {
		x.fill(prefix, body, at)
		for i := range x.block {
			pos := at + i
			x.block[i] &= mask(subtle.ConstantTimeLessOrEq(pos+1, end))
			x.block[i] |= mask(subtle.ConstantTimeEq(int32(pos), int32(end))) & 0x80
		}
		ends := subtle.ConstantTimeLessOrEq(at, end+x.countLen) &
			subtle.ConstantTimeLessOrEq(end+x.countLen+1, at+x.blockSize)
		count := x.block[x.blockSize-8:]
		binary.BigEndian.PutUint64(count, binary.BigEndian.Uint64(count)|bits&-uint64(ends))
		x.h.Write(x.block)
		x.state, _ = x.h.AppendBinary(x.state[:0]) // cannot fail: it did not in newHMAC
		for i, b := range x.state[4 : 4+x.Len] {
			x.digest[i] |= mask(ends) & b
		}
	}
	return x.digest
}

// fill sets x.block to the bytes of prefix || body from the place at, followed by zeros.
func (x *hmac) fill(prefix, body []byte, at int) {
	clear(x.block)
	n := 0
	if at < len(prefix) {
		n = copy(x.block, prefix[at:])
	}
	if at += n - len(prefix); at < len(body) {
		copy(x.block[n:], body[at:])
	}
}

// hiddenMAC returns body[n:][:x.Len]. n is secret. It writes body over a ring as long as the MAC,
// keeps what belongs to the MAC, and then rotates the ring, by powers of two, until the MAC's first
// byte comes first.
func (x *hmac) hiddenMAC(body []byte, n int) []byte {
	clear(x.got)
	place, turn := 0, 0
	for i := x.least(body); i < len(body); i++ {
		turn |= -subtle.ConstantTimeEq(int32(i), int32(n)) & place
		inside := subtle.ConstantTimeLessOrEq(n, i) & subtle.ConstantTimeLessOrEq(i+1, n+x.Len)
		x.got[place] |= mask(inside) & body[i]
		if place++; place == x.Len {
			place = 0
		}
	}
	for step := 1; step < x.Len; step, turn = step*2, turn>>1 {
		copy(x.want, x.got[step:])
		copy(x.want[x.Len-step:], x.got)
		subtle.ConstantTimeCopy(turn&1, x.got, x.want)
	}
	return x.got
}

// mask returns 0xFF if bit is 1 and 0 if it is 0.
func mask(bit int) byte { return byte(-bit) }
