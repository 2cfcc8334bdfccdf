package vitrine

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// Demand says how much one side wants something that both must agree to.
type Demand = negotiation.Demand

// The demands. The zero value uses what the peer can do.
const (
	Preferred = negotiation.Preferred
	Off       = negotiation.Off
	Required  = negotiation.Required
)

// Config configures a client or a server. Fields that crypto/tls has too keep its name and meaning.
// A Config may be used by many connections at once; it must not be changed, or copied, after its
// first use: Clone it.
type Config struct {
	// Rand is where the randoms of the hellos, the private keys of key exchanges, IVs, paddings and
	// salts come from; nil is crypto/rand. The ticket keys that a server makes by itself, and what
	// an ECDSA signature draws, come from crypto/rand.
	Rand io.Reader

	// Time is the time for certificates; nil is time.Now.
	Time func() time.Time

	// Certificates are the certificate chains of this side, with their private keys. A server takes
	// the first that suits the client, a client the first that suits the server's request.
	Certificates []tls.Certificate

	// GetCertificate, if set, chooses a server's certificate; nil leaves it to Certificates, and so
	// does a client that names no server if there are Certificates. GetConfigForClient gives a
	// server another Config for this client, or nil for this one. GetClientCertificate chooses a
	// client's certificate; one without a chain, or nil, shows none. Each may take its time: the
	// info's Context ends with the handshake's.
	GetCertificate       func(*ClientHelloInfo) (*tls.Certificate, error)
	GetConfigForClient   func(*ClientHelloInfo) (*Config, error)
	GetClientCertificate func(*CertificateRequestInfo) (*tls.Certificate, error)

	// GetPSK, if set, finds a pre-shared key: a client's, in TLS 1.2 for the server's hint, or a
	// server's for the client's identity; nil if there is none. It turns pre-shared keys on in TLS
	// 1.3 and, until TLS 1.2, the suites with one. A server that has a key for the client shows no
	// certificate and asks for none. In TLS 1.3 a server is also asked for tickets that it cannot
	// open. PSKIdentityHint is what a server sends in TLS 1.2. See RFC 4279, RFC 8446 §4.2.11 and
	// RFC 9257.
	GetPSK          func(*PSKInfo) (*PSK, error)
	PSKIdentityHint []byte

	// GetPSKs, if set, is asked in place of GetPSK, which must be set too, for the keys that a
	// client offers in TLS 1.3, best first; nil ones are left out. A server takes one that it knows
	// and that fits a suite, and need not look at more than the first few identities: ours looks at
	// four, of which a ticket is the first, and an imported key one for each hash of the suites.
	GetPSKs func(*PSKInfo) ([]*PSK, error)

	// PSKKeyExchangeModes are how TLS 1.3 may use a pre-shared key or a ticket, best first; nil is
	// psk_dhe_ke alone, which also exchanges keys. With psk_ke there is no key exchange: an
	// attacker who obtains the key, or the key of the tickets, can read recorded connections. See
	// RFC 8446 §4.2.9.
	PSKKeyExchangeModes []iana.PSKKeyExchangeMode

	// CertificateTypes are the certificate types that a client offers to send, best first:
	// iana.X509 and iana.RawPublicKey. nil takes those of Certificates in their order; only a
	// client with GetClientCertificate, whose choice is not known yet, needs to say it. See
	// RawPublicKey.
	CertificateTypes []iana.CertificateType

	// PeerCertificateTypes are the certificate types that this side accepts from its peer, best
	// first; nil is iana.X509 alone. A server that asks for certificates takes its first that the
	// client can show. See RFC 7250.
	PeerCertificateTypes []iana.CertificateType

	// RawKeyPins are the raw public keys that this side accepts of its peer, each as the SHA-256 of
	// its SubjectPublicKeyInfo (DER); see RawKeyPin. VerifyRawPublicKey, if set, is called for a
	// key too, and without pins it decides alone; an error refuses the key. A raw public key does
	// not say who owns it: no name, root, date or OCSP response is checked. So a client that
	// accepts them needs pins or the callback, unless InsecureSkipVerify, and so does a server that
	// verifies its clients. Pins hold with InsecureSkipVerify, too. Both are asked again before a
	// session is resumed.
	RawKeyPins         [][32]byte
	VerifyRawPublicKey func(spki []byte) error

	// RootCAs are the root certificates that a client trusts; nil means those of the system.
	RootCAs *x509.CertPool

	// LegacyRoots are roots besides RootCAs and ClientCAs for chains with a signature that
	// crypto/x509 does not compute: with SHA-1 or SHA-224, which only policy Legacy accepts, or of
	// an authority whose key is RSASSA-PSS or Ed448. A pool cannot be listed: of its roots such a
	// chain can only reach one that the peer sends along, or whose own signature is of the usual
	// kinds.
	LegacyRoots []*x509.Certificate

	// ChainCacheDisabled makes each full handshake verify the peer's chain. Otherwise the
	// signatures of a chain that was verified in this process are not verified again for the same
	// name, rules and pool with the same content, while all its certificates are valid. At most 256
	// such verdicts are kept. Signatures of the handshake are always verified, and all callbacks
	// called: with a pool that has a constraint (x509.CertPool.AddCertWithConstraint), and with a
	// Trace, every chain is verified.
	ChainCacheDisabled bool

	// NextProtos are the application protocols, best first. See RFC 7301.
	NextProtos []string

	// ServerName is the DNS name or IP address that the server's certificate must be valid for. A
	// name is also sent in server_name. It is required unless InsecureSkipVerify or GetPSK is set,
	// or PeerCertificateTypes has raw public keys alone.
	ServerName string

	// ClientAuth says whether a server requests a certificate from its clients and how it checks
	// it. ClientCAs are the root certificates that it trusts for clients.
	ClientAuth tls.ClientAuthType
	ClientCAs  *x509.CertPool

	// InsecureSkipVerify makes a client accept any server. Such a connection does not authenticate
	// the server. The client then also accepts certificates that crypto/x509 refuses to read, as
	// long as their key can be read, RSA keys under 1024 bits, and any KeyUsage unless there is a
	// VerifyPeerCertificate: see ConnectionState.PeerCertificates.
	InsecureSkipVerify bool

	// UnknownNamesRefused makes a server answer unrecognized_name, RFC 6066 §3, to a client that
	// asks for a name that none of its certificates has, GetCertificate's included. Otherwise such
	// a client gets a certificate for another name and decides for itself.
	UnknownNamesRefused bool

	// VerifyPeerCertificate, if set, is called after the peer's chain was verified, and an error
	// from it refuses the peer. verifiedChains is nil where nothing was verified. It is asked again
	// before a session is resumed: if it then fails, the handshake is a full one. An error of it,
	// or of another callback, that is or wraps an *alert.Error chooses the alert that the peer
	// gets.
	VerifyPeerCertificate func(rawCerts [][]byte, verifiedChains [][]*x509.Certificate) error

	// VerifyConnection, if set, is called for every connection, resumed ones included, and an error
	// from it ends the handshake. It is called after all other checks, before a session is kept and
	// before any application data.
	VerifyConnection func(ConnectionState) error

	// CipherSuites, if set, are exactly the suites to use, best first: unlike with crypto/tls the
	// order counts, and naming a deprecated suite turns it on. nil takes those of the Policy. They
	// say nothing about TLS 1.3, whose suites among them are skipped: see CipherSuites13. Without a
	// suite the versions up to TLS 1.2 are off.
	CipherSuites []uint16

	// CipherSuites13, if set, are exactly the suites of TLS 1.3 to use, best first; nil takes those
	// of the Policy, which leave out TLS_AES_128_CCM_SHA256 and TLS_AES_128_CCM_8_SHA256. An empty
	// list turns TLS 1.3 off.
	CipherSuites13 []uint16

	// ClientOrder makes a server choose by the client's order of cipher suites and groups, among
	// those that it allows. Without it the server's own order counts, which no client can worsen.
	ClientOrder bool

	// MinVersion and MaxVersion bound the version, which is TLS 1.0 to 1.3. 0 takes the bound of
	// the Policy: TLS 1.3 at most, and with Modern TLS 1.2 at least.
	MinVersion, MaxVersion uint16

	// CurvePreferences are the groups, best first, finite-field groups (RFC 7919) included; nil
	// takes those of the Policy.
	CurvePreferences []tls.CurveID

	// KeyShares are the groups of which a client's first hello of TLS 1.3 has a key share; nil is
	// the first group, and X25519 behind X25519MLKEM768. A server that wants another group asks for
	// its share, which costs a round trip; so it does of an empty list. See RFC 8446 §4.2.8.
	KeyShares []tls.CurveID

	// SignatureSchemes, if set, are the schemes that this side signs with and accepts, best first
	// (an ECDSA key prefers the one of its curve): naming a deprecated one turns it on. nil takes
	// those of the Policy. They say nothing about the signatures of certificates, and nothing below
	// TLS 1.2. Certificate.SupportedSignatureAlgorithms limits one key.
	SignatureSchemes []tls.SignatureScheme

	// KeyLogWriter, if set, receives each connection's secrets in the form of RFC 9850, as soon as
	// they exist. An attacker who reads it can decrypt the connection.
	KeyLogWriter io.Writer

	// Policy is the set of defaults; nil is Modern.
	Policy *Policy

	// ExtendedMasterSecret is RFC 7627, EncryptThenMAC is RFC 7366 (for CBC suites), StatusRequest
	// is a stapled OCSP response, RFC 6066 §8. Timestamps asks for certificate transparency's, RFC
	// 6962 §3.3.
	ExtendedMasterSecret Demand
	EncryptThenMAC       Demand
	StatusRequest        Demand
	Timestamps           Demand

	// MaxFragmentLength is the length of records that a client requests: 512, 1024, 2048 or 4096
	// bytes; 0 requests nothing. See RFC 6066 §4.
	MaxFragmentLength int

	// RecordSizeLimit is the longest plaintext that this side wants to receive, 64 to 16384 bytes;
	// 0 says nothing. In TLS 1.3 it includes the content type and the padding. See RFC 8449.
	RecordSizeLimit int

	// RecordPadding, if set, returns the length in bytes to which a record of TLS 1.3 with n bytes
	// of content is padded; n or less pads nothing, and no record gets longer than the peer allows.
	// Padding hides the length of each record, and neither how many there are nor when. See PadTo
	// and RFC 8446 §5.4.
	RecordPadding func(n int) int

	// DynamicRecordSizingDisabled makes records of application data as long as they may be from the
	// first one on. By default the first fits into a packet, and the following ones grow to their
	// full length within 128 KiB: at the start of a connection the peer can read sooner. Records
	// with RecordPadding do not grow.
	DynamicRecordSizingDisabled bool

	// HelloFragment is how many bytes of its first ClientHello a client puts in a record, 1 to
	// 16384; 0 puts all of it in one. It is for servers that cannot read a long record. QUIC has no
	// records. See RFC 5246 §6.2.1.
	HelloFragment int

	// RecordSplitDisabled leaves out the record of one byte that goes before each record of data
	// with CBC in TLS 1.0. It is for servers that fail at such records. Without it, an attacker who
	// chooses part of the data and sees the records can test guesses at the rest (BEAST,
	// CVE-2011-3389).
	RecordSplitDisabled bool

	// CertificateCompression names what may compress the certificates of either side in TLS 1.3,
	// best first; nil compresses none. A chain of 3 KiB becomes one of 1 to 2 KiB. A side that
	// names an algorithm expands certificates of a peer that is not authenticated yet: up to 128
	// KiB, with memory that the peer does not determine, and in about the time of a signature. See
	// RFC 8879.
	CertificateCompression []iana.CertificateCompressionAlgorithm

	// AwaitServer makes a client that was asked for a certificate in TLS 1.3 wait for the server's
	// first record, a session ticket or data, before its handshake is done: a refused certificate
	// is then an error of the handshake. Without it, the first Read returns that error, and data
	// that was written before is lost. It is off because a server that issues no tickets and lets
	// the client speak first makes such a client wait without end: set a deadline.
	AwaitServer bool

	// CookieKeys make a server of TLS 1.3 answer each first ClientHello with a HelloRetryRequest,
	// whose cookie holds all that it must remember of it: another server with the same keys can go
	// on. A cookie holds for one client's hello and for a minute; within it the hello can be
	// replayed. It costs a round trip, and 0-RTT. The first key makes cookies, all of them open
	// them. See RFC 8446 §4.2.2.
	CookieKeys [][32]byte

	// PostHandshakeAuth lets a client of TLS 1.3 answer a server that asks for a certificate after
	// the handshake, with its Certificates or GetClientCertificate, and a server ask: see
	// Conn.RequestClientCertificate. HTTP/2 forbids it.
	PostHandshakeAuth bool

	// GREASE makes a client offer reserved values in each list of its ClientHello, and a server put
	// them into its requests, so that peers which do not ignore unknown values are found. A peer
	// that chooses one is refused. See RFC 8701.
	GREASE bool

	// Renegotiation is what a client answers to a server that asks for another handshake, as some
	// do to get a certificate late. A server of ours never renegotiates.
	Renegotiation tls.RenegotiationSupport

	// ClientSessionCache keeps a client's sessions, so that the next connection to the same
	// ServerName needs no key exchange. Without a ServerName the key is the connection's remote
	// address.
	ClientSessionCache ClientSessionCache

	// SessionTicketsDisabled keeps a server from issuing tickets and a client from asking for them.
	// See RFC 5077. With a SessionStore a server of TLS 1.3 still resumes: what it issues then is
	// the ID of a session in the store, and no session.
	SessionTicketsDisabled bool

	// TicketCount is how many tickets a server sends in TLS 1.3 after a full handshake, 1 to 16; 0
	// is 2. A client uses each once, so that it can have as many connections to the server at once
	// that resume. After a resumption there is one, for the one that was used.
	TicketCount int

	// SessionLifetime is how long sessions of TLS 1.3 can be resumed at a server, counted from
	// their full handshake: at most seven days; 0 is 24 hours, as in TLS 1.2. A key of tickets is
	// kept for as long after the six hours in which it seals. See RFC 8446 §4.6.1.
	SessionLifetime time.Duration

	// TicketKeys are what a server's tickets are sealed with; nil: keys of this process, which
	// rotate by themselves.
	TicketKeys session.TicketKeys

	// WrapSession, if set, makes a server's ticket of a session, in place of TicketKeys; if the
	// ticket is empty, none is sent. UnwrapSession, if set, gives the session of a ticket, or nil
	// if there is none, with which the handshake is a full one. They may use EncryptTicket and
	// DecryptTicket, or SessionState.Bytes and ParseSessionState; a ticket that is not encrypted,
	// or can be guessed, reveals the session's secrets. An error ends the handshake. In
	// UnwrapSession the state has the Version and the ServerName alone. Each may take its time.
	WrapSession   func(ConnectionState, *SessionState) ([]byte, error)
	UnwrapSession func(ticket []byte, s ConnectionState) (*SessionState, error)

	// SessionStore keeps a server's sessions for clients without tickets, and in TLS 1.3 for all if
	// SessionTicketsDisabled; nil: there are no session IDs. See RFC 5246 §7.3.
	SessionStore session.Store

	// StoreTimeout is how long a call of SessionStore, TicketKeys or ClientSessionCache may take; 0
	// is half a second. After it the handshake continues without a session, and the trace says so.
	StoreTimeout time.Duration

	// MaxEarlyData is how many bytes of early data a server lets its clients send; 0 means none. An
	// attacker who records early data can replay it. Therefore each ticket can be used for early
	// data once, which needs a SessionStore that is a session.Taker; the client's view of the
	// ticket's age may differ from ours by ten seconds; and none is accepted in the ten seconds
	// after the first use of this Config, or of the one that it was cloned from. With
	// VerifyConnection none is accepted. It is read by Conn.ReadEarly alone. See RFC 8446 §8.
	MaxEarlyData uint32

	// Trace, if set, receives every event of every connection of this Config, secrets included. See
	// package trace.
	Trace trace.Sink

	// TraceFor, if set, takes the place of Trace and returns the sink of one connection, or nil. It
	// gets the connection below (nil for QUIC) when the handshake begins: at a server, when the
	// client's first message has come. The handshake waits for Put: see trace.Queue.
	TraceFor func(net.Conn) trace.Sink

	cache       credentials
	made        atomic.Pointer[made]
	kept        negotiation.Kept
	tickets     tickets
	stores      stores
	start       atomic.Pointer[start]
	validConfig atomic.Bool // a server has found that a handshake can begin with this Config
}

// PadTo returns a Config.RecordPadding that pads records to multiples of a number of bytes, which
// must be above 0. Multiples of 16384 make all records as long as the longest.
func PadTo(multiple int) func(n int) int {
	return func(n int) int { return (n + multiple - 1) / multiple * multiple }
}

// Clone copies a Config that may be in use.
func (c *Config) Clone() *Config {
	if c == nil {
		return nil
	}
	n := &Config{
		Rand: c.Rand, Time: c.Time, Certificates: c.Certificates, GetCertificate: c.GetCertificate,
		GetPSK: c.GetPSK, GetPSKs: c.GetPSKs, PSKIdentityHint: c.PSKIdentityHint,
		PSKKeyExchangeModes: c.PSKKeyExchangeModes,
		GetConfigForClient:  c.GetConfigForClient, GetClientCertificate: c.GetClientCertificate,
		CertificateTypes:     c.CertificateTypes,
		PeerCertificateTypes: c.PeerCertificateTypes, RawKeyPins: c.RawKeyPins,
		VerifyRawPublicKey: c.VerifyRawPublicKey,
		VerifyConnection:   c.VerifyConnection, RootCAs: c.RootCAs, NextProtos: c.NextProtos,
		ServerName: c.ServerName, ClientAuth: c.ClientAuth, ClientCAs: c.ClientCAs,
		LegacyRoots: c.LegacyRoots, InsecureSkipVerify: c.InsecureSkipVerify,
		ChainCacheDisabled:    c.ChainCacheDisabled,
		VerifyPeerCertificate: c.VerifyPeerCertificate, CipherSuites: c.CipherSuites,
		CipherSuites13: c.CipherSuites13, ClientOrder: c.ClientOrder,
		MinVersion: c.MinVersion,
		MaxVersion: c.MaxVersion, CurvePreferences: c.CurvePreferences, KeyShares: c.KeyShares,
		SignatureSchemes:    c.SignatureSchemes,
		UnknownNamesRefused: c.UnknownNamesRefused, KeyLogWriter: c.KeyLogWriter, Policy: c.Policy,
		ExtendedMasterSecret: c.ExtendedMasterSecret, EncryptThenMAC: c.EncryptThenMAC,
		StatusRequest: c.StatusRequest,
		Timestamps:    c.Timestamps, MaxFragmentLength: c.MaxFragmentLength,
		RecordSizeLimit: c.RecordSizeLimit, Renegotiation: c.Renegotiation,
		CertificateCompression: c.CertificateCompression, AwaitServer: c.AwaitServer,
		RecordPadding: c.RecordPadding, GREASE: c.GREASE, PostHandshakeAuth: c.PostHandshakeAuth,
		HelloFragment: c.HelloFragment, RecordSplitDisabled: c.RecordSplitDisabled,
		DynamicRecordSizingDisabled: c.DynamicRecordSizingDisabled,
		CookieKeys:                  c.CookieKeys,
		ClientSessionCache:          c.ClientSessionCache,
		SessionTicketsDisabled:      c.SessionTicketsDisabled, TicketKeys: c.tickets.source(c),
		SessionStore: c.SessionStore, StoreTimeout: c.StoreTimeout,
		WrapSession: c.WrapSession, UnwrapSession: c.UnwrapSession,
		TicketCount: c.TicketCount, SessionLifetime: c.SessionLifetime,
		MaxEarlyData: c.MaxEarlyData, Trace: c.Trace, TraceFor: c.TraceFor,
	}
	n.start.Store(c.sharedStart())
	return n
}

// handshake turns the Config into what a handshake of one side over conn needs. That a session
// cache fails is told to log.
func (c *Config) handshake(me iana.Side, conn *Conn, log *trace.Log) (*negotiation.Config, error) {
	h := &negotiation.Config{Rand: c.Rand, Log: log, RecordPadding: c.RecordPadding,
		Kept: &c.kept}
	if h.Rand == nil {
		h.Rand = rand.Reader
	}
	if c.Time != nil {
		h.Now = c.Time()
	}
	if c.KeyLogWriter != nil {
		h.KeyLog = c.logKey
	}
	var err error
	if h.Parameters, err = c.parameters(); err != nil {
		return nil, err
	}
	if h.Credentials, err = c.cache.parse(c.Certificates); err != nil {
		return nil, err
	}
	h.NamedOnly, h.CertificateTypes = c.UnknownNamesRefused, c.CertificateTypes
	h.Hooks, h.PreShared = c.hooks(conn), c.preShared()
	if err := c.checkTickets(); err != nil {
		return nil, err
	}
	h.Resumption = c.resumption(me, conn, h)
	if h.Trust, err = c.trust(me); err != nil {
		return nil, err
	}
	h.EarlyData, err = c.earlyData(me)
	h.Accept = c.accept(conn)
	if err == nil && conn.quic != nil {
		err = conn.quic.forQUIC(h)
	}
	return h, err
}
