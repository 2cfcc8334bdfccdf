package demo_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// Both sides derive the whole tree of RFC 8446 §7.1, each for itself, and what each hash covers is
// found by hashing.
func TestBothSidesDeriveTheWholeSchedule(t *testing.T) {
	out, _ := perform(t, options13())
	s := explain.NewSchedule(out.Entries)
	const expand = "HKDF-Expand-Label("
	for _, c := range []struct{ id, want string }{
		{"early_secret",
			`HKDF-Extract(0, 0)`},
		{"early_derived_secret",
			expand + `Early Secret, "derived", SHA-256(""))`},
		{"handshake_secret",
			`HKDF-Extract(derived, shared secret)`},
		{"client_handshake_traffic_secret",
			expand + `Handshake Secret, "c hs traffic", SHA-256(1-2))`},
		{"server_handshake_write_key",
			expand + `server_handshake_traffic_secret, "key")`},
		{"main_secret",
			`HKDF-Extract(derived, 0)`},
		{"client_application_traffic_secret_0",
			expand + `Main Secret, "c ap traffic", SHA-256(1-2, 4-7))`},
		{"server_application_write_iv_0",
			expand + `server_application_traffic_secret_0, "iv")`},
		{"exporter_secret",
			expand + `Main Secret, "exp master", SHA-256(1-2, 4-7))`},
		{"resumption_secret",
			expand + `Main Secret, "res master", SHA-256(1-2, 4-7, 9))`},
		{"server_verify_data",
			`HMAC(finished_key, SHA-256(1-2, 4-6))`},
	} {
		n := s.Node(c.id)
		if n == nil {
			t.Errorf("there is no %s", c.id)
			continue
		}
		if got := n.Formula(); got != c.want {
			t.Errorf("%s: got %s, expected %s", c.id, got, c.want)
		}
	}
	for _, n := range s.Nodes {
		if n.Value.Compare() != explain.Equal || n.Missing != "" || n.Use == "" {
			t.Errorf("%s: %v, %q, %q", n.ID, n.Value.Compare(), n.Missing, n.Use)
		}
	}
	parentsFirst(t, s)
}

// Redacted events have the same tree, without values: no PSK where there was none, and one where a
// binder says so.
func TestRedactedEventsHaveTheSameSchedule(t *testing.T) {
	for _, c := range cases {
		o := c.options()
		if o.Version != iana.TLS13 {
			continue
		}
		out, _ := perform(t, o)
		var b strings.Builder
		w := trace.NewWriter(&b)
		for _, e := range out.Entries {
			w.Put(e)
		}
		read, err := trace.Read(strings.NewReader(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(shape(explain.NewSchedule(out.Entries)),
			shape(explain.NewSchedule(read))); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}

// shape returns the nodes of a schedule and how they hang together.
func shape(s *explain.Schedule) (lines []string) {
	for _, n := range s.Nodes {
		lines = append(lines, n.ID+" = "+n.Formula())
	}
	return lines
}

// parentsFirst checks that each value comes before those that are made from it.
func parentsFirst(t *testing.T, s *explain.Schedule) {
	t.Helper()
	for i, n := range s.Nodes {
		for _, parent := range []*explain.Node{n.Salt, n.Secret} {
			if parent != nil && slices.Index(s.Nodes, parent) > i {
				t.Errorf("%s comes before %s, which it is made from", n.ID, parent.ID)
			}
			if parent != nil && !slices.Contains(parent.Children, n) {
				t.Errorf("%s is no child of %s", n.ID, parent.ID)
			}
		}
	}
}
