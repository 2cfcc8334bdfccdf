package probe

import (
	"math/big"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Told is the answer to a question.
type Told string

// The answers.
const (
	Yes           Told = "yes"
	No            Told = "no"
	NotTold       Told = "not told"       // the answers do not decide it
	NotApplicable Told = "not applicable" // the server lacks what it is about
)

// How says how a fact was found.
type How string

// The ways to know.
const (
	Seen     How = "seen"     // in a message of the server
	Inferred How = "inferred" // it follows from the server's answers and refusals
)

// Report is what was found out about a server.
type Report struct {
	Target      string        `json:"target"`
	Address     string        `json:"address,omitempty"`     // of the first connection
	Via         string        `json:"via,omitempty"`         // the address, if each was asked
	ServerName  string        `json:"server_name,omitempty"` // asked for
	At          time.Time     `json:"at"`
	Reached     bool          `json:"reached"`           // the server speaks TLS
	Problem     string        `json:"problem,omitempty"` // why not, or why answers are missing
	Versions    []Version     `json:"versions"`
	Groups      []Group       `json:"groups"`
	Primes      []Prime       `json:"primes"`
	Schemes     []Scheme      `json:"signature_schemes"`
	Chains      []Chain       `json:"certificates"`
	Facts       []Fact        `json:"facts"`
	Findings    []Finding     `json:"findings"`
	Connections int           `json:"connections"` // how many were made
	Took        time.Duration `json:"took_ns"`

	// Retries counts the questions that were asked again, by their first outcome.
	Retries map[Outcome]int `json:"retries,omitempty"`

	// Changes are the differences from an earlier report, made at Compared: see Since.
	Changes  []Change   `json:"changes,omitempty"`
	Compared *time.Time `json:"compared_with,omitempty"`

	since *Report
}

// Version is one version and what the server has in it.
type Version struct {
	Name   string  `json:"name"`
	Told   Told    `json:"told"`
	Detail string  `json:"detail,omitempty"` // how it refused, or why it was not told
	Suites []Suite `json:"suites"`
	Order  string  `json:"order,omitempty"` // "server", "client", or empty: not told

	// ChaCha says that the server, whose order counts, takes ChaCha20 if the client prefers it.
	ChaCha bool `json:"chacha20_by_client,omitempty"`

	version iana.Version
	unnamed bool // its suites are accepted without the groups of RFC 7919 alone
}

// groups returns the groups of a hello that the server accepts in the version, as far as known.
func (v *Version) groups() []iana.Group {
	all := groupsOf(v.version)
	if v.unnamed {
		return slices.DeleteFunc(slices.Clone(all), finite)
	}
	return all
}

// Suite is a suite that the server accepted.
type Suite struct {
	Name    string `json:"name"`
	OpenSSL string `json:"openssl,omitempty"`
	Code    string `json:"code"`
	Group   string `json:"group,omitempty"` // what the key exchange was made with
	Bits    int    `json:"bits,omitempty"`  // of a prime

	id    iana.CipherSuite
	hello []byte // the ServerHello that chose it
}

// Group is a group that the server accepted.
type Group struct {
	Name    string `json:"name"`
	Version string `json:"version"` // "TLS 1.3", or "TLS 1.2" for all below
	Hybrid  bool   `json:"post_quantum"`

	id iana.Group
}

// Prime is a group of its own with which the server answered in DHE.
type Prime struct {
	Bits  int    `json:"bits"`
	Known string `json:"known,omitempty"` // the name of a published group
	Safe  bool   `json:"safe"`            // p and (p-1)/2 are probably prime
	Suite string `json:"suite"`

	p *big.Int
}

// Scheme is a signature scheme that the server signed with.
type Scheme struct {
	Name    string `json:"name"`
	Version string `json:"version"`

	id iana.SignatureScheme
}

// Chain is a chain of certificates that the server sent.
type Chain struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Names     []string  `json:"names"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Key       Key       `json:"key"`
	Signed    string    `json:"signed_with"`
	Length    int       `json:"length"` // certificates sent
	Trusted   Told      `json:"trusted"`
	Trust     string    `json:"trust,omitempty"` // why not
	Stapled   bool      `json:"ocsp_stapled"`
	Must      bool      `json:"must_staple"`
	SCTs      Told      `json:"scts"`
	Pin       string    `json:"pin"` // sha256/BASE64 of the public key

	raw [][]byte
}

// Key is a public key.
type Key struct {
	Type string `json:"type"`
	Bits int    `json:"bits"`
}

// Fact is an answer to one question.
type Fact struct {
	ID     string `json:"id"`
	What   string `json:"what"`
	Told   Told   `json:"told"`
	How    How    `json:"how,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Label returns the target, with the name that was asked for if it is another one, and with the
// address if each was asked.
func (r *Report) Label() string {
	label := r.Target
	host, _, err := net.SplitHostPort(r.Target)
	if err == nil && r.ServerName != "" && !strings.EqualFold(strings.TrimSuffix(host, "."),
		r.ServerName) {
		label += " as " + r.ServerName
	}
	if r.Via != "" {
		label += " at " + r.Via
	}
	return label
}

// Good returns sentences about what is right with the server.
func (r *Report) Good() (good []string) {
	say := func(ok bool, what string) {
		if ok {
			good = append(good, what)
		}
	}
	old := slices.ContainsFunc(r.Versions, func(v Version) bool {
		return v.version < iana.TLS12 && v.Told != No
	})
	say(r.version(iana.TLS13).Told == Yes, "TLS 1.3")
	say(!old && r.best(iana.TLS13) != nil, "no version before TLS 1.2")
	say(slices.ContainsFunc(r.Groups, func(g Group) bool { return g.Hybrid }),
		"key exchange that withstands quantum computers")
	say(len(r.Chains) > 0 && !slices.ContainsFunc(r.Chains, func(c Chain) bool {
		return c.Trusted != Yes
	}), "every certificate that was shown is trusted")
	for _, id := range []string{"extended_master_secret", "secure_renegotiation", "fallback_scsv"} {
		f := r.Fact(id)
		say(f.Told == Yes, f.What)
	}
	return good
}

// Fact returns the fact with an ID; one that is not there was not told.
func (r *Report) Fact(id string) Fact {
	for _, f := range r.Facts {
		if f.ID == id {
			return f
		}
	}
	return Fact{ID: id, Told: NotTold}
}

// Answered reports whether the server answered with a version, and so more than by refusals.
func (r *Report) Answered() bool {
	return slices.ContainsFunc(r.Versions, func(v Version) bool { return v.Told == Yes })
}

// version returns what is known of a version.
func (r *Report) version(v iana.Version) *Version {
	for i := range r.Versions {
		if r.Versions[i].version == v {
			return &r.Versions[i]
		}
	}
	return &Version{version: v, Told: NotTold}
}

// best returns the newest version that the server has, or nil.
func (r *Report) best(most iana.Version) *Version {
	for i := range r.Versions {
		if v := &r.Versions[i]; v.Told == Yes && v.version <= most && v.version > ssl2 {
			return v
		}
	}
	return nil
}

func (v *Version) ids() (ids []iana.CipherSuite) {
	for _, s := range v.Suites {
		ids = append(ids, s.id)
	}
	return ids
}

// Severity is how much a finding matters.
type Severity string

// The severities. Failures, and what is broken in practice, have high severity; a precondition of
// an attack is a warning, and never called a vulnerability.
const (
	Info Severity = "info"
	Warn Severity = "warn"
	High Severity = "high"
)

// Weight orders severities: the higher, the worse.
func (s Severity) Weight() int { return slices.Index([]Severity{Info, Warn, High}, s) }

// Finding is a weakness of the server's configuration.
type Finding struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	What     string   `json:"what"`
	Seen     string   `json:"seen"` // what the server showed
	Why      string   `json:"why"`
	Ref      string   `json:"ref"`
	Mend     []Mend   `json:"mend,omitempty"`

	// Bytes is the server's message that shows it, if it is one: a ServerHello, in hexadecimal.
	Bytes string `json:"bytes,omitempty"`
}

// Mend is a line for a program's configuration that removes a finding.
type Mend struct {
	For  string `json:"for"` // "nginx", "Apache", …
	Line string `json:"line"`
}

// Change is something in which two reports of a server differ.
type Change struct {
	What string `json:"what"`
	Was  string `json:"was"` // "" if it did not exist
	Is   string `json:"is"`  // "" if it does not exist any more
}

// String returns the change in words, without control characters.
func (c Change) String() string { return alert.Escape(c.words()) }

func (c Change) words() string {
	switch {
	case c.Was == "":
		return c.What + ": new: " + c.Is
	case c.Is == "":
		return c.What + ": gone: " + c.Was
	}
	return c.What + ": was " + c.Was + ", is " + c.Is
}

func names(suites []Suite) (names []string) {
	for _, x := range suites {
		names = append(names, x.Name)
	}
	return names
}
