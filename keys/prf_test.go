package keys

import (
	"bytes"
	"crypto"
	"crypto/subtle"
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// A prfCase is one published value of the PRF itself.
type prfCase struct {
	name         string
	hash         crypto.Hash
	label        string
	secret, seed []byte
	output       []byte
}

var hashes = map[string]crypto.Hash{
	// misc, ACVP
	"SHA2-224": crypto.SHA224, "SHA2-256": crypto.SHA256, "SHA2-384": crypto.SHA384,
	"SHA2-512": crypto.SHA512,
	// ACVP names half of it
	"SHA-1": crypto.MD5SHA1,
	// Botan
	"TLS-PRF": crypto.MD5SHA1, "TLS-12-PRF(HMAC(SHA-224))": crypto.SHA224,
	"TLS-12-PRF(HMAC(SHA-256))": crypto.SHA256,
	"TLS-12-PRF(HMAC(SHA-384))": crypto.SHA384, "TLS-12-PRF(HMAC(SHA-512))": crypto.SHA512,
	// OpenSSL
	"digest:MD5-SHA1": crypto.MD5SHA1, "digest:SHA256": crypto.SHA256,
	"digest:SHA512-256": crypto.SHA512_256,
}

func hashNamed(t *testing.T, name string) crypto.Hash {
	t.Helper()
	h, ok := hashes[name]
	if !ok {
		t.Fatalf("the vectors name a hash %q that this test does not know", name)
	}
	return h
}

// The sources: each reads one published file.
var prfSources = []struct {
	file string
	read func(t *testing.T, file string) []prfCase
}{
	{"botan/kdf_tls_prf.vec", readBotan},
	{"misc/tls12_prf_ietf.json", readWorkingGroup},
	{"openssl/evpkdf_tls12_prf.txt", readOpenSSL},
	{"openssl/evpkdf_tls11_prf.txt", readOpenSSL},
}

func TestPRFMatchesPublishedOutputs(t *testing.T) {
	for _, s := range prfSources {
		t.Run(s.file, func(t *testing.T) {
			cases := s.read(t, s.file)
			if len(cases) == 0 {
				t.Fatal("no case ran")
			}
			for _, c := range cases {
				p := PRF{Hash: c.hash}
				if got := p.expand(c.secret, c.label, c.seed, len(c.output)); !bytes.Equal(got,
					c.output) {
					t.Errorf("%s: got %x, expected %x", c.name, got, c.output)
				}
				if got := combine(p.Chain(c.secret, c.label, c.seed, len(c.output)),
					len(c.output)); !bytes.Equal(got, c.output) {
					t.Errorf("%s, by its chain: got %x, expected %x", c.name, got, c.output)
				}
			}
			t.Logf("%d cases, each by the PRF and by its chain", len(cases))
		})
	}
}

// combine computes the PRF's output from a Chain: concatenate, XOR, truncate.
func combine(chains []Expansion, n int) []byte {
	out := make([]byte, n)
	for _, e := range chains {
		var whole []byte
		for _, block := range e.Output {
			whole = append(whole, block...)
		}
		subtle.XORBytes(out, out, whole[:n])
	}
	return out
}

// RFC 5246 §5: A(i) = HMAC_hash(secret, A(i-1)), and no more of them than the output needs.
func TestChainStopsAtTheLengthAskedFor(t *testing.T) {
	for _, c := range []struct {
		hash    crypto.Hash
		n       int
		lengths []int // of A, in each expansion
	}{
		{crypto.SHA256, 0, []int{0}},
		{crypto.SHA256, 32, []int{1}},
		{crypto.SHA256, 33, []int{2}},
		{crypto.SHA384, 48, []int{1}},
		{crypto.MD5SHA1, 48, []int{3, 3}},
		{crypto.MD5SHA1, 104, []int{7, 6}},
	} {
		var got []int
		for _, e := range (PRF{Hash: c.hash}).Chain([]byte("secret"), "label", []byte("seed"),
			c.n) {
			got = append(got, len(e.A))
			if len(e.A) != len(e.Output) {
				t.Errorf("%v, %d bytes: %d of A and %d of output", c.hash, c.n, len(e.A),
					len(e.Output))
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(c.lengths) {
			t.Errorf("%v, %d bytes: got %v, expected %v", c.hash, c.n, got, c.lengths)
		}
	}
}

func readBotan(t *testing.T, file string) (cases []prfCase) {
	for _, b := range testkit.Blocks(t, file) {
		cases = append(cases, prfCase{
			name:   fmt.Sprintf("line %d", b.Line),
			hash:   hashNamed(t, b.Section),
			secret: testkit.Unhex(t, b.Fields["Secret"]),
			label:  string(testkit.Unhex(t, b.Fields["Label"])),
			seed:   testkit.Unhex(t, b.Fields["Salt"]),
			output: testkit.Unhex(t, b.Fields["Output"]),
		})
	}
	return cases
}

func readWorkingGroup(t *testing.T, file string) (cases []prfCase) {
	var f struct {
		Vectors []struct {
			Hash, Label          string
			Secret, Seed, Output testkit.Hex
		}
	}
	testkit.JSON(t, file, &f)
	for _, v := range f.Vectors {
		cases = append(cases,
			prfCase{v.Hash, hashNamed(t, v.Hash), v.Label, v.Secret, v.Seed, v.Output})
	}
	return cases
}

// readOpenSSL leaves out the cases that expect an error: they are about parameters that OpenSSL
// takes by name.
func readOpenSSL(t *testing.T, file string) (cases []prfCase) {
	for _, b := range testkit.Blocks(t, file) {
		if b.Fields["KDF"] == "" || b.Fields["Result"] != "" {
			continue
		}
		part := func(key,
			prefix string) []byte {
			return testkit.Unhex(t,
				strings.TrimPrefix(b.Fields[key], prefix))
		}
		label := strings.TrimPrefix(b.Fields["Ctrl.label"], "seed:")
		seed := append(part("Ctrl.client_random", "hexseed:"),
			part("Ctrl.server_random", "hexseed:")...)
		if label == keyExpansion.label {
			seed = append(part("Ctrl.server_random", "hexseed:"),
				part("Ctrl.client_random", "hexseed:")...)
		}
		cases = append(cases, prfCase{
			name:   fmt.Sprintf("line %d", b.Line),
			hash:   hashNamed(t, b.Fields["Ctrl.digest"]),
			label:  label,
			secret: part("Ctrl.Secret", "hexsecret:"),
			seed:   seed,
			output: part("Output", ""),
		})
	}
	return cases
}
