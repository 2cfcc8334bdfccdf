package suite

import (
	"crypto"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// Short names for the columns of the two tables.
const (
	rsaKex   = iana.KexRSA
	dhe      = iana.KexDHE
	ecdhe    = iana.KexECDHE
	plainPSK = iana.KexPSK
	rsaPSK   = iana.KexRSAPSK
	dhePSK   = iana.KexDHEPSK
	ecdhePSK = iana.KexECDHEPSK

	rsa   = iana.AuthRSA
	ecdsa = iana.AuthECDSA
	psk   = iana.AuthPSK

	sha256 = crypto.SHA256
	sha384 = crypto.SHA384
)

var (
	null       = record.NULL
	tripleDES  = record.DES_EDE3_CBC
	aes128CBC  = record.AES_128_CBC
	aes256CBC  = record.AES_256_CBC
	aes128GCM  = record.AES_128_GCM
	aes256GCM  = record.AES_256_GCM
	aes128CCM  = record.AES_128_CCM
	aes256CCM  = record.AES_256_CCM
	aes128CCM8 = record.AES_128_CCM_8
	aes256CCM8 = record.AES_256_CCM_8
	chacha20   = record.CHACHA20_POLY1305

	hmac1   = record.HMAC_SHA1
	hmac256 = record.HMAC_SHA256
	hmac384 = record.HMAC_SHA384
)

// certified is the table of suites whose server authenticates with a certificate alone, sorted by
// ID. A suite whose name ends in SHA or names no hash uses SHA-256 in the PRF of TLS 1.2 (RFC 5246
// §5), as do the CCM suites, whatever the length of their key (RFC 6655 §3, RFC 7251 §2).
var certified = map[iana.CipherSuite]Columns{
	iana.TLS_RSA_WITH_NULL_SHA:                         {rsaKex, rsa, null, hmac1, sha256},
	iana.TLS_RSA_WITH_3DES_EDE_CBC_SHA:                 {rsaKex, rsa, tripleDES, hmac1, sha256},
	iana.TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA:             {dhe, rsa, tripleDES, hmac1, sha256},
	iana.TLS_RSA_WITH_AES_128_CBC_SHA:                  {rsaKex, rsa, aes128CBC, hmac1, sha256},
	iana.TLS_DHE_RSA_WITH_AES_128_CBC_SHA:              {dhe, rsa, aes128CBC, hmac1, sha256},
	iana.TLS_RSA_WITH_AES_256_CBC_SHA:                  {rsaKex, rsa, aes256CBC, hmac1, sha256},
	iana.TLS_DHE_RSA_WITH_AES_256_CBC_SHA:              {dhe, rsa, aes256CBC, hmac1, sha256},
	iana.TLS_RSA_WITH_NULL_SHA256:                      {rsaKex, rsa, null, hmac256, sha256},
	iana.TLS_RSA_WITH_AES_128_CBC_SHA256:               {rsaKex, rsa, aes128CBC, hmac256, sha256},
	iana.TLS_RSA_WITH_AES_256_CBC_SHA256:               {rsaKex, rsa, aes256CBC, hmac256, sha256},
	iana.TLS_DHE_RSA_WITH_AES_128_CBC_SHA256:           {dhe, rsa, aes128CBC, hmac256, sha256},
	iana.TLS_DHE_RSA_WITH_AES_256_CBC_SHA256:           {dhe, rsa, aes256CBC, hmac256, sha256},
	iana.TLS_RSA_WITH_AES_128_GCM_SHA256:               {rsaKex, rsa, aes128GCM, nil, sha256},
	iana.TLS_RSA_WITH_AES_256_GCM_SHA384:               {rsaKex, rsa, aes256GCM, nil, sha384},
	iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256:           {dhe, rsa, aes128GCM, nil, sha256},
	iana.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384:           {dhe, rsa, aes256GCM, nil, sha384},
	iana.TLS_ECDHE_ECDSA_WITH_NULL_SHA:                 {ecdhe, ecdsa, null, hmac1, sha256},
	iana.TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA:         {ecdhe, ecdsa, tripleDES, hmac1, sha256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA:          {ecdhe, ecdsa, aes128CBC, hmac1, sha256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA:          {ecdhe, ecdsa, aes256CBC, hmac1, sha256},
	iana.TLS_ECDHE_RSA_WITH_NULL_SHA:                   {ecdhe, rsa, null, hmac1, sha256},
	iana.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA:           {ecdhe, rsa, tripleDES, hmac1, sha256},
	iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA:            {ecdhe, rsa, aes128CBC, hmac1, sha256},
	iana.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA:            {ecdhe, rsa, aes256CBC, hmac1, sha256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256:       {ecdhe, ecdsa, aes128CBC, hmac256, sha256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384:       {ecdhe, ecdsa, aes256CBC, hmac384, sha384},
	iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256:         {ecdhe, rsa, aes128CBC, hmac256, sha256},
	iana.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384:         {ecdhe, rsa, aes256CBC, hmac384, sha384},
	iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:       {ecdhe, ecdsa, aes128GCM, nil, sha256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:       {ecdhe, ecdsa, aes256GCM, nil, sha384},
	iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:         {ecdhe, rsa, aes128GCM, nil, sha256},
	iana.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:         {ecdhe, rsa, aes256GCM, nil, sha384},
	iana.TLS_RSA_WITH_AES_128_CCM:                      {rsaKex, rsa, aes128CCM, nil, sha256},
	iana.TLS_RSA_WITH_AES_256_CCM:                      {rsaKex, rsa, aes256CCM, nil, sha256},
	iana.TLS_DHE_RSA_WITH_AES_128_CCM:                  {dhe, rsa, aes128CCM, nil, sha256},
	iana.TLS_DHE_RSA_WITH_AES_256_CCM:                  {dhe, rsa, aes256CCM, nil, sha256},
	iana.TLS_RSA_WITH_AES_128_CCM_8:                    {rsaKex, rsa, aes128CCM8, nil, sha256},
	iana.TLS_RSA_WITH_AES_256_CCM_8:                    {rsaKex, rsa, aes256CCM8, nil, sha256},
	iana.TLS_DHE_RSA_WITH_AES_128_CCM_8:                {dhe, rsa, aes128CCM8, nil, sha256},
	iana.TLS_DHE_RSA_WITH_AES_256_CCM_8:                {dhe, rsa, aes256CCM8, nil, sha256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_128_CCM:              {ecdhe, ecdsa, aes128CCM, nil, sha256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_256_CCM:              {ecdhe, ecdsa, aes256CCM, nil, sha256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8:            {ecdhe, ecdsa, aes128CCM8, nil, sha256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8:            {ecdhe, ecdsa, aes256CCM8, nil, sha256},
	iana.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:   {ecdhe, rsa, chacha20, nil, sha256},
	iana.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: {ecdhe, ecdsa, chacha20, nil, sha256},
	iana.TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256:     {dhe, rsa, chacha20, nil, sha256},
}
