package interop_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
)

// A row13 is a suite or a group of TLS 1.3, alone on one side.
type row13 struct {
	suite iana.CipherSuite // 0: any
	group iana.Group       // 0: any
	bytes int
}

func (r row13) String() string {
	if r.suite != 0 {
		return r.suite.String()
	}
	return r.group.String()
}

// goKnows reports whether crypto/tls has the suite or the group.
func (r row13) goKnows() bool {
	switch r.suite {
	case 0:
		return slices.Contains([]iana.Group{iana.X25519, iana.Secp256r1, iana.Secp384r1,
			iana.Secp521r1, iana.X25519MLKEM768, iana.SecP256r1MLKEM768,
			iana.SecP384r1MLKEM1024}, r.group)
	case iana.TLS_AES_128_CCM_SHA256, iana.TLS_AES_128_CCM_8_SHA256:
		return false
	}
	return true
}

// rows13 are all suites of TLS 1.3 and its groups, except those that must be named for their size.
func rows13() (rows []row13) {
	for _, id := range []iana.CipherSuite{iana.TLS_AES_128_GCM_SHA256, iana.TLS_AES_256_GCM_SHA384,
		iana.TLS_CHACHA20_POLY1305_SHA256, iana.TLS_AES_128_CCM_SHA256,
		iana.TLS_AES_128_CCM_8_SHA256} {
		rows = append(rows, row13{suite: id, bytes: 1 << 20})
	}
	for _, g := range []iana.Group{iana.X25519, iana.Secp256r1, iana.Secp384r1, iana.Secp521r1,
		iana.X448, iana.FFDHE2048, iana.FFDHE3072, iana.FFDHE4096, iana.X25519MLKEM768,
		iana.SecP256r1MLKEM768, iana.SecP384r1MLKEM1024} {
		rows = append(rows, row13{group: g, bytes: small})
	}
	return rows
}

// us leaves a Config the row alone. Where the other side is a server, it is the one that has only
// the row's group, so that a group without a share of ours comes by a retry.
func (r row13) us(c *vitrine.Config, them iana.Side) {
	c.CipherSuites, c.MinVersion, c.MaxVersion = nil, vitrine.VersionTLS13, vitrine.VersionTLS13
	if r.suite != 0 {
		c.CipherSuites13 = []uint16{uint16(r.suite)}
	} else if c.CurvePreferences = []tls.CurveID{tls.CurveID(r.group)}; them == iana.Server &&
		r.group != iana.X25519 && !r.group.Hybrid() {
		c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveID(r.group)}
	}
}

func (r row13) check(t *testing.T, s *vitrine.ConnectionState, them iana.Side) {
	t.Helper()
	if s.Version != vitrine.VersionTLS13 ||
		r.suite != 0 && iana.CipherSuite(s.CipherSuite) != r.suite ||
		r.group != 0 && s.Group != r.group {
		t.Errorf("got %x, %x, %v", s.Version, s.CipherSuite, s.Group)
	}
	retry := r.group != 0 && r.group != iana.X25519 && !r.group.Hybrid()
	if them == iana.Server && s.HelloRetryRequest != retry {
		t.Errorf("a retry: %v, expected %v", s.HelloRetryRequest, retry)
	}
}

// run13 meets a stack.
func (r row13) run13(t *testing.T, with *interop.Stack, them iana.Side) {
	m := &meeting{with: with, them: them, suite: anySuite, serverKey: throwaway.ECDSA,
		bytes: r.bytes,
		us:    func(c *vitrine.Config) { r.us(c, them) },
		they: func(s *interop.Setup) {
			s.Suite, s.Versions = suite.ByID13(r.suite), [2]iana.Version{iana.TLS13, iana.TLS13}
			if r.group != 0 {
				s.Groups = []iana.Group{r.group}
			}
		},
		want: func(t *testing.T, s *vitrine.ConnectionState) { r.check(t, s, them) }}
	if with == interop.GnuTLS && them == iana.Client {
		m.bytes = min(m.bytes, 64<<10) // it writes each byte by itself
	}
	m.run(t)
}

// runGo meets crypto/tls.
func (r row13) runGo(t *testing.T, them iana.Side) {
	us := &vitrine.Config{RootCAs: office.CA.Pool(), ServerName: name,
		Certificates: []tls.Certificate{identity(t, throwaway.ECDSA, iana.Server).Certificate}}
	theirs := &tls.Config{RootCAs: us.RootCAs, ServerName: name, Certificates: us.Certificates,
		MinVersion: tls.VersionTLS13}
	if r.group != 0 {
		theirs.CurvePreferences = []tls.CurveID{tls.CurveID(r.group)}
	}
	r.us(us, them)
	var ours *vitrine.Conn
	client := func(c net.Conn) conn { ours = vitrine.Client(c, us); return ours }
	server := func(c net.Conn) conn { return tls.Server(c, theirs) }
	if them == iana.Client {
		client = func(c net.Conn) conn { return tls.Client(c, theirs) }
		server = func(c net.Conn) conn { ours = vitrine.Server(c, us); return ours }
	}
	meetGo(t, client, server)
	state := ours.ConnectionState()
	r.check(t, &state, them)
}

// TLS 1.3 with each of its suites and groups, in both roles. The result is docs/interop13.md.
func TestTLS13Matrix(t *testing.T) {
	for _, s := range stacks {
		require(t, s)
	}
	var mu sync.Mutex
	done, ran, planned := map[string]bool{}, 0, 0
	columns := append(slices.Clone(stacks), goTLS)
	t.Run("meet", func(t *testing.T) {
		for _, r := range rows13() {
			for _, with := range columns {
				if with != goTLS && r.group.Hybrid() || with == goTLS && !r.goKnows() {
					continue // they have not got it
				}
				for _, them := range sides {
					planned++
					what := fmt.Sprint(r, "/", with.Name, "/their ", them)
					t.Run(what, func(t *testing.T) {
						t.Parallel()
						if with == goTLS {
							r.runGo(t, them)
						} else {
							r.run13(t, with, them)
						}
						mu.Lock()
						defer mu.Unlock()
						if ran++; !t.Failed() {
							done[fmt.Sprint(r, with.Name, them)] = true
						}
					})
				}
			}
		}
	})
	if ran < planned || t.Failed() {
		t.Logf("%d of %d ran: nothing to compare docs/interop13.md with", ran, planned)
		return
	}
	document13(t, columns, done)
}

const preface13 = `# Interoperability of TLS 1.3

Written by ` + "`go test -run TLS13Matrix ./internal/interop -update`" + ` and compared with a run by every other run of that test. Over sockets of
the loopback interface, each suite with 1 MiB each way (64 KiB from gnutls-cli, which writes bytes by themselves), and each group: with
their server every group but X25519 and the hybrids comes by a HelloRetryRequest (RFC 8446 §4.1.4).

**✓** in both roles; **c** their client only; **s** their server only; –: they have not got it.

Other meetings of TLS 1.3 have tests of their own in internal/interop: kinds of keys, client certificates, ALPN, tickets, pre-shared keys,
early data, KeyUpdate under load, stateless retries, compressed certificates, GREASE, and authentication after the handshake.
`

// document13 writes docs/interop13.md, or compares it with what was done. The versions that were met
// when it was written are not compared.
func document13(t *testing.T, columns []*interop.Stack, done map[string]bool) {
	t.Helper()
	const met = "\nMet: "
	var b strings.Builder
	b.WriteString(preface13)
	b.WriteString("\n| |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.Name)
	}
	b.WriteString("\n|---" + strings.Repeat("|:-:", len(columns)) + "|\n")
	for _, r := range rows13() {
		fmt.Fprintf(&b, "| %v |", r)
		for _, c := range columns {
			client, server := done[fmt.Sprint(r, c.Name, iana.Client)],
				done[fmt.Sprint(r, c.Name, iana.Server)]
			text := "–"
			switch {
			case client && server:
				text = "✓"
			case client:
				text = "c"
			case server:
				text = "s"
			}
			fmt.Fprintf(&b, " %s |", text)
		}
		b.WriteString("\n")
	}
	path := filepath.Join(testkit.Root(), "docs", "interop13.md")
	if *update {
		text := b.String() + met + strings.Join([]string{said(t, "openssl", "version"),
			said(t, "gnutls-cli", "--version"), runtime.Version()}, "; ") + ".\n"
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	had, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if table, _, _ := strings.Cut(string(had), met); table != b.String() {
		t.Errorf("docs/interop13.md is not what happened. It would be\n%s", &b)
	}
}

// said returns the first line that a command prints.
func said(t *testing.T, command ...string) string {
	t.Helper()
	out, err := exec.Command(command[0], command[1:]...).Output()
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}
