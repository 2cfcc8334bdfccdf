package message_test

import (
	"crypto/tls"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/message"
)

// hellos are those that programs of today send, and the one of the crypto/tls that this test was
// built with.
func hellos(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{"crypto/tls": ours(t)}
	for _, b := range testkit.Blocks(t, "hellos/client_hellos.vec") {
		all[b.Fields["Name"]] = unhex(t, b.Fields["Message"])
	}
	return all
}

func ours(t testing.TB) []byte {
	t.Helper()
	near, far := net.Pipe()
	defer far.Close()
	go func() {
		_ = tls.Client(near,
			&tls.Config{ServerName: "vitrine.test",
				NextProtos: []string{"h2", "http/1.1"}}).Handshake()
	}()
	record := make([]byte, 5+1<<14)
	if _, err := io.ReadFull(far, record[:5]); err != nil {
		t.Fatal(err)
	}
	raw := record[5 : 5+int(record[3])<<8+int(record[4])]
	if _, err := io.ReadFull(far, raw); err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestClientHellosOfCurrentProgramsAreFullyAnnotated(t *testing.T) {
	extensions := 0
	for name, raw := range hellos(t) {
		m, err := parse(t, dialect, raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		ch := m.(*message.ClientHello)
		var sni message.ServerNames
		if ok, err := ch.Extensions.Read(iana.ExtServerName, &sni); !ok || err != nil ||
			string(sni.Names[0].Name) != "vitrine.test" {
			t.Errorf("%s: asks for %q, %v %v", name, sni.Names, ok, err)
		}
		var typ string
		for _, f := range dialect.Annotate(raw) {
			switch f.Name {
			case "extension_type":
				typ = f.Value
				extensions++
			case "unparsed":
				t.Errorf("%s: %s at byte %d: %s", name, typ, f.Offset, f.Value)
			case "extension_data":
				if f.Leaf && !strings.HasPrefix(typ, "GREASE") {
					t.Errorf("%s: the content of %s is not taken apart", name, typ)
				}
			}
		}
	}
	ran(t, extensions, "extensions of real clients")
}

func TestAnnotationsNameFieldsAndValues(t *testing.T) {
	fields := dialect.Annotate(hellos(t)["openssl"])
	for _, want := range []string{
		`msg_type client_hello (1)`,
		`client_version TLS 1.2 (0x0303)`,
		`cipher_suite TLS_AES_256_GCM_SHA384 (0x1302)`,
		`extension_type server_name (0x0000)`,
		`host_name "vitrine.test"`,
		`protocol_name "h2"`,
		`named_group x25519 (0x001D)`,
		`signature_scheme rsa_pss_rsae_sha256 (0x0804)`,
		`psk_key_exchange_mode psk_dhe_ke (1)`,
		`version TLS 1.3 (0x0304)`,
	} {
		name, value, _ := strings.Cut(want, " ")
		found := false
		for _, f := range fields {
			found = found || f.Name == name && f.Value == value
		}
		if !found {
			t.Errorf("no field %s", want)
		}
	}
}

// Text from a peer must not reach a terminal unescaped.
func TestAnnotationsQuoteControlCharacters(t *testing.T) {
	var x message.Extensions
	names := []message.ServerName{{Name: []byte("\x1b[2Jü\u202e")}}
	if err := x.Add(iana.ExtServerName, &message.ServerNames{Names: names}); err != nil {
		t.Fatal(err)
	}
	raw, err := dialect.Encode(&message.ClientHello{CipherSuites: []iana.CipherSuite{1},
		CompressionMethods: []iana.CompressionMethod{0}, Extensions: x})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range dialect.Annotate(raw) {
		if strings.ContainsFunc(f.Value, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%s shows %q", f.Name, f.Value)
		}
	}
}

// However a message is cut or changed, its annotation tiles it, Parse does not panic, and the error
// names the place.
func TestBrokenMessagesAreAnnotatedAsFarAsTheyCanBeRead(t *testing.T) {
	n := 0
	for _, raw := range hellos(t) {
		if len(raw) > 700 {
			continue // Chromium's: the rest has every kind of field
		}
		for i := range raw {
			cut := slices.Clone(raw[:i])
			if _, err := parse(t, dialect, cut); err == nil {
				t.Errorf("%d of %d bytes are no error", i, len(raw))
			}
			changed := slices.Clone(raw)
			changed[i] ^= 0x81
			if _, err := parse(t, dialect, changed); err != nil &&
				!strings.Contains(err.Error(), "got ") {
				t.Errorf("the error says not what came: %v", err)
			}
			n += 2
		}
	}
	ran(t, n, "broken hellos")
}
