package handshake

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// A man in the middle who changes one message of a TLS 1.3 handshake stands for a peer that breaks
// a rule. The machines' messages are not protected here, so that each can be changed.

// config13 is a side that speaks TLS 1.3 alone.
func config13(seed string) *negotiation.Config {
	c := config(seed)
	c.MinVersion, c.MaxVersion, c.Suites, c.Suites13 = iana.TLS13, iana.TLS13, nil,
		suite.Preference13()
	c.Groups = []iana.Group{iana.X25519, iana.Secp256r1}
	return c
}

// edit changes a message, or returns false if it is not the one.
type edit func(m message.Message) bool

// on makes an edit of the first message of a type.
func on[M message.Message](change func(M)) edit { return nth(1, change) }

// nth makes an edit of the nth message of a type.
func nth[M message.Message](n int, change func(M)) edit {
	return func(m message.Message) bool {
		x, ok := m.(M)
		if !ok {
			return false
		}
		if n--; n != 0 {
			return false
		}
		change(x)
		return true
	}
}

// pMinus1 returns p - 1 of ffdhe2048, a share of order 2.
func pMinus1(t *testing.T) []byte {
	t.Helper()
	g, ok := kex.Named(iana.FFDHE2048)
	if !ok {
		t.Fatal("ffdhe2048 is not known")
	}
	p, _ := kex.Params(g)
	p = bytes.Clone(p)
	p[len(p)-1]--
	return p
}

// tampered performs a handshake in which from's messages are edited, and gives both sides' errors.
func tampered(t *testing.T, client, server *negotiation.Config, from iana.Side,
	change edit) (errs [2]error, touched bool) {
	t.Helper()
	desks := [2]*desk{{}, {}}
	machines := [2]*Machine{NewClient(client, desks[0]), NewServer(server, desks[1])}
	goOn := func(me iana.Side, do func() error) {
		err := do()
		for {
			p, ok := errors.AsType[*Pending](err)
			if !ok {
				errs[me] = err
				return
			}
			if err = p.Do(context.Background()); err == nil {
				err = machines[me].Speak()
			}
		}
	}
	goOn(iana.Client, machines[0].Speak)
	var heard [2]int
	for turns := 0; turns < 8 && errs == [2]error{}; turns++ {
		me := iana.Side(1 - turns%2)
		sender := me.Peer()
		for errs[me] == nil && heard[sender] < len(desks[sender].said) {
			line := desks[sender].said[heard[sender]]
			heard[sender]++
			if line.kind == ChangeCipherSpec || machines[me].Done() {
				continue
			}
			raw := line.raw
			if sender == from {
				d := machines[sender].dialect()
				m, err := d.Parse(raw)
				if err != nil {
					t.Fatal(err)
				}
				if change(m) {
					touched = true
					if raw, err = d.Encode(m); err != nil {
						t.Fatal(err)
					}
				}
			}
			goOn(me, func() error {
				return machines[me].Take(sender, machines[me].KindOf(raw), raw)
			})
		}
		if errs[me] == nil && !machines[me].Done() {
			goOn(me, machines[me].Speak)
		}
	}
	return errs, touched
}

// without drops an extension.
func without(e *message.Extensions, t iana.ExtensionType) {
	*e = slices.DeleteFunc(*e, func(x message.Extension) bool { return x.Type == t })
}

// with puts a content in the place of an extension's.
func with(t *testing.T, e *message.Extensions, typ iana.ExtensionType, c message.Content) {
	t.Helper()
	var one message.Extensions
	if err := one.Add(typ, c); err != nil {
		t.Fatal(err)
	}
	for i := range *e {
		if (*e)[i].Type == typ {
			(*e)[i] = one[0]
			return
		}
	}
	*e = append(one, *e...) // not behind pre_shared_key
}

type badCase struct {
	what   string
	change func(t *testing.T) edit
	want   alert.Description
	setup  func(client, server *negotiation.Config)
}

func sh13(f func(t *testing.T, m *message.ServerHello)) func(*testing.T) edit {
	return func(t *testing.T) edit {
		return on(func(m *message.ServerHello) { f(t, m) })
	}
}

// Servers of TLS 1.3 that a client refuses, with the alert that the RFC names.
func TestAClientRefusesBadServersOfTLS13(t *testing.T) {
	retry := func(client, server *negotiation.Config) {
		server.Groups = []iana.Group{iana.Secp256r1}
	}
	ask := func(client, server *negotiation.Config) { server.ClientAuth.Request = true }
	unasked := func(client, server *negotiation.Config) {
		client.Timestamps, client.StatusRequest = negotiation.Off, negotiation.Off
	}
	older := func(client, server *negotiation.Config) {
		retry(client, server)
		client.MinVersion, client.Suites = iana.TLS12, []iana.CipherSuite{ecdheECDSA}
	}
	ffdhe := func(client, server *negotiation.Config) {
		client.Groups = []iana.Group{iana.FFDHE2048}
		server.Groups = client.Groups
	}
	finite := func(share []byte) *message.KeyShare {
		return &message.KeyShare{KeyShareEntry: message.KeyShareEntry{Group: iana.FFDHE2048,
			KeyExchange: share}}
	}
	again := func(f func(t *testing.T, m *message.ServerHello)) func(*testing.T) edit {
		return func(t *testing.T) edit {
			return nth(2, func(m *message.ServerHello) { f(t, m) })
		}
	}
	x := func(e func(m *message.EncryptedExtensions)) func(*testing.T) edit {
		return func(*testing.T) edit { return on(e) }
	}
	cases := []badCase{
		{"RFC 9846 §4.2.3: legacy_version",
			sh13(func(_ *testing.T, m *message.ServerHello) { m.Version = iana.TLS13 }),
			alert.ProtocolVersion, nil},
		{"RFC 9846 §4.2.3: legacy_version of a retry",
			sh13(func(_ *testing.T, m *message.ServerHello) { m.Version = iana.TLS11 }),
			alert.ProtocolVersion, retry},
		{"§4.1.3: the session ID is not echoed",
			sh13(func(t *testing.T, m *message.ServerHello) { m.SessionID = nil }),
			alert.IllegalParameter, nil},
		{"§4.1.3: compression",
			sh13(func(t *testing.T, m *message.ServerHello) { m.CompressionMethod = 1 }),
			alert.IllegalParameter, nil},
		{"§4.1.3: a suite that was not offered",
			sh13(func(t *testing.T,
				m *message.ServerHello) {
				m.CipherSuite = iana.TLS_AES_128_CCM_SHA256
			}), alert.IllegalParameter, nil},
		{"§4.2.1: a version before TLS 1.3", sh13(func(t *testing.T, m *message.ServerHello) {
			with(t, &m.Extensions, iana.ExtSupportedVersions,
				&message.SelectedVersion{Version: iana.TLS12})
		}), alert.IllegalParameter, nil},
		{"§4.2.8: a share of another group", sh13(func(t *testing.T, m *message.ServerHello) {
			with(t, &m.Extensions, iana.ExtKeyShare,
				&message.KeyShare{KeyShareEntry: message.KeyShareEntry{Group: iana.Secp384r1,
					KeyExchange: make([]byte, 97)}})
		}), alert.IllegalParameter, nil},
		{"§4.2.8: a share that is none", sh13(func(t *testing.T, m *message.ServerHello) {
			with(t, &m.Extensions, iana.ExtKeyShare,
				&message.KeyShare{KeyShareEntry: message.KeyShareEntry{Group: iana.X25519,
					KeyExchange: make([]byte, 32)}})
		}), alert.IllegalParameter, nil},
		{"§4.2.8: no share",
			sh13(func(t *testing.T,
				m *message.ServerHello) {
				without(&m.Extensions,
					iana.ExtKeyShare)
			}), alert.MissingExtension, nil},
		{"§4.2: an answer that nobody asked for", sh13(func(t *testing.T, m *message.ServerHello) {
			with(t, &m.Extensions, iana.ExtPreSharedKey, &message.SelectedPSK{})
		}), alert.UnsupportedExtension, nil},
		{"§4.2: an extension in the wrong message",
			sh13(func(t *testing.T, m *message.ServerHello) {
				with(t, &m.Extensions, iana.ExtServerName, nil)
			}), alert.IllegalParameter, nil},
		{"§4.1.4: a retry for a group that was shared",
			sh13(func(t *testing.T, m *message.ServerHello) {
				with(t, &m.Extensions, iana.ExtKeyShare, &message.SelectedGroup{Group: iana.X25519})
			}), alert.IllegalParameter, retry},
		{"§4.1.4: a retry for a group that was not offered",
			sh13(func(t *testing.T, m *message.ServerHello) {
				with(t, &m.Extensions, iana.ExtKeyShare, &message.SelectedGroup{Group: iana.X448})
			}), alert.IllegalParameter, retry},
		{"§4.1.4: a retry that changes nothing",
			sh13(func(t *testing.T,
				m *message.ServerHello) {
				without(&m.Extensions,
					iana.ExtKeyShare)
			}), alert.IllegalParameter, retry},
		{"§4.2.2: a cookie that a second hello may have no room for",
			sh13(func(t *testing.T, m *message.ServerHello) {
				with(t, &m.Extensions, iana.ExtCookie,
					&message.Cookie{Cookie: make([]byte, maxCookie-1)})
			}), alert.IllegalParameter, retry},
		{"§4.1.4: another HelloRetryRequest", again(func(_ *testing.T, m *message.ServerHello) {
			m.Random = message.RetryRandom()
		}), alert.UnexpectedMessage, retry},
		{"§4.1.4: a retry with a suite that was not offered",
			sh13(func(_ *testing.T, m *message.ServerHello) {
				m.CipherSuite = iana.TLS_AES_128_CCM_SHA256
			}), alert.IllegalParameter, retry},
		{"§4.1.4: another suite than the retry's",
			again(func(_ *testing.T, m *message.ServerHello) {
				m.CipherSuite = iana.TLS_CHACHA20_POLY1305_SHA256
			}), alert.IllegalParameter, retry},
		{"§4.1.4: an earlier version than the retry's",
			again(func(t *testing.T, m *message.ServerHello) {
				with(t, &m.Extensions, iana.ExtSupportedVersions,
					&message.SelectedVersion{Version: iana.TLS12})
			}), alert.IllegalParameter, retry},
		{"§4.1.4: no version behind the retry's",
			again(func(_ *testing.T, m *message.ServerHello) {
				without(&m.Extensions, iana.ExtSupportedVersions)
			}), alert.IllegalParameter, older},
		{"§4.2.1: a version that was not offered", sh13(func(t *testing.T, m *message.ServerHello) {
			with(t, &m.Extensions, iana.ExtSupportedVersions,
				&message.SelectedVersion{Version: 0x0305})
		}), alert.IllegalParameter, nil},
		{"§4.2.8: a share of another group than the retry's",
			again(func(t *testing.T, m *message.ServerHello) {
				with(t, &m.Extensions, iana.ExtKeyShare,
					&message.KeyShare{KeyShareEntry: message.KeyShareEntry{Group: iana.X25519,
						KeyExchange: make([]byte, 32)}})
			}), alert.IllegalParameter, retry},
		{"§4.2.8.1: a finite field's share of p - 1",
			sh13(func(t *testing.T, m *message.ServerHello) {
				with(t, &m.Extensions, iana.ExtKeyShare, finite(pMinus1(t)))
			}), alert.IllegalParameter, ffdhe},
		{"§4.2.8.1: a finite field's share that is short",
			sh13(func(t *testing.T, m *message.ServerHello) {
				with(t, &m.Extensions, iana.ExtKeyShare, finite([]byte{4}))
			}), alert.IllegalParameter, ffdhe},
		{"§D.1: an earlier version than ours", sh13(func(_ *testing.T, m *message.ServerHello) {
			without(&m.Extensions, iana.ExtSupportedVersions)
		}), alert.ProtocolVersion, nil},
		{"§D.5: SSL 3.0", sh13(func(_ *testing.T, m *message.ServerHello) {
			without(&m.Extensions, iana.ExtSupportedVersions)
			m.Version = iana.SSL30
		}), alert.ProtocolVersion, nil},
		{"§4.2: a key share in CertificateRequest", func(*testing.T) edit {
			return on(func(m *message.CertificateRequest) {
				m.Extensions = append(m.Extensions, message.Extension{Type: iana.ExtKeyShare})
			})
		}, alert.IllegalParameter, ask},
		{"§4.2: a key share beside a certificate", func(*testing.T) edit {
			return on(func(m *message.Certificate) {
				m.Extensions = []message.Extensions{{{Type: iana.ExtKeyShare}}}
			})
		}, alert.IllegalParameter, nil},
		{"§4.3.1: a key share in EncryptedExtensions", x(func(m *message.EncryptedExtensions) {
			m.Extensions = append(m.Extensions,
				message.Extension{Type: iana.ExtKeyShare, Data: make([]byte, 4)})
		}), alert.IllegalParameter, nil},
		{"§4.2: an unknown extension in EncryptedExtensions",
			x(func(m *message.EncryptedExtensions) {
				m.Extensions = append(m.Extensions, message.Extension{Type: 0xABCD})
			}), alert.UnsupportedExtension, nil},
		{"§4.3.2: a context", func(*testing.T) edit {
			return on(func(m *message.CertificateRequest) { m.Context = []byte{1} })
		}, alert.IllegalParameter, ask},
		{"§4.3.2: no signature_algorithms", func(*testing.T) edit {
			return on(func(m *message.CertificateRequest) {
				without(&m.Extensions, iana.ExtSignatureAlgorithms)
			})
		}, alert.MissingExtension, ask},
		{"§4.4.2: a context",
			func(*testing.T) edit {
				return on(func(m *message.Certificate) { m.Context = []byte{1} })
			}, alert.IllegalParameter, nil},
		{"§4.4.2.4: no certificate",
			func(*testing.T) edit { return on(func(m *message.Certificate) { m.Chain = nil }) },
			alert.DecodeError, nil},
		{"§4.4.2: an extension that nobody asked for", func(*testing.T) edit {
			return on(func(m *message.Certificate) {
				m.Extensions = []message.Extensions{{{Type: 0xABCD}}}
			})
		}, alert.UnsupportedExtension, nil},
		{"§4.4.2: SCTs that we did not ask for", leafWith(iana.ExtSCT, oneSCT),
			alert.UnsupportedExtension, unasked},
		{"§4.4.2: an OCSP response that we did not ask for",
			leafWith(iana.ExtStatusRequest, []byte{1, 0, 0, 1, 0}), alert.UnsupportedExtension,
			unasked},
		{"§4.4.3: PKCS #1 v1.5", func(*testing.T) edit {
			return on(func(m *message.CertificateVerify) { m.Scheme = iana.RSA_PKCS1_SHA256 })
		}, alert.IllegalParameter, nil},
		{"§4.4.3: ECDSA with another curve", func(*testing.T) edit {
			return on(func(m *message.CertificateVerify) { m.Scheme = iana.ECDSA_SECP384R1_SHA384 })
		}, alert.IllegalParameter, nil},
		{"§4.4.3: a wrong signature", func(*testing.T) edit {
			return on(func(m *message.CertificateVerify) { m.Signature[len(m.Signature)-1] ^= 1 })
		}, alert.DecryptError, nil},
		{"§4.4.4: a wrong Finished",
			func(*testing.T) edit { return on(func(m *message.Finished) { m.VerifyData[0] ^= 1 }) },
			alert.DecryptError, nil},
		{"§4.4.4: a short Finished",
			func(*testing.T) edit {
				return on(func(m *message.Finished) { m.VerifyData = m.VerifyData[:12] })
			}, alert.DecryptError, nil},
	}
	for _, c := range cases {
		client, server := config13("client"), config13("server")
		server.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
		if c.setup != nil {
			c.setup(client, server)
		}
		expectAlert13(t, c.what, client, server, iana.Server, c.change(t), c.want)
	}
}

// A server that speaks TLS 1.3 and was made to choose less says so, and a client that offered TLS
// 1.3 listens: RFC 8446 §4.1.3.
func TestDowngradesAreNoticed(t *testing.T) {
	client, server := config("client", ecdheECDSA), config("server", ecdheECDSA)
	server.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
	for _, c := range []*negotiation.Config{client, server} {
		c.MaxVersion, c.Suites13 = iana.TLS13, suite.Preference13()
	}
	errs, touched := tampered(t, client, server, iana.Client, on(func(m *message.ClientHello) {
		without(&m.Extensions, iana.ExtSupportedVersions)
	}))
	if err := errs[iana.Client]; !touched || err == nil || alert.Of(err) != alert.IllegalParameter {
		t.Errorf("got %v", errs)
	}
}

// A program can ask whether a hello suits before anything is decided, also one that offers a
// ticket.
func TestSuitsKnowsTLS13(t *testing.T) {
	server := config13("server")
	server.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
	server.Tickets = true
	server.Open = func(context.Context, []byte) (*Session,
		error) {
		t.Error("a ticket was opened")
		return nil, nil
	}
	client := config13("client")
	client.Skip, client.Tickets = true, true
	client.Offer = &Session{Version: iana.TLS13, Suite: suite.Preference13()[0], ServerName: name,
		Master: make([]byte, 32),
		Ticket: []byte("ticket"), Created: throwaway.Epoch,
		Chain: server.Credentials[0].Chain.Raw()}
	client.Offer.Bound = client.Bound(iana.Client)
	ch := firstHello(t, client)
	if !ch.Extensions.Has(iana.ExtPreSharedKey) {
		t.Fatal("the hello offers no ticket")
	}
	if err := Suits(ch, server); err != nil {
		t.Error(err)
	}
	server.Groups = []iana.Group{iana.Secp521r1}
	if err := Suits(ch, server); err == nil {
		t.Error("a server without a common group suits")
	}
}
