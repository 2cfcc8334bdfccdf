package probe_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/probe"
)

// What a server was, is read from a file; what it is, differs in what was changed, and in nothing
// else. Reports, with and without changes, are as docs/probe.schema.json says.
func TestReportsAreComparedAndAsTheirSchemaSays(t *testing.T) {
	first, second := rig.Certificate(t, throwaway.RSA), rig.Certificate(t, throwaway.ECDSA)
	before := ask(t, listen(t, broken.Stdlib(&tls.Config{Certificates: []tls.Certificate{first},
		CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}, MinVersion: tls.VersionTLS10,
		MaxVersion: tls.VersionTLS12})))
	after := ask(t, listen(t, broken.Stdlib(&tls.Config{Certificates: []tls.Certificate{second}})))
	same := ask(t, listen(t, broken.Stdlib(&tls.Config{Certificates: []tls.Certificate{second}})))
	before.Target, after.Target, same.Target = "a:443", "a:443", "a:443"

	for _, f := range before.Findings { // 00 2f is TLS_RSA_WITH_AES_128_CBC_SHA, 03 01 TLS 1.0
		want := map[string]string{"tls1_0": "0301", "static_rsa": "002f"}[f.ID]
		if want != "" && !strings.Contains(f.Bytes, want) {
			t.Errorf("%s: bytes %q, expected %s in them", f.ID, f.Bytes, want)
		}
	}
	var file bytes.Buffer
	for _, r := range []*probe.Report{before, {Target: "b:443", At: before.At}} {
		if err := json.NewEncoder(&file).Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	read, err := probe.Read(&file)
	if err != nil || len(read) != 2 {
		t.Fatalf("%d reports, %v", len(read), err)
	}
	again := *after
	same.Since(&again)
	if len(same.Changes) > 0 {
		t.Errorf("a server that is as it was changed: %q", same.Changes)
	}
	after.Since(read[0])
	changes := fmt.Sprint(after.Changes)
	for _, want := range []string{"TLS 1.3: was no, is yes", "TLS 1.0: was yes, is no",
		"finding: gone: high TLS 1.0", "group: new: X25519MLKEM768 in TLS 1.3",
		"certificate: gone: ", "certificate: new: ",
		"suite of TLS 1.3: new: TLS_AES_128_GCM_SHA256",
		"resumes in TLS 1.3 by ticket: was not applicable, is yes"} {
		if !strings.Contains(changes, want) {
			t.Errorf("changes %s, expected %q among them", changes, want)
		}
	}
	var sarif bytes.Buffer
	if err := probe.WriteSARIF(&sarif, []*probe.Report{after}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"baselineState": "absent"`, `"baselineState": "updated"`} {
		if !strings.Contains(sarif.String(), want) {
			t.Errorf("SARIF without %s", want)
		}
	}

	text, err := os.ReadFile("../docs/probe.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("probe.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("probe.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*probe.Report{before, after, same} {
		out, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Error(err)
		}
	}
	if schema.Validate(map[string]any{"target": "a:443"}) == nil {
		t.Error("the schema takes what is no report")
	}
}

func TestReadRefusesInvalidReports(t *testing.T) {
	for _, text := range []string{"{}", "[]", "no", `{"target": "a:443"}`,
		`{"target": "a:443", "at": "2026-11-27T12:00:00Z", "versions": [{"name": "\u001b[31m"}]}`,
		`{"target": "a:443", "at": "2026-11-27T12:00:00Z", "findings": [{"severity": "\u009b"}]}`,
		`{"target": "a:443", `} {
		if reports, err := probe.Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q gave %v", text, reports)
		}
	}
	if reports, err := probe.Read(strings.NewReader("")); err != nil || len(reports) > 0 {
		t.Errorf("nothing gave %v, %v", reports, err)
	}
}
