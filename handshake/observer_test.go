package handshake

import (
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

func encode(t *testing.T, d message.Dialect, m message.Message) []byte {
	t.Helper()
	raw, err := d.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The references of the hellos are those of the version that they speak, for an observer too, who
// has every figure open.
func TestHellosCiteTheirVersion(t *testing.T) {
	offer13 := hello(t, suites{ecdheECDSA})
	offer13.Extensions.Add(iana.ExtSupportedVersions,
		&message.SupportedVersions{Versions: []iana.Version{iana.TLS13, iana.TLS12}})
	answer13 := &message.ServerHello{Version: iana.TLS12, CipherSuite: iana.TLS_AES_128_GCM_SHA256}
	answer13.Extensions.Add(iana.ExtSupportedVersions,
		&message.SelectedVersion{Version: iana.TLS13})
	answer12 := &message.ServerHello{Version: iana.TLS12, CipherSuite: ecdheECDSA}
	for _, c := range []struct {
		what  string
		ch    *message.ClientHello
		sh    *message.ServerHello
		wants [2]string
	}{
		{"TLS 1.2", hello(t, suites{ecdheECDSA}), answer12,
			[2]string{"RFC 5246 §7.4.1.2", "RFC 5246 §7.4.1.3"}},
		{"TLS 1.2, and the client offered more", offer13, answer12,
			[2]string{"RFC 8446 §4.1.2", "RFC 5246 §7.4.1.3"}},
		{"TLS 1.3", offer13, answer13, [2]string{"RFC 8446 §4.1.2", "RFC 8446 §4.1.3"}},
	} {
		var events trace.Memory
		nothing := func(*Score) (Input, error) { return Input{}, ErrNoSecret }
		m := NewObserver(nothing, trace.New(trace.Observer, &events, nil), &desk{})
		for i, msg := range []message.Message{c.ch, c.sh} {
			from := iana.Side(i)
			raw := encode(t, message.Dialect{Version: iana.TLS12}, msg)
			if err := m.Take(from, KindOf(raw), raw); err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
		}
		var refs []string
		for _, e := range events.Entries {
			if _, ok := e.Event.(*trace.Message); ok {
				refs = append(refs, e.Ref)
			}
		}
		if len(refs) != 2 || [2]string(refs) != c.wants {
			t.Errorf("%s: the hellos cite %q, expected %q", c.what, refs, c.wants)
		}
	}
}

// What would come next is named once, however many figures go on with it.
func TestTheExpectedMessageIsNamedOnce(t *testing.T) {
	m := NewObserver(nil, nil, &desk{})
	if got, want := m.Awaited(), "the client's client_hello (RFC 5246 §7.4.1.2)"; got != want {
		t.Errorf("got %q, expected %q", got, want)
	}
	raw := encode(t, message.Dialect{Version: iana.TLS12}, hello(t, suites{ecdheECDSA}))
	if err := m.Take(iana.Client, Kind(iana.ClientHello), raw); err != nil {
		t.Fatal(err)
	}
	if got, want := m.Awaited(), "the server's server_hello (RFC 5246 §7.4.1.3)"; got != want {
		t.Errorf("got %q, expected %q", got, want)
	}
}

// What is awaited, and what a malformed ServerHello is measured by, is cited from the RFC that is
// in force: a client that offers TLS 1.3, or was asked for a second hello, has RFC 8446's.
func TestAwaitedLinesCiteTheVersionInForce(t *testing.T) {
	const hello12, hello13 = "the server's server_hello (RFC 5246 §7.4.1.3)",
		"the server's server_hello (RFC 8446 §4.1.3)"
	offers12, offers13 := hello(t, suites{ecdheECDSA}), hello(t, suites{ecdheECDSA})
	offers13.Extensions.Add(iana.ExtSupportedVersions,
		&message.SupportedVersions{Versions: []iana.Version{iana.TLS13, iana.TLS12}})
	retry := &message.ServerHello{Version: iana.TLS12, CipherSuite: iana.TLS_AES_128_GCM_SHA256,
		Random: message.RetryRandom()}
	retry.Extensions.Add(iana.ExtSupportedVersions,
		&message.SelectedVersion{Version: iana.TLS13})
	for _, c := range []struct {
		what     string
		messages []message.Message
		awaited  string
		section  string // of a malformed ServerHello
	}{
		{"TLS 1.2 alone", []message.Message{offers12}, hello12, "RFC 5246 §7.4.1.3"},
		{"TLS 1.3 and 1.2", []message.Message{offers13},
			"the server's hello_retry_request (RFC 8446 §4.1.4) or " + hello13, "RFC 8446 §4.1.3"},
		{"after a retry", []message.Message{offers13, retry, offers13}, hello13, "RFC 8446 §4.1.3"},
	} {
		nothing := func(*Score) (Input, error) { return Input{}, ErrNoSecret }
		m := NewObserver(nothing, nil, &desk{})
		for i, msg := range c.messages {
			raw := encode(t, message.Dialect{Version: iana.TLS12}, msg)
			if err := m.Take(iana.Side(i%2), KindOf(raw), raw); err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
		}
		if got := m.Awaited(); got != c.awaited {
			t.Errorf("%s: awaits %q, expected %q", c.what, got, c.awaited)
		}
		err := m.Take(iana.Server, Kind(iana.ServerHello), []byte{2, 0, 0, 1, 3})
		if e, ok := errors.AsType[*alert.Error](err); !ok || e.Ref != c.section {
			t.Errorf("%s: a malformed ServerHello: %v, expected %s", c.what, err, c.section)
		}
	}
}

// Facts of TLS 1.3 are kept without loss: RFC 8446 §4.3.2.
func TestTheCertificateRequestOfTLS13IsKept(t *testing.T) {
	d := message.Dialect{Version: iana.TLS13}
	request := &message.CertificateRequest{}
	request.Extensions.Add(iana.ExtSignatureAlgorithms,
		&message.SignatureSchemes{Schemes: everyScheme})
	request.Extensions.Add(iana.ExtSignatureAlgorithmsCert,
		&message.SignatureSchemes{Schemes: everyScheme[:2]})
	request.Extensions.Add(iana.ExtCertificateAuthorities,
		&message.CertificateAuthorities{Authorities: [][]byte{{0x30, 0}}})
	parsed, err := d.Parse(encode(t, d, request))
	if err != nil {
		t.Fatal(err)
	}
	var s Score
	s.note(iana.Server, parsed)
	if got := s.CertificateRequest; len(got.Schemes) != len(everyScheme) ||
		len(got.CertSchemes) != 2 || len(got.Authorities) != 1 {
		t.Errorf("kept %+v", got)
	}
}
