package suite

import (
	"cmp"
	"crypto"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// tls13 are the suites of TLS 1.3, which name neither key exchange nor authentication. Callers of
// ByID and All, who ask for what TLS 1.2 negotiates, do not see them. See RFC 8446 §B.4.
var tls13 = table(map[iana.CipherSuite]Columns{
	iana.TLS_AES_128_GCM_SHA256:       {Cipher: record.AES_128_GCM, PRF: crypto.SHA256},
	iana.TLS_AES_256_GCM_SHA384:       {Cipher: record.AES_256_GCM, PRF: crypto.SHA384},
	iana.TLS_CHACHA20_POLY1305_SHA256: {Cipher: record.CHACHA20_POLY1305, PRF: crypto.SHA256},
	iana.TLS_AES_128_CCM_SHA256:       {Cipher: record.AES_128_CCM, PRF: crypto.SHA256},
	iana.TLS_AES_128_CCM_8_SHA256:     {Cipher: record.AES_128_CCM_8, PRF: crypto.SHA256},
})

// Readable returns the suite with an ID, even if an observer can follow it but Vitrine cannot
// negotiate it, or nil. Suites outside the tables are derived from their name.
func Readable(id iana.CipherSuite) *Suite {
	if s := ByID(id); s != nil {
		return s
	}
	if s := byID13.find(id); s != nil {
		return s
	}
	return spelled(id)
}

// spelled derives a suite from its name, TLS_ exchange _WITH_ cipher _ hash. It returns nil if it
// does not know a word of the name, as with the EXPORT suites and the national ciphers.
func spelled(id iana.CipherSuite) *Suite {
	exchange, protection, ok := strings.Cut(strings.TrimPrefix(id.String(), "TLS_"), "_WITH_")
	x, known := exchanges[exchange]
	if !ok || !known {
		return nil
	}
	at := strings.LastIndexByte(protection, '_')
	for _, split := range []struct{ cipher, hash string }{{protection, ""},
		{protection[:max(at, 0)], protection[at+1:]}} {
		if c := ciphers[split.cipher]; c != nil {
			h, known := hashes[split.hash]
			switch {
			case !known, !c.AEAD() && h.mac == nil:
				return nil
			case c.AEAD():
				h.mac = nil
			}
			return &Suite{id, Columns{x.kex, x.auth, c, h.mac, h.prf}}
		}
	}
	return nil
}

// The words of names. In names with "anon" the exchange is ephemeral and nothing is signed; other
// names with DH or ECDH mean a static key in the server's certificate.
var (
	exchanges = map[string]struct {
		kex  iana.KeyExchange
		auth iana.Authentication
	}{
		"RSA":     {iana.KexRSA, iana.AuthRSA},
		"DH_RSA":  {iana.KexDH, iana.AuthRSA},
		"DH_DSS":  {iana.KexDH, iana.AuthDSS},
		"DH_anon": {iana.KexDHE, iana.AuthAnon},
		"DHE_RSA": {iana.KexDHE, iana.AuthRSA},
		"DHE_DSS": {iana.KexDHE, iana.AuthDSS},

		"ECDH_RSA":    {iana.KexECDH, iana.AuthRSA},
		"ECDH_ECDSA":  {iana.KexECDH, iana.AuthECDSA},
		"ECDH_anon":   {iana.KexECDHE, iana.AuthAnon},
		"ECDHE_RSA":   {iana.KexECDHE, iana.AuthRSA},
		"ECDHE_ECDSA": {iana.KexECDHE, iana.AuthECDSA},

		"PSK":       {iana.KexPSK, iana.AuthPSK},
		"RSA_PSK":   {iana.KexRSAPSK, iana.AuthPSK},
		"DHE_PSK":   {iana.KexDHEPSK, iana.AuthPSK},
		"ECDHE_PSK": {iana.KexECDHEPSK, iana.AuthPSK},
	}
	ciphers = map[string]*record.Cipher{}
	hashes  = map[string]struct {
		mac *record.MAC
		prf crypto.Hash
	}{
		"":       {nil, crypto.SHA256},
		"MD5":    {record.HMAC_MD5, crypto.SHA256},
		"SHA":    {record.HMAC_SHA1, crypto.SHA256},
		"SHA256": {record.HMAC_SHA256, crypto.SHA256},
		"SHA384": {record.HMAC_SHA384, crypto.SHA384},
	}
)

func init() {
	for _, c := range []*record.Cipher{
		record.NULL, record.RC4_128, record.DES_CBC, record.DES_EDE3_CBC,
		record.AES_128_CBC, record.AES_256_CBC, record.AES_128_GCM, record.AES_256_GCM,
		record.AES_128_CCM, record.AES_256_CCM, record.AES_128_CCM_8, record.AES_256_CCM_8,
		record.CHACHA20_POLY1305,
	} {
		ciphers[c.Name] = c
	}
}

// All13 returns the suites of TLS 1.3, sorted by ID.
func All13() []*Suite { return slices.Clone(tls13) }

var byID13 = indexOf(tls13)

// ByID13 returns the suite of TLS 1.3 with an ID, or nil.
func ByID13(id iana.CipherSuite) *Suite { return byID13.find(id) }

// Preference13 returns the suites of TLS 1.3 that are on by default, the best for this machine
// first. Those with CCM, which are for small devices, must be enabled by name.
func Preference13() []iana.CipherSuite { return preference13(fastest()) }

// PreferenceWith13 returns the suites of Preference13 in the order for a server whose client offers
// these suites of all versions. A client that puts another suite before those with AES-GCM has no
// instructions for AES, and gets ChaCha20-Poly1305, as with crypto/tls.
func PreferenceWith13(offered []iana.CipherSuite) []iana.CipherSuite {
	for _, id := range offered {
		s := cmp.Or(ByID13(id), ByID(id))
		if s == nil {
			continue
		}
		if s.Cipher == record.AES_128_GCM || s.Cipher == record.AES_256_GCM {
			return Preference13()
		}
		break
	}
	return preference13(chachaFirst)
}

func preference13(fast aead) []iana.CipherSuite {
	gcm := []iana.CipherSuite{iana.TLS_AES_128_GCM_SHA256, iana.TLS_AES_256_GCM_SHA384}
	chacha := []iana.CipherSuite{iana.TLS_CHACHA20_POLY1305_SHA256}
	if fast.order[0] == record.CHACHA20_POLY1305 {
		return append(chacha, gcm...)
	}
	return append(gcm, chacha...)
}
