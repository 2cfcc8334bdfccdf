package playground

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// ends is what the two ends of all connections of a run have.
type ends struct {
	*plan
	configs [2]negotiation.Config
	server  tls.Certificate // whose key is public
	keys    session.FixedKeys
	kept    *session.Session // the client's
	taken   map[string]bool  // tickets that may still bring early data
}

func newEnds(p *plan) (*ends, error) {
	x := &ends{plan: p, taken: map[string]bool{}}
	known, err := p.identities()
	if err != nil {
		return nil, err
	}
	var key [32]byte
	if _, err := io.ReadFull(p.source("tickets"), key[:]); err != nil {
		return nil, err
	}
	x.keys = session.FixedKeys{session.NewTicketKey(key)}
	for side := range x.configs {
		x.configs[side] = negotiation.Config{
			Rand: p.source(iana.Side(side).String()), Now: throwaway.Epoch,
			Parameters: p.parameters(iana.Side(side)),
			Trust:      negotiation.Trust{Roots: known.roots},
		}
	}
	x.configs[iana.Client].ServerName = Name
	x.resumption()
	x.server = known.server
	if p.ClientCertificate {
		x.configs[iana.Server].ClientAuth = negotiation.ClientAuth{Request: true, Require: true,
			Verify: true}
		if err := x.give(iana.Client, known.client); err != nil {
			return nil, err
		}
	}
	return x, x.give(iana.Server, known.server)
}

// parameters returns what a side offers or accepts.
func (p *plan) parameters(me iana.Side) *negotiation.Parameters {
	q := &negotiation.Parameters{
		MinVersion: p.version, MaxVersion: p.version,
		Groups: p.groups(me), Schemes: schemes, MinDHBits: 2048,
		ExtendedMasterSecret: demand(p.ExtendedMasterSecret),
		EncryptThenMAC:       demand(p.EncryptThenMAC),
		SecureRenegotiation:  negotiation.Required,
		StatusRequest:        negotiation.Off, Timestamps: negotiation.Off,
	}
	q.Suites, q.Suites13 = p.suites()
	if p.Both {
		q.MinVersion, q.MaxVersion = iana.TLS12, iana.TLS13
	}
	if p.OldServer && me == iana.Server {
		q.MaxVersion = iana.TLS12
	}
	return q
}

// schemes lists the signature schemes that both sides accept.
var schemes = []iana.SignatureScheme{
	iana.ECDSA_SECP256R1_SHA256, iana.ED25519, iana.RSA_PSS_RSAE_SHA256, iana.RSA_PSS_PSS_SHA256,
	iana.RSA_PKCS1_SHA256, iana.ECDSA_SECP384R1_SHA384, iana.ED448, iana.ECDSA_SECP521R1_SHA512,
}

// groups returns the groups of a side: the one to use, and the one of the certificate's key. A
// client that is to guess wrong has another one first, whose share it sends.
func (p *plan) groups(me iana.Side) (list []iana.Group) {
	if p.Retry {
		if list = []iana.Group{p.group}; me == iana.Client {
			list = []iana.Group{p.guess(), p.group}
		}
		return list
	}
	if p.group != 0 {
		list = append(list, p.group)
	}
	keys := map[throwaway.Kind]iana.Group{throwaway.ECDSA: iana.Secp256r1,
		throwaway.ECDSAP384: iana.Secp384r1, throwaway.ECDSAP521: iana.Secp521r1}
	if g := keys[p.kind()]; g != 0 && g != p.group { // RFC 8422 §5.1.1
		list = append(list, g)
	}
	return list
}

// guess returns another group than that of the run.
func (p *plan) guess() iana.Group {
	if p.group == iana.X25519 {
		return iana.Secp256r1
	}
	return iana.X25519
}

func demand(on bool) negotiation.Demand {
	if on {
		return negotiation.Required
	}
	return negotiation.Off
}

func (x *ends) give(side iana.Side, c tls.Certificate) error {
	credential, err := pki.FromTLS(&c)
	x.configs[side].Credentials = []*pki.Credential{credential}
	return err
}

// resumption keeps sessions in memory. Nothing in it waits.
func (x *ends) resumption() {
	client, server := &x.configs[iana.Client], &x.configs[iana.Server]
	nonces := x.source("nonces of tickets")
	client.Tickets, server.Tickets, server.Count = x.Resume, x.Resume, 1
	client.Keep = func(s *session.Session) { x.kept = s }
	server.Seal = func(_ context.Context, s *session.Session) ([]byte, error) {
		return session.SealTicket(nonces, x.keys[0], s)
	}
	server.Open = func(_ context.Context, ticket []byte) (*session.Session, error) {
		return session.OpenTicket(x.keys, ticket), nil
	}
	if !x.EarlyData {
		return
	}
	client.Sends, server.Reads, server.MaxEarlyData = true, true, maxData
	server.Announce = func(_ context.Context, ticket []byte) error {
		x.taken[string(ticket)] = true
		return nil
	}
	server.Take = func(_ context.Context, ticket []byte) (bool, error) {
		known := x.taken[string(ticket)]
		if x.Careless != AnyReplay {
			delete(x.taken, string(ticket))
		}
		return known, nil
	}
}

// config returns the configuration of a side for the next connection, which begins a minute after
// the one before it: a server that has just begun accepts no early data.
func (x *ends) config(side iana.Side, connection int, log *trace.Log) *negotiation.Config {
	c := x.configs[side]
	c.Log, c.Now = log, throwaway.Epoch.Add(time.Duration(connection)*time.Minute)
	if side == iana.Client && connection > 0 {
		c.Offer = x.kept
	}
	return &c
}

// throwawayKey writes the private key of the server's certificate to the trace.
func (x *ends) throwawayKey(log *trace.Log) error {
	private, err := throwaway.PKCS8(x.server)
	if err != nil {
		return err
	}
	log.ThrowawayKey(iana.Server, string(x.kind()), private,
		bytes.Clone(x.server.Leaf.RawSubjectPublicKeyInfo))
	return nil
}
