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

const (
	ecdheECDSA = iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	ecdheRSA   = iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	dheRSA     = iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256
	rsaRSA     = iana.TLS_RSA_WITH_AES_128_GCM_SHA256
)

type (
	suites = []iana.CipherSuite
	groups = []iana.Group
)

func TestServerChoosesTheVersion(t *testing.T) {
	const t10, t11, t12, t13 = iana.TLS10, iana.TLS11, iana.TLS12, iana.TLS13
	fallback := suites{iana.TLS_FALLBACK_SCSV}
	for _, c := range []struct {
		what              string
		hello             iana.Version
		supported         []iana.Version // supported_versions; nil: not sent
		lowest, highest   iana.Version   // ours
		suites            suites
		want              iana.Version
		alert             alert.Description
		downgradeSentinel string // RFC 8446 §4.1.3
	}{
		{what: "the same", hello: t12, lowest: t12, highest: t12, want: t12},
		{what: "above ours is negotiated down, §E.1", hello: t13, lowest: t12, highest: t12,
			want: t12},
		{what: "any minor version", hello: 0x03FF, lowest: t12, highest: t12, want: t12},
		{what: "any major version", hello: 0x0FFF, lowest: t12, highest: t12, want: t12},
		{what: "below ours, §E.1", hello: t11, lowest: t12, highest: t12,
			alert: alert.ProtocolVersion},
		{what: "SSL 3.0", hello: iana.SSL30, lowest: t10, highest: t12,
			alert: alert.ProtocolVersion},
		{what: "the client's highest", hello: t11, lowest: t10, highest: t12, want: t11,
			downgradeSentinel: negotiation.DowngradeTo11},
		{what: "the lowest", hello: t10, lowest: t10, highest: t12, want: t10,
			downgradeSentinel: negotiation.DowngradeTo11},
		{what: "our highest is 1.1: no sentinel", hello: t12, lowest: t10, highest: t11, want: t11},
		{what: "a fallback, RFC 7507 §3", hello: t11, lowest: t10, highest: t12, suites: fallback,
			alert: alert.InappropriateFallback},
		{what: "a fallback below ours, RFC 7507 §3", hello: t11, lowest: t12, highest: t12,
			suites: fallback, alert: alert.ProtocolVersion},
		{what: "a fallback to our highest", hello: t12, lowest: t12, highest: t12, suites: fallback,
			want: t12},
		{what: "a fallback to above our highest", hello: t13, lowest: t12, highest: t12,
			suites: fallback, want: t12},
		{what: "supported_versions, RFC 8446 §4.2.1", hello: t12,
			supported: []iana.Version{0x7A7A, t13, t12}, lowest: t12, highest: t12, want: t12},
		{what: "supported_versions overrule client_version", hello: t12,
			supported: []iana.Version{t11}, lowest: t10, highest: t12, want: t11,
			downgradeSentinel: negotiation.DowngradeTo11},
		{what: "supported_versions without ours", hello: t12, supported: []iana.Version{t13},
			lowest: t12, highest: t12, alert: alert.ProtocolVersion},
	} {
		h := hello(t,
			append(suites{iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
				iana.TLS_EMPTY_RENEGOTIATION_INFO_SCSV}, c.suites...),
			groups{iana.X25519, iana.Secp256r1}, everyScheme)
		h.Version = c.hello
		if c.supported != nil {
			if err := h.Extensions.Add(iana.ExtSupportedVersions,
				&message.SupportedVersions{Versions: c.supported}); err != nil {
				t.Fatal(err)
			}
		}
		config := config("versions", iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)
		config.MinVersion, config.MaxVersion = c.lowest, c.highest
		config.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
		out := &desk{}
		m := NewServer(config, out)
		raw, err := message.Dialect{Version: iana.TLS12}.Encode(h)
		if err != nil {
			t.Fatal(err)
		}
		err = m.Take(iana.Client, Kind(iana.ClientHello), raw)
		if err == nil {
			err = patient(m.Speak, m.Speak)
		}
		if c.want == 0 {
			if err == nil || alert.Of(err) != c.alert {
				t.Errorf("%s: got %v, expected %v", c.what, err, c.alert)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if m.Agreed.Version != c.want {
			t.Errorf("%s: got %v, expected %v", c.what, m.Agreed.Version, c.want)
		}
		sentinel := ""
		if tail := string(m.ServerHello.Random[24:]); tail == negotiation.DowngradeTo11 ||
			tail == negotiation.DowngradeTo12 {
			sentinel = tail
		}
		if sentinel != c.downgradeSentinel {
			t.Errorf("%s: got sentinel %q, expected %q", c.what, sentinel, c.downgradeSentinel)
		}
	}
}

// RFC 8446 §4.1.3: "TLS 1.2 clients SHOULD also check that the last eight bytes are not equal to
// the second value if the ServerHello indicates TLS 1.1 or below."
func TestClientSeesThatItWasDowngraded(t *testing.T) {
	for _, c := range []struct {
		what    string
		version iana.Version
		tail    string
		highest iana.Version // ours
		refused bool
	}{
		{"TLS 1.2, as it comes", iana.TLS12, "8 random", iana.TLS12, false},
		{"TLS 1.2, and the server speaks 1.3: we do not", iana.TLS12, negotiation.DowngradeTo12,
			iana.TLS12, false},
		{"TLS 1.1, and the server speaks 1.2", iana.TLS11, negotiation.DowngradeTo11, iana.TLS12,
			true},
		{"TLS 1.1, and the server speaks 1.3", iana.TLS11, negotiation.DowngradeTo12, iana.TLS12,
			true},
		{"TLS 1.0, and the server speaks 1.2", iana.TLS10, negotiation.DowngradeTo11, iana.TLS12,
			true},
		{"TLS 1.1, as it comes", iana.TLS11, "8 random", iana.TLS12, false},
		{"TLS 1.1, and it is our highest", iana.TLS11, negotiation.DowngradeTo11, iana.TLS11,
			false},
	} {
		config := config("downgraded", iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)
		config.MinVersion, config.MaxVersion = iana.TLS10, c.highest
		m := NewClient(config, &desk{})
		if err := m.Speak(); err != nil {
			t.Fatal(err)
		}
		sh := &message.ServerHello{Version: c.version,
			CipherSuite: iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		copy(sh.Random[24:], c.tail)
		sh.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
		raw, err := message.Dialect{Version: iana.TLS12}.Encode(sh)
		if err != nil {
			t.Fatal(err)
		}
		err = m.Take(iana.Server, Kind(iana.ServerHello), raw)
		if c.refused != (err != nil) || err != nil && alert.Of(err) != alert.IllegalParameter {
			t.Errorf("%s: got %v", c.what, err)
		}
	}
}

// A client offers only groups that its suites can use.
func TestClientOffersWhatItsSuitesCanUse(t *testing.T) {
	for _, c := range []struct {
		suite          iana.CipherSuite
		curves, fields bool
		formats, etm   bool
	}{
		{suite: ecdheECDSA, curves: true, formats: true},
		{suite: dheRSA, fields: true},
		{suite: rsaRSA},
		{suite: iana.TLS_RSA_WITH_AES_128_CBC_SHA, etm: true},
		{suite: iana.TLS_RSA_WITH_NULL_SHA},
	} {
		m := NewClient(config("offers", c.suite), &desk{})
		if err := m.Speak(); err != nil {
			t.Fatal(err)
		}
		e := m.ClientHello.Extensions
		var g message.SupportedGroups
		if _, err := e.Read(iana.ExtSupportedGroups, &g); err != nil {
			t.Fatal(err)
		}
		curves, fields := false, false
		for _, id := range g.Groups {
			curves, fields = curves || !id.FiniteField(), fields || id.FiniteField()
		}
		if curves != c.curves || fields != c.fields || e.Has(iana.ExtECPointFormats) != c.formats ||
			e.Has(iana.ExtEncryptThenMAC) != c.etm {
			t.Errorf("%v: groups %v, ec_point_formats %v, encrypt_then_mac %v", c.suite, g.Groups,
				e.Has(iana.ExtECPointFormats), e.Has(iana.ExtEncryptThenMAC))
		}
		if !e.Has(iana.ExtRenegotiationInfo) || !e.Has(iana.ExtExtendedMasterSecret) {
			t.Errorf("%v: no renegotiation_info or no extended_master_secret", c.suite)
		}
	}
}
