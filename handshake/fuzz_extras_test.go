package handshake

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/session"
)

var errStore = errors.New("the store is not there")

// meanwhile are what may have changed between a session of TLS 1.3 and its resumption, besides the
// options of options13: stores that fail or are others, sessions that are no more what they were.
var meanwhile = []func(t testing.TB, c, s *negotiation.Config, at *Session){
	func(testing.TB, *negotiation.Config, *negotiation.Config, *Session) {},
	func(_ testing.TB, c, _ *negotiation.Config, _ *Session) { c.Schemes = c.Schemes[:1] },
	func(_ testing.TB, _, s *negotiation.Config, _ *Session) { s.Policy = "another" },
	func(_ testing.TB, c, s *negotiation.Config, _ *Session) {
		c.VerifyPeer = func([][]byte, [][]*x509.Certificate) error { return nil }
		s.VerifyPeer = c.VerifyPeer
	},
	func(_ testing.TB, c, _ *negotiation.Config, _ *Session) {
		c.VerifyPeer = func([][]byte, [][]*x509.Certificate) error { return errStore }
	},
	func(t testing.TB, _, s *negotiation.Config, at *Session) {
		at.Chain = credential(t, throwaway.ECDSA, "client.test").Chain.Raw()
		s.ClientAuth = negotiation.ClientAuth{Request: true, Verify: true}
	},
	func(_ testing.TB, _, s *negotiation.Config, at *Session) {
		at.Chain = [][]byte{{1}}
		s.ClientAuth = negotiation.ClientAuth{Request: true}
	},
	func(_ testing.TB, _, s *negotiation.Config, at *Session) {
		at.PSKIdentity = []byte("key")
		s.FindKey = func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
			return nil, nil
		}
	},
	func(_ testing.TB, c, s *negotiation.Config, at *Session) { // of a key that is still there
		find := func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
			return &negotiation.PSK{Identity: []byte("key"), Key: bytes.Repeat([]byte{5}, 32)}, nil
		}
		at.PSKIdentity, c.Offer.PSKIdentity = []byte("key"), []byte("key")
		c.FindKey, s.FindKey = find, find
	},
	func(_ testing.TB, c, s *negotiation.Config, at *Session) { // in a store, and not in the ticket
		id := bytes.Repeat([]byte{3}, storedTicketLen)
		c.Offer.Ticket, at.ID, s.Tickets = id, id, false
		s.Find = func(_ context.Context, got []byte) (*Session, error) {
			if !bytes.Equal(got, id) {
				return nil, nil
			}
			k := *at
			return &k, nil
		}
		s.Open, s.Store = nil, func(context.Context, []byte, *Session) error { return nil }
		s.Forget = func([]byte) error { return errStore }
	},
	func(_ testing.TB, _, s *negotiation.Config, _ *Session) {
		s.Open = func(context.Context, []byte) (*Session, error) { return nil, errStore }
		s.Seal = func(context.Context, *Session) ([]byte, error) { return nil, errStore }
	},
	func(_ testing.TB, c, s *negotiation.Config, _ *Session) {
		c.Tickets = false
		s.Store = func(context.Context, []byte, *Session) error { return errStore }
	},
	func(_ testing.TB, _, s *negotiation.Config, at *Session) {
		at.Created = throwaway.Epoch.Add(-session.MaxSessionAge + time.Millisecond)
	},
	func(_ testing.TB, _, _ *negotiation.Config, at *Session) { at.Version = iana.TLS12 },
	func(_ testing.TB, _, _ *negotiation.Config, at *Session) { at.Suite = 0x1399 },
	func(_ testing.TB, c, _ *negotiation.Config, _ *Session) { c.Offer.Chain = nil },
	func(_ testing.TB, c, _ *negotiation.Config, _ *Session) { c.ServerName = "" },
	func(_ testing.TB, _, _ *negotiation.Config, at *Session) {
		at.Master = bytes.Repeat([]byte{8}, 32) // the binder does not fit
	},
	func(_ testing.TB, _, s *negotiation.Config, _ *Session) {
		s.FindKey = func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
			return nil, errStore
		}
	},
	func(_ testing.TB, c, _ *negotiation.Config, _ *Session) {
		c.FindKey = func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
			return nil, nil
		}
	},
	func(_ testing.TB, c, _ *negotiation.Config, _ *Session) {
		c.FindKeys = func(context.Context) ([]*negotiation.PSK, error) {
			return []*negotiation.PSK{{Identity: []byte("key"), Key: bytes.Repeat([]byte{5}, 32)},
				{Identity: []byte("other"), Key: bytes.Repeat([]byte{6}, 32)}}, nil
		}
	},
}

// stores are changes for FuzzResumption of what keeps sessions and keys, and of who is believed.
var stores = []func(c, s *negotiation.Config, kept *session.Session){
	func(_, _ *negotiation.Config, _ *session.Session) {},
	func(c, s *negotiation.Config, _ *session.Session) {
		c.Keep = func(*Session) {}
		s.Forget = func([]byte) error { return errStore }
		s.Take = func(context.Context, []byte) (bool, error) { return false, errStore }
	},
	func(_, s *negotiation.Config, _ *session.Session) {
		fails := func(context.Context, []byte) (*Session, error) { return nil, errStore }
		s.Find, s.Open = fails, fails
	},
	func(c, s *negotiation.Config, _ *session.Session) {
		c.VerifyPeer = func([][]byte, [][]*x509.Certificate) error { return nil }
		s.VerifyPeer = c.VerifyPeer
		s.ClientAuth.Verify = true
	},
	func(c, s *negotiation.Config, _ *session.Session) {
		c.VerifyPeer = func([][]byte, [][]*x509.Certificate) error { return errStore }
		s.VerifyPeer = c.VerifyPeer
	},
	func(c, _ *negotiation.Config, _ *session.Session) { c.Groups = c.Groups[:1] },
	func(c, _ *negotiation.Config, _ *session.Session) { c.Offer.Chain = [][]byte{{1}} },
	func(c, _ *negotiation.Config, _ *session.Session) { c.Offer.Chain = nil },
	func(_, s *negotiation.Config, kept *session.Session) {
		kept.PSKIdentity = []byte("key")
		s.FindKey = func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
			return nil, errStore
		}
	},
	func(_, s *negotiation.Config, _ *session.Session) {
		s.FindKey = func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
			return nil, nil
		}
	},
	func(_, s *negotiation.Config, kept *session.Session) { kept.RawKeys[iana.Client] = true },
	func(_, s *negotiation.Config, kept *session.Session) {
		kept.Chain = [][]byte{{1}}
		s.ClientAuth.Request = true
	},
	func(c, _ *negotiation.Config, _ *session.Session) { c.Offer.Version = iana.TLS13 },
	func(c, _ *negotiation.Config, _ *session.Session) {
		c.Keep = func(*Session) {}
		c.Offer.Extra = [][]byte{make([]byte, session.MaxSessionSize)}
	},
	func(_, s *negotiation.Config, _ *session.Session) { // a program's callback, and no store
		refuses := func(context.Context, []byte) (*Session, error) {
			return nil, alert.Refused(alert.InternalError, "the program", errStore)
		}
		s.Find, s.Open = refuses, refuses
	},
	func(c, _ *negotiation.Config, _ *session.Session) { c.Offer.RawKeys[iana.Server] = true },
}

// substitute changes a list of suites.
func substitute(ids []iana.CipherSuite, what byte, at int, to byte) []iana.CipherSuite {
	ids = slices.Clone(ids)
	switch what % 16 {
	case 10:
		ids[at%len(ids)] = iana.CipherSuite(to)
	case 11:
		return append(ids, ecdheECDSA, rsaRSA)
	case 12:
		slices.Reverse(ids)
	}
	return ids
}
