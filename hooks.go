package vitrine

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// ClientHelloInfo is the content of a ClientHello, for the callbacks of a server. Fields that
// crypto/tls has too keep its name and meaning.
type ClientHelloInfo struct {
	CipherSuites      []uint16
	ServerName        string
	SupportedCurves   []tls.CurveID
	SupportedPoints   []uint8
	SignatureSchemes  []tls.SignatureScheme
	SupportedProtos   []string
	SupportedVersions []uint16
	Extensions        []uint16

	// AcceptableCAs are the distinguished names of the client's certificate_authorities, DER, as
	// they were sent: the client accepts certificates of these authorities. None means any. See RFC
	// 8446 §4.2.4.
	AcceptableCAs [][]byte

	// CertificateTypes are what the client accepts of the server, best first; nil means iana.X509
	// alone. See RFC 7250.
	CertificateTypes []iana.CertificateType

	Conn net.Conn // under the connection; it must be neither read nor written

	config *Config // the server's
	ctx    context.Context
}

// Context is the handshake's.
func (i *ClientHelloInfo) Context() context.Context { return i.ctx }

// CertificateRequestInfo is what a server asked for. Fields that crypto/tls has too keep its name
// and meaning.
type CertificateRequestInfo struct {
	// AcceptableCAs are the distinguished names of the server's certificate_authorities, DER, as
	// they were sent. None means any.
	AcceptableCAs [][]byte

	// SignatureSchemes are what the server accepts. Below TLS 1.2 a request names none: as with
	// crypto/tls they then only tell of the kinds of key.
	SignatureSchemes []tls.SignatureScheme

	// CertificateTypes are the kinds of key, as they were sent: 1 is RSA, 64 is ECDSA (and EdDSA).
	// See RFC 5246 §7.4.4 and RFC 8422 §5.5.
	CertificateTypes []uint8

	// CertificateType is what the server wants to be shown: iana.X509, or iana.RawPublicKey if it
	// chose that. See RFC 7250.
	CertificateType iana.CertificateType

	Version uint16

	asked   *pki.Request // nil in an info that a program made
	allowed []iana.SignatureScheme
	ctx     context.Context
}

// Context is the handshake's.
func (i *CertificateRequestInfo) Context() context.Context { return i.ctx }

// SupportsCertificate reports whether c suits the server, or why not.
func (i *CertificateRequestInfo) SupportsCertificate(c *tls.Certificate) error {
	cred, err := pki.FromTLS(c)
	if err != nil {
		return err
	}
	r, allowed := i.asked, i.allowed
	if r == nil {
		r, allowed = i.request(), Modern.schemes
	}
	if choice := pki.ChooseClient([]*pki.Credential{cred}, *r, allowed); choice.Credential == nil {
		return errors.New("vitrine: the certificate does not suit the server: " + choice.Why())
	}
	return nil
}

// request returns the server's request, as far as it can be told from an info that a program made.
func (i *CertificateRequestInfo) request() *pki.Request {
	r := &pki.Request{Authorities: i.AcceptableCAs, CertType: i.CertificateType,
		TLS13:   i.Version >= VersionTLS13,
		Schemes: convert[iana.SignatureScheme](i.SignatureSchemes)}
	for _, t := range i.CertificateTypes {
		r.Types = append(r.Types, iana.ClientCertificateType(t))
	}
	if r.Types == nil {
		r.Types = []iana.ClientCertificateType{iana.RSASign, iana.ECDSASign}
	}
	return r
}

// requestInfo returns the server's request for a callback.
func (c *Config) requestInfo(ctx context.Context, r pki.Request,
	v iana.Version) *CertificateRequestInfo {
	i := &CertificateRequestInfo{AcceptableCAs: r.Authorities, Version: uint16(v), asked: &r,
		CertificateType: r.CertType, ctx: ctx}
	for _, t := range r.Types {
		i.CertificateTypes = append(i.CertificateTypes, uint8(t))
	}
	if v >= iana.TLS12 {
		i.SignatureSchemes = convert[tls.SignatureScheme](r.Schemes)
		if p, err := c.parameters(); err == nil {
			i.allowed = p.Schemes
		}
		return i
	}
	i.allowed = pki.Implied(v)
	if slices.Contains(r.Types, iana.ECDSASign) {
		i.SignatureSchemes = append(i.SignatureSchemes, ECDSAWithP256AndSHA256,
			ECDSAWithP384AndSHA384, ECDSAWithP521AndSHA512)
	}
	if slices.Contains(r.Types, iana.RSASign) {
		i.SignatureSchemes = append(i.SignatureSchemes, PKCS1WithSHA256, PKCS1WithSHA384,
			PKCS1WithSHA512, PKCS1WithSHA1)
	}
	return i
}

// PSK is a pre-shared key and its identity.
type PSK = negotiation.PSK

// PSKInfo describes the handshake that needs a pre-shared key.
type PSKInfo struct {
	// Version is TLS 1.3 for a key that a ClientHello offers, which a client must say before it
	// knows what the server speaks. Otherwise it is the negotiated version.
	Version uint16

	Hint     []byte // the server's psk_identity_hint, or nil; there is none in TLS 1.3
	Identity []byte // for a server: the client's identity

	// Imported says that the client offers a key of TLS 1.3 that it imported from the one that
	// Identity names, for ImportContext. A server's PSK must then have Import set and the same
	// Context, and in all other cases of TLS 1.3 Import must not be set: else it is not used. See
	// RFC 9258.
	Imported      bool
	ImportContext []byte

	ctx context.Context
}

// Context is the handshake's.
func (i *PSKInfo) Context() context.Context { return i.ctx }

func (c *Config) preShared() negotiation.PreShared {
	modes := c.PSKKeyExchangeModes
	if c.GetPSK == nil {
		return negotiation.PreShared{Modes: modes}
	}
	p := negotiation.PreShared{Hint: c.PSKIdentityHint, Modes: modes,
		FindKey: func(ctx context.Context, r negotiation.KeyRequest) (*PSK, error) {
			return c.GetPSK(&PSKInfo{Version: uint16(r.Version), Hint: r.Hint,
				Identity: r.Identity, Imported: r.Imported, ImportContext: r.Context, ctx: ctx})
		}}
	if c.GetPSKs != nil {
		p.FindKeys = func(ctx context.Context) ([]*PSK, error) {
			return c.GetPSKs(&PSKInfo{Version: VersionTLS13, ctx: ctx})
		}
	}
	return p
}

// hooks returns the callbacks in the form that a handshake calls.
func (c *Config) hooks(conn *Conn) negotiation.Hooks {
	var h negotiation.Hooks
	if ask := c.GetConfigForClient; ask != nil {
		h.ForClient = func(ctx context.Context, ch *message.ClientHello) (*negotiation.Config,
			error) {
			other, err := ask(c.helloInfo(ctx, ch, conn.conn))
			if other == nil || err != nil {
				return nil, err
			}
			conn.config = other // whose KeyLogWriter it is from here on
			return other.handshake(iana.Server, conn, nil)
		}
	}
	if ask := c.GetCertificate; ask != nil {
		h.ForServerName = func(ctx context.Context, ch *message.ClientHello) ([]*pki.Credential,
			error) {
			i := c.helloInfo(ctx, ch, conn.conn)
			if i.ServerName == "" && len(c.Certificates) > 0 {
				return nil, nil // as with crypto/tls, which asks by name
			}
			return credential(ask(i))
		}
	}
	if ask := c.GetClientCertificate; ask != nil {
		h.ForRequest = func(ctx context.Context, r pki.Request, v iana.Version) (*pki.Credential,
			error) {
			creds, err := credential(ask(c.requestInfo(ctx, r, v)))
			if len(creds) == 0 {
				return nil, err
			}
			return creds[0], err
		}
	}
	return h
}

// machine returns the handshake that was begun last.
func (c *Conn) machine() *handshake.Machine {
	if c.quic != nil {
		return c.quic.engine.Machine()
	}
	return c.engine.Machine()
}

// accept calls VerifyConnection for this connection.
func (c *Config) accept(conn *Conn) func(context.Context) error {
	if c.VerifyConnection == nil {
		return nil
	}
	return func(context.Context) error {
		s := conn.stateOf(conn.machine())
		s.HandshakeComplete = false // the time until this verdict is part of the handshake's
		if err := c.VerifyConnection(s); err != nil {
			return alert.Refused(alert.BadCertificate, "the program refuses the connection", err)
		}
		return nil
	}
}

// credential converts the certificate that a callback returned. It returns nil for nil and for a
// certificate without a chain, unless that is a raw public key.
func credential(cert *tls.Certificate, err error) ([]*pki.Credential, error) {
	if err != nil || cert == nil {
		return nil, err
	}
	if _, raw := cert.PrivateKey.(pki.RawPrivateKey); !raw && len(cert.Certificate) == 0 {
		return nil, nil
	}
	cred, err := pki.FromTLS(cert)
	if err != nil {
		return nil, err
	}
	return []*pki.Credential{cred}, nil
}

func (c *Config) helloInfo(ctx context.Context, ch *message.ClientHello,
	conn net.Conn) *ClientHelloInfo {
	i := &ClientHelloInfo{CipherSuites: convert[uint16](ch.CipherSuites), Conn: conn, config: c,
		ctx: ctx}
	var names message.ServerNames
	var groups message.SupportedGroups
	var points message.ECPointFormats
	var schemes message.SignatureSchemes
	var protocols message.Protocols
	var versions message.SupportedVersions
	var authorities message.CertificateAuthorities
	var types message.CertificateTypes
	for t, into := range map[iana.ExtensionType]message.Content{
		iana.ExtServerName: &names, iana.ExtSupportedGroups: &groups,
		iana.ExtECPointFormats:      &points,
		iana.ExtSignatureAlgorithms: &schemes, iana.ExtALPN: &protocols,
		iana.ExtSupportedVersions:      &versions,
		iana.ExtCertificateAuthorities: &authorities,
		iana.ExtServerCertificateType:  &types,
	} {
		// malformed contents are refused when the hello is answered
		_, _ = ch.Extensions.Read(t, into)
	}
	i.AcceptableCAs, i.CertificateTypes = authorities.Authorities, types.Types
	for _, n := range names.Names {
		if n.Type == iana.HostName {
			i.ServerName = string(n.Name)
		}
	}
	i.SupportedCurves, i.SignatureSchemes = convert[tls.CurveID](groups.Groups),
		convert[tls.SignatureScheme](schemes.Schemes)
	for _, f := range points.Formats {
		i.SupportedPoints = append(i.SupportedPoints, uint8(f))
	}
	for _, p := range protocols.Names {
		i.SupportedProtos = append(i.SupportedProtos, string(p))
	}
	if i.SupportedVersions = convert[uint16](versions.Versions); i.SupportedVersions == nil {
		// RFC 8446 §4.2.1: without the extension a client speaks TLS 1.2 at most, whatever it says.
		for v := min(ch.Version, iana.TLS12); v >= iana.TLS10; v-- {
			i.SupportedVersions = append(i.SupportedVersions, uint16(v))
		}
	}
	for _, x := range ch.Extensions {
		i.Extensions = append(i.Extensions, uint16(x.Type))
	}
	return i
}

// convert changes the type of code points.
func convert[To, From ~uint16](from []From) (to []To) {
	for _, v := range from {
		to = append(to, To(v))
	}
	return to
}
