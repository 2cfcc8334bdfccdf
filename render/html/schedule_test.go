package html_test

import (
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// boxOf returns the markup of a node of the key schedule, up to the next one.
func boxOf(t *testing.T, page, id string) string {
	t.Helper()
	_, box, ok := strings.Cut(page, ` id="`+id+`">`)
	if !ok {
		t.Fatalf("there is no %s", id)
	}
	box, _, _ = strings.Cut(box, `<details class="node `)
	return box
}

// Every value of the key schedule is on the page with the values of both sides, what it is made
// from, what it is for, where it grows, and a command of another tool that prints it. See RFC 8446
// §7.1.
func TestKeyScheduleHasEveryValue(t *testing.T) {
	nodes, commands := 0, 0
	for _, e := range examples[4:] {
		r := perform(t, e.options, e.flags)
		page := write(t, r)
		for _, n := range explain.NewSchedule(r.Entries).Nodes {
			nodes++
			box := boxOf(t, page, "node-"+strings.ReplaceAll(n.ID, "/", "-"))
			value := hex.EncodeToString(n.Value.Bytes())
			if !regexp.MustCompile(`client <span[^>]*>✓</span> server <span[^>]*>✓</span>` +
				`<span class="hidden">equal</span></span><span class="val[^>]*>` + value + "<").
				MatchString(box) {
				t.Errorf("%s: %s does not show its value with the marks of both sides",
					e.name, n.ID)
			}
			for _, want := range []string{n.Title, explain.Escape(n.Use)} {
				escaped := strings.NewReplacer("&", "&amp;", "'", "&#39;").Replace(want)
				if !strings.Contains(box, escaped) {
					t.Errorf("%s: %s does not say %q", e.name, n.ID, want)
				}
			}
			for _, in := range []*explain.Node{n.Salt, n.Secret} {
				if in != nil && !strings.Contains(box, hex.EncodeToString(in.Value.Bytes())) {
					t.Errorf("%s: %s does not show its input %s", e.name, n.ID, in.ID)
				}
			}
			if n.ID == "psk" {
				continue // it is given
			}
			if !strings.Contains(box, "It grows at ") {
				t.Errorf("%s: %s does not say where it grows", e.name, n.ID)
			}
			if !strings.Contains(box, "openssl ") {
				t.Errorf("%s: %s has no command", e.name, n.ID)
			}
			commands += strings.Count(box, `<div class="command `)
		}
	}
	t.Logf("%d nodes, %d commands", nodes, commands)
	if nodes < 100 {
		t.Error("too few")
	}
}

// The key ring has a side's ephemeral private key from the message with its share on: whoever sends
// a share has the key.
func TestPrivateKeysAreBornWithTheirShares(t *testing.T) {
	for name, want := range map[string][2]string{
		"dhe":         {"client-key-exchange", "server-key-exchange"},
		"ecdhe":       {"client-key-exchange", "server-key-exchange"},
		"tls13":       {"client-hello", "server-hello"},
		"tls13-retry": {"client-hello-2", "server-hello"}, // the first has another group's share
	} {
		i := slices.IndexFunc(examples, func(e example) bool { return e.name == name })
		page := write(t, perform(t, examples[i].options, examples[i].flags))
		for side, step := range want {
			secret := iana.Side(side).String() + "_private"
			slot := between(t, page, `data-secret="`+secret+`" data-born="`, `"`)
			number := between(t, page, `id="`+step+`" data-number="`, `"`)
			if slot != number {
				t.Errorf("%s: %s is born at step %s, expected %s, %s", name, secret, slot, number,
					step)
			}
		}
	}
}

// A hybrid's step shows both halves of its secret, and the commands of both.
func TestHybridShowsBothHalves(t *testing.T) {
	for _, group := range []iana.Group{iana.X25519MLKEM768, iana.SecP256r1MLKEM768,
		iana.SecP384r1MLKEM1024} {
		page := write(t, perform(t, demo.Options{Version: iana.TLS13,
			Suite: iana.TLS_AES_128_GCM_SHA256, Group: group, Auth: throwaway.ECDSA}, ""))
		_, step, _ := strings.Cut(page, `<article class="step" id="shared"`)
		step, _, _ = strings.Cut(step, "</article>")
		for _, want := range []string{"ML-KEM-", "openssl pkeyutl -derive",
			"openssl pkeyutl -decap", explain.MLKEMNote[:20], "shared secret of ML-KEM"} {
			if !strings.Contains(step, want) {
				t.Errorf("%v: the step does not say %q", group, want)
			}
		}
		for _, want := range []string{"_encapsulation_key", "_ciphertext"} {
			if !strings.Contains(page, want) {
				t.Errorf("%v: no field is called %s", group, want)
			}
		}
	}
}

// The page says why the fields that TLS 1.3 keeps for middleboxes are there, what is inside of a
// record, and what a signature covers.
func TestPageOfTLS13SaysWhy(t *testing.T) {
	page := write(t, perform(t, examples[6].options, ""))
	for _, want := range []string{"legacy_version: it says TLS 1.2", "legacy_session_id: random",
		"legacy_compression_methods: one byte",
		"It makes TLS 1.3 look like a resumption of TLS 1.2",
		"The SHA-256 of “HelloRetryRequest”", "Asks for a share of another group",
		"message_hash", "content, then its true type", "application_data: what it really is",
		"TLS 1.3, server CertificateVerify", "64 spaces"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// The eavesdropper's view shows what an eavesdropper can compute, and nothing else of the schedule.
func TestTheEavesdroppersViewShowsWhatHeCanCompute(t *testing.T) {
	for _, c := range []struct {
		example int
		node    string
		shown   int // values that stay
		hidden  int
	}{
		{4, "early_secret", 1, 0},
		{4, "early_derived_secret", 3, 0},            // with its secret and the hash of nothing
		{4, "client_handshake_traffic_secret", 1, 2}, // the hash of the hellos
		{4, "client_application_traffic_secret_0", 0, 3},
		{7, "early_secret", 0, 2}, // below a PSK
		{7, "psk_binder", 2, 1},   // sent, and a hash of what was
	} {
		e := examples[c.example]
		box := boxOf(t, write(t, perform(t, e.options, e.flags)), "node-"+c.node)
		opened := strings.Contains(box, `<div class="command">`)
		if opened != (strings.HasPrefix(c.node, "early_") && c.hidden == 0) {
			t.Errorf("%s: %s shows its commands: %v", e.name, c.node, opened)
		}
		shown := strings.Count(box, `<span class="pair both anyone">`)
		hidden := strings.Count(box, `<span class="pair both hid">`)
		if shown != c.shown || hidden != c.hidden {
			t.Errorf("%s: %s shows %d values and hides %d, expected %d and %d",
				e.name, c.node, shown, hidden, c.shown, c.hidden)
		}
	}
	page := write(t, perform(t, examples[0].options, ""))
	_, step, _ := strings.Cut(page, ` id="finished-client"`)
	client, rest, _ := strings.Cut(step, "</article>")
	_, server, _ := strings.Cut(rest, ` id="finished-server"`)
	server, _, _ = strings.Cut(server, "</article>")
	if !strings.Contains(client, "both anyone") || strings.Contains(server, "anyone") {
		t.Error("TLS 1.2: the client's Finished hashes what was in the clear, the server's " +
			"does not")
	}
}

// The page explains its words where it first has them, and says what the AAD is, what a hash passes
// over and what each key opens.
func TestPageExplainsWhatItNames(t *testing.T) {
	for example, wants := range map[int][]string{
		0: {"EMS is extended_master_secret: The master_secret is derived",
			"EtM is encrypt_then_mac: The MAC covers the ciphertext",
			"what goes into the MAC first", "<h4>What each write key opens"},
		2: {"extended_master_secret: The master_secret is derived from a hash",
			"additional authenticated data: the sequence number",
			"of the content alone, as it was before encryption", "covered besides the AAD",
			"<th scope=\"row\">client_write_key</th><td>what the client sends</td>" +
				"<td>8, 11, 13</td>"},
		3: {"encrypt_then_mac: The MAC covers the ciphertext"},
		4: {"3 is ChangeCipherSpec, a record of its own and no handshake message",
			"the hashes of the transcript pass over its number",
			"header, as it was sent: type, version, length",
			"<th scope=\"row\">server_handshake_write_key</th>"},
	} {
		e := examples[example]
		page := strings.NewReplacer("&#39;", "'", "<wbr/>", "").Replace(
			write(t, perform(t, e.options, e.flags)))
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not say %q", e.name, want)
			}
		}
		for _, empty := range []string{": content <span class=\"count\">0<", "AAD: content"} {
			if strings.Contains(page, empty) {
				t.Errorf("%s: the page says %q", e.name, empty)
			}
		}
	}
}
