package kex

import (
	"bytes"
	"crypto/ecdh"
	"errors"
	"io"

	"github.com/cloudflare/circl/dh/x448"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// A curve describes the scalars of a curve and how one of them becomes a key.
type curve struct {
	id     iana.Group
	length int  // of a scalar, in bytes
	mask   byte // of a scalar's first byte: P-521's has one bit
	key    func(scalar []byte) (share []byte, agree agreement, err error)
}

// An agreement computes the secret from the peer's share. It fails if the share is invalid.
type agreement func(theirs []byte) (secret []byte, err error)

var curves = map[iana.Group]*curve{
	iana.Secp256r1: {iana.Secp256r1, 32, 0xFF, standard(ecdh.P256())},
	iana.Secp384r1: {iana.Secp384r1, 48, 0xFF, standard(ecdh.P384())},
	iana.Secp521r1: {iana.Secp521r1, 66, 0x01, standard(ecdh.P521())},
	iana.X25519:    {iana.X25519, 32, 0xFF, standard(ecdh.X25519())},
	iana.X448:      {iana.X448, x448.Size, 0xFF, goldilocks},
}

func (c *curve) ID() iana.Group { return c.id }

func (c *curve) Name() string { return c.id.String() }

// draws bounds the search for a scalar. One in 2³² of P-256 is out of range; of the other curves
// even fewer.
const draws = 16

func (c *curve) Offer(rand io.Reader) (Offer, error) {
	for range draws {
		scalar, err := draw(rand, c.length)
		if err != nil {
			return nil, err
		}
		scalar[0] &= c.mask
		// A scalar out of range is drawn again: reducing it would favour small ones.
		if share, agree, err := c.key(scalar); err == nil {
			return &curveOffer{c, scalar, share, agree}, nil
		}
	}
	return nil, alert.Fail(alert.InternalError, "",
		"randomness failed: no scalar of %v in %d draws", c.id, draws)
}

func (c *curve) Answer(rand io.Reader, theirs []byte) (Answer, error) {
	return answer(c, rand, theirs)
}

func (c *curve) Restore(private []byte) (Offer, error) {
	share, agree, err := c.key(private)
	if err != nil {
		return nil, alert.Fail(alert.InternalError, "RFC 8422 §5.10",
			"got %d bytes, expected a private key of %v", len(private), c.id)
	}
	return &curveOffer{c, bytes.Clone(private), share, agree}, nil
}

type curveOffer struct {
	curve          *curve
	private, share []byte
	agree          agreement
}

func (o *curveOffer) Share() []byte { return o.share }

func (o *curveOffer) Private() []byte { return o.private }

// Finish returns the same error whichever check failed. With a reused key, accepting a point off
// the curve would reveal the key.
func (o *curveOffer) Finish(theirs []byte) ([]byte, error) {
	secret, err := o.agree(theirs)
	if err != nil {
		return nil, alert.KindShare.Fail(
			alert.IllegalParameter,
			"RFC 8422 §5.11, RFC 8446 §4.2.8.2",
			"got a share of %d bytes, expected a valid public key of %v",
			len(theirs),
			o.curve.id,
		)
	}
	return secret, nil
}

// standard makes keys of a curve of the standard library, which requires scalars in the group's
// range and rejects points that are not on the curve, the point at infinity, compressed points, and
// those for which X25519 yields zeros.
func standard(c ecdh.Curve) func([]byte) ([]byte, agreement, error) {
	return func(scalar []byte) ([]byte, agreement, error) {
		key, err := c.NewPrivateKey(scalar)
		if err != nil {
			return nil, nil, err
		}
		return key.PublicKey().Bytes(), func(theirs []byte) ([]byte, error) {
			point, err := c.NewPublicKey(theirs)
			if err != nil {
				return nil, err
			}
			return key.ECDH(point)
		}, nil
	}
}

var (
	errLength   = errors.New("kex: an X448 key has 56 bytes")
	errLowOrder = errors.New("kex: the X448 result would be zero")
)

// goldilocks makes keys of X448. See RFC 7748 §6.2.
func goldilocks(scalar []byte) ([]byte, agreement, error) {
	if len(scalar) != x448.Size {
		return nil, nil, errLength
	}
	var key, share x448.Key
	copy(key[:], scalar)
	x448.KeyGen(&share, &key)
	return share[:], func(theirs []byte) ([]byte, error) {
		if len(theirs) != x448.Size {
			return nil, errLength
		}
		var secret x448.Key
		if point := x448.Key(theirs); !x448.Shared(&secret, &key, &point) {
			// Shared fails for points of low order, which are those that yield zeros.
			return nil, errLowOrder
		}
		return secret[:], nil
	}, nil
}
