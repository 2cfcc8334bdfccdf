package html

import (
	"encoding/asn1"
	"fmt"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// syntax names the parts of an ASN.1 value. Parts are identified by position, and optional ones by
// their tag.
type syntax struct {
	name   string
	parts  []*syntax
	each   *syntax          // of every part of a list
	tagged map[byte]*syntax // context-specific
	nested bool             // a string of bytes that holds DER
	key    bool             // a public key in a string of bits
}

func is(name string, parts ...*syntax) *syntax { return &syntax{name: name, parts: parts} }
func listOf(name string, each *syntax) *syntax { return &syntax{name: name, each: each} }
func holding(name string) *syntax              { return &syntax{name: name, nested: true} }

var (
	algorithm  = []*syntax{is("algorithm"), is("parameters")}
	rdn        = listOf("relativeDistinguishedName", is("attribute", is("type"), is("value")))
	validity   = is("validity", is("notBefore"), is("notAfter"))
	publicInfo = is("subjectPublicKeyInfo", is("algorithm", algorithm...),
		holding("subjectPublicKey"))
	extension = is("extension", is("extnID"), is("critical"), holding("extnValue"))
	tbs       = &syntax{
		name: "tbsCertificate",
		parts: []*syntax{is("serialNumber"), is("signature", algorithm...), listOf("issuer", rdn),
			validity, listOf("subject", rdn), publicInfo},
		tagged: map[byte]*syntax{
			0xA0: is("version", is("version")),
			0x81: is("issuerUniqueID"),
			0x82: is("subjectUniqueID"),
			0xA3: is("extensions", listOf("extensions", extension)),
		},
	}
	x509Syntax = is("certificate", tbs, is("signatureAlgorithm", algorithm...),
		is("signatureValue"))
)

// rawKeySyntax is a raw public key down to its numbers. See RFC 5280 §4.1.2.7, RFC 8017 §A.1.1, RFC
// 5480 §2.2 and RFC 8410 §4.
var rawKeySyntax = is("subjectPublicKeyInfo", is("algorithm", algorithm...),
	&syntax{name: "subjectPublicKey", key: true,
		parts: []*syntax{is("RSAPublicKey", is("modulus"), is("publicExponent"))}})

// annotate returns the fields of a DER value as wire.Annotate does. Their leaves cover every byte,
// whatever der contains.
func annotate(s *syntax, der []byte, offset, depth int) []wire.Field {
	w := &derWalker{}
	w.elements(der, offset, depth, func(i int, _ byte) *syntax {
		if i == 0 {
			return s
		}
		return nil
	})
	return w.fields
}

type derWalker struct{ fields []wire.Field }

// deepest bounds the recursion. Certificates are not nested as deeply.
const deepest = 40

// elements adds the fields of consecutive values.
func (w *derWalker) elements(b []byte, offset, depth int, part func(i int, tag byte) *syntax) {
	for i := 0; len(b) > 0; i++ {
		head, n, ok := derHeader(b)
		if !ok || depth > deepest {
			w.leaf("unparsed", "no DER value", offset, len(b), depth)
			return
		}
		s := part(i, b[0])
		if s == nil {
			s = is(tagName(b[0]))
		}
		w.element(b[:head+n], head, offset, depth, s)
		b, offset = b[head+n:], offset+head+n
	}
}

func (w *derWalker) element(b []byte, head, offset, depth int, s *syntax) {
	tag, content := b[0], b[head:]
	inside := 0 // bytes between the header and nested DER
	if tag == asn1.TagBitString {
		inside = 1
	}
	switch {
	case tag&0x20 != 0:
		w.node(s.name, b, head, offset, depth)
		w.elements(content, offset+head, depth+1, s.partOf())
	case s.key && tag == asn1.TagBitString && len(content) > 1:
		w.node(s.name, b, head, offset, depth)
		w.leaf("unused bits", fmt.Sprint(content[0]), offset+head, 1, depth+1)
		w.publicKey(content[1:], offset+head+1, depth+1, s)
	case s.nested && len(content) > inside && wellFormed(content[inside:]):
		w.node(s.name, b, head, offset, depth)
		if inside > 0 {
			w.leaf("unused bits", fmt.Sprint(content[0]), offset+head, 1, depth+1)
		}
		w.elements(content[inside:], offset+head+inside, depth+1,
			func(int, byte) *syntax { return nil })
	default:
		w.leaf(s.name, derValue(tag, content)+w.meaning(s.name, tag, content), offset, len(b),
			depth)
	}
}

// keyUses are the bits of a keyUsage, the first the highest of the first byte. See RFC 5280
// §4.2.1.3.
var keyUses = [...]string{"digitalSignature", "nonRepudiation", "keyEncipherment",
	"dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"}

// meaning returns what a number or a string of bits stands for where it does not say so, with a
// colon or in parentheses, or "".
func (w *derWalker) meaning(name string, tag byte, b []byte) string {
	switch {
	case name == "version" && tag == asn1.TagInteger && len(b) == 1 && b[0] <= 2:
		return fmt.Sprintf(" (v%d)", b[0]+1) // RFC 5280 §4.1.2.1
	case tag == asn1.TagBitString && len(b) > 1 && w.lastExtension() == "keyUsage":
		var uses []string
		for i, use := range keyUses {
			if at := 1 + i/8; at < len(b) && b[at]&(0x80>>(i%8)) != 0 {
				uses = append(uses, use)
			}
		}
		if len(uses) > 0 {
			return ": " + strings.Join(uses, ", ")
		}
	}
	return ""
}

// lastExtension returns the name of the extension that the walk is in, if it is in one.
func (w *derWalker) lastExtension() string {
	for i := len(w.fields) - 1; i >= 0; i-- {
		if w.fields[i].Name == "extnID" {
			name, _, _ := strings.Cut(w.fields[i].Value, " ")
			return name
		}
	}
	return ""
}

// publicKey adds the fields of the key in a subjectPublicKey: those of an RSA key, which is DER,
// the coordinates of an uncompressed point, or else one field.
func (w *derWalker) publicKey(b []byte, offset, depth int, s *syntax) {
	half, kind := len(b)/2, ""
	for _, f := range w.fields {
		if f.Name == "algorithm" && f.Leaf {
			kind, _, _ = strings.Cut(f.Value, " ")
		}
	}
	switch {
	case (kind == "rsaEncryption" || kind == "rsassaPss") && wellFormed(b):
		w.elements(b, offset, depth, s.partOf())
	case kind == "ecPublicKey" && b[0] == 4 && len(b) > 1 && len(b)%2 == 1:
		w.leaf("form of the point", "4: uncompressed", offset, 1, depth)
		w.leaf("x", excerpt(b[1:1+half]), offset+1, half, depth)
		w.leaf("y", excerpt(b[1+half:]), offset+1+half, half, depth)
	default:
		w.leaf("key", excerpt(b), offset, len(b), depth)
	}
}

// partOf returns a function that is called for each part in turn and returns its syntax, or nil.
func (s *syntax) partOf() func(int, byte) *syntax {
	next := 0
	return func(_ int, tag byte) *syntax {
		if t, ok := s.tagged[tag]; ok {
			return t
		}
		if s.each != nil {
			return s.each
		}
		// "critical" is DEFAULT FALSE, and DER leaves defaults out.
		for next < len(s.parts) && s.parts[next].name == "critical" && tag != asn1.TagBoolean {
			next++
		}
		if next >= len(s.parts) {
			return nil
		}
		next++
		return s.parts[next-1]
	}
}

func (w *derWalker) node(name string, b []byte, head, offset, depth int) {
	w.fields = append(w.fields, wire.Field{Name: name, Offset: offset, Len: len(b), Depth: depth})
	w.leaf("tag and length", fmt.Sprintf("%s, %d bytes", tagName(b[0]), len(b)-head), offset,
		head, depth+1)
}

func (w *derWalker) leaf(name, value string, offset, n, depth int) {
	w.fields = append(w.fields,
		wire.Field{Name: name, Value: value, Offset: offset, Len: n, Depth: depth, Leaf: true})
}

// derHeader returns the length of tag and length octets, and that of the content. Tags of more than
// one byte, which certificates do not use, are rejected.
func derHeader(b []byte) (head, n int, ok bool) {
	if len(b) < 2 || b[0]&0x1F == 0x1F {
		return 0, 0, false
	}
	head, n = 2, int(b[1])
	if n >= 0x80 {
		more := n & 0x7F
		if more == 0 || more > 3 || len(b) < 2+more {
			return 0, 0, false
		}
		n = 0
		for _, c := range b[2 : 2+more] {
			n = n<<8 | int(c)
		}
		head += more
	}
	return head, n, n <= len(b)-head
}

// wellFormed reports whether b is a single DER value, constructed or a string that may hold DER.
func wellFormed(b []byte) bool {
	head, n, ok := derHeader(b)
	if !ok || head+n != len(b) {
		return false
	}
	if b[0]&0x20 == 0 {
		return b[0] == asn1.TagOctetString || b[0] == asn1.TagBitString
	}
	for rest := b[head:]; len(rest) > 0; {
		head, n, ok := derHeader(rest)
		if !ok {
			return false
		}
		rest = rest[head+n:]
	}
	return true
}

func tagName(tag byte) string {
	switch tag {
	case 0x30:
		return "SEQUENCE"
	case 0x31:
		return "SET"
	case asn1.TagBoolean:
		return "BOOLEAN"
	case asn1.TagInteger:
		return "INTEGER"
	case asn1.TagBitString:
		return "BIT STRING"
	case asn1.TagOctetString:
		return "OCTET STRING"
	case asn1.TagNull:
		return "NULL"
	case asn1.TagOID:
		return "OBJECT IDENTIFIER"
	}
	if tag>>6 == 2 {
		return fmt.Sprintf("[%d]", tag&0x1F)
	}
	return fmt.Sprintf("tag 0x%02X", tag)
}

// derValue formats the content of a primitive value.
func derValue(tag byte, b []byte) string {
	switch tag {
	case asn1.TagBoolean:
		return strconv.FormatBool(len(b) == 1 && b[0] != 0)
	case asn1.TagNull:
		return "NULL"
	case asn1.TagInteger:
		if len(b) <= 4 {
			n := 0
			for _, c := range b {
				n = n<<8 | int(c)
			}
			return fmt.Sprint(n)
		}
		return "0x" + excerpt(b)
	case asn1.TagOID:
		return oid(b)
	case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, 0x82, 0x86:
		return fmt.Sprintf("%q", b)
	case asn1.TagUTCTime, asn1.TagGeneralizedTime:
		return fmt.Sprintf("%q", b)
	case asn1.TagBitString:
		if len(b) > 0 {
			return excerpt(b[1:])
		}
	}
	return excerpt(b)
}

// oid formats an object identifier, with its name if it is known.
func oid(b []byte) string {
	var arcs []string
	n := uint64(0)
	for i, c := range b {
		if n = n<<7 | uint64(c&0x7F); n > 1<<50 {
			return excerpt(b)
		}
		if c&0x80 != 0 {
			if i == len(b)-1 {
				return excerpt(b)
			}
			continue
		}
		if len(arcs) == 0 {
			first := min(n/40, 2)
			arcs = append(arcs, fmt.Sprint(first))
			n -= 40 * first
		}
		arcs = append(arcs, fmt.Sprint(n))
		n = 0
	}
	dotted := strings.Join(arcs, ".")
	if name, ok := oids[dotted]; ok {
		return name + " (" + dotted + ")"
	}
	return dotted
}

// oids are the object identifiers of common certificates. See RFC 5280, RFC 5480, RFC 5758, RFC
// 8017 and RFC 8410.
var oids = map[string]string{
	"2.5.4.3":                 "commonName",
	"2.5.4.5":                 "serialNumber",
	"2.5.4.6":                 "countryName",
	"2.5.4.7":                 "localityName",
	"2.5.4.8":                 "stateOrProvinceName",
	"2.5.4.10":                "organizationName",
	"2.5.4.11":                "organizationalUnitName",
	"2.5.29.14":               "subjectKeyIdentifier",
	"2.5.29.15":               "keyUsage",
	"2.5.29.17":               "subjectAltName",
	"2.5.29.19":               "basicConstraints",
	"2.5.29.31":               "cRLDistributionPoints",
	"2.5.29.32":               "certificatePolicies",
	"2.5.29.35":               "authorityKeyIdentifier",
	"2.5.29.37":               "extKeyUsage",
	"1.3.6.1.5.5.7.1.1":       "authorityInfoAccess",
	"1.3.6.1.5.5.7.1.24":      "tlsfeature",
	"1.3.6.1.5.5.7.3.1":       "serverAuth",
	"1.3.6.1.5.5.7.3.2":       "clientAuth",
	"1.3.6.1.5.5.7.48.1":      "ocsp",
	"1.3.6.1.5.5.7.48.2":      "caIssuers",
	"1.3.6.1.4.1.11129.2.4.2": "signedCertificateTimestampList",
	"1.2.840.113549.1.1.1":    "rsaEncryption",
	"1.2.840.113549.1.1.5":    "sha1WithRSAEncryption",
	"1.2.840.113549.1.1.10":   "rsassaPss",
	"1.2.840.113549.1.1.11":   "sha256WithRSAEncryption",
	"1.2.840.113549.1.1.12":   "sha384WithRSAEncryption",
	"1.2.840.113549.1.1.13":   "sha512WithRSAEncryption",
	"1.2.840.10045.2.1":       "ecPublicKey",
	"1.2.840.10045.3.1.7":     "secp256r1",
	"1.3.132.0.34":            "secp384r1",
	"1.3.132.0.35":            "secp521r1",
	"1.2.840.10045.4.3.2":     "ecdsaWithSHA256",
	"1.2.840.10045.4.3.3":     "ecdsaWithSHA384",
	"1.2.840.10045.4.3.4":     "ecdsaWithSHA512",
	"1.3.101.110":             "X25519",
	"1.3.101.111":             "X448",
	"1.3.101.112":             "Ed25519",
	"1.3.101.113":             "Ed448",
}

// excerpt returns the beginning of a value in hex.
func excerpt(b []byte) string {
	const n = 12
	if len(b) <= n {
		return fmt.Sprintf("%x", b)
	}
	return fmt.Sprintf("%x…", b[:n])
}
