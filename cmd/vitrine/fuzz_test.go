package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// FuzzKeyFile: a key file in any form gives a key or an error, which quotes no password, and costs
// no more derivations than are allowed.
func FuzzKeyFile(f *testing.F) {
	const password = "a password of the user"
	ca, err := throwaway.New(throwaway.Options{})
	if err != nil {
		f.Fatal(err)
	}
	for _, kind := range []throwaway.Kind{throwaway.RSA, throwaway.ECDSA} {
		c, err := ca.Issue(kind, []string{"vitrine.test"})
		if err != nil {
			f.Fatal(err)
		}
		der, err := throwaway.PKCS8(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
		f.Add(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}))
		f.Add(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der,
			Headers: map[string]string{
				"Proc-Type": "4,ENCRYPTED",
				"DEK-Info":  "AES-256-CBC,00112233445566778899aabbccddeeff"}}))
		if b, err := pkcs8.MarshalPrivateKey(c.PrivateKey, []byte(password), nil); err == nil {
			f.Add(b)
		}
		if b, err := pkcs12.Modern.Encode(c.PrivateKey, c.Leaf, nil, password); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, word := range []string{"", password} {
			spent := new(derivations)
			key, err := keyFromPEM(file, word, spent)
			if err != nil {
				key, err = keyFromDER(file, word, spent)
			}
			if (key == nil) != (err != nil) {
				t.Errorf("a key of type %T and %v", key, err)
			}
			if err != nil && (strings.Contains(err.Error(), password) || len(err.Error()) > 2000) {
				t.Errorf("%.3000v", err)
			}
		}
		if _, _, err := readBlocks(file); err != nil && len(err.Error()) > 2000 {
			t.Errorf("%.3000v", err)
		}
	})
}

// FuzzPrintout: decrypted data of anybody, printed to a terminal, is text, line feeds and tabs, and
// nothing that moves a cursor or turns the direction.
func FuzzPrintout(f *testing.F) {
	for _, s := range []string{"GET / HTTP/1.1\r\n\r\n", "\x1b[31mred\x07", "a\u202eb\u2066",
		"ü\xff\xfe",
		"\u0085\u009b", strings.Repeat("\r", 5), ""} {
		f.Add([]byte(s), []byte(s), true)
	}
	f.Fuzz(func(t *testing.T, one, two []byte, client bool) {
		var out bytes.Buffer
		p := &printout{}
		from := map[bool]iana.Side{true: iana.Client, false: iana.Server}[client]
		for _, b := range [][]byte{one, two, one} {
			if err := p.write(&out, "1", from, b); err != nil {
				t.Fatal(err)
			}
		}
		for i, r := range out.String() {
			if r != '\n' && r != '\t' && !unicode.IsGraphic(r) {
				t.Errorf("%U at %d", r, i)
			}
		}
		if n := len(one)*2 + len(two); out.Len() > 200+3*n {
			t.Errorf("%d bytes are printed for %d", out.Len(), n)
		}
	})
}

// FuzzDecrypt: the whole of vitrine decrypt, with any file and any key log. It ends with an exit
// code and, whatever the file has, prints no control characters and does not panic.
func FuzzDecrypt(f *testing.F) {
	small := map[string]bool{}
	_ = filepath.WalkDir("../../testdata/captures",
		func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.Contains(path, ".pcap") {
				return nil
			}
			if i, err := d.Info(); err != nil || i.Size() > 6000 || len(small) > 60 {
				return nil
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return nil
			}
			log, _ := os.ReadFile(strings.TrimSuffix(path, filepath.Ext(path)) + ".keylog")
			small[path] = true
			f.Add(b, log)
			return nil
		})
	if len(small) < 5 {
		f.Fatal("no captures")
	}
	f.Fuzz(func(t *testing.T, file, log []byte) {
		if len(file) > 64<<10 {
			return
		}
		dir := t.TempDir()
		capture, keys := filepath.Join(dir, "c.pcap"), filepath.Join(dir, "keys")
		if os.WriteFile(capture, file, 0o600) != nil || os.WriteFile(keys, log, 0o600) != nil {
			t.Fatal("cannot write")
		}
		for _, args := range [][]string{{"--keylog", keys, "--print", "--inner"},
			{"--keylog", keys, "--json"}} {
			var out, errs bytes.Buffer
			code := run(context.Background(), append([]string{"decrypt", capture}, args...), &out,
				&errs)
			if code != exitOK && errs.Len() == 0 && out.Len() == 0 {
				t.Fatalf("%v: exit code %d without a word", args, code)
			}
			for _, r := range out.String() + errs.String() {
				if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
					t.Fatalf("%v: %U is printed", args, r)
				}
			}
		}
	})
}
