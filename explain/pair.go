package explain

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/iana"
)

// Pair is a value as each side has it. It is nil for a side that does not have it.
type Pair struct{ Client, Server []byte }

// Verdict is the result of comparing a Pair.
type Verdict uint8

// The verdicts.
const (
	Uncompared Verdict = iota // only one side has it
	Equal
	Different
)

// Compare compares the two values.
func (p Pair) Compare() Verdict {
	switch {
	case p.Client == nil || p.Server == nil:
		return Uncompared
	case bytes.Equal(p.Client, p.Server):
		return Equal
	}
	return Different
}

// Bytes returns the client's value, or the server's if the client has none.
func (p Pair) Bytes() []byte {
	if p.Client != nil {
		return p.Client
	}
	return p.Server
}

// Of returns the value of one side.
func (p Pair) Of(s iana.Side) []byte {
	if s == iana.Client {
		return p.Client
	}
	return p.Server
}

// slice returns a part of both values; nil where a value is too short.
func (p Pair) slice(from, to int) Pair {
	cut := func(b []byte) []byte {
		if len(b) < to || from > to {
			return nil
		}
		return b[from:to]
	}
	return Pair{cut(p.Client), cut(p.Server)}
}

func (p *Pair) put(side iana.Side, b []byte) {
	if side == iana.Client {
		p.Client = b
	} else {
		p.Server = b
	}
}
