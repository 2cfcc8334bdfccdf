package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/starttls"
)

// target is the server to connect to.
type target struct {
	host, port string
	starttls   string // the protocol of a URL's scheme, or empty
	path       string // of a URL
}

// schemes are the URL schemes with TLS from the start, and their ports. Those with STARTTLS are in
// package starttls.
var schemes = map[string]string{
	"https": "443", "wss": "443", "smtps": "465", "submissions": "465", "imaps": "993",
	"pop3s": "995", "ldaps": "636", "ftps": "990", "nntps": "563",
	"mqtts": "8883", "amqps": "5671", "sips": "5061", "ircs": "6697", "tls": "443",
}

// parseTarget parses HOST, HOST:PORT, [IPv6]:PORT, an IPv6 address or a URL. port is the port of a
// HOST alone.
func parseTarget(s, port string) (t target, err error) {
	t.port = port
	wrong := func(format string, args ...any) (target, error) {
		return t, &usageError{fmt.Sprintf(format, args...), "vitrine connect " + hostIn(s)}
	}
	if scheme, _, ok := strings.Cut(s, "://"); ok {
		u, err := url.Parse(s)
		if err != nil {
			return wrong("%q is not a valid URL", s)
		}
		scheme = strings.ToLower(scheme)
		p, direct := schemes[scheme]
		if dialect, ok := starttls.ByName(strings.TrimSuffix(scheme, "ql")); !direct && ok {
			t.starttls, p = dialect.Name, dialect.Port
		} else if !direct && scheme == "http" {
			return wrong("%s is a URL without TLS; with TLS it may be https://%s", s, u.Host)
		} else if !direct {
			return wrong("%q is not a URL scheme that connect knows; give HOST:PORT", s)
		}
		t.path, t.port = u.RequestURI(), p
		s = u.Host
	}
	bare := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		bare = s[1 : len(s)-1]
	}
	if a, err := netip.ParseAddr(bare); err == nil {
		if strings.IndexFunc(a.Zone(), notInHost) >= 0 {
			return wrong("%q has a zone that is not the name of an interface", bare)
		}
		t.host = a.String()
		return t, nil
	}
	t.host = s
	if strings.Contains(s, ":") {
		if t.host, t.port, err = net.SplitHostPort(s); err != nil {
			return wrong("%q is neither HOST, HOST:PORT, [IPv6]:PORT nor a URL", s)
		}
	}
	if n, err := strconv.ParseUint(t.port, 10, 16); err != nil || n == 0 {
		return wrong("%q is not a port: a port is a number from 1 to 65535", t.port)
	}
	if t.host == "" {
		return wrong("%q names no host", s)
	}
	if strings.HasPrefix(t.host, "-") {
		return wrong("%q is not a host name: none begins with a hyphen", t.host)
	}
	if why := notAName(t.host); why != "" {
		return wrong("%s", why)
	}
	return t, nil
}

// maxName is how many characters a host name may have: 255 bytes in DNS, where its labels have
// lengths.
const maxName = 253

// notAName says why a text is not a host name, or returns nothing.
func notAName(s string) string {
	switch {
	case strings.IndexFunc(s, notInHost) >= 0:
		return fmt.Sprintf("%q is not a host name: a name with other than ASCII letters is "+
			"written in its xn-- form", s)
	case len(s) > maxName:
		return fmt.Sprintf("%.20q… is not a host name: it has %d characters, and a name has at "+
			"most %d", s, len(s), maxName)
	}
	return ""
}

// checkNames returns an error if a value of a flag is not a host name.
func checkNames(flag string, names []string, example string) error {
	for _, name := range names {
		if why := notAName(name); why != "" {
			return &usageError{flag + ": " + why, example}
		}
	}
	return nil
}

// notInHost reports whether a character cannot stand in a host name or in a zone.
func notInHost(r rune) bool { return r <= ' ' || r == '/' || r > '~' }

// hostIn returns the host that is most likely meant by what is no target.
func hostIn(s string) string {
	if _, after, ok := strings.Cut(s, "://"); ok {
		s = after
	}
	host, _, _ := strings.Cut(s, "/")
	host, _, _ = strings.Cut(host, ":")
	if host == "" || host[0] == '-' || strings.ContainsFunc(host, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("[]'\"$`\\", r)
	}) {
		host = "example.com"
	}
	return host + ":443"
}

// String returns HOST:PORT.
func (t target) String() string { return net.JoinHostPort(t.host, t.port) }
