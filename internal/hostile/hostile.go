// Package hostile makes the events of a connection whose peers attack programs that display events:
// every text that a peer or a file can choose contains markup, script, control characters, and
// characters that change the writing direction. It is for tests.
package hostile

import (
	"context"
	"crypto/x509"
	"slices"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// Text is in every such text. A page that takes it for markup sets its title or the variable
// "pwned".
const Text = "</script><script>window.pwned=1;document.title='pwned'</script><img src=x " +
	"onerror=\"window.pwned=1\"><svg onload=window.pwned=1>{{.Data}}${window.pwned=1}'\"`-->" +
	"</style><!--\x00\x07\x1b[31m\u202eevil\u2028\u2029\ufeff\xff"

// ASCII is a text for certificates, whose names must be ASCII.
const ASCII = "</script><script>window.pwned=1</script><img src=x " +
	"onerror=window.pwned=1>\x1b[31m\x07\"'`"

// Connection returns the events of such a connection.
func Connection(ctx context.Context) ([]trace.Entry, explain.Run, error) {
	out, err := demo.Perform(ctx, demo.Options{
		Suite: iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Group: iana.X25519, Auth: throwaway.RSA,
		Data: "GET /" + Text + " HTTP/1.1\r\n\r\n", Seed: Text,
	})
	if err != nil {
		return nil, explain.Run{}, err
	}
	certificate, err := chain()
	if err != nil {
		return nil, explain.Run{}, err
	}
	entries := slices.Clone(out.Entries)
	for i := range entries {
		if err := poison(&entries[i], certificate); err != nil {
			return nil, explain.Run{}, err
		}
	}
	entries = append(entries,
		trace.Entry{Seq: len(entries) + 1, Role: trace.Server,
			Event: &trace.Alert{From: iana.Server, Level: 2, Description: 99, Reason: Text}})
	run := out.Run
	run.Command, run.Client, run.Server = Text, Text, Text
	run.Tampered = &explain.Tampered{Acts: []explain.Act{{Line: 3, Field: Text, How: Text}}}
	return entries, run, nil
}

// chain returns a Certificate message with hostile names.
func chain() ([]byte, error) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		return nil, err
	}
	c, err := ca.Issue(throwaway.ECDSA, []string{"vitrine.test"}, func(c *x509.Certificate) {
		c.Subject.CommonName, c.Subject.Organization = ASCII, []string{ASCII}
		c.DNSNames = []string{ASCII}
		c.EmailAddresses = []string{ASCII}
	})
	if err != nil {
		return nil, err
	}
	m := &message.Certificate{Chain: [][]byte{c.Certificate[0], []byte(Text)}}
	return (message.Dialect{Version: iana.TLS12}).Encode(m)
}

// poison replaces what a peer or a file can choose.
func poison(e *trace.Entry, certificate []byte) error {
	e.Ref += Text
	switch x := e.Event.(type) {
	case *trace.Message:
		m := *x
		switch m.Type {
		case iana.ClientHello:
			raw, err := hello(m.Raw)
			if err != nil {
				return err
			}
			m.Raw = raw
		case iana.Certificate:
			m.Raw = certificate
		case iana.ServerHelloDone:
			m.Raw = append(m.Raw[:4:4], Text...) // does not parse
		}
		e.Event = &m
	case *trace.Agreed:
		a := *x
		a.ALPN, a.ServerName, a.Group = Text, Text, Text
		e.Event = &a
	case *trace.Choice:
		e.Event = &trace.Choice{What: Text, Offered: Text, Chosen: Text, Rule: Text}
	case *trace.Verified:
		v := *x
		v.Detail = Text
		e.Event = &v
	case *trace.Derived:
		d := *x
		if d.Name == "server_verify_data" {
			d.Label, d.Hash, d.Function = Text, Text, Text
		}
		e.Event = &d
	case *trace.Done:
		e.Event = &trace.Done{Figure: Text, Error: Text}
	}
	return nil
}

// hello puts hostile names into a ClientHello.
func hello(raw []byte) ([]byte, error) {
	d := message.Dialect{Version: iana.TLS12}
	m, err := d.Parse(raw)
	if err != nil {
		return nil, err
	}
	h := m.(*message.ClientHello)
	list := func(kind byte, s string) []byte { // a vector of one name
		name := append([]byte{byte(len(s) >> 8), byte(len(s))}, s...)
		if kind == 0 {
			name = append([]byte{0}, name...)
		} else {
			name = append([]byte{byte(len(s))}, s...)
		}
		return append([]byte{byte(len(name) >> 8), byte(len(name))}, name...)
	}
	for i, x := range h.Extensions {
		if x.Type == iana.ExtServerName {
			h.Extensions[i].Data = list(0, Text)
		}
	}
	h.Extensions = append(h.Extensions, message.Extension{Type: iana.ExtALPN, Data: list(1, Text)},
		message.Extension{Type: 0xABCD, Data: []byte(Text)})
	return d.Encode(h)
}
