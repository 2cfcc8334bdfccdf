package explain

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// parseHello parses a hello of any version.
func parseHello[M message.Message](m *trace.Message) (hello M, ok bool) {
	parsed, err := message.Dialect{Version: iana.TLS13}.Parse(m.Raw)
	if err != nil {
		return hello, false
	}
	hello, ok = parsed.(M)
	return hello, ok
}

// selectedVersion returns the version that a ServerHello chose. See RFC 8446 §4.2.1.
func selectedVersion(m *message.ServerHello) iana.Version {
	var v message.SelectedVersion
	if ok, err := m.Extensions.Read(iana.ExtSupportedVersions, &v); ok && err == nil {
		return v.Version
	}
	return m.Version
}

// chooses13 reports whether a ServerHello chooses TLS 1.3.
func chooses13(m *message.ServerHello) bool { return selectedVersion(m) == iana.TLS13 }

func offersOnly13(m *message.ClientHello) bool {
	only := false
	for _, v := range offeredVersions(m) {
		switch {
		case v == iana.TLS13:
			only = true
		case v >= iana.SSL30 && v < iana.TLS13:
			return false
		}
	}
	return only
}

// offeredVersions returns the versions that a ClientHello offers by supported_versions.
func offeredVersions(m *message.ClientHello) []iana.Version {
	var v message.SupportedVersions
	if ok, err := m.Extensions.Read(iana.ExtSupportedVersions, &v); !ok || err != nil {
		return nil
	}
	return v.Versions
}

// DialectOf returns how the messages of a side are encoded in the connection that a is about.
func DialectOf(a trace.Agreed, from iana.Side) message.Dialect {
	return message.Dialect{Version: a.Version, Kex: a.KeyExchange,
		CertificateType: a.CertificateType(from)}
}

// serverShare returns the group of a ServerHello's key share, or 0 if it has none.
func serverShare(m *message.ServerHello) iana.Group {
	var share message.KeyShare
	if found, err := m.Extensions.Read(iana.ExtKeyShare, &share); !found || err != nil {
		return 0
	}
	return share.Group
}
