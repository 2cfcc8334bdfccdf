package pki

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// maxRSABits bounds the cost of a public-key operation with a peer's key.
const maxRSABits = 8192

// maxCertificates bounds how many certificates of a peer are parsed. What fits into a message would
// be 500 small ones. The longest paths of public authorities have five.
const maxCertificates = 64

// A Chain is a certificate_list, the leaf first, or a raw public key in place of one, which has no
// leaf: see ReadRawKey. See RFC 5246 §7.4.2.
type Chain struct {
	Certs  []*x509.Certificate
	raw    *rawKey
	faults []*Fault
}

// ParseChain parses the certificates of a Certificate message, each in DER. For malformed ones, and
// for a leaf with an RSA key of less than 1024 bits, the error is bad_certificate. An empty chain
// is no error: a client may send one. See RFC 5246 §7.4.6.
func ParseChain(raw [][]byte) (*Chain, error) {
	c, err := ReadChain(raw)
	if err == nil {
		err = c.Sound()
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

func tooLong(k *rsa.PublicKey) error {
	return alert.Fail(alert.BadCertificate, "RFC 5246 §7.4.2, RFC 8446 §4.4.2",
		"got a certificate with an RSA key of %d bits, expected at most %d",
		k.N.BitLen(), maxRSABits)
}

// Leaf returns the certificate of the peer itself, or nil for an empty chain and a raw public key.
func (c *Chain) Leaf() *x509.Certificate {
	if len(c.Certs) == 0 {
		return nil
	}
	return c.Certs[0]
}

// Raw returns the chain in the form of a Certificate message.
func (c *Chain) Raw() [][]byte {
	if c.raw != nil {
		return [][]byte{c.raw.spki}
	}
	raw := make([][]byte, len(c.Certs))
	for i, cert := range c.Certs {
		raw[i] = cert.Raw
	}
	return raw
}

// PublicKey returns the leaf's key: an *rsa.PublicKey, *PSSPublicKey, *ecdsa.PublicKey,
// ed25519.PublicKey or circl's ed448.PublicKey. For any other the error is unsupported_certificate.
func (c *Chain) PublicKey() (crypto.PublicKey, error) {
	if c.raw != nil {
		return c.raw.pub, nil
	}
	leaf := c.Leaf()
	if leaf == nil {
		return nil, alert.Fail(alert.BadCertificate, "RFC 5246 §7.4.2, RFC 8446 §4.4.2",
			"got an empty certificate chain, expected a leaf")
	}
	pub := leaf.PublicKey
	if pub == nil {
		if leaf.RawSubjectPublicKeyInfo == nil {
			return nil, c.Sound() // the key could not be read either
		}
		var err error
		if pub, err = parseSPKI(leaf.RawSubjectPublicKeyInfo); err != nil {
			if len(c.faults) > 0 && c.faults[0].Index == 0 {
				err = c.faults[0].Err // the better reason
			}
			return nil, alert.Fail(alert.UnsupportedCertificate, "RFC 5280 §4.1.2.7",
				"the certificate's public key: %w", err)
		}
		if k, ok := pub.(*PSSPublicKey); ok && k.N.BitLen() > maxRSABits {
			return nil, tooLong(k.PublicKey)
		}
	}
	if kindOf(pub) == keyUnknown {
		return nil, alert.Fail(alert.UnsupportedCertificate, "RFC 5246 §7.4.2, RFC 8446 §4.4.2.2",
			"got a certificate whose key (%v, %T) cannot sign in TLS", leaf.PublicKeyAlgorithm, pub)
	}
	return pub, nil
}

// Trust has the roots and the rules that a chain is checked against.
type Trust struct {
	Roots *x509.CertPool // nil: the system's
	// the DNS name or IP address that a server must prove; not asked of a client
	Name string
	Now  time.Time // zero: the system's clock

	// Listed are further roots. They are needed as a list, because a pool does not give out its
	// certificates, where a path needs a signature that crypto/x509 does not compute. Of Roots such
	// a path can only use one that the peer sends along, or one that signed with an algorithm that
	// crypto/x509 does compute.
	Listed []*x509.Certificate

	// Weak accepts certificates that are signed with SHA-1 or SHA-224. Finding a collision of SHA-1
	// costs some ten thousand dollars, and lets the holder of one certificate forge another of the
	// same authority.
	Weak bool
}

// Verify returns the paths from the leaf to a root. It checks that the leaf may be used by from,
// the side that sent it, and the name of a server. Paths are found and judged by crypto/x509. If
// there is none, Verify looks for one that needs signatures of RSASSA-PSS or Ed448 keys or, with
// t.Weak, with SHA-1 or SHA-224; crypto/x509 judges it in all respects but the signatures. The
// error's cause is a *tls.CertificateVerificationError, as in crypto/tls. See RFC 5246 §7.2.2 for
// the alerts, RFC 5280 §6 and RFC 9525 §6 for the checks.
func (c *Chain) Verify(from iana.Side, t Trust) ([][]*x509.Certificate, error) {
	leaf := c.Leaf()
	if leaf == nil {
		return nil, alert.Fail(alert.BadCertificate, "RFC 5246 §7.4.2, RFC 8446 §4.4.2",
			"got an empty certificate chain, expected a leaf")
	}
	if err := c.Sound(); err != nil {
		return nil, err
	}
	opts := x509.VerifyOptions{Roots: t.Roots, CurrentTime: t.Now,
		Intermediates: x509.NewCertPool()}
	switch from {
	case iana.Server:
		if t.Name == "" { // crypto/x509 would check no name at all
			return nil, alert.Fail(alert.InternalError, "RFC 9525 §6",
				"no name to check the server's certificate for")
		}
		opts.DNSName, opts.KeyUsages = t.Name, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	default:
		opts.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	for _, cert := range c.Certs[1:] {
		opts.Intermediates.AddCert(cert)
	}
	paths, err := leaf.Verify(opts)
	if err != nil && otherPath(err, leaf) && c.foreign(t) {
		path, because := c.find(t, opts)
		switch {
		case path != nil:
			return [][]*x509.Certificate{path}, nil
		case because != nil:
			err = because
		}
	}
	if err != nil {
		return nil, c.refuse(err, t)
	}
	return paths, nil
}

// otherPath reports whether another path may exist after an error of crypto/x509: not if the error
// is about the leaf itself.
func otherPath(err error, leaf *x509.Certificate) bool {
	if e, ok := err.(x509.CertificateInvalidError); ok {
		return !e.Cert.Equal(leaf)
	}
	_, unknown := err.(x509.UnknownAuthorityError)
	return unknown
}

// refuse returns the alert for a failed validation. For a name that does not match it is
// bad_certificate, as in OpenSSL and rustls: the RFC names no alert for it. A broken signature
// cannot be told from another authority with the same name, so it is unknown_ca.
func (c *Chain) refuse(err error, t Trust) error {
	cause := &tls.CertificateVerificationError{UnverifiedCertificates: c.Certs, Err: err}
	d := alert.CertificateUnknown
	switch err := err.(type) {
	case x509.CertificateInvalidError:
		switch err.Reason {
		case x509.Expired: // or not yet valid
			d = alert.CertificateExpired
		case x509.IncompatibleUsage:
			d = alert.UnsupportedCertificate
		default:
			d = alert.BadCertificate
		}
	case x509.HostnameError:
		d = alert.BadCertificate
	case x509.UnhandledCriticalExtension:
		d = alert.UnsupportedCertificate
	case x509.SystemRootsError:
		d = alert.InternalError // the fault of this side, not of the peer
	case x509.UnknownAuthorityError:
		d = alert.UnknownCA
		// the better reason: crypto/x509 just finds no path through it
		for _, cert := range c.Certs {
			name, accepted := WeakSignature(cert), t.Weak &&
				cert.SignatureAlgorithm != x509.MD5WithRSA
			if name != "" && !accepted {
				cause.Err = &WeakError{cert, name, err}
				return &alert.Error{Alert: alert.BadCertificate, Ref: "RFC 8446 §4.4.2.4",
					Reason: cause.Err.Error(), Cause: cause}
			}
		}
	}
	return alert.Fail(d, "RFC 5280 §6", "%w", cause)
}

func selfIssued(c *x509.Certificate) bool { return slices.Equal(c.RawSubject, c.RawIssuer) }

// Fits checks that the leaf can do what a cipher suite asks: that it has the right kind of key
// (ECDSA suites take EdDSA keys too) and that its KeyUsage, if any, allows keyEncipherment for RSA
// key exchange and digitalSignature for the rest. AuthNone takes any key: a client's certificate,
// or TLS 1.3. A misfit is illegal_parameter, as in OpenSSL and BoringSSL, because it is the
// server's choice of suite that contradicts its certificate.
//
// With lax, a server's RSA key may do either if its KeyUsage allows any use in TLS, as crypto/tls,
// curl and OpenSSL have it: certificates with keyEncipherment alone are common, and such servers
// choose ECDHE all the same. It is for servers alone. See RFC 5246 §7.4.2 and RFC 8422 §2, §5.3.
func (c *Chain) Fits(auth iana.Authentication, kex iana.KeyExchange, lax bool) error {
	pub, err := c.PublicKey()
	if err != nil {
		return err
	}
	kind := kindOf(pub)
	fits := false
	switch auth {
	case iana.AuthNone:
		fits = true
	case iana.AuthRSA:
		fits = kind == keyRSA || kind == keyPSS && !enciphers(kex)
	case iana.AuthECDSA:
		fits = kind == keyECDSA || kind == keyEd25519 || kind == keyEd448
	case iana.AuthPSK:
		fits = kind == keyRSA && enciphers(kex)
	}
	if !fits {
		return alert.KindKeyUsage.Fail(alert.IllegalParameter, "RFC 5246 §7.4.2",
			"got a certificate with an %v key, expected one for %v key "+
				"exchange with %v authentication", kind, kex, auth)
	}
	want, name := x509.KeyUsageDigitalSignature, "digitalSignature"
	if enciphers(kex) {
		want, name = x509.KeyUsageKeyEncipherment, "keyEncipherment"
	}
	if lax && (kind == keyRSA || kind == keyPSS) {
		want |= x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment |
			x509.KeyUsageKeyAgreement
	}
	if c.raw != nil {
		return nil // KeyUsage does not limit it
	}
	if usage := c.Leaf().KeyUsage; usage != 0 && usage&want == 0 {
		return alert.KindKeyUsage.Fail(alert.IllegalParameter, keyUsageRef,
			"got a certificate whose KeyUsage (bits %#x) leaves out %s, which %v needs",
			int(usage), name, cmp.Or(kex.String(), "a signature"))
	}
	return nil
}

const keyUsageRef = "RFC 5280 §4.2.1.3"

// enciphers reports whether the client encrypts to the certificate's key, which otherwise signs.
func enciphers(kex iana.KeyExchange) bool { return kex == iana.KexRSA || kex == iana.KexRSAPSK }

// FitsGroups checks the group of an ECDSA leaf against supported_groups. nil means that none were
// sent, which allows any group. An EdDSA key has no group: signature_algorithms covers it. See RFC
// 8422 §5.1 and §5.3.
func (c *Chain) FitsGroups(groups []iana.Group) error {
	pub, err := c.PublicKey()
	if err != nil {
		return err
	}
	if g := groupOf(pub); g != 0 && groups != nil && !slices.Contains(groups, g) {
		return alert.KindGroup.Fail(alert.IllegalParameter, "RFC 8422 §5.3",
			"got a certificate with a key in %v, expected one of %v", g, groups)
	}
	return nil
}

// Satisfies checks that every certificate is signed with one of schemes, which come from
// signature_algorithms_cert or, without it, from signature_algorithms. Self-signed ones are exempt,
// because their signature proves nothing. See RFC 5246 §7.4.2 and RFC 8446 §4.2.3.
func (c *Chain) Satisfies(schemes []iana.SignatureScheme) error {
	for i, cert := range c.Certs {
		signed := signatureSchemes(cert)
		if selfIssued(cert) ||
			slices.ContainsFunc(schemes,
				func(s iana.SignatureScheme) bool { return slices.Contains(signed, s) }) {
			continue
		}
		return alert.KindScheme.Fail(
			alert.UnsupportedCertificate,
			"RFC 5246 §7.4.2, RFC 8446 §4.4.2.2",
			"certificate %d of %d is signed with %v, expected one of %v",
			i+1,
			len(c.Certs),
			cert.SignatureAlgorithm,
			schemes,
		)
	}
	return nil
}

// signatureSchemes returns the code points for a certificate's signature. An X.509 signature has no
// group, and whether a PSS signature is rsae or pss depends on a key that may not be in the chain,
// so several may stand for one.
func signatureSchemes(c *x509.Certificate) []iana.SignatureScheme {
	switch c.SignatureAlgorithm {
	case x509.MD5WithRSA:
		return []iana.SignatureScheme{0x0101}
	case x509.SHA1WithRSA:
		return []iana.SignatureScheme{iana.RSA_PKCS1_SHA1}
	case x509.SHA256WithRSA:
		return []iana.SignatureScheme{iana.RSA_PKCS1_SHA256}
	case x509.SHA384WithRSA:
		return []iana.SignatureScheme{iana.RSA_PKCS1_SHA384}
	case x509.SHA512WithRSA:
		return []iana.SignatureScheme{iana.RSA_PKCS1_SHA512}
	case x509.SHA256WithRSAPSS:
		return pssSchemes(crypto.SHA256)
	case x509.SHA384WithRSAPSS:
		return pssSchemes(crypto.SHA384)
	case x509.SHA512WithRSAPSS:
		return pssSchemes(crypto.SHA512)
	case x509.ECDSAWithSHA1:
		return []iana.SignatureScheme{iana.ECDSA_SHA1}
	case x509.ECDSAWithSHA256:
		return []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256}
	case x509.ECDSAWithSHA384:
		return []iana.SignatureScheme{iana.ECDSA_SECP384R1_SHA384}
	case x509.ECDSAWithSHA512:
		return []iana.SignatureScheme{iana.ECDSA_SECP521R1_SHA512}
	case x509.PureEd25519:
		return []iana.SignatureScheme{iana.ED25519}
	}
	return foreignSchemes(c)
}

// pssSchemes returns the two schemes of RSASSA-PSS with a hash, or nil: the key of the one is a
// plain RSA key, that of the other a key for PSS alone.
func pssSchemes(h crypto.Hash) []iana.SignatureScheme {
	switch h {
	case crypto.SHA256:
		return []iana.SignatureScheme{iana.RSA_PSS_RSAE_SHA256, iana.RSA_PSS_PSS_SHA256}
	case crypto.SHA384:
		return []iana.SignatureScheme{iana.RSA_PSS_RSAE_SHA384, iana.RSA_PSS_PSS_SHA384}
	case crypto.SHA512:
		return []iana.SignatureScheme{iana.RSA_PSS_RSAE_SHA512, iana.RSA_PSS_PSS_SHA512}
	}
	return nil
}
