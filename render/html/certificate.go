package html

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"maps"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/wire"
)

// withCertificates replaces each certificate or raw public key in the fields of a Certificate
// message, which is opaque to TLS, by its own fields, and adds the sentences about them to notes.
func withCertificates(fields []wire.Field, raw []byte,
	notes map[wire.Field]string) (all []wire.Field, list []certificate) {
	add := func(part []wire.Field) {
		all = append(all, part...)
		maps.Copy(notes, annotateNotes(part))
	}
	for _, f := range fields {
		der := raw[f.Offset : f.Offset+f.Len]
		switch {
		case f.Leaf && (f.Name == "certificate" || f.Name == "cert_data"):
			add(annotate(x509Syntax, der, f.Offset, f.Depth))
			list = append(list, decode(len(list), der))
		case f.Leaf && f.Name == "subject_public_key_info":
			add(annotate(rawKeySyntax, der, f.Offset, f.Depth))
			list = append(list, decodeKey(der))
		default:
			all = append(all, f)
		}
	}
	return all, list
}

// decodeKey describes a raw public key. See RFC 7250.
func decodeKey(der []byte) certificate {
	key, err := pki.ReadRawKey(der)
	text := "unreadable"
	if err != nil {
		text += ": " + explain.Escape(err.Error())
	} else if pub, err := key.PublicKey(); err == nil {
		text = publicKey(&x509.Certificate{PublicKey: pub})
	}
	return certificate{"The sender's raw public key, decoded", []row{
		{"public key", text},
		{"SHA-256 (pin)", fmt.Sprintf("%x", pki.Pin(der))},
		{"name and issuer", "none: who does not know the key already learns nothing from it"},
	}}
}

// decode describes a certificate. Its contents are shown unverified.
func decode(n int, der []byte) certificate {
	title := "The sender's own certificate, decoded"
	if n > 0 {
		title = fmt.Sprintf("Certificate %d, which signs the one before it", n+1)
	}
	c, err := pki.ReadCertificate(der)
	if c.RawSubject == nil {
		return certificate{title, []row{{"unreadable", explain.Escape(err.Error())}}}
	}
	rows := []row{
		{"subject", explain.Escape(c.Subject.String())},
		{"issuer", explain.Escape(c.Issuer.String())},
		{"names (SAN)", explain.Escape(strings.Join(names(c), ", "))},
		{"valid", c.NotBefore.UTC().Format("2006-01-02 15:04:05") + " to " +
			c.NotAfter.UTC().Format("2006-01-02 15:04:05") + " UTC"},
		{"public key", publicKey(c)},
		{"signed with", c.SignatureAlgorithm.String() +
			fmt.Sprintf(", %d bytes", len(c.Signature))},
		{"serial number", fmt.Sprintf("%x", c.SerialNumber)},
		{"may be used for", strings.Join(usages(c), ", ")},
	}
	if err != nil {
		rows = append(rows, row{"malformed", explain.Escape(err.Error())})
	}
	if c.IsCA {
		rows = append(rows, row{"authority", "yes: may sign other certificates"})
	}
	full := rows[:0]
	for _, r := range rows {
		if r.Text != "" {
			full = append(full, r)
		}
	}
	return certificate{title, full}
}

func names(c *x509.Certificate) []string {
	list := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		list = append(list, ip.String())
	}
	for _, u := range c.URIs {
		list = append(list, u.String())
	}
	return append(list, c.EmailAddresses...)
}

func publicKey(c *x509.Certificate) string {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA, %d bits, e = %d", k.N.BitLen(), k.E)
	case *ecdsa.PublicKey:
		return "ECDSA on " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519, 256 bits"
	}
	return pki.KeyName(c)
}

func usages(c *x509.Certificate) (list []string) {
	for bit, name := range keyUses {
		if c.KeyUsage&(1<<bit) != 0 {
			list = append(list, name)
		}
	}
	for _, u := range c.ExtKeyUsage {
		switch u {
		case x509.ExtKeyUsageServerAuth:
			list = append(list, "TLS server")
		case x509.ExtKeyUsageClientAuth:
			list = append(list, "TLS client")
		}
	}
	return list
}
