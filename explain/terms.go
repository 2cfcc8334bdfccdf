package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
)

// registryOf lists the code points of one kind.
type registryOf struct {
	kind, shown string
	bits        int
	name        func(uint64) string
}

var registries = []registryOf{
	{"alert", "alert", 8, func(n uint64) string { return alert.Description(n).String() }},
	{"record", "content type of records", 8,
		func(n uint64) string { return iana.ContentType(n).String() }},
	{"message", "handshake message", 8,
		func(n uint64) string { return iana.HandshakeType(n).String() }},
	{"extension", "extension", 16, func(n uint64) string { return iana.ExtensionType(n).String() }},
	{"group", "group", 16, func(n uint64) string { return iana.Group(n).String() }},
	{"scheme", "signature scheme", 16, func(n uint64) string { return schemeName(n) }},
	{"version", "version", 16, func(n uint64) string { return iana.Version(n).String() }},
	{"suite", "cipher suite", 16, func(n uint64) string { return iana.CipherSuite(n).String() }},
}

// schemeName leaves out MD5_SHA1, which is not a code point.
func schemeName(n uint64) string {
	if iana.SignatureScheme(n) == iana.MD5_SHA1 {
		return "0x0000"
	}
	return iana.SignatureScheme(n).String()
}

// named returns the name of a registered number, or "".
func (r *registryOf) named(n uint64) string {
	name := r.name(n)
	if n >= 1<<r.bits || strings.HasPrefix(name, "0x") {
		return ""
	}
	return name
}

func (r *registryOf) number(n uint64) string {
	switch r.kind {
	case "suite", "scheme", "version":
		return fmt.Sprintf("0x%04X", n)
	}
	return strconv.FormatUint(n, 10)
}

// Terms returns the catalogue: every alert, message, extension, group, scheme, version and suite
// that has a name, the glossary, and error messages of other programs. It is built once.
var Terms = sync.OnceValue(func() []Term {
	texts := map[[2]string]Term{} // by kind and name
	var words []Term
	for line := range strings.Lines(termsTSV) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		t := Term{Kind: f[0], Name: f[1], Ref: f[2], Text: f[3]}
		texts[[2]string{t.Kind, t.Name}] = t
		switch t.Kind {
		case "term":
			t.Kind = "word"
			words = append(words, t)
		}
	}
	for _, w := range Glossary(iana.TLS12, iana.TLS13) {
		if !slices.Contains(catalogued, w.Name) {
			words = append(words, Term{Kind: "word", Name: w.Name, Ref: w.Ref, Text: w.Meaning})
		}
	}
	words = append(words, messageTerms()...)
	for i := range registries {
		r := &registries[i]
		for n := range uint64(1) << r.bits {
			if name := r.named(n); name != "" {
				t := texts[[2]string{r.kind, name}]
				words = append(words, r.describe(n, name, t))
			}
		}
	}
	return words
})

// describe returns the term for a row of a registry, completed with what the catalogue says.
func (r *registryOf) describe(n uint64, name string, t Term) Term {
	t.Kind, t.Name, t.Number = r.shown, name, r.number(n)
	switch {
	case t.Text != "":
	case strings.HasPrefix(name, "GREASE"):
		t.Ref, t.Text = "RFC 8701", "Means nothing: offered only to see that it is ignored."
	case r.kind == "suite":
		t.Ref, t.Text = describeSuite(iana.CipherSuite(n))
	case r.kind == "version":
		t.Ref, t.Text = describeVersion(iana.Version(n))
	case r.kind == "group":
		t.Ref, t.Text = "RFC 8422 §5.1.1", "A group that Vitrine can name and does not speak."
	default:
		t.Text = "A " + r.shown + " that Vitrine can name and does not speak."
	}
	return t
}

func describeSuite(id iana.CipherSuite) (ref, text string) {
	if s := suite.ByID13(id); s != nil {
		return "RFC 8446 §B.4", describeSuite13(s)
	}
	s := suite.ByID(id)
	if s == nil {
		if name := id.OpenSSL(); name != "" {
			return "", "OpenSSL calls it " + name + ". Vitrine can name it and does not speak it."
		}
		return "", "Vitrine can name it and does not speak it."
	}
	parts := []string{fmt.Sprintf("%s key exchange, %s authentication, %s",
		s.KeyExchangeName(), s.AuthenticationName(), s.Cipher.Name)}
	if s.MAC != nil {
		parts[0] += " with " + s.MAC.Name
	}
	shape := s.Shape(iana.TLS12)
	parts[0] += fmt.Sprintf(", PRF with %v.", s.PRF)
	if name := id.OpenSSL(); name != "" {
		parts = append(parts, "OpenSSL calls it "+name+".")
	}
	parts = append(parts,
		fmt.Sprintf("key_block: 2 x (%d + %d + %d) = %d bytes of MAC key, key and IV.", shape.MAC,
			shape.Key, shape.IV, shape.Len()))
	if s.ForwardSecret() {
		parts = append(parts, "Forward secret.")
	}
	return suiteRef(s), strings.Join(append(parts, concernsOf(s)...), " ")
}

// describeSuite13 describes a suite of TLS 1.3, which says nothing of the key exchange.
func describeSuite13(s *suite.Suite) string {
	parts := []string{fmt.Sprintf("TLS 1.3: %s, HKDF with %v. Key exchange and signature are "+
		"negotiated apart from it, by key_share and signature_algorithms. Each traffic secret "+
		"gives %d bytes of key and %d of IV.", s.Cipher.Name, s.PRF, s.Cipher.KeyLen,
		s.Cipher.IVLen(iana.TLS13))}
	return strings.Join(append(parts, concernsOf(s)...), " ")
}

// concernsOf returns a sentence for each concern about a suite.
func concernsOf(s *suite.Suite) []string {
	var list []string
	for _, c := range suite.Concerns(s) {
		list = append(list, fmt.Sprintf("%s: %v: %s (%s).", c.What, c.Level, c.Reason, c.Ref))
	}
	return list
}

// suiteRef returns the RFC that defines a suite.
func suiteRef(s *suite.Suite) string {
	switch name := s.Cipher.Name; {
	case s.PreShared() && s.EllipticCurve():
		return "RFC 5489"
	case s.PreShared() && s.MinVersion() == iana.TLS12:
		return "RFC 5487"
	case s.PreShared():
		return "RFC 4279"
	case strings.Contains(name, "GCM") && s.EllipticCurve():
		return "RFC 5289"
	case strings.Contains(name, "GCM"):
		return "RFC 5288"
	case strings.Contains(name, "CCM") && s.EllipticCurve():
		return "RFC 7251"
	case strings.Contains(name, "CCM"):
		return "RFC 6655"
	case strings.Contains(name, "CHACHA"):
		return "RFC 7905"
	case s.EllipticCurve() && s.ID.String() != "" && s.MinVersion() == iana.TLS12:
		return "RFC 5289"
	case s.EllipticCurve():
		return "RFC 8422 §6"
	}
	return "RFC 5246 §A.5"
}

func describeVersion(v iana.Version) (ref, text string) {
	switch v {
	case iana.SSL30:
		return "RFC 7568",
			"Broken (POODLE): must not be used. Its number still begins every version of TLS: 3, 0."
	case iana.TLS10:
		return "RFC 8996",
			"Deprecated. The first ClientHello's record still carries this number, for very old " +
				"servers."
	case iana.TLS11:
		return "RFC 8996", "Deprecated. Brought an IV of its own for each CBC record."
	case iana.TLS12:
		return "RFC 5246",
			"PRF with the hash of the suite, AEAD ciphers. TLS 1.3 pretends to be it in its " +
				"records."
	}
	return "RFC 8446",
		"The current version. It is negotiated by supported_versions and never stands in " +
			"client_version."
}

// byNumber returns the meanings of a number in each registry. A decimal number below 256 is not
// looked up among suites, schemes and versions, since an alert or an extension is meant more often.
func byNumber(n uint64, hexadecimal bool) []Term {
	var list []Term
	for i := range registries {
		r := &registries[i]
		if !hexadecimal && (r.kind == "suite" || r.kind == "scheme" || r.kind == "version") &&
			n < 1<<8 {
			continue
		}
		for _, t := range Terms() {
			if t.Kind == r.shown && t.Number == r.number(n) {
				list = append(list, t)
			}
		}
	}
	return list
}
