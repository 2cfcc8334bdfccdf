package suite

import (
	"crypto"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// The rows, sorted by ID. What a name does not say: the PRF of a suite that names SHA or no hash is SHA-256 in TLS 1.2 (RFC 5246
// §5), and so is that of the CCM suites, whatever the length of their key (RFC 6655 §3, RFC 7251 §2).
var certified = map[iana.CipherSuite]Columns{
	iana.TLS_RSA_WITH_NULL_SHA:                         {iana.KexRSA, iana.AuthRSA, record.NULL, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_RSA_WITH_3DES_EDE_CBC_SHA:                 {iana.KexRSA, iana.AuthRSA, record.DES_EDE3_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA:             {iana.KexDHE, iana.AuthRSA, record.DES_EDE3_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_RSA_WITH_AES_128_CBC_SHA:                  {iana.KexRSA, iana.AuthRSA, record.AES_128_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_DHE_RSA_WITH_AES_128_CBC_SHA:              {iana.KexDHE, iana.AuthRSA, record.AES_128_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_RSA_WITH_AES_256_CBC_SHA:                  {iana.KexRSA, iana.AuthRSA, record.AES_256_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_DHE_RSA_WITH_AES_256_CBC_SHA:              {iana.KexDHE, iana.AuthRSA, record.AES_256_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_RSA_WITH_NULL_SHA256:                      {iana.KexRSA, iana.AuthRSA, record.NULL, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_RSA_WITH_AES_128_CBC_SHA256:               {iana.KexRSA, iana.AuthRSA, record.AES_128_CBC, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_RSA_WITH_AES_256_CBC_SHA256:               {iana.KexRSA, iana.AuthRSA, record.AES_256_CBC, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_DHE_RSA_WITH_AES_128_CBC_SHA256:           {iana.KexDHE, iana.AuthRSA, record.AES_128_CBC, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_DHE_RSA_WITH_AES_256_CBC_SHA256:           {iana.KexDHE, iana.AuthRSA, record.AES_256_CBC, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_RSA_WITH_AES_128_GCM_SHA256:               {iana.KexRSA, iana.AuthRSA, record.AES_128_GCM, nil, crypto.SHA256},
	iana.TLS_RSA_WITH_AES_256_GCM_SHA384:               {iana.KexRSA, iana.AuthRSA, record.AES_256_GCM, nil, crypto.SHA384},
	iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256:           {iana.KexDHE, iana.AuthRSA, record.AES_128_GCM, nil, crypto.SHA256},
	iana.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384:           {iana.KexDHE, iana.AuthRSA, record.AES_256_GCM, nil, crypto.SHA384},
	iana.TLS_ECDHE_ECDSA_WITH_NULL_SHA:                 {iana.KexECDHE, iana.AuthECDSA, record.NULL, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA:         {iana.KexECDHE, iana.AuthECDSA, record.DES_EDE3_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA:          {iana.KexECDHE, iana.AuthECDSA, record.AES_128_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA:          {iana.KexECDHE, iana.AuthECDSA, record.AES_256_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_ECDHE_RSA_WITH_NULL_SHA:                   {iana.KexECDHE, iana.AuthRSA, record.NULL, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA:           {iana.KexECDHE, iana.AuthRSA, record.DES_EDE3_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA:            {iana.KexECDHE, iana.AuthRSA, record.AES_128_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA:            {iana.KexECDHE, iana.AuthRSA, record.AES_256_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256:       {iana.KexECDHE, iana.AuthECDSA, record.AES_128_CBC, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384:       {iana.KexECDHE, iana.AuthECDSA, record.AES_256_CBC, record.HMAC_SHA384, crypto.SHA384},
	iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256:         {iana.KexECDHE, iana.AuthRSA, record.AES_128_CBC, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384:         {iana.KexECDHE, iana.AuthRSA, record.AES_256_CBC, record.HMAC_SHA384, crypto.SHA384},
	iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:       {iana.KexECDHE, iana.AuthECDSA, record.AES_128_GCM, nil, crypto.SHA256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:       {iana.KexECDHE, iana.AuthECDSA, record.AES_256_GCM, nil, crypto.SHA384},
	iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:         {iana.KexECDHE, iana.AuthRSA, record.AES_128_GCM, nil, crypto.SHA256},
	iana.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:         {iana.KexECDHE, iana.AuthRSA, record.AES_256_GCM, nil, crypto.SHA384},
	iana.TLS_RSA_WITH_AES_128_CCM:                      {iana.KexRSA, iana.AuthRSA, record.AES_128_CCM, nil, crypto.SHA256},
	iana.TLS_RSA_WITH_AES_256_CCM:                      {iana.KexRSA, iana.AuthRSA, record.AES_256_CCM, nil, crypto.SHA256},
	iana.TLS_DHE_RSA_WITH_AES_128_CCM:                  {iana.KexDHE, iana.AuthRSA, record.AES_128_CCM, nil, crypto.SHA256},
	iana.TLS_DHE_RSA_WITH_AES_256_CCM:                  {iana.KexDHE, iana.AuthRSA, record.AES_256_CCM, nil, crypto.SHA256},
	iana.TLS_RSA_WITH_AES_128_CCM_8:                    {iana.KexRSA, iana.AuthRSA, record.AES_128_CCM_8, nil, crypto.SHA256},
	iana.TLS_RSA_WITH_AES_256_CCM_8:                    {iana.KexRSA, iana.AuthRSA, record.AES_256_CCM_8, nil, crypto.SHA256},
	iana.TLS_DHE_RSA_WITH_AES_128_CCM_8:                {iana.KexDHE, iana.AuthRSA, record.AES_128_CCM_8, nil, crypto.SHA256},
	iana.TLS_DHE_RSA_WITH_AES_256_CCM_8:                {iana.KexDHE, iana.AuthRSA, record.AES_256_CCM_8, nil, crypto.SHA256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_128_CCM:              {iana.KexECDHE, iana.AuthECDSA, record.AES_128_CCM, nil, crypto.SHA256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_256_CCM:              {iana.KexECDHE, iana.AuthECDSA, record.AES_256_CCM, nil, crypto.SHA256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8:            {iana.KexECDHE, iana.AuthECDSA, record.AES_128_CCM_8, nil, crypto.SHA256},
	iana.TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8:            {iana.KexECDHE, iana.AuthECDSA, record.AES_256_CCM_8, nil, crypto.SHA256},
	iana.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:   {iana.KexECDHE, iana.AuthRSA, record.CHACHA20_POLY1305, nil, crypto.SHA256},
	iana.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: {iana.KexECDHE, iana.AuthECDSA, record.CHACHA20_POLY1305, nil, crypto.SHA256},
	iana.TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256:     {iana.KexDHE, iana.AuthRSA, record.CHACHA20_POLY1305, nil, crypto.SHA256},
}
