package main

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
)

// wishes has the flags that choose the parameters of a handshake. An empty field means that the
// flag was not given.
type wishes struct {
	tls                                string
	kx, suite, group, auth, clientAuth string
	tamper                             []string
	ems, etm                           *bool
	mtls                               bool
	hrr, resume, keyUpdate             bool // of TLS 1.3
	earlyData, lateAuth                bool // of TLS 1.3
	compare                            bool // TLS 1.2 and 1.3
	data, seed                         string
}

// preset is a coherent choice for one key exchange. The first suite that fits the other flags is
// used.
type preset struct {
	suites []iana.CipherSuite
	group  iana.Group
	ems    bool
}

// The presets. That for RSA is the textbook case, without what was added to TLS 1.2 later.
var presets = map[string]preset{
	"RSA": {suites: []iana.CipherSuite{iana.TLS_RSA_WITH_AES_256_CBC_SHA256}},
	"DHE": {[]iana.CipherSuite{iana.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
		iana.TLS_DHE_RSA_WITH_AES_256_CBC_SHA256}, iana.FFDHE2048, true},
	"ECDHE": {[]iana.CipherSuite{
		iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	}, iana.X25519, true},
}

var auths = map[string]iana.Authentication{"rsa": iana.AuthRSA, "ecdsa": iana.AuthECDSA,
	"ed25519": iana.AuthECDSA}

// choose returns options in accordance with all flags. What was not given is inferred: the key
// exchange from the suite, the group or the certificate; the certificate from the suite.
func (w *wishes) choose() (demo.Options, error) {
	if w.compare {
		return w.chooseBoth()
	}
	if yes, by, err := w.speaks13(); err != nil || yes {
		if err != nil {
			return demo.Options{}, err
		}
		return w.choose13(by)
	}
	o := demo.Options{Data: w.data, Seed: w.seed}
	s, err := suiteNamed(w.suite)
	if err != nil {
		return o, err
	}
	group, err := groupNamed(w.group)
	if err != nil {
		return o, err
	}
	if _, known := auths[w.auth]; !known && w.auth != "" {
		return o, unknownValue("auth", w.auth, "rsa", "ecdsa", "ed25519")
	}
	kx, err := w.keyExchange(s, group)
	if err != nil {
		return o, err
	}
	p := presets[kx]
	if s == nil {
		if s, err = w.presetSuite(kx, p); err != nil {
			return o, err
		}
	}
	o.Suite, o.Group, o.ExtendedMasterSecret = s.ID, p.group, p.ems
	if group != 0 {
		o.Group = group
	}
	if w.ems != nil {
		o.ExtendedMasterSecret = *w.ems
	}
	if w.encryptThenMAC() {
		if !s.Cipher.CBC() {
			return o, contradiction("--etm", "--suite "+s.ID.String(),
				"encrypt_then_mac is for CBC suites", "vitrine handshake --etm")
		}
		o.EncryptThenMAC = true
	}
	if o.Auth, err = w.authFor(s); err != nil {
		return o, err
	}
	if o.ClientAuth, err = w.wantedClientAuth(); err != nil {
		return o, err
	}
	o.Tamper, err = parseTampers(w.tamper)
	return o, err
}

func (w *wishes) encryptThenMAC() bool { return w.etm != nil && *w.etm }

// keyExchange returns the name of the key exchange that the flags name or imply, and an error if
// they contradict each other.
func (w *wishes) keyExchange(s *suite.Suite, group iana.Group) (string, error) {
	type named struct {
		kx, by string
	}
	var says []named
	if w.kx != "" {
		kx := strings.ToUpper(w.kx)
		if _, known := presets[kx]; !known || w.kx != strings.ToLower(w.kx) {
			return "", unknownValue("kx", w.kx, "rsa", "dhe", "ecdhe")
		}
		says = append(says, named{kx, "--kx " + w.kx})
	}
	if s != nil {
		says = append(says, named{s.KeyExchangeName(), "--suite " + s.ID.String()})
	}
	if group != 0 {
		kx := "ECDHE"
		if group.FiniteField() {
			kx = "DHE"
		}
		says = append(says, named{kx, "--group " + group.String()})
	}
	if len(says) == 0 && auths[w.auth] == iana.AuthECDSA {
		return "ECDHE", nil
	}
	for _, n := range says {
		if n.kx != says[0].kx {
			reason := fmt.Sprintf("one means %s, the other %s", says[0].kx, n.kx)
			return "", contradiction(says[0].by, n.by, reason, "vitrine handshake "+says[0].by)
		}
	}
	if len(says) == 0 {
		return "RSA", nil
	}
	return says[0].kx, nil
}

func (w *wishes) presetSuite(kx string, p preset) (*suite.Suite, error) {
	for _, id := range p.suites {
		if s := suite.ByID(id); (w.auth == "" || s.ServerKey() == auths[w.auth]) &&
			(!w.encryptThenMAC() || s.Cipher.CBC()) {
			return s, nil
		}
	}
	return nil, contradiction("--kx "+strings.ToLower(kx), "--auth "+w.auth,
		fmt.Sprintf("no suite combines %s with such a certificate", kx),
		"vitrine handshake --kx ecdhe --auth "+w.auth)
}

func (w *wishes) authFor(s *suite.Suite) (throwaway.Kind, error) {
	switch {
	case w.auth == "" && s.ServerKey() == iana.AuthECDSA:
		return throwaway.ECDSA, nil
	case w.auth == "":
		return throwaway.RSA, nil
	case auths[w.auth] != s.ServerKey():
		return "", contradiction("--suite "+s.ID.String(), "--auth "+w.auth,
			fmt.Sprintf("the suite needs a certificate of kind %v", s.ServerKey()),
			"vitrine handshake --suite "+s.ID.String())
	}
	return throwaway.Kind(w.auth), nil
}

func (w *wishes) wantedClientAuth() (demo.ClientAuth, error) {
	switch a := demo.ClientAuth(w.clientAuth); {
	case w.mtls && a != "" && a != demo.RequireClientAuth:
		return "", contradiction("--mtls", "--client-auth "+w.clientAuth,
			"--mtls is --client-auth require", "vitrine handshake --mtls")
	case w.mtls:
		return demo.RequireClientAuth, nil
	case a == "":
		return demo.NoClientAuth, nil
	case a == demo.NoClientAuth, a == demo.RequestClientAuth, a == demo.RequireClientAuth:
		return a, nil
	}
	return "", unknownValue("client-auth", w.clientAuth, "none", "request", "require")
}

// parseTampers parses the values of --tamper.
func parseTampers(values []string) (list []demo.Tamper, err error) {
	for _, value := range values {
		t, err := demo.ParseTamper(value)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}
