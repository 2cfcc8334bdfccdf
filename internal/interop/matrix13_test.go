package interop_test

import (
	"crypto/tls"
	"fmt"
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
	"github.com/vitrine-tls/vitrine/suite"
)

// A row13 is something that is met in both roles with all stacks that have it.
type row13 struct {
	what string
	has  func(with *interop.Stack, them iana.Side) bool
	run  func(t *testing.T, with *interop.Stack, them iana.Side)
}

// stacks13 are the columns.
var stacks13 = []*interop.Stack{interop.OpenSSL, interop.GnuTLS, interop.NSS, goTLS}

// have returns a row's has for these stacks.
func have(all ...*interop.Stack) func(*interop.Stack, iana.Side) bool {
	return func(with *interop.Stack, _ iana.Side) bool { return slices.Contains(all, with) }
}

// visit13 returns one connection of TLS 1.3. edit changes our Config, or else the other's Setup.
func visit13(with *interop.Stack, them iana.Side,
	edit func(*vitrine.Config, *interop.Setup)) *visit {
	return &visit{meeting: meeting{with: with, them: them, suite: anySuite},
		row: row{iana.TLS13, suite.ByID13(iana.TLS_AES_128_GCM_SHA256)}, once: true, edit: edit,
		scene: scene{"once", []column{fullHandshake, weClose}}}
}

// rows13 are the groups of TLS 1.3, except those that must be named for their size, and what else
// its handshake can do.
func rows13() (rows []row13) {
	for _, g := range []iana.Group{iana.X25519, iana.Secp256r1, iana.Secp384r1, iana.Secp521r1,
		iana.X448, iana.FFDHE2048, iana.FFDHE3072, iana.FFDHE4096, iana.X25519MLKEM768,
		iana.SecP256r1MLKEM768, iana.SecP384r1MLKEM1024} {
		rows = append(rows, groupRow(g))
	}
	return append(rows,
		row13{"HelloRetryRequest", have(stacks13...), retry13},
		row13{"external PSK, psk_dhe_ke", func(with *interop.Stack, them iana.Side) bool {
			// selfserv does not use its -z, with OpenSSL's client either
			return with != goTLS && (with != interop.NSS || them == iana.Client)
		},
			func(t *testing.T, with *interop.Stack,
				them iana.Side) {
				psk13(t, with, them, false)
			}},
		row13{"external PSK, psk_ke", have(interop.OpenSSL, interop.GnuTLS),
			func(t *testing.T, with *interop.Stack, them iana.Side) { psk13(t, with, them, true) }},
		row13{"early data", have(interop.OpenSSL, interop.GnuTLS, interop.NSS), early13},
		row13{"KeyUpdate, which we request", have(stacks13...), updates13},
		row13{"KeyUpdate, which they request", func(with *interop.Stack, them iana.Side) bool {
			return with == interop.OpenSSL || with == interop.GnuTLS && them == iana.Client
		}, theirUpdates13},
		row13{"authentication after the handshake",
			have(interop.OpenSSL, interop.GnuTLS, interop.NSS), late13},
	)
}

// groupRow is a group that one side has alone. Where the other side is a server, that is the one,
// so that a group without a share of ours comes by a retry.
func groupRow(g iana.Group) row13 {
	only := have(goTLS)
	switch {
	case g == iana.X448:
		only = have(interop.OpenSSL, interop.GnuTLS)
	case g.FiniteField():
		only = have(interop.OpenSSL, interop.GnuTLS, interop.NSS)
	case !g.Hybrid():
		only = have(stacks13...)
	}
	return row13{g.String(), only, func(t *testing.T, with *interop.Stack, them iana.Side) {
		retry := them == iana.Server && g != iana.X25519 && !g.Hybrid()
		v := visit13(with, them, func(c *vitrine.Config, s *interop.Setup) {
			s.Groups, c.CurvePreferences = []iana.Group{g}, []tls.CurveID{tls.CurveID(g)}
			if retry {
				c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveID(g)}
			}
		})
		v.want = func(t *testing.T, s *vitrine.ConnectionState) {
			if s.Group != g || s.HelloRetryRequest != retry {
				t.Errorf("got %v, a retry %v; expected %v", s.Group, s.HelloRetryRequest, retry)
			}
		}
		v.run(t)
	}}
}

// retry13 asks a client, ours or theirs, for a share of its second group: RFC 8446 §4.1.4.
func retry13(t *testing.T, with *interop.Stack, them iana.Side) {
	v := visit13(with, them, func(c *vitrine.Config, s *interop.Setup) {
		// GnuTLS sends shares of two groups
		c.CurvePreferences, s.Groups = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP521},
			[]iana.Group{iana.X25519, iana.Secp256r1, iana.Secp521r1}
		if them == iana.Client {
			c.CurvePreferences = c.CurvePreferences[2:]
		} else {
			s.Groups = s.Groups[2:]
		}
	})
	v.want = func(t *testing.T, s *vitrine.ConnectionState) {
		if !s.HelloRetryRequest || s.Group != iana.Secp521r1 {
			t.Errorf("a retry %v, %v", s.HelloRetryRequest, s.Group)
		}
	}
	v.run(t)
}

// updates13 asks for new keys, and changes ours, before data goes both ways: RFC 8446 §4.6.3. Some
// answer when they write the next time, which must come after they have read that.
func updates13(t *testing.T, with *interop.Stack, them iana.Side) {
	var updates keyUpdates
	v := visit13(with, them, func(c *vitrine.Config, s *interop.Setup) { c.Trace = &updates })
	v.turns = true
	v.shook = func(c *vitrine.Conn) error { return c.KeyUpdate(true) }
	v.run(t)
	if n := updates.Load(); n != 2 {
		t.Errorf("%d KeyUpdates, expected ours and the answer", n)
	}
}

// TLS 1.3 with each of its groups, and what only its handshake can do, in both roles. The result is
// docs/interop13.md. Its suites are rows of TestMatrix.
func TestTLS13Matrix(t *testing.T) {
	for _, s := range stacks13 {
		if s != goTLS {
			require(t, s)
		}
	}
	var mu sync.Mutex
	done, ran, planned := map[string]bool{}, 0, 0
	rows := testkit.Sample(t, "rows", 8, rows13())
	t.Run("meet", func(t *testing.T) {
		for _, r := range rows {
			for _, with := range stacks13 {
				for _, them := range sides {
					if !r.has(with, them) {
						continue
					}
					planned++
					t.Run(fmt.Sprint(r.what, "/", with.Name, "/their ", them), func(t *testing.T) {
						t.Parallel()
						r.run(t, with, them)
						mu.Lock()
						defer mu.Unlock()
						if ran++; !t.Failed() && !t.Skipped() {
							done[fmt.Sprint(r.what, with.Name, them)] = true
						}
					})
				}
			}
		}
	})
	if ran < planned || len(rows) < len(rows13()) || t.Failed() {
		t.Logf("%d of %d ran: nothing to compare docs/interop13.md with", ran, planned)
		return
	}
	document13(t, done)
}

const preface13 = `# Interoperability of TLS 1.3

This page is written by ` + "`go test -run TLS13Matrix ./internal/interop -update`" + `;
every other run of that test compares its results with it.
The connections are over sockets of the loopback
interface, in both roles, with data each way. The suites of TLS 1.3, with tickets, client
certificates, ALPN, fragments, 1 MiB each way and the ends of connections, are rows of
interop.md. With their server every group but X25519 and the hybrids is negotiated by a
HelloRetryRequest (RFC 8446 §4.1.4); the row of that name is a retry in both roles.

**✓** in both roles; **c** their client only; **s** their server only; –: they do not support
it, or their tools have no option for it.

Other combinations of TLS 1.3 have tests of their own in internal/interop: kinds of keys,
compressed certificates (with GnuTLS where it was built with the algorithm, which Debian's was
not, and with Chromium), a PSK after a retry and beside a certificate, KeyUpdate under load,
stateless retries, GREASE, and refusals; curl, Chromium with X25519MLKEM768 and NSS are tested
against vitrine serve in cmd/vitrine/serve_browsers_test.go.
`

// document13 writes docs/interop13.md, or compares it with what was done. The versions that were
// met when it was written are not compared.
func document13(t *testing.T, done map[string]bool) {
	t.Helper()
	const met = "\nMet: "
	var b strings.Builder
	b.WriteString(preface13)
	b.WriteString("\n| |")
	for _, c := range stacks13 {
		fmt.Fprintf(&b, " %s |", c.Name)
	}
	b.WriteString("\n|---" + strings.Repeat("|:-:", len(stacks13)) + "|\n")
	for _, r := range rows13() {
		fmt.Fprintf(&b, "| %s |", r.what)
		for _, c := range stacks13 {
			client, server := done[fmt.Sprint(r.what, c.Name, iana.Client)],
				done[fmt.Sprint(r.what, c.Name, iana.Server)]
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
		text := b.String() + met + strings.Join([]string{firstLine(t, "openssl", "version"),
			firstLine(t, "gnutls-cli", "--version"),
			"NSS " + firstLine(t, "dpkg-query", "-W", "-f", "${Version}", interop.NSS.Package),
			runtime.Version()}, "; ") + ".\n"
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

// firstLine returns the first line that a command prints.
func firstLine(t *testing.T, command ...string) string {
	t.Helper()
	out, err := exec.Command(command[0], command[1:]...).Output()
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}
