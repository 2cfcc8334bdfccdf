package engine

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// A cryptoBytes is what one side gives QUIC to carry.
type cryptoBytes struct {
	level tls.QUICEncryptionLevel
	data  []byte
}

// quicConfig is a configuration for QUIC.
func quicConfig(of func(iana.Side) *negotiation.Config) func(iana.Side) *negotiation.Config {
	return func(me iana.Side) *negotiation.Config {
		c := of(me)
		c.Protocols = []string{"h3"}
		c.QUIC = &negotiation.QUIC{TransportParameters: []byte{1, byte(me)}}
		return c
	}
}

// quicScenes are the kinds of handshakes that FuzzQUIC starts from.
func quicScenes(f *testing.F) []func(iana.Side) *negotiation.Config {
	retried := func(me iana.Side) *negotiation.Config {
		c := config13(me)
		if me == iana.Server {
			c.Groups = []iana.Group{iana.Secp256r1}
		}
		return c
	}
	certified := func(me iana.Side) *negotiation.Config {
		c := config13(me)
		c.Credentials = config(iana.Server).Credentials
		c.ClientAuth = negotiation.ClientAuth{Request: true, Require: true}
		return c
	}
	return []func(iana.Side) *negotiation.Config{quicConfig(config13), quicConfig(retried),
		quicConfig(certified), quicConfig(shared13), quicConfig(frozen(earlyConfigs(f, 100, 0))),
		quicConfig(rejecting(frozen(earlyConfigs(f, 100, 0)))),
		func(me iana.Side) *negotiation.Config { return config13(me) }, // without parameters
	}
}

// drain takes a QUIC's events: what it sends, and whether it is done.
func drain(t *testing.T, q *QUIC) (sends []cryptoBytes, done bool) {
	for {
		switch e := q.Next(); e.Kind {
		case tls.QUICNoEvent:
			return sends, done
		case tls.QUICWriteData:
			sends = append(sends, cryptoBytes{e.Level, bytes.Clone(e.Data)})
		case tls.QUICHandshakeDone:
			done = true
		case tls.QUICSetReadSecret, tls.QUICSetWriteSecret:
			if len(e.Data) < 32 {
				t.Fatalf("a secret of %d bytes", len(e.Data))
			}
		}
	}
}

// twist returns what arrives in the place of CRYPTO bytes: changed, cut, doubled, at another level,
// in pieces, with a message of any type behind them, or as they are.
func twist(c cryptoBytes, how, where byte) []cryptoBytes {
	b := bytes.Clone(c.data)
	at := int(where) * len(b) / 256
	switch how % 8 {
	case 1:
		b[at] ^= 1 << (where % 8)
	case 2:
		b = b[:at]
	case 3:
		return []cryptoBytes{c, c}
	case 4:
		return []cryptoBytes{{tls.QUICEncryptionLevel(where % 4), b}}
	case 5:
		return []cryptoBytes{{c.level, b[:at]}, {c.level, b[at:]}}
	case 6:
		b = append(b, msg(iana.HandshakeType(where), 0)...)
	case 7:
		return nil
	}
	return []cryptoBytes{{c.level, b}}
}

// FuzzQUIC: CRYPTO bytes in every state of valid handshakes in QUIC, in both roles, of which some
// are changed, cut, doubled, swapped in level, split or left out, and any bytes after the
// handshake. The other side is never done if what it was given is not what was sent.
func FuzzQUIC(f *testing.F) {
	all, keep := quicScenes(f), testkit.SampleSeeds(3)
	for i := range all {
		for side := range byte(2) {
			f.Add(byte(i), side, []byte{}, []byte{}, byte(1))
			for at := range byte(4) {
				for how := range byte(8) {
					if keep() {
						f.Add(byte(i), side, []byte{at, how, at*61 + how*3}, []byte{}, byte(1))
					}
				}
			}
			for _, late := range [][]byte{msg(iana.NewSessionTicket, 1), msg(iana.KeyUpdate, 0),
				msg(iana.HelloRequest), msg(iana.Finished, 1, 2), {1, 0xFF, 0xFF, 0xFF},
				{4, 0, 0}} {
				if keep() {
					f.Add(byte(i), side, []byte{}, late, byte(1))
					f.Add(byte(i), side, []byte{}, late, byte(255))
				}
			}
			f.Add(byte(i), side, []byte{0, 6, 0}, []byte{}, byte(1)) // a HelloRequest in a flight
		}
	}
	f.Fuzz(func(t *testing.T, which, side byte, how, late []byte, times byte) {
		configs, liar := all[int(which)%len(all)], iana.Side(side%2)
		sides := [2]*QUIC{NewQUIC(iana.Client, configs(iana.Client)),
			NewQUIC(iana.Server, configs(iana.Server))}
		var errs [2]error
		touched, sent := false, 0
		fail := func(me iana.Side, err error) {
			if errs[me] == nil && err != nil {
				errs[me] = err
				sides[me].Fail(err)
				if e, ok := errors.AsType[*alert.Error](
					err,
				); !ok ||
					e.Alert == alert.InternalError {
					t.Errorf("the %v: %v", me, err)
				}
			}
		}
		var done [2]bool
		for range 5 {
			for me, q := range sides {
				if errs[me] != nil {
					continue
				}
				fail(iana.Side(me), q.Proceed(context.Background()))
				sends, isDone := drain(t, q)
				done[me] = done[me] || isDone
				for _, c := range sends {
					arrives := []cryptoBytes{c}
					for e := range slices.Chunk(how[:min(len(how), 9)], 3) {
						if len(e) == 3 && iana.Side(me) == liar && int(e[0]) == sent {
							arrives = twist(c, e[1], e[2])
						}
					}
					touched = touched || !whole(arrives, c)
					if iana.Side(me) == liar {
						sent++
					}
					for _, a := range arrives {
						if errs[1-me] == nil {
							fail(iana.Side(1-me), sides[1-me].Arrived(a.level, a.data))
							if errs[1-me] == nil {
								fail(iana.Side(1-me), sides[1-me].Proceed(context.Background()))
							}
						}
					}
				}
			}
		}
		if honest := len(
			how,
		) == 0; honest && int(which)%len(all) != len(all)-1 &&
			done != [2]bool{true, true} {
			t.Fatalf("nobody lied, and %v", errs)
		}
		victim := liar.Peer()
		if done[victim] && touched && errs[victim] == nil {
			t.Errorf("the %v is done, although it was given other bytes", victim)
		}
		ended(t, sides, errs, victim, late, times)
	})
}

// whole reports whether what arrives is what was sent, in one piece or in several.
func whole(arrives []cryptoBytes, sent cryptoBytes) bool {
	var b []byte
	for _, a := range arrives {
		if a.level != sent.level {
			return false
		}
		b = append(b, a.data...)
	}
	return bytes.Equal(b, sent.data)
}

// ended gives the victim bytes after its handshake, some times, and lets the server send tickets.
func ended(t *testing.T, sides [2]*QUIC, errs [2]error, victim iana.Side, late []byte, times byte) {
	server := sides[iana.Server]
	if errs[iana.Server] == nil && server.Machine().Done() {
		for range 2 {
			if err := server.Ticket(context.Background(), false, nil); err != nil {
				t.Errorf("a ticket: %v", err)
			}
		}
		sends, _ := drain(t, server)
		for _, c := range sends {
			if client := sides[iana.Client]; errs[iana.Client] == nil && client.Machine().Done() {
				if err := client.Arrived(c.level, c.data); err != nil {
					t.Fatal(err)
				}
				if err := client.Proceed(context.Background()); err != nil {
					t.Errorf("a ticket is refused: %v", err)
				}
			}
		}
	}
	q := sides[victim]
	if errs[victim] != nil || !q.Machine().Done() {
		return
	}
	for range int(times) + 1 {
		if q.Arrived(tls.QUICEncryptionLevelApplication, late) != nil ||
			q.Proceed(context.Background()) != nil {
			break
		}
		drain(t, q)
	}
	q.Await()
	q.Tell(tls.QUICEvent{Kind: tls.QUICStoreSession})
	if e := q.Next(); e.Kind != tls.QUICTransportParametersRequired && e.Kind != tls.QUICNoEvent &&
		e.Kind != tls.QUICWriteData {
		t.Errorf("an event of kind %v", e.Kind)
	}
}
