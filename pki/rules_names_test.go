package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"net/url"
	"strings"
)

var errNotResumed = errors.New("a session of it would not be resumed")

type edit = func(*x509.Certificate)

func both(edits ...edit) edit {
	return func(c *x509.Certificate) {
		for _, e := range edits {
			e(c)
		}
	}
}

// simple is a rule about a leaf under an intermediate under a root, with edits of each, nil for
// none.
func simple(name string, root, under, leaf edit) rule {
	return rule{name: name, build: func(c chainOf) (chain, roots []*node) {
		all := c.whole("", false, root, under, leaf)
		return all.chain, all.roots
	}}
}

// holds returns the rule for a chain that holds for both sides.
func (r rule) holds() rule { r.server, r.client = true, true; return r }

// names sets the subject alternative names: DNS names, or "ip:", "uri:", "mail:" and one of these;
// and "cn:" sets the subject.
func names(list string) edit {
	return func(c *x509.Certificate) {
		c.DNSNames = nil
		for _, n := range strings.Fields(list) {
			kind, value, ok := strings.Cut(n, ":")
			switch {
			case !ok:
				c.DNSNames = append(c.DNSNames, n)
			case kind == "ip":
				c.IPAddresses = append(c.IPAddresses, net.ParseIP(value))
			case kind == "uri":
				c.URIs = append(c.URIs, &url.URL{Scheme: "https", Host: value})
			case kind == "mail":
				c.EmailAddresses = append(c.EmailAddresses, value)
			case kind == "cn":
				c.Subject = pkix.Name{CommonName: value}
			}
		}
	}
}

// leafNamed has a leaf with names; a client's are not asked for.
func leafNamed(name, list, ask string, server bool) rule {
	r := simple(name, nil, nil, names(list))
	r.ask, r.server, r.client = ask, server, true
	return r
}

func nameRules() []rule {
	return []rule{
		leafNamed("the name, RFC 9525 §6.3", "a.test", "a.test", true),
		leafNamed("one of several names, §6.1", "b.test a.test", "a.test", true),
		leafNamed("case does not count, RFC 9525 §6.3", "A.test", "a.TEST", true),
		leafNamed("another name", "b.test", "a.test", false),
		leafNamed("a name below the name", "a.test", "b.a.test", false),
		leafNamed("the name's parent", "a.test", "test", false),
		leafNamed("the name as a suffix of a label", "a.test", "ba.test", false),
		leafNamed("no name at all", "", "a.test", false),
		leafNamed("the common name alone, RFC 9525 §2", "cn:a.test", "a.test", false),
		leafNamed("the common name beside another name", "cn:a.test b.test", "a.test", false),
		leafNamed("the common name beside an address", "cn:a.test ip:192.0.2.1", "a.test", false),
		leafNamed("an e-mail address and a URI, §2", "mail:x@a.test uri:a.test", "a.test", false),

		leafNamed("a wildcard, §6.3", "*.a.test", "b.a.test", true),
		leafNamed("a wildcard matches a label's A-label", "*.a.test", "xn--bcher-kva.a.test", true),
		leafNamed("a wildcard matches one label only", "*.a.test", "c.b.a.test", false),
		leafNamed("a wildcard matches one label at least", "*.a.test", "a.test", false),
		leafNamed("a wildcard in the middle", "b.*.test", "b.a.test", false),
		leafNamed("a wildcard at the end", "a.*", "a.test", false),
		leafNamed("two wildcards", "*.*.test", "b.a.test", false),
		leafNamed("part of a label is wild, at its end", "b*.a.test", "bc.a.test", false),
		leafNamed("part of a label is wild, at its start", "*b.a.test", "cb.a.test", false),
		leafNamed("part of an A-label is wild", "xn--*.a.test", "xn--bcher-kva.a.test", false),
		leafNamed("a wildcard and nothing else", "*", "a", false),
		// what cannot be a host name is compared as it is
		leafNamed("a wildcard that is asked for", "*.a.test", "*.a.test", true),
		leafNamed("a wildcard matches no empty label", "*.a.test", ".a.test", false),
		// whose suffixes are public is a list that changes, and not here: as with crypto/x509
		leafNamed("a wildcard below a top-level domain", "*.test", "a.test", true),

		leafNamed("a trailing dot of what is asked, RFC 9525 §6.3", "a.test", "a.test.", true),
		leafNamed("a trailing dot of a name", "a.test.", "a.test", false),
		leafNamed("an empty label that is asked for", "a..test", "a..test", true),
		leafNamed("an underscore, which some services have", "_b.a.test", "_b.a.test", true),
		leafNamed("a label of 64 bytes", strings.Repeat("b", 64)+".test",
			strings.Repeat("b", 64)+".test", true),
		leafNamed("a U-label, RFC 9525 §2", "xn--bcher-kva.test", "bücher.test", false),
		leafNamed("a zero byte cuts no name, CVE-2009-2408", "a.test\x00.b.test", "a.test", false),
	}
}

func addressRules() []rule {
	return []rule{
		leafNamed("an IPv4 address, RFC 9525 §6.5", "ip:192.0.2.1", "192.0.2.1", true),
		leafNamed("another IPv4 address", "ip:192.0.2.1", "192.0.2.2", false),
		leafNamed("an IPv6 address", "ip:2001:db8::1", "2001:db8::1", true),
		leafNamed("an IPv6 address in another form", "ip:2001:db8::1", "2001:DB8:0::0:1", true),
		leafNamed("an IPv6 address in brackets", "ip:2001:db8::1", "[2001:db8::1]", true),
		leafNamed("another IPv6 address", "ip:2001:db8::1", "2001:db8::2", false),
		leafNamed("an IPv4 address as IPv6", "ip:192.0.2.1", "::ffff:192.0.2.1", true),
		leafNamed("an IPv4 address with zeros", "ip:192.0.2.1", "192.0.2.001", false),
		leafNamed("an IPv4 address as a number", "ip:192.0.2.1", "3221225985", false),
		leafNamed("an address that is a dNSName, §2", "192.0.2.1", "192.0.2.1", false),
		leafNamed("an address in the common name", "cn:192.0.2.1", "192.0.2.1", false),
		leafNamed("an address that a wildcard fits", "*.0.2.1", "192.0.2.1", false),
		leafNamed("a name, and the certificate has an address", "ip:192.0.2.1", "a.test", false),
		leafNamed("a range is no address", "ip:192.0.2.0", "192.0.2.1", false),
	}
}
