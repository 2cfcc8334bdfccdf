package session

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/keys"
)

// TicketKey is a key that seals tickets. Every ticket contains the key's name, so that a server
// with several keys finds the right one.
type TicketKey struct {
	Name   [16]byte
	Secret [32]byte
}

// NewTicketKey returns the TicketKey for a secret of 32 bytes that several servers share. Its name
// is derived from the secret.
func NewTicketKey(shared [32]byte) TicketKey {
	return TicketKey{Name: [16]byte(derive(shared[:], nil, "vitrine ticket key name", 16)),
		Secret: shared}
}

// TicketKeys provides the ticket keys: the first one seals, and all of them open. Keys may be slow:
// each call has the same time limit as a call of a Store. Without a key, or after an error, clients
// get no ticket.
type TicketKeys interface {
	Keys(context.Context) ([]TicketKey, error)
}

// FixedKeys are keys that the program rotates itself.
type FixedKeys []TicketKey

// Keys returns k unchanged.
func (k FixedKeys) Keys(context.Context) ([]TicketKey, error) { return k, nil }

// rotation is how long a key of RotatingKeys seals new tickets. The key is kept for as long again
// as sessions live, so that it opens every ticket whose session may still be resumed.
const rotation = 6 * time.Hour

// RotatingKeys makes a new key every six hours and deletes those that are too old to open a ticket
// that could still be resumed. Deleting them is what makes the connections of those tickets forward
// secret. The zero value is not usable; call NewRotatingKeys.
type RotatingKeys struct {
	mu   sync.Mutex
	rand io.Reader
	now  func() time.Time
	life time.Duration // of sessions
	keys []datedKey    // newest first
}

type datedKey struct {
	TicketKey
	made time.Time
}

// NewRotatingKeys returns a RotatingKeys that reads its keys from rand.
func NewRotatingKeys(rand io.Reader, now func() time.Time) *RotatingKeys {
	return &RotatingKeys{rand: rand, now: now, life: MaxSessionAge}
}

// KeepFor sets how long sessions live whose tickets the keys must open: at least MaxSessionAge,
// which is what NewRotatingKeys sets, and at most MaxSessionAge13. The tickets of TLS 1.2, whose
// connections can be read with the key, are then kept readable for as long.
func (r *RotatingKeys) KeepFor(life time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.life = min(max(life, MaxSessionAge), MaxSessionAge13)
}

// Keys returns the current keys, newest first, and makes a new one if the newest is too old to
// seal.
func (r *RotatingKeys) Keys(context.Context) ([]TicketKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if len(r.keys) == 0 || now.Sub(r.keys[0].made) >= rotation {
		var secret [32]byte
		if _, err := io.ReadFull(r.rand, secret[:]); err != nil {
			return nil, fmt.Errorf("session: drawing a ticket key: %w", err)
		}
		r.keys = slices.Insert(r.keys, 0, datedKey{NewTicketKey(secret), now})
	}
	r.keys = slices.DeleteFunc(r.keys,
		func(k datedKey) bool { return now.Sub(k.made) >= rotation+r.life })
	alive := make([]TicketKey, len(r.keys))
	for i, k := range r.keys {
		alive[i] = k.TicketKey
	}
	return alive, nil
}

// A ticket is key_name (16), format (1), salt (32), and the session sealed by AES-256-GCM under a
// key that HKDF derives from the ticket key and the salt. Each key seals once, so its nonce may be
// zero. See RFC 5077 §4 for a format that this improves on.
const (
	ticketFormat = 1
	saltLen      = 32
	ticketHeader = 16 + 1 + saltLen
)

// SealTicket returns a ticket that contains the session s, sealed under k. It returns an error if
// the ticket would be longer than 2^16-1 bytes.
func SealTicket(rand io.Reader, k TicketKey, s *Session) ([]byte, error) {
	plain, err := s.Encode()
	if err != nil {
		return nil, err
	}
	ticket := append(k.Name[:], ticketFormat)
	ticket = append(ticket, make([]byte, saltLen)...)
	salt := ticket[17:ticketHeader]
	if _, err := io.ReadFull(rand, salt); err != nil {
		return nil, err
	}
	ticket = ticketCipher(k, salt).Seal(ticket, make([]byte, 12), plain, ticket)
	if len(ticket) >= 1<<16 {
		return nil, errors.New("session: the client's certificates are too long for a ticket")
	}
	return ticket, nil
}

// OpenTicket returns the session in a ticket, or nil if the ticket is malformed or was sealed by
// none of the keys. The handshake is then a full one.
func OpenTicket(keys []TicketKey, ticket []byte) *Session {
	if len(ticket) < ticketHeader || ticket[16] != ticketFormat {
		return nil
	}
	for _, k := range keys {
		if k.Name != [16]byte(ticket[:16]) {
			continue
		}
		plain, err := ticketCipher(k, ticket[17:ticketHeader]).Open(nil, make([]byte, 12),
			ticket[ticketHeader:], ticket[:ticketHeader])
		if err != nil {
			return nil
		}
		if s, err := DecodeSession(plain); err == nil {
			return s
		}
	}
	return nil
}

func ticketCipher(k TicketKey, salt []byte) cipher.AEAD {
	block, err := aes.NewCipher(derive(k.Secret[:], salt, "vitrine ticket", 32))
	if err != nil {
		panic(err) // 32 bytes are an AES-256 key
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the block size that GCM wants
	}
	return aead
}

func derive(secret, salt []byte, info string, n int) []byte {
	return keys.HKDF{Hash: crypto.SHA256}.Key(secret, salt, info, n)
}
