// Package vgrpc gives gRPC connections of Vitrine: its Credentials are the TransportCredentials of
// a client or a server of grpc-go.
//
//	conn, err := grpc.NewClient("service.example:443",
//		grpc.WithTransportCredentials(vgrpc.New(&vitrine.Config{})))
//	server := grpc.NewServer(grpc.Creds(vgrpc.New(&vitrine.Config{Certificates: certs})))
//
// It is a module of its own, so that whoever imports vitrine does not take gRPC along.
//
// Its names are promised to users, like those of vitrine.
package vgrpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"

	"google.golang.org/grpc/credentials"

	"github.com/vitrine-tls/vitrine"
)

// h2 is the only protocol of gRPC. See RFC 9113 §3.2.
const h2 = "h2"

var errNoH2 = errors.New("vgrpc: the peer did not negotiate HTTP/2 by ALPN, which gRPC needs")

// New returns credentials for a client or a server with the Config c; nil is the zero Config. They
// do what those of credentials.NewTLS do: HTTP/2 is offered besides c.NextProtos and must be agreed
// to, and a client expects the name of the target whatever c.ServerName says. A client of which
// c.ServerName is to hold uses grpc.WithAuthority.
func New(c *vitrine.Config) credentials.TransportCredentials {
	if c = c.Clone(); c == nil {
		c = &vitrine.Config{}
	}
	if !slices.Contains(c.NextProtos, h2) {
		c.NextProtos = append(slices.Clone(c.NextProtos), h2)
	}
	return &transport{c}
}

// Info is the AuthInfo of a connection: that of crypto/tls's, so that what asks for a
// credentials.TLSInfo finds one in TLSInfo, and what only Vitrine knows.
type Info struct {
	credentials.TLSInfo
	Vitrine vitrine.ConnectionState
}

type transport struct{ config *vitrine.Config }

// ClientHandshake performs a client's handshake. It ends with ctx.
func (t *transport) ClientHandshake(ctx context.Context, authority string,
	raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	config := t.config.Clone()
	config.ServerName = authority
	if host, _, err := net.SplitHostPort(authority); err == nil {
		config.ServerName = host
	}
	return shake(ctx, vitrine.Client(raw, config))
}

// ServerHandshake performs a server's handshake. gRPC has set the deadline.
func (t *transport) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return shake(context.Background(), vitrine.Server(raw, t.config))
}

func shake(ctx context.Context, conn *vitrine.Conn) (net.Conn, credentials.AuthInfo, error) {
	if err := conn.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, nil, err
	}
	s := conn.ConnectionState()
	if s.NegotiatedProtocol != h2 {
		conn.Close()
		return nil, nil, fmt.Errorf("%w: got %q", errNoH2, s.NegotiatedProtocol)
	}
	return conn, infoOf(s), nil
}

// infoOf returns what is known of the peer. ExportKeyingMaterial of a tls.ConnectionState that
// crypto/tls did not make panics: that of the Vitrine state works.
func infoOf(s vitrine.ConnectionState) credentials.AuthInfo {
	info := Info{Vitrine: s}
	info.CommonAuthInfo.SecurityLevel = credentials.PrivacyAndIntegrity
	info.State = tls.ConnectionState{Version: s.Version, HandshakeComplete: true,
		DidResume: s.DidResume, CipherSuite: s.CipherSuite,
		NegotiatedProtocol: s.NegotiatedProtocol,
		ServerName:         s.ServerName, PeerCertificates: s.PeerCertificates,
		VerifiedChains: s.VerifiedChains, OCSPResponse: s.OCSPResponse,
		SignedCertificateTimestamps: s.SignedCertificateTimestamps}
	if len(s.PeerCertificates) > 0 {
		info.SPIFFEID = spiffeID(s.PeerCertificates[0].URIs)
	}
	return info
}

// spiffeID returns the only URI of a certificate if it is a SPIFFE ID.
func spiffeID(uris []*url.URL) *url.URL {
	if len(uris) == 1 && uris[0].Scheme == "spiffe" && uris[0].Host != "" {
		return uris[0]
	}
	return nil
}

// Info says that the protocol is TLS.
func (t *transport) Info() credentials.ProtocolInfo {
	//lint:ignore SA1019 the field is deprecated, and still read
	return credentials.ProtocolInfo{SecurityProtocol: "tls", ServerName: t.config.ServerName}
}

// Clone returns a copy.
func (t *transport) Clone() credentials.TransportCredentials { return New(t.config) }

// OverrideServerName sets the name that Info tells. gRPC does not use it.
func (t *transport) OverrideServerName(name string) error {
	t.config.ServerName = name
	return nil
}
