package explain_test

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// The transcript and the pre_master_secret of a live client give the secrets that it derived,
// whether or not the transcript has the Finished messages: it contains the randoms, the suite, the
// version, and what session_hash covers.
func TestDeriveTakesItsInputsFromATranscript(t *testing.T) {
	n := 0
	for _, o := range commandCases() {
		var before, whole, pre []byte
		want := map[string][]byte{}
		for _, e := range eventsOf(t, o) {
			if e.Role != trace.Client {
				continue
			}
			switch e := e.Event.(type) {
			case *trace.Message:
				whole = append(whole, e.Raw...)
				if e.Type != iana.Finished && e.Type != iana.NewSessionTicket {
					before = append(before, e.Raw...)
				}
			case *trace.SharedSecret:
				pre = e.Output
			case *trace.Derived:
				want[e.Name] = e.Output
			}
		}
		for _, transcript := range [][]byte{whole, before} {
			d, err := explain.Derive(explain.Given{PreMaster: pre, Transcript: transcript})
			if err != nil {
				t.Fatalf("%v: %v", o.Suite, err)
			}
			got := 0
			for _, e := range d.Entries {
				if x, ok := e.Event.(*trace.Derived); ok {
					got++
					if !bytes.Equal(x.Output, want[x.Name]) {
						t.Errorf("%v: %s: got %x, the client had %x", o.Suite, x.Name,
							x.Output, want[x.Name])
					}
				}
			}
			if got != 4 || len(d.Remarks) != 0 {
				t.Errorf("%v: %d derivations, expected 4; %q", o.Suite, got, d.Remarks)
			}
			n += got
		}
	}
	t.Logf("%d values derived a second time", n)
}

// Search compares verify_data with the transcript of the handshake.
func TestSearchComparesVerifyDataWithTheTranscript(t *testing.T) {
	var o = commandCases()[1] // RSA with EMS and a client certificate
	var transcript, pre, verify []byte
	for _, e := range eventsOf(t, o) {
		if e.Role != trace.Client {
			continue
		}
		switch e := e.Event.(type) {
		case *trace.Message:
			if e.Type != iana.Finished {
				transcript = append(transcript, e.Raw...)
			}
		case *trace.SharedSecret:
			pre = e.Output
		case *trace.Derived:
			if e.Name == "server_verify_data" {
				verify = e.Output
			}
		}
	}
	d, err := explain.Derive(explain.Given{PreMaster: pre, Transcript: transcript})
	if err != nil {
		t.Fatal(err)
	}
	found, _, err := d.Search(verify)
	if err != nil || len(found) != 1 || found[0].Name != "server_verify_data" ||
		len(found[0].How) != 0 {
		t.Errorf("got %q, %v", found, err)
	}
	if testing.Short() {
		t.Log("with -short: a search that finds nothing is left out")
		return
	}
	// The transcript without its CertificateVerify: another handshake, as far as Finished goes.
	short, err := explain.Derive(explain.Given{PreMaster: pre,
		Transcript: transcript[:len(transcript)-256-8]})
	if err != nil {
		t.Fatal(err)
	}
	found, tried, err := short.Search(verify)
	if len(found) > 0 || tried.Values == 0 || err != nil {
		t.Errorf("got %q of %d, %v", found, tried.Values, err)
	}
}
