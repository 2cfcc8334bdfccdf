package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"strings"
)

// permits and excludes set name constraints of DNS names, or of addresses where a word has a slash.
func permits(list string) edit {
	return func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical = true
		for _, w := range strings.Fields(list) {
			if strings.Contains(w, "/") {
				_, n, _ := net.ParseCIDR(w)
				c.PermittedIPRanges = append(c.PermittedIPRanges, n)
			} else {
				c.PermittedDNSDomains = append(c.PermittedDNSDomains, w)
			}
		}
	}
}

func excludes(list string) edit {
	return func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical = true
		for _, w := range strings.Fields(list) {
			if strings.Contains(w, "/") {
				_, n, _ := net.ParseCIDR(w)
				c.ExcludedIPRanges = append(c.ExcludedIPRanges, n)
			} else {
				c.ExcludedDNSDomains = append(c.ExcludedDNSDomains, w)
			}
		}
	}
}

// constrained has an intermediate with constraints and a leaf with names: they count for clients
// too. It is asked for by its first name.
func constrained(name string, constraints edit, list string, holds bool) rule {
	ask := strings.TrimPrefix(strings.Fields(list)[0], "ip:")
	r := leafNamed(name, list, strings.Replace(ask, "*", "b", 1), holds)
	r.client = holds
	r.build = func(c chainOf) (chain, roots []*node) {
		all := c.whole("", false, nil, constraints, names(list))
		return all.chain, all.roots
	}
	return r
}

// directory permits the directory name O=vitrine. See RFC 5280 §4.2.1.10.
func directory(c *x509.Certificate) {
	name, _ := asn1.Marshal(pkix.Name{Organization: []string{"vitrine"}}.ToRDNSequence())
	subtree := tlv(0x30, tlv(0xA4, name))
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{
		Id: asn1.ObjectIdentifier{
			2,
			5,
			29,
			30,
		},
		Critical: true,
		Value:    tlv(0x30, tlv(0xA0, subtree)),
	})
}

// tlv encodes a value of less than 128 bytes, or of less than 256 with two bytes of length.
func tlv(tag byte, value []byte) []byte {
	if len(value) < 128 {
		return append([]byte{tag, byte(len(value))}, value...)
	}
	return append([]byte{tag, 0x81, byte(len(value))}, value...)
}

// See RFC 5280 §4.2.1.10 and §6.1.3 (b) and (c).
func constraintRules() []rule {
	inRoot := func(name string, constraints edit, holds bool) rule {
		r := simple(name, constraints, nil, nil)
		r.server, r.client = holds, holds
		return r
	}
	return []rule{
		constrained("a permitted name", permits("a.test"), "a.test", true),
		constrained("below a permitted name", permits("test"), "c.b.a.test", true),
		constrained("another than the permitted names", permits("b.test c.test"), "a.test", false),
		constrained("a suffix of a label of a permitted name", permits("a.test"), "ba.test", false),
		constrained("case does not count in constraints", permits("A.TEST"), "a.test", true),
		constrained("an excluded name", excludes("a.test"), "a.test", false),
		constrained("below an excluded name", excludes("test"), "a.test", false),
		constrained("another than the excluded name", excludes("b.test"), "a.test", true),
		constrained("excluded counts more than permitted",
			both(permits("test"), excludes("a.test")), "a.test", false),
		constrained(
			"a second name that is not permitted",
			permits("a.test"),
			"a.test b.test",
			false,
		),
		constrained("a second name that is excluded", excludes("b.test"), "a.test b.test", false),
		constrained("a wildcard below a permitted name", permits("a.test"), "*.a.test", true),
		constrained(
			"a wildcard that is wider than permitted",
			permits("b.a.test"),
			"*.a.test",
			false,
		),
		constrained("a wildcard that takes in an excluded name", excludes("b.a.test"), "*.a.test",
			false),
		constrained("an excluded name of all", excludes("test"), "*.a.test", false),

		constrained("a permitted range", permits("192.0.2.0/24"), "ip:192.0.2.1", true),
		constrained("outside the permitted range", permits("192.0.2.0/24"), "ip:192.0.3.1", false),
		constrained("an excluded range", excludes("192.0.2.0/24"), "ip:192.0.2.1", false),
		constrained("an excluded IPv6 range", excludes("2001:db8::/32"), "ip:2001:db8::1", false),
		constrained("IPv6, and a range of IPv4 is permitted", permits("0.0.0.0/0"),
			"ip:2001:db8::1", false),
		constrained("a range does not limit names", permits("192.0.2.0/24"), "a.test", true),
		constrained("names do not limit addresses", permits("a.test"), "ip:192.0.2.1", true),
		constrained(
			"an excluded range does not limit names",
			excludes("0.0.0.0/0"),
			"a.test",
			true,
		),

		inRoot("a root's constraint that holds", permits("test"), true),
		inRoot("a root's constraint that does not hold", permits("b.test"), false),
		simple(
			"constraints of both authorities hold",
			permits("test"),
			permits("a.test"),
			nil,
		).holds(),
		simple("those of the root alone hold", permits("a.test"), permits("b.test"), nil),
		simple("a later constraint does not widen an earlier one", permits("b.test"),
			permits("b.test a.test"), nil),
		simple("the common name is not limited", nil, permits("a.test"),
			names("cn:b.test a.test")).holds(),
		simple("directory names, critical, which are not looked at, §4.2", nil, directory, nil),
		simple("a constraint that is not critical counts", nil, func(c *x509.Certificate) {
			c.PermittedDNSDomains = []string{"b.test"}
		}, nil),
	}
}

func usages(list ...x509.ExtKeyUsage) edit {
	return func(c *x509.Certificate) { c.ExtKeyUsage = list }
}

// See RFC 5280 §4.2.1.12 and §4.2.1.3. That an authority's extKeyUsage limits those below it is no
// RFC's but everybody's rule.
func usageRules() []rule {
	const server, client = x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth
	use := func(name string, under, leaf edit, s, c bool) rule {
		r := simple(name, nil, under, leaf)
		r.server, r.client = s, c
		return r
	}
	return []rule{
		use("no extKeyUsage", nil, nil, true, true),
		use("for servers", nil, usages(server), true, false),
		use("for clients", nil, usages(client), false, true),
		use("for both", nil, usages(server, client), true, true),
		use("for anything", nil, usages(x509.ExtKeyUsageAny), true, true),
		use("for code", nil, usages(x509.ExtKeyUsageCodeSigning), false, false),
		use("for OCSP responses", nil, usages(x509.ExtKeyUsageOCSPSigning), false, false),
		use("for a usage that is not known", nil, otherUsage, false, false),
		use("for one that is not known, and servers", nil, both(usages(server), otherUsage), true,
			false),
		use("an authority for servers", usages(server), usages(server, client), true, false),
		use("an authority for servers, a leaf for clients", usages(server), usages(client), false,
			false),
		use("an authority for clients, a leaf for anything", usages(client),
			usages(x509.ExtKeyUsageAny), false, true),
		use("an authority for anything", usages(x509.ExtKeyUsageAny), usages(server), true, false),
		use("an authority for e-mail", usages(x509.ExtKeyUsageEmailProtection), nil, false, false),
		use("a root for e-mail", nil, nil, false, false).rooted(
			usages(x509.ExtKeyUsageEmailProtection)),
		use("an authority that may not sign certificates, §4.2.1.3", noCertSign, nil, false, false),
		use(
			"an authority without keyUsage",
			func(c *x509.Certificate) { c.KeyUsage = 0 },
			nil,
			true,
			true,
		),
		use("a leaf that is an authority", nil, func(c *x509.Certificate) {
			c.BasicConstraintsValid, c.IsCA = true, true
		}, true, true),
	}
}

// rooted changes the root of a simple chain.
func (r rule) rooted(root edit) rule {
	r.build = func(c chainOf) (chain, roots []*node) {
		all := c.whole("", false, root, nil, nil)
		return all.chain, all.roots
	}
	return r
}
