package recompute_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/recompute"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// folder has the files that openssl reads.
var folder string

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "vitrine-recompute-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	folder = dir
	code := rig.Watched{M: m}.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// found is the openssl of all tests, which remembers its answers.
var found = sync.OnceValues(func() (*recompute.OpenSSL, error) { return recompute.Find(folder) })

// tool finds openssl, or skips the test.
func tool(t testing.TB) *recompute.OpenSSL {
	t.Helper()
	o, err := found()
	if err != nil {
		t.Skipf("nothing was recomputed: %v", err)
	}
	return o
}

// cases returns connections with every suite: CBC suites with both orders of MAC and encryption,
// all with both kinds of master_secret, and half of them with a client certificate. Groups, kinds
// of key and lengths of data alternate.
func cases() (all []demo.Options) {
	groups := []iana.Group{iana.X25519, iana.Secp256r1, iana.X448, iana.Secp384r1, iana.Secp521r1}
	rsa := []throwaway.Kind{throwaway.RSA, throwaway.RSAPSS}
	ecdsa := []throwaway.Kind{throwaway.ECDSA, throwaway.Ed25519, throwaway.Ed448,
		throwaway.ECDSAP384, throwaway.ECDSAP521}
	for i, s := range suite.Certified() {
		for j := range 4 {
			ems, etm := j%2 == 1, j >= 2
			if etm && !s.Cipher.CBC() {
				continue
			}
			n := i + j
			o := demo.Options{Suite: s.ID, Auth: throwaway.RSA, ExtendedMasterSecret: ems,
				EncryptThenMAC: etm, Data: strings.Repeat("x", n), Seed: fmt.Sprint(n),
				ClientAuth: demo.NoClientAuth}
			if o.Data == "" {
				o.Data = demo.Request
			}
			switch {
			case s.FiniteField():
				o.Group = iana.FFDHE2048
			case s.EllipticCurve():
				o.Group = groups[n%len(groups)]
			}
			switch {
			case s.ServerKey() == iana.AuthECDSA:
				o.Auth = ecdsa[n%len(ecdsa)]
			case !s.KeyTransport():
				o.Auth = rsa[n%len(rsa)]
			}
			if (i+j/2)%2 == 0 {
				o.ClientAuth = demo.RequireClientAuth
			}
			all = append(all, o)
		}
	}
	return all
}

func name(o demo.Options) string {
	return fmt.Sprintf("%v %s group=%v ems=%v etm=%v client=%s", o.Suite, o.Auth, o.Group,
		o.ExtendedMasterSecret, o.EncryptThenMAC, o.ClientAuth)
}

// perform runs a connection and returns its events as lines.
func perform(t testing.TB, o demo.Options) []byte {
	t.Helper()
	run, err := demo.Perform(t.Context(), o)
	if err != nil || run.ClientError != nil || run.ServerError != nil {
		t.Fatal(err, run.ClientError, run.ServerError)
	}
	var lines bytes.Buffer
	w := trace.NewWriter(&lines, trace.Reveal())
	for _, e := range run.Entries {
		w.Put(e)
	}
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	return lines.Bytes()
}

func TestEverySuiteIsRecomputed(t *testing.T) {
	o := tool(t)
	all, before := testkit.Sample(t, "connections", 30, cases()), o.Runs()
	var mu sync.Mutex
	total := recompute.Tally{}
	testkit.TwoAtATime(all, func(c demo.Options) {
		t.Run(name(c), func(t *testing.T) {
			tally, err := recompute.Check(o, bytes.NewReader(perform(t, c)))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for kind, n := range tally {
				total[kind] += n
			}
		})
	})
	sum := 0
	for _, kind := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%6d %s", total[kind], kind)
		sum += total[kind]
	}
	t.Logf("%d connections, %d values recomputed, %d runs of openssl", len(all), sum,
		o.Runs()-before)
	if sum < 100*len(all) || len(all) == 0 {
		t.Error("too few")
	}
}

// One finite-field secret in 256 begins with a zero byte, which is stripped. See RFC 5246 §8.1.2.
func TestCheckSecretWithLeadingZero(t *testing.T) {
	o := tool(t)
	short := regexp.MustCompile(`"pre_master_secret","output":"[0-9a-f]{510}"`)
	for i := 120; i < 5000; i++ { // at the time of writing 120 is the first
		lines := perform(t,
			demo.Options{Suite: iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, Group: iana.FFDHE2048,
				Auth:       throwaway.RSA,
				ClientAuth: demo.NoClientAuth, Data: "x", Seed: fmt.Sprint("leading zero ", i)})
		if !short.Match(lines) {
			continue
		}
		if _, err := recompute.Check(o, bytes.NewReader(lines)); err != nil {
			t.Error(err)
		}
		return
	}
	t.Error("no seed gives such a secret")
}

// samples returns the lines of a connection for each key exchange of TLS 1.2, all with a client
// certificate, and of two connections of TLS 1.3, the second of which resumes the first. In these
// the client shows its certificate after the handshake.
func samples(t *testing.T) (all [][]byte) {
	for _, id := range []iana.CipherSuite{iana.TLS_RSA_WITH_AES_256_CBC_SHA256,
		iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		iana.TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256, iana.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8} {
		i := slices.IndexFunc(cases(), func(c demo.Options) bool {
			return c.Suite == id && c.ClientAuth == demo.RequireClientAuth && c.ExtendedMasterSecret
		})
		all = append(all, perform(t, cases()[i]))
	}
	two := case13{connections: 2, client: late, server: late,
		between: func(c, s *vitrine.Conn) { updateKeys(c, s); askLate(1)(c, s) }}
	return append(all, two.lines(t))
}

// Check notices that an event is missing, except for choices, chains and the client's own key, from
// which nothing is computed.
func TestCheckNoticesMissingEvent(t *testing.T) {
	o := tool(t)
	left := regexp.MustCompile(
		`"event":"(schema|choice|notice|throwaway_key)"|"what":"(chain|ocsp)"`)
	missing := 0
	for _, lines := range samples(t) {
		var all [][]byte
		for l := range bytes.Lines(lines) {
			if !left.Match(l) {
				all = append(all, l)
			}
		}
		for _, l := range testkit.Sample(t, "lines", 150, all) {
			missing++
			if _, err := recompute.CheckUntilWrong(o,
				bytes.NewReader(bytes.Replace(lines, l, nil, 1))); err == nil {
				t.Errorf("not missed:\n%.200s…", l)
			}
		}
	}
	t.Logf("%d lines left out", missing)
	if missing < 100 && !testing.Short() {
		t.Error("too few")
	}
}

// Check notices a changed digit in every value that can be recomputed, one at a time.
func TestCheckNoticesAlteredDigit(t *testing.T) {
	o := tool(t)
	altered := 0
	for _, lines := range samples(t) {
		if _, err := recompute.Check(o, bytes.NewReader(lines)); err != nil {
			t.Fatal(err)
		}
		for _, at := range testkit.Sample(t, "values", 200, values(lines)) {
			was := lines[at]
			lines[at] = '0' + (was-'0'+1)%10
			if _, err := recompute.CheckUntilWrong(o, bytes.NewReader(lines)); err == nil {
				t.Errorf("nobody noticed that a digit is %c instead of %c:\n%.200s…", lines[at],
					was, line(lines, at))
			}
			lines[at] = was
			altered++
		}
	}
	t.Logf("%d values altered", altered)
	if altered < 100 && !testing.Short() {
		t.Error("too few")
	}
}

// values returns the positions of a decimal digit in each hex value: the last one of the value.
// Throw-away keys are left out: the client's key signs, and only its signature is checked.
func values(lines []byte) (places []int) {
	field := regexp.MustCompile(`"(\w+)":"([0-9a-f]*?[0-9])[a-f]*"`)
	begin := 0
	for l := range bytes.Lines(lines) {
		for _, m := range field.FindAllSubmatchIndex(l, -1) {
			if !bytes.Contains(l, []byte(`"event":"throwaway_key"`)) {
				places = append(places, begin+m[5]-1)
			}
		}
		begin += len(l)
	}
	return places
}

func line(lines []byte, at int) []byte {
	begin := bytes.LastIndexByte(lines[:at], '\n') + 1
	return lines[begin : begin+bytes.IndexByte(lines[begin:], '\n')]
}

// The package imports nothing of what it checks: of other modules, only circl's ML-KEM and what
// that takes along.
func TestImportsNothingOfTheStack(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Skipf("go list: %v", err)
	}
	for p := range strings.FieldsSeq(string(out)) {
		module, _, _ := strings.Cut(p, "/")
		if strings.Contains(module, ".") && !second.MatchString(p) &&
			!strings.HasSuffix(p, "/internal/recompute") ||
			p == "crypto/tls" || p == "crypto/hmac" || p == "crypto/mlkem" {
			t.Errorf("it uses %s", p)
		}
	}
	if len(out) == 0 {
		t.Error("go list said nothing")
	}
}

// second are the packages of the second implementation of ML-KEM.
var second = regexp.MustCompile(`^(github\.com/cloudflare/circl/(kem|pke/kyber|internal/sha3|` +
	`simd/keccakf1600)(/.*)?|golang\.org/x/sys/cpu)$`)

// GHASH is the only primitive that the package implements.
func TestGHASHMatchesTheStandardLibrary(t *testing.T) {
	n := 0
	for size := range 70 {
		key, nonce, plain := bytes.Repeat([]byte{byte(size)}, 16), bytes.Repeat([]byte{7}, 12),
			bytes.Repeat([]byte{byte(3 * size)}, size)
		block, _ := aes.NewCipher(key)
		gcm, _ := cipher.NewGCM(block)
		sealed := gcm.Seal(nil, nonce, plain, plain)
		var h, mask [16]byte
		block.Encrypt(h[:], h[:])
		block.Encrypt(mask[:], append(bytes.Clone(nonce), 0, 0, 0, 1))
		if got := recompute.GCMTag(h[:], mask[:], plain, sealed[:size]); !bytes.Equal(got,
			sealed[size:]) {
			t.Errorf("%d bytes: got %x, expected %x", size, got, sealed[size:])
		}
		n++
	}
	t.Logf("%d tags", n)
}
