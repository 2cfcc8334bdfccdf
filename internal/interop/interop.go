// Package interop runs other implementations of TLS for tests, as a client or as a server with a
// socket of its own. They are the command-line tools in Debian's packages.
//
// A Stack is an implementation. A Setup says, in the terms of the RFCs, what a peer shall do; each
// Stack translates it into options. A Peer is one process: what it receives can be read from it,
// and what is written to it is what it sends, so that a test can use it like a connection. An
// Identity is a throw-away certificate, in memory for us and in files for the peer.
package interop

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
)

// Stack is another implementation.
type Stack struct {
	Name    string
	Package string // the Debian package with the tools

	// Echoes is set if its server sends back what it receives, and sends nothing else.
	Echoes bool

	tools [2]string // by Side
	args  func(as iana.Side, addr string, s *Setup) []string
	env   func(*Setup) []string

	list  []string           // the command that lists its suites
	code  *regexp.Regexp     // finds the two bytes of a code point in that list
	known []iana.CipherSuite // or: its suites, where no command lists them
}

// Setup says what a peer shall do. What a zero field is about is up to the peer.
type Setup struct {
	Versions [2]iana.Version // from, to; TLS 1.2 if zero
	Suite    *suite.Suite
	Groups   []iana.Group
	// a PEM file: the prime of a server that leaves RFC 7919 to TLS 1.3
	DHParams   string
	Identity   *Identity // its certificate
	Named      *Identity // a server's certificate for clients that ask for ServerName
	RawKeys    bool      // GnuTLS: the Identity's key alone, and the other side's: RFC 7250
	ServerName string    // what a client asks for and expects
	Trust      string    // a PEM file: the roots that it trusts
	ClientAuth bool      // a server demands a certificate
	Protocols  []string  // for ALPN
	Staple     string    // a DER file: the OCSP response that a server staples
	// extensions to leave out, of session_ticket, encrypt_then_mac and extended_master_secret
	Without []iana.ExtensionType
	// print more, to standard output too, and take commands from standard input
	Talkative bool
	PSK       *PSK     // for the suites that need it, and for TLS 1.3
	PSKAlone  bool     // TLS 1.3: psk_ke, which OpenSSL offers beside psk_dhe_ke
	Database  string   // for NSS: it has the Identity and the Trust
	Connects  int      // connections before a server ends; 0 is one
	Options   []string // more options of the tool
}

// PSK is a pre-shared key and its identity.
type PSK struct {
	Identity string
	Key      []byte
	File     string // for a GnuTLS server. See Office.PSK
}

func (s *Setup) versions() (from, to iana.Version) {
	return cmp.Or(s.Versions[0], iana.TLS12), cmp.Or(s.Versions[1], iana.TLS12)
}

// Missing returns a sentence about what to install, or an empty string if the tools are installed.
func (s *Stack) Missing() string {
	for _, tool := range s.tools {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Sprintf("%s is not installed: it is in the Debian package %s", tool,
				s.Package)
		}
	}
	return ""
}

// Suites returns Vitrine's suites that the stack supports in TLS 1.2, by ID, without those with a
// pre-shared key.
func (s *Stack) Suites(ctx context.Context) ([]*suite.Suite, error) {
	return s.SuitesOf(ctx, suite.Certified())
}

// SuitesOf returns those of ours that the stack supports in TLS 1.2. It changes ours.
func (s *Stack) SuitesOf(ctx context.Context, ours []*suite.Suite) ([]*suite.Suite, error) {
	if s.list == nil {
		return slices.DeleteFunc(ours,
			func(row *suite.Suite) bool { return !slices.Contains(s.known, row.ID) }), nil
	}
	out, err := exec.CommandContext(ctx, s.list[0], s.list[1:]...).Output()
	if err != nil {
		return nil, fmt.Errorf("interop: %q: %w", s.list, err)
	}
	theirs := map[iana.CipherSuite]bool{}
	for _, m := range s.code.FindAllSubmatch(out, -1) {
		id, err := strconv.ParseUint(string(m[1])+string(m[2]), 16, 16)
		if err != nil {
			return nil, fmt.Errorf("interop: %q: %w", s.list, err)
		}
		theirs[iana.CipherSuite(id)] = true
	}
	both := slices.DeleteFunc(ours, func(s *suite.Suite) bool { return !theirs[s.ID] })
	if len(both) == 0 {
		return nil, fmt.Errorf("interop: %q lists no suite that we have: %.200q", s.list, out)
	}
	return both, nil
}
