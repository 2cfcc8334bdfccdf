package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// A play is a kind of connection that repeats to the byte, and what both sides sent in it: a
// handshake, then data and the end.
type play struct {
	config func(iana.Side) *negotiation.Config
	sent   [2][]byte
	// how long the handshake is in what a side sent, and the record that proves it
	handshake [2]int
	proof     [2][]byte
}

// plays are TLS 1.2, full and resumed, and TLS 1.3, also after a retry.
func plays(f *testing.F) (all []play) {
	again := resuming(f)
	engines, _ := connectBy(f, again)
	if engines[0].Machine().Origin() == nil || engines[1].Machine().Origin() == nil {
		f.Fatal("not resumed")
	}
	retried := func(me iana.Side) *negotiation.Config {
		c := config13(me)
		if me == iana.Server {
			c.Groups = []iana.Group{iana.Secp256r1}
		}
		return c
	}
	for _, config := range []func(iana.Side) *negotiation.Config{config, again, config13, retried} {
		engines, sent := connectBy(f, config)
		p := play{config: config}
		for side, e := range engines {
			p.handshake[side] = len(sent[side])
			records := cutRecords(sent[side])
			p.proof[side] = records[len(records)-1]
			if iana.Side(side) == iana.Server && e.machine.Config().Suites == nil {
				p.proof[side] = nil // tickets may follow it
			}
			if err := e.Seal([]byte("said ")); err != nil {
				f.Fatal(err)
			}
			if err := e.SealAlert(1, 0, ""); err != nil {
				f.Fatal(err)
			}
			p.sent[side] = append(sent[side], sealed(e)...)
		}
		all = append(all, p)
	}
	return all
}

// cutRecords cuts a stream into its records.
func cutRecords(stream []byte) (all [][]byte) {
	for len(stream) >= 5 {
		n := min(5+int(stream[3])<<8+int(stream[4]), len(stream))
		all, stream = append(all, stream[:n]), stream[n:]
	}
	return all
}

// FuzzEngine: a peer that says anything, at first, in the middle of a right handshake or after it,
// gets an error or nothing; never a handshake that is done before all of it was right, and never
// data that was not sealed.
func FuzzEngine(f *testing.F) {
	all := plays(f)
	wrong := [][]byte{
		{},
		[]byte("GET / HTTP/1.1\r\n\r\n"),
		{23, 3, 3, 0, 1, 0},
		{20, 3, 3, 0, 1, 1},
		bytes.Repeat(rec(iana.RecordAlert, 1, 90), 6),
		rec(iana.RecordAlert, 1, 0),
		rec(iana.RecordAlert, 2, 40),
		rec(iana.RecordAlert, 1, 41),
		rec(iana.RecordAlert, 1, 100),
		rec(iana.RecordAlert, 9, 9),
		bytes.Repeat(rec(iana.RecordHandshake, 0, 0, 0, 0), 20),
		rec(iana.RecordHandshake, 0, 0, 0, 1),
		rec(iana.RecordHandshake, msg(iana.Finished, 1)...),
		bytes.Repeat(rec(iana.RecordApplicationData, 1, 2, 3), 3),
		rec(iana.RecordHandshake, append(msg(iana.ServerHelloDone), 1)...),
	}
	keep := testkit.SampleSeeds(11)
	for i, p := range all {
		for side := range byte(2) {
			honest := p.sent[1-side]
			f.Add(byte(i), side, uint16(0), honest)
			if p.config(iana.Client).Suites != nil && side == 1 {
				f.Add(byte(i), side, uint16(0), anonymous(honest))
			}
			at := 0
			for _, r := range append(cutRecords(honest), nil) {
				for _, w := range wrong {
					if keep() {
						f.Add(byte(i), side, uint16(at), w)
					}
				}
				f.Add(byte(i), side, uint16(at), slices.Concat(r, r))
				if at += len(r); at > 6 {
					f.Add(byte(i), side, uint16(at-3), []byte{0})
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, which, side byte, right uint16, wrong []byte) {
		p, me := all[int(which)%len(all)], iana.Side(side%2)
		honest := p.sent[me.Peer()]
		stream := append(bytes.Clone(honest[:min(int(right), len(honest))]), wrong...)
		e := NewEngine(me, p.config(me))
		var err error
		var read []byte
		for _, chunk := range append([][]byte{nil},
			slices.Collect(slices.Chunk(stream, 1+len(wrong)%300))...) {
			arrive(e, chunk)
			if err = advance(e); err != nil {
				break
			}
			if e.Machine().Done() {
				if read, err = readAll(e, read); err != nil {
					break
				}
			}
			sealed(e)
		}
		// The honest peer's last record is its Finished, which proves all that came before it,
		// however that was cut into records.
		if proof := p.proof[me.Peer()]; e.Machine().Done() &&
			(!bytes.Contains(stream, proof) || len(stream) < p.handshake[me.Peer()]-200) {
			t.Error("done, and the peer was not honest")
		}
		if !bytes.HasPrefix([]byte("said "), read) {
			t.Errorf("%q was read, which nobody sealed", read)
		}
		if err != nil && err != io.EOF {
			e.Abort(err)
		}
	})
}

// readAll reads what can be read.
func readAll(e *Engine, read []byte) ([]byte, error) {
	for {
		b := make([]byte, 3)
		n, err := e.Read(b)
		read = append(read, b[:n]...)
		if p, ok := errors.AsType[*handshake.Pending](err); ok {
			err = p.Do(context.Background())
		}
		switch err {
		case nil:
		case ErrMore:
			return read, nil
		default:
			return read, err
		}
	}
}
