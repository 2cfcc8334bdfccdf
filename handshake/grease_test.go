package handshake

import (
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// reserved reports whether a code point is one of GREASE: RFC 8701 §2.
func reserved[T ~uint16](v T) bool { return v&0x0F0F == 0x0A0A && v>>8 == v&0xFF }

// Each list of a hello has a reserved value, first, and the second hello has the same ones but for
// the key share. See RFC 8701 §3.1.
func TestAHelloHasGREASE(t *testing.T) {
	for _, retried := range []bool{false, true} {
		client, server := config13("client"), config13("server")
		client.GREASE, client.Protocols, client.Tickets = true, []string{"a"}, true
		server.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
		if retried {
			server.Groups = []iana.Group{iana.Secp256r1}
		}
		var hellos []*message.ClientHello
		errs, _ := tampered(t, client, server, iana.Client, func(m message.Message) bool {
			if ch, ok := m.(*message.ClientHello); ok {
				hellos = append(hellos, ch)
			}
			return false
		})
		if errs != [2]error{} || len(hellos) == 0 || retried != (len(hellos) == 2) {
			t.Fatalf("%d hellos: %v", len(hellos), errs)
		}
		for i, ch := range hellos {
			e := ch.Extensions
			var groups message.SupportedGroups
			var versions message.SupportedVersions
			var schemes message.SignatureSchemes
			var shares message.KeyShares
			var protocols message.Protocols
			var modes message.PSKKeyExchangeModes
			for typ, content := range map[iana.ExtensionType]message.Content{
				iana.ExtSupportedGroups: &groups, iana.ExtSupportedVersions: &versions,
				iana.ExtSignatureAlgorithms: &schemes, iana.ExtKeyShare: &shares,
				iana.ExtALPN: &protocols, iana.ExtPSKKeyExchangeModes: &modes} {
				if sent, err := e.Read(typ, content); !sent || err != nil {
					t.Fatalf("%v: %v, %v", typ, sent, err)
				}
			}
			first, last := e[0], e[len(e)-1]
			if !reserved(ch.CipherSuites[0]) || !reserved(groups.Groups[0]) ||
				!reserved(versions.Versions[0]) || !reserved(schemes.Schemes[0]) ||
				!negotiation.IsGreaseName(protocols.Names[0]) || modes.Modes[0]%0x1F != 0x0B ||
				!reserved(first.Type) || !reserved(last.Type) || first.Type == last.Type ||
				len(first.Data) != 0 || len(last.Data) != 1 {
				t.Errorf("hello %d: a list has no reserved value: %+v", i+1, ch)
			}
			if greased := reserved(shares.Shares[0].Group); greased != (i == 0) ||
				greased && shares.Shares[0].Group != groups.Groups[0] {
				t.Errorf("hello %d: the first share is of %v", i+1, shares.Shares[0].Group)
			}
		}
	}
}

// A server that chooses a reserved value that we offered is refused as one that chooses what we did
// not offer: RFC 8701 §3.1.
func TestAnswersWithGREASEAreRefused(t *testing.T) {
	var hello *message.ClientHello // of the client under test
	retry := func(client, server *negotiation.Config) {
		server.Groups = []iana.Group{iana.Secp256r1}
	}
	ee := func(f func(*message.EncryptedExtensions)) func(*testing.T) edit {
		return func(*testing.T) edit { return on(f) }
	}
	group := func() iana.Group {
		var g message.SupportedGroups
		hello.Extensions.Read(iana.ExtSupportedGroups, &g)
		return g.Groups[0]
	}
	for _, c := range []badCase{
		{"a suite", sh13(func(t *testing.T, m *message.ServerHello) {
			m.CipherSuite = hello.CipherSuites[0]
		}), alert.IllegalParameter, nil},
		{"a version", sh13(func(t *testing.T, m *message.ServerHello) {
			var v message.SupportedVersions
			hello.Extensions.Read(iana.ExtSupportedVersions, &v)
			with(t, &m.Extensions, iana.ExtSupportedVersions,
				&message.SelectedVersion{Version: v.Versions[0]})
		}), alert.IllegalParameter, nil},
		{"a share", sh13(func(t *testing.T, m *message.ServerHello) {
			with(t, &m.Extensions, iana.ExtKeyShare, &message.KeyShare{
				KeyShareEntry: message.KeyShareEntry{Group: group(), KeyExchange: []byte{0}}})
		}), alert.IllegalParameter, nil},
		{"a group in a retry", sh13(func(t *testing.T, m *message.ServerHello) {
			with(t, &m.Extensions, iana.ExtKeyShare, &message.SelectedGroup{Group: group()})
		}), alert.IllegalParameter, retry},
		{"an extension in ServerHello", sh13(func(t *testing.T, m *message.ServerHello) {
			m.Extensions = append(m.Extensions, hello.Extensions[0])
		}), alert.UnsupportedExtension, nil},
		{"an extension in EncryptedExtensions", ee(func(m *message.EncryptedExtensions) {
			m.Extensions = append(m.Extensions, hello.Extensions[0])
		}), alert.UnsupportedExtension, nil},
		{"a protocol", func(t *testing.T) edit {
			return on(func(m *message.EncryptedExtensions) {
				var p message.Protocols
				hello.Extensions.Read(iana.ExtALPN, &p)
				with(t, &m.Extensions, iana.ExtALPN, &message.Protocols{Names: p.Names[:1]})
			})
		}, alert.IllegalParameter, nil},
		{"a scheme", func(*testing.T) edit {
			return on(func(m *message.CertificateVerify) {
				var s message.SignatureSchemes
				hello.Extensions.Read(iana.ExtSignatureAlgorithms, &s)
				m.Scheme = s.Schemes[0]
			})
		}, alert.IllegalParameter, nil},
		{"an extension of a certificate", func(*testing.T) edit {
			return on(func(m *message.Certificate) {
				m.Extensions = []message.Extensions{hello.Extensions[:1]}
			})
		}, alert.UnsupportedExtension, nil},
	} {
		client, server := config13("client"), config13("server")
		client.GREASE, client.Protocols, server.Protocols = true, []string{"a"}, []string{"a"}
		server.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
		if c.setup != nil {
			c.setup(client, server)
		}
		hello = firstHello(t, client)
		client.Rand = config13("client").Rand // the same hello again
		errs, touched := tampered(t, client, server, iana.Server, c.change(t))
		if err := errs[iana.Client]; !touched || alert.Of(err) != c.want {
			t.Errorf("%s: %v (changed: %v), expected %v", c.what, errs, touched, c.want)
		}
	}
}
