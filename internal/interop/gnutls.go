package interop

import (
	"encoding/hex"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// GnuTLS is gnutls-cli and gnutls-serv. The server continues after a connection has ended.
var GnuTLS = &Stack{
	Name: "GnuTLS", Package: "gnutls-bin", Echoes: true,
	tools: [2]string{"gnutls-cli", "gnutls-serv"}, args: gnutlsArgs,
	list: []string{"gnutls-cli", "--list"},
	code: regexp.MustCompile(`0x(..), 0x(..)\tTLS1\.[0-2]`),
}

// gnutlsArgs translates a Setup. The client's log goes to standard error, so that standard output
// has the data only.
func gnutlsArgs(as iana.Side, addr string, s *Setup) []string {
	host, port, _ := net.SplitHostPort(addr)
	args := []string{"--port", port, "--priority", gnutlsPriority(s)}
	add := func(when bool, more ...string) {
		if when {
			args = append(args, more...)
		}
	}
	if s.RawKeys {
		add(s.Identity != nil, "--rawpkfile", s.Identity.Public, "--rawpkkeyfile", s.Identity.Key)
	} else if s.Identity != nil {
		add(true, "--x509certfile", s.Identity.Chain, "--x509keyfile", s.Identity.Key)
	}
	if s.Named != nil {
		add(true, "--x509certfile", s.Named.Chain, "--x509keyfile", s.Named.Key)
	}
	add(s.Trust != "", "--x509cafile", s.Trust)
	for _, name := range s.Protocols {
		add(true, "--alpn", name)
	}
	add(slices.Contains(s.Without, iana.ExtSessionTicket), "--noticket")
	if as == iana.Client {
		if s.PSK != nil {
			add(true, "--pskusername", s.PSK.Identity, "--pskkey", hex.EncodeToString(s.PSK.Key))
		}
		add(s.Connects > 1, "--resume")
		_, to := s.versions()
		add(s.Connects > 1 && to == iana.TLS13, "--waitresumption")
		add(s.Trust == "", "--insecure")
		add(s.ServerName == "", "--disable-sni")
		add(s.ServerName != "", "--sni-hostname", s.ServerName, "--verify-hostname", s.ServerName)
		add(s.Talkative, "--inline-commands")
		return append(args, "--logfile", "/dev/stderr", host)
	}
	add(true, "--echo", "--quiet")
	if s.PSK != nil {
		add(true, "--pskpasswd", s.PSK.File)
	}
	add(s.ClientAuth, "--require-client-cert")
	add(s.ClientAuth && !s.RawKeys, "--verify-client-cert") // it knows nobody's raw public key
	add(!s.ClientAuth, "--disable-client-cert")
	add(s.Staple != "", "--ocsp-response", s.Staple, "--ignore-ocsp-response-errors")
	return args
}

// gnutlsPriority returns the priority string, which names the parts of a suite.
func gnutlsPriority(s *Setup) string {
	words := []string{"NONE", "+COMP-NULL", "+SIGN-ALL"}
	if s.RawKeys {
		words = append(words, "+CTYPE-CLI-RAWPK", "+CTYPE-SRV-RAWPK")
	} else {
		words = append(words, "+CTYPE-X509")
	}
	for from, v := s.versions(); v >= from; v-- {
		words = append(words, "+VERS-"+strings.Replace(v.String(), " ", "", 1))
	}
	if s.Suite == nil {
		words = append(words, "+CIPHER-ALL", "+MAC-ALL")
		switch {
		case s.PSK == nil:
			words = append(words, "+KX-ALL")
		case s.PSKAlone:
			words = append(words, "+PSK")
		default:
			words = append(words, "+ECDHE-PSK", "+DHE-PSK")
		}
	} else {
		words = append(words, gnutlsSuite(s.Suite)...)
	}
	if s.Groups == nil {
		words = append(words, "+GROUP-ALL")
	}
	for _, g := range s.Groups {
		words = append(words, "+GROUP-"+strings.ToUpper(g.String()))
	}
	for _, x := range s.Without {
		switch x {
		case iana.ExtEncryptThenMAC:
			words = append(words, "%NO_ETM")
		case iana.ExtExtendedMasterSecret:
			words = append(words, "%NO_SESSION_HASH")
		}
	}
	return strings.Join(words, ":")
}

func gnutlsSuite(s *suite.Suite) []string {
	if suite.ByID13(s.ID) != nil {
		return []string{"+KX-ALL", "+MAC-ALL", "+" + strings.ReplaceAll(s.Cipher.Name, "_", "-")}
	}
	kx, mac := strings.ReplaceAll(s.KeyExchangeName(), "_", "-"), "AEAD"
	if s.Ephemeral() && !s.PreShared() {
		kx += "-" + s.AuthenticationName()
	}
	switch s.MAC {
	case record.HMAC_SHA1:
		mac = "SHA1"
	case record.HMAC_SHA256:
		mac = "SHA256"
	case record.HMAC_SHA384:
		mac = "SHA384"
	}
	return []string{"+" + kx, "+" +
		strings.NewReplacer("_EDE", "", "_", "-").Replace(s.Cipher.Name), "+" + mac}
}
