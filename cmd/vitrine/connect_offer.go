package main

import (
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// offerReport is what the first ClientHello of a connection offered.
type offerReport struct {
	Versions []string `json:"versions"`
	Suites   []string `json:"suites"`
	Groups   []string `json:"groups,omitempty"`
	Shares   []string `json:"key_shares,omitempty"` // groups of which there is a share: TLS 1.3
}

// newOfferReport returns the offer in the first ClientHello, or nil if there was none.
func newOfferReport(entries []trace.Entry) *offerReport {
	if hello := helloOf(entries); hello != nil {
		return offerOf(hello)
	}
	return nil
}

// helloOf returns the first ClientHello among events, or nil.
func helloOf(entries []trace.Entry) *message.ClientHello {
	for _, e := range entries {
		m, ok := e.Event.(*trace.Message)
		if !ok || m.Type != iana.ClientHello {
			continue
		}
		parsed, err := message.Dialect{Version: iana.TLS12}.Parse(m.Raw)
		if err != nil {
			return nil
		}
		return parsed.(*message.ClientHello)
	}
	return nil
}

func offerOf(hello *message.ClientHello) *offerReport {
	versions := message.SupportedVersions{Versions: []iana.Version{hello.Version}}
	var groups message.SupportedGroups
	var shares message.KeyShares
	// What cannot be read stays empty: the hello is ours.
	_, _ = hello.Extensions.Read(iana.ExtSupportedVersions, &versions)
	_, _ = hello.Extensions.Read(iana.ExtSupportedGroups, &groups)
	_, _ = hello.Extensions.Read(iana.ExtKeyShare, &shares)
	o := &offerReport{Versions: spelled(versions.Versions), Suites: spelled(hello.CipherSuites),
		Groups: spelled(groups.Groups)}
	for _, s := range shares.Shares {
		o.Shares = append(o.Shares, s.Group.String())
	}
	return o
}

// write writes the offer with the number of suites: --json lists them.
func (o *offerReport) write(l lines) {
	l.title("OFFERED")
	l.put("versions", "%s", strings.Join(o.Versions, ", "))
	l.put("suites", "%d", len(o.Suites))
	if len(o.Groups) > 0 {
		l.put("groups", "%s", strings.Join(o.Groups, ", "))
	}
	if len(o.Shares) > 0 {
		l.put("key shares", "%s", strings.Join(o.Shares, ", "))
	}
}

// retryOf returns the HelloRetryRequest in a message, or nil.
func retryOf(m *trace.Message) *message.ServerHello {
	if !message.IsHelloRetryRequest(m.Raw) {
		return nil
	}
	parsed, err := message.Dialect{Version: iana.TLS13}.Parse(m.Raw)
	if hello, ok := parsed.(*message.ServerHello); err == nil && ok && hello.IsRetry() {
		return hello
	}
	return nil
}

// askedByRetry returns what the second ClientHello must hold.
func askedByRetry(retry *message.ServerHello) (list []string) {
	var share message.SelectedGroup
	if ok, err := retry.Extensions.Read(iana.ExtKeyShare, &share); ok && err == nil {
		list = append(list, "a share of "+share.Group.String())
	}
	if retry.Extensions.Has(iana.ExtCookie) {
		list = append(list, "a cookie")
	}
	return list
}
