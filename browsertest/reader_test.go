package browsertest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// A reader with nothing but the page finds the answers to the questions that it invites: what each
// side knows, who could read it later and with what, what each byte of the first record is, and
// what the signature covers and why.
func TestThePageAnswersItsQuestions(t *testing.T) {
	common := []string{
		// the first record, from its first byte on
		"header: type", "handshake: what is inside", "header: version", "means nothing",
		"header: length", "Which handshake message this is.", "32 random bytes",
		"one byte, null", "The server that the client means, in the clear",
		// who knows what
		"What each side knows", "Eavesdropper", "yes: sent in the clear",
		"Who could read it later, and with what", "the recording alone",
		"and later the private key of the server's certificate", "and a quantum computer",
		// what protects a record, and from what
		"It stops records from being repeated",
	}
	own := map[string][]string{
		"rsa": {"Reads everything: the key decrypts ClientKeyExchange",
			"Why there is no forward secrecy"},
		"ecdhe": {"Reads nothing. The key only signed", "What the server signed",
			"Without it a signature that was made for another client",
			"could put a public key of his own", "The lists of the hellos are not signed",
			"What must be erased for forward secrecy, and when", "master_secret",
			"pre_master_secret"},
		"tls13": {"Reads nothing. The key only signed", "What the server signed",
			"64 spaces", "Everything said so far, as one hash",
			"What must be erased for forward secrecy, and when", "application traffic secrets"},
	}
	for _, name := range testkit.Sample(t, "pages", 3, slices.Sorted(maps.Keys(own))) {
		p := open(t, example(name))
		p.press("a")
		text := eval[string](p, `(document.querySelectorAll("details").forEach(d => d.open = true),
			document.body.innerText)`)
		text = strings.Join(strings.Fields(text), " ")
		for _, want := range slices.Concat(common, own[name]) {
			if name == "tls13" && want == "It stops records from being repeated" {
				want = "XOR the sequence number"
			}
			if name == "tls13" && want == "The server that the client means, in the clear" {
				want = "The server that the client means"
			}
			if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
}
