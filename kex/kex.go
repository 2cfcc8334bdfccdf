// Package kex is step ① of a handshake: the key exchange, after which both sides hold the same
// pre_master_secret.
//
// It implements the key exchanges of RFC 5246 §7.4.3 and §7.4.7 by their mathematics, and no
// message of them:
//
//   - RSA key transport, RFC 5246 §7.4.7.1: rsa.go
//   - Diffie-Hellman modulo a prime, RFC 5246 §8.1.2 and RFC 7919: dhe.go, and its well-known primes in primes.go
//   - Diffie-Hellman over a curve, RFC 8422 §5.10 and §5.11 and RFC 7748 §6: ecdhe.go
//   - a curve with ML-KEM beside it, for TLS 1.3, RFC 10024 and FIPS 203: hybrid.go
//
// Left out: static DH and ECDH and the curves that RFC 8422 deprecates, because nobody should speak
// them; compressed points, which RFC 8422 §5.1.2 forbids; table acceleration, RFC 7919 §5.3, which
// would save a quarter of a DHE handshake.
//
// A private key serves one handshake. Offer and Answer draw a new one each time and nothing here
// keeps it. Where a server reuses its DHE key, the leading zeros that RFC 5246 §8.1.2 strips from Z
// can be timed until they give Z away (the Raccoon attack). Secrets are therefore returned at full
// length, and what strips them, in package keys, sees each of them once.
//
// Randomness comes from the io.Reader that a function is given and from nowhere else, so that a
// seed reproduces a handshake; this is why keys are made of drawn scalars: since Go 1.26
// crypto/ecdh's GenerateKey and crypto/rsa's EncryptPKCS1v15 ignore theirs. ML-KEM's encapsulation
// takes none: where the reader is not the system's, crypto/mlkem/mlkemtest is given what was read.
//
// Secrets are computed on in constant time by crypto/ecdh, crypto/rsa, filippo.io/bigmod and circl;
// math/big sees public numbers only. What Go cannot promise: the compiler may undo what was written
// without branches, and the garbage collector may have copied a secret before it is dropped, so
// that it cannot be wiped.
package kex

import (
	"io"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Group is one row of the named groups, and two roles in it. In TLS 1.2 the server offers and the
// client answers, in TLS 1.3 it is the other way round; a key encapsulation fits as well. A Group
// is safe for concurrent use.
type Group interface {
	// ID is the code point, or 0 for a finite-field group that has none.
	ID() iana.Group

	// Name is the registry's name, or what describes a group without one: "2048-bit MODP (RFC
	// 3526)", "1536-bit prime".
	Name() string

	// Offer draws a private key. Its error is that of rand.
	Offer(rand io.Reader) (Offer, error)

	// Answer draws a private key too and agrees with an offerer's share. Its error is that of rand
	// or of Offer.Finish.
	Answer(rand io.Reader, theirs []byte) (Answer, error)

	// Recall makes the Offer that had this private key: for an observer who was told it.
	Recall(private []byte) (Offer, error)
}

// Offer is a key pair that waits for the other side's share.
type Offer interface {
	// Share is what goes to the peer: a point, or dh_Ys as long as the prime. It must not be
	// changed.
	Share() []byte

	// Private is the private key: a scalar in the byte order of its curve, or a big-endian
	// exponent.
	Private() []byte

	// Finish checks the peer's share and agrees on the secret: the x-coordinate of a point (RFC
	// 8422 §5.10), or Z as long as the prime, leading zeros included. A share that must be refused
	// ends in illegal_parameter or, in a finite field, handshake_failure.
	Finish(theirs []byte) (secret []byte, err error)
}

// Answer is what an answerer sends and what it then holds.
type Answer struct{ Share, Private, Secret []byte }

// Named finds a group by its code point. Hybrids, which iana.Group.Hybrid names, are for TLS 1.3
// only. See RFC 8422 §5.1.1, RFC 7919 §2 and RFC 10024.
func Named(id iana.Group) (Group, bool) {
	if c, ok := curves[id]; ok {
		return c, true
	}
	if h, ok := hybrids[id]; ok {
		return h, true
	}
	for _, w := range wellKnown {
		if w.id == id && id != 0 {
			return w.group(), true
		}
	}
	return nil, false
}

// answer is an Offer that is finished at once.
func answer(g Group, rand io.Reader, theirs []byte) (Answer, error) {
	ours, err := g.Offer(rand)
	if err != nil {
		return Answer{}, err
	}
	secret, err := ours.Finish(theirs)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Share: ours.Share(), Private: ours.Private(), Secret: secret}, nil
}

// draw reads n random bytes.
func draw(rand io.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, alert.Fail(alert.InternalError, "", "randomness failed: %w", err)
	}
	return b, nil
}
