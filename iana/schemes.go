package iana

// SignatureScheme is a signature algorithm together with its hash. In TLS 1.2 the same 16 bits are
// two bytes, hash and signature. See RFC 8446 §4.2.3 and RFC 5246 §7.4.1.4.1.
type SignatureScheme uint16

// The signature schemes that Vitrine implements.
const (
	RSA_PKCS1_SHA1         SignatureScheme = 0x0201
	ECDSA_SHA1             SignatureScheme = 0x0203
	RSA_PKCS1_SHA224       SignatureScheme = 0x0301 // TLS 1.2's: RFC 8446 reserves both for it
	ECDSA_SHA224           SignatureScheme = 0x0303
	RSA_PKCS1_SHA256       SignatureScheme = 0x0401
	ECDSA_SECP256R1_SHA256 SignatureScheme = 0x0403
	RSA_PKCS1_SHA384       SignatureScheme = 0x0501
	ECDSA_SECP384R1_SHA384 SignatureScheme = 0x0503
	RSA_PKCS1_SHA512       SignatureScheme = 0x0601
	ECDSA_SECP521R1_SHA512 SignatureScheme = 0x0603
	RSA_PSS_RSAE_SHA256    SignatureScheme = 0x0804
	RSA_PSS_RSAE_SHA384    SignatureScheme = 0x0805
	RSA_PSS_RSAE_SHA512    SignatureScheme = 0x0806
	ED25519                SignatureScheme = 0x0807
	ED448                  SignatureScheme = 0x0808
	RSA_PSS_PSS_SHA256     SignatureScheme = 0x0809
	RSA_PSS_PSS_SHA384     SignatureScheme = 0x080A
	RSA_PSS_PSS_SHA512     SignatureScheme = 0x080B

	// MD5_SHA1 is not a code point. Before TLS 1.2, RSA signatures are over MD5 and SHA-1 together
	// and carry no algorithm.
	MD5_SHA1 SignatureScheme = 0
)

func (s SignatureScheme) String() string {
	if isGREASE(uint16(s)) {
		return "GREASE (" + unknown16(s) + ")"
	}
	return name16(s, signatureSchemes)
}

var signatureSchemes = map[SignatureScheme]string{
	0x0101: "rsa_pkcs1_md5", 0x0201: "rsa_pkcs1_sha1", 0x0202: "dsa_sha1", 0x0203: "ecdsa_sha1",
	0x0301: "rsa_pkcs1_sha224", 0x0302: "dsa_sha224", 0x0303: "ecdsa_sha224",
	0x0420: "rsa_pkcs1_sha256_legacy", 0x0520: "rsa_pkcs1_sha384_legacy",
	0x0620: "rsa_pkcs1_sha512_legacy", // a client's in TLS 1.3: RFC 9963
	0x0401: "rsa_pkcs1_sha256", 0x0402: "dsa_sha256", 0x0403: "ecdsa_secp256r1_sha256",
	0x0501: "rsa_pkcs1_sha384", 0x0502: "dsa_sha384", 0x0503: "ecdsa_secp384r1_sha384",
	0x0601: "rsa_pkcs1_sha512", 0x0602: "dsa_sha512", 0x0603: "ecdsa_secp521r1_sha512",
	0x0804: "rsa_pss_rsae_sha256", 0x0805: "rsa_pss_rsae_sha384", 0x0806: "rsa_pss_rsae_sha512",
	0x0807: "ed25519", 0x0808: "ed448", 0x0809: "rsa_pss_pss_sha256", 0x080A: "rsa_pss_pss_sha384",
	0x080B: "rsa_pss_pss_sha512", 0x081A: "ecdsa_brainpoolP256r1tls13_sha256",
	0x081B: "ecdsa_brainpoolP384r1tls13_sha384", 0x081C: "ecdsa_brainpoolP512r1tls13_sha512",
	0x0904: "mldsa44", 0x0905: "mldsa65", 0x0906: "mldsa87", 0: "md5_sha1",
}
