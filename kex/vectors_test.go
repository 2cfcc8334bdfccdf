package kex

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// named is a group that the registry has.
func named(t testing.TB, id iana.Group) Group {
	t.Helper()
	g, ok := Named(id)
	if !ok {
		t.Fatalf("no group %v", id)
	}
	return g
}

// agree returns the secret of a private key and a share.
func agree(g Group, private, theirs []byte) ([]byte, error) {
	o, err := g.Restore(private)
	if err != nil {
		return nil, err
	}
	return o.Finish(theirs)
}

// scalar is a vector's private key as its curve writes one.
func scalar(length int, private []byte) []byte {
	return new(big.Int).SetBytes(private).FillBytes(make([]byte, length))
}

// point is X and Y in uncompressed form.
func point(length int, x, y []byte) []byte {
	return append(append([]byte{4}, scalar(length, x)...), scalar(length, y)...)
}

// ran fails a test that found nothing to check.
func ran(t *testing.T, what string, count, want int) {
	t.Helper()
	t.Logf("%s: %d cases", what, count)
	if count != want {
		t.Errorf("%s: ran %d cases, expected %d", what, count, want)
	}
}

func TestCurvesAgreeWithWycheproof(t *testing.T) {
	type vectors struct {
		name           string
		group          iana.Group
		cases, refused int
	}
	for _, f := range testkit.Sample(t, "files", 5, []vectors{
		{"ecdh_secp256r1_ecpoint", iana.Secp256r1, 355, 25},
		{"ecdh_secp384r1_ecpoint", iana.Secp384r1, 790, 19},
		{"ecdh_secp521r1_ecpoint", iana.Secp521r1, 661, 29},
		{"x25519", iana.X25519, 518, 31},
		{"x448", iana.X448, 510, 23},
	}) {
		var file struct {
			TestGroups []struct {
				Tests []struct {
					TcID                    int
					Comment, Result         string
					Flags                   []string
					Public, Private, Shared testkit.Hex
				}
			}
		}
		testkit.JSON(t, "wycheproof/"+f.name+"_test.json", &file)
		g, count, refused := named(t, f.group), 0, 0
		for _, tests := range file.TestGroups {
			for _, c := range tests.Tests {
				count++
				private, bad := []byte(c.Private), c.Result == "invalid"
				// "acceptable" leaves two things to us: compressed points, which RFC 8422 §5.1.2
				// forbids, and results of X25519 and X448 that are zero, §5.11. The secret of
				// another curve may be zero.
				if strings.HasPrefix(f.name, "ecdh") {
					private = scalar(curves[f.group].length, private)
					bad = bad || slices.Contains(c.Flags, "CompressedPoint")
				} else {
					bad = bad || len(bytes.Trim(c.Shared, "\x00")) == 0
				}
				got, err := agree(g, private, c.Public)
				switch {
				case bad && err == nil:
					t.Errorf("%s %d (%s): accepted", f.name, c.TcID, c.Comment)
				case bad:
					refused++
				case err != nil || !bytes.Equal(got, c.Shared):
					t.Errorf("%s %d (%s): got %x, %v, expected %x", f.name, c.TcID, c.Comment, got,
						err, c.Shared)
				}
			}
		}
		ran(t, f.name, count, f.cases)
		ran(t, f.name+", refused", refused, f.refused)
	}
}

func TestCurvesAgreeWithBotan(t *testing.T) {
	count := map[string]int{}
	for _, b := range testkit.Blocks(t, "botan/pubkey_ecdh.vec") {
		for id, c := range curves {
			if id.String() != b.Section {
				continue
			}
			private := scalar(c.length, unhex0x(t, b.Fields["Secret"]))
			got, err := agree(c, private, testkit.Unhex(t, b.Fields["CounterKey"]))
			if err != nil || !bytes.Equal(got, testkit.Unhex(t, b.Fields["K"])) {
				t.Errorf("line %d: got %x, %v, expected %s", b.Line, got, err, b.Fields["K"])
			}
			count[b.Section]++
		}
	}
	for _, name := range []string{"secp256r1", "secp384r1", "secp521r1"} {
		ran(t, "Botan "+name, count[name], 25)
	}
}

// The P-521 case has no private key, and P-224 is not supported. What is left is a case whose z is
// wrong.
func TestCurvesDisagreeWithWrongACVP(t *testing.T) {
	var file struct {
		Sets []struct {
			TestGroups []struct {
				DomainParameterGenerationMode string
				Tests                         []struct {
					StaticPrivateIut                            testkit.Hex
					StaticPublicIutX, StaticPublicIutY          testkit.Hex
					StaticPublicServerX, StaticPublicServerY, Z testkit.Hex
					Expected                                    struct{ TestPassed *bool }
				}
			}
		}
	}
	testkit.JSON(t, "acvp/geomys-KAS-ECC-SSC.json", &file)
	count := 0
	for _, s := range file.Sets {
		for _, g := range s.TestGroups {
			if g.DomainParameterGenerationMode != "P-256" {
				continue
			}
			for _, c := range g.Tests {
				count++
				o, err := named(t, iana.Secp256r1).Restore(c.StaticPrivateIut)
				if err != nil {
					t.Fatal(err)
				}
				consistent := bytes.Equal(o.Share(),
					point(32, c.StaticPublicIutX, c.StaticPublicIutY))
				z, err := o.Finish(point(32, c.StaticPublicServerX, c.StaticPublicServerY))
				if passed := consistent && err == nil &&
					bytes.Equal(z, c.Z); passed != *c.Expected.TestPassed {
					t.Errorf("passed: %v, expected %v", passed, *c.Expected.TestPassed)
				}
			}
		}
	}
	ran(t, "ACVP KAS-ECC-SSC", count, 1)
}

func TestX25519AgreesWithIllustratedTLS(t *testing.T) {
	read := func(name string) []byte { return testkit.Vectors(t, "illustrated-tls12/"+name) }
	private := func(name string) []byte {
		block, _ := pem.Decode(read(name))
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		return key.(interface{ Bytes() []byte }).Bytes()
	}
	server, err := named(t, iana.X25519).Restore(private("server-ephemeral-private.key"))
	if err != nil {
		t.Fatal(err)
	}
	client, err := named(t, iana.X25519).Restore(private("client-ephemeral-private.key"))
	if err != nil {
		t.Fatal(err)
	}
	// record header 5, message header 4, curve type 1, group 2, length 1; and 5, 4, length 1
	sent, answered := read("serverkeyexchange")[13:][:32], read("clientkeyexchange")[10:][:32]
	if !bytes.Equal(server.Share(), sent) || !bytes.Equal(client.Share(), answered) {
		t.Errorf("shares: got %x and %x, expected %x and %x", server.Share(), client.Share(), sent,
			answered)
	}
	a, err := server.Finish(answered)
	if err != nil {
		t.Fatal(err)
	}
	b, err := client.Finish(sent)
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("secrets: %x and %x, %v", a, b, err)
	}
}

type publishedPrime struct {
	Name       string
	NamedGroup iana.Group `json:"named_group"`
	Generator  int64
	P          testkit.Hex
}

func publishedPrimes(t testing.TB) []publishedPrime {
	t.Helper()
	var ffdhe, modp struct{ Groups []publishedPrime }
	testkit.JSON(t, "misc/rfc7919_ffdhe.json", &ffdhe)
	testkit.JSON(t, "misc/rfc3526_modp.json", &modp)
	return append(ffdhe.Groups, modp.Groups...)
}

// The formula must give the primes of RFC 7919 and of RFC 3526, as OpenSSL has them.
func TestWellKnownPrimesMatchPublishedOnes(t *testing.T) {
	count := 0
	for _, want := range publishedPrimes(t) {
		count++
		g, err := FiniteField(append([]byte{0, 0}, want.P...), big.NewInt(want.Generator).Bytes(),
			1024)
		if err != nil {
			t.Errorf("%s: %v", want.Name, err)
			continue
		}
		if g.ID() != want.NamedGroup || g.Name() != want.Name {
			t.Errorf("got %v %q, expected %v %q", g.ID(), g.Name(), want.NamedGroup, want.Name)
		}
		if p, gen := Params(g); !bytes.Equal(p, want.P) || !bytes.Equal(gen, []byte{2}) {
			t.Errorf("%s: Params gives %x, %x", want.Name, p, gen)
		}
		if want.NamedGroup != 0 && named(t, want.NamedGroup) != g {
			t.Errorf("%s: Named gives another group", want.Name)
		}
	}
	ran(t, "primes", count, len(wellKnown))
}

func TestFiniteFieldsAgreeWithBotan(t *testing.T) {
	number := func(s string) *big.Int {
		n, ok := new(big.Int).SetString(s, 0)
		if !ok {
			t.Fatalf("no number: %q", s)
		}
		return n
	}
	count, derived := 0, 0
	for _, b := range testkit.Blocks(t, "botan/pubkey_dh.vec") {
		if b.Fields["P"] == "" {
			continue
		}
		count++
		g, err := FiniteField(number(b.Fields["P"]).Bytes(), number(b.Fields["G"]).Bytes(), 256)
		if err != nil {
			t.Errorf("line %d: %v", b.Line, err)
			continue
		}
		z, err := agree(g, number(b.Fields["X"]).Bytes(), number(b.Fields["Y"]).Bytes())
		want := testkit.Unhex(t, b.Fields["K"])
		if b.Fields["KDF"] != "" {
			z = kdf2(z, len(want))
			derived++
		}
		if err != nil || !bytes.Equal(z, want) {
			t.Errorf("line %d: got %x, %v, expected %x", b.Line, z, err, want)
		}
	}
	ran(t, "Botan pubkey_dh", count, 40)
	t.Logf("Botan pubkey_dh: %d of them through KDF2(SHA-1)", derived)
}

// kdf2 is the KDF2(SHA-1) that some of Botan's cases apply to Z.
func kdf2(z []byte, n int) (out []byte) {
	for i := uint32(1); len(out) < n; i++ {
		sum := sha1.Sum(binary.BigEndian.AppendUint32(bytes.Clone(z), i))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

func unhex0x(t testing.TB, s string) []byte { return testkit.Unhex(t, strings.TrimPrefix(s, "0x")) }
