package record

import (
	"bytes"
	"crypto/cipher"
	"crypto/des"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha1"
	"hash"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
)

// sender seals records as the peers in old captures did. It is written from the RFCs and shares no
// code with what is tested.
type sender struct {
	mac    func() hash.Hash
	pads   int // of SSL 3.0's MAC
	key    []byte
	stream cipher.Stream
	chain  cipher.BlockMode
	seq    uint64
}

// seal gives a fragment: content || MAC || padding, encrypted. See RFC 6101 §5.2.3.
func (s *sender) seal(t iana.ContentType, plain []byte) []byte {
	head := []byte{0, 0, 0, 0, 0, 0, 0, byte(s.seq), byte(t), byte(len(plain) >> 8),
		byte(len(plain))}
	s.seq++
	inner := s.mac()
	inner.Write(slices.Concat(s.key, bytes.Repeat([]byte{0x36}, s.pads), head, plain))
	outer := s.mac()
	outer.Write(slices.Concat(s.key, bytes.Repeat([]byte{0x5c}, s.pads), inner.Sum(nil)))
	out := outer.Sum(bytes.Clone(plain))
	switch {
	case s.stream != nil:
		s.stream.XORKeyStream(out, out)
	case s.chain != nil:
		n := s.chain.BlockSize() - len(out)%s.chain.BlockSize()
		out = append(out, bytes.Repeat([]byte{0xA5}, n-1)...) // anything
		out = append(out, byte(n-1))
		s.chain.CryptBlocks(out, out)
	}
	return out
}

func TestOldRecordsOpenAndAlteredOnesDoNot(t *testing.T) {
	macKey, key, iv := bytes.Repeat([]byte{1}, 20), bytes.Repeat([]byte{2}, 24),
		bytes.Repeat([]byte{3}, 8)
	n := 0
	for _, c := range []struct {
		cipher *Cipher
		mac    *MAC
	}{{RC4_128, HMAC_MD5}, {RC4_128, HMAC_SHA1}, {DES_EDE3_CBC, HMAC_SHA1}, {DES_CBC, HMAC_SHA1},
		{NULL, HMAC_MD5}} {
		for _, altered := range []bool{false, true} {
			n++
			s := &sender{mac: sha1.New, pads: 40, key: macKey}
			if c.mac == HMAC_MD5 {
				s.mac, s.pads, s.key = md5.New, 48, macKey[:16]
			}
			keys := Keys{MAC: s.key, Key: key[:c.cipher.KeyLen]}
			switch c.cipher {
			case RC4_128:
				s.stream, _ = rc4.NewCipher(keys.Key)
			case DES_CBC:
				b, _ := des.NewCipher(keys.Key)
				s.chain, keys.IV = cipher.NewCBCEncrypter(b, iv), iv
			case DES_EDE3_CBC:
				b, _ := des.NewTripleDESCipher(keys.Key)
				s.chain, keys.IV = cipher.NewCBCEncrypter(b, iv), iv
			}
			p, err := NewReader(c.cipher, c.mac, Params{Version: iana.SSL30, Keys: keys})
			if err != nil {
				t.Fatal(err)
			}
			h := Half{}
			h.Protect(p)
			for i, plain := range []string{"one", "",
				"three, which is a little longer than the others"} {
				fragment := s.seal(iana.RecordApplicationData, []byte(plain))
				if altered {
					fragment[0] ^= 1
				}
				_, got, err := h.Open(Header{iana.RecordApplicationData, iana.SSL30, len(fragment)},
					fragment)
				if altered && err == nil || !altered && (err != nil || string(got) != plain) {
					t.Errorf("%s, %s, record %d, altered %v: %q, %v", c.cipher.Name, c.mac.Name, i,
						altered, got, err)
				}
				if altered {
					break
				}
			}
			if _, err := p.Seal(nil, 0, Header{}, nil); err == nil {
				t.Errorf("%s seals", c.cipher.Name)
			}
		}
	}
	t.Logf("%d directions", n)
}

// After a lost record the next one opens: RC4's keystream and the chain of CBC continue after it.
func TestReadingContinuesAfterALostRecord(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 20)
	stream, _ := rc4.NewCipher(key[:16])
	block, _ := des.NewCipher(key[:8])
	for name, s := range map[string]*sender{
		"RC4": {mac: sha1.New, pads: 40, key: key, stream: stream},
		"CBC": {mac: sha1.New, pads: 40, key: key, chain: cipher.NewCBCEncrypter(block, key[:8])},
	} {
		c, keys := RC4_128, Keys{MAC: key, Key: key[:16]}
		if s.chain != nil {
			c, keys = DES_CBC, Keys{MAC: key, Key: key[:8], IV: key[:8]}
		}
		p, err := NewReader(c, HMAC_SHA1, Params{Version: iana.SSL30, Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		h := Half{}
		h.Protect(p)
		lost := s.seal(iana.RecordApplicationData,
			[]byte("of this only the last bytes were captured"))
		h.Pass(len(lost), lost[len(lost)-10:])
		next := s.seal(iana.RecordApplicationData, []byte("and here it goes on"))
		_, got, err := h.Open(Header{iana.RecordApplicationData, iana.SSL30, len(next)}, next)
		if err != nil || string(got) != "and here it goes on" || h.SeqNum() != 2 {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// New does not take RC4 for NULL, and a Half refuses to seal with a cipher that is only read.
func TestReadOnlyProtectionsDoNotSeal(t *testing.T) {
	_, err := New(RC4_128, HMAC_SHA1,
		Params{Version: iana.TLS12, Keys: Keys{MAC: make([]byte, 20), Key: make([]byte, 16)}})
	if err == nil {
		t.Error("New makes an RC4 protection")
	}
	if _, err := New(NULL, HMAC_SHA1,
		Params{Version: iana.SSL30, Keys: Keys{MAC: make([]byte, 20)}}); err == nil {
		t.Error("New makes a protection of SSL 3.0")
	}
	des, err := NewReader(DES_CBC, HMAC_SHA1, Params{Version: iana.TLS11,
		Keys: Keys{MAC: make([]byte, 20), Key: make([]byte, 8)}})
	if err != nil {
		t.Fatal(err)
	}
	var h Half
	h.Protect(des)
	for _, typ := range []iana.ContentType{iana.RecordApplicationData, iana.RecordAlert} {
		if got, err := h.Seal(nil, typ, iana.TLS11, []byte{1, 0}); err == nil || len(got) > 0 {
			t.Errorf("a %v record is sealed with DES", typ)
		}
	}
}
