package pki

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"time"
)

// encoded has a leaf with a form of its own.
func encoded(name string, server, client bool, f form, edits ...edit) rule {
	f.sig = sha256ECDSA
	return rule{name: name, server: server, client: client,
		build: func(c chainOf) (chain, roots []*node) {
			root := c.root()
			mid := c.under(root)
			return []*node{c.leafOf(mid, f, edits...), mid}, []*node{root}
		}}
}

// field replaces a field of the TBSCertificate: 1 serial number, 2 signature, 3 issuer, 4 validity,
// 5 subject, 6 key, 7 extensions. See RFC 5280 §4.1.
func field(i int, der []byte) form {
	return form{tbs: func(fields []asn1.RawValue) []asn1.RawValue {
		fields[i] = asn1.RawValue{FullBytes: der}
		return fields
	}}
}

// extension adds an extension, and extensions of one kind that are added keep the template's out.
func extension(critical bool, value []byte, id ...int) edit {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions,
			pkix.Extension{Id: id, Critical: critical, Value: value})
	}
}

func validity(kind byte, layout string, until time.Duration) []byte {
	at := func(d time.Duration) []byte { return tlv(kind, []byte(now.Add(d).UTC().Format(layout))) }
	return tlv(0x30, append(at(-time.Hour), at(until)...))
}

// replaced replaces bytes of the TBSCertificate's extensions.
func replaced(from, to string) form {
	return form{tbs: func(fields []asn1.RawValue) []asn1.RawValue {
		last := len(fields) - 1
		fields[last].FullBytes = bytes.Replace(fields[last].FullBytes, []byte(from), []byte(to), 1)
		return fields
	}}
}

// See RFC 5280 §4.1, §4.2 and appendix A, and ITU-T X.690 §10 and §11.
func encodingRules() []rule {
	return append(append(fieldRules(), extensionRules()...), outerRules()...)
}

func fieldRules() []rule {
	const utc, general = 0x17, 0x18
	other, _ := asn1.Marshal(pkix.AlgorithmIdentifier{Algorithm: oidSHA224ECDSA})
	utf8, _ := asn1.Marshal(pkix.RDNSequence{{{Type: asn1.ObjectIdentifier{2, 5, 4, 3},
		Value: asn1.RawValue{FullBytes: tlv(0x0C, []byte("intermediate"))}}}})
	point, _ := forgeKeys().ecdsa[1].PublicKey.Bytes()
	short := rekeyed(oidEC, []byte{6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7}, compressed(point))
	uniqueID := form{tbs: func(f []asn1.RawValue) []asn1.RawValue {
		id := asn1.RawValue{FullBytes: []byte{0x82, 2, 0, 1}}
		return append(append(f[:7:7], id), f[7:]...)
	}}
	return []rule{
		encoded("version 1, which has no names, §4.1.2.1", false, true, form{v1: true}),
		encoded("a negative serial number, §4.1.2.2", false, false, field(1, []byte{2, 1, 0x80})),
		encoded("a serial number with a leading zero, X.690 §8.3.2", false, false,
			field(1, []byte{2, 2, 0, 1})),
		encoded("a serial number of 0, which roots have", true, true, field(1, []byte{2, 1, 0})),
		encoded("a serial number of 21 bytes", true, true,
			field(1, tlv(2, bytes.Repeat([]byte{1}, 21)))),
		encoded("the signed algorithm is another one, §4.1.1.2", false, false, field(2, other)),
		encoded("the issuer in another kind of string, §7.1", false, false, field(3, utf8)),
		encoded("GeneralizedTime before 2050, §4.1.2.5", true, true,
			field(4, validity(general, "20060102150405Z", time.Hour))),
		encoded("UTCTime without seconds, unlike §4.1.2.5.1", true, true,
			field(4, validity(utc, "0601021504Z", time.Hour))),
		encoded("UTCTime with an offset", false, false,
			field(4, validity(utc, "060102150405-0700", time.Hour))),
		encoded("GeneralizedTime with fractions, §4.1.2.5.2", false, false,
			field(4, validity(general, "20060102150405.5Z", time.Hour))),
		encoded("it ended before it began", false, false,
			field(4, validity(utc, "060102150405Z", -2*time.Hour))),
		encoded("no subject, and a critical subjectAltName, §4.1.2.6", true, true, form{},
			func(c *x509.Certificate) { c.Subject = pkix.Name{} }),
		encoded("a compressed point, RFC 5480 §2.2", false, false, field(6, short)),
		encoded("a unique identifier, §4.1.2.8", true, true, uniqueID),
	}
}

func extensionRules() []rule {
	san := []int{2, 5, 29, 17}
	constraints := []int{2, 5, 29, 19}
	name := tlv(0x82, []byte("a.test"))
	return []rule{
		encoded("an unknown critical extension, §4.2", false, false, form{}, unknownCritical),
		encoded(
			"an unknown extension",
			true,
			true,
			form{},
			extension(false, []byte{5, 0}, 1, 3, 9),
		),
		encoded(
			"subjectAltName twice, §4.2",
			false,
			false,
			replaced("\x55\x1D\x63", "\x55\x1D\x11"),
			extension(
				false,
				tlv(0x30, name),
				san...),
			extension(false, tlv(0x30, name), 2, 5, 29, 99),
		),
		encoded("subjectAltName without a name, §4.2.1.6", false, true, form{},
			extension(false, []byte{0x30, 0}, san...)),
		encoded("subjectAltName with bytes behind it, unlike X.690 §8.9", true, true, form{},
			extension(false, append(tlv(0x30, name), 0), san...)),
		encoded("a name that is not ASCII", false, false, form{},
			extension(false, tlv(0x30, tlv(0x82, []byte("a\xE9.test"))), san...)),
		encoded("an address of five bytes", false, false, form{},
			extension(false, tlv(0x30, append(name, tlv(0x87, make([]byte, 5))...)), san...)),
		encoded("a name that is in no subjectAltName, but an otherName", false, true, form{},
			extension(false, tlv(0x30, tlv(0xA0, append([]byte{6, 1, 42}, tlv(0xA0,
				tlv(0x0C, []byte("a.test")))...))), san...)),
		encoded("cA is FALSE and said, X.690 §11.5", true, true, form{},
			extension(false, []byte{0x30, 3, 1, 1, 0}, constraints...)),
		encoded("TRUE that is not FF, X.690 §11.1", false, false,
			replaced("\x01\x01\xFF", "\x01\x01\x01")),
		encoded("a leaf that permits names", true, true, form{}, permits("b.test")),
		encoded("extKeyUsage without a usage, §4.2.1.12", true, true, form{},
			extension(false, []byte{0x30, 0}, 2, 5, 29, 37)),
		encoded("keyUsage with no bit, §4.2.1.3", true, true, form{},
			extension(true, []byte{3, 2, 7, 0}, 2, 5, 29, 15)),
		simple("constraints that are empty, §4.2.1.10", nil,
			extension(true, []byte{0x30, 0}, 2, 5, 29, 30), nil),
		simple("a permitted name that is none", nil, permits("a..test"), nil),
	}
}

func outerRules() []rule {
	change := func(f func(der []byte) []byte) form { return form{der: f} }
	return []rule{
		encoded("bytes behind a certificate", false, false,
			change(func(der []byte) []byte { return append(der, 0) })),
		encoded("a certificate that is cut", false, false,
			change(func(der []byte) []byte { return der[:len(der)-1] })),
		encoded("a length in more bytes than it needs, X.690 §10.1", false, false,
			change(func(der []byte) []byte {
				return append([]byte{0x30, 0x83, 0, der[2], der[3]}, der[4:]...)
			})),
		encoded("a length that is not said, X.690 §8.1.3.6", false, false,
			change(func(der []byte) []byte {
				return append(append([]byte{0x30, 0x80}, der[4:]...), 0, 0)
			})),
		encoded("a signature that has a bit less", false, false,
			change(func(der []byte) []byte {
				var outer []asn1.RawValue
				asn1.Unmarshal(der, &outer)
				at := len(der) - len(outer[2].Bytes)
				der[at] = 1
				return der
			})),
		encoded("a signature of something else", false, false,
			change(func(der []byte) []byte {
				der[len(der)-1] ^= 1
				return der
			})),
	}
}
