package live

import (
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// Offer is what a ClientHello offered, in its order and without GREASE values: what there is to see
// of a handshake that failed before anything was negotiated. Of each list it has the first
// maxOffered values.
type Offer struct {
	ServerName string   `json:"server_name,omitempty"` // also if it is not valid
	Versions   []string `json:"versions"`
	Suites     []string `json:"suites"`
	Groups     []string `json:"groups,omitempty"`
	ALPN       []string `json:"alpn,omitempty"`
	More       int      `json:"more,omitempty"` // values that are not listed
}

// maxOffered is how many values of a list are kept, and maxOfferedText how many bytes of one.
const (
	maxOffered     = 64
	maxOfferedText = 64
)

// offerOf returns what a ClientHello offers. An extension that cannot be read offers nothing.
func offerOf(hello *message.ClientHello) *Offer {
	var (
		versions message.SupportedVersions
		groups   message.SupportedGroups
		alpn     message.Protocols
		names    message.ServerNames
	)
	read := func(t iana.ExtensionType, into message.Content) bool {
		ok, err := hello.Extensions.Read(t, into)
		return ok && err == nil
	}
	o := &Offer{Suites: named(hello.CipherSuites)}
	if read(iana.ExtSupportedVersions, &versions) {
		o.Versions = named(versions.Versions)
	} else {
		o.Versions = []string{"up to " + hello.Version.String()}
	}
	if read(iana.ExtSupportedGroups, &groups) {
		o.Groups = named(groups.Groups)
	}
	if read(iana.ExtALPN, &alpn) {
		for _, n := range alpn.Names {
			o.ALPN = append(o.ALPN, string(n))
		}
	}
	if read(iana.ExtServerName, &names) && len(names.Names) > 0 {
		o.ServerName = string(names.Names[0].Name)
	}
	return o.clip()
}

// named returns the names of values, without those that stand for nothing.
func named[T interface{ String() string }](values []T) (names []string) {
	for _, v := range values {
		if name := v.String(); !strings.HasPrefix(name, "GREASE") {
			names = append(names, name)
		}
	}
	return names
}

// clip keeps the lists and their texts within their bounds, in a copy.
func (o *Offer) clip() *Offer {
	c := *o
	for _, list := range []*[]string{&c.Versions, &c.Suites, &c.Groups, &c.ALPN} {
		short := slices.Clone((*list)[:min(len(*list), maxOffered)])
		c.More += len(*list) - len(short)
		for i, s := range short {
			short[i] = clipped(s, maxOfferedText)
		}
		*list = short
	}
	c.ServerName = clipped(c.ServerName, maxText)
	return &c
}

// Escaped returns a copy whose texts were passed through escape.
func (o *Offer) Escaped(escape func(string) string) *Offer {
	c := *o
	for _, list := range []*[]string{&c.Versions, &c.Suites, &c.Groups, &c.ALPN} {
		*list = slices.Clone(*list)
		for i, s := range *list {
			(*list)[i] = escape(s)
		}
	}
	c.ServerName = escape(c.ServerName)
	return &c
}
