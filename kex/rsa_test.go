package kex

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

type rsaVector struct {
	key     *rsa.PrivateKey
	TcID    int
	Comment string
	Result  string
	Msg, Ct testkit.Hex
}

func wycheproofRSA(t testing.TB, name string) (all []rsaVector) {
	t.Helper()
	var file struct {
		TestGroups []struct {
			PrivateKeyPkcs8 testkit.Hex
			Tests           []rsaVector
		}
	}
	testkit.JSON(t, "wycheproof/"+name+"_test.json", &file)
	for _, g := range file.TestGroups {
		key, err := x509.ParsePKCS8PrivateKey(g.PrivateKeyPkcs8)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range g.Tests {
			v.key = key.(*rsa.PrivateKey)
			all = append(all, v)
		}
	}
	return all
}

func testKey(t testing.TB) *rsa.PrivateKey { return wycheproofRSA(t, "rsa_pkcs1_2048")[0].key }

// raw is the private operation alone.
func raw(key *rsa.PrivateKey, c []byte) []byte {
	return new(big.Int).Exp(new(big.Int).SetBytes(c), key.D,
		key.N).FillBytes(make([]byte, key.Size()))
}

// public is the public operation alone: what a client could send that does not keep to RFC 8017.
func public(key *rsa.PrivateKey, m []byte) []byte {
	e := big.NewInt(int64(key.E))
	return new(big.Int).Exp(new(big.Int).SetBytes(m), e, key.N).FillBytes(make([]byte, key.Size()))
}

// Each valid case is encrypted again, with its own padding as the randomness. Then every case, none
// of which holds 48 bytes, is decrypted as a server does, which must hide the failure, and as an
// observer does, which must report it.
func TestRSAAgreesWithWycheproof(t *testing.T) {
	type vectors struct {
		name         string
		cases, valid int
	}
	for _, f := range testkit.Sample(t, "files", 3, []vectors{{"rsa_pkcs1_2048", 67, 42},
		{"rsa_pkcs1_3072", 67, 41}, {"rsa_pkcs1_4096", 67, 41}}) {
		count, valid := 0, 0
		for _, v := range wycheproofRSA(t, f.name) {
			count++
			if v.Result == "valid" {
				valid++
				em := raw(v.key, v.Ct)
				ps := em[2 : len(em)-len(v.Msg)-1]
				got, err := encrypt(bytes.NewReader(ps), &v.key.PublicKey, v.Msg)
				if err != nil || !bytes.Equal(got, v.Ct) {
					t.Errorf("%s %d (%s): encrypted to %x, %v", f.name, v.TcID, v.Comment, got, err)
				}
			}
			pre, err := DecryptPreMaster(testkit.Rand(f.name), v.key, v.Ct, iana.TLS12)
			if err != nil || !bytes.Equal(pre, preDrawn(t, f.name)) {
				t.Errorf("%s %d (%s): the server got %x, %v", f.name, v.TcID, v.Comment, pre, err)
			}
			if pre, err = OpenPreMaster(v.key, v.Ct, iana.TLS12); !errors.Is(err,
				ErrWrongPrivateKey) || pre != nil {
				t.Errorf("%s %d (%s): the observer got %x, %v", f.name, v.TcID, v.Comment, pre, err)
			}
		}
		ran(t, f.name, count, f.cases)
		ran(t, f.name+", encrypted again", valid, f.valid)
	}
}

// preDrawn is what DecryptPreMaster draws before it decrypts.
func preDrawn(t testing.TB, seed string) []byte {
	t.Helper()
	b := make([]byte, preMasterLength)
	if _, err := io.ReadFull(testkit.Rand(seed), b); err != nil {
		t.Fatal(err)
	}
	return b
}

// Botan's cases of the padding alone: pad must reproduce the valid ones byte by byte, and must fail
// where the padding would be too short.
func TestPaddingAgreesWithBotan(t *testing.T) {
	valid := 0
	for _, b := range testkit.Blocks(t, "botan/pk_pad_eme_pkcs1.vec") {
		if b.Section != "valid" || b.Fields["RawCiphertext"] == "" {
			continue
		}
		valid++
		message, want := testkit.Unhex(t, b.Fields["Plaintext"]),
			testkit.Unhex(t, b.Fields["RawCiphertext"])
		got, err := pad(bytes.NewReader(want[2:len(want)-len(message)-1]), message, len(want))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("line %d: got %x, %v, expected %x", b.Line, got, err, want)
		}
	}
	ran(t, "Botan, padded the same", valid, 7)

	short := 0
	invalid, _, _ := strings.Cut(string(testkit.Vectors(t, "botan/pk_pad_eme_pkcs1.vec")),
		"[valid]")
	for line := range strings.Lines(invalid) {
		digits, ok := strings.CutPrefix(line, "RawCiphertext = 0002")
		if !ok {
			continue
		}
		short++
		rest := testkit.Unhex(t, digits)
		ps, message, _ := bytes.Cut(rest, []byte{0})
		if got, err := pad(bytes.NewReader(ps), message,
			2+len(rest)); alert.Of(err) != alert.InternalError || got != nil {
			t.Errorf("%s: padded as %x, %v", line, got, err)
		}
	}
	ran(t, "Botan, padding too short", short, 5)
}

func TestEncryptedPreMasterDecrypts(t *testing.T) {
	key := testKey(t)
	// RFC 5246 §7.4.7.1: the offered one
	for _, v := range []iana.Version{iana.TLS10, iana.TLS12, iana.TLS13} {
		pre, encrypted, err := EncryptPreMaster(testkit.Rand("client"), &key.PublicKey, v)
		if err != nil {
			t.Fatal(err)
		}
		if len(pre) != 48 || len(encrypted) != key.Size() || pre[0] != byte(v>>8) ||
			pre[1] != byte(v) {
			t.Errorf("%v: pre %x, %d bytes encrypted", v, pre, len(encrypted))
		}
		em := raw(key, encrypted)
		if em[0] != 0 || em[1] != 2 || bytes.IndexByte(em[2:], 0) != len(em)-48-3 {
			t.Errorf("%v: padded as %x", v, em)
		}
		got, err := DecryptPreMaster(testkit.Rand("server"), key, encrypted, v)
		if err != nil || !bytes.Equal(got, pre) {
			t.Errorf("%v: the server got %x, %v, expected %x", v, got, err, pre)
		}
		got, err = OpenPreMaster(key, encrypted, v)
		if err != nil || !bytes.Equal(got, pre) {
			t.Errorf("%v: the observer got %x, %v, expected %x", v, got, err, pre)
		}
		again, same, err := EncryptPreMaster(testkit.Rand("client"), &key.PublicKey, v)
		if err != nil || !bytes.Equal(again, pre) || !bytes.Equal(same, encrypted) {
			t.Errorf("%v: one seed, two secrets", v)
		}
	}
}

// A decrypter is a key that returns a given value, if it is asked for a session key of 48 bytes.
type decrypter struct {
	crypto.Decrypter
	plain []byte
	err   error
}

func (d decrypter) Decrypt(io.Reader, []byte, crypto.DecrypterOpts) ([]byte, error) {
	return d.plain, d.err
}

// RFC 5246 §7.4.7.1: whatever is wrong, the result is the random bytes that were drawn before.
func TestDecryptPreMasterHidesFailures(t *testing.T) {
	key := testKey(t)
	good := append([]byte{3, 3}, bytes.Repeat([]byte{0x55}, 46)...)
	size := key.Size()
	em := func(first, second byte, message []byte) []byte {
		b := bytes.Repeat([]byte{0xAA}, size)
		b[0], b[1], b[size-len(message)-1] = first, second, 0
		copy(b[size-len(message):], message)
		return b
	}
	with := func(b []byte, i int, v byte) []byte { b[i] = v; return b }
	sealed := public(key, em(0, 2, good))
	cases := []struct {
		what      string
		key       crypto.Decrypter
		encrypted []byte
		opens     bool
	}{
		{"nothing", key, sealed, true},
		{"the version is another", key, public(key, em(0, 2, append([]byte{3, 1}, good[2:]...))),
			false},
		{"the version's first byte is another", key,
			public(key, em(0, 2, append([]byte{2, 3}, good[2:]...))), false},
		{"47 bytes", key, public(key, em(0, 2, good[:47])), false},
		{"49 bytes", key, public(key, em(0, 2, append(good[:48:48], 1))), false},
		{"no bytes", key, public(key, em(0, 2, nil)), false},
		{"the first byte is 1", key, public(key, em(1, 2, good)), false},
		{"the block type is 1", key, public(key, em(0, 1, good)), false},
		{"a zero in the first 8 bytes of padding", key, public(key, with(em(0, 2, good), 5, 0)),
			false},
		{"a zero in the padding", key, public(key, with(em(0, 2, good), 100, 0)), false},
		{"no zero", key, public(key, bytes.Repeat([]byte{2}, size-1)), false},
		{"the number 0", key, make([]byte, size), false},
		{"the number 1", key, with(make([]byte, size), size-1, 1), false},
		{"the modulus", key, key.N.Bytes(), false},
		{"above the modulus", key, bytes.Repeat([]byte{0xFF}, size), false},
		{"one byte short", key, sealed[1:], false},
		{"one byte long", key, append([]byte{0}, sealed...), false},
		{"no ciphertext", key, nil, false},
		{"another key", wycheproofRSA(t, "rsa_pkcs1_3072")[0].key, sealed, false},
		{"hardware that opens", decrypter{plain: good}, sealed, true},
		{"hardware that fails", decrypter{err: errors.New("no")}, sealed, false},
		{"hardware that fails and opens", decrypter{plain: good, err: errors.New("no")}, sealed,
			false},
		{"hardware that gives 47 bytes", decrypter{plain: good[:47]}, sealed, false},
		{"hardware that gives 49 bytes", decrypter{plain: append(good[:48:48], 0)}, sealed, false},
		{"hardware that gives nothing", decrypter{}, sealed, false},
	}
	for _, c := range cases {
		want := preDrawn(t, c.what)
		if c.opens {
			want = good
		}
		pre, err := DecryptPreMaster(testkit.Rand(c.what), c.key, c.encrypted, iana.TLS12)
		if err != nil || !bytes.Equal(pre, want) {
			t.Errorf("%s: got %x, %v, expected %x", c.what, pre, err, want)
		}
	}
	ran(t, "failures", len(cases), 25)
	if pre, err := DecryptPreMaster(strings.NewReader("too short"), key, sealed,
		iana.TLS12); pre != nil || alert.Of(err) != alert.InternalError {
		t.Errorf("without randomness: got %x, %v", pre, err)
	}
}

func TestOpenPreMasterReportsFailures(t *testing.T) {
	key := testKey(t)
	pre, encrypted, err := EncryptPreMaster(testkit.Rand("client"), &key.PublicKey, iana.TLS10)
	if err != nil {
		t.Fatal(err)
	}
	got, err := OpenPreMaster(key, encrypted, iana.TLS12)
	if alert.Of(err) != alert.DecryptError || !bytes.Equal(got, pre) {
		t.Errorf("another version: got %x, %v", got, err)
	}
	other := wycheproofRSA(t, "rsa_pkcs1_2048")[66].key
	if other.Equal(key) {
		t.Fatal("the vectors have one key only")
	}
	if got, err := OpenPreMaster(other, encrypted, iana.TLS10); got != nil ||
		!errors.Is(err, ErrWrongPrivateKey) {
		t.Errorf("another key: got %x, %v", got, err)
	}
}

func TestBadRSAKeysAreRefused(t *testing.T) {
	n := testKey(t).N
	for _, c := range []struct {
		what  string
		n     *big.Int
		e     int
		alert alert.Description
	}{
		{"471 bits, less than a pre_master_secret and eleven bytes", new(big.Int).Rsh(n, 2048-471),
			65537, alert.InsufficientSecurity},
		{"16385 bits", new(big.Int).SetBit(one, 16384, 1), 65537, alert.InsufficientSecurity},
		{"zero", new(big.Int), 65537, alert.InsufficientSecurity},
		{"an even modulus", new(big.Int).Sub(n, one), 65537, alert.BadCertificate},
		{"exponent 1", n, 1, alert.BadCertificate},
		{"exponent 2", n, 2, alert.BadCertificate},
		{"exponent 0", n, 0, alert.BadCertificate},
		{"exponent -1", n, -1, alert.BadCertificate},
		{"an even exponent", n, 65536, alert.BadCertificate},
	} {
		_, _, err := EncryptPreMaster(testkit.Rand("client"), &rsa.PublicKey{N: c.n, E: c.e},
			iana.TLS12)
		checkAlert(t, c.what, err, c.alert, "")
	}
}

// A zero in the padding would end it early. Zeros are drawn again, but not without end.
func TestPaddingHasNoZeros(t *testing.T) {
	message := []byte("message")
	r := io.MultiReader(bytes.NewReader([]byte{1, 0, 3, 0, 5, 6, 7, 8}),
		bytes.NewReader([]byte{0, 0, 2, 4}))
	got, err := pad(r, message, len(message)+11)
	if want := append([]byte{0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 0}, message...); err != nil ||
		!bytes.Equal(got, want) {
		t.Errorf("got %x, %v, expected %x", got, err, want)
	}
	if _, err := pad(zeros{}, message, 256); alert.Of(err) != alert.InternalError {
		t.Errorf("zeros for ever: %v", err)
	}
	if _, err := pad(bytes.NewReader(make([]byte, 246)), message, 256); !errors.Is(err, io.EOF) {
		t.Errorf("randomness ended: %v", err)
	}
}
