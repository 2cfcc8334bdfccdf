package message_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/message"
)

func TestIllustratedMessagesAreReadAndWrittenBack(t *testing.T) {
	n := 0
	read := func(file string) message.Message {
		t.Helper()
		raw := testkit.Vectors(t, "illustrated-tls12/"+file)
		if !strings.HasSuffix(file, "plain") {
			raw = raw[5:] // the record's header
		}
		m, err := parse(t, dialect, raw[:message.Length(raw)])
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		n++
		return m
	}
	ascending := func(from byte) (b [32]byte) {
		for i := range b {
			b[i] = from + byte(i)
		}
		return b
	}
	want := func(what string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, expected %v", what, got, want)
		}
	}

	ch := read("clienthello").(*message.ClientHello)
	want("client_random", ch.Random, ascending(0))
	want("suites", ch.CipherSuites[0], iana.CipherSuite(0xCCA8))
	var sni message.ServerNames
	if ok, err := ch.Extensions.Read(iana.ExtServerName, &sni); !ok || err != nil {
		t.Fatal(ok, err)
	}
	want("server_name", string(sni.Names[0].Name), "example.ulfheim.net")

	sh := read("serverhello").(*message.ServerHello)
	want("server_random", sh.Random, ascending(0x70))
	want("suite", sh.CipherSuite, iana.CipherSuite(0xC013))

	cert := read("servercert").(*message.Certificate)
	want("certificates", len(cert.Chain), 1)

	ske := read("serverkeyexchange").(*message.ServerKeyExchange)
	want("group", ske.Group, iana.X25519)
	want("signature scheme", ske.Scheme, iana.RSA_PKCS1_SHA256)
	want("signature", len(ske.Signature), 256)
	key := testkit.Unhex(t, "9fd7ad6dcff4298dd3f96d5b1b2af910a0535b1488d7f8fabb349a982880b615")
	want("server's public key", ske.ECPublic, key)
	want("signed parameters", ske.Params, append([]byte{3, 0, 29, 32}, key...))

	read("serverhellodone")
	cke := read("clientkeyexchange").(*message.ClientKeyExchange)
	want("client's public key", cke.ECPublic,
		testkit.Unhex(t, "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254"))
	want("client's verify_data", read("clientfinishedplain").(*message.Finished).VerifyData,
		testkit.Unhex(t, "cf919626f1360c536aaad73a"))
	want("server's verify_data", len(read("serverfinishedplain").(*message.Finished).VerifyData),
		12)
	ran(t, n, "messages of the illustrated handshake")
}

// botan runs and counts the cases of one of Botan's files. A case with an Exception must fail,
// except for those that Botan rejects for their meaning and not for their form.
func botan(t *testing.T, file string, read func(*testing.T, testkit.Block, []byte) error) {
	t.Run(file, func(t *testing.T) {
		blocks := testkit.Blocks(t, "botan/"+file)
		for _, b := range blocks {
			err := read(t, b, unhex(t, b.Fields["Buffer"]))
			refused := b.Fields["Exception"]
			if strings.Contains(refused, "invalid legacy_version") ||
				strings.Contains(refused, "NULL compression") {
				refused = ""
			}
			if (err != nil) != (refused != "") {
				t.Errorf("line %d: got the error %v, expected %q", b.Line, err, refused)
			}
		}
		ran(t, len(blocks), "cases")
	})
}

func TestBotanMessages(t *testing.T) {
	for file, typ := range map[string]iana.HandshakeType{
		"tls_client_hello.vec": iana.ClientHello, "tls_13_client_hello.vec": iana.ClientHello,
		"tls_server_hello.vec": iana.ServerHello, "tls_13_server_hello.vec": iana.ServerHello,
		"tls_cert_verify.vec":        iana.CertificateVerify,
		"tls_cert_status.vec":        iana.CertificateStatus,
		"tls_hello_request.vec":      iana.HelloRequest,
		"tls_new_session_ticket.vec": iana.NewSessionTicket,
	} {
		botan(t, file, func(t *testing.T, b testkit.Block, body []byte) error {
			raw := framed(typ, body)
			m, err := parse(t, dialect, raw)
			if err != nil {
				return err
			}
			// Botan reads the contents of all extensions at once; here they are read by who needs
			// them, and by Annotate.
			if f := unparsed(dialect.Annotate(raw)); f != nil {
				return fmt.Errorf("%s", f.Value)
			}
			switch m := m.(type) {
			case *message.ClientHello:
				agree(t, b, m.Version, m.CipherSuites, m.Extensions)
			case *message.ServerHello:
				agree(t, b, m.Version, []iana.CipherSuite{m.CipherSuite}, m.Extensions)
			}
			return nil
		})
	}
}

// agree compares a hello with what Botan saw in it.
func agree(t *testing.T, b testkit.Block, v iana.Version, suites []iana.CipherSuite,
	extensions message.Extensions) {
	t.Helper()
	want := b.Fields
	if !strings.HasSuffix(want["Message_Type"], "13") &&
		want["Message_Type"] != "hello_retry_request" {
		if got := fmt.Sprintf("%04x", uint16(v)); got != want["Protocol"] {
			t.Errorf("line %d: got version %s, expected %s", b.Line, got, want["Protocol"])
		}
	}
	var got strings.Builder
	for _, s := range suites {
		fmt.Fprintf(&got, "%04X", uint16(s))
	}
	if s, ok := want["Ciphersuite"]; ok && s != got.String() {
		t.Errorf("line %d: got suites %s, expected %s", b.Line, &got, s)
	}
	seen := map[iana.ExtensionType]bool{}
	if _, names := want["Ciphersuite"]; !names {
		// this file of Botan's counts the SCSV as the extension
		seen[iana.ExtRenegotiationInfo] = true
	}
	for _, x := range extensions {
		seen[x.Type] = true
	}
	got.Reset()
	for _, x := range slices.Sorted(maps.Keys(seen)) {
		fmt.Fprintf(&got, "%04X", uint16(x))
	}
	if got.String() != want["AdditionalData"] {
		t.Errorf("line %d: got extensions %s, expected %s", b.Line, &got, want["AdditionalData"])
	}
}

func TestBotanExtensions(t *testing.T) {
	for _, c := range []struct {
		file string
		typ  iana.ExtensionType
		new  func() message.Content
		show func(message.Content) any // for Expected_Content, where that is not the content itself
	}{
		{"alpn", iana.ExtALPN, content[message.Protocols], func(c message.Content) any {
			return string(bytes.Join(c.(*message.Protocols).Names, []byte(",")))
		}},
		{"supported_groups", iana.ExtSupportedGroups, content[message.SupportedGroups],
			func(c message.Content) any {
				return list(c.(*message.SupportedGroups).Groups, "")
			}},
		{"signature_algorithms_cert", iana.ExtSignatureAlgorithmsCert,
			content[message.SignatureSchemes], func(c message.Content) any {
				return list(c.(*message.SignatureSchemes).Schemes, "")
			}},
		{"supported_versions", iana.ExtSupportedVersions, content[message.SupportedVersions],
			func(c message.Content) any {
				return list(c.(*message.SupportedVersions).Versions, ", ")
			}},
		{"cookie", iana.ExtCookie, content[message.Cookie], func(c message.Content) any {
			return fmt.Sprintf("%x", c.(*message.Cookie).Cookie)
		}},
		{"key_share_CH", iana.ExtKeyShare, content[message.KeyShares], nil},
		{"key_share_SH", iana.ExtKeyShare, content[message.KeyShare], nil},
		{"key_share_HRR", iana.ExtKeyShare, content[message.SelectedGroup], nil},
	} {
		botan(t, "tls_extensions_parsing_"+c.file+".vec",
			func(t *testing.T, b testkit.Block, data []byte) error {
				v := c.new()
				sent := message.Extensions{{Type: c.typ, Data: data}}
				if _, err := sent.Read(c.typ, v); err != nil {
					return err
				}
				var again message.Extensions
				if err := again.Add(c.typ, v); err != nil || !bytes.Equal(again[0].Data, data) {
					t.Errorf("line %d: written again %x, %v", b.Line, again, err)
				}
				var got any = fmt.Sprintf("%x", data)
				if c.show != nil {
					got = c.show(v)
				}
				want := b.Fields["Expected_Content"]
				if b.Fields["Exception"] == "" && !strings.EqualFold(fmt.Sprint(got), want) {
					t.Errorf("line %d: got %v, expected %s", b.Line, got, want)
				}
				return nil
			})
	}
}

func list[T ~uint16](v []T, separator string) string {
	var s []string
	for _, n := range v {
		s = append(s, fmt.Sprintf("%04x", uint16(n)))
	}
	return strings.Join(s, separator)
}

func content[T any, P interface {
	*T
	message.Content
}]() message.Content {
	return P(new(T))
}
