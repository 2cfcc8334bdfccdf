package kex

import (
	"bytes"
	"crypto/mlkem"
	cryptorand "crypto/rand"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

var hybridRows = []struct {
	id                    iana.Group
	offer, answer, secret int // lengths in bytes, RFC 10024
}{
	{iana.X25519MLKEM768, 1184 + 32, 1088 + 32, 64},
	{iana.SecP256r1MLKEM768, 65 + 1184, 65 + 1088, 64},
	{iana.SecP384r1MLKEM1024, 97 + 1568, 97 + 1568, 80},
}

func TestHybridsAgree(t *testing.T) {
	for _, row := range hybridRows {
		g := named(t, row.id)
		o, err := g.Offer(cryptorand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		a, err := g.Answer(cryptorand.Reader, o.Share())
		if err != nil {
			t.Fatal(err)
		}
		secret, err := o.Finish(a.Share)
		if err != nil || !bytes.Equal(secret, a.Secret) {
			t.Errorf("%v: %v: the two secrets differ", row.id, err)
		}
		if len(o.Share()) != row.offer || len(a.Share) != row.answer || len(secret) != row.secret {
			t.Errorf("%v: shares of %d and %d bytes and a secret of %d, expected %d, %d and %d",
				row.id, len(o.Share()), len(a.Share), len(secret), row.offer, row.answer,
				row.secret)
		}
		again, err := g.Restore(o.Private())
		if err != nil {
			t.Fatal(err)
		}
		if same, err := again.Finish(a.Share); err != nil || !bytes.Equal(same, secret) ||
			!bytes.Equal(again.Share(), o.Share()) {
			t.Errorf("%v: a restored key gives another share or secret: %v", row.id, err)
		}
	}
}

// A curve and its hybrids get one key of the curve, in whatever order they are offered, and each
// share works by itself. See draft-ietf-tls-hybrid-design §3.2.
func TestOffersOfOneHelloShareTheCurvesKey(t *testing.T) {
	for _, ids := range [][]iana.Group{
		{iana.X25519MLKEM768, iana.X25519, iana.Secp256r1},
		{iana.Secp256r1, iana.SecP256r1MLKEM768, iana.X25519},
		{iana.SecP384r1MLKEM1024, iana.FFDHE2048, iana.Secp384r1},
	} {
		var groups []Group
		for _, id := range ids {
			groups = append(groups, named(t, id))
		}
		offers, err := Offers(cryptorand.Reader, groups)
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range offers {
			a, err := groups[i].Answer(cryptorand.Reader, o.Share())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := o.Finish(a.Share); err != nil || !bytes.Equal(got, a.Secret) {
				t.Errorf("%v: %v: the two secrets differ", ids[i], err)
			}
			for k, other := range offers {
				related := ids[i].Hybrid() && groups[i].(*hybrid).curve == groups[k]
				if same := CurveHalf(groups[i], other.Private(), o.Share()); same != related {
					t.Errorf("%v and %v share a key: %v", ids[i], ids[k], same)
				}
			}
		}
	}
	if _, err := Offers(broken{}, []Group{named(t, iana.X25519MLKEM768)}); err != nil {
		t.Errorf("zeros are randomness for X25519: %v", err)
	}
	if _, err := Offers(broken{}, []Group{named(t, iana.SecP256r1MLKEM768)}); err == nil {
		t.Error("a hybrid without randomness for its curve was offered")
	}
}

// A seed reproduces a run: both halves of both roles draw from the reader alone.
func TestSeededHybridsAreReproducible(t *testing.T) {
	for _, row := range hybridRows {
		var first []byte
		for range 2 {
			g, rand := named(t, row.id), testkit.Rand("hybrid")
			o, err := g.Offer(rand)
			if err != nil {
				t.Fatal(err)
			}
			a, err := g.Answer(rand, o.Share())
			if err != nil {
				t.Fatal(err)
			}
			all := bytes.Join([][]byte{o.Share(), a.Share, a.Secret}, nil)
			if first == nil {
				first = all
			} else if !bytes.Equal(first, all) {
				t.Errorf("%v: two runs from one seed differ", row.id)
			}
		}
	}
}

// The parts are in the order of RFC 10024, and each half of the secret is what that half alone
// yields.
func TestHybridsAreTwoPartsInOrder(t *testing.T) {
	for _, row := range hybridRows {
		g := named(t, row.id).(*hybrid)
		o, _ := g.Offer(cryptorand.Reader)
		a, err := g.Answer(cryptorand.Reader, o.Share())
		if err != nil {
			t.Fatal(err)
		}
		kemFirst := row.id == iana.X25519MLKEM768
		theirKEM, theirCurve := a.Share[:len(a.Share)-g.kem.ciphertext],
			a.Share[len(a.Share)-g.kem.ciphertext:]
		seed, scalar := o.Private()[len(o.Private())-64:], o.Private()[:len(o.Private())-64]
		theirKEM, theirCurve = theirCurve, theirKEM
		if kemFirst {
			theirKEM, theirCurve = a.Share[:g.kem.ciphertext], a.Share[g.kem.ciphertext:]
			seed, scalar = o.Private()[:64], o.Private()[64:]
		}
		key, _, err := g.kem.newKey(seed)
		if err != nil {
			t.Fatal(err)
		}
		fromKEM, err := key.Decapsulate(theirKEM)
		if err != nil {
			t.Fatal(err)
		}
		fromCurve, err := agree(g.curve, scalar, theirCurve)
		if err != nil {
			t.Fatal(err)
		}
		want := append(bytes.Clone(fromCurve), fromKEM...)
		if kemFirst {
			want = append(bytes.Clone(fromKEM), fromCurve...)
		}
		if !bytes.Equal(a.Secret, want) {
			t.Errorf("%v: the secret is not its two parts in order", row.id)
		}
	}
}

// A wrong share is rejected with illegal_parameter, whichever part is wrong: RFC 10024, RFC 8446
// §4.2.8.2, FIPS 203 §7.2.
func TestHybridsRefuseWrongShares(t *testing.T) {
	for _, row := range hybridRows {
		g := named(t, row.id).(*hybrid)
		o, _ := g.Offer(cryptorand.Reader)
		a, err := g.Answer(cryptorand.Reader, o.Share())
		if err != nil {
			t.Fatal(err)
		}
		kemAt := func(share []byte, n int) int {
			if g.kemOne {
				return 0
			}
			return len(share) - n
		}
		curveAt := func(share []byte, n int) int {
			if g.kemOne {
				return n
			}
			return 0
		}
		change := func(share []byte, at int, with ...byte) []byte {
			share = bytes.Clone(share)
			copy(share[at:], with)
			return share
		}
		point := make([]byte, 32) // for X25519 of low order, for the others no point
		for what, share := range map[string][]byte{
			"empty": {}, "short": o.Share()[1:], "long": append(bytes.Clone(o.Share()), 0),
			"an answer's": a.Share[:len(a.Share)-1],
			"a coefficient above the modulus": change(o.Share(),
				kemAt(o.Share(), g.kem.encapsulationKey), 0xFF, 0xFF, 0xFF),
			"no point": change(o.Share(),
				curveAt(o.Share(), g.kem.encapsulationKey), point...),
		} {
			if _, err := g.Answer(cryptorand.Reader, share); !isIllegal(err) {
				t.Errorf("%v: answering a share that is %s: %v", row.id, what, err)
			}
		}
		for what, share := range map[string][]byte{
			"empty": {}, "short": a.Share[1:], "long": append(bytes.Clone(a.Share), 0),
			"no point": change(a.Share, curveAt(a.Share, g.kem.ciphertext), point...),
		} {
			if _, err := o.Finish(share); !isIllegal(err) {
				t.Errorf("%v: finishing with a share that is %s: %v", row.id, what, err)
			}
		}
		// A ciphertext that was changed is rejected implicitly: another secret, and no error.
		wrong := change(a.Share, kemAt(a.Share, g.kem.ciphertext),
			a.Share[kemAt(a.Share, g.kem.ciphertext)]^1)
		if secret, err := o.Finish(wrong); err != nil || bytes.Equal(secret, a.Secret) {
			t.Errorf("%v: a changed ciphertext: %v", row.id, err)
		}
	}
}

func isIllegal(err error) bool { return err != nil && alert.Of(err) == alert.IllegalParameter }

func TestMLKEMGivesPublishedValues(t *testing.T) {
	kems := map[string]kem{"ML-KEM-768": mlkem768, "ML-KEM-1024": mlkem1024}
	n := 0
	for _, file := range []string{"mlkem_768_test.json", "mlkem_1024_test.json",
		"mlkem_768_encaps_test.json"} {
		var f struct {
			TestGroups []struct {
				ParameterSet string
				Tests        []struct {
					TcID              int
					Seed, EK, C, K, M testkit.Hex
					Result            string
				}
			}
		}
		testkit.JSON(t, "wycheproof/"+file, &f)
		for _, g := range f.TestGroups {
			k := kems[g.ParameterSet]
			for _, c := range g.Tests {
				n++
				var secret, ciphertext []byte
				var err error
				if c.Seed != nil {
					var key decapsulationKey
					var ek []byte
					if key, ek, err = k.newKey(c.Seed); err == nil {
						secret, err = key.Decapsulate(c.C)
						ciphertext = c.C
						if !bytes.Equal(ek, c.EK) {
							t.Errorf("%s %d: another encapsulation key", file, c.TcID)
						}
					}
				} else {
					secret, ciphertext, err = k.encapsulate(c.EK, c.M)
				}
				ok := err == nil && bytes.Equal(secret, c.K) && bytes.Equal(ciphertext, c.C)
				if ok != (c.Result == "valid") {
					t.Errorf("%s %d: %v, expected %s", file, c.TcID, err, c.Result)
				}
			}
		}
	}
	ran(t, "Wycheproof ML-KEM", n, 651)
}

func TestMLKEMEncapsulationMatchesACVP(t *testing.T) {
	var f struct {
		Sets []struct {
			TestGroups []struct {
				Function, ParameterSet string
				Tests                  []struct {
					EK, M    testkit.Hex
					D, Z     testkit.Hex
					Expected struct{ C, K, EK testkit.Hex }
				}
			}
		}
	}
	testkit.JSON(t, "acvp/geomys-ML-KEM.json", &f)
	kems := map[string]kem{"ML-KEM-768": mlkem768, "ML-KEM-1024": mlkem1024}
	n := 0
	for _, s := range f.Sets {
		for _, g := range s.TestGroups {
			k := kems[g.ParameterSet]
			for _, c := range g.Tests {
				switch {
				case c.D != nil:
					_, ek, err := k.newKey(append(bytes.Clone(c.D), c.Z...))
					if err != nil || !bytes.Equal(ek, c.Expected.EK) {
						t.Errorf("%s: another key: %v", g.ParameterSet, err)
					}
					n++
				case c.M != nil:
					secret, ciphertext, err := k.encapsulate(c.EK, c.M)
					if err != nil || !bytes.Equal(secret, c.Expected.K) ||
						!bytes.Equal(ciphertext, c.Expected.C) {
						t.Errorf("%s: another secret: %v", g.ParameterSet, err)
					}
					n++
				}
			}
		}
	}
	ran(t, "ACVP ML-KEM", n, 4)
	if mlkem.SharedKeySize != 32 {
		t.Error("ML-KEM's secret has 32 bytes")
	}
}

func TestPartsOfAHybridsSecretAreOverwritten(t *testing.T) {
	for _, kemOne := range []bool{false, true} {
		kem, curve := []byte{1, 2}, []byte{3}
		got := (&hybrid{kemOne: kemOne}).joinSecrets(kem, curve)
		want := map[bool][]byte{false: {3, 1, 2}, true: {1, 2, 3}}[kemOne]
		if !bytes.Equal(got, want) || !bytes.Equal(kem, []byte{0, 0}) ||
			!bytes.Equal(curve, []byte{0}) {
			t.Errorf("got %x, and %x and %x are left, expected %x and zeros", got, kem, curve, want)
		}
	}
}
