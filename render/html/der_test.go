package html

import (
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/throwaway"
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
		fields := annotateCertificate(der, 0, 0)
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
		n += len(fields)
	}
	t.Logf("%d fields of 6 certificates", n)
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
	f.Add([]byte{0x30, 0x80})
	f.Add([]byte{0x30, 0x03, 0x04, 0x01})
	f.Add([]byte{0x1f, 0x81, 0x00})
	f.Fuzz(func(t *testing.T, der []byte) {
		if len(der) > 0 {
			tiles(t, annotateCertificate(der, 0, 0), len(der))
		}
	})
}

func TestReferences(t *testing.T) {
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

func TestWeave(t *testing.T) {
	words := strings.Fields
	for _, c := range []struct{ a, b, want string }{
		{"", "a b", "a b"},
		{"a b c", "a b c", "a b c"},
		{"hello certificate done", "hello certificate key done", "hello certificate key done"},
		{"a c", "b c d", "a b c d"},
		{"client server", "server client", "client server"}, // the order of the first is kept
	} {
		if got := strings.Join(weave(words(c.a), words(c.b)), " "); got != c.want {
			t.Errorf("%q with %q: got %q, want %q", c.a, c.b, got, c.want)
		}
	}
}
