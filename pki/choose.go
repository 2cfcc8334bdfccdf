package pki

import (
	"bytes"
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Hello has the parts of a ClientHello that say which certificates the client accepts.
type Hello struct {
	Name        string                 // server_name, or empty
	Schemes     []iana.SignatureScheme // signature_algorithms, or Implied
	CertSchemes []iana.SignatureScheme // signature_algorithms_cert; nil: Schemes says it
	Groups      []iana.Group           // supported_groups; nil: not sent
	Types       []iana.CertificateType // server_certificate_type; nil: X509 alone
}

// Accepts reports whether the client accepts a chain of type t. See RFC 7250 §4.1.
func (h *Hello) Accepts(t iana.CertificateType) bool {
	if h.Types == nil {
		return t == iana.X509
	}
	return slices.Contains(h.Types, t)
}

// Rules has the restrictions of our own policy.
type Rules struct {
	Schemes     []iana.SignatureScheme // to sign with
	LaxKeyUsage bool                   // see Chain.Fits
	TLS13       bool                   // see Signs13
}

// Serves reports whether the credential can be used with a cipher suite and this client, and how it
// would sign. RSA key exchange needs a Decrypter and keyEncipherment; everything else needs a
// Signer, digitalSignature, a common scheme and, for ECDSA, a group that the client supports. See
// RFC 5246 §7.4.2 and RFC 8422 §5.3.
func (c *Credential) Serves(auth iana.Authentication, kex iana.KeyExchange, h Hello,
	r Rules) (iana.SignatureScheme, error) {
	if t := c.Chain.Type(); !h.Accepts(t) {
		return 0, fmt.Errorf("the client does not accept the certificate type %v", t)
	}
	if err := c.Chain.Fits(auth, kex, r.LaxKeyUsage); err != nil {
		return 0, err
	}
	if enciphers(kex) {
		if _, ok := c.Key.(crypto.Decrypter); !ok {
			return 0, errors.New("its private key cannot decrypt")
		}
		return 0, nil
	}
	if err := c.Chain.FitsGroups(h.Groups); err != nil {
		return 0, err
	}
	if r.TLS13 {
		if err := c.outdated(h.Schemes, h.CertSchemes); err != nil {
			return 0, err
		}
	}
	return c.scheme(h.Schemes, r.Schemes, r.TLS13)
}

// outdated returns an error if a certificate of the chain is signed with SHA-1 and the peer does
// not say that it accepts such certificates. Other signatures that it does not name may be sent:
// many peers can check more than they say. See RFC 9846 §4.5.1.2.
func (c *Credential) outdated(schemes, certSchemes []iana.SignatureScheme) error {
	if certSchemes == nil {
		certSchemes = schemes
	}
	for i, cert := range c.Chain.Certs {
		for _, s := range signatureSchemes(cert) {
			sha1 := s == iana.RSA_PKCS1_SHA1 || s == iana.ECDSA_SHA1
			if sha1 && !selfIssued(cert) && !slices.Contains(certSchemes, s) {
				return fmt.Errorf("certificate %d of %d is signed with %v, which the peer does "+
					"not list", i+1, len(c.Chain.Certs), s)
			}
		}
	}
	return nil
}

// A Choice is the credential that was chosen, or nil, and why.
type Choice struct {
	Credential *Credential
	Scheme     iana.SignatureScheme // the scheme to sign with; not used for RSA key exchange
	Named      bool                 // it has the name that the client asked for
	why        func() string
}

// Why returns the reason as a sentence. The sentence is only written when Why is called, which few
// handshakes do.
func (c Choice) Why() string {
	if c.why == nil {
		return none(nil)
	}
	return c.why()
}

// ChooseServer returns the first credential that serves and has the name that the client asked for.
// Without one it returns the first whose signatures the client says it can check, and then the
// first that serves, because many clients can check more than they say. If no credential has the
// name the client gets another and decides. See RFC 5246 §7.4.2 and RFC 6066 §3.
func ChooseServer(creds []*Credential, auth iana.Authentication, kex iana.KeyExchange, h Hello,
	rules Rules) Choice {
	var best Choice
	var most rank
	var refused []unsuitable
	for i, c := range creds {
		s, err := c.Serves(auth, kex, h, rules)
		if err != nil {
			refused = append(refused, unsuitable{c, i, len(creds), err})
		} else if r := c.suits(h); best.Credential == nil || r > most {
			best, most = Choice{c, s, r >= named,
				func() string { return c.label(i, len(creds)) + " " + r.words(h.Name) }}, r
		}
	}
	if best.Credential == nil {
		best.why = func() string { return none(refused) }
	}
	return best
}

// HasName reports whether the certificate is for a name that is not empty. A raw public key has no
// name, and so suits each: its client knows the key itself.
func (c *Credential) HasName(name string) bool {
	return name != "" && (c.Chain.raw != nil || c.Chain.Leaf().VerifyHostname(name) == nil)
}

// rank orders the credentials that can be used. A matching name counts more than signatures that
// the client can check.
type rank uint8

const (
	checkable rank = 1 << iota
	named
)

func (c *Credential) suits(h Hello) (r rank) {
	if c.HasName(h.Name) {
		r |= named
	}
	certSchemes := h.CertSchemes
	if certSchemes == nil {
		certSchemes = h.Schemes
	}
	if c.Chain.Satisfies(certSchemes) == nil {
		r |= checkable
	}
	return r
}

func (r rank) words(name string) string {
	words := fmt.Sprintf("is not for %q", name)
	switch {
	case name == "":
		words = "serves a client that named no server"
	case r >= named:
		words = fmt.Sprintf("is for %q", name)
	}
	if r&checkable != 0 {
		return words + ", and the client accepts all its signatures"
	}
	return words + ", and the client did not say that it accepts all its signatures"
}

// Request is a server's CertificateRequest. See RFC 5246 §7.4.4.
type Request struct {
	Types       []iana.ClientCertificateType
	Schemes     []iana.SignatureScheme // supported_signature_algorithms, or Implied
	CertSchemes []iana.SignatureScheme // signature_algorithms_cert; nil: Schemes says it
	Authorities [][]byte               // distinguished names, DER; none: any authority will do
	TLS13       bool                   // no types are asked for, and see Signs13
	CertType    iana.CertificateType   // that was negotiated: RFC 7250
}

// ChooseClient returns the first credential that fits the request: by the type of its key, by an
// authority that issued a certificate of its chain, and by a scheme that both sides accept. If
// there is none the client sends an empty Certificate and the server decides. See RFC 5246 §7.4.6
// and RFC 8422 §5.5, §5.6.
func ChooseClient(creds []*Credential, r Request, allowed []iana.SignatureScheme) Choice {
	var refused []unsuitable
	for i, c := range creds {
		s, why, err := c.answers(r, allowed)
		if err == nil {
			return Choice{c, s, false, func() string { return c.label(i, len(creds)) + " " + why }}
		}
		refused = append(refused, unsuitable{c, i, len(creds), err})
	}
	return Choice{why: func() string { return none(refused) }}
}

// answers returns how the credential would sign for a CertificateRequest, and why it may be sent.
func (c *Credential) answers(r Request,
	allowed []iana.SignatureScheme) (s iana.SignatureScheme, why string, err error) {
	if t := c.Chain.Type(); t != r.CertType {
		return 0, "", fmt.Errorf("the server asks for the certificate type %v, and this is %v",
			r.CertType, t)
	}
	if err := c.Chain.Fits(iana.AuthNone, iana.KexNone, false); err != nil {
		return 0, "", err
	}
	if r.TLS13 {
		if err := c.outdated(r.Schemes, r.CertSchemes); err != nil {
			return 0, "", err
		}
	}
	if s, err = c.scheme(r.Schemes, allowed, r.TLS13); err != nil {
		return 0, "", err
	}
	typ := iana.ECDSASign // RFC 8422 §5.5: EdDSA keys too
	if row, _ := lookup(s); row.Key == keyRSA || row.Key == keyPSS {
		typ = iana.RSASign
	}
	if !r.TLS13 && !slices.Contains(r.Types, typ) {
		return 0, "",
			fmt.Errorf("its key is of type %v, but the server asks for %v", typ, alert.Few(r.Types))
	}
	issuer, ok := c.issuedBy(r.Authorities)
	if !ok {
		return 0, "",
			fmt.Errorf("none of the server's certificate_authorities (%d) issued it",
				len(r.Authorities))
	}
	return s, fmt.Sprintf("is of type %v, signs with %v, and %s", typ, s, issuer), nil
}

// issuedBy returns an authority of the request that issued a certificate of the chain. It need not
// be the root.
func (c *Credential) issuedBy(authorities [][]byte) (string, bool) {
	if c.Chain.raw != nil {
		return "nobody issues a raw public key", true
	}
	if len(authorities) == 0 {
		return "the server names no certificate_authorities", true
	}
	for i, cert := range c.Chain.Certs {
		if slices.ContainsFunc(authorities,
			func(dn []byte) bool { return bytes.Equal(dn, cert.RawIssuer) }) {
			how := "was issued by"
			if i > 0 {
				how = "has a chain that leads to"
			}
			return fmt.Sprintf("%s %q, one of the server's certificate_authorities", how,
				cert.Issuer), true
		}
	}
	return "", false
}

func (c *Credential) label(i, n int) string {
	subject := "without subject"
	if leaf := c.Chain.Leaf(); leaf != nil {
		subject = fmt.Sprintf("%q",
			cmp.Or(leaf.Subject.String(), strings.Join(leaf.DNSNames, ", ")))
	} else if c.Chain.raw != nil {
		subject = c.Chain.Subject()
	}
	return fmt.Sprintf("certificate %d of %d (%s)", i+1, n, subject)
}

// unsuitable is one of several credentials, with the reason why it was not chosen.
type unsuitable struct {
	*Credential
	i, of int
	err   error
}

// fewest is the maximum number of credentials that a reason lists.
const fewest = 8

func none(refused []unsuitable) string {
	if len(refused) == 0 {
		return "there is no certificate to choose from"
	}
	var words []string
	for _, r := range refused[:min(len(refused), fewest)] {
		words = append(words, fmt.Sprintf("%s: %v", r.label(r.i, r.of), r.err))
	}
	if more := len(refused) - len(words); more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	return "no certificate fits: " + strings.Join(words, "; ")
}
