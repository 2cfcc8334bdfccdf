package main

import (
	"cmp"
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
		Short: "List the cipher suites that Vitrine supports, with the concerns about each",
		Long: `Lists the cipher suites that Vitrine supports, the best first, or only those whose
row contains every WORD. The last column has the concerns about each; on a terminal that is too
narrow for the table each suite has a paragraph.

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
	for _, s := range goodFirst() {
		r := newRow(s)
		text := strings.ToUpper(strings.Join(r.cells(), " "))
		if !slices.ContainsFunc(words,
			func(w string) bool { return !strings.Contains(text, strings.ToUpper(w)) }) {
			rows = append(rows, r)
		}
	}
	return rows
}

// goodFirst returns all suites, ordered by status and, within one status, by preference.
func goodFirst() []*suite.Suite {
	list := slices.Concat(suite.All13(), suite.All())
	order := slices.Concat(suite.Preference13(), suite.Preference())
	place := func(s *suite.Suite) int {
		if i := slices.Index(order, s.ID); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(list, func(a, b *suite.Suite) int {
		return cmp.Or(cmp.Compare(suite.Status(a), suite.Status(b)),
			cmp.Compare(place(a), place(b)))
	})
	return list
}

func newRow(s *suite.Suite) row {
	r := row{
		Name: s.ID.String(), OpenSSL: s.ID.OpenSSL(), Code: fmt.Sprintf("0x%04X", uint16(s.ID)),
		KeyExchange: s.KeyExchangeName(), Authentication: s.AuthenticationName(),
		Cipher: s.Cipher.Name,
		Hash:   s.PRF.String(), ForwardSecret: s.ForwardSecret(),
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
	"KEY_BLOCK: MAC KEY, KEY, IV", "FS", "POLICY", "STATUS", "AGAINST IT"}

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
		r.Hash, r.KeyBlock.String(), secret, policy, r.Status, r.against()}
}

// against returns the concerns about the suite in a few words.
func (r row) against() string {
	var list []string
	for _, c := range r.Concerns {
		list = append(list, c.What)
	}
	if !r.ForwardSecret {
		list = append(list, "no forward secrecy")
	}
	return strings.Join(list, ", ")
}

// table prints the suites in aligned columns, or if the terminal is too narrow for that in a
// paragraph each. A width of 0 means that there is no terminal.
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
	var b strings.Builder
	if columns > 0 && columns < total {
		for _, r := range rows {
			r.paragraph(&b, columns)
		}
	} else {
		for _, cells := range lines {
			var line strings.Builder
			for i, c := range cells {
				fmt.Fprintf(&line, "%-*s  ", widths[i], c)
			}
			b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		}
	}
	fmt.Fprintf(&b, "\n%s. Reasons: vitrine suites --json\n", explain.Count(len(rows), "suite"))
	_, err := io.WriteString(w, b.String())
	return err
}

// paragraph writes a suite in lines of at most columns characters.
func (r row) paragraph(b *strings.Builder, columns int) {
	cells := r.cells()
	fmt.Fprintf(b, "%s  %s\n", r.Code, r.Name)
	secret := map[bool]string{true: "forward secret", false: "not forward secret"}[r.ForwardSecret]
	say := func(parts ...string) {
		parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
		for _, line := range wrap(strings.Join(parts, ", "), columns-8) {
			b.WriteString("        " + line + "\n")
		}
	}
	say(r.Status+", policy "+cells[10], secret, r.OpenSSL)
	exchange := r.KeyExchange + " with " + r.Authentication
	if r.KeyBlock == nil {
		exchange = "TLS 1.3: any key exchange and certificate"
	}
	keys := ""
	if r.KeyBlock != nil {
		keys = "key_block " + strings.Join(strings.Fields(r.KeyBlock.String()), " ")
	}
	say(exchange, r.Cipher, cells[6], "PRF "+r.Hash, keys)
	if against := r.against(); against != "" {
		say("against it: " + against)
	}
}
