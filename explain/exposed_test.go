package explain_test

import (
	"crypto/hkdf"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

func options13() demo.Options {
	return demo.Options{Version: iana.TLS13, Suite: iana.TLS_AES_128_GCM_SHA256,
		Group: iana.X25519, Auth: throwaway.ECDSA, Data: demo.Request, Seed: "heard"}
}

// Of the key schedule an eavesdropper has what depends on nothing secret: the Early Secret without
// a PSK, a binder, and the hashes of what was sent in the clear.
func TestAnEavesdropperComputesWhatNeedsNoSecret(t *testing.T) {
	retry, resume, early := options13(), options13(), options13()
	retry.Group, retry.Retry = iana.Secp256r1, true
	resume.Resume = true
	early.Resume, early.EarlyData = true, true
	const first = "early_secret early_derived_secret"
	const heard = "early_derived_secret client_handshake_traffic_secret " +
		"server_handshake_traffic_secret handshake_derived_secret"
	for _, c := range []struct {
		name          string
		options       demo.Options
		anyone, heard string
		skips         string
	}{
		{"no PSK", options13(), first, heard, "3 is ChangeCipherSpec, a record of its own"},
		{"retry", retry, first, heard, "ChangeCipherSpec"},
		{"PSK", resume, "psk_binder", "binder_key psk_binder " + heard, "3 is ChangeCipherSpec"},
		{"early data", early, "psk_binder",
			"binder_key psk_binder client_early_traffic_secret early_exporter_secret " + heard,
			"2 is ChangeCipherSpec, a record of its own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries := eventsOf(t, c.options)
			raw := map[int][]byte{}
			for _, r := range explain.Rungs(entries) {
				if r.Message != nil && !r.Protected {
					raw[r.Number] = r.Message.Raw
				}
			}
			var anyone, hidden []string
			skips := ""
			s := explain.NewSchedule(entries)
			for _, n := range s.Nodes {
				if n.Anyone {
					anyone = append(anyone, n.ID)
				}
				if skips == "" {
					skips = n.Covers.SkipNote()
				}
				if n.Heard != slices.Contains(strings.Fields(c.heard), n.ID) {
					hidden = append(hidden, n.ID)
				}
				if n.Heard && strings.Trim(n.Covers.Text, "0123456789-") == "" {
					var all []byte
					for _, m := range n.Covers.Messages {
						all = append(all, raw[m]...)
					}
					if sum := sha256.Sum256(all); string(sum[:]) != string(n.Context.Bytes()) {
						t.Errorf("%s is not made from what was in the clear", n.ID)
					}
				}
			}
			if strings.Join(anyone, " ") != c.anyone || len(hidden) > 0 {
				t.Errorf("an eavesdropper has %q, expected %q; of these hashes the contrary is "+
					"said: %q", anyone, c.anyone, hidden)
			}
			if !strings.Contains(skips, c.skips) {
				t.Errorf("a hash passes over ChangeCipherSpec: %q", skips)
			}
		})
	}
	zeros := make([]byte, sha256.Size)
	want, err := hkdf.Extract(sha256.New, zeros, zeros)
	got := explain.NewSchedule(eventsOf(t, options13())).Node("early_secret").Value.Bytes()
	if err != nil || string(got) != string(want) {
		t.Errorf("anybody computes %x, the page shows %x: %v", want, got, err)
	}
}

// Each key that encrypts records is told with whose it opens and which, and what it does not.
func TestAWriteKeyIsShownWithTheRecordsThatItOpens(t *testing.T) {
	update, early := options13(), options13()
	update.KeyUpdate = true
	early.Resume, early.EarlyData = true, true
	old := demo.Options{Suite: iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Group: iana.X25519,
		Auth: throwaway.RSA, Data: demo.Request, Seed: "keys"}
	null := old
	null.Suite, null.Group = iana.TLS_RSA_WITH_NULL_SHA256, 0
	for _, c := range []struct {
		name    string
		options demo.Options
		want    []string
	}{
		{"TLS 1.2", old, []string{
			"client_write_key: what the client sends, 8, 11, 13, not what the server sends",
			"server_write_key: what the server sends, 10, 12-13, not what the client sends",
		}},
		{"no cipher", null, nil},
		{"KeyUpdate", update, []string{"client_handshake_write_key: the rest of the client's " +
			"handshake, 9, not any other record",
			"server_handshake_write_key: the rest of the server's handshake, 4-7",
			"server_application_write_key_0: the server's data and later messages, 11-13, 16",
			"client_application_write_key_1: the client's data and later messages, 15, 18"}},
		{"early data", early, []string{
			"client_early_write_key: the client's early data, 3, 8",
			"client_handshake_write_key: the rest of the client's handshake, "}},
	} {
		var told strings.Builder
		entries := eventsOf(t, c.options)
		s := explain.Tell(entries, explain.Run{})
		for _, k := range explain.WriteKeys(s) {
			told.WriteString(k.Name + ": " + k.Opens + ", " + k.Lines + ", not " + k.Shut + "\n")
		}
		for _, want := range c.want {
			if !strings.Contains(told.String(), want) {
				t.Errorf("%s: nothing says %q:\n%s", c.name, want, &told)
			}
		}
		if c.want == nil && told.Len() > 0 {
			t.Errorf("%s: there is no such key:\n%s", c.name, &told)
		}
	}
}
