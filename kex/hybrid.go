package kex

import (
	"bytes"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	cryptorand "crypto/rand"
	"io"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// A hybrid is an elliptic curve combined with ML-KEM: its secret is safe while either is unbroken.
// Shares, private keys and secrets are both parts in the same order. See RFC 10024.
type hybrid struct {
	id     iana.Group
	curve  *curve
	kem    kem
	kemOne bool // ML-KEM's part comes first
}

var hybrids = map[iana.Group]*hybrid{
	iana.X25519MLKEM768:     {iana.X25519MLKEM768, curves[iana.X25519], mlkem768, true},
	iana.SecP256r1MLKEM768:  {iana.SecP256r1MLKEM768, curves[iana.Secp256r1], mlkem768, false},
	iana.SecP384r1MLKEM1024: {iana.SecP384r1MLKEM1024, curves[iana.Secp384r1], mlkem1024, false},
}

// A kem is a parameter set of ML-KEM. See FIPS 203.
type kem struct {
	encapsulationKey, ciphertext int // lengths in bytes
	// newKey makes a decapsulation key from a seed of 64 bytes.
	newKey func(seed []byte) (key decapsulationKey, encapsulationKey []byte, err error)
	// encapsulate checks the key. It uses the 32 bytes m or, if m is nil, the system's randomness.
	encapsulate func(key, m []byte) (secret, ciphertext []byte, err error)
}

type decapsulationKey interface {
	Decapsulate(ciphertext []byte) ([]byte, error)
}

var (
	mlkem768 = kem{
		mlkem.EncapsulationKeySize768, mlkem.CiphertextSize768,
		func(seed []byte) (decapsulationKey, []byte, error) {
			k, err := mlkem.NewDecapsulationKey768(seed)
			if err != nil {
				return nil, nil, err
			}
			return k, k.EncapsulationKey().Bytes(), nil
		},
		func(key, m []byte) (secret, ciphertext []byte, err error) {
			k, err := mlkem.NewEncapsulationKey768(key)
			if err != nil {
				return nil, nil, err
			}
			if m != nil {
				return mlkemtest.Encapsulate768(k, m)
			}
			secret, ciphertext = k.Encapsulate()
			return secret, ciphertext, nil
		},
	}
	mlkem1024 = kem{
		mlkem.EncapsulationKeySize1024, mlkem.CiphertextSize1024,
		func(seed []byte) (decapsulationKey, []byte, error) {
			k, err := mlkem.NewDecapsulationKey1024(seed)
			if err != nil {
				return nil, nil, err
			}
			return k, k.EncapsulationKey().Bytes(), nil
		},
		func(key, m []byte) (secret, ciphertext []byte, err error) {
			k, err := mlkem.NewEncapsulationKey1024(key)
			if err != nil {
				return nil, nil, err
			}
			if m != nil {
				return mlkemtest.Encapsulate1024(k, m)
			}
			secret, ciphertext = k.Encapsulate()
			return secret, ciphertext, nil
		},
	}
)

// The lengths of ML-KEM's random inputs, in bytes. See FIPS 203 §7.
const seedLen, messageLen = mlkem.SeedSize, 32

func (h *hybrid) ID() iana.Group { return h.id }

func (h *hybrid) Name() string { return h.id.String() }

// join concatenates both parts of a share, a private key or a secret in the hybrid's order.
func (h *hybrid) join(kem, curve []byte) []byte {
	if h.kemOne {
		return append(bytes.Clone(kem), curve...)
	}
	return append(bytes.Clone(curve), kem...)
}

// joinSecrets is join for the shared secrets of both parts, which it overwrites.
func (h *hybrid) joinSecrets(kem, curve []byte) []byte {
	defer clear(kem)
	defer clear(curve)
	return h.join(kem, curve)
}

// split returns both parts of a share; that of ML-KEM has n bytes.
func (h *hybrid) split(share []byte, n int) (kem, curve []byte, err error) {
	if len(share) < n {
		return nil, nil, h.refuse(share)
	}
	if h.kemOne {
		return share[:n], share[n:], nil
	}
	return share[len(share)-n:], share[:len(share)-n], nil
}

// refuse returns the same error whichever check failed.
func (h *hybrid) refuse(share []byte) error {
	return alert.KindShare.Fail(alert.IllegalParameter, "RFC 10024",
		"got a share of %d bytes, expected a valid one of %v", len(share), h.id)
}

func (h *hybrid) Offer(rand io.Reader) (Offer, error) { return h.offerWith(rand, h.curve.Offer) }

// offerWith is Offer with the key that fromCurve makes as the curve's part.
func (h *hybrid) offerWith(rand io.Reader, fromCurve func(io.Reader) (Offer, error)) (Offer,
	error) {
	seed, err := draw(rand, seedLen)
	if err != nil {
		return nil, err
	}
	c, err := fromCurve(rand)
	if err != nil {
		return nil, err
	}
	return h.offer(seed, c)
}

// Offers draws the private keys of one ClientHello. A curve and its hybrids get the same key of the
// curve, of which at most one is used: this saves a multiplication. RFC 8446 §4.2.8 asks for
// independent shares; draft-ietf-tls-hybrid-design §3.2 allows this exception.
func Offers(rand io.Reader, groups []Group) ([]Offer, error) {
	keys := map[*curve]Offer{}
	once := func(c *curve) func(io.Reader) (Offer, error) {
		return func(rand io.Reader) (o Offer, err error) {
			if keys[c] == nil {
				if keys[c], err = c.Offer(rand); err != nil {
					return nil, err
				}
			}
			return keys[c], nil
		}
	}
	offers := make([]Offer, len(groups))
	for i, g := range groups {
		var err error
		switch g := g.(type) {
		case *hybrid:
			offers[i], err = g.offerWith(rand, once(g.curve))
		case *curve:
			offers[i], err = once(g)(rand)
		default:
			offers[i], err = g.Offer(rand)
		}
		if err != nil {
			return nil, err
		}
	}
	return offers, nil
}

func (h *hybrid) offer(seed []byte, c Offer) (Offer, error) {
	key, public, err := h.kem.newKey(seed)
	if err != nil {
		return nil, alert.Fail(alert.InternalError, "RFC 10024",
			"got a seed of %d bytes, expected a private key of %v", len(seed), h.id)
	}
	return &hybridOffer{h, c, key, h.join(seed, c.Private()), h.join(public, c.Share())}, nil
}

// Restore takes an offerer's private key. An answerer's would be useless: it cannot decapsulate.
func (h *hybrid) Restore(private []byte) (Offer, error) {
	seed, scalar, err := h.split(private, seedLen)
	if err != nil {
		return nil, alert.Fail(alert.InternalError, "RFC 10024",
			"got %d bytes, expected a private key of %v", len(private), h.id)
	}
	c, err := h.curve.Restore(scalar)
	if err != nil {
		return nil, err
	}
	return h.offer(seed, c)
}

// Answer encapsulates to the offerer's key, which it checks as FIPS 203 §7.2 asks. Its Private is
// the curve's scalar alone. crypto/mlkem uses the system's randomness itself; from any other
// reader, such as that of a seeded run, Answer reads the 32 bytes for it.
func (h *hybrid) Answer(rand io.Reader, theirs []byte) (Answer, error) {
	key, point, err := h.split(theirs, h.kem.encapsulationKey)
	if err != nil {
		return Answer{}, err
	}
	var m []byte
	if rand != cryptorand.Reader {
		if m, err = draw(rand, messageLen); err != nil {
			return Answer{}, err
		}
	}
	secret, ciphertext, err := h.kem.encapsulate(key, m)
	if err != nil {
		return Answer{}, h.refuse(theirs)
	}
	c, err := h.curve.Offer(rand)
	if err != nil {
		return Answer{}, err
	}
	z, err := c.Finish(point)
	if err != nil {
		return Answer{}, h.refuse(theirs)
	}
	return Answer{Share: h.join(ciphertext, c.Share()), Private: c.Private(),
		Secret: h.joinSecrets(secret, z)}, nil
}

type hybridOffer struct {
	hybrid         *hybrid
	curve          Offer
	key            decapsulationKey
	private, share []byte
}

func (o *hybridOffer) Share() []byte { return o.share }

func (o *hybridOffer) Private() []byte { return o.private }

// Finish decapsulates. Any ciphertext of the right length yields a secret; if it is wrong, the
// handshake fails at Finished (ML-KEM's implicit rejection).
func (o *hybridOffer) Finish(theirs []byte) ([]byte, error) {
	h := o.hybrid
	ciphertext, point, err := h.split(theirs, h.kem.ciphertext)
	if err != nil {
		return nil, err
	}
	z, err := o.curve.Finish(point)
	if err != nil {
		return nil, h.refuse(theirs)
	}
	secret, err := o.key.Decapsulate(ciphertext)
	if err != nil {
		return nil, h.refuse(theirs)
	}
	return h.joinSecrets(secret, z), nil
}

// CurveHalf reports whether private is the private key of the curve's half alone of a share of a
// hybrid group, which an offerer or an answerer sent.
func CurveHalf(g Group, private, share []byte) bool {
	h, ok := g.(*hybrid)
	if !ok {
		return false
	}
	c, err := h.curve.Restore(private)
	if err != nil {
		return false
	}
	for _, n := range []int{h.kem.encapsulationKey, h.kem.ciphertext} {
		if _, point, err := h.split(share, n); err == nil && bytes.Equal(point, c.Share()) {
			return true
		}
	}
	return false
}

// Rejoin returns the secret of a hybrid group as its answerer has it: from ML-KEM's shared secret
// of 32 bytes and the curve's private key, joined in the hybrid's order, and the offerer's share.
// ours is the answerer's share, which must belong to the private key.
func Rejoin(g Group, halves, ours, theirs []byte) ([]byte, error) {
	h, ok := g.(*hybrid)
	if !ok {
		return nil, alert.Fail(alert.InternalError, "RFC 10024", "%v is not a hybrid group", g.ID())
	}
	secret, scalar, err := h.split(halves, mlkem.SharedKeySize)
	if err != nil {
		return nil, err
	}
	c, err := h.curve.Restore(scalar)
	if err != nil {
		return nil, err
	}
	if !CurveHalf(g, scalar, ours) {
		return nil, h.refuse(ours)
	}
	_, point, err := h.split(theirs, h.kem.encapsulationKey)
	if err != nil {
		return nil, err
	}
	z, err := c.Finish(point)
	if err != nil {
		return nil, h.refuse(theirs)
	}
	return h.join(secret, z), nil
}
