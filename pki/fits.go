package pki

import (
	"cmp"
	"crypto/x509"
	"errors"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

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

// Excuse adds an error of Fits about the KeyUsage to the chain's faults and returns nil; any other
// it returns. It is for a peer whose certificates are not checked.
func (c *Chain) Excuse(err error) error {
	misfit, ok := errors.AsType[*alert.Error](err)
	if !ok || misfit.Ref != keyUsageRef {
		return err
	}
	c.faults = append(c.faults, &Fault{0, len(c.Certs), errors.New(misfit.Reason)})
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
