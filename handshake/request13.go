package handshake

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// The CertificateRequest of a TLS 1.3 server.

func (v *server) certificateRequest13() (message.Message, error) {
	if !v.ClientAuth.Request {
		return nil, nil
	}
	m, err := v.request13(nil)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// request13 returns a CertificateRequest. Its context is empty during the handshake. See RFC 8446
// §4.3.2.
func (v *server) request13(context []byte) (*message.CertificateRequest, error) {
	if err := v.greased.Draw(v.Config); err != nil {
		return nil, err
	}
	m := &message.CertificateRequest{Context: context}
	if err := m.Extensions.Add(iana.ExtSignatureAlgorithms, &message.SignatureSchemes{
		Schemes: negotiation.WithGrease(&v.greased, negotiation.GreaseScheme,
			v.Schemes)}); err != nil {
		return nil, err
	}
	if a := v.CertificateCompression; len(a) > 0 {
		if err := m.Extensions.Add(iana.ExtCompressCertificate,
			&message.CompressionAlgorithms{Algorithms: a}); err != nil {
			return nil, err
		}
	}
	if v.Roots != nil {
		//lint:ignore SA1019 deprecated for the system's pool only, and this is not that
		if names := v.Roots.Subjects(); len(names) > 0 {
			if err := m.Extensions.Add(iana.ExtCertificateAuthorities,
				&message.CertificateAuthorities{Authorities: names}); err != nil {
				return nil, err
			}
		}
	}
	m.Extensions = v.greased.Extend(m.Extensions)
	return m, nil
}
