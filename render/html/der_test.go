package html

import (
	"crypto"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/wire"
)

// tiles checks what package wire guarantees about fields: the leaves cover every byte once, in
// order, and a node covers exactly its parts.
func tiles(t *testing.T, fields []wire.Field, length int) {
	t.Helper()
	at := 0
	for i, f := range fields {
		if f.Leaf {
			if f.Offset != at || f.Len <= 0 {
				t.Fatalf("%s is at %d with %d bytes, expected at %d", f.Name, f.Offset, f.Len, at)
			}
			at += f.Len
			continue
		}
		end := f.Offset
		for _, part := range fields[i+1:] {
			if part.Depth <= f.Depth {
				break
			}
			end = max(end, part.Offset+part.Len)
		}
		if f.Offset != at || end != f.Offset+f.Len {
			t.Fatalf("%s covers %d to %d, its parts end at %d", f.Name, f.Offset,
				f.Offset+f.Len, end)
		}
	}
	if at != length {
		t.Fatalf("the leaves cover %d of %d bytes", at, length)
	}
}

func TestCertificateFieldsCoverEveryByte(t *testing.T) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, kind := range []throwaway.Kind{throwaway.RSA, throwaway.RSAPSS, throwaway.ECDSA,
		throwaway.ECDSAP521, throwaway.Ed25519, throwaway.Ed448} {
		c, err := ca.Issue(kind, []string{"vitrine.test", "127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		der := c.Certificate[0]
		fields := annotate(x509Syntax, der, 0, 0)
		tiles(t, fields, len(der))
		for _, want := range []string{"tbsCertificate", "serialNumber", "issuer", "notAfter",
			"subjectPublicKeyInfo", "extnID", "extnValue", "signatureValue"} {
			if !slices.ContainsFunc(fields, func(f wire.Field) bool { return f.Name == want }) {
				t.Errorf("%s: no field %s", kind, want)
			}
		}
		if !slices.ContainsFunc(fields, func(f wire.Field) bool {
			return f.Name == "extnID" && strings.HasPrefix(f.Value, "subjectAltName")
		}) {
			t.Errorf("%s: the subjectAltName has no name", kind)
		}
		for _, want := range []string{"version 2 (v3)", "BIT STRING 80: digitalSignature"} {
			if kind == throwaway.RSA && strings.HasPrefix(want, "BIT") {
				want = "BIT STRING a0: digitalSignature, keyEncipherment"
			}
			if !slices.ContainsFunc(fields, func(f wire.Field) bool {
				return f.Name+" "+f.Value == want
			}) {
				t.Errorf("%s: no field reads %q", kind, want)
			}
		}
		n += len(fields)
	}
	t.Logf("%d fields of 6 certificates", n)
}

// A raw public key is shown byte for byte, its numbers by their names, and described: RFC 7250.
func TestARawPublicKeyIsTakenApart(t *testing.T) {
	for kind, want := range map[throwaway.Kind][]string{
		throwaway.RSA:       {"RSAPublicKey", "modulus", "publicExponent"},
		throwaway.ECDSA:     {"form of the point", "x", "y"},
		throwaway.ECDSAP521: {"form of the point", "x", "y"},
		throwaway.Ed25519:   {"key"},
		throwaway.Ed448:     {"key"},
	} {
		spki := rawKey(t, kind)
		for _, v := range []iana.Version{iana.TLS12, iana.TLS13} {
			d := message.Dialect{Version: v, CertificateType: iana.RawPublicKey}
			raw, err := d.Encode(&message.Certificate{Chain: [][]byte{spki}})
			if err != nil {
				t.Fatal(err)
			}
			fields, list := withCertificates(d.Annotate(raw), raw, map[wire.Field]string{})
			tiles(t, fields, len(raw))
			for _, name := range append(want, "subjectPublicKeyInfo", "algorithm",
				"subjectPublicKey", "unused bits") {
				if !slices.ContainsFunc(fields,
					func(f wire.Field) bool { return f.Name == name }) {
					t.Errorf("%v, %s: no field %s", v, kind, name)
				}
			}
			if len(list) != 1 || list[0].Rows[0].Text == "unreadable" ||
				list[0].Rows[1].Text != fmt.Sprintf("%x", sha256.Sum256(spki)) {
				t.Errorf("%v, %s: described as %v", v, kind, list)
			}
		}
	}
	if list := decodeKey([]byte("no key")); !strings.HasPrefix(list.Rows[0].Text, "unreadable: ") {
		t.Errorf("no key: %v", list)
	}
}

// rawKey is the SubjectPublicKeyInfo of a new key.
func rawKey(t testing.TB, kind throwaway.Kind) []byte {
	t.Helper()
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := ca.Issue(kind, []string{"vitrine.test"})
	if err != nil {
		t.Fatal(err)
	}
	spki, err := pki.MarshalPublicKey(c.PrivateKey.(crypto.Signer).Public())
	if err != nil {
		t.Fatal(err)
	}
	return spki
}

func FuzzCertificateFields(f *testing.F) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		f.Fatal(err)
	}
	c, err := ca.Issue(throwaway.ECDSA, []string{"vitrine.test"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.Certificate[0])
	for _, der := range [][]byte{c.Certificate[0], rawKey(f, throwaway.RSA),
		rawKey(f, throwaway.Ed25519)} {
		for _, spoilt := range testkit.Spoil(der, 400) {
			f.Add(spoilt)
		}
	}
	f.Add([]byte{0x30, 4, 5, 0, 6, 0})
	f.Add(
		[]byte{
			0x30,
			15,
			6,
			13,
			0x81,
			0xff,
			0xff,
			0xff,
			0xff,
			0xff,
			0xff,
			0xff,
			0xff,
			0xff,
			0xff,
			0xff,
			1,
		},
	)
	f.Add([]byte{0x30, 4, 6, 2, 0x2a, 0x86})
	f.Add(rawKey(f, throwaway.RSA))
	f.Add(rawKey(f, throwaway.ECDSA))
	f.Add([]byte{0x30, 0x80})
	f.Add([]byte{0x30, 0x03, 0x04, 0x01})
	f.Add([]byte{0x1f, 0x81, 0x00})
	f.Fuzz(func(t *testing.T, der []byte) {
		if len(der) > 0 {
			tiles(t, annotate(x509Syntax, der, 0, 0), len(der))
			tiles(t, annotate(rawKeySyntax, der, 0, 0), len(der))
		}
	})
}

func TestReferencesLinkToTheirSections(t *testing.T) {
	link := func(target, text string) string {
		return `<a class="ref" href="https://www.rfc-editor.org/rfc/` + target +
			`" rel="noreferrer">` + text + `</a>`
	}
	for _, c := range []struct{ ref, want string }{
		{"", ""},
		{"RFC 5246 §8.1", link("rfc5246#section-8.1", "RFC 5246 §8.1")},
		{"RFC 5246 §8.1, §6.3", link("rfc5246#section-8.1", "RFC 5246 §8.1") + ", " +
			link("rfc5246#section-6.3", "§6.3")},
		{"RFC 8422, RFC 7919", link("rfc8422", "RFC 8422") + ", " + link("rfc7919", "RFC 7919")},
		{"RFC 5246 §F.1.1.2", link("rfc5246#appendix-F.1.1.2", "RFC 5246 §F.1.1.2")},
		{"RFC 5246 §F", link("rfc5246#appendix-F", "RFC 5246 §F")},
		{`<script> §4"`, "&lt;script&gt; §4&#34;"},
	} {
		if got := string(references(c.ref)); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.ref, got, c.want)
		}
	}
}

func TestWeaveKeepsTheOrderOfTheFirst(t *testing.T) {
	words := strings.Fields
	for _, c := range []struct{ a, b, want string }{
		{"", "a b", "a b"},
		{"a b c", "a b c", "a b c"},
		{"hello certificate done", "hello certificate key done", "hello certificate key done"},
		{"a c", "b c d", "a b c d"},
		{"client server", "server client", "client server"}, // the order of the first is kept
		{"hello answer keys change data", "hello change early answer keys data",
			"hello early answer keys change data"},
	} {
		if got := strings.Join(weave(words(c.a), words(c.b)), " "); got != c.want {
			t.Errorf("%q with %q: got %q, want %q", c.a, c.b, got, c.want)
		}
	}
}
