package keys

import (
	"bytes"
	"fmt"
	"hash"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// MasterLen is the length of every master_secret. See RFC 5246 §8.1.
const MasterLen = 48

// VerifyDataLen is the length of verify_data in TLS 1.0 to 1.2: no suite defines another. See RFC
// 5246 §7.4.9.
const VerifyDataLen = 12

// A step is one use of the PRF: the name of its output in events, the PRF's label, and the section
// that defines it.
type step struct{ name, label, ref string }

var (
	masterSecret         = step{"master_secret", "master secret", "RFC 5246 §8.1"}
	extendedMasterSecret = step{"master_secret", "extended master secret", "RFC 7627 §4"}
	keyExpansion         = step{"key_block", "key expansion", "RFC 5246 §6.3"}
	clientFinished       = step{"client_verify_data", "client finished", "RFC 5246 §7.4.9"}
	serverFinished       = step{"server_verify_data", "server finished", "RFC 5246 §7.4.9"}
)

// ssl30 returns the step of SSL 3.0, which has no labels.
func (s step) ssl30() step {
	s.label = ""
	if s.ref = "RFC 6101 §6.1"; s.name == keyExpansion.name {
		s.ref = "RFC 6101 §6.2.2"
	}
	return s
}

// Randoms are the random values of the two hellos.
type Randoms struct{ Client, Server [32]byte }

// clientFirst returns ClientHello.random + ServerHello.random.
func (r *Randoms) clientFirst() []byte { return append(r.Client[:], r.Server[:]...) }

// serverFirst returns ServerHello.random + ClientHello.random, the order of the key expansion.
func (r *Randoms) serverFirst() []byte { return append(r.Server[:], r.Client[:]...) }

// FiniteFieldPreMaster returns the pre_master_secret for z, the shared value of finite-field
// Diffie-Hellman at the full length of the prime: "Leading bytes of Z that contain all zero bits
// are stripped". The shared value of an elliptic curve keeps its zeros (RFC 8422 §5.10).
//
// The length of the result is a secret that the rest of the derivation reveals by its timing. This
// is the Raccoon attack; it is inherent in the specification, and no code here can prevent it. It
// takes many handshakes with one private key, which is why kex draws a fresh one for each. See RFC
// 5246 §8.1.2.
func FiniteFieldPreMaster(z []byte) []byte { return bytes.TrimLeft(z, "\x00") }

// Master is a master_secret of 48 bytes with the PRF that derives all later keys.
type Master struct {
	prf    PRF
	secret func() []byte // a function, since printing by reflection does not look into one
}

// Master derives the master_secret from a pre_master_secret of any length. See RFC 5246 §8.1.
func (p PRF) Master(pre []byte, r Randoms) Master {
	return p.master(masterSecret, pre, r.clientFirst())
}

// ExtendedMaster derives the master_secret from a pre_master_secret of any length and the hash of
// all handshake messages up to and including ClientKeyExchange. That binds it to one handshake,
// whereas the result of Master is the same in any handshake with the same randoms, as the triple
// handshake attack uses. See RFC 7627 §4.
func (p PRF) ExtendedMaster(pre, sessionHash []byte) Master {
	return p.master(extendedMasterSecret, pre, sessionHash)
}

// Restore returns the Master of a master_secret that was derived before: that of a session, or one
// from a key log. It fails with internal_error if secret is not 48 bytes long. See RFC 5246 §8.1.
func (p PRF) Restore(secret []byte) (Master, error) {
	if len(secret) != MasterLen {
		return Master{},
			alert.Fail(alert.InternalError, masterSecret.ref,
				"got a master_secret of %d bytes, expected %d", len(secret), MasterLen)
	}
	return p.hold(bytes.Clone(secret)), nil
}

func (p PRF) master(s step, pre, seed []byte) Master {
	return p.hold(p.derive(s, pre, seed, MasterLen))
}

func (p PRF) hold(secret []byte) Master { return Master{p, func() []byte { return secret }} }

func (p PRF) derive(s step, secret, seed []byte, n int) []byte {
	if p.Hash == SSL30 {
		s = s.ssl30()
	}
	out := p.expand(secret, s.label, seed, n)
	p.Log.Derived(s.name, "PRF", p.hashName(), s.label, secret, seed, out, s.ref)
	return out
}

// derive applies the PRF, keyed with the master_secret.
func (m Master) derive(s step, seed []byte, n int) []byte {
	return m.prf.derive(s, m.secret(), seed, n)
}

// Bytes returns a copy of the 48 bytes, or nil if m is the zero Master.
func (m Master) Bytes() []byte {
	if m.secret == nil {
		return nil
	}
	return bytes.Clone(m.secret())
}

// Format prints the length and a fingerprint, whatever the verb.
func (m Master) Format(f fmt.State, _ rune) { trace.Print(f, trace.Secret(m.Bytes())) }

// MarshalText returns what Format prints.
func (m Master) MarshalText() ([]byte, error) { return trace.Text(trace.Secret(m.Bytes())) }

// Shape says how many bytes of each kind a suite takes from the key_block for one direction; 0 for
// a part that it does not take. See RFC 5246 §6.3.
type Shape struct{ MAC, Key, IV int }

// Len returns the length in bytes of the key_block, which has both directions.
func (s Shape) Len() int { return 2 * (s.MAC + s.Key + s.IV) }

// Part is one of the six parts of a key_block, with the RFC's name.
type Part struct {
	Name        string // "client_write_MAC_key"
	From        iana.Side
	Offset, Len int // in bytes; Len is 0 for a part that the suite does not take
}

// Parts returns all six in the order of the key_block. See RFC 5246 §6.3.
func (s Shape) Parts() (parts [6]Part) {
	at := 0
	for i, p := range [...]Part{{Name: "_write_MAC_key", Len: s.MAC},
		{Name: "_write_key", Len: s.Key}, {Name: "_write_IV", Len: s.IV}} {
		for _, from := range [...]iana.Side{iana.Client, iana.Server} {
			parts[2*i+int(from)] = Part{from.String() + p.Name, from, at, p.Len}
			at += p.Len
		}
	}
	return parts
}

// Direction holds the keys for what one side sends, named as in the RFC: client_write_key protects
// what the client writes, and is the server's key for reading.
type Direction struct{ MAC, Key, IV []byte }

// Format prints fingerprints, whatever the verb.
func (d Direction) Format(f fmt.State, _ rune) { trace.Print(f, d) }

// MarshalText returns what Format prints.
func (d Direction) MarshalText() ([]byte, error) { return trace.Text(d) }

// Block is the key_block, whole and split. Client and Server are parts of Raw and share its memory.
// See RFC 5246 §6.3.
type Block struct {
	Raw            []byte
	Client, Server Direction
}

// Of returns the keys for what s sends.
func (b Block) Of(s iana.Side) Direction {
	if s == iana.Client {
		return b.Client
	}
	return b.Server
}

// Format prints fingerprints, whatever the verb.
func (b Block) Format(f fmt.State, _ rune) { trace.Print(f, b) }

// MarshalText returns what Format prints.
func (b Block) MarshalText() ([]byte, error) { return trace.Text(b) }

// KeyBlock derives s.Len() bytes and splits them in the RFC's order. See RFC 5246 §6.3.
func (m Master) KeyBlock(s Shape, r Randoms) Block {
	b := Block{Raw: m.derive(keyExpansion, r.serverFirst(), s.Len())}
	rest := b.Raw
	cut := func(n int) (part []byte) {
		part, rest = rest[:n:n], rest[n:]
		return part
	}
	b.Client.MAC, b.Server.MAC = cut(s.MAC), cut(s.MAC)
	b.Client.Key, b.Server.Key = cut(s.Key), cut(s.Key)
	b.Client.IV, b.Server.IV = cut(s.IV), cut(s.IV)
	return b
}

// VerifyData returns the 12 bytes by which from proves, in its Finished, that it saw the handshake
// with this transcript hash: the PRF's hash in TLS 1.2, MD5 followed by SHA-1 before. Compare it in
// constant time. See RFC 5246 §7.4.9.
func (m Master) VerifyData(from iana.Side, transcriptHash []byte) []byte {
	s := clientFinished
	if from == iana.Server {
		s = serverFinished
	}
	return m.derive(s, transcriptHash, VerifyDataLen)
}

// VerifyData30 returns the 36 bytes of a Finished of SSL 3.0, MD5's and SHA-1's. Both hashes have
// consumed the transcript, and are changed. See RFC 6101 §5.6.9.
func (m Master) VerifyData30(from iana.Side, md5, sha hash.Hash) []byte {
	sender := "CLNT"
	if from == iana.Server {
		sender = "SRVR"
	}
	var out []byte
	for _, h := range []struct {
		hash.Hash
		pads int
	}{{md5, 48}, {sha, 40}} {
		h.Write([]byte(sender))
		h.Write(m.secret())
		h.Write(bytes.Repeat([]byte{0x36}, h.pads))
		inner := h.Sum(nil)
		h.Reset()
		h.Write(m.secret())
		h.Write(bytes.Repeat([]byte{0x5c}, h.pads))
		h.Write(inner)
		out = h.Sum(out)
	}
	m.prf.Log.Derived(from.String()+"_verify_data", "MD5 and SHA-1", m.prf.hashName(), "",
		m.secret(), []byte(sender), out, "RFC 6101 §5.6.9")
	return out
}
