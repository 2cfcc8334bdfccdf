package live_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/hostile"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// A handshake that failed before anything was negotiated shows what the client offered; one that
// came further shows what was negotiated.
func TestARowTellsWhatWasOffered(t *testing.T) {
	client, server := rig.Configs(t)
	rig.Until12(client)
	client.NextProtos = []string{"h2", "vitrine/1"}
	w := &watched{hub: live.New(live.Options{})}
	server.TraceFor = w.sink
	fail := server.Clone()
	rig.Only13(fail)
	near, far := rig.Wires(t)
	if _, err := rig.Shake(vitrine.Client(near, client), vitrine.Server(far, fail)); err == nil {
		t.Fatal("the handshake succeeded")
	}
	o := w.row(t).Offer
	if o == nil || o.ServerName != "vitrine.test" || o.More != 0 ||
		!slices.Equal(o.Versions, []string{"up to TLS 1.2"}) ||
		!slices.Equal(o.ALPN, client.NextProtos) || !slices.Contains(o.Groups, "x25519") ||
		!slices.Contains(o.Suites, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256") {
		t.Errorf("the offer is %+v", o)
	}
	rig.Pair(t, client, server)
	if r := w.row(t); r.Offer != nil || r.Version != "TLS 1.2" {
		t.Errorf("%s was negotiated, and %+v is shown", r.Version, r.Offer)
	}
}

// What a client offers takes a known room, whatever it is, and is kept as it came.
func TestAnOfferIsBounded(t *testing.T) {
	names, groups := message.Protocols{}, message.SupportedGroups{}
	for range 120 {
		names.Names = append(names.Names, []byte(hostile.ASCII+strings.Repeat("x", 100)))
	}
	hello := &message.ClientHello{
		Version:            iana.TLS12,
		CompressionMethods: []iana.CompressionMethod{0},
	}
	for i := range 32767 {
		hello.CipherSuites = append(hello.CipherSuites, iana.CipherSuite(i))
	}
	for i := range 4000 {
		groups.Groups = append(groups.Groups, iana.Group(i))
	}
	name := message.ServerNames{Names: []message.ServerName{{Type: iana.HostName,
		Name: []byte(strings.Repeat("<b>\x1b", 4000))}}}
	for extension, content := range map[iana.ExtensionType]message.Content{
		iana.ExtALPN: &names, iana.ExtSupportedGroups: &groups, iana.ExtServerName: &name} {
		if err := hello.Extensions.Add(extension, content); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := message.Dialect{}.Encode(hello)
	if err != nil {
		t.Fatal(err)
	}
	hub := live.New(live.Options{})
	c := hub.Open(live.Row{})
	c.Put(trace.Entry{Event: &trace.Message{From: iana.Client, Type: iana.ClientHello, Raw: raw}})
	r, _, _ := hub.Find(c.ID())
	o := r.Offer
	if o == nil || !strings.HasPrefix(o.ServerName, "<b>\x1b<b>") || r.Name != "" {
		t.Fatalf("%.80q, %+v", r.Name, o)
	}
	size := len(o.ServerName)
	for _, list := range [][]string{o.Versions, o.Suites, o.Groups, o.ALPN} {
		size += len(strings.Join(list, ""))
	}
	const all = 32767 + 4000 + 120 - 16 // of them, 16 are GREASE
	if kept := len(o.Suites) + len(o.Groups) + len(o.ALPN); size > 16<<10 || kept > 200 ||
		o.More < all-kept-64 {
		t.Errorf("%d bytes, %d values and %d more", size, kept, o.More)
	}
	shown := o.Escaped(strings.ToUpper)
	if shown.ALPN[0] == o.ALPN[0] || shown.ServerName == o.ServerName {
		t.Errorf("%q is not escaped", shown.ALPN[0])
	}
}

// Each code of docs/serve.md has words of its own, and so has an alert.
func TestReasonsHaveWords(t *testing.T) {
	doc, err := os.ReadFile("../../docs/serve.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "| code | how the connection ended |")
	table, _, _ = strings.Cut(table, "\n\n")
	codes := 0
	for _, line := range strings.Split(table, "\n")[2:] {
		first, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), "|")
		for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(first, -1) {
			codes++
			if w := live.Words(m[1]); w == strings.ReplaceAll(m[1], "_", " ") && m[1] != "idle" {
				t.Errorf("%s has no words", m[1])
			}
		}
	}
	if codes < 15 {
		t.Errorf("docs/serve.md has %d codes", codes)
	}
	for code, want := range map[string]string{
		"alert_from_server_handshake_failure": "alert of the server: handshake_failure",
		"alert_from_client_unknown_ca":        "alert of the client: unknown_ca",
		"no_secret":                           "no secret", // one of package observe's
		"":                                    "",
	} {
		if got := live.Words(code); got != want {
			t.Errorf("%s is %q, expected %q", code, got, want)
		}
	}
}
