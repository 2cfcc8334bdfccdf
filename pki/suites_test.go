package pki

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// A foreignCase is a case of somebody else's suite of chains.
type foreignCase struct {
	id    string
	from  iana.Side
	chain [][]byte // the leaf first
	roots [][]byte
	name  string
	now   time.Time
	holds bool
}

// verdicts returns what each verifier of the library, and crypto/x509, say of a case. What is asked
// of a client's certificate is not a name.
func (c *foreignCase) verdicts() map[string]error {
	trust := Trust{Roots: x509.NewCertPool(), Now: c.now}
	if c.from == iana.Server {
		trust.Name = c.name
	}
	for _, der := range c.roots {
		if root, err := x509.ParseCertificate(der); err == nil {
			trust.Roots.AddCert(root)
			trust.Listed = append(trust.Listed, root)
		}
	}
	out := map[string]error{}
	chain, err := ReadChain(c.chain)
	if err == nil {
		err = chain.Sound()
	}
	if err != nil {
		return map[string]error{"reading": err}
	}
	paths, err := chain.Verify(c.from, trust)
	if err == nil && c.from == iana.Server && len(Still(paths, trust)) == 0 {
		err = errNotResumed
	}
	out["Verify"] = err
	out["our path"] = ownPath(chain, c.from, trust)
	out["crypto/x509"] = c.standard(trust)
	return out
}

func (c *foreignCase) standard(t Trust) error {
	was := now
	defer func() { now = was }()
	now = c.now
	return standard(c.chain, c.from, t.Name, t.Listed)
}

// ownPath has our search find the path, as if crypto/x509 could not compute its signatures.
func ownPath(chain *Chain, from iana.Side, t Trust) error {
	opts := x509.VerifyOptions{CurrentTime: t.Now, DNSName: t.Name,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if from == iana.Server {
		opts.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	s := &search{chain: chain, trust: t, opts: opts, left: maxSignatures}
	if s.extend(chain.Certs[:1], true) == nil {
		return errors.Join(errors.New("no path"), s.err)
	}
	return nil
}

// judge compares the verdicts on a case with the suite's. known says why another one is right, and
// is emptied of what was used.
func (c *foreignCase) judge(t *testing.T, known map[string]string) {
	_, differs := known[c.id]
	delete(known, c.id)
	for name, err := range c.verdicts() {
		if (err == nil) == c.holds == differs {
			t.Errorf("%s: %s: %v; it should hold: %v; known as a difference: %v", c.id, name, err,
				c.holds, differs)
		}
	}
}

func readJSON(t *testing.T, variable string, into any) {
	t.Helper()
	file := os.Getenv(variable)
	if file == "" {
		t.Skipf("%s does not name the suite: see docs/verification.md", variable)
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// x509-limbo: https://x509-limbo.com. Its cases with CRLs and with a limit of depth that the caller
// sets are left out: there are neither here.
func TestX509LimboIsJudgedAsItExpects(t *testing.T) {
	var suite struct {
		Testcases []struct {
			ID       string
			Kind     string                       `json:"validation_kind"`
			Trusted  []string                     `json:"trusted_certs"`
			Others   []string                     `json:"untrusted_intermediates"`
			Peer     string                       `json:"peer_certificate"`
			Time     *time.Time                   `json:"validation_time"`
			Expected string                       `json:"expected_result"`
			Name     struct{ Kind, Value string } `json:"expected_peer_name"`
			Depth    *int                         `json:"max_chain_depth"`
			CRLs     []string
		}
	}
	readJSON(t, "LIMBO", &suite)
	ders := func(all ...string) (raw [][]byte) {
		for _, text := range all {
			block, _ := pem.Decode([]byte(text))
			raw = append(raw, block.Bytes)
		}
		return raw
	}
	known, ran := maps.Clone(limboDifferences), 0
	for _, tc := range suite.Testcases {
		if tc.Depth != nil || len(tc.CRLs) > 0 ||
			tc.Kind == "SERVER" && tc.Name.Value == "" { // Trust without a name is an error
			continue
		}
		c := &foreignCase{id: tc.ID, from: iana.Server, name: tc.Name.Value, now: time.Now(),
			chain: ders(append([]string{tc.Peer}, tc.Others...)...), roots: ders(tc.Trusted...),
			holds: tc.Expected == "SUCCESS"}
		if tc.Kind == "CLIENT" {
			c.from = iana.Client
		}
		if tc.Time != nil {
			c.now = *tc.Time
		}
		c.judge(t, known)
		ran++
	}
	t.Logf("%d of %d cases, %d differences", ran, len(suite.Testcases), len(limboDifferences))
	if len(known) > 0 {
		t.Errorf("no differences any more: %v", slices.Sorted(maps.Keys(known)))
	}
}

// BetterTLS: https://github.com/Netflix/bettertls.
func TestBetterTLSIsJudgedAsItExpects(t *testing.T) {
	var suite struct {
		TrustRoot []byte
		Suites    map[string]struct {
			TestCases []struct {
				ID           int
				Certificates [][]byte
				Hostname     string
				Expected     string
			}
		}
	}
	readJSON(t, "BETTERTLS", &suite)
	for name, s := range suite.Suites {
		for _, tc := range s.TestCases {
			c := &foreignCase{id: name, from: iana.Server, name: tc.Hostname, now: time.Now(),
				chain: tc.Certificates, roots: [][]byte{suite.TrustRoot},
				holds: tc.Expected == "ACCEPT"}
			c.judge(t, map[string]string{})
		}
		t.Logf("%s: %d cases, no differences", name, len(s.TestCases))
	}
}

// limboDifferences are the cases of which crypto/x509, and so every verifier here, says something
// else than the suite, and why that is left so.
var limboDifferences = func() map[string]string {
	all := map[string]string{}
	for reason, ids := range map[string][]string{
		"stricter: authorities of one name and another key are counted and limited like others": {
			"pathlen::self-issued-certs-pathlen", "rfc5280::nc::permitted-self-issued"},
		"stricter: constraints of kinds of names that are not looked at are refused if critical": {
			"rfc5280::nc::nc-forbids-othername-noop"},
		"stricter: a certificate ends with the second that it names": {
			"rfc5280::validity::notafter-fractional"},
		"it costs little: hundreds of names and constraints are compared in milliseconds": {
			"pathological::nc-dos-1", "pathological::nc-dos-2"},
		"a demand on who issues: key identifiers help to find a path, and prove nothing": {
			"rfc5280::aki::leaf-missing-aki", "rfc5280::aki::intermediate-missing-aki",
			"rfc5280::aki::cross-signed-root-missing-aki", "rfc5280::ski::root-missing-ski",
			"rfc5280::ski::intermediate-missing-ski",
			"webpki::aki::root-with-aki-missing-keyidentifier",
			"webpki::aki::root-with-aki-authoritycertissuer",
			"webpki::aki::root-with-aki-authoritycertserialnumber",
			"webpki::aki::root-with-aki-all-fields", "webpki::aki::root-with-aki-ski-mismatch"},
		"a demand on who issues: a constraint counts whether or not it is critical": {
			"rfc5280::nc::permitted-dns-match-noncritical", "rfc5280::pc::ica-noncritical-pc"},
		"a demand on who issues: what a root says of itself is not looked at": {
			"rfc5280::root-non-critical-basic-constraints",
			"rfc5280::root-inconsistent-ca-extensions", "rfc5280::ca-empty-subject",
			"webpki::eku::root-has-eku"},
		"a demand on who issues: it makes no other name or key hold": {
			"rfc5280::eku::ee-eku-empty", "rfc5280::nc::invalid-dnsname-leading-period",
			"rfc5280::nc::not-allowed-in-ee-noncritical", "rfc5280::nc::not-allowed-in-ee-critical",
			"rfc5280::san::noncritical-with-empty-subject", "rfc5280::leaf-ku-keycertsign",
			"webpki::san::san-critical-with-nonempty-subject", "webpki::eku::ee-anyeku",
			"webpki::eku::ee-critical-eku", "webpki::eku::ee-without-eku",
			"webpki::ee-basicconstraints-ca", "webpki::ca-as-leaf"},
		"names with an underscore exist, and hold for themselves alone": {
			"rfc5280::san::underscore-dns"},
		"serial numbers of 0 and of 21 bytes exist": {
			"rfc5280::serial::too-long", "rfc5280::serial::zero"},
		"the common name is not looked at, right or wrong": {
			"webpki::cn::ipv4-hex-mismatch", "webpki::cn::ipv4-leading-zeros-mismatch",
			"webpki::cn::ipv6-uppercase-mismatch", "webpki::cn::ipv6-uncompressed-mismatch",
			"webpki::cn::ipv6-non-rfc5952-mismatch", "webpki::cn::punycode-not-in-san",
			"webpki::cn::utf8-vs-punycode-mismatch", "webpki::cn::not-in-san",
			"webpki::cn::case-mismatch"},
		"which suffixes are public is a list that changes": {
			"webpki::san::public-suffix-wildcard-san",
			"webpki::san::public-suffix-multi-label-wildcard-san",
			"webpki::san::public-suffix-private-namespace-wildcard-san"},
		"RSA keys of 1024 bits and of odd lengths are of devices; Config.Policy does not " +
			"limit them": {
			"webpki::forbidden-weak-rsa-key-in-root", "webpki::forbidden-weak-rsa-in-leaf",
			"webpki::forbidden-rsa-not-divisible-by-8-in-root",
			"webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf"},
		"a DSA key has a path, and then cannot sign in TLS: PublicKey is " +
			"unsupported_certificate": {
			"webpki::forbidden-dsa-leaf"},
	} {
		for _, id := range ids {
			all[id] = reason
		}
	}
	return all
}()
