package suite

import (
	"crypto"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// readable are rows that nobody here speaks, and an observer can follow: those of TLS 1.3, whose suites name neither key exchange
// nor authentication. See RFC 8446 §B.4.
var readable = table(map[iana.CipherSuite]Columns{
	iana.TLS_AES_128_GCM_SHA256:       {Cipher: record.AES_128_GCM, PRF: crypto.SHA256},
	iana.TLS_AES_256_GCM_SHA384:       {Cipher: record.AES_256_GCM, PRF: crypto.SHA384},
	iana.TLS_CHACHA20_POLY1305_SHA256: {Cipher: record.CHACHA20_POLY1305, PRF: crypto.SHA256},
	iana.TLS_AES_128_CCM_SHA256:       {Cipher: record.AES_128_CCM, PRF: crypto.SHA256},
	iana.TLS_AES_128_CCM_8_SHA256:     {Cipher: record.AES_128_CCM_8, PRF: crypto.SHA256},
})

// Readable is the row of id, whether Vitrine speaks it or can only follow it, or nil.
func Readable(id iana.CipherSuite) *Suite {
	if s := ByID(id); s != nil {
		return s
	}
	return find(readable, id)
}
