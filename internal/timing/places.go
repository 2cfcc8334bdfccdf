package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"math/big"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/session"
)

// variants is how many inputs a class has, so that no one of them makes the difference.
const variants = 64

func places() (all []*place, err error) {
	for _, m := range []struct {
		mac  *record.MAC
		hash crypto.Hash
	}{{record.HMAC_SHA1, crypto.SHA1}, {record.HMAC_SHA256, crypto.SHA256},
		{record.HMAC_SHA384, crypto.SHA384}} {
		p, err := cbcPlace(m.mac, m.hash)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	planted := *all[1]
	block := make([]byte, 64)
	planted.name = "planted: one more compression"
	planted.classes = []class{all[1].classes[0], all[1].classes[0]}
	planted.classes[1].name, planted.classes[1].more = "and SHA-256 of 55 bytes",
		func() { sha256.Sum256(block[:55]) }
	all = append(all, &planted)
	for _, make := range []func() (*place, error){finishedPlace, binderPlace, ticketPlace,
		kemPlace, rsaPlace} {
		p, err := make()
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	crand.Read(b)
	return b
}

// repeat returns a class of inputs that f makes.
func repeat(name string, f func() []byte) class {
	c := class{name: name}
	for range variants {
		c.inputs = append(c.inputs, f())
	}
	return c
}

// cbcPlace opens records of one length whose padding, MAC or both are wrong: MAC-then-encrypt, TLS
// 1.2. See RFC 5246 §6.2.3.2.
func cbcPlace(m *record.MAC, hash crypto.Hash) (*place, error) {
	const body = 512 // content, MAC and padding
	macKey, key := random(m.Len), random(16)
	p, err := record.New(record.AES_128_CBC, m, record.Params{Version: iana.TLS12,
		Keys: record.Keys{MAC: macKey, Key: key}})
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	header := record.Header{Type: iana.RecordApplicationData, Version: iana.TLS12,
		Length: aes.BlockSize + body}
	seal := func(padding int, spoil func(mac, padding []byte)) []byte {
		n := body - padding - 1 - m.Len
		content := random(n)
		h := hmac.New(hash.New, macKey)
		prefix := binary.BigEndian.AppendUint64(nil, 0)
		prefix = append(prefix, byte(header.Type), 3, 3, byte(n>>8), byte(n))
		h.Write(prefix)
		h.Write(content)
		plain := h.Sum(content)
		plain = append(plain, bytes.Repeat([]byte{byte(padding)}, padding+1)...)
		spoil(plain[n:n+m.Len], plain[n+m.Len:])
		iv := random(aes.BlockSize)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(plain, plain)
		return append(iv, plain...)
	}
	wrongMAC := func(mac, _ []byte) { mac[0] ^= 1 }
	shortest, longest := 15-(m.Len%16), 255-(m.Len%16)
	any := func() int { return int(random(1)[0]) }
	pl := &place{name: "CBC, " + m.Name, run: func(in []byte) { p.Open(0, header, in) }}
	pl.classes = []class{
		repeat("wrong MAC, short padding", func() []byte { return seal(shortest, wrongMAC) }),
		repeat("wrong MAC, long padding", func() []byte { return seal(longest, wrongMAC) }),
		repeat("wrong MAC, padding of any length", func() []byte { return seal(any(), wrongMAC) }),
		repeat("last byte of the MAC wrong", func() []byte {
			return seal(shortest, func(mac, _ []byte) { mac[m.Len-1] ^= 1 })
		}),
		repeat("long padding, its first byte wrong", func() []byte {
			return seal(longest, func(_, padding []byte) { padding[0] ^= 1 })
		}),
		repeat("short padding, its length wrong", func() []byte {
			return seal(shortest, func(_, padding []byte) { padding[len(padding)-1] ^= 0x80 })
		}),
		repeat("random bytes", func() []byte { return random(aes.BlockSize + body) }),
	}
	return pl, nil
}

// wrongAt is a class of copies of good with one byte changed.
func wrongAt(name string, good []byte, at int) class {
	return repeat(name, func() []byte {
		b := slices.Clone(good)
		b[at] ^= 1 << (random(1)[0] % 8)
		return b
	})
}

// compared has the classes of a value of 32 bytes that is computed and compared.
func compared(name string, want func() []byte) *place {
	good := want()
	return &place{name: name,
		run: func(in []byte) { subtle.ConstantTimeCompare(in, want()) },
		classes: []class{wrongAt("first byte wrong", good, 0),
			wrongAt("middle byte wrong", good, 16), wrongAt("last byte wrong", good, 31),
			repeat("right", func() []byte { return good }),
			repeat("random bytes", func() []byte { return random(32) })}}
}

func finishedPlace() (*place, error) {
	hash := random(32)
	traffic := keys.HKDF{Hash: crypto.SHA256}.Early(random(32)).Handshake(random(32)).
		Traffic(iana.Client, hash)
	return compared("Finished, TLS 1.3", func() []byte { return traffic.VerifyData(hash) }), nil
}

func binderPlace() (*place, error) {
	hash := random(32)
	binder := keys.HKDF{Hash: crypto.SHA256}.Early(random(32)).Binder(keys.ResumptionPSK)
	return compared("PSK binder", func() []byte { return binder.VerifyData(hash) }), nil
}

// ticketPlace opens tickets that nobody sealed. Their names are public: that one is unknown may
// show.
func ticketPlace() (*place, error) {
	ring, err := session.NewRotatingKeys(crand.Reader, time.Now).Keys(context.Background())
	if err != nil {
		return nil, err
	}
	good, err := session.SealTicket(crand.Reader, ring[0], &session.Session{
		Version: iana.TLS12, Suite: iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		Master: random(48), Created: time.Now(),
		Bound: random(session.BoundLen)})
	if err != nil {
		return nil, err
	}
	return &place{name: "ticket", run: func(in []byte) { session.OpenTicket(ring, in) },
		classes: []class{wrongAt("last byte wrong", good, len(good)-1),
			wrongAt("first byte of the seal wrong", good, len(good)-16),
			wrongAt("first byte of the session wrong", good, 60),
			repeat("random bytes behind the format", func() []byte {
				return append(slices.Clone(good[:17]), random(len(good)-17)...)
			})}}, nil
}

// kemPlace decapsulates: a ciphertext that is wrong gives another secret, and no error. See FIPS
// 203 §6.3.
func kemPlace() (*place, error) {
	g, _ := kex.Named13(iana.X25519MLKEM768)
	offer, err := g.Offer(crand.Reader)
	if err != nil {
		return nil, err
	}
	answers := func() []byte {
		a, _ := g.Answer(crand.Reader, offer.Share())
		return a.Share
	}
	spoilt := func(at int) func() []byte {
		return func() []byte {
			b := answers()
			b[at] ^= 1
			return b
		}
	}
	return &place{name: "X25519MLKEM768, decapsulation", long: true,
		run: func(in []byte) { offer.Finish(in) },
		classes: []class{repeat("right", answers), repeat("first byte wrong", spoilt(0)),
			repeat("last byte of ML-KEM wrong", spoilt(1087))}}, nil
}

// rsaPlace decrypts pre_master_secrets: nine kinds of ciphertext. See RFC 5246 §7.4.7.1.
func rsaPlace() (*place, error) {
	key, err := rsa.GenerateKey(crand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return &place{name: "RSA decryption", slow: true, long: true, run: func(in []byte) {
		kex.DecryptPreMaster(crand.Reader, key, in, iana.TLS12)
	}, classes: rsaClasses(&key.PublicKey)}, nil
}

// rsaClasses are nine kinds of ciphertext for a key.
func rsaClasses(key *rsa.PublicKey) []class {
	k := key.Size()
	encrypt := func(block []byte) []byte {
		m := new(big.Int).SetBytes(block)
		return m.Exp(m, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, k))
	}
	block := func(first, second byte, secret []byte) []byte {
		b := make([]byte, k)
		for i := range b {
			b[i] = 1 + random(1)[0]%255
		}
		b[0], b[1], b[k-1-len(secret)] = first, second, 0
		copy(b[k-len(secret):], secret)
		return b
	}
	version := func(major, minor byte, n int) []byte {
		return append([]byte{major, minor}, random(n-2)...)
	}
	kind := func(name string, f func() []byte) class {
		return repeat(name, func() []byte { return encrypt(f()) })
	}
	return []class{
		kind("right", func() []byte { return block(0, 2, version(3, 3, 48)) }),
		kind("another version", func() []byte { return block(0, 2, version(3, 1, 48)) }),
		kind("47 bytes", func() []byte { return block(0, 2, version(3, 3, 47)) }),
		kind("49 bytes", func() []byte { return block(0, 2, version(3, 3, 49)) }),
		kind("no secret", func() []byte { return block(0, 2, nil) }),
		kind("block type 1", func() []byte { return block(0, 1, version(3, 3, 48)) }),
		kind("first byte not zero", func() []byte { return block(1, 2, version(3, 3, 48)) }),
		kind("no zero behind the padding", func() []byte {
			b := block(0, 2, nil)
			b[k-1] = 9
			return b
		}),
		kind("a zero in the first eight bytes of padding", func() []byte {
			b := block(0, 2, version(3, 3, 48))
			b[5] = 0
			return b
		}),
	}
}
