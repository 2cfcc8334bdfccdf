package vitrine

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
)

// ClientHelloInfo is what a client said, for the callbacks of a server. Fields that crypto/tls has too keep its name and meaning.
type ClientHelloInfo struct {
	CipherSuites      []uint16
	ServerName        string
	SupportedCurves   []tls.CurveID
	SupportedPoints   []uint8
	SignatureSchemes  []tls.SignatureScheme
	SupportedProtos   []string
	SupportedVersions []uint16
	Extensions        []uint16
	Conn              net.Conn // under the connection; it must be neither read nor written

	config *Config // the server's
	ctx    context.Context
}

// Context is the handshake's.
func (i *ClientHelloInfo) Context() context.Context { return i.ctx }

// CertificateRequestInfo is what a server asked for. Fields that crypto/tls has too keep its name and meaning.
type CertificateRequestInfo struct {
	AcceptableCAs    [][]byte // DER distinguished names
	SignatureSchemes []tls.SignatureScheme
	Version          uint16

	ctx context.Context
}

// Context is the handshake's.
func (i *CertificateRequestInfo) Context() context.Context { return i.ctx }

// SupportsCertificate tells whether c suits the server, or why not.
func (i *CertificateRequestInfo) SupportsCertificate(c *tls.Certificate) error {
	return (&tls.CertificateRequestInfo{AcceptableCAs: i.AcceptableCAs, SignatureSchemes: i.SignatureSchemes, Version: i.Version}).SupportsCertificate(c)
}

// PSK is a key that both sides have held before, and what a client calls it.
type PSK = handshake.PSK

// PSKInfo is what is known when a pre-shared key is needed.
type PSKInfo struct {
	Hint     []byte // the server's psk_identity_hint, or nil
	Identity []byte // for a server: the client's psk_identity

	ctx context.Context
}

// Context is the handshake's.
func (i *PSKInfo) Context() context.Context { return i.ctx }

func (c *Config) preShared() handshake.PreShared {
	if c.GetPSK == nil {
		return handshake.PreShared{}
	}
	return handshake.PreShared{Hint: c.PSKIdentityHint, FindKey: func(ctx context.Context, hint, identity []byte) (*PSK, error) {
		return c.GetPSK(&PSKInfo{Hint: hint, Identity: identity, ctx: ctx})
	}}
}

// hooks turns the callbacks into what a handshake asks.
func (c *Config) hooks(conn *Conn) handshake.Hooks {
	var h handshake.Hooks
	if ask := c.GetConfigForClient; ask != nil {
		h.ForClient = func(ctx context.Context, ch *message.ClientHello) (*handshake.Config, error) {
			other, err := ask(c.helloInfo(ctx, ch, conn.conn))
			if other == nil || err != nil {
				return nil, err
			}
			conn.config = other // whose KeyLogWriter it is from here on
			return other.handshake(iana.Server, conn)
		}
	}
	if ask := c.GetCertificate; ask != nil {
		h.ForServerName = func(ctx context.Context, ch *message.ClientHello) ([]*pki.Credential, error) {
			return credential(ask(c.helloInfo(ctx, ch, conn.conn)))
		}
	}
	if ask := c.GetClientCertificate; ask != nil {
		h.ForRequest = func(ctx context.Context, r pki.Request, v iana.Version) (*pki.Credential, error) {
			i := &CertificateRequestInfo{AcceptableCAs: r.Authorities, Version: uint16(v), ctx: ctx, SignatureSchemes: convert[tls.SignatureScheme](r.Schemes)}
			creds, err := credential(ask(i))
			if len(creds) == 0 {
				return nil, err
			}
			return creds[0], err
		}
	}
	return h
}

// accept is VerifyConnection for this connection.
func (c *Config) accept(conn *Conn) func(context.Context) error {
	if c.VerifyConnection == nil {
		return nil
	}
	return func(context.Context) error {
		if err := c.VerifyConnection(stateOf(conn.engine.Machine())); err != nil {
			return alert.Fail(alert.BadCertificate, "", "the program refuses the connection: %w",
				err)
		}
		return nil
	}
}

// credential reads what a callback gave; none, or one without a chain, is none.
func credential(cert *tls.Certificate, err error) ([]*pki.Credential, error) {
	if err != nil || cert == nil || len(cert.Certificate) == 0 {
		return nil, err
	}
	cred, err := pki.FromTLS(cert)
	if err != nil {
		return nil, err
	}
	return []*pki.Credential{cred}, nil
}

func (c *Config) helloInfo(ctx context.Context, ch *message.ClientHello, conn net.Conn) *ClientHelloInfo {
	i := &ClientHelloInfo{CipherSuites: convert[uint16](ch.CipherSuites), Conn: conn, config: c, ctx: ctx}
	var names message.ServerNames
	var groups message.SupportedGroups
	var points message.ECPointFormats
	var schemes message.SignatureSchemes
	var protocols message.Protocols
	var versions message.SupportedVersions
	for t, into := range map[iana.ExtensionType]message.Content{
		iana.ExtServerName: &names, iana.ExtSupportedGroups: &groups, iana.ExtECPointFormats: &points,
		iana.ExtSignatureAlgorithms: &schemes, iana.ExtALPN: &protocols, iana.ExtSupportedVersions: &versions,
	} {
		_, _ = ch.Extensions.Read(t, into) // what is malformed is refused when the hello is answered
	}
	for _, n := range names.Names {
		if n.Type == iana.HostName {
			i.ServerName = string(n.Name)
		}
	}
	i.SupportedCurves, i.SignatureSchemes = convert[tls.CurveID](groups.Groups), convert[tls.SignatureScheme](schemes.Schemes)
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
