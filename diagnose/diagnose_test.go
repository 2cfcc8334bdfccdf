package diagnose_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
)

var authority = func() *throwaway.CA {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		panic(err)
	}
	return ca
}()

// server listens with a Config, and returns its address.
func server(t *testing.T, c *vitrine.Config) string {
	t.Helper()
	if c.Certificates == nil {
		cert, err := authority.Issue(throwaway.RSA, []string{"localhost"})
		if err != nil {
			t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{cert}
	}
	l, err := vitrine.Listen("tcp", "127.0.0.1:0", c)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Serve(t, l, func(c net.Conn) { io.Copy(io.Discard, c) })
	return l.Addr().String()
}

func client() *vitrine.Config {
	return &vitrine.Config{RootCAs: authority.Pool(), ServerName: "localhost"}
}

func dial(ctx context.Context, addr string,
	c *vitrine.Config) (s vitrine.ConnectionState, err error) {
	conn, err := (&vitrine.Dialer{Config: c}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return s, err
	}
	defer conn.Close()
	return conn.(*vitrine.Conn).ConnectionState(), nil
}

// failing is a server and a client that cannot connect, with what is inferred and the change that
// works, or none if goFields is "".
type failing struct {
	name           string
	server, client *vitrine.Config
	inferred       string
	works          diagnose.Kind
	goFields       string
}

func failures(t *testing.T) []failing {
	null := uint16(iana.TLS_RSA_WITH_NULL_SHA256)
	triple := uint16(iana.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA)
	old := func(c *vitrine.Config) *vitrine.Config {
		c.MaxVersion = tls.VersionTLS12
		return c
	}
	return []failing{
		{"only TLS 1.3", &vitrine.Config{MinVersion: tls.VersionTLS13},
			with(func(c *vitrine.Config) { c.MaxVersion = tls.VersionTLS12 }),
			"versions that we did not offer", diagnose.DefaultVersions,
			"MinVersion: 0, MaxVersion: 0"},
		{"only a group that must be named",
			&vitrine.Config{CurvePreferences: []tls.CurveID{tls.CurveID(iana.FFDHE8192)}}, client(),
			"nothing in our offer", diagnose.AllGroups, "CurvePreferences: []tls.CurveID{0x0104}"},
		{"only a suite that must be named", &vitrine.Config{MinVersion: tls.VersionTLS13,
			CipherSuites13: []uint16{uint16(iana.TLS_AES_128_CCM_8_SHA256)}}, client(),
			"nothing in our offer", diagnose.AllSuites13, "CipherSuites13: []uint16{0x1305}"},
		{
			"another suite of TLS 1.3",
			&vitrine.Config{MinVersion: tls.VersionTLS13},
			with(func(c *vitrine.Config) {
				c.CipherSuites13 = []uint16{uint16(iana.TLS_AES_128_CCM_SHA256)}
			}),
			"nothing in our offer",
			diagnose.DefaultSuites,
			"CipherSuites: nil, CipherSuites13: nil",
		},
		{"only RSA key exchange",
			old(&vitrine.Config{
				CipherSuites: []uint16{uint16(iana.TLS_RSA_WITH_AES_128_GCM_SHA256)}}),
			client(), "only RSA or finite-field", diagnose.CompatiblePolicy,
			"Policy: vitrine.Compatible"},
		{"only 3DES", old(&vitrine.Config{CipherSuites: []uint16{triple}}), client(), "only CBC",
			diagnose.LegacyPolicy, "Policy: vitrine.Legacy"},
		{"only TLS 1.0", &vitrine.Config{Policy: vitrine.Legacy, MaxVersion: tls.VersionTLS10},
			client(), "", diagnose.LegacyPolicy, "Policy: vitrine.Legacy"},
		{"no encryption", old(&vitrine.Config{CipherSuites: []uint16{null}}), client(),
			"nothing in our offer", diagnose.NullSuites, "CipherSuites: []uint16{0x003B}"},
		{"another protocol", &vitrine.Config{NextProtos: []string{"one"}},
			with(func(c *vitrine.Config) { c.NextProtos = []string{"two"} }),
			"application protocols", diagnose.NoProtocols, "NextProtos: nil"},
		{
			"another suite",
			old(&vitrine.Config{}),
			with(func(c *vitrine.Config) { c.CipherSuites = []uint16{null} }),
			"nothing in our offer",
			diagnose.DefaultSuites,
			"CipherSuites: nil, CipherSuites13: nil",
		},
		{"another group", &vitrine.Config{CurvePreferences: []tls.CurveID{tls.X25519}},
			with(func(c *vitrine.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP384} }),
			"nothing in our offer", diagnose.DefaultGroups, "CurvePreferences: nil"},
		{"another version", &vitrine.Config{}, with(func(c *vitrine.Config) {
			c.Policy, c.MaxVersion = vitrine.Legacy, tls.VersionTLS11
		}), "versions that we did not offer", diagnose.DefaultVersions,
			"MinVersion: 0, MaxVersion: 0"},
		{"a certificate that may only encrypt", old(encipherOnly(t)), client(), "KeyUsage",
			diagnose.IgnoreKeyUsage, "Policy: vitrine.Compatible, CipherSuites: []uint16{0xC02F}"},
		{"another pre-shared key", shared(&vitrine.Config{}, 1), shared(client(), 2),
			"another pre-shared key for this identity", diagnose.NoPreSharedKey, "GetPSK: nil"},
		{
			"a client certificate",
			old(&vitrine.Config{ClientAuth: tls.RequireAnyClientCert}),
			client(),
			"wants a client certificate",
			0,
			"",
		},
	}
}

// A failure between a real client and a real server is explained, and the mildest change that helps
// is found and proved.
func TestFailuresAreExplainedAndChangesProved(t *testing.T) {
	for _, c := range failures(t) {
		t.Run(c.name, func(t *testing.T) {
			addr := server(t, c.server)
			_, err := dial(t.Context(), addr, c.client)
			f, ok := diagnose.Of(err)
			if !ok {
				t.Fatalf("got %v, expected a failed handshake", err)
			}
			d := f.Explain()
			if got := strings.Join(d.Inferred, "; "); !strings.Contains(got, c.inferred) {
				t.Errorf("inferred %q, expected %q in it", got, c.inferred)
			}
			if c.inferred != "" && !strings.Contains(err.Error(), c.inferred) ||
				!slices.Equal(f.Inferred(), d.Inferred) {
				t.Errorf("the error says %q, expected what diagnose infers", err)
			}
			if f.Offered == nil || f.Awaited == "" || len(d.Seen) < 2 || d.Ref == "" {
				t.Errorf("the error lacks facts: %+v", f.HandshakeError)
			}
			tries := 0
			proofs := diagnose.Prove(t.Context(), c.client, f.Changes(c.client),
				func(ctx context.Context, config *vitrine.Config) (vitrine.ConnectionState, error) {
					tries++
					return dial(ctx, addr, config)
				})
			if tries > 8 || tries != len(proofs) {
				t.Errorf("%d tries, %d proofs", tries, len(proofs))
			}
			var works diagnose.Change
			for _, p := range proofs {
				if p.Works() {
					works = p.Change
				}
			}
			if works.Kind != c.works || works.Go != c.goFields {
				t.Errorf("%d, %q works, expected %d, %q", works.Kind, works.Go, c.works, c.goFields)
			}
		})
	}
}

// encipherOnly returns the Config of a server with KeyUsage keyEncipherment that chooses ECDHE all
// the same.
func encipherOnly(t *testing.T) *vitrine.Config {
	t.Helper()
	cert, err := authority.Issue(throwaway.RSA, []string{"localhost"},
		func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })
	if err != nil {
		t.Fatal(err)
	}
	return &vitrine.Config{Policy: vitrine.Compatible, Certificates: []tls.Certificate{cert}}
}

// shared gives c a pre-shared key of TLS 1.3.
func shared(c *vitrine.Config, key byte) *vitrine.Config {
	c.MinVersion = tls.VersionTLS13
	c.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) {
		return &vitrine.PSK{Identity: []byte("me"), Key: bytes.Repeat([]byte{key}, 32)}, nil
	}
	return c
}

// OpenSSL says illegal_parameter where a binder is wrong.
func TestWrongKeysAreInferredFromEitherAlert(t *testing.T) {
	hello := &message.ClientHello{Extensions: message.Extensions{{Type: iana.ExtPreSharedKey}}}
	for _, c := range []struct {
		offered *message.ClientHello
		got     alert.Description
		key     bool
	}{
		{hello, alert.DecryptError, true},
		{hello, alert.IllegalParameter, true},
		{hello, alert.HandshakeFailure, false},
		{&message.ClientHello{}, alert.IllegalParameter, false},
	} {
		f, _ := diagnose.Of(&vitrine.HandshakeError{Side: iana.Client, Offered: c.offered,
			Err: &alert.Received{Level: alert.Fatal, Description: c.got}})
		inferred := strings.Join(f.Explain().Inferred, "; ")
		if strings.Contains(inferred, "another pre-shared key") != c.key {
			t.Errorf("%v: inferred %q", c.got, inferred)
		}
		if changes := f.Changes(shared(client(), 1)); c.key &&
			(len(changes) != 1 || changes[0].Kind != diagnose.NoPreSharedKey) {
			t.Errorf("%v: got the changes %v, expected to do without the key alone", c.got, changes)
		}
	}
}

// A server of TLS 1.3 that issues no tickets says nothing to a client that waits for its verdict.
func TestWaitingInVainIsExplained(t *testing.T) {
	addr := server(t, &vitrine.Config{ClientAuth: tls.RequestClientCert,
		SessionTicketsDisabled: true})
	config := with(func(c *vitrine.Config) { c.AwaitServer = true })
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(time.Second))
	err = vitrine.Client(raw, config).Handshake()
	f, ok := diagnose.Of(err)
	if !ok {
		t.Fatalf("got %v, expected a failed handshake", err)
	}
	if changes := f.Changes(config); len(changes) != 1 || changes[0].Kind != diagnose.NotAwaiting {
		t.Errorf("got the changes %v", changes)
	}
	d := f.Explain()
	for _, want := range []string{"the server chose TLS 1.3 and TLS_AES_128_GCM_SHA256",
		"where the server's first record was expected", "it issues no tickets"} {
		if got := strings.Join(append(d.Seen, d.Inferred...), "; "); !strings.Contains(got, want) ||
			strings.Contains(got, "0x0000") {
			t.Errorf("got %q, expected %q in it", got, want)
		}
	}
}

func with(edit func(*vitrine.Config)) *vitrine.Config {
	c := client()
	edit(c)
	return c
}

// The context limits all tries together.
func TestProveEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &diagnose.Failure{HandshakeError: &vitrine.HandshakeError{Side: iana.Client},
		Gone: diagnose.Closed}
	changes := f.Changes(client())
	proofs := diagnose.Prove(ctx, client(), changes,
		func(context.Context, *vitrine.Config) (vitrine.ConnectionState, error) {
			cancel()
			return vitrine.ConnectionState{}, io.EOF
		})
	if len(changes) < 5 || len(changes) > 14 || len(proofs) != 1 {
		t.Errorf("%d changes, %d tries; expected 5 to 14, and 1", len(changes), len(proofs))
	}
}

// Every alert from either side at every stage has an explanation, and texts are formatted without
// errors.
func TestEveryAlertHasAnExplanation(t *testing.T) {
	n := 0
	for _, side := range []iana.Side{iana.Client, iana.Server} {
		for d := range 256 {
			d := alert.Description(d)
			for _, answered := range []*message.ServerHello{nil, {Version: iana.TLS12}} {
				for _, cause := range []error{&alert.Received{Level: alert.Fatal, Description: d},
					alert.Fail(d, "RFC 5246 §7", "made up")} {
					f, ok := diagnose.Of(&vitrine.HandshakeError{Side: side, Err: cause,
						Answered: answered, Awaited: "something"})
					if !ok {
						t.Fatal("not recognised")
					}
					if d != alert.CloseNotify && f.Received != nil &&
						len(f.Explain().Inferred) != 1 {
						t.Errorf("%v, answered %t: nothing is inferred from %v", side,
							answered != nil, d)
					}
					for _, s := range slices.Concat(f.Explain().Seen, f.Explain().Inferred) {
						if n++; s == "" || strings.Contains(s, "%!") {
							t.Errorf("%v, %v: %q", side, d, s)
						}
					}
					if len(f.Explain().Seen) == 0 {
						t.Errorf("%v, %v: nothing was seen", side, d)
					}
				}
			}
		}
	}
	t.Logf("%d sentences", n)
}

func TestOtherProtocolsAreKnownByTheirFirstBytes(t *testing.T) {
	for first, want := range map[string]string{
		"HTTP/1.1 400 Bad Request": "plain HTTP (an answer)",
		"GET / HTTP/1.1":           "plain HTTP (a request)", "SSH-2.0-OpenSSH": "SSH",
		"220 mail ESMTP":     "SMTP or FTP",
		"PROXY TCP4 1.2.3.4": "the PROXY protocol, version 1", "OPTIO": "plain HTTP (a request)",
		"\r\n\r\n\x00\r\nQUIT\n":   "the PROXY protocol, version 2",
		"\x03\x00\x00\x13\x0e\xe0": "RDP (a TPKT header)", "\x10\x0c\x00\x04MQTT\x04": "MQTT",
		"\x16\x03\x01\x00": "", "\x15\x03\x03\x00\x02": "", "": "", "\x16": "",
		"\x00\x00\x12\x04\x00\x00\x00\x00": "HTTP/2 without TLS", "\xff\xfd\x18": "telnet",
		"E\x00\x00\x00\x50S": "PostgreSQL (an error)", "\x04\x01\x00\x2b": "TDS (SQL Server)",
		"\x18\x03\x02\x00\x03": "a heartbeat of TLS before any handshake",
		"\x00\x0e\x38\x01":     "OpenVPN", "0\x0c\x02\x01": "LDAP",
		"\x00\x00\x00\x45\xffSMB": "SMB", "AMQP\x00\x00\x09": "AMQP",
		"\x00\x01\x02": "something unknown", "\x80\x2e\x01\x03\x01": "SSL 2.0",
	} {
		got, ok := diagnose.NotTLS([]byte(first))
		if ok != (want != "") || got != want && ok {
			t.Errorf("%q: got %q, expected %q", first, got, want)
		}
	}
	f := &diagnose.Failure{HandshakeError: &vitrine.HandshakeError{Side: iana.Client, Err: io.EOF},
		First: []byte("HTTP/1.0 400")}
	if d := f.Explain(); !strings.Contains(strings.Join(d.Inferred, ""),
		"does not speak TLS here") {
		t.Errorf("%+v", d)
	}
}
