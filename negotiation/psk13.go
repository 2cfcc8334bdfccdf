package negotiation

import (
	"context"
	"crypto"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// The pre-shared keys of TLS 1.3: those of tickets, external ones, and those that are imported from
// external ones. See RFC 8446 §4.2.11 and RFC 9258.

// Key13 is one pre-shared key as it appears in pre_shared_key.
type Key13 struct {
	kind     keys.PSKKind
	Identity []byte      // as it is sent
	Name     []byte      // the program's identity; nil for a ticket
	Hash     crypto.Hash // of the suites that may use it
	secret   []byte
	Session  *session.Session // of a ticket

	Early *keys.Early // since the first binder
}

// Binder returns the PskBinderEntry for the hash of the transcript up to the identities. The Early
// Secret is derived once, although a second hello has another binder.
func (k *Key13) Binder(log *trace.Log, toIdentities []byte) []byte {
	if k.Early == nil {
		early := keys.HKDF{Hash: k.Hash, Log: log}.Early(k.secret)
		k.Early = &early
	}
	return k.Early.Binder(k.kind).VerifyData(toIdentities)
}

// OfTicket returns the key of a session.
func OfTicket(s *session.Session) *Key13 {
	return &Key13{kind: keys.ResumptionPSK, Identity: s.Ticket, Hash: suite.ByID13(s.Suite).PRF,
		secret: s.Master, Session: s}
}

// What describes the key in events.
func (k *Key13) What() string {
	switch {
	case k == nil:
		return "a pre-shared key"
	case k.kind == keys.ExternalPSK:
		return "an external pre-shared key"
	case k.kind == keys.ImportedPSK:
		return "an imported pre-shared key"
	}
	return "a ticket"
}

// kdfs are the KDFs that keys are imported for, by their hash. See RFC 9258 §9.
var kdfs = map[crypto.Hash]iana.KDF{
	crypto.SHA256: iana.HKDFSHA256,
	crypto.SHA384: iana.HKDFSHA384,
}

// imported returns the key that is imported from k for a hash, with the identity that is sent for
// it. See RFC 9258 §5.1.
func (k *PSK) imported(name []byte, target crypto.Hash, log *trace.Log) (*Key13, error) {
	identity, err := (&message.ImportedIdentity{External: name, Context: k.Context,
		Protocol: iana.TLS13, KDF: kdfs[target]}).Encode()
	if err != nil {
		return nil, err
	}
	return &Key13{kind: keys.ImportedPSK, Identity: identity, Name: name, Hash: target,
		secret: keys.HKDF{Hash: k.hash(), Log: log}.Import(k.Key, identity, target)}, nil
}

// hashes returns the hashes of the suites, in their order, each once.
func hashes(suites []iana.CipherSuite) (all []crypto.Hash) {
	for _, id := range suites {
		if s := suite.ByID13(id); s != nil && !slices.Contains(all, s.PRF) {
			all = append(all, s.PRF)
		}
	}
	return all
}

// Offers returns the keys that a client offers for k: k itself, or an imported key for each hash.
// It returns nil if no suite has the hash of k, or if the identity is not allowed in TLS 1.3.
func (k *PSK) Offers(suites []iana.CipherSuite, log *trace.Log) ([]*Key13, error) {
	if err := k.Check(); err != nil {
		return nil, err
	}
	var why string
	switch all := hashes(suites); {
	case len(k.Identity) == 0:
		why = "its identity is empty"
	case k.Import:
		var offered []*Key13
		for _, h := range all {
			imported, err := k.imported(k.Identity, h, log)
			if err != nil {
				return nil, err
			}
			offered = append(offered, imported)
		}
		return offered, nil
	case !slices.Contains(all, k.hash()):
		why = "no suite that we offer has its hash"
	default:
		return []*Key13{{kind: keys.ExternalPSK, Identity: k.Identity, Name: k.Identity,
			Hash: k.hash(), secret: k.Key}}, nil
	}
	log.Choice("psk", "an external pre-shared key", "none offered", why, "RFC 8446 §4.2.11")
	return nil, nil
}

// External calls the program for the key of an identity that is not a ticket's, or of a session
// that began with that identity. It returns nil if there is no such key, or only one for another
// use: a key for import is never used directly, and only with its own context. See RFC 9258 §5.1.
func (c *Config) External(ctx context.Context, identity []byte) (*Key13, error) {
	if c.FindKey == nil {
		return nil, nil
	}
	if i, err := message.ParseImportedIdentity(identity); err == nil && i.Protocol == iana.TLS13 {
		k, err := c.FindKey(ctx, KeyRequest{Version: iana.TLS13, Identity: i.External,
			Imported: true, Context: i.Context})
		if err != nil {
			return nil, err
		}
		for hash, kdf := range kdfs {
			if k != nil && k.Import && string(k.Context) == string(i.Context) && kdf == i.KDF {
				if err := k.Check(); err != nil {
					return nil, err
				}
				return k.imported(i.External, hash, c.Log)
			}
		}
	}
	k, err := c.FindKey(ctx, KeyRequest{Version: iana.TLS13, Identity: identity})
	if k == nil || err != nil || k.Import {
		return nil, err
	}
	return &Key13{kind: keys.ExternalPSK, Identity: identity, Name: identity, Hash: k.hash(),
		secret: k.Key}, k.Check()
}
