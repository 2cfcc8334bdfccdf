package explain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/trace"
)

// A story says what is signed, or why nothing is, who has the certificates and private keys, and
// who could read the connection later.
func TestWhatIsSignedAndWhoHoldsWhat(t *testing.T) {
	run := func(suite iana.CipherSuite, group iana.Group, mtls bool) []trace.Entry {
		o := demo.Options{
			Suite:      suite,
			Group:      group,
			Auth:       throwaway.RSA,
			ClientAuth: demo.NoClientAuth,
			Data:       demo.Request,
			Seed:       "by hand",
		}
		if mtls {
			o.ClientAuth = demo.RequireClientAuth
		}
		return eventsOf(t, o)
	}
	early := options13()
	early.Resume, early.EarlyData = true, true
	const certificateKey = "and later the private key of the server's certificate: "
	const hybrid = "and a quantum computer: Does not read it"
	const quantum = "and a quantum computer: Reads "
	always := []string{"or the seed of this run, which is public: Makes every key",
		"or this page, or another file of the run that holds secrets: Reads all that is in it"}
	const serversKey = "the private key of the server's certificate: client false, server true"
	for what, c := range map[string]struct {
		entries []trace.Entry
		signs   []string
		holds   []string
		reads   []string
	}{
		"RSA": {run(iana.TLS_RSA_WITH_AES_256_CBC_SHA256, 0, false),
			[]string{"The server signs nothing. It proves itself by decrypting"},
			[]string{"the encrypted pre_master_secret: client true, server true, yes: sent",
				"the public key: client true, server true, yes: sent in the clear",
				serversKey},
			[]string{certificateKey + "Reads everything: the key decrypts",
				quantum + "everything"}},
		"ECDHE": {run(iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, iana.X25519, false),
			[]string{"The server signs both randoms and its key share"}, []string{serversKey},
			[]string{certificateKey + "Reads nothing. The key only", quantum + "everything"}},
		"DHE, client certificate": {run(iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, iana.FFDHE2048,
			true), []string{"The server signs both randoms and its key share",
			"The client signs all messages so far"}, []string{serversKey,
			"the private key of the client's certificate: client true, server false"}, nil},
		"TLS 1.3": {(&case13{name: "signs"}).events(t),
			[]string{"The server signs the whole conversation", "Finished alone would not do"},
			[]string{"the public key: client true, server true, no: sent encrypted", serversKey},
			[]string{certificateKey + "Reads nothing. The key only", hybrid}},
		"TLS 1.3, PSK": {(&case13{name: "a key", client: external, server: external}).events(t),
			[]string{"the binder and Finished show that both have it"}, nil,
			[]string{certificateKey + "Reads nothing by it: no certificate is used here", hybrid,
				"and the pre-shared key of this connection: Reads nothing"}},
		"TLS 1.3, early data": {eventsOf(t, early), []string{"the binder and Finished show"}, nil,
			[]string{"and the pre-shared key of this connection, or the key of the server's " +
				"tickets, which opens the ticket that names it: Reads the early data",
				certificateKey + "Reads nothing by it",
				"it proves that the other side is that of the connection which brought the ticket",
				quantum + "nothing without the pre-shared key"}},
	} {
		t.Run(what, func(t *testing.T) {
			s := explain.Tell(c.entries, explain.Run{Seed: "by hand"})
			var reads strings.Builder
			for _, r := range explain.Readers(s) {
				reads.WriteString(r.Has + ": " + r.Reads + "\n")
			}
			for _, want := range append(always, c.reads...) {
				if !strings.Contains(reads.String(), want) {
					t.Errorf("nobody says %q:\n%s", want, &reads)
				}
			}
			signs := explain.Signatures(s)
			if len(signs) != len(c.signs) && what != "TLS 1.3" {
				t.Errorf("got %d sentences, expected %d: %q", len(signs), len(c.signs), signs)
			}
			for _, want := range c.signs {
				if !strings.Contains(strings.Join(signs, " "), want) {
					t.Errorf("nothing says %q: %q", want, signs)
				}
			}
			var holds strings.Builder
			for _, h := range explain.Holdings(s) {
				fmt.Fprintf(&holds, "%s: client %v, server %v, %s\n", h.What, h.Client, h.Server,
					h.Eavesdropper)
			}
			for _, want := range c.holds {
				if !strings.Contains(holds.String(), want) {
					t.Errorf("nothing says %q:\n%s", want, &holds)
				}
			}
			if c.holds == nil && strings.Contains(holds.String(), "private key") {
				t.Errorf("there is no certificate:\n%s", &holds)
			}
		})
	}
}

// What introduces and explains a connection with a PSK is not about certificates that nobody
// showed; of one without a PSK it is not about keys from before.
func TestAConnectionWithAPSKIsIntroducedAsSuch(t *testing.T) {
	resumed := options13()
	resumed.Resume = true
	for _, c := range []struct {
		what          string
		options       demo.Options
		says, saysNot []string
	}{
		{"full", options13(), []string{"The server shows a certificate", "(before it: CA"},
			[]string{"share a secret from before", "The PSK went into all keys"}},
		{"resumed", resumed,
			[]string{"share a secret from before", "no certificate is shown", "ticket: it proves",
				"for a ticket that is once", "can pass for the client"},
			[]string{"The server shows a certificate", "(before it: CA", "There is none"}},
	} {
		s := explain.Tell(eventsOf(t, c.options),
			explain.Run{Setup: time.Second, Handshake: time.Second})
		text := s.Result.KeySays
		for _, chapter := range s.Chapters {
			text += "\n" + explain.Introduction(s, chapter.Number)
		}
		for _, sentence := range s.Result.Sentences {
			text += "\n" + sentence.Text
		}
		for _, e := range explain.Erasures(s) {
			text += "\n" + e.What + ": " + e.Why
		}
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: nothing says %q:\n%s", c.what, want, text)
			}
		}
		for _, not := range c.saysNot {
			if strings.Contains(text, not) {
				t.Errorf("%s: something says %q:\n%s", c.what, not, text)
			}
		}
	}
}
