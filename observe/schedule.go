package observe

import (
	"bytes"
	"fmt"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
)

// This file has the sources from which a whole derivation follows without a key log: a private key,
// a pre-shared key, or the secret that tickets are derived from.

// Ephemeral completes a Diffie-Hellman exchange with either side's ephemeral private key. Of a
// hybrid group it takes both halves, joined in the group's order: a client's are ML-KEM's seed of
// 64 bytes and the curve's private key; a server has no private key of ML-KEM, but its shared
// secret of 32 bytes. See RFC 10024.
func Ephemeral(private []byte) Source {
	return named("ephemeral private key", func(s *handshake.Score) []Candidate {
		none := []Candidate(nil)
		if s.Agreed.PSK { // it may resume a connection that the key opens
			none = []Candidate{{Reason: &Reason{Code: UnknownResumedSession}}}
		}
		if !s.Agreed.Kex.Ephemeral() {
			return none
		}
		g, err := s.KexGroup()
		if g == nil || err != nil {
			return none
		}
		for _, whose := range []iana.Side{iana.Client, iana.Server} {
			ours, theirs := s.Public(whose), s.Public(whose.Peer())
			if kex.CurveHalf(g, private, ours) {
				return []Candidate{{Reason: half(g, whose)}}
			}
			z := exchanged(g, private, ours, theirs)
			if z == nil {
				continue
			}
			return []Candidate{{Input: protocolOf(s).exchanged(s, z),
				From: fmt.Sprintf("the %v's ephemeral key", whose)}}
		}
		return none
	})
}

// exchanged returns the secret of a group that a private key gives with the peer's share, or nil if
// the key is not that of ours.
func exchanged(g kex.Group, private, ours, theirs []byte) []byte {
	if z, err := kex.Rejoin(g, private, ours, theirs); err == nil {
		return z
	}
	offer, err := g.Restore(private)
	if err != nil || !bytes.Equal(bytes.TrimLeft(offer.Share(), "\x00"),
		bytes.TrimLeft(ours, "\x00")) {
		return nil
	}
	z, err := offer.Finish(theirs)
	if err != nil {
		return nil
	}
	return z
}

// half returns the reason why the curve's half of a hybrid key is not enough.
func half(g kex.Group, whose iana.Side) *Reason {
	with := "ML-KEM's seed of 64 bytes"
	if whose == iana.Server {
		with = "ML-KEM's shared secret of 32 bytes"
	}
	where := "behind"
	if g.ID() == iana.X25519MLKEM768 {
		where = "in front of"
	}
	return &Reason{Code: NoSecret, Needs: []Need{NeedEphemeralKey, NeedKeyLog},
		Detail: fmt.Sprintf("the ephemeral key given is only the curve's half of the %v's key of "+
			"the hybrid group %s: both halves are needed", whose, g.Name()),
		Remedy: fmt.Sprintf("give %s %s it, as one value", with, where)}
}

// ResumptionSecret opens connections of TLS 1.3 that resume one whose resumption_secret (RFC 8446
// calls it resumption_master_secret) is known. The pre-shared key of a ticket depends on a nonce as
// well: it is known if the ticket was read, otherwise the usual ones are tried.
func ResumptionSecret(secret []byte) Source {
	return named("resumption secret", func(s *handshake.Score) []Candidate {
		if !protocolOf(s).epochs() || pskIdentity(s) == nil {
			return nil
		}
		return []Candidate{{Resumption: secret, From: "resumption secret"}}
	})
}
