package explain_test

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/trace"
)

// needTools skips a test if a shell cannot run the commands.
func needTools(t testing.TB) {
	t.Helper()
	for tool, from := range map[string]string{"sh": "dash", "openssl": "openssl", "xxd": "xxd",
		"python3": "python3"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no command was run: %s is not there: install the Debian package %s",
				tool, from)
		}
	}
	if out, err := exec.Command("openssl", "version").Output(); err != nil ||
		!bytes.HasPrefix(out, []byte("OpenSSL 3")) {
		t.Skipf("no command was run: got %q, %v, expected OpenSSL 3.0 or later", out, err)
	}
}

// haveMLKEM reports whether openssl has ML-KEM, which it has from version 3.5 on.
var haveMLKEM = sync.OnceValue(func() bool {
	out, err := exec.Command("openssl", "list", "-kem-algorithms").Output()
	return err == nil && bytes.Contains(out, []byte("ML-KEM-768"))
})

// commandCases returns runs with every key exchange, group, kind of cipher, kind of signature and
// kind of master_secret.
func commandCases() []demo.Options {
	one := func(suite iana.CipherSuite, group iana.Group, auth throwaway.Kind,
		more ...string) demo.Options {
		o := demo.Options{Suite: suite, Group: group, Auth: auth, ClientAuth: demo.NoClientAuth,
			Data: demo.Request, Seed: "by hand"}
		for _, m := range more {
			switch m {
			case "ems":
				o.ExtendedMasterSecret = true
			case "etm":
				o.EncryptThenMAC = true
			case "mtls":
				o.ClientAuth = demo.RequireClientAuth
			default:
				o.Data = m
			}
		}
		return o
	}
	return []demo.Options{
		one(iana.TLS_RSA_WITH_AES_256_CBC_SHA256, 0, throwaway.RSA),
		one(iana.TLS_RSA_WITH_AES_128_CBC_SHA, 0, throwaway.RSA, "ems", "etm", "mtls"),
		one(iana.TLS_RSA_WITH_3DES_EDE_CBC_SHA, 0, throwaway.RSA, "sixteen bytes ok"),
		one(iana.TLS_RSA_WITH_NULL_SHA256, 0, throwaway.RSA, "ems", "x"),
		one(iana.TLS_RSA_WITH_AES_128_CCM_8, 0, throwaway.RSA, "mtls"),
		one(iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, iana.FFDHE2048, throwaway.RSA, "mtls"),
		one(iana.TLS_DHE_RSA_WITH_AES_256_CBC_SHA256, iana.FFDHE3072, throwaway.RSAPSS, "ems"),
		one(iana.TLS_DHE_RSA_WITH_AES_256_CCM, iana.FFDHE2048, throwaway.RSA, "x", "ems"),
		one(iana.TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256, iana.FFDHE2048, throwaway.RSA, "ems",
			"sixteen bytes ok"),
		one(iana.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, iana.X25519, throwaway.RSA, "ems"),
		one(iana.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, iana.Secp256r1, throwaway.RSAPSS, "mtls"),
		one(iana.TLS_ECDHE_RSA_WITH_NULL_SHA, iana.Secp384r1, throwaway.RSA),
		one(iana.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, iana.X448, throwaway.RSA,
			strings.Repeat("long ", 1000)),
		one(iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, iana.X25519, throwaway.ECDSA, "ems",
			"mtls"),
		one(iana.TLS_ECDHE_ECDSA_WITH_AES_128_CCM, iana.Secp521r1, throwaway.ECDSAP521,
			strings.Repeat("long ", 1000)),
		one(iana.TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8, iana.X448, throwaway.Ed448, "ems", "mtls"),
		one(iana.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384, iana.X25519, throwaway.ECDSAP384, "etm"),
		one(iana.TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA, iana.X25519, throwaway.Ed25519, "etm",
			"mtls"),
	}
}

func eventsOf(t testing.TB, o demo.Options) []trace.Entry {
	t.Helper()
	run, err := demo.Perform(t.Context(), o)
	if err != nil || run.ClientError != nil || run.ServerError != nil {
		t.Fatal(err, run.ClientError, run.ServerError)
	}
	return run.Entries
}

// expected returns the values of an event that its commands must print.
func expected(e trace.Event) [][]byte {
	switch e := e.(type) {
	case *trace.Ephemeral:
		return [][]byte{e.Public}
	case *trace.SharedSecret:
		return [][]byte{e.Output}
	case *trace.Derived:
		return [][]byte{e.Output}
	case *trace.KeysInstalled:
		return slices.DeleteFunc([][]byte{e.MACKey, e.Key, e.IV},
			func(b []byte) bool { return len(b) == 0 })
	case *trace.Record:
		var all [][]byte
		switch {
		case e.Protection == "":
		case len(e.Tag) > 0:
			all = [][]byte{e.Plaintext, e.Tag}
		case len(e.Padding) == 0:
			all = [][]byte{e.MAC}
		case strings.Contains(e.Protection, "MAC-then-encrypt"):
			all = [][]byte{bytes.Join([][]byte{e.Plaintext, e.MAC, e.Padding}, nil), e.MAC}
		default:
			all = [][]byte{bytes.Join([][]byte{e.Plaintext, e.Padding}, nil), e.MAC}
		}
		return all
	}
	return nil
}

// signatures returns how many signature checks the commands of an event must have.
func signatures(e trace.Event) int {
	switch e := e.(type) {
	case *trace.Signed:
		return 1
	case *trace.Verified:
		return map[string]int{"signature": 1}[e.What]
	}
	return 0
}

func TestCommandsPrintShownValues(t *testing.T) {
	needTools(t)
	all := testkit.Sample(t, "connections", 15, commandCases())
	var mu sync.Mutex
	ran := map[string]int{}
	testkit.TwoAtATime(all, func(o demo.Options) {
		t.Run(fmt.Sprintf("%v %v %s ems=%v etm=%v", o.Suite, o.Group, o.Auth,
			o.ExtendedMasterSecret, o.EncryptThenMAC), func(t *testing.T) {
			for name, n := range runAll(t, eventsOf(t, o), expected) {
				mu.Lock()
				ran[name] += n
				mu.Unlock()
			}
		})
	})
	sum := 0
	for _, name := range slices.Sorted(maps.Keys(ran)) {
		t.Logf("%4d %s", ran[name], name)
		sum += ran[name]
	}
	t.Logf("%d commands run, for %d connections", sum, len(all))
	if sum < 400 && !testing.Short() || sum < 20 {
		t.Error("too few")
	}
}

// runAll runs every distinct command of the entries, and fails if an expected value has no command.
// It returns how often each tool was used.
func runAll(t *testing.T, entries []trace.Entry,
	expected func(trace.Event) [][]byte) map[string]int {
	ran, done := map[string]int{}, map[string]bool{}
	var notebook explain.Notebook
	for _, e := range entries {
		commands := notebook.Commands(e)
		for _, value := range expected(e.Event) {
			if !slices.ContainsFunc(commands,
				func(c explain.Command) bool { return bytes.Equal(c.Output, value) }) {
				t.Errorf("%s of the %s: no command gives %x", e.Name(), e.Role, value)
			}
		}
		if got := verdicts(commands); got != signatures(e.Event) {
			t.Errorf("%s of the %s: %d commands check the signature", e.Name(), e.Role, got)
		}
		for _, c := range commands {
			if done[c.Text] || testing.Short() && ran[c.Name] > 0 {
				continue
			}
			done[c.Text] = true
			if c.Tool == explain.MLKEMTool && !haveMLKEM() {
				continue
			}
			ran[c.Name]++
			if got := shell(t, c.Text); got != c.Prints() {
				t.Errorf("%s of the %s, %s: got %s, expected %s, from\n%s", e.Name(), e.Role,
					c.Name, got, c.Prints(), c.Text)
			}
		}
	}
	return ran
}

// verdicts counts the commands that check something.
func verdicts(commands []explain.Command) (n int) {
	for _, c := range commands {
		if c.Verdict != "" {
			n++
		}
	}
	return n
}

// shell runs a pasted command and returns what it prints, without line ends.
func shell(t *testing.T, text string) string {
	cmd := exec.Command("sh")
	cmd.Dir = t.TempDir()
	cmd.Stdin = strings.NewReader(text + "\n")
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil || problem.Len() > 0 {
		t.Errorf("%v: %s", err, problem.Bytes())
	}
	return strings.ReplaceAll(string(out), "\n", "")
}

// One finite-field secret in 256 begins with a zero byte, which is stripped. See RFC 5246 §8.1.2.
func TestCommandStripsLeadingZero(t *testing.T) {
	needTools(t)
	for i := 120; i < 5000; i++ { // at the time of writing 120 is the first
		o := commandCases()[5]
		o.ClientAuth, o.Data, o.Seed = demo.NoClientAuth, "x", fmt.Sprint("leading zero ", i)
		var notebook explain.Notebook
		for _, e := range eventsOf(t, o) {
			commands := notebook.Commands(e)
			if s, ok := e.Event.(*trace.SharedSecret); ok && len(s.Output) < 256 {
				if got := shell(t, commands[0].Text); got != hex.EncodeToString(s.Output) {
					t.Errorf("got %s, expected %s", got, hex.EncodeToString(s.Output))
				}
				return
			}
		}
	}
	t.Error("no seed gives such a secret")
}

func TestCommandsEqualsNotebook(t *testing.T) {
	entries := eventsOf(t, commandCases()[0])
	var notebook explain.Notebook
	n := 0
	for i, e := range entries {
		want := notebook.Commands(e)
		if got := explain.Commands(entries[:i+1]); !slices.EqualFunc(got, want,
			func(a, b explain.Command) bool { return a.Text == b.Text }) {
			t.Errorf("%s: got %d commands, expected %d", e.Name(), len(got), len(want))
		}
		n += len(want)
	}
	if n == 0 {
		t.Error("no commands")
	}
}

// On a machine without xxd, the commands run with the function that replaces it.
func TestCommandsRunWithoutXXD(t *testing.T) {
	needTools(t)
	kinds, ran, keep := map[string]bool{}, 0, testkit.SampleSeeds(3)
	var notebook explain.Notebook
	for _, e := range eventsOf(t, commandCases()[0]) {
		for _, c := range notebook.Commands(e) {
			if kinds[c.Name] {
				continue
			}
			kinds[c.Name] = true
			if !keep() {
				continue
			}
			ran++
			if got := shell(t, explain.WithoutXXD+"\n"+c.Text); got != c.Prints() {
				t.Errorf("%s: got %s, expected %s", c.Name, got, c.Prints())
			}
		}
	}
	t.Logf("%d commands run, of %d kinds", ran, len(kinds))
	if len(kinds) < 8 || ran == 0 {
		t.Error("too few")
	}
}

// A command is pasted into a shell, so text from a peer or a file must not get into it.
func TestCommandsContainNoPeerText(t *testing.T) {
	const evil = "$(touch evil)'\"`;evil\n"
	var runs [][]trace.Entry
	for _, o := range commandCases() {
		o.Data = evil
		runs = append(runs, eventsOf(t, o))
	}
	for _, c := range cases13 {
		runs = append(runs, c.events(t))
	}
	n := 0
	for _, entries := range runs {
		var notebook explain.Notebook
		for _, e := range entries {
			poison(&e, evil)
			for _, c := range notebook.Commands(e) {
				n++
				if strings.Contains(c.Text+c.Name+c.Tool+c.Verdict, "evil") ||
					!plain.MatchString(c.Text) {
					t.Fatalf("%s: %s", e.Name(), c.Text)
				}
			}
		}
	}
	t.Logf("%d commands of events with hostile words", n)
	if n < 400 {
		t.Error("too few commands are left")
	}
}

// plain are the characters that commands consist of.
var plain = regexp.MustCompile(`^[\w .,:;<>=+*/^&?|"'$()\[\]\n-]+$`)

// poison puts text into every string of an event that a file could have made up, except those that
// decide what the event is.
func poison(e *trace.Entry, text string) {
	e.Ref = text
	switch x := e.Event.(type) {
	case *trace.Derived:
		if x.Name == "key_block" || strings.HasSuffix(x.Name, "verify_data") {
			x.Label = text // a label that is not known is hex
		} else {
			x.Name = text
		}
	case *trace.Agreed:
		x.ALPN, x.ServerName, x.Group = text, text, text
	case *trace.Record:
		x.Protection = text
	case *trace.ThrowawayKey:
		x.Algorithm = text
	case *trace.Verified:
		x.Detail = text
	}
}

// Before TLS 1.2 the PRF uses two hashes, which openssl implements as well. See RFC 2246 §5. The
// labels of exporters are chosen by applications: see RFC 5705 §4.
func TestCommandsOfOtherPRFCalls(t *testing.T) {
	needTools(t)
	var events trace.Memory
	for _, h := range []crypto.Hash{crypto.MD5SHA1, crypto.SHA384} {
		prf := keys.PRF{Hash: h, Log: trace.New(trace.Client, &events, nil)}
		m := prf.Master([]byte("an odd number of bytes."),
			keys.Randoms{Client: [32]byte{1}, Server: [32]byte{2}})
		m.KeyBlock(keys.Shape{MAC: 20, Key: 16, IV: 16}, keys.Randoms{})
		m.VerifyData(iana.Client, []byte("no message of this handshake is known"))
		if _, err := m.Export("EXPERIMENTAL $(evil)", []byte("context"), keys.Randoms{},
			100); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	var notebook explain.Notebook
	for _, e := range events.Entries {
		for _, c := range notebook.Commands(e) {
			n++
			if got := shell(t, c.Text); got != c.Prints() || strings.Contains(c.Text, "evil") {
				t.Errorf("%s: got %s, expected %s from\n%s", c.Name, got, c.Prints(), c.Text)
			}
		}
	}
	t.Logf("%d commands run", n)
	if n != len(events.Entries) {
		t.Errorf("%d commands for %d derivations", n, len(events.Entries))
	}
}
