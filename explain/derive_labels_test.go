package explain_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// Labels of other values, labels as people write them, and transcripts that end elsewhere are named
// up to TLS 1.2.
func TestLabelsAndEndsOfTLS12AreNamed(t *testing.T) {
	h, d := recorded12(t)
	n := len(h.messages)
	session := sum256(h.all(h.last + 1))
	right := h.master(session)
	seed := slices.Concat(d.Given.Server, d.Given.Client)
	finished := func(label string, sum []byte) []byte { return prfByHand(right, label, sum, 12) }
	type row struct {
		value     []byte
		name, how string
	}
	for _, c := range testkit.Sample(t, "mistakes", 12, []row{
		{prfByHand(h.pre, "key expansion", session, 48), "master_secret",
			`the label of the master_secret is "key expansion": it is "extended master secret"`},
		{prfByHand(h.pre, "extended_master_secret", session, 48), "master_secret",
			"the label of the extended master_secret has underscores"},
		{h.master(sum256(session)), "master_secret", "the session_hash is hashed again"},
		{h.master(h.all(h.last + 1)), "master_secret", "the messages themselves are the seed"},
		{h.master(sum256(h.all(2))), "master_secret",
			"for the session_hash, the transcript ends with message 2, server_hello"},
		{prfByHand(right, "master secret", seed, 48), "bytes 0 to 47 of key_block",
			`the label of the key_block is "master secret": it is "key expansion"`},
		{prfByHand(right, "key expansion", session, 48), "bytes 0 to 47 of key_block",
			"the seed of the key_block is the session_hash"},
		{finished("master secret", sum256(h.all(n))), "client_verify_data",
			`is "master secret": it is "client finished"`},
		{finished("client_finished", sum256(h.all(n))), "client_verify_data", "has underscores"},
		{finished("", sum256(h.all(n))), "client_verify_data", "is missing"},
		{finished("client finished", sum256(sum256(h.all(n)))), "client_verify_data",
			"is hashed again"},
		{finished("client finished", sum256(h.all(2))), "client_verify_data",
			"for Finished, the transcript ends with message 2, server_hello"},
	}) {
		found, _, err := d.Search(c.value)
		if err != nil || !slices.ContainsFunc(found, func(f explain.Finding) bool {
			return f.Name == c.name && len(f.How) == 1 && strings.Contains(f.How[0], c.how)
		}) {
			t.Errorf("expected %s with %q, got %q, %v", c.name, c.how, found, err)
		}
	}
}
