package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// ReadCertificate is x509.ParseCertificate, but returns a certificate always. With an error it has
// only what could be read of Raw, RawTBSCertificate, RawSubject, Subject, RawIssuer, Issuer,
// SerialNumber, NotBefore, NotAfter, RawSubjectPublicKeyInfo, PublicKey, SignatureAlgorithm and
// Signature, and of DNSNames and IPAddresses those that are well-formed. Then
// x509.Certificate.Verify refuses it, and every path through it, with
// x509.UnhandledCriticalExtension.
func ReadCertificate(der []byte) (*x509.Certificate, error) {
	c, err := parseCertificate(der)
	if err == nil {
		return c, nil
	}
	c = &x509.Certificate{Raw: der, UnhandledCriticalExtensions: []asn1.ObjectIdentifier{oidUnread}}
	c.PublicKeyAlgorithm = x509.UnknownPublicKeyAlgorithm
	input := cryptobyte.String(der)
	var cert, tbs, fields, algorithm cryptobyte.String
	if !input.ReadASN1(&cert, tag.SEQUENCE) || !cert.ReadASN1Element(&tbs, tag.SEQUENCE) {
		return c, err
	}
	c.RawTBSCertificate = tbs
	var oid asn1.ObjectIdentifier
	if cert.ReadASN1(&algorithm, tag.SEQUENCE) && algorithm.ReadASN1ObjectIdentifier(&oid) {
		c.SignatureAlgorithm = signatureNames[oid.String()]
		cert.ReadASN1BitStringAsBytes(&c.Signature)
	}
	if tbs.ReadASN1(&fields, tag.SEQUENCE) {
		readFields(c, fields)
	}
	return c, err
}

// signatureNames are crypto/x509's names for the common signatures.
var signatureNames = map[string]x509.SignatureAlgorithm{
	"1.2.840.113549.1.1.4":  x509.MD5WithRSA,
	"1.2.840.113549.1.1.5":  x509.SHA1WithRSA,
	"1.2.840.113549.1.1.11": x509.SHA256WithRSA,
	"1.2.840.113549.1.1.12": x509.SHA384WithRSA,
	"1.2.840.113549.1.1.13": x509.SHA512WithRSA,
	"1.2.840.10045.4.1":     x509.ECDSAWithSHA1,
	"1.2.840.10045.4.3.2":   x509.ECDSAWithSHA256,
	"1.2.840.10045.4.3.3":   x509.ECDSAWithSHA384,
	"1.2.840.10045.4.3.4":   x509.ECDSAWithSHA512,
	"1.3.101.112":           x509.PureEd25519,
}

// oidUnread is the critical extension of a certificate that was not understood, under
// joint-iso-itu-t(2) ds(5) certificateExtension(29).
var oidUnread = asn1.ObjectIdentifier{2, 5, 29}

// readFields reads TBSCertificate as far as possible. See RFC 5280 §4.1.
func readFields(c *x509.Certificate, fields cryptobyte.String) {
	var serial, validity, issuer, subject, spki cryptobyte.String
	if !fields.SkipOptionalASN1(tag.Tag(0).Constructed().ContextSpecific()) ||
		!fields.ReadASN1Element(&serial, tag.INTEGER) {
		return
	}
	if n := new(big.Int); serial.ReadASN1Integer(n) {
		c.SerialNumber = n
	}
	if !fields.SkipASN1(tag.SEQUENCE) || !fields.ReadASN1Element(&issuer, tag.SEQUENCE) ||
		!fields.ReadASN1(&validity, tag.SEQUENCE) ||
		!fields.ReadASN1Element(&subject, tag.SEQUENCE) ||
		!fields.ReadASN1Element(&spki, tag.SEQUENCE) {
		return
	}
	c.RawIssuer, c.RawSubject, c.RawSubjectPublicKeyInfo = issuer, subject, spki
	readName(&c.Issuer, issuer)
	readName(&c.Subject, subject)
	if readTime(&validity, &c.NotBefore) {
		readTime(&validity, &c.NotAfter)
	}
	c.PublicKey, c.PublicKeyAlgorithm = readKey(spki)
	fields.SkipOptionalASN1(tag.Tag(1).ContextSpecific())
	fields.SkipOptionalASN1(tag.Tag(2).ContextSpecific())
	var wrapped, extensions cryptobyte.String
	if fields.ReadASN1(&wrapped, tag.Tag(3).Constructed().ContextSpecific()) &&
		wrapped.ReadASN1(&extensions, tag.SEQUENCE) {
		readNames(c, extensions)
	}
}

func readName(n *pkix.Name, der []byte) {
	var rdns pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &rdns); err == nil {
		n.FillFromRDNSequence(&rdns)
	}
}

func readTime(s *cryptobyte.String, t *time.Time) bool {
	if s.PeekASN1Tag(tag.UTCTime) {
		return s.ReadASN1UTCTime(t)
	}
	return s.ReadASN1GeneralizedTime(t)
}

var oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// readNames reads the well-formed names of subjectAltName. See RFC 5280 §4.2.1.6.
func readNames(c *x509.Certificate, extensions cryptobyte.String) {
	var extension, value, names, name cryptobyte.String
	var oid asn1.ObjectIdentifier
	for extensions.ReadASN1(&extension, tag.SEQUENCE) && extension.ReadASN1ObjectIdentifier(&oid) {
		extension.SkipOptionalASN1(tag.BOOLEAN)
		if !oid.Equal(oidSubjectAltName) || !extension.ReadASN1(&value, tag.OCTET_STRING) ||
			!value.ReadASN1(&names, tag.SEQUENCE) {
			continue
		}
		var kind tag.Tag
		for names.ReadAnyASN1(&name, &kind) {
			switch {
			case kind == tag.Tag(2).ContextSpecific() && hostName(name):
				c.DNSNames = append(c.DNSNames, string(name))
			case kind == tag.Tag(7).ContextSpecific() &&
				(len(name) == net.IPv4len || len(name) == net.IPv6len):
				c.IPAddresses = append(c.IPAddresses, net.IP(name))
			}
		}
	}
}

func hostName(s []byte) bool {
	return !strings.ContainsFunc(string(s), func(r rune) bool { return r <= ' ' || r > '~' })
}

// readKey reads a SubjectPublicKeyInfo, also where its parameters are not as they should be: absent
// with an RSA key, or a curve spelt out that has a name. It returns nil for others.
func readKey(spki []byte) (crypto.PublicKey, x509.PublicKeyAlgorithm) {
	if pub, err := x509.ParsePKIXPublicKey(spki); err == nil {
		switch kindOf(pub) {
		case keyRSA:
			return pub, x509.RSA
		case keyECDSA:
			return pub, x509.ECDSA
		case keyEd25519:
			return pub, x509.Ed25519
		}
		return nil, x509.UnknownPublicKeyAlgorithm // DSA, X25519 or P-224: they sign nothing in TLS
	}
	oid, params, bits, ok := splitSPKI(spki)
	switch {
	case !ok:
	case oid.Equal(oidRSA):
		if pub, err := x509.ParsePKCS1PublicKey(bits); err == nil {
			return pub, x509.RSA
		}
	case oid.Equal(oidEC):
		if curve := explicitCurve(params); curve != nil {
			if pub, err := ecdsa.ParseUncompressedPublicKey(curve, bits); err == nil {
				return pub, x509.ECDSA
			}
		}
	}
	return nil, x509.UnknownPublicKeyAlgorithm
}

var (
	oidRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidEC  = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
)

// explicitCurve returns the curve of TLS whose every parameter an ECParameters spells out, or nil:
// one that differs in a single one is another curve, and may be made to be weak (CVE-2020-0601).
// See SEC 1 §C.2.
func explicitCurve(params cryptobyte.String) elliptic.Curve {
	var p struct {
		Version int
		Field   struct {
			Type  asn1.ObjectIdentifier
			Prime *big.Int
		}
		Curve struct {
			A, B []byte
			Seed asn1.BitString `asn1:"optional"`
		}
		Base     []byte
		Order    *big.Int
		Cofactor *big.Int `asn1:"optional"`
	}
	if rest, err := asn1.Unmarshal(params, &p); err != nil || len(rest) > 0 {
		return nil
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		want := curve.Params()
		a := new(big.Int).Sub(want.P, big.NewInt(3))
		size := (want.BitSize + 7) / 8
		base := slices.Concat([]byte{4}, want.Gx.FillBytes(make([]byte, size)),
			want.Gy.FillBytes(make([]byte, size)))
		if p.Field.Prime.Cmp(want.P) == 0 && new(big.Int).SetBytes(p.Curve.A).Cmp(a) == 0 &&
			new(big.Int).SetBytes(p.Curve.B).Cmp(want.B) == 0 &&
			slices.Equal(p.Base, base) && p.Order.Cmp(want.N) == 0 {
			return curve
		}
	}
	return nil
}
