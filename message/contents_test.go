package message_test

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

var both = []iana.Side{iana.Client, iana.Server}

// contents has for each extension that Vitrine knows a content, and the bytes that its RFC asks
// for, written by hand.
var contents = []struct {
	typ     iana.ExtensionType
	from    []iana.Side
	content message.Content
	bytes   string
}{
	{iana.ExtServerName, both[:1],
		&message.ServerNames{Names: []message.ServerName{{Type: iana.HostName,
			Name: []byte("a.b")}}},
		"0006 00 0003 612e62"}, // RFC 6066 §3
	{iana.ExtServerName, both[1:], &message.Empty{}, ""},                         // RFC 6066 §3
	{iana.ExtMaxFragmentLength, both, &message.MaxFragmentLength{Code: 4}, "04"}, // RFC 6066 §4
	// RFC 6066 §8
	{iana.ExtStatusRequest, both[:1],
		&message.StatusRequest{Type: iana.StatusOCSP, ResponderIDs: [][]byte{{7}},
			Extensions: []byte{8, 9}}, "01 0003 0001 07 0002 0809"},
	// RFC 6066 §8
	{iana.ExtStatusRequest, both[:1], &message.StatusRequest{Type: 9, Request: []byte{1, 2}},
		"09 0102"},
	// RFC 6066 §8
	{iana.ExtStatusRequest, both[1:], &message.Empty{}, ""},
	// RFC 8422 §5.1.1
	{iana.ExtSupportedGroups, both,
		&message.SupportedGroups{Groups: []iana.Group{iana.X25519, iana.FFDHE2048}},
		"0004 001d 0100"},
	// RFC 8422 §5.1.2
	{iana.ExtECPointFormats, both, &message.ECPointFormats{Formats: []iana.ECPointFormat{0, 2}},
		"02 00 02"},
	// RFC 5246 §7.4.1.4.1
	{iana.ExtSignatureAlgorithms, both[:1],
		&message.SignatureSchemes{Schemes: []iana.SignatureScheme{iana.ED25519}}, "0002 0807"},
	// RFC 8446 §4.2.3
	{iana.ExtSignatureAlgorithmsCert, both[:1],
		&message.SignatureSchemes{Schemes: []iana.SignatureScheme{iana.ED448}}, "0002 0808"},
	// RFC 9345 §4.1.1
	{iana.ExtDelegatedCredential, both[:1],
		&message.SignatureSchemes{Schemes: []iana.SignatureScheme{iana.ED25519}}, "0002 0807"},
	// RFC 9345 §4
	{iana.ExtDelegatedCredential, both[1:],
		&message.DelegatedCredential{ValidTime: 604800, VerifyBy: iana.ED25519,
			PublicKey: []byte{0x30, 0}, Algorithm: iana.ED448, Signature: []byte{1, 2, 3}},
		"00093a80 0807 000002 3000 0808 0003 010203"},
	// RFC 9149 §3
	{iana.ExtTicketRequest, both[:1], &message.TicketRequest{New: 2, Resumed: 1}, "02 01"},
	{iana.ExtTicketRequest, both[1:], &message.ExpectedTickets{Count: 2}, "02"},
	// RFC 6520 §2
	{iana.ExtHeartbeat, both, &message.Heartbeat{Mode: 1}, "01"},
	// RFC 7301 §3.1
	{iana.ExtALPN, both, &message.Protocols{Names: [][]byte{[]byte("h2")}}, "0003 02 6832"},
	{iana.ExtApplicationSettings, both[:1], &message.Protocols{Names: [][]byte{[]byte("h2")}},
		"0003 02 6832"},
	{iana.ExtApplicationSettingsOld, both[:1], &message.Protocols{Names: [][]byte{[]byte("h2")}},
		"0003 02 6832"},
	{iana.ExtStatusRequestV2, both[:1],
		&message.StatusRequestsV2{Requests: []message.StatusRequestV2{{Type: 2,
			Request: []byte{0, 0, 0, 0}}}},
		"0007 02 0004 0000 0000"}, // RFC 6961 §2.2
	// RFC 6961 §2.2
	{iana.ExtStatusRequestV2, both[1:], &message.Empty{}, ""},
	// RFC 6962 §3.3.1
	{iana.ExtSCT, both[:1], &message.Empty{}, ""},
	// RFC 6962 §3.3
	{iana.ExtSCT, both[1:], &message.SCTs{List: [][]byte{{1}, {2, 3}}}, "0007 0001 01 0002 0203"},
	// RFC 7250 §3
	{iana.ExtClientCertificateType, both[:1],
		&message.CertificateTypes{Types: []iana.CertificateType{2, 0}}, "02 02 00"},
	// RFC 7250 §3
	{iana.ExtClientCertificateType, both[1:], &message.SelectedCertificateType{Type: 2}, "02"},
	// RFC 7250 §3
	{iana.ExtServerCertificateType, both[:1],
		&message.CertificateTypes{Types: []iana.CertificateType{0}}, "01 00"},
	// RFC 7250 §3
	{iana.ExtServerCertificateType, both[1:], &message.SelectedCertificateType{Type: 0}, "00"},
	// RFC 7685 §3
	{iana.ExtPadding, both[:1], &message.Padding{Zeros: make([]byte, 3)}, "000000"},
	// RFC 7366 §2
	{iana.ExtEncryptThenMAC, both, &message.Empty{}, ""},
	// RFC 7627 §5.1
	{iana.ExtExtendedMasterSecret, both, &message.Empty{}, ""},
	// RFC 8879 §3
	{iana.ExtCompressCertificate, both[:1],
		&message.CompressionAlgorithms{Algorithms: []iana.CertificateCompressionAlgorithm{2}},
		"02 0002"},
	// RFC 8449 §4
	{iana.ExtRecordSizeLimit, both, &message.RecordSizeLimit{Limit: 16385}, "4001"},
	// RFC 5077 §3.2
	{iana.ExtSessionTicket, both[:1], &message.SessionTicket{Ticket: []byte{1, 2, 3}}, "010203"},
	// RFC 5077 §3.2
	{iana.ExtSessionTicket, both[1:], &message.Empty{}, ""},
	{iana.ExtPreSharedKey, both[:1],
		&message.OfferedPSKs{Identities: []message.PSKIdentity{{Identity: []byte{5},
			ObfuscatedTicketAge: 0xFFFFFFFE}}, Binders: [][]byte{make([]byte, 32)}},
		"0007 0001 05 fffffffe 0021 20" + strings.Repeat("00", 32)}, // RFC 8446 §4.2.11
	// RFC 8446 §4.2.11
	{iana.ExtPreSharedKey, both[1:], &message.SelectedPSK{Identity: 1}, "0001"},
	// RFC 8446 §4.2.10
	{iana.ExtEarlyData, both, &message.Empty{}, ""},
	// RFC 8446 §4.2.1
	{iana.ExtSupportedVersions, both[:1],
		&message.SupportedVersions{Versions: []iana.Version{iana.TLS13, iana.TLS12}},
		"04 0304 0303"},
	// RFC 8446 §4.2.1
	{iana.ExtSupportedVersions, both[1:], &message.SelectedVersion{Version: iana.TLS13}, "0304"},
	// RFC 8446 §4.2.2
	{iana.ExtCookie, both, &message.Cookie{Cookie: []byte{1}}, "0001 01"},
	// RFC 9001 §8.2: initial_max_data (RFC 9000 §18.2) is 5
	{iana.ExtQUICTransportParameters, both,
		&message.TransportParameters{Parameters: []byte{4, 1, 5}}, "040105"},
	// RFC 8446 §4.2.9
	{iana.ExtPSKKeyExchangeModes, both[:1],
		&message.PSKKeyExchangeModes{Modes: []iana.PSKKeyExchangeMode{1}}, "01 01"},
	// RFC 8446 §4.2.4
	{iana.ExtCertificateAuthorities, both[:1],
		&message.CertificateAuthorities{Authorities: [][]byte{{0x30, 0}}}, "0004 0002 3000"},
	// RFC 8446 §4.2.6
	{iana.ExtPostHandshakeAuth, both[:1], &message.Empty{}, ""},
	// RFC 8446 §4.2.8
	{iana.ExtKeyShare, both[:1],
		&message.KeyShares{Shares: []message.KeyShareEntry{{Group: iana.X25519,
			KeyExchange: []byte{9}}}}, "0005 001d 0001 09"},
	{iana.ExtKeyShare, both[1:],
		&message.KeyShare{KeyShareEntry: message.KeyShareEntry{Group: iana.X25519,
			KeyExchange: []byte{9}}},
		"001d 0001 09"}, // RFC 8446 §4.2.8
	{iana.ExtOIDFilters, both[:1],
		&message.OIDFilters{Filters: []message.OIDFilter{{OID: []byte{6, 1, 1},
			Values: []byte{7}}}},
		"0007 03 060101 0001 07"}, // RFC 8446 §4.2.5
	{iana.ExtNPN, both[:1], &message.Empty{}, ""},
	{iana.ExtTrustAnchors, both, &message.TrustAnchors{IDs: [][]byte{{1, 2}}}, "0003 02 0102"},
	// RFC 9849 §5
	{iana.ExtECH, both[:1],
		&message.ECH{KDF: 1, AEAD: 3, ConfigID: 5, Enc: []byte{6}, Payload: []byte{7, 8}},
		"00 0001 0003 05 0001 06 0002 0708"},
	// RFC 9849 §5
	{iana.ExtECH, both[:1], &message.ECH{Type: 1}, "01"},
	// RFC 9849 §4
	{
		iana.ExtECH,
		both[1:],
		&message.ECHConfigs{
			List: []message.ECHConfig{{Version: 0xFE0D, Contents: []byte{7, 0, 32, 0,
				2, 1, 2, 0, 4, 0, 1, 0, 1, 9, 1, 'a', 0, 4, 0, 5, 0, 0}}},
		},
		"001a fe0d 0016 07 0020 0002 0102 0004 0001 0001 09 01 61 0004 0005 0000",
	},
	// RFC 5746 §3.2
	{iana.ExtRenegotiationInfo, both,
		&message.RenegotiationInfo{RenegotiatedConnection: []byte{1, 2}}, "02 0102"},
}

func TestEveryExtensionContentIsReadAndWritten(t *testing.T) {
	untested := message.Known()
	n := 0
	for _, c := range contents {
		for _, from := range c.from {
			row := untested[c.typ]
			row[from] = false
			untested[c.typ] = row
			n++

			var x message.Extensions
			if err := x.Add(c.typ, c.content); err != nil {
				t.Errorf("%v of %v: %v", from, c.typ, err)
				continue
			}
			if want := strings.ReplaceAll(c.bytes, " ", ""); hex.EncodeToString(x[0].Data) != want {
				t.Errorf("%v of %v: got %x, expected %s", from, c.typ, x[0].Data, want)
			}
			got := fresh(c.content)
			if ok, err := x.Read(c.typ, got); !ok || err != nil ||
				!reflect.DeepEqual(got, c.content) {
				t.Errorf("%v of %v: read as %+v, %v", from, c.typ, got, err)
			}
			inHello(t, from, x)
		}
	}
	for typ, row := range untested {
		for _, from := range both {
			if row[from] {
				t.Errorf("no test for %v of the %v", typ, from)
			}
		}
	}
	ran(t, n, "contents")
}

// The contents whose layout differs in one message: RFC 8446 §4.2.8, §4.2.10, §4.4.2.1, RFC 9345
// §4.
func TestContentsDependOnTheirMessage(t *testing.T) {
	tls13 := message.Dialect{Version: iana.TLS13}
	inCertificate := func(x message.Extensions) message.Message {
		return &message.Certificate{Chain: [][]byte{{0x30, 0}}, Extensions: []message.Extensions{x}}
	}
	for _, c := range []struct {
		typ     iana.ExtensionType
		content message.Content
		bytes   string
		in      func(message.Extensions) message.Message
		field   string // that the annotation names
	}{
		{iana.ExtKeyShare, &message.SelectedGroup{Group: iana.X25519}, "001d",
			func(x message.Extensions) message.Message {
				return &message.ServerHello{Version: iana.TLS12, Random: message.RetryRandom(),
					Extensions: x}
			}, "selected_group"},
		{iana.ExtEarlyData, &message.MaxEarlyData{Size: 16384}, "00004000",
			func(x message.Extensions) message.Message {
				return &message.NewSessionTicket{Ticket: []byte{1}, Extensions: x}
			}, "max_early_data_size"},
		{iana.ExtStatusRequest, &message.Empty{}, "", func(x message.Extensions) message.Message {
			return &message.CertificateRequest{Extensions: x}
		}, "extension_type"},
		{iana.ExtStatusRequest,
			&message.CertificateStatus{StatusType: iana.StatusOCSP, Response: []byte{9}},
			"0100000109",
			inCertificate, "response"},
		{iana.ExtDelegatedCredential,
			&message.DelegatedCredential{ValidTime: 1, VerifyBy: iana.ED25519,
				PublicKey: []byte{0x30, 0}, Algorithm: iana.ED25519, Signature: []byte{9}},
			"000000010807000002300008070001" + "09", inCertificate, "dc_cert_verify_algorithm"},
		{iana.ExtTrustAnchors, &message.Empty{}, "", inCertificate, "extension_type"},
	} {
		var x message.Extensions
		if err := x.Add(c.typ, c.content); err != nil || hex.EncodeToString(x[0].Data) != c.bytes {
			t.Errorf("%v: wrote %x, %v", c.typ, x, err)
		}
		got := fresh(c.content)
		if ok, err := x.Read(c.typ, got); !ok || err != nil || !reflect.DeepEqual(got, c.content) {
			t.Errorf("%v: read as %+v, %v", c.typ, got, err)
		}
		raw, err := tls13.Encode(c.in(x))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range tls13.Annotate(raw) {
			found = found || f.Name == c.field
			if f.Name == "unparsed" || f.Leaf && f.Name == "extension_data" {
				t.Errorf("%v is not understood: %+v", c.typ, f)
			}
		}
		if !found {
			t.Errorf("%v: no field is called %s", c.typ, c.field)
		}
	}
}

// inHello sends x as the only extension of a hello. The annotation must show all of it, and must
// report each trailing byte.
func inHello(t *testing.T, from iana.Side, x message.Extensions) {
	t.Helper()
	hello := func(x message.Extensions) []byte {
		var m message.Message = &message.ServerHello{Version: iana.TLS12, Extensions: x}
		if from == iana.Client {
			m = &message.ClientHello{Version: iana.TLS12, CipherSuites: []iana.CipherSuite{1},
				CompressionMethods: []iana.CompressionMethod{0}, Extensions: x}
		}
		raw, err := dialect.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parse(t, dialect, raw); err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for _, f := range dialect.Annotate(hello(x)) {
		if f.Name == "unparsed" || f.Leaf && f.Name == "extension_data" {
			t.Errorf("%v of %v is not understood: %+v", from, x[0].Type, f)
		}
	}
	switch x[0].Type {
	// these may end in what has no structure
	case iana.ExtPadding, iana.ExtSessionTicket, iana.ExtStatusRequest,
		iana.ExtQUICTransportParameters:
		return
	}
	longer := message.Extensions{{Type: x[0].Type, Data: append(x[0].Data, 0)},
		{Type: 0xABCD, Data: []byte{1}}}
	fields := dialect.Annotate(hello(longer))
	if unparsed(fields) == nil {
		t.Errorf("%v of %v: a byte too many is not noticed", from, x[0].Type)
	}
	if last := fields[len(fields)-1]; last.Name != "extension_data" || last.Len != 1 {
		t.Errorf("%v of %v: what follows a broken content is not read: %+v", from, x[0].Type, last)
	}
}

func TestMaxFragmentLengthCodesAreThoseOfRFC6066(t *testing.T) {
	// RFC 6066 §4
	for code, want := range map[uint8]int{0: 0, 1: 512, 2: 1024, 3: 2048, 4: 4096, 5: 0, 255: 0} {
		if got := (&message.MaxFragmentLength{Code: code}).Bytes(); got != want {
			t.Errorf("code %d: %d bytes, expected %d", code, got, want)
		}
	}
}

func TestAbsentExtensionIsNoError(t *testing.T) {
	var x message.Extensions
	var v message.Protocols
	if ok, err := x.Read(iana.ExtALPN, &v); ok || err != nil {
		t.Error(ok, err)
	}
	if x.Has(iana.ExtALPN) {
		t.Error("Has finds what is not there")
	}
	if err := x.Add(iana.ExtExtendedMasterSecret, nil); err != nil ||
		!x.Has(iana.ExtExtendedMasterSecret) {
		t.Error("Add of nothing adds nothing:", err)
	}
}

// fresh is an empty content of the same type.
func fresh(v message.Content) message.Content {
	return reflect.New(reflect.TypeOf(v).Elem()).Interface().(message.Content)
}
