package live

import (
	"crypto/x509"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/trace"
)

// read reads from an event what the row shows, before the hub is locked. The function that it
// returns, or nil, changes the row, with the lock, and reports whether a reader sees a change.
func (c *Conn) read(e trace.Entry) func() bool {
	r := &c.row
	switch x := e.Event.(type) {
	case *trace.Record:
		return func() bool { r.count(x); return true }
	case *trace.Message:
		return c.hear(x)
	case *trace.Agreed:
		c.dialect = message.Dialect{Version: x.Version, CertificateType: x.ClientCertificateType}
		return func() bool { r.agree(x); return true }
	case *trace.Verified:
		if x.What == "chain" && x.From == iana.Client {
			return func() bool { r.Verified = true; return true }
		}
	case *trace.Alert:
		if ends(x) { // what follows an alert that ends a connection says nothing new
			return func() bool {
				if c.alerts[x.From] == nil {
					c.alerts[x.From] = x
				}
				return false
			}
		}
	case *trace.Failed:
		return func() bool {
			r.Check, r.Ref = string(x.Check), e.Ref
			return true
		}
	case *trace.Done:
		return func() bool {
			if x.OK && r.State == Shaking {
				r.State = Open
			}
			return true
		}
	}
	return nil
}

func (r *Row) count(x *trace.Record) {
	way := &r.Received
	if x.From == iana.Server {
		way = &r.Sent
	}
	way.Wire += int64(len(x.Header) + len(x.Fragment))
	if x.ContentType == iana.RecordApplicationData {
		way.Data += int64(len(x.Plaintext))
	}
}

func (r *Row) agree(x *trace.Agreed) {
	r.Version, r.Suite, r.Group = x.Version.String(), x.Suite.String(), x.Group
	r.ALPN, r.Resumed, r.Offer = x.ALPN, x.Resumed, nil
	if x.ServerName != "" {
		r.Name = x.ServerName
	}
}

// ends reports whether an alert ends a connection.
func ends(a *trace.Alert) bool {
	return a.Level == alert.Fatal || a.Description == alert.CloseNotify
}

// hear reads a message of the client.
func (c *Conn) hear(m *trace.Message) func() bool {
	if m.From != iana.Client {
		return nil
	}
	switch m.Type {
	case iana.ClientHello:
		parsed, err := message.Dialect{}.Parse(m.Raw)
		if hello, ok := parsed.(*message.ClientHello); ok && err == nil {
			name, offer := negotiation.HostName(hello), offerOf(hello)
			return func() bool {
				if c.row.Name = name; c.row.Version == "" { // nothing is negotiated yet
					c.row.Offer = offer
				}
				return true
			}
		}
	case iana.Certificate, iana.CompressedCertificate:
		subject := c.subject(m.Raw)
		return func() bool { c.row.ClientCertificate = subject; return true }
	}
	return nil
}

// subject returns the subject of the certificate that a client shows, whether it is its own or not.
func (c *Conn) subject(raw []byte) string {
	parsed, err := c.dialect.Parse(raw)
	if err != nil {
		return ""
	}
	shown, ok := parsed.(*message.Certificate)
	if packed, compressed := parsed.(*message.CompressedCertificate); compressed {
		shown, ok = packed.Certificate(), true
	}
	switch {
	case !ok || shown == nil || len(shown.Chain) == 0:
		return ""
	case c.dialect.CertificateType == iana.RawPublicKey:
		return "raw public key"
	}
	leaf, err := x509.ParseCertificate(shown.Chain[0])
	if err != nil {
		return "a certificate that cannot be read"
	}
	return leaf.Subject.String()
}
