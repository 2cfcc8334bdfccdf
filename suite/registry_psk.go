package suite

import (
	"crypto"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// The rows of suites with a pre-shared key: RFC 4279, RFC 4785, RFC 5487, RFC 5489, RFC 6655, RFC 7905 and RFC 8442. The key proves who is
// there, in RSA_PSK together with a certificate.
var preShared = map[iana.CipherSuite]Columns{
	iana.TLS_PSK_WITH_NULL_SHA:                       {iana.KexPSK, iana.AuthPSK, record.NULL, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_DHE_PSK_WITH_NULL_SHA:                   {iana.KexDHEPSK, iana.AuthPSK, record.NULL, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_RSA_PSK_WITH_NULL_SHA:                   {iana.KexRSAPSK, iana.AuthPSK, record.NULL, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_PSK_WITH_3DES_EDE_CBC_SHA:               {iana.KexPSK, iana.AuthPSK, record.DES_EDE3_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_PSK_WITH_AES_128_CBC_SHA:                {iana.KexPSK, iana.AuthPSK, record.AES_128_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_PSK_WITH_AES_256_CBC_SHA:                {iana.KexPSK, iana.AuthPSK, record.AES_256_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_DHE_PSK_WITH_3DES_EDE_CBC_SHA:           {iana.KexDHEPSK, iana.AuthPSK, record.DES_EDE3_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_DHE_PSK_WITH_AES_128_CBC_SHA:            {iana.KexDHEPSK, iana.AuthPSK, record.AES_128_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_DHE_PSK_WITH_AES_256_CBC_SHA:            {iana.KexDHEPSK, iana.AuthPSK, record.AES_256_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_RSA_PSK_WITH_3DES_EDE_CBC_SHA:           {iana.KexRSAPSK, iana.AuthPSK, record.DES_EDE3_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_RSA_PSK_WITH_AES_128_CBC_SHA:            {iana.KexRSAPSK, iana.AuthPSK, record.AES_128_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_RSA_PSK_WITH_AES_256_CBC_SHA:            {iana.KexRSAPSK, iana.AuthPSK, record.AES_256_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_PSK_WITH_AES_128_GCM_SHA256:             {iana.KexPSK, iana.AuthPSK, record.AES_128_GCM, nil, crypto.SHA256},
	iana.TLS_PSK_WITH_AES_256_GCM_SHA384:             {iana.KexPSK, iana.AuthPSK, record.AES_256_GCM, nil, crypto.SHA384},
	iana.TLS_DHE_PSK_WITH_AES_128_GCM_SHA256:         {iana.KexDHEPSK, iana.AuthPSK, record.AES_128_GCM, nil, crypto.SHA256},
	iana.TLS_DHE_PSK_WITH_AES_256_GCM_SHA384:         {iana.KexDHEPSK, iana.AuthPSK, record.AES_256_GCM, nil, crypto.SHA384},
	iana.TLS_RSA_PSK_WITH_AES_128_GCM_SHA256:         {iana.KexRSAPSK, iana.AuthPSK, record.AES_128_GCM, nil, crypto.SHA256},
	iana.TLS_RSA_PSK_WITH_AES_256_GCM_SHA384:         {iana.KexRSAPSK, iana.AuthPSK, record.AES_256_GCM, nil, crypto.SHA384},
	iana.TLS_PSK_WITH_AES_128_CBC_SHA256:             {iana.KexPSK, iana.AuthPSK, record.AES_128_CBC, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_PSK_WITH_AES_256_CBC_SHA384:             {iana.KexPSK, iana.AuthPSK, record.AES_256_CBC, record.HMAC_SHA384, crypto.SHA384},
	iana.TLS_PSK_WITH_NULL_SHA256:                    {iana.KexPSK, iana.AuthPSK, record.NULL, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_PSK_WITH_NULL_SHA384:                    {iana.KexPSK, iana.AuthPSK, record.NULL, record.HMAC_SHA384, crypto.SHA384},
	iana.TLS_DHE_PSK_WITH_AES_128_CBC_SHA256:         {iana.KexDHEPSK, iana.AuthPSK, record.AES_128_CBC, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_DHE_PSK_WITH_AES_256_CBC_SHA384:         {iana.KexDHEPSK, iana.AuthPSK, record.AES_256_CBC, record.HMAC_SHA384, crypto.SHA384},
	iana.TLS_DHE_PSK_WITH_NULL_SHA256:                {iana.KexDHEPSK, iana.AuthPSK, record.NULL, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_DHE_PSK_WITH_NULL_SHA384:                {iana.KexDHEPSK, iana.AuthPSK, record.NULL, record.HMAC_SHA384, crypto.SHA384},
	iana.TLS_RSA_PSK_WITH_AES_128_CBC_SHA256:         {iana.KexRSAPSK, iana.AuthPSK, record.AES_128_CBC, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_RSA_PSK_WITH_AES_256_CBC_SHA384:         {iana.KexRSAPSK, iana.AuthPSK, record.AES_256_CBC, record.HMAC_SHA384, crypto.SHA384},
	iana.TLS_RSA_PSK_WITH_NULL_SHA256:                {iana.KexRSAPSK, iana.AuthPSK, record.NULL, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_RSA_PSK_WITH_NULL_SHA384:                {iana.KexRSAPSK, iana.AuthPSK, record.NULL, record.HMAC_SHA384, crypto.SHA384},
	iana.TLS_ECDHE_PSK_WITH_3DES_EDE_CBC_SHA:         {iana.KexECDHEPSK, iana.AuthPSK, record.DES_EDE3_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA:          {iana.KexECDHEPSK, iana.AuthPSK, record.AES_128_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA:          {iana.KexECDHEPSK, iana.AuthPSK, record.AES_256_CBC, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256:       {iana.KexECDHEPSK, iana.AuthPSK, record.AES_128_CBC, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384:       {iana.KexECDHEPSK, iana.AuthPSK, record.AES_256_CBC, record.HMAC_SHA384, crypto.SHA384},
	iana.TLS_ECDHE_PSK_WITH_NULL_SHA:                 {iana.KexECDHEPSK, iana.AuthPSK, record.NULL, record.HMAC_SHA1, crypto.SHA256},
	iana.TLS_ECDHE_PSK_WITH_NULL_SHA256:              {iana.KexECDHEPSK, iana.AuthPSK, record.NULL, record.HMAC_SHA256, crypto.SHA256},
	iana.TLS_ECDHE_PSK_WITH_NULL_SHA384:              {iana.KexECDHEPSK, iana.AuthPSK, record.NULL, record.HMAC_SHA384, crypto.SHA384},
	iana.TLS_PSK_WITH_AES_128_CCM:                    {iana.KexPSK, iana.AuthPSK, record.AES_128_CCM, nil, crypto.SHA256},
	iana.TLS_PSK_WITH_AES_256_CCM:                    {iana.KexPSK, iana.AuthPSK, record.AES_256_CCM, nil, crypto.SHA256},
	iana.TLS_DHE_PSK_WITH_AES_128_CCM:                {iana.KexDHEPSK, iana.AuthPSK, record.AES_128_CCM, nil, crypto.SHA256},
	iana.TLS_DHE_PSK_WITH_AES_256_CCM:                {iana.KexDHEPSK, iana.AuthPSK, record.AES_256_CCM, nil, crypto.SHA256},
	iana.TLS_PSK_WITH_AES_128_CCM_8:                  {iana.KexPSK, iana.AuthPSK, record.AES_128_CCM_8, nil, crypto.SHA256},
	iana.TLS_PSK_WITH_AES_256_CCM_8:                  {iana.KexPSK, iana.AuthPSK, record.AES_256_CCM_8, nil, crypto.SHA256},
	iana.TLS_PSK_DHE_WITH_AES_128_CCM_8:              {iana.KexDHEPSK, iana.AuthPSK, record.AES_128_CCM_8, nil, crypto.SHA256},
	iana.TLS_PSK_DHE_WITH_AES_256_CCM_8:              {iana.KexDHEPSK, iana.AuthPSK, record.AES_256_CCM_8, nil, crypto.SHA256},
	iana.TLS_PSK_WITH_CHACHA20_POLY1305_SHA256:       {iana.KexPSK, iana.AuthPSK, record.CHACHA20_POLY1305, nil, crypto.SHA256},
	iana.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256: {iana.KexECDHEPSK, iana.AuthPSK, record.CHACHA20_POLY1305, nil, crypto.SHA256},
	iana.TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256:   {iana.KexDHEPSK, iana.AuthPSK, record.CHACHA20_POLY1305, nil, crypto.SHA256},
	iana.TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256:   {iana.KexRSAPSK, iana.AuthPSK, record.CHACHA20_POLY1305, nil, crypto.SHA256},
	iana.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256:       {iana.KexECDHEPSK, iana.AuthPSK, record.AES_128_GCM, nil, crypto.SHA256},
	iana.TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384:       {iana.KexECDHEPSK, iana.AuthPSK, record.AES_256_GCM, nil, crypto.SHA384},
	iana.TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256:     {iana.KexECDHEPSK, iana.AuthPSK, record.AES_128_CCM_8, nil, crypto.SHA256},
	iana.TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256:       {iana.KexECDHEPSK, iana.AuthPSK, record.AES_128_CCM, nil, crypto.SHA256},
}
