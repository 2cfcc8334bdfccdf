package interop

import (
	"context"
	"encoding/hex"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/suite"
)

// OpenSSL is openssl s_client and openssl s_server. Both answer close_notify and then exit with
// status 0.
var OpenSSL = &Stack{
	Name: "OpenSSL", Package: "openssl",
	tools: [2]string{"openssl", "openssl"}, args: opensslArgs, env: opensslEnv,
	list: []string{"openssl", "ciphers", "-s", "-tls1_2", "-psk", "-V", "ALL:eNULL:@SECLEVEL=0"},
	code: regexp.MustCompile(`0x(..),0x(..) - `),
}

// opensslArgs translates a Setup. With -brief a summary goes to standard error and only the data to
// standard output, and letters at the start of a line are not commands. SECLEVEL=0 allows what
// OpenSSL deprecates: NULL, and suites with SHA-1.
func opensslArgs(as iana.Side, addr string, s *Setup) []string {
	tool, at := "s_client", "-connect"
	if as == iana.Server {
		tool, at = "s_server", "-accept"
	}
	from, to := s.versions()
	args := []string{tool, at, addr, "-min_protocol", opensslVersion(from), "-max_protocol",
		opensslVersion(to)}
	add := func(when bool, more ...string) {
		if when {
			args = append(args, more...)
		}
	}
	ciphers := "ALL:eNULL"
	if s.Suite != nil {
		ciphers = s.Suite.ID.OpenSSL()
	}
	if s.Suite != nil && suite.ByID13(s.Suite.ID) != nil {
		add(true, "-ciphersuites", s.Suite.ID.String())
		ciphers = "ALL"
	}
	add(true, "-cipher", ciphers+":@SECLEVEL=0")
	if curves := opensslGroups(s.Groups, from); curves != "" {
		add(true, "-groups", curves)
	}
	if s.Identity != nil {
		add(true, "-cert", s.Identity.Chain, "-key", s.Identity.Key)
		add(s.Identity.Above != "", "-cert_chain", s.Identity.Above)
	}
	add(s.Trust != "", "-CAfile", s.Trust, "-verify_return_error")
	add(s.Protocols != nil, "-alpn", strings.Join(s.Protocols, ","))
	add(slices.Contains(s.Without, iana.ExtEncryptThenMAC), "-no_etm")
	add(slices.Contains(s.Without, iana.ExtSessionTicket), "-no_ticket")
	add(slices.Contains(s.Without, iana.ExtExtendedMasterSecret), "-ssl_config", "no_ems")
	if s.PSK != nil {
		add(true, "-psk", hex.EncodeToString(s.PSK.Key), "-psk_identity", s.PSK.Identity)
		add(as == iana.Server && s.Identity == nil, "-nocert")
		add(s.PSKAlone, "-allow_no_dhe_kex")
	}
	add(!s.Talkative, "-brief")
	if as == iana.Client {
		add(!s.Talkative, "-nocommands")
		add(s.ServerName != "", "-servername", s.ServerName, "-verify_hostname", s.ServerName)
		add(s.ServerName == "", "-noservername")
		return args
	}
	add(true, "-naccept", strconv.Itoa(max(s.Connects, 1)))
	add(s.ClientAuth, "-Verify", "4")
	add(s.DHParams != "", "-dhparam", s.DHParams)
	add(s.Staple != "", "-status_file", s.Staple)
	if s.Named != nil {
		add(true, "-servername", s.ServerName, "-cert2", s.Named.Chain, "-key2", s.Named.Key)
	}
	return args
}

// opensslGroups returns the names of groups. OpenSSL 3.0 negotiates the finite-field ones in TLS
// 1.3 only.
func opensslGroups(groups []iana.Group, from iana.Version) string {
	var names []string
	for _, g := range groups {
		if from == iana.TLS13 || !g.FiniteField() {
			names = append(names,
				strings.NewReplacer("secp256r1", "P-256", "x", "X").Replace(g.String()))
		}
	}
	return strings.Join(names, ":")
}

// opensslVersion returns "TLSv1", "TLSv1.1" and so on.
func opensslVersion(v iana.Version) string {
	return strings.TrimSuffix(strings.Replace(v.String(), " 1", "v1", 1), ".0")
}

// opensslEnv names the configuration with the section no_ems, for which there is no option.
func opensslEnv(*Setup) []string {
	return []string{"OPENSSL_CONF=" +
		filepath.Join(testkit.Root(), "internal", "interop", "openssl.cnf")}
}

// DHParams makes the file for Setup.DHParams, with the group of that name.
func (o *Office) DHParams(ctx context.Context, name string) (path string, err error) {
	if path, err = o.File("dh.pem", nil); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "openssl", "genpkey", "-genparam", "-algorithm", "DH",
		"-pkeyopt", "group:"+name, "-out", path)
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("interop: %q: %w: %s", cmd.Args, err, said)
	}
	return path, nil
}
