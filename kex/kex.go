// Package kex performs key exchanges, after which both sides hold the same pre_master_secret (in
// TLS 1.3, the same shared secret).
//
// It implements their mathematics and none of their messages. The files can be read in this order,
// each after those that it builds on; a test holds that none refers to a later one:
//
//	kex.go                                  the two roles in an exchange
//	ecdhe.go                                over a curve, RFC 8422 §5.10, §5.11, RFC 7748 §6
//	hybrid.go                               a curve combined with ML-KEM, RFC 10024 and FIPS 203
//	field.go fixedbase.go dhe.go primes.go  modulo a prime, RFC 5246 §8.1.2 and RFC 7919
//	peerprime.go                            modulo a prime of the server's choice
//	named.go                                groups by their code points
//	rsa.go                                  RSA key transport, RFC 5246 §7.4.7.1
//	print.go                                printing
//
// It leaves out static DH and ECDH and the curves that RFC 8422 deprecates, which nobody should
// use, and compressed points, which RFC 8422 §5.1.2 forbids.
//
// A private key serves one handshake. Offer and Answer draw a new one each time, and nothing here
// keeps it. If a server reuses its DHE key, the leading zeros that RFC 5246 §8.1.2 strips from Z
// can be timed until they reveal Z (the Raccoon attack). Secrets are therefore returned at full
// length, and package keys, which strips them, sees each of them once.
//
// Randomness comes from the io.Reader that a function is given and from nowhere else, so that a
// seed reproduces a handshake. This is why keys are made from drawn scalars: since Go 1.26
// crypto/ecdh's GenerateKey and crypto/rsa's EncryptPKCS1v15 ignore their readers. ML-KEM's
// encapsulation takes no reader; for one that is not crypto/rand's, crypto/mlkem/mlkemtest gets
// bytes read from it.
//
// Secrets are handled in constant time by crypto/ecdh, crypto/rsa, filippo.io/bigmod and circl;
// math/big sees public numbers only. Go does not guarantee that the compiler keeps code without
// branches as it is, nor that a secret can be wiped, since the garbage collector may have copied
// it.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package kex

import (
	"io"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Group is a named group or finite field, with the two roles in it. In TLS 1.2 the server offers
// and the client answers; in TLS 1.3 it is the other way round, which also fits a key
// encapsulation. A Group is safe for concurrent use.
type Group interface {
	// ID returns the code point, or 0 for a finite-field group without one.
	ID() iana.Group

	// Name returns the registry's name, or a description of a group without one: "2048-bit MODP
	// (RFC 3526)", "1536-bit prime".
	Name() string

	// Offer draws a private key. Its error is that of rand.
	Offer(rand io.Reader) (Offer, error)

	// Answer draws a private key and computes the secret with an offerer's share. Its error is that
	// of rand or of Offer.Finish.
	Answer(rand io.Reader, theirs []byte) (Answer, error)

	// Restore returns the Offer with this private key, for an observer who was given it. Its error
	// is internal_error.
	Restore(private []byte) (Offer, error)
}

// Offer is a key pair that waits for the other side's share.
type Offer interface {
	// Share returns what is sent to the peer: a point, or dh_Ys at the length of the prime. It must
	// not be changed.
	Share() []byte

	// Private returns the private key: a scalar in the byte order of its curve, or a big-endian
	// exponent.
	Private() []byte

	// Finish checks the peer's share and returns the secret: the x-coordinate of a point (RFC 8422
	// §5.10), or Z at the length of the prime, leading zeros included. An invalid share is
	// illegal_parameter or, in a finite field of TLS 1.2, handshake_failure.
	Finish(theirs []byte) (secret []byte, err error)
}

// Answer is what an answerer sends, with its private key and the secret.
type Answer struct{ Share, Private, Secret []byte }

// answer makes an Offer and finishes it at once.
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
