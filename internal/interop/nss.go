package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
)

// NSS is tstclnt and selfserv of Mozilla's library. The server speaks a little HTTP and continues
// after a connection has ended; the client sends a file and prints the answer. Both lack
// encrypt-then-MAC, CCM and, below TLS 1.3, pre-shared keys.
var NSS = &Stack{
	Name: "NSS", Package: "libnss3-tools",
	tools: [2]string{"tstclnt", "selfserv"}, args: nssArgs,
	known: []iana.CipherSuite{
		iana.TLS_RSA_WITH_NULL_SHA, iana.TLS_RSA_WITH_NULL_SHA256,
		iana.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
		iana.TLS_RSA_WITH_AES_128_CBC_SHA, iana.TLS_RSA_WITH_AES_256_CBC_SHA,
		iana.TLS_RSA_WITH_AES_128_CBC_SHA256,
		iana.TLS_RSA_WITH_AES_256_CBC_SHA256, iana.TLS_RSA_WITH_AES_128_GCM_SHA256,
		iana.TLS_RSA_WITH_AES_256_GCM_SHA384,
		iana.TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA, iana.TLS_DHE_RSA_WITH_AES_128_CBC_SHA,
		iana.TLS_DHE_RSA_WITH_AES_256_CBC_SHA,
		iana.TLS_DHE_RSA_WITH_AES_128_CBC_SHA256, iana.TLS_DHE_RSA_WITH_AES_256_CBC_SHA256,
		iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, iana.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
		iana.TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		iana.TLS_ECDHE_RSA_WITH_NULL_SHA, iana.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA,
		iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, iana.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
		iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, iana.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
		iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, iana.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		iana.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		iana.TLS_ECDHE_ECDSA_WITH_NULL_SHA, iana.TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA,
		iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, iana.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
		iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, iana.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
		iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, iana.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		iana.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	},
}

// nssName is what identities are called in a database of NSS.
const nssName = "identity"

// nssArgs translates a Setup. The database of Setup.Database has the identity and the roots; with
// -D the client would trust nobody.
func nssArgs(as iana.Side, addr string, s *Setup) []string {
	host, port, _ := net.SplitHostPort(addr)
	from, to := s.versions()
	args := []string{"-p", port, "-d", "sql:" + s.Database, "-V", nssVersion(from) + ":" +
		nssVersion(to)}
	add := func(when bool, more ...string) {
		if when {
			args = append(args, more...)
		}
	}
	// with -c, tstclnt -L 2 aborts: it frees what it has moved past
	if s.Suite != nil && (as == iana.Server || s.Connects < 2) {
		add(true, "-c", fmt.Sprintf(":%04X", uint16(s.Suite.ID)))
	}
	if s.Groups != nil {
		add(true, "-I", nssGroups(s.Groups))
	}
	if s.PSK != nil {
		add(true, "-z", fmt.Sprintf("0x%X:%s", s.PSK.Key, s.PSK.Identity))
	}
	add(!slices.Contains(s.Without, iana.ExtSessionTicket), "-u")
	add(!slices.Contains(s.Without, iana.ExtExtendedMasterSecret), "-G")
	if as == iana.Client {
		add(true, "-4", "-h", host, "-O")
		add(s.ServerName != "", "-a", s.ServerName)
		add(s.Identity != nil, "-n", nssName)
		add(s.Connects > 1, "-L", fmt.Sprint(s.Connects))
		return args
	}
	if s.Suite != nil && s.Suite.ServerKey() == iana.AuthECDSA {
		add(true, "-e", nssName)
	} else {
		add(true, "-n", nssName)
	}
	add(s.ClientAuth, "-r", "-r")
	add(s.Protocols != nil, "-Q")
	add(s.DHParams != "", "-H", "1")
	return args
}

// nssGroups returns the names of groups, of which P256, x25519 and FF2048 are examples.
func nssGroups(groups []iana.Group) string {
	var names []string
	for _, g := range groups {
		names = append(names,
			strings.NewReplacer("secp", "P", "r1", "", "ffdhe", "FF").Replace(g.String()))
	}
	return strings.Join(names, ",")
}

// nssVersion is "tls1.2" and so on.
func nssVersion(v iana.Version) string {
	return strings.ToLower(strings.Replace(v.String(), " ", "", 1))
}

// Database makes the database of NSS that has an identity (or nil) and trusts the office's CA.
func (o *Office) Database(ctx context.Context, id *Identity) (dir string, err error) {
	if dir, err = os.MkdirTemp(o.dir, "nss-"); err != nil {
		return "", err
	}
	commands := [][]string{
		{"certutil", "-N", "-d", "sql:" + dir, "--empty-password"},
		{"certutil", "-A", "-d", "sql:" + dir, "-n", "root", "-t", "CT,C,", "-a", "-i", o.Trust},
	}
	if id != nil {
		bundle := filepath.Join(dir, "identity.p12")
		commands = append(commands,
			[]string{"openssl", "pkcs12", "-export", "-in", id.Chain, "-inkey", id.Key, "-name",
				nssName, "-passout", "pass:", "-out", bundle},
			[]string{"pk12util", "-i", bundle, "-d", "sql:" + dir, "-W", ""})
	}
	for _, c := range commands {
		if said, err := exec.CommandContext(ctx, c[0], c[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("interop: %q: %w: %s", c, err, said)
		}
	}
	return dir, nil
}
