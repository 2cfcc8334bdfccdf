package handshake

import (
	"crypto/x509"
	"errors"
	"io"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// What a handshake is made of: the types that the spine, the effects, the figures and the players
// share.

// Line is one arrow of a figure: who sends, which message, when it is sent, and what changes
// afterwards.
type Line struct {
	From iana.Side
	Says Kind
	When func(*Score) Presence
	Then func(*Machine) error
	Ref  string
}

// Figure is a table of lines, in the RFC's order.
type Figure struct {
	Name  string
	Fits  func(*Score) Presence // asked once both hellos are known
	Lines []Line

	protocol *protocol
}

// figureSet is all figures that a handshake may follow.
type figureSet struct {
	opening *Figure // before one of all is chosen
	// those that fit what ServerHello says stay open
	all []*Figure
	ref func(*Score, *Line, message.Message) string // nil: it is not known yet
}

// A reading is one figure that fits all messages so far, and the position reached in it.
type reading struct {
	*Figure
	at int
}

// protocol is what differs, besides the lines of the figures, between TLS 1.3 and the versions
// before it. It is chosen with the figure. What a client or a server sends (clientPart, serverPart)
// and what is derived (secrets) are interfaces of their own.
type protocol struct {
	// begin is called after the ServerHello.
	begin func(*Machine) error
	// first returns the keys that an Input gives a direction first.
	first func(*Score, Input, iana.Side) (keys.Direction, bool, error)
	// end is called at the end of the handshake.
	end func(*Machine)
	// compresses allows a CompressedCertificate in place of a Certificate.
	compresses bool
}

// Input is the input of key derivation: a pre_master_secret or a master_secret; in TLS 1.3 the
// Early Secret and a shared secret, or traffic secrets.
type Input struct {
	PreMaster, Master []byte
	Early             *keys.Early // nil without a pre-shared key
	PSK               []byte      // an observer's, in place of Early
	Shared            []byte      // nil without a key exchange
	Traffic           *TrafficSecrets
}

// player is what differs between the three roles.
type player interface {
	// compose returns a message of ours; nil omits an optional one.
	compose(Kind, *Score) (message.Message, error)
	// receive returns an error if a message of another side must be rejected.
	receive(from iana.Side, msg message.Message, s *Score) error
	// resumption reports whether the session is resumed, once ServerHello is known: a server
	// answers from its own decision, a client from the echo of its session ID. Only an observer may
	// have to wait for the next message: undecided.
	resumption(*Score) (resumed, undecided bool)
	// secret returns the result of the key exchange, once ClientKeyExchange was sent.
	secret(*Score) (Input, error)
	// finished fails unless everything that this role must know of its peer was proved. Only then
	// may a session be kept.
	// The returned messages, tickets of TLS 1.3, are sent after the last line.
	finished(*Score) ([]message.Message, error)
	// earlyKeys returns the keys of the early data that this side sends or accepts, or nil.
	earlyKeys(*Score) *earlyKeys
	// config is what a client or a server follows; nil at an observer.
	config() *negotiation.Config
	// proved is what the peer has proved; nil at an observer.
	proved() *Peer
	// spares reports whether an error in a message of type t is ignored. unsound: messages before
	// it are missing.
	spares(t iana.HandshakeType, unsound bool) bool
	// withdraw prevents the session of this connection from being resumed.
	withdraw()
	// forget drops what only the handshake needed: hellos, and secrets that were derived from.
	forget()
}

// earlyKeys is what early data is protected with.
type earlyKeys struct {
	secret *keys.Early
	suite  *suite.Suite // of the session
	limit  uint32       // bytes that may be sent
	hello  []byte       // the hash of the ClientHello
}

// EarlyStatus is the state of a client's early data.
type EarlyStatus uint8

// The states. EarlyPending means that the server has not answered yet.
const (
	EarlyNone     EarlyStatus = iota // the client sent none
	EarlyPending                     // the server has not answered
	EarlyAccepted                    // the server has read it, or will
	EarlyRejected                    // the server has ignored it
)

func (s EarlyStatus) String() string {
	return [...]string{"none", "pending", "accepted", "rejected"}[s&3]
}

// earlyState is a Machine's state of early data.
type earlyState struct {
	status   EarlyStatus
	open     bool   // more of it may come, or be sent
	left     uint32 // how many bytes
	exporter *keys.Exporter
}

// Peer is the authenticated identity of the other side. No handshake of a client or a server
// finishes without one, and only the functions that verify a peer create one; an observer has none.
type Peer struct {
	// nil: a client that sent no certificate, and did not have to
	Chain    *pki.Chain
	Scheme   iana.SignatureScheme // of its signature; 0 if it signed nothing in this handshake
	Verified [][]*x509.Certificate
	// PSKIdentity is the identity of the pre-shared key that both sides were proved to have; nil
	// without one.
	PSKIdentity []byte
	// the peer proved that it has the private key of Chain's leaf, or showed no certificate
	possessed   bool
	keyAccepted bool // the program has accepted Chain, a raw public key
}

// KeyAccepted reports whether the program has accepted the peer's raw public key.
func (p *Peer) KeyAccepted() bool { return p.keyAccepted }

// trusted reports whether Chain ends at a root that we trust, or is a raw public key that the
// program has accepted.
func (p *Peer) trusted() bool { return p.Verified != nil || p.keyAccepted }

// Carrier is the record layer as the handshake sees it: it sends messages and changes keys.
type Carrier interface {
	Send(k Kind, raw []byte)
	// called when the version and the limits of records are negotiated
	SetNegotiated(a *negotiation.Agreed)
	// nil keys: this direction can no longer be read, or, if it is our own, is in the clear again
	Protect(from iana.Side, keys *TrafficKeys) error
}

// TrafficKeys is what the record layer needs to protect one direction.
type TrafficKeys struct {
	Version        iana.Version
	Suite          *suite.Suite
	Compression    iana.CompressionMethod
	EncryptThenMAC bool
	MaxPlaintext   int   // in bytes
	Epoch          Epoch // of TLS 1.3
	keys.Direction
	Traffic keys.Traffic // of TLS 1.3: what Direction follows from
}

// Params returns the parameters from which the record layer makes a protection. CBC IVs are read
// from rand.
func (k *TrafficKeys) Params(rand io.Reader) record.Params {
	return record.Params{Version: k.Version, EncryptThenMAC: k.EncryptThenMAC,
		Keys: record.Keys(k.Direction), Rand: rand}
}

// ErrNoSecret is returned to an observer that has no secret for this handshake.
var ErrNoSecret = errors.New("handshake: no secret for this handshake")

// currentMessage is the message that is being processed, and the stage it has reached. A slow
// operation may interrupt it at any stage.
type currentMessage struct {
	*Line
	msg   message.Message
	raw   []byte
	stage int // an index of stages
}

// Machine performs a handshake in one of the three roles. It does no I/O: it receives whole
// messages by Take and sends through its Carrier.
type Machine struct {
	Score

	live    bool // a client or a server; false for an observer
	me      iana.Side
	player  player
	carrier Carrier
	log     *trace.Log

	figures  *figureSet // those that there are
	protocol *protocol  // since ServerHello

	open    []reading // the figures that still fit: one is left when it matters
	spare   []reading // what open was before: order fills the one from the other
	current currentMessage
	prior   *negotiation.Prior
	late    late

	early     earlyState
	disguised bool                    // the ChangeCipherSpec for middleboxes was sent
	keyLog    func(keylog.Line) error // an observer's: see Config.KeyLog

	done    bool
	failed  error // for good
	unsound bool  // an observer's: the transcript has holes
}

// Config returns the configuration that a client or a server follows. A server's changes when
// Hooks.ForClient returns another one. It is nil at an observer.
func (m *Machine) Config() *negotiation.Config { return m.player.config() }

// Peer returns the identity that the peer has proved, or nil for an observer.
func (m *Machine) Peer() *Peer { return m.player.proved() }

// Done reports whether the handshake is complete: every line of the figure was exchanged and every
// check succeeded.
func (m *Machine) Done() bool { return m.done }

// First reports whether this is a connection's first handshake.
func (m *Machine) First() bool { return m.prior == nil }

// Renegotiations returns how many handshakes of the connection came before this one.
func (m *Machine) Renegotiations() int {
	if m.prior == nil {
		return 0
	}
	return m.prior.Number
}

// Forget releases what only the handshake needed. What was negotiated, and the Peer, are kept.
func (m *Machine) Forget() {
	m.Score.forget(m.live)
	m.player.forget()
	m.open, m.spare = nil, nil
}

// Withdraw prevents the session of this connection from being resumed, as far as this side can. It
// is called after a fatal alert of either side. See RFC 5246 §7.2.2.
func (m *Machine) Withdraw() { m.player.withdraw() }

// dialect returns how messages are encoded, as far as the hellos determine it.
func (m *Machine) dialect() message.Dialect {
	d := message.Dialect{Version: iana.TLS12}
	if m.Agreed != nil {
		d = message.Dialect{Version: m.Agreed.Version, Kex: m.Agreed.Kex, Auth: m.Agreed.Auth}
	}
	return d
}

// dialectOf returns how the messages of a side are encoded.
func (m *Machine) dialectOf(from iana.Side) message.Dialect {
	d := m.dialect()
	if m.Agreed != nil {
		d.CertificateType = m.Agreed.CertificateTypes[from]
	}
	return d
}
