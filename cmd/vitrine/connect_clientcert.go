package main

import (
	"cmp"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// clientAuthReport is what a server asked of the client, and what it was shown.
type clientAuthReport struct {
	Authorities []string `json:"authorities,omitempty"` // empty: any
	Shown       string   `json:"shown"`                 // the subject, or "none"
	Why         string   `json:"why,omitempty"`
	Hint        string   `json:"hint,omitempty"`
}

// maxAuthorities bounds how many names of authorities are listed: some servers send hundreds.
const maxAuthorities = 20

// clientAuth returns what the events show about the client's certificate, or nil if it was not
// asked for.
func (c *caller) clientAuth(entries []trace.Entry) *clientAuthReport {
	var r clientAuthReport
	var version iana.Version
	asked := false
	for _, e := range entries {
		switch e := e.Event.(type) {
		case *trace.Message:
			switch {
			case e.Type == iana.ServerHello:
				version = chosenVersion(e.Raw)
			case e.Type == iana.CertificateRequest && e.From == iana.Server:
				asked = true
				r.Authorities = authoritiesOf(e.Raw, version)
			}
		case *trace.Choice:
			if e.What == "client_certificate" {
				asked = true
				r.Shown, r.Why = e.Chosen, e.Rule
			}
		}
	}
	if !asked {
		return nil
	}
	if r.Shown == "" {
		r.Shown = "none"
	}
	if c.sendAnyway && r.Shown != "none" {
		r.Why = "--send-anyway, whatever authorities the server names"
	}
	r.Hint = c.authorityHint(&r)
	return &r
}

// askedAgain says whether the server asked for another handshake, and whether we refused one: a
// HelloRequest is answered with a ClientHello or with no_renegotiation. See RFC 5246 §7.4.1.1.
func askedAgain(entries []trace.Entry) (what string, refused bool) {
	done := false
	for _, e := range entries {
		switch e := e.Event.(type) {
		case *trace.Done:
			done = true
		case *trace.Message:
			if done && e.Type == iana.ClientHello {
				what = "the server asked for another handshake, which --renegotiate allows once"
			}
		case *trace.Alert:
			switch {
			case !done || e.From != iana.Client || e.Description != alert.NoRenegotiation:
			case what != "":
				return "the server asked for a third handshake, which was refused: " +
					"--renegotiate allows one after the first", true
			default:
				return "the server asked for another handshake, which was refused; IIS and " +
					"others do so to get a client certificate: --renegotiate allows it once", true
			}
		}
	}
	return what, false
}

const sendAnywayHint = "; --send-anyway shows it all the same"

// authorityHint says what can be done if a certificate was given and not shown.
func (c *caller) authorityHint(r *clientAuthReport) string {
	if c.cert == "" || r.Shown != "none" || len(r.Authorities) == 0 ||
		len(c.config.Certificates) == 0 {
		return ""
	}
	own, issuer := c.config.Certificates[0], c.issuer()
	if slices.Contains(r.Authorities, issuer) {
		return ""
	}
	text := fmt.Sprintf("the server accepts only certificates from %s; ours is from %s",
		strings.Join(r.Authorities, " or "), issuer)
	if len(own.Certificate) == 1 {
		text += "; if that is an intermediate of one of them, its certificate is not in --cert"
	}
	return text + sendAnywayHint
}

// aboutOwn says why a server that asked for our certificate did not go on.
func (c *caller) aboutOwn(r *clientAuthReport) string {
	const wants = "the server wants a client certificate"
	from := ""
	if len(r.Authorities) > 0 {
		from = " from one of these authorities: " + strings.Join(r.Authorities, "; ")
	}
	switch {
	case c.cert == "":
		return wants + from
	case r.Shown == "none":
		return explain.Join(": ", wants+", and ours was not shown",
			cmp.Or(strings.TrimSuffix(r.Hint, sendAnywayHint), r.Why))
	case from != "" && !slices.Contains(r.Authorities, c.issuer()):
		return "the server does not take our certificate, which is from " + c.issuer() +
			": it accepts those" + from
	}
	if from == "" {
		return "the server does not take our certificate: its authority is not one of the " +
			"server's, which names none, or it has expired, or is of a user that it does not know"
	}
	return "the server does not take our certificate, although its issuer has the name of an " +
		"authority that it accepts: another authority may have this name, or the certificate has " +
		"expired, was revoked, lacks an intermediate, or is of a user that the server does not know"
}

// issuer returns the issuer of our certificate.
func (c *caller) issuer() string {
	if own := c.config.Certificates; len(own) > 0 && own[0].Leaf != nil {
		return own[0].Leaf.Issuer.String()
	}
	return ""
}

// chosenVersion returns the version of a ServerHello. See RFC 8446 §4.2.1.
func chosenVersion(raw []byte) iana.Version {
	parsed, err := message.Dialect{Version: iana.TLS12}.Parse(raw)
	if err != nil {
		return iana.TLS12
	}
	hello := parsed.(*message.ServerHello)
	var v message.SelectedVersion
	if ok, err := hello.Extensions.Read(iana.ExtSupportedVersions, &v); ok && err == nil {
		return v.Version
	}
	return hello.Version
}

// authoritiesOf returns the names of the certificate_authorities in a CertificateRequest.
func authoritiesOf(raw []byte, v iana.Version) (names []string) {
	parsed, err := message.Dialect{Version: v}.Parse(raw)
	if err != nil {
		return nil
	}
	request := parsed.(*message.CertificateRequest)
	for _, der := range request.Authorities {
		if len(names) == maxAuthorities {
			return append(names,
				fmt.Sprintf("and %d more", len(request.Authorities)-maxAuthorities))
		}
		var name pkix.RDNSequence
		if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
			names = append(names, "a name that cannot be read")
			continue
		}
		var full pkix.Name
		full.FillFromRDNSequence(&name)
		names = append(names, full.String())
	}
	return names
}

// write writes what was asked of the client.
func (r *clientAuthReport) write(l lines) {
	l.put("client cert", "asked for; shown: %s", explain.Join(": ", r.Shown, r.Why))
	if len(r.Authorities) > 0 {
		l.put("accepted", "%s", strings.Join(r.Authorities, "; "))
	}
	if r.Hint != "" {
		l.put("hint", "%s", r.Hint)
	}
}
