package record

import (
	"bytes"
	"crypto/cipher"
	stdhmac "crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// counted reports how many cases of a file ran, and fails if none did.
func counted(t *testing.T, file string, ran, skipped int, why string) {
	t.Helper()
	if ran == 0 {
		t.Fatalf("%s: no case ran", file)
	}
	t.Logf("%s: %d cases ran, %d skipped %s", file, ran, skipped, why)
}

// aeadCase is one case of ACVP or Wycheproof. nil out means that it must not open.
type aeadCase struct {
	name                 string
	key, iv, aad, sealed []byte
	plain                []byte
	valid                bool
}

func (c aeadCase) run(t *testing.T, a cipher.AEAD) {
	t.Helper()
	got, err := a.Open(nil, c.iv, c.sealed, c.aad)
	if (err == nil) != c.valid || c.valid && !bytes.Equal(got, c.plain) {
		t.Errorf("%s: Open gave %x, %v, expected valid %v", c.name, got, err, c.valid)
	}
	inPlace := bytes.Clone(c.sealed)
	if got, err := a.Open(inPlace[:0], c.iv, inPlace, c.aad); (err == nil) != c.valid ||
		c.valid && !bytes.Equal(got, c.plain) {
		t.Errorf("%s: Open in place gave %x, %v, expected valid %v", c.name, got, err, c.valid)
	}
	if !c.valid && len(c.sealed) > a.Overhead() &&
		slices.Max(inPlace[:len(c.sealed)-a.Overhead()]) != 0 {
		t.Errorf("%s: what did not authenticate was left in the buffer", c.name)
	}
	if c.valid {
		if got := a.Seal([]byte("x"), c.iv, c.plain, c.aad); !bytes.Equal(got[1:], c.sealed) {
			t.Errorf("%s: Seal gave %x, expected %x", c.name, got[1:], c.sealed)
		}
	}
}

// maker gives the AEAD for a case, or nil if TLS has no use for one with such sizes (in bytes).
type maker func(key []byte, nonce, tag int) cipher.AEAD

func rowMaker(t *testing.T, rows ...*Cipher) maker {
	return func(key []byte, nonce, tag int) cipher.AEAD {
		for _, c := range rows {
			if nonce == nonceLen && tag == c.TagLen && len(key) == c.KeyLen {
				a, err := c.aead(key)
				if err != nil {
					t.Fatal(err)
				}
				return a
			}
		}
		return nil
	}
}

// makeCCM takes all nonces and tags that CCM defines, RFC 3610 §2; TLS uses two of the pairs.
func makeCCM(key []byte, nonce, tag int) cipher.AEAD {
	if nonce < 7 || nonce > 13 || tag < 4 || tag > 16 || tag%2 != 0 {
		return nil
	}
	a, err := newCCM(key, nonce, tag)
	if err != nil {
		return nil
	}
	return a
}

func TestAEADsMatchWycheproof(t *testing.T) {
	for file, make := range map[string]maker{
		"aes_ccm_test.json":           makeCCM,
		"aes_gcm_test.json":           rowMaker(t, AES_128_GCM, AES_256_GCM),
		"chacha20_poly1305_test.json": rowMaker(t, CHACHA20_POLY1305),
	} {
		var f struct {
			TestGroups []struct {
				IVSize, TagSize int
				Tests           []struct {
					TcID                       int
					Key, IV, AAD, Msg, CT, Tag testkit.Hex
					Result                     string
				}
			}
		}
		testkit.JSON(t, "wycheproof/"+file, &f)
		ran, skipped := 0, 0
		for _, g := range f.TestGroups {
			for _, c := range g.Tests {
				a := make(c.Key, g.IVSize/8, g.TagSize/8)
				if a == nil || g.TagSize%8 != 0 {
					skipped++
					continue
				}
				ran++
				sealed := append(bytes.Clone(c.CT), c.Tag...)
				aeadCase{fmt.Sprintf("%s %d", file, c.TcID), c.Key, c.IV, c.AAD, sealed, c.Msg,
					c.Result == "valid"}.run(t, a)
			}
		}
		counted(t, file, ran, skipped,
			"(sizes of key, nonce or tag that TLS or the mode does not have)")
	}
}

func TestAEADsMatchACVP(t *testing.T) {
	for file, make := range map[string]maker{
		"boringssl-ACVP-AES-CCM.json": makeCCM,
		"boringssl-ACVP-AES-GCM.json": rowMaker(t, AES_128_GCM, AES_256_GCM),
	} {
		type half struct {
			Key, IV, AAD, PT, CT, Tag testkit.Hex
			TestPassed                *bool
		}
		var f struct {
			Sets []struct {
				TestGroups []struct {
					Direction     string
					IVLen, TagLen int
					Tests         []struct {
						half
						TcID     int
						Expected half
					}
				}
			}
		}
		testkit.JSON(t, "acvp/"+file, &f)
		ran, skipped := 0, 0
		for _, s := range f.Sets {
			for _, g := range s.TestGroups {
				for _, c := range g.Tests {
					a := make(c.Key, g.IVLen/8, g.TagLen/8)
					if a == nil {
						skipped++
						continue
					}
					ran++
					in, out := c.half, c.Expected
					if g.Direction == "encrypt" {
						in.CT, in.Tag, out.PT = out.CT, out.Tag, in.PT
					}
					valid := out.TestPassed == nil || *out.TestPassed
					sealed := append(bytes.Clone(in.CT), in.Tag...)
					aeadCase{fmt.Sprintf("%s %d", file, c.TcID), in.Key, in.IV, in.AAD, sealed,
						out.PT, valid}.run(t, a)
				}
			}
		}
		counted(t, file, ran, skipped,
			"(sizes of key, nonce or tag that TLS or the mode does not have)")
	}
}

func TestHMACMatchesWycheproof(t *testing.T) {
	for file, m := range map[string]*MAC{
		"hmac_sha1_test.json": HMAC_SHA1, "hmac_sha256_test.json": HMAC_SHA256,
		"hmac_sha384_test.json": HMAC_SHA384,
	} {
		var f struct {
			TestGroups []struct {
				Tests []struct {
					TcID          int
					Key, Msg, Tag testkit.Hex
					Result        string
				}
			}
		}
		testkit.JSON(t, "wycheproof/"+file, &f)
		ran, skipped := 0, 0
		for _, g := range f.TestGroups {
			for _, c := range g.Tests {
				if len(c.Key) > m.blockSize {
					skipped++
					continue
				}
				ran++
				x, err := newHMAC(m, c.Key)
				if err != nil {
					t.Fatal(err)
				}
				split := len(c.Msg) / 3
				got := x.sum(nil, c.Msg[:split], c.Msg[split:])[:len(c.Tag)]
				if bytes.Equal(got, c.Tag) != (c.Result == "valid") {
					t.Errorf("%s %d: got %x, expected %s %x", file, c.TcID, got, c.Result, c.Tag)
				}
			}
		}
		counted(t, file, ran, skipped, "(keys longer than a block, which key_block never has)")
	}
}

// field reads a hex field of a Botan case.
func field(t *testing.T, b testkit.Block, name string) []byte {
	return testkit.Unhex(t, b.Fields[name])
}

// prefixOf splits Botan's AssociatedData.
func prefixOf(b []byte) (seq uint64, h Header) {
	return binary.BigEndian.Uint64(b),
		Header{Type: iana.ContentType(b[8]), Version: iana.Version(binary.BigEndian.Uint16(b[9:]))}
}

func TestNullRecordsMatchBotan(t *testing.T) {
	macs := map[string]*MAC{"SHA-1": HMAC_SHA1, "SHA-256": HMAC_SHA256, "SHA-384": HMAC_SHA384}
	ran, skipped := 0, 0
	for _, b := range testkit.Blocks(t, "botan/tls_null.vec") {
		ad := field(t, b, "AssociatedData")
		plain := field(t, b, "Message")
		if len(ad) != len(prefix{}) {
			skipped++ // an API check: ours makes the additional data itself
			continue
		}
		// The vectors' associated data are no header: its last bytes are not the message's length.
		// So this goes below Protection.
		x, err := newHMAC(macs[b.Fields["Hash"]], field(t, b, "Key"))
		if err != nil {
			t.Fatal(err)
		}
		ran++
		got := x.sum(bytes.Clone(plain), ad, plain)
		if equal := bytes.Equal(got,
			field(t, b, "Fragment")); equal == (b.Section == "InvalidMAC") {
			t.Errorf("line %d (%s): got %x", b.Line, b.Section, got)
		}
	}
	counted(t, "tls_null.vec", ran, skipped, "(associated data of another length)")
}

func TestCBCRecordsMatchBotan(t *testing.T) {
	ciphers := map[string]*Cipher{"AES-128": AES_128_CBC, "AES-256": AES_256_CBC,
		"TripleDES": DES_EDE3_CBC, "3DES": DES_EDE3_CBC}
	macs := map[string]*MAC{"HMAC(SHA-1)": HMAC_SHA1, "HMAC(SHA-256)": HMAC_SHA256,
		"HMAC(SHA-384)": HMAC_SHA384}
	ran := 0
	for _, b := range testkit.Blocks(t, "botan/tls_cbc_kat.vec") {
		c, m := ciphers[b.Fields["BlockCipher"]], macs[b.Fields["MAC"]]
		key, iv := field(t, b, "Key"), field(t, b, "Nonce")
		p, err := New(c, m, Params{
			Version: iana.TLS12, EncryptThenMAC: b.Fields["EncryptThenMAC"] == "true",
			Rand: bytes.NewReader(iv),
			Keys: Keys{MAC: key[:m.Len], Key: key[m.Len:]},
		})
		if err != nil {
			t.Fatalf("line %d: %v", b.Line, err)
		}
		ran++
		// Half of the cases are DTLS: there epoch and number take the place of seq_num, and the
		// rest is the same.
		seq, h := prefixOf(field(t, b, "AssociatedData"))
		plain, fragment := field(t, b, "Plaintext"), append(iv, field(t, b, "Ciphertext")...)
		record, err := p.Seal(nil, seq, h, plain)
		if err != nil || !bytes.Equal(record[HeaderLen:], fragment) {
			t.Errorf("line %d: Seal gave %x, %v, expected %x", b.Line, record[HeaderLen:], err,
				fragment)
		}
		if got, err := p.Open(seq, h, fragment); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("line %d: Open gave %x, %v, expected %x", b.Line, got, err, plain)
		}
	}
	counted(t, "tls_cbc_kat.vec", ran, 0, "")
}

func TestCBCPaddingMatchesBotan(t *testing.T) {
	ran := 0
	for _, b := range testkit.Blocks(t, "botan/tls_cbc_padding.vec") {
		body := field(t, b, "Record")
		want, err := strconv.Atoi(b.Fields["Output"])
		if err != nil {
			t.Fatal(err)
		}
		ran++
		n, good := unpad(body, 0)
		if good != min(1, want) || good == 1 && len(body)-n != want {
			t.Errorf("line %d: got good %d and %d bytes of padding, expected %d", b.Line, good,
				len(body)-n, want)
		}
	}
	counted(t, "tls_cbc_padding.vec", ran, 0, "")
}

// zeroHash is a hash of n bytes whose digests and states are zeros. Botan's tls_cbc.vec uses a
// cipher that does nothing and a MAC of zeros.
type zeroHash int

func (z zeroHash) Write(p []byte) (int, error) { return len(p), nil }
func (z zeroHash) Sum(b []byte) []byte         { return append(b, make([]byte, z)...) }
func (z zeroHash) Reset()                      {}
func (z zeroHash) Size() int                   { return int(z) }
func (z zeroHash) BlockSize() int              { return 64 }
func (z zeroHash) AppendBinary(b []byte) ([]byte, error) {
	return append(b, make([]byte, 4+z)...), nil
}
func (z zeroHash) UnmarshalBinary([]byte) error { return nil }

type noCipher int

func (n noCipher) BlockSize() int          { return int(n) }
func (n noCipher) Encrypt(dst, src []byte) { copy(dst, src[:n]) }
func (n noCipher) Decrypt(dst, src []byte) { copy(dst, src[:n]) }

func TestCBCChecksMatchBotan(t *testing.T) {
	ran := 0
	for _, b := range testkit.Blocks(t, "botan/tls_cbc.vec") {
		size, _ := strconv.Atoi(b.Fields["MACsize"])
		block, _ := strconv.Atoi(b.Fields["Blocksize"])
		c := &Cipher{Name: "no", BlockSize: block,
			block: func([]byte) (cipher.Block, error) { return noCipher(block), nil }}
		m := &MAC{"zero", size, 64, 8, func() hash.Hash { return zeroHash(size) }}
		p, err := New(c, m, Params{Version: iana.TLS12, Keys: Keys{MAC: make([]byte, size)}})
		if err != nil {
			t.Fatal(err)
		}
		// Record is the ciphertext: a block that is not encrypted is still XORed with the one
		// before it. The IV is zeros.
		fragment := append(make([]byte, block), field(t, b, "Record")...)
		ran++
		if _, err := p.Open(0, Header{}, fragment); (err == nil) != (b.Fields["Valid"] == "1") {
			t.Errorf("line %d: got %v, expected valid %s", b.Line, err, b.Fields["Valid"])
		}
	}
	counted(t, "tls_cbc.vec", ran, 0, "")
}

// tls12PRF is P_SHA256, RFC 5246 §5, written here again: this package may not import the one that
// derives keys.
func tls12PRF(secret []byte, label string, seed []byte, n int) []byte {
	mac := func(parts ...[]byte) []byte {
		h := stdhmac.New(sha256.New, secret)
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	seed = append([]byte(label), seed...)
	var out []byte
	for a := mac(seed); len(out) < n; a = mac(a) {
		out = append(out, mac(a, seed)...)
	}
	return out[:n]
}

func TestRecordsOfTheIllustratedConnectionOpen(t *testing.T) {
	const dir = "illustrated-tls12/"
	log := strings.Fields(string(testkit.Vectors(t, dir+"keylog.txt")))
	clientRandom, master := testkit.Unhex(t, log[1]), testkit.Unhex(t, log[2])
	serverRandom := testkit.Vectors(t, dir+"serverhello")[HeaderLen+4+2:][:32]
	// TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA has the PRF of SHA-256 in TLS 1.2.
	block := tls12PRF(master, "key expansion", append(bytes.Clone(serverRandom), clientRandom...),
		2*(20+16))
	halves := [2]*Half{{From: iana.Client}, {From: iana.Server}}
	for side, h := range halves {
		p, err := New(AES_128_CBC, HMAC_SHA1, Params{
			Version: iana.TLS12,
			Keys:    Keys{MAC: block[20*side:][:20], Key: block[40+16*side:][:16]},
		})
		if err != nil {
			t.Fatal(err)
		}
		h.Protect(p)
	}
	ran := 0
	for _, c := range []struct {
		from iana.Side
		file string
	}{
		{iana.Client, "clientfinished"}, {iana.Server, "serverfinished"},
		{iana.Client, "clientdata"},
		{iana.Server, "serverdata"}, {iana.Client, "clientalert"},
	} {
		record, want := testkit.Vectors(t, dir+c.file), testkit.Vectors(t, dir+c.file+"plain")
		h, err := ParseHeader(record)
		if err != nil || h.Length != len(record)-HeaderLen {
			t.Fatalf("%s: got %+v, %v", c.file, h, err)
		}
		// The plain files hold the content and, but for the client's Finished, MAC and padding.
		_, got, err := halves[c.from].Open(h, record[HeaderLen:])
		if err != nil || len(got) == 0 || !bytes.HasPrefix(want, got) {
			t.Errorf("%s: got %x, %v, expected %x", c.file, got, err, want)
		}
		ran++
	}
	counted(t, "illustrated-tls12", ran, 0, "")
}
