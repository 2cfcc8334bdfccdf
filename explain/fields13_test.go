package explain_test

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// named checks that every byte of a message belongs to exactly one named leaf, and returns the
// names.
func named(t *testing.T, d message.Dialect, raw []byte) map[string]bool {
	t.Helper()
	names, at, extension := map[string]bool{}, 0, ""
	for _, f := range d.Annotate(raw) {
		if !f.Leaf {
			continue
		}
		if f.Name == "extension_type" {
			extension = f.Value
		}
		if f.Name == "extension_data" && f.Len > 0 && !strings.HasPrefix(extension, "GREASE") {
			t.Errorf(
				"%v: %d bytes of %s have no name",
				iana.HandshakeType(raw[0]),
				f.Len,
				extension,
			)
		}
		if names[f.Name] = true; f.Offset != at || f.Name == "unparsed" || f.Name == "" {
			t.Errorf("%v: %s %s begins at %d, expected %d", iana.HandshakeType(raw[0]), f.Name,
				f.Value, f.Offset, at)
		}
		at += f.Len
	}
	if at != len(raw) {
		t.Errorf("%v: %d of %d bytes are named", iana.HandshakeType(raw[0]), at, len(raw))
	}
	return names
}

// Every byte of every message of TLS 1.3 has a name, down to the parts of hybrids and the binders.
func TestEveryByteOfTLS13IsNamed(t *testing.T) {
	seen := map[string]bool{}
	messages := 0
	for _, c := range slices.Concat(cases13, rich13) {
		for _, e := range c.events(t) {
			if m, ok := e.Event.(*trace.Message); ok {
				messages++
				for name := range named(t, message.Dialect{Version: iana.TLS13}, m.Raw) {
					seen[name] = true
				}
			}
		}
	}
	for _, name := range []string{"version", "selected_version", "selected_group",
		"mlkem768_encapsulation_key", "mlkem768_ciphertext", "x25519_public_key",
		"mlkem1024_encapsulation_key", "mlkem1024_ciphertext", "secp256r1_public_key",
		"key_exchange", "identity", "obfuscated_ticket_age", "psk_binder_entry",
		"selected_identity", "psk_key_exchange_mode", "cert_data",
		"algorithm", "signature", "verify_data", "ticket_lifetime", "ticket_age_add",
		"ticket_nonce", "ticket", "request_update", "distinguished_name",
		"record_size_limit", "protocol_name", "host_name", "certificate_compression_algorithm",
		"compressed_certificate_message", "certificate_request_context", "cookie",
		"serialized_sct", "max_early_data_size"} {
		if !seen[name] {
			t.Errorf("no field is called %s", name)
		}
	}
	t.Logf("%d messages, %d kinds of field", messages, len(seen))
}

// rich13 are connections with every message and extension that Vitrine sends in TLS 1.3 and that
// cases13 does not have.
var rich13 = []case13{
	{name: "everything", connections: 2, client: func(c *vitrine.Config) {
		rich(c)
		c.CurvePreferences = []vitrine.CurveID{vitrine.X25519, vitrine.CurveP256}
	}, server: func(c *vitrine.Config) {
		rich(c)
		groups(vitrine.CurveP256)(c)
		c.ClientAuth = tls.RequireAndVerifyClientCert
		c.CookieKeys = [][32]byte{{1}}
	}},
	{name: "a late certificate, and proofs of the server's", late: true,
		client: func(c *vitrine.Config) { c.PostHandshakeAuth = true },
		server: func(c *vitrine.Config) {
			c.PostHandshakeAuth = true
			c.Certificates = slices.Clone(c.Certificates)
			c.Certificates[0].SignedCertificateTimestamps = [][]byte{[]byte("a timestamp")}
		}},
	{name: "a pre-shared key from elsewhere", client: external, server: external},
	{name: "tickets for early data", server: func(c *vitrine.Config) {
		c.SessionStore, c.MaxEarlyData = session.NewMemory(10), 1000
	}},
}

func rich(c *vitrine.Config) {
	c.NextProtos, c.GREASE, c.RecordSizeLimit = []string{"http/1.1"}, true, 1000
	c.PostHandshakeAuth = true
	c.CertificateCompression = []iana.CertificateCompressionAlgorithm{iana.Zlib}
}

func external(c *vitrine.Config) {
	c.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) {
		return &vitrine.PSK{Identity: []byte("a friend"), Key: make([]byte, 32), Import: true}, nil
	}
}

// A hello as browsers send it, with GREASE in every place for it and an encrypted_client_hello, is
// named to the last byte. See RFC 8701 §3 and RFC 9849 §5.
func TestEveryByteOfABrowsersHelloIsNamed(t *testing.T) {
	extension := func(kind uint16, data ...byte) message.Extension {
		return message.Extension{Type: iana.ExtensionType(kind), Data: data}
	}
	hello := &message.ClientHello{Version: iana.TLS12, SessionID: make([]byte, 32),
		CipherSuites:       []iana.CipherSuite{0x2A2A, iana.TLS_AES_128_GCM_SHA256},
		CompressionMethods: []iana.CompressionMethod{0}, Extensions: message.Extensions{
			extension(0x3A3A),
			extension(43, 4, 0x4A, 0x4A, 3, 4),
			extension(10, 0, 4, 0x5A, 0x5A, 0, 29),
			extension(51, 0, 5, 0x5A, 0x5A, 0, 1, 0),
			extension(13, 0, 4, 0x6A, 0x6A, 4, 3),
			extension(45, 2, 0x0B, 1),
			extension(44, 0, 3, 1, 2, 3),
			extension(42),
			extension(49),
			extension(27, 2, 0, 2),
			extension(0xFE0D, 0, 0, 1, 0, 1, 7, 0, 2, 8, 9, 0, 3, 1, 2, 3),
			extension(0x7A7A, 0),
			extension(
				41,
				append([]byte{0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 33, 32}, make([]byte, 32)...)...),
		}}
	raw, err := message.Dialect{Version: iana.TLS13}.Encode(hello)
	if err != nil {
		t.Fatal(err)
	}
	names := named(t, message.Dialect{Version: iana.TLS13}, raw)
	for _, name := range []string{"cookie", "ech_client_hello_type", "kdf_id", "aead_id",
		"config_id", "enc", "payload", "certificate_compression_algorithm", "psk_binder_entry"} {
		if !names[name] {
			t.Errorf("no field is called %s", name)
		}
	}
	grease := 0
	for _, f := range (message.Dialect{Version: iana.TLS13}).Annotate(raw) {
		if f.Leaf && len(f.Value) > 6 && f.Value[:6] == "GREASE" {
			grease++
		}
	}
	if grease != 8 {
		t.Errorf("%d fields are called GREASE, expected 8", grease)
	}
}

// Extensions that Vitrine's own messages of TLS 1.3 never have, and that an observer meets, are
// named to the last byte and have their sentences. See RFC 9149 §3, RFC 9345 §4 and
// draft-ietf-tls-trust-anchor-ids.
func TestExtensionsOfOthersAreNamed(t *testing.T) {
	with := func(c message.Content, typ iana.ExtensionType) message.Extensions {
		var x message.Extensions
		if err := x.Add(typ, c); err != nil {
			t.Fatal(err)
		}
		return x
	}
	entry := func(x message.Extensions) message.Message {
		return &message.Certificate{Chain: [][]byte{{0x30, 0}}, Extensions: []message.Extensions{x}}
	}
	missing := map[string]bool{}
	for _, m := range []message.Message{
		entry(with(&message.DelegatedCredential{ValidTime: 1, VerifyBy: iana.ED25519,
			PublicKey: []byte{0x30, 0}, Algorithm: iana.ED25519, Signature: []byte{9}},
			iana.ExtDelegatedCredential)),
		entry(with(&message.Empty{}, iana.ExtTrustAnchors)),
		&message.EncryptedExtensions{Extensions: with(&message.TrustAnchors{IDs: [][]byte{{1, 2}}},
			iana.ExtTrustAnchors)},
		&message.EncryptedExtensions{Extensions: with(&message.ExpectedTickets{Count: 2},
			iana.ExtTicketRequest)},
		&message.ClientHello{Version: iana.TLS12, CipherSuites: []iana.CipherSuite{0x1301},
			CompressionMethods: []iana.CompressionMethod{0},
			Extensions: with(&message.TicketRequest{New: 2, Resumed: 1},
				iana.ExtTicketRequest)},
	} {
		d := message.Dialect{Version: iana.TLS13}
		raw, err := d.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		named(t, d, raw)
		withoutSentences(iana.TLS13, d, raw, missing)
	}
	for name := range missing {
		t.Errorf("%s has no sentence", name)
	}
}
