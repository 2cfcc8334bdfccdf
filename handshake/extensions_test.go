package handshake

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// malformed has, for each extension, contents that break its structure, in a client's hello and in
// a server's: cut short, with bytes behind the end, with half an element, with an empty list.
var malformed = map[iana.ExtensionType][2][]string{
	iana.ExtServerName: {
		{
			"",
			"\x00",
			"\x00\x00",
			"\x00\x04\x00\x00\x01",
			"\x00\x03\x00\x00\x00",
			"\x00\x04\x00\x00\x01ab",
		},
		{"\x00"},
	},
	iana.ExtMaxFragmentLength: {{"", "\x01\x01"}, {"", "\x01\x01"}},
	iana.ExtStatusRequest: {
		{"", "\x01", "\x01\x00\x00\x00", "\x01\x00\x00\x00\x00\x00"},
		{"\x01"},
	},
	iana.ExtSupportedGroups: {
		{
			"",
			"\x00",
			"\x00\x00",
			"\x00\x01\x00",
			"\x00\x02\x00",
			"\x00\x02\x00\x17\x00",
		},
		{"\x00\x00"},
	},
	iana.ExtECPointFormats: {
		{
			"",
			"\x00",
			"\x01",
			"\x02\x00",
			"\x01\x00\x00",
		},
		{"", "\x00", "\x01", "\x02\x00", "\x01\x00\x00"},
	},
	iana.ExtSignatureAlgorithms: {
		{"", "\x00\x00", "\x00\x01\x04", "\x00\x02\x04", "\x00\x02\x04\x03\x00"},
		nil,
	},
	iana.ExtSignatureAlgorithmsCert: {
		{"", "\x00\x00", "\x00\x01\x04", "\x00\x02\x04", "\x00\x02\x04\x03\x00"},
		nil,
	},
	iana.ExtALPN: {
		{
			"",
			"\x00\x00",
			"\x00\x01\x00",
			"\x00\x02\x02h",
			"\x00\x02\x01h\x00",
		},
		{"", "\x00\x00", "\x00\x02\x02h"},
	},
	iana.ExtSCT: {
		{"\x00"},
		{"", "\x00\x00", "\x00\x02\x00\x00", "\x00\x03\x00\x01\x00\x00"},
	},
	iana.ExtClientCertificateType: {{"", "\x00", "\x02\x02", "\x01\x02\x00"}, {"", "\x02\x00"}},
	iana.ExtServerCertificateType: {{"", "\x00", "\x02\x02", "\x01\x02\x00"}, {"", "\x02\x00"}},

	iana.ExtEncryptThenMAC:       {{"\x00"}, {"\x00"}},
	iana.ExtExtendedMasterSecret: {{"\x00"}, {"\x00"}},
	iana.ExtRecordSizeLimit:      {{"", "\x40", "\x40\x00\x00"}, {"", "\x40", "\x40\x00\x00"}},
	iana.ExtSessionTicket:        {nil, {"\x00"}}, // any content is a ticket
	iana.ExtRenegotiationInfo:    {{"", "\x01", "\x00\x00"}, {"", "\x01", "\x00\x00"}},
	iana.ExtSupportedVersions:    {{"", "\x00", "\x01\x03", "\x02\x03", "\x02\x03\x03\x00"}, nil},
	iana.ExtKeyShare: {
		{"", "\x00", "\x00\x04\x00\x1d\x00\x00", "\x00\x05\x00\x1d\x00\x02\x01", "\x00\x00\x00"},
		nil,
	},
	iana.ExtCompressCertificate: {{"", "\x00", "\x01\x00", "\x02\x00", "\x02\x00\x01\x00"}, nil},
	iana.ExtCookie:              {{"", "\x00\x00", "\x00\x02\x01", "\x00\x01\x01\x00"}, nil},
	iana.ExtCertificateAuthorities: {{"", "\x00\x00", "\x00\x02\x00\x00",
		"\x00\x03\x00\x01\x30\x00"}, nil},
	iana.ExtOIDFilters:          {nil, nil}, // of a CertificateRequest
	iana.ExtPostHandshakeAuth:   {{"\x00"}, nil},
	iana.ExtPSKKeyExchangeModes: {{"", "\x00", "\x02\x01", "\x01\x01\x00"}, nil},
	iana.ExtEarlyData:           {{"\x00"}, nil},

	iana.ExtQUICTransportParameters: {nil, nil}, // QUIC reads them

	iana.ExtPreSharedKey: {
		{"", "\x00\x00", "\x00\x07\x00\x01\x05\x00\x00\x00\x00",
			"\x00\x07\x00\x01\x05\x00\x00\x00\x00\x00\x01\x00"},
		nil,
	},
}

// everything makes a side send and answer each extension that it knows.
func everything(t *testing.T) *negotiation.Config {
	c := config("malformed", ecdheECDSA, iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)
	c.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
	c.MaxFragmentLength, c.RecordSizeLimit, c.Tickets = 4, 1<<14, true
	c.Protocols = []string{"h"}
	c.PeerTypes = []iana.CertificateType{iana.X509, iana.RawPublicKey}
	c.CertificateTypes = c.PeerTypes
	return c
}

// RFC 5246 §7.2.2, decode_error: "some field was out of the specified range or the length of the
// message was incorrect". Whether the content is needed in this handshake must not matter.
func TestMalformedExtensionsAreDecodeErrors(t *testing.T) {
	n := 0
	for _, row := range negotiation.Extensions {
		samples, ok := malformed[row.Type]
		if !ok {
			t.Errorf("%v: no malformed content is known", row.Type)
		}
		for _, data := range samples[iana.Client] {
			m := hello(t, suites{ecdheECDSA}, everyGroup, everyScheme)
			m.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
			replaceExtension(&m.Extensions, row.Type, data)
			for _, c := range []*negotiation.Config{everything(t), config("plain", ecdheECDSA)} {
				c.Credentials = everything(t).Credentials
				err := served(t, c, m)
				if alert.Of(err) != alert.DecodeError {
					t.Errorf("a client's %v %q: got %v, expected decode_error", row.Type, data, err)
				}
				n++
			}
		}
		for _, data := range samples[iana.Server] {
			sh := &message.ServerHello{Version: iana.TLS12, CipherSuite: ecdheECDSA}
			sh.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
			replaceExtension(&sh.Extensions, row.Type, data)
			err := answered(t, everything(t), sh)
			if alert.Of(err) != alert.DecodeError {
				t.Errorf("a server's %v %q: got %v, expected decode_error", row.Type, data, err)
			}
			n++
		}
	}
	t.Logf("%d malformed extensions", n)
}

// RFC 5246 §7.4.1.4: "Unknown extensions are to be ignored".
func TestUnknownExtensionsAreIgnored(t *testing.T) {
	for _, typ := range []iana.ExtensionType{0xABCD, 0x1A1A, iana.ExtHeartbeat} {
		m := hello(t, suites{ecdheECDSA}, everyGroup, everyScheme)
		m.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
		replaceExtension(&m.Extensions, typ, "\xFF")
		if err := served(t, everything(t), m); err != nil {
			t.Errorf("%v: %v", typ, err)
		}
	}
}

// RFC 6066 §3 gives the form of a host_name; the alert is our choice. What passes reaches logs,
// tickets and callbacks.
func TestOnlyHostNamesAreTakenAsHostNames(t *testing.T) {
	for host, good := range map[string]bool{
		"a": true, "vitrine.test": true, "xn--bcher-kva.test": true, "_dmarc.test": true,
		"127.0.0.1":              true,
		strings.Repeat("a", 255): true, strings.Repeat("a", 256): false,
		strings.Repeat("a", 65000): false,
		"two\nlines":               false, "\x1b[2J": false, "a b": false, "nul\x00": false,
		"bücher.test": false,
		"\x7f":        false,
		"\xff":        false, "\u202e": false,
	} {
		m := hello(t, suites{ecdheECDSA}, host, everyGroup, everyScheme)
		m.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
		err := served(t, everything(t), m)
		if good != (err == nil) || err != nil && alert.Of(err) != alert.IllegalParameter {
			t.Errorf("%.20q (%d bytes): got %v", host, len(host), err)
		}
	}
}

func replaceExtension(e *message.Extensions, typ iana.ExtensionType, data string) {
	*e = slices.DeleteFunc(*e, func(x message.Extension) bool { return x.Type == typ })
	*e = append(*e, message.Extension{Type: typ, Data: []byte(data)})
}

// served shows a ClientHello to a server and gives its error.
func served(t *testing.T, c *negotiation.Config, ch *message.ClientHello) error {
	t.Helper()
	m := NewServer(c, &desk{})
	return taken(t, m, iana.Client, ch)
}

// answered shows a ServerHello to a client that offered all it can, and gives its error.
func answered(t *testing.T, c *negotiation.Config, sh *message.ServerHello) error {
	t.Helper()
	m := NewClient(c, &desk{})
	if err := m.Speak(); err != nil {
		t.Fatal(err)
	}
	return taken(t, m, iana.Server, sh)
}

func taken(t *testing.T, m *Machine, from iana.Side, msg message.Message) error {
	t.Helper()
	raw, err := message.Dialect{Version: iana.TLS12}.Encode(msg)
	if err != nil {
		t.Fatal(err)
	}
	take := func() error { return m.Take(from, Kind(msg.Type()), bytes.Clone(raw)) }
	if err := patient(take, m.Speak); err != nil {
		return err
	}
	return patient(m.Speak, m.Speak)
}
