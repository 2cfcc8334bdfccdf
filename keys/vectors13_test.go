package keys

import (
	"bytes"
	"crypto"
	_ "crypto/sha512"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/message"
)

// hashCalled is how vectors call hashes.
var hashCalled = map[string]crypto.Hash{"SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384,
	"SHA2-256": crypto.SHA256, "SHA2-384": crypto.SHA384}

// RFC 5869, by Wycheproof.
func TestHKDFMatchesWycheproof(t *testing.T) {
	count := 0
	for file, hash := range map[string]crypto.Hash{"hkdf_sha256": crypto.SHA256,
		"hkdf_sha384": crypto.SHA384} {
		var f struct {
			TestGroups []struct {
				Tests []struct {
					TcID                 int
					IKM, Salt, Info, OKM testkit.Hex
					Size                 int
					Result               string
				}
			}
		}
		testkit.JSON(t, "wycheproof/"+file+"_test.json", &f)
		for _, g := range f.TestGroups {
			for _, c := range g.Tests {
				if c.Result != "valid" { // longer than 255 times the hash, which we never ask for
					continue
				}
				count++
				got := HKDF{Hash: hash}.Key(c.IKM, c.Salt, string(c.Info), c.Size)
				if !bytes.Equal(got, c.OKM) {
					t.Errorf("%s, test %d: got %x, expected %x", file, c.TcID, got, c.OKM)
				}
			}
		}
	}
	if t.Logf("%d vectors", count); count < 100 {
		t.Errorf("%d vectors, expected 100 or more", count)
	}
}

// RFC 9258 §5.1, by Botan.
func TestImportedKeysMatchBotan(t *testing.T) {
	kdfs := map[string]iana.KDF{"SHA-256": iana.HKDFSHA256, "SHA-384": iana.HKDFSHA384}
	blocks := testkit.Blocks(t, "botan/tls_13_psk_import.vec")
	for _, b := range blocks {
		hex := func(name string) []byte { return testkit.Unhex(t, b.Fields[name]) }
		identity, err := (&message.ImportedIdentity{External: hex("Identity"),
			Context: hex("Context"), Protocol: iana.TLS13, KDF: kdfs[b.Fields["TargetHash"]]}).
			Encode()
		if err != nil {
			t.Fatal(err)
		}
		got := HKDF{Hash: hashCalled[b.Section]}.Import(hex("Key"), identity,
			hashCalled[b.Fields["TargetHash"]])
		if want := hex("Output"); !bytes.Equal(got, want) {
			t.Errorf("line %d: got %x, expected %x", b.Line, got, want)
		}
	}
	t.Logf("%d vectors", len(blocks))
}

// RFC 8446 §7.1, each step alone, by OpenSSL. Other digests than those of TLS 1.3's suites, and
// what OpenSSL's interface refuses, are left out.
func TestStepsOfTheKeyScheduleMatchOpenSSL(t *testing.T) {
	count, left := 0, 0
	for _, b := range testkit.Blocks(t, "openssl/evpkdf_tls13_kdf.txt") {
		value := func(name string) string {
			_, v, _ := strings.Cut(b.Fields["Ctrl."+name], ":")
			return v
		}
		hex := func(name string) []byte { return testkit.Unhex(t, value(name)) }
		hash, known := hashCalled[value("digest")]
		mode := value("mode")
		if !known || b.Fields["Result"] != "" || mode == "EXTRACT_AND_EXPAND" {
			left++
			continue
		}
		k := HKDF{Hash: hash}
		var got []byte
		switch {
		case mode == "EXPAND_ONLY":
			want := testkit.Unhex(t, b.Fields["Output"])
			got = k.stage(hex("key")).expand(label{label: string(hex("label"))}, hex("data"),
				len(want))
		case value("salt") == "":
			key := hex("key")
			if len(key) == 0 {
				key = make([]byte, hash.Size())
			}
			got = k.Early(key).Bytes()
		default: // a secret of the step before
			key := hex("key")
			if len(key) == 0 {
				key = make([]byte, hash.Size())
			}
			got = k.stage(hex("salt")).next("", key).Bytes()
		}
		if count++; !bytes.Equal(got, testkit.Unhex(t, b.Fields["Output"])) {
			t.Errorf("line %d: got %x, expected %s", b.Line, got, b.Fields["Output"])
		}
	}
	if t.Logf("%d vectors, %d left out", count, left); count < 500 {
		t.Errorf("%d vectors, expected 500 or more", count)
	}
}

// RFC 5869 with the hashes of ACVP's file, which TLS does not use.
func TestHKDFMatchesACVP(t *testing.T) {
	hashes := map[string]crypto.Hash{"SHA2-224": crypto.SHA224, "SHA2-512/256": crypto.SHA512_256}
	type party struct{ PartyID, EphemeralData testkit.Hex }
	var f struct {
		Sets []struct {
			TestGroups []struct {
				KDFConfiguration struct{ HMACAlg string }
				Tests            []struct {
					TcID            int
					FixedInfoPartyU party
					FixedInfoPartyV party
					KDFParameter    struct {
						L       int
						Salt, Z testkit.Hex
					}
					DKM      testkit.Hex
					Expected struct {
						DKM        testkit.Hex
						TestPassed *bool
					}
				}
			}
		}
	}
	testkit.JSON(t, "acvp/boringssl-HKDF.json", &f)
	count := 0
	for _, set := range f.Sets {
		for _, g := range set.TestGroups {
			for _, c := range g.Tests {
				count++
				u, v, p := c.FixedInfoPartyU, c.FixedInfoPartyV, c.KDFParameter
				info := slices.Concat(u.PartyID, u.EphemeralData, v.PartyID, v.EphemeralData)
				got := HKDF{Hash: hashes[g.KDFConfiguration.HMACAlg]}.Key(p.Z, p.Salt, string(info),
					p.L/8)
				if want := c.Expected.TestPassed; want != nil {
					if bytes.Equal(got, c.DKM) != *want {
						t.Errorf("test %d: equal: %v, expected %v", c.TcID, !*want, *want)
					}
				} else if !bytes.Equal(got, c.Expected.DKM) {
					t.Errorf("test %d: got %x, expected %x", c.TcID, got, c.Expected.DKM)
				}
			}
		}
	}
	if t.Logf("%d vectors", count); count < 10 {
		t.Errorf("%d vectors, expected 10", count)
	}
}

// HKDF-Expand of an HkdfLabel, by Botan. Its labels are those of drafts of TLS 1.3, without RFC
// 8446's prefix. See RFC 8446 §7.1.
func TestExpandOfHkdfLabelsMatchesBotan(t *testing.T) {
	blocks := testkit.Blocks(t, "botan/hkdf_label.vec")
	for _, b := range blocks {
		hex := func(name string) []byte { return testkit.Unhex(t, b.Fields[name]) }
		want, label, context := hex("Output"), b.Fields["Label"], hex("HashValue")
		m := newMAC(hashCalled[b.Section], hex("Secret"))
		m.info = append([]byte{0, byte(len(want)), byte(len(label))}, label...)
		m.info = append(append(m.info, byte(len(context))), context...)
		if got := m.expand(len(want)); !bytes.Equal(got, want) {
			t.Errorf("line %d: got %x, expected %x", b.Line, got, want)
		}
	}
	if t.Logf("%d vectors", len(blocks)); len(blocks) < 4 {
		t.Errorf("%d vectors, expected 4", len(blocks))
	}
}
