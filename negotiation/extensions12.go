package negotiation

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// The functions of the extensions that TLS 1.2 has.

// applyEmpty returns an error if the server's answer has content.
func applyEmpty(t iana.ExtensionType) func(*Agreed, message.Extensions, message.Extensions) error {
	return func(_ *Agreed, _, server message.Extensions) error {
		_, err := Read(server, t, &message.Empty{})
		return err
	}
}

// server_name

func offerServerName(c *Offering) (message.Content, bool) {
	// RFC 6066 §3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"", which is
	// "without a trailing dot".
	bare := strings.TrimSuffix(strings.TrimPrefix(c.ServerName, "["), "]")
	name := strings.TrimRight(c.ServerName, ".")
	if _, err := netip.ParseAddr(bare); err == nil || name == "" {
		return nil, false
	}
	return &message.ServerNames{Names: []message.ServerName{{Type: iana.HostName,
		Name: []byte(name)}}}, true
}

// answerServerName acknowledges the name, which certificates and callbacks are always chosen by,
// except when a session is resumed: RFC 6066 §3.
func answerServerName(_ *Config, an *Answering) (message.Content, bool, error) {
	return nil, an.Chosen.Session == nil, nil
}

// max_fragment_length, which record_size_limit overrides: RFC 8449 §5.

func offerMaxFragment(p *Parameters, _ *Greased) (message.Content, bool) {
	return &message.MaxFragmentLength{Code: p.MaxFragmentLength}, p.MaxFragmentLength != 0
}

func answerMaxFragment(c *Config, an *Answering) (message.Content, bool, error) {
	if c.RecordSizeLimit != 0 && an.Hello.Extensions.Has(iana.ExtRecordSizeLimit) {
		return nil, false, nil
	}
	var m message.MaxFragmentLength
	if _, err := Read(an.Hello.Extensions, iana.ExtMaxFragmentLength, &m); err != nil {
		return nil, false, err
	}
	if m.Bytes() == 0 {
		return nil, false,
			alert.KindMalformed.Fail(alert.IllegalParameter, "RFC 6066 §4",
				"the client wants max_fragment_length %d, expected 1 to 4", m.Code)
	}
	return &m, true, nil
}

func applyMaxFragment(a *Agreed, client, server message.Extensions) error {
	var asked, got message.MaxFragmentLength
	if _, err := Read(client, iana.ExtMaxFragmentLength, &asked); err != nil {
		return err
	}
	if _, err := Read(server, iana.ExtMaxFragmentLength, &got); err != nil {
		return err
	}
	if got != asked || got.Bytes() == 0 {
		return alert.KindExtension.Fail(alert.IllegalParameter, "RFC 6066 §4",
			"the server answers max_fragment_length %d, the client asked for %d", got.Code,
			asked.Code)
	}
	if server.Has(iana.ExtRecordSizeLimit) {
		return alert.KindExtension.Fail(alert.IllegalParameter, "RFC 8449 §5",
			"the server answers both max_fragment_length and record_size_limit")
	}
	a.MaxFragment = got.Bytes()
	return nil
}

// record_size_limit

func offerSizeLimit(p *Parameters, _ *Greased) (message.Content, bool) {
	return &message.RecordSizeLimit{Limit: p.RecordSizeLimit}, p.RecordSizeLimit != 0
}

func answerSizeLimit(c *Config, an *Answering) (message.Content, bool, error) {
	if _, err := sizeLimit(an.Hello.Extensions, an.Version); err != nil {
		return nil, false, err
	}
	return &message.RecordSizeLimit{Limit: c.RecordSizeLimit}, c.RecordSizeLimit != 0, nil
}

// applySizeLimit sets the limits of records: each side's extension limits the other's records.
func applySizeLimit(a *Agreed, client, server message.Extensions) (err error) {
	if a.SizeLimit[iana.Server], err = sizeLimit(client, a.Version); err != nil {
		return err
	}
	a.SizeLimit[iana.Client], err = sizeLimit(server, a.Version)
	return err
}

// sizeLimit returns the longest content of a record, in bytes. In TLS 1.3 the extension counts the
// byte of the inner type, too.
func sizeLimit(e message.Extensions, v iana.Version) (int, error) {
	var l message.RecordSizeLimit
	if _, err := Read(e, iana.ExtRecordSizeLimit, &l); err != nil {
		return 0, err
	}
	if l.Limit < 64 {
		return 0, alert.KindMalformed.Fail(alert.IllegalParameter, "RFC 8449 §4",
			"got a record_size_limit of %d, expected at least 64", l.Limit)
	}
	limit := int(l.Limit)
	if v == iana.TLS13 {
		limit--
	}
	return min(limit, record.MaxPlaintext), nil
}

// status_request

func offerStatus(p *Parameters, _ *Greased) (message.Content, bool) {
	return &message.StatusRequest{Type: iana.StatusOCSP}, p.StatusRequest != Off
}

func answerStatus(c *Config, an *Answering) (message.Content, bool, error) {
	var r message.StatusRequest
	if _, err := Read(an.Hello.Extensions, iana.ExtStatusRequest, &r); err != nil {
		return nil, false, err
	}
	staples := an.Chosen.Credential != nil && len(an.Chosen.Credential.Staple) > 0
	return nil, c.StatusRequest != Off && r.Type == iana.StatusOCSP && staples, nil
}

func applyStatus(a *Agreed, _, server message.Extensions) error {
	a.Stapling = true
	return applyEmpty(iana.ExtStatusRequest)(a, nil, server)
}

// supported_groups and ec_point_formats

func offerGroups(p *Parameters, g *Greased) (message.Content, bool) {
	groups := p.OfferedGroups()
	return &message.SupportedGroups{Groups: WithGrease(g, greaseGroup, groups)},
		len(groups) > 0
}

// OfferedGroups returns the groups that an offered suite can use.
func (p *Parameters) OfferedGroups() []iana.Group {
	tls13 := p.MaxVersion >= iana.TLS13 // its suites can use them all
	finite := tls13 || offers(p.Suites, (*suite.Suite).FiniteField)
	curves := tls13 || offers(p.Suites, (*suite.Suite).EllipticCurve)
	return slices.DeleteFunc(slices.Clone(p.Groups), func(g iana.Group) bool {
		if g.Hybrid() {
			return !tls13
		}
		if g.FiniteField() {
			return !finite
		}
		return !curves
	})
}

func offerPointFormats(p *Parameters, _ *Greased) (message.Content, bool) {
	return &message.ECPointFormats{Formats: []iana.ECPointFormat{iana.Uncompressed}},
		offers(p.Suites, (*suite.Suite).EllipticCurve)
}

func answerPointFormats(_ *Config, an *Answering) (message.Content, bool, error) {
	return &message.ECPointFormats{Formats: []iana.ECPointFormat{iana.Uncompressed}},
		an.Chosen.Suite.EllipticCurve(), nil
}

func applyPointFormats(_ *Agreed, _, server message.Extensions) error {
	return uncompressed(server)
}

// uncompressed returns an error if a list of point formats lacks the uncompressed one: RFC 8422
// §5.1.2.
func uncompressed(e message.Extensions) error {
	var f message.ECPointFormats
	if ok, err := Read(e, iana.ExtECPointFormats, &f); !ok || err != nil {
		return err
	}
	if !slices.Contains(f.Formats, iana.Uncompressed) {
		return alert.KindExtension.Fail(alert.IllegalParameter, "RFC 8422 §5.1.2",
			"the peer's ec_point_formats are %v, without uncompressed", alert.Few(f.Formats))
	}
	return nil
}

// signature_algorithms

func offerSchemes(p *Parameters, g *Greased) (message.Content, bool) {
	schemes := WithGrease(g, GreaseScheme, p.Schemes)
	return &message.SignatureSchemes{Schemes: schemes}, p.MaxVersion >= iana.TLS12 &&
		len(p.Schemes) > 0
}

// application_layer_protocol_negotiation

func offerProtocols(p *Parameters, g *Greased) (message.Content, bool) {
	if len(p.Protocols) == 0 {
		return nil, false
	}
	var list message.Protocols
	if p.GREASE {
		list.Names = append(list.Names,
			binary.BigEndian.AppendUint16(nil, g.value(greaseProtocol)))
	}
	for _, name := range p.Protocols {
		list.Names = append(list.Names, []byte(name))
	}
	return &list, true
}

func AnswerProtocol(c *Config, an *Answering) (message.Content, bool, error) {
	var theirs message.Protocols
	if _, err := Read(an.Hello.Extensions, iana.ExtALPN, &theirs); err != nil ||
		len(c.Protocols) == 0 {
		return nil, false, err
	}
	for _, ours := range c.Protocols {
		if ours == "h2" && !an.Chosen.Suite.HTTP2() {
			// a client may offer HTTP/2 and, for servers without it, suites that HTTP/2 prohibits:
			// RFC 9113 §9.2.2
			continue
		}
		for _, name := range theirs.Names {
			if string(name) == ours {
				an.Log.Choice("application_protocol", join(theirs.Names), ours,
					"the first in the server's order of preference that the client lists",
					"RFC 7301 §3.2")
				return &message.Protocols{Names: [][]byte{name}}, true, nil
			}
		}
	}
	return nil, false, alert.KindProtocol.Fail(alert.NoApplicationProtocol, "RFC 7301 §3.2",
		"the client speaks %s, we speak %q", join(theirs.Names), alert.Few(c.Protocols))
}

func applyProtocol(a *Agreed, client, server message.Extensions) error {
	var asked, got message.Protocols
	if _, err := Read(client, iana.ExtALPN, &asked); err != nil {
		return err
	}
	if _, err := Read(server, iana.ExtALPN, &got); err != nil {
		return err
	}
	if len(got.Names) != 1 || IsGreaseName(got.Names[0]) ||
		!slices.ContainsFunc(asked.Names,
			func(n []byte) bool { return bytes.Equal(n, got.Names[0]) }) {
		return alert.KindProtocol.Fail(alert.IllegalParameter, "RFC 7301 §3.1",
			"the server chose the protocols %s, the client offered %s", join(got.Names),
			join(asked.Names))
	}
	a.ALPN = string(got.Names[0])
	return nil
}

// signed_certificate_timestamp

func answerSCTs(_ *Config, an *Answering) (message.Content, bool, error) {
	if an.Chosen.Credential == nil {
		return nil, false, nil
	}
	l := an.Chosen.Credential.SCTs
	return &message.SCTs{List: l}, len(l) > 0, nil
}

func applySCTs(a *Agreed, _, server message.Extensions) error {
	var l message.SCTs
	_, err := Read(server, iana.ExtSCT, &l)
	a.SCTs = l.List
	return err
}

// encrypt_then_mac

// offersCBC reports whether a CBC suite is offered: encrypt_then_mac means nothing to others.
func offersCBC(p *Parameters) bool {
	return p.EncryptThenMAC != Off && slices.ContainsFunc(p.Suites, isCBC)
}

func answerEncryptThenMAC(c *Config, an *Answering) (message.Content, bool, error) {
	// RFC 7366 §3: a server that chose another kind of suite "MUST NOT send an encrypt-then-MAC
	// response extension".
	return nil, c.EncryptThenMAC != Off && an.Chosen.Suite.Cipher.CBC(), nil
}

func applyEncryptThenMAC(a *Agreed, _, server message.Extensions) error {
	a.EncryptThenMAC = a.Suite.Cipher.CBC()
	return applyEmpty(iana.ExtEncryptThenMAC)(a, nil, server)
}

// extended_master_secret

func answerExtendedMaster(c *Config, _ *Answering) (message.Content, bool, error) {
	return nil, c.ExtendedMasterSecret != Off, nil
}

func applyExtendedMaster(a *Agreed, _, server message.Extensions) error {
	a.ExtendedMasterSecret = true
	return applyEmpty(iana.ExtExtendedMasterSecret)(a, nil, server)
}

// session_ticket

func offerTicket(c *Offering) (message.Content, bool) {
	t := &message.SessionTicket{}
	if c.Offer != nil && c.Offer.Version < iana.TLS13 {
		t.Ticket = c.Offer.Ticket
	}
	return t, c.Tickets
}

// answerTicket promises a ticket after a full handshake. A resumed session gets no new one, which
// would not prolong it.
func answerTicket(c *Config, an *Answering) (message.Content, bool, error) {
	return nil, c.Tickets && an.Chosen.Session == nil, nil
}

func applyTicket(a *Agreed, _, server message.Extensions) error {
	a.Ticket = true
	return applyEmpty(iana.ExtSessionTicket)(a, nil, server)
}

// renegotiation_info: empty on both sides in a connection's first handshake; in a renegotiation it
// has the verify_data of the one before. Our server does not renegotiate.

func offerRenegotiation(c *Offering) (message.Content, bool) {
	r := &message.RenegotiationInfo{}
	if c.Prior != nil {
		r.RenegotiatedConnection = c.Prior.VerifyData[iana.Client]
	}
	return r, c.SecureRenegotiation != Off
}

func answerRenegotiation(c *Config, an *Answering) (message.Content, bool, error) {
	var r message.RenegotiationInfo
	if _, err := Read(an.Hello.Extensions, iana.ExtRenegotiationInfo, &r); err != nil {
		return nil, false, err
	}
	if len(r.RenegotiatedConnection) > 0 {
		return nil, false,
			alert.KindRenegotiation.Fail(alert.HandshakeFailure, "RFC 5746 §3.6",
				"the client's renegotiation_info names an earlier handshake, expected none in a "+
					"connection's first")
	}
	return &r, c.SecureRenegotiation != Off, nil
}

func applyRenegotiation(a *Agreed, _, server message.Extensions) error {
	var r message.RenegotiationInfo
	if _, err := Read(server, iana.ExtRenegotiationInfo, &r); err != nil {
		return err
	}
	a.SecureRenegotiation, a.renegotiated = true, r.RenegotiatedConnection
	return nil
}

// join quotes the first of the names that a peer sent: they may contain any bytes.
func join(names [][]byte) string { return fmt.Sprintf("%q", alert.Few(names)) }

// offers reports whether the list has a suite that satisfies such.
func offers(ids []iana.CipherSuite, such func(*suite.Suite) bool) bool {
	return slices.ContainsFunc(ids, func(id iana.CipherSuite) bool {
		s := suite.ByID(id)
		return s != nil && such(s)
	})
}

func isCBC(id iana.CipherSuite) bool {
	s := suite.ByID(id)
	return s != nil && s.Cipher.CBC()
}
