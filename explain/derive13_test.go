package explain

import (
	"bytes"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/message"
)

// trace8448 is a trace of RFC 8448, step by step.
type trace8448 struct {
	Section, Title string
	Steps          []step8448
}

type step8448 struct {
	Actor, Action string
	Values        map[string]testkit.Hex
}

func traces8448(t *testing.T) (all map[string]trace8448, order []string) {
	var f struct{ Sections []trace8448 }
	testkit.JSON(t, "rfc8448/rfc8448.json", &f)
	all = map[string]trace8448{}
	for _, s := range f.Sections {
		all[s.Section] = s
		order = append(order, s.Section)
	}
	return all, order
}

// given returns what a derivation of the trace begins with: the messages and both private keys.
func (x trace8448) given(psk []byte) (g Given13) {
	for _, s := range x.Steps {
		switch {
		case strings.HasPrefix(s.Action, "create an ephemeral"):
			side := iana.Client
			if s.Actor == "server" {
				side = iana.Server
			}
			g.Private[side] = s.Values["private key"]
		case s.Action == "send handshake record":
			g.Transcript = append(g.Transcript, s.Values["payload"]...)
		}
	}
	if strings.Contains(x.Title, "0-RTT") {
		g.PSK, g.PSKKind = psk, "res"
	}
	return g
}

func (d *Derivation13) value(name string) []byte {
	for _, v := range d.Values {
		if v.Name == name {
			return v.Bytes
		}
	}
	return nil
}

// names8448 are our names of what the RFC's steps give, before the actor is filled in: ours and
// theirs stand for it and for its peer.
var names8448 = []struct{ action, output, name string }{
	{`extract secret "early"`, "secret", "early_secret"},
	{`extract secret "handshake"`, "secret", "handshake_secret"},
	{`extract secret "master"`, "secret", "main_secret"},
	{"derive secret for handshake", "expanded", "derived_secret/early_secret"},
	{"derive secret for master", "expanded", "derived_secret/handshake_secret"},
	{`derive secret "tls13 c e traffic"`, "expanded", "client_early_traffic_secret"},
	{`derive secret "tls13 e exp master"`, "expanded", "early_exporter_secret"},
	{`derive secret "tls13 c hs traffic"`, "expanded", "client_handshake_traffic_secret"},
	{`derive secret "tls13 s hs traffic"`, "expanded", "server_handshake_traffic_secret"},
	{`derive secret "tls13 c ap traffic"`, "expanded", "client_application_traffic_secret_0"},
	{`derive secret "tls13 s ap traffic"`, "expanded", "server_application_traffic_secret_0"},
	{`derive secret "tls13 exp master"`, "expanded", "exporter_secret"},
	{`derive secret "tls13 res master"`, "expanded", "resumption_secret"},
	{"generate resumption secret", "expanded", "resumption_psk"},
	{"calculate finished", "expanded", "ours_finished_key"},
	{"calculate finished", "finished", "ours_verify_data"},
	{"calculate PSK binder", "PRK", "binder_key"},
	{"calculate PSK binder", "expanded", "binder_finished_key"},
	{"calculate PSK binder", "finished", "psk_binder"},
	{"derive write traffic keys for early", "key expanded", "client_early_write_key"},
	{"derive write traffic keys for early", "iv expanded", "client_early_write_iv"},
	{"derive write traffic keys for handshake", "key expanded", "ours_handshake_write_key"},
	{"derive write traffic keys for handshake", "iv expanded", "ours_handshake_write_iv"},
	{"derive read traffic keys for handshake", "key expanded", "theirs_handshake_write_key"},
	{"derive read traffic keys for handshake", "iv expanded", "theirs_handshake_write_iv"},
	{"derive write traffic keys for application", "key expanded", "ours_application_write_key"},
	{"derive write traffic keys for application", "iv expanded", "ours_application_write_iv"},
	{"derive read traffic keys for application", "key expanded", "theirs_application_write_key"},
	{"derive read traffic keys for application", "iv expanded", "theirs_application_write_iv"},
}

// The five traces of RFC 8448 come out value by value, from the messages and private keys alone.
func TestDeriveReproducesRFC8448(t *testing.T) {
	all, order := traces8448(t)
	var psk []byte
	total, records := 0, 0
	for _, section := range order {
		x := all[section]
		d, err := Derive13(x.given(psk))
		if err != nil {
			t.Fatalf("§%s: %v", section, err)
		}
		for _, r := range d.Remarks {
			t.Errorf("§%s: %s", section, r)
		}
		for _, s := range x.Steps {
			theirs := map[string]string{"client": "server", "server": "client"}[s.Actor]
			for _, n := range names8448 {
				want := s.Values[n.output]
				if !strings.HasPrefix(s.Action, n.action) || len(want) == 0 {
					continue
				}
				total++
				name := strings.NewReplacer("ours", s.Actor, "theirs", theirs).Replace(n.name)
				if got := d.value(name); !bytes.Equal(got, want) {
					t.Errorf("§%s: %s: %s is %x, expected %x", section, s.Action, name, got, want)
				}
			}
		}
		records += x.checkRecords(t, psk)
		if section == "3" {
			psk = d.value("resumption_psk")
		}
	}
	if total < 120 || records < 10 {
		t.Errorf("only %d values and %d records were compared", total, records)
	}
	t.Logf("%d values and %d records of %d traces", total, records, len(order))
}

// checkRecords derives the records of application data and alerts of a trace.
func (x trace8448) checkRecords(t *testing.T, psk []byte) (n int) {
	next := map[string]uint64{}
	for i, s := range x.Steps {
		payload := s.Values["payload"]
		stem := s.Actor + "_application_"
		content := iana.RecordApplicationData
		switch s.Action {
		case "send handshake record":
			if payload[0] == byte(iana.NewSessionTicket) {
				next[stem]++
			}
			continue
		case "send application_data record":
			if strings.Contains(x.Steps[i-1].Action, "early application data") {
				stem = "client_early_"
			}
		case "send alert record":
			content = iana.RecordAlert
		default:
			continue
		}
		g := x.given(psk)
		g.Plaintext, g.Content, g.Sequence = payload, content, next[stem]
		next[stem]++
		d, err := Derive13(g)
		if err != nil {
			t.Fatal(err)
		}
		want := s.Values["complete record"]
		if got := d.value(stem + "record"); !bytes.Equal(got, want) {
			t.Errorf("§%s: %s %s: got %x, expected %x", x.Section, s.Actor, s.Action, got, want)
		}
		n++
	}
	return n
}

// Hashes in place of messages, a shared secret in place of private keys, and a transcript that ends
// before a Finished give the same values.
func TestDeriveTakesWhatIsThere(t *testing.T) {
	all, _ := traces8448(t)
	whole, err := Derive13(all["3"].given(nil))
	if err != nil {
		t.Fatal(err)
	}
	hashes := Given13{Suite: whole.Given.Suite, Shared: whole.Given.Shared,
		Nonce: whole.Given.Nonce}
	for p := ToClientHello; p < points; p++ {
		hashes.Hashes[p] = whole.hashAt(whole.Given.Suite.PRF, p, method{})
	}
	alone := all["3"].given(nil)
	alone.Private[iana.Server] = nil
	short := all["3"].given(nil)
	end := 0
	for range 5 { // up to CertificateVerify
		end += message.Length(short.Transcript[end:])
	}
	short.Transcript = short.Transcript[:end]
	short.Nonce = whole.Given.Nonce
	for what, g := range map[string]Given13{"hashes and a shared secret": hashes,
		"one private key": alone, "no Finished": short} {
		d, err := Derive13(g)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for _, v := range whole.Values {
			if !bytes.Equal(d.value(v.Name), v.Bytes) {
				t.Errorf("%s: %s is %x, expected %x", what, v.Name, d.value(v.Name), v.Bytes)
			}
		}
	}
}
