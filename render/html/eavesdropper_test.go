package html_test

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

var (
	computeBlock = regexp.MustCompile(
		`(?s)<details class="more compute( hid-block)?"><summary>.*?</details>`)
	verifyData = regexp.MustCompile(
		`client_<wbr/>verify_<wbr/>data</a></th><td>yes</td><td>yes</td><td>([^<]*)</td>`)
	figure       = regexp.MustCompile(`<figure class="layer( hid-part)?"><figcaption>(.*?)</fig`)
	shownCommand = regexp.MustCompile(
		`<div class="command"><div class="command-head"><h5>(.*?)</h5>`)
)

// An eavesdropper's view keeps the commands that need nothing but what was sent in the clear, and
// with a suite that does not encrypt also what was protected.
func TestTheEavesdroppersViewHasWhatHeCanReadAndCompute(t *testing.T) {
	for _, c := range []struct {
		name    string
		options demo.Options
		open    []string // the commands, in order
		reads   bool     // the protected records
		shared  string   // what the page has about a record with several messages
	}{
		{"RSA", demo.Options{Suite: iana.TLS_RSA_WITH_AES_128_CBC_SHA256, Auth: throwaway.RSA},
			[]string{"Hash(handshake_messages)"}, false, "3 messages begin in this one record: " +
				"2 ServerHello, 3 Certificate, 4 ServerHelloDone."},
		{"ECDHE, EMS and a client certificate", demo.Options{
			Suite: iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, Auth: throwaway.ECDSA,
			Group: iana.X25519, ExtendedMasterSecret: true, ClientAuth: demo.RequireClientAuth},
			[]string{"server's signature", "client's signature", "session_hash",
				"Hash(handshake_messages)"}, false, "5 messages begin in this one record: " +
				"2 ServerHello, 3 Certificate, 4 ServerKeyExchange, 5 CertificateRequest, " +
				"6 ServerHelloDone."},
		{"NULL", demo.Options{Suite: iana.TLS_RSA_WITH_NULL_SHA256, Auth: throwaway.RSA},
			[]string{"Hash(handshake_messages)", "Hash(handshake_messages)"}, true, ""},
		{"TLS 1.3", demo.Options{Version: iana.TLS13, Suite: iana.TLS_AES_128_GCM_SHA256,
			Group: iana.X25519, Auth: throwaway.ECDSA}, []string{"Transcript-Hash"}, false,
			"4 messages begin in this one record: 4 EncryptedExtensions, 5 Certificate, " +
				"6 CertificateVerify, 7 Finished."},
	} {
		page := write(t, perform(t, c.options, ""))
		var open []string
		for _, block := range computeBlock.FindAllStringSubmatch(page, -1) {
			var here []string
			for _, m := range shownCommand.FindAllStringSubmatch(block[0], -1) {
				here = append(here, html.UnescapeString(m[1]))
			}
			if hidden := block[1] != ""; hidden != (len(here) == 0) {
				t.Errorf("%s: a block with the commands %q is hidden: %v", c.name, here, hidden)
			}
			open = append(open, here...)
		}
		if !slices.Equal(open, c.open) {
			t.Errorf("%s: he can run %q, expected %q", c.name, open, c.open)
		}
		if m := verifyData.FindStringSubmatch(page); c.options.Version != iana.TLS13 &&
			(m == nil || strings.HasPrefix(m[1], "yes") != c.reads) {
			t.Errorf("%s: of client_verify_data an eavesdropper's column is %q", c.name, m)
		}
		sealed := strings.Contains(page, `class="more bytes hid-block"`)
		hidden := false
		for _, m := range figure.FindAllStringSubmatch(page, -1) {
			hidden = hidden || m[1] != ""
			if sent := strings.HasSuffix(m[2], "on the wire"); sent == (m[1] != "") {
				t.Errorf("%s: the figure %q is hidden: %v", c.name, m[2], m[1] != "")
			}
		}
		if sealed == c.reads || hidden == c.reads {
			t.Errorf("%s: messages hidden: %v, records hidden: %v", c.name, sealed, hidden)
		}
		if !strings.Contains(page, c.shared) {
			t.Errorf("%s: nothing says %q", c.name, c.shared)
		}
	}
}

// The panel of a value that is made from a hash of messages says which, and whether an eavesdropper
// has it, too. See RFC 5246 §7.4.9, RFC 7627 §3 and RFC 8446 §4.4.4.
func TestAPanelNamesTheMessagesThatAreHashed(t *testing.T) {
	ecdhe := demo.Options{Suite: iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Auth: throwaway.RSA,
		Group: iana.X25519, ExtendedMasterSecret: true}
	mutual := ecdhe
	mutual.ClientAuth = demo.RequireClientAuth
	tls13 := demo.Options{Version: iana.TLS13, Suite: iana.TLS_AES_128_GCM_SHA256,
		Group: iana.X25519, Auth: throwaway.ECDSA}
	for _, c := range []struct {
		options demo.Options
		name    string
		hashed  string
		anyone  bool // computes it
	}{
		{ecdhe, "session_hash", "messages 1-6", true},
		{ecdhe, "master_secret", "", false},
		{ecdhe, "client_verify_data", "messages 1-6", false},
		{ecdhe, "server_verify_data", "messages 1-6, 8", false},
		{mutual, "session_hash", "messages 1-8", true},
		{mutual, "client_verify_data", "messages 1-9", false},
		{tls13, "client_verify_data", "messages 1-2, 4-7", false},
		{tls13, "handshake_secret", "", false},
	} {
		page := write(t, perform(t, c.options, ""))
		m := regexp.MustCompile(`\{"name":"` + c.name + `"[^}]*\}`).FindString(page)
		hashed := fmt.Sprintf(`"hashed":%q`, c.hashed)
		switch {
		case m == "":
			t.Errorf("%v: no %s", c.options.Version, c.name)
		case strings.Contains(m, hashed) == (c.hashed == ""),
			strings.Contains(m, `"hashed"`) == (c.hashed == ""),
			strings.Contains(m, `"anyone"`) != c.anyone, strings.Contains(m, `"public"`):
			t.Errorf("%v: %.300s, expected %s, anyone: %v", c.options.Version, m, hashed, c.anyone)
		}
	}
}

// What is compared is named once each, under the count, and a command for what each side computes
// from keys of its own says as which.
func TestThePageNamesWhatItCounts(t *testing.T) {
	page := write(t, perform(t, demo.Options{Suite: iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		Auth: throwaway.RSA, Group: iana.X25519, ExtendedMasterSecret: true}, ""))
	for _, want := range []string{"10 of 10 values that both sides computed are equal",
		"each once: pre_master_secret, master_secret, session_hash, client_write_key, " +
			"server_write_key, client_write_IV, server_write_IV, client verify_data, " +
			"server verify_data, tag.",
		"<h5>pre_master_secret, as the client</h5>", "<h5>pre_master_secret, as the server</h5>",
		"01 warning, 00 close_notify", ">client IV</text>",
		`implicit nonce <span class="count">4</span>`,
		`explicit nonce <span class="count">8</span>`, "alert: stops the content",
		"handshake: stops the content", "the client names no session to resume",
		"the result of the exchange is not all zeros"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	if n := strings.Count(page, ">both ways</"); n != 1 {
		t.Errorf("close_notify is %d times sent both ways, expected once", n)
	}
}
