package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
)

// row is a cipher suite in the table and in --json.
type row struct {
	Name           string    `json:"name"`
	OpenSSL        string    `json:"openssl"`
	Code           string    `json:"code"`
	KeyExchange    string    `json:"key_exchange"`
	Authentication string    `json:"authentication"`
	Cipher         string    `json:"cipher"`
	MAC            string    `json:"mac"` // empty for an AEAD
	Hash           string    `json:"hash"`
	KeyBlock       *layout   `json:"key_block"` // nil in TLS 1.3, which has none
	ForwardSecret  bool      `json:"forward_secret"`
	Policy         string    `json:"policy"` // the strictest policy that has it, or empty
	Status         string    `json:"status"`
	Concerns       []concern `json:"concerns"`
}

// layout is what a suite takes from the key_block in bytes: for each direction, and in total.
type layout struct {
	MAC   int `json:"mac_key"`
	Key   int `json:"key"`
	IV    int `json:"iv"`
	Total int `json:"total"`
}

func (l *layout) String() string {
	if l == nil {
		return "none: TLS 1.3"
	}
	return fmt.Sprintf("2 x (%2d + %2d + %2d) = %3d", l.MAC, l.Key, l.IV, l.Total)
}

type concern struct {
	Level  string `json:"level"`
	What   string `json:"what"`
	Reason string `json:"reason"`
	Ref    string `json:"ref"`
}

func newSuites() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "suites [WORD]...",
		Short: "List the cipher suites that Vitrine speaks, with what there is to say against each",
		Long: `Lists the cipher suites that Vitrine speaks: those whose row contains every WORD.

The key_block column is what a suite takes from the key_block, in bytes: 2 x (MAC key + key + IV).
Suites of TLS 1.3 have none, and work with every key exchange and every kind of certificate ("any").
Policy is the strictest policy that has the suite; a suite with "by name" is used only if --suite
names it.`,
		Example: `  vitrine suites
  vitrine suites 1.3
  vitrine suites ECDHE GCM
  vitrine suites deprecated`,
		RunE: func(cmd *cobra.Command, words []string) error {
			rows := matching(words)
			if len(rows) == 0 {
				return &usageError{"no suite has " + strings.Join(words, " and "), "vitrine suites"}
			}
			if asJSON {
				return writeJSONLines(cmd.OutOrStdout(), rows)
			}
			return table(cmd.OutOrStdout(), rows, columns(cmd.OutOrStdout()))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false,
		"print one JSON object for each suite, with the reasons")
	return cmd
}

func matching(words []string) []row {
	var rows []row
	for _, s := range slices.Concat(suite.All13(), suite.All()) {
		r := newRow(s)
		text := strings.ToUpper(strings.Join(r.cells(), " "))
		if !slices.ContainsFunc(words,
			func(w string) bool { return !strings.Contains(text, strings.ToUpper(w)) }) {
			rows = append(rows, r)
		}
	}
	return rows
}

func newRow(s *suite.Suite) row {
	r := row{
		Name: s.ID.String(), OpenSSL: s.ID.OpenSSL(), Code: fmt.Sprintf("0x%04X", uint16(s.ID)),
		KeyExchange: s.KeyExchangeName(), Authentication: s.AuthenticationName(), Cipher: s.Cipher.Name,
		Hash: s.PRF.String(), ForwardSecret: s.ForwardSecret(),
		Status: suite.Status(s).String(), Concerns: []concern{},
	}
	if s.TLS13() {
		r.KeyExchange, r.Authentication = "any", "any"
	} else {
		shape := s.Shape(iana.TLS12)
		r.KeyBlock = &layout{shape.MAC, shape.Key, shape.IV, shape.Len()}
	}
	if s.MAC != nil {
		r.MAC = s.MAC.Name
	}
	for _, p := range vitrine.Policies() {
		if slices.Contains(slices.Concat(p.CipherSuites13(), p.CipherSuites()), s.ID) {
			r.Policy = p.Name()
			break
		}
	}
	for _, c := range suite.Concerns(s) {
		r.Concerns = append(r.Concerns, concern{c.Level.String(), c.What, c.Reason, c.Ref})
	}
	return r
}

var headings = []string{"CODE", "NAME", "OPENSSL NAME", "KX", "AUTH", "CIPHER", "MAC", "PRF HASH",
	"KEY_BLOCK: MAC KEY, KEY, IV", "FS", "POLICY", "STATUS"}

func (r row) cells() []string {
	mac, policy, secret := r.MAC, r.Policy, "no"
	if mac == "" {
		mac = "AEAD"
	}
	if policy == "" {
		policy = "by name"
	}
	if r.ForwardSecret {
		secret = "yes"
	}
	return []string{r.Code, r.Name, r.OpenSSL, r.KeyExchange, r.Authentication, r.Cipher, mac,
		r.Hash, r.KeyBlock.String(), secret, policy, r.Status}
}

// split is the column from which a row continues on a second line, if the terminal is narrower than
// the table.
const split = 3

// table prints the suites in aligned columns: in one line each, or in two if the terminal is
// narrower than that. A width of 0 means that there is no terminal.
func table(w io.Writer, rows []row, columns int) error {
	lines := [][]string{headings}
	for _, r := range rows {
		lines = append(lines, r.cells())
	}
	widths := make([]int, len(headings))
	for _, cells := range lines {
		for i, c := range cells {
			widths[i] = max(widths[i], len(c))
		}
	}
	total := -2
	for _, n := range widths {
		total += n + 2
	}
	for _, cells := range lines {
		var b strings.Builder
		for i, c := range cells {
			if i == split && columns > 0 && columns < total {
				b.WriteString("\n        ")
			}
			fmt.Fprintf(&b, "%-*s  ", widths[i], c)
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s. Reasons: vitrine suites --json\n",
		explain.Count(len(rows), "suite"))
	return err
}
