package kex

import (
	"errors"
	"io"

	"github.com/vitrine-tls/vitrine/iana"
)

// Group is one row of the named groups.
type Group interface {
	ID() iana.Group
	Name() string
	Offer(rand io.Reader) (Offer, error)
	Answer(rand io.Reader, theirs []byte) (Answer, error)
	Recall(private []byte) (Offer, error)
}

// Offer is a fresh key pair of a group.
type Offer interface {
	Share() []byte
	Private() []byte
	Finish(theirs []byte) (secret []byte, err error)
}

// Answer is what the answerer sends and what it then has.
type Answer struct{ Share, Private, Secret []byte }

var errTODO = errors.New("kex: being written")

// Named finds a group by its code point.
func Named(id iana.Group) (Group, bool) { return nil, false }

// FiniteField makes a group of the parameters that a server sent.
func FiniteField(p, g []byte, minBits int) (Group, error) { return nil, errTODO }

// Params gives the prime and the generator of a finite-field group.
func Params(g Group) (p, generator []byte) { return nil, nil }
