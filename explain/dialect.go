package explain

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// DialectOf returns how the messages of a side are encoded in the connection that a is about.
func DialectOf(a trace.Agreed, from iana.Side) message.Dialect {
	return message.Dialect{Version: a.Version, Kex: a.KeyExchange,
		CertificateType: a.CertificateType(from)}
}

// certificateType returns what a side shows: RFC 7250.
func (t *teller) certificateType(of iana.Side) iana.CertificateType {
	for _, v := range []*view{t.server, t.client} {
		if v.agreed != nil {
			return v.agreed.CertificateType(of)
		}
	}
	return iana.X509
}
