package suite

import (
	"crypto"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// unreadable are words in the names of suites that observers cannot follow: ciphers that no library
// used here implements, export suites, and exchanges with tickets or passwords.
var unreadable = []string{"EXPORT", "KRB5", "SRP", "CAMELLIA", "ARIA", "SEED", "IDEA", "RC2",
	"GOST",
	"KUZNYECHIK", "MAGMA", "SM4", "ECCPWD", "SHA256_SHA", "INTEGRITY",
	"AEGIS", "GOSTR", "NULL_NULL", "TLS_SHA"}

// Every registered suite is readable, or has a word in its name that says why not.
func TestUnreadableSuitesAreNamed(t *testing.T) {
	read, not := 0, 0
	for n := range 1 << 16 {
		id := iana.CipherSuite(n)
		name := id.String()
		if !strings.HasPrefix(name, "TLS_") || strings.HasSuffix(name, "_SCSV") {
			continue
		}
		words := slices.ContainsFunc(unreadable, func(word string) bool {
			return strings.Contains(name, word)
		})
		s := Readable(id)
		if (s == nil) != words {
			t.Errorf("%s: readable: %v", name, s != nil)
		}
		if s == nil {
			not++
			continue
		}
		read++
		if s.ID != id || s.AEAD() != (s.MAC == nil) {
			t.Errorf("%s: %+v", name, s.Columns)
		}
		lowest, highest := iana.SSL30, iana.TLS12
		switch {
		case s.kex == iana.KexNone:
			lowest, highest = iana.TLS13, iana.TLS13
		case s.MinVersion() == iana.TLS12:
			lowest = iana.TLS12
		}
		for v := lowest; v <= highest; v++ {
			shape := s.Shape(v)
			k := record.Keys{MAC: make([]byte, shape.MAC), Key: make([]byte, shape.Key),
				IV: make([]byte, shape.IV)}
			if _, err := record.NewReader(s.Cipher, s.MAC,
				record.Params{Version: v, Keys: k}); err != nil {
				t.Errorf("%s in %v: %v", name, v, err)
			}
		}
	}
	t.Logf("%d suites can be read, %d cannot", read, not)
	if read < 150 {
		t.Error("most suites were not found")
	}
}

// Suites derived from their names equal those of the table.
func TestSpelledMatchesTable(t *testing.T) {
	for _, s := range All() {
		got := spelled(s.ID)
		// RFC 6655 §4 swaps the words
		if strings.Contains(s.ID.String(), "PSK_DHE") {
			continue
		}
		if got == nil || got.Columns != s.Columns {
			t.Errorf("%v: the name spells %+v, the table has %+v", s, got, s.Columns)
		}
	}
	for _, c := range []struct {
		id   iana.CipherSuite
		want Columns
	}{
		{iana.TLS_RSA_WITH_RC4_128_MD5,
			Columns{iana.KexRSA, iana.AuthRSA, record.RC4_128, record.HMAC_MD5, crypto.SHA256}},
		{iana.TLS_DH_anon_WITH_AES_128_CBC_SHA,
			Columns{iana.KexDHE, iana.AuthAnon, record.AES_128_CBC, record.HMAC_SHA1,
				crypto.SHA256}},
		{iana.TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384,
			Columns{iana.KexECDH, iana.AuthRSA, record.AES_256_GCM, nil, crypto.SHA384}},
		{iana.TLS_DHE_DSS_WITH_DES_CBC_SHA,
			Columns{iana.KexDHE, iana.AuthDSS, record.DES_CBC, record.HMAC_SHA1, crypto.SHA256}},
	} {
		if s := Readable(c.id); s == nil || s.Columns != c.want {
			t.Errorf("%v: %+v", c.id, s)
		}
	}
}

// The columns of a suite of TLS 1.3 follow from its name: RFC 8446 §B.4.
func TestColumnsOfTLS13MatchNames(t *testing.T) {
	hashes := map[crypto.Hash]string{crypto.SHA256: "SHA256", crypto.SHA384: "SHA384"}
	for _, s := range tls13 {
		if name := "TLS_" + s.Cipher.Name + "_" + hashes[s.PRF]; name != s.ID.String() {
			t.Errorf("%v has the columns of %s", s.ID, name)
		}
	}
	if len(tls13) != 5 {
		t.Errorf("%d suites, expected 5", len(tls13))
	}
}
