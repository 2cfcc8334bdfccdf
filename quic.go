package vitrine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// TLS for an implementation of QUIC: RFC 9001. The types of events and levels are those of
// crypto/tls, so that one interface of an implementation of QUIC fits the QUICConn of either.
type (
	QUICEvent                = tls.QUICEvent
	QUICEventKind            = tls.QUICEventKind
	QUICEncryptionLevel      = tls.QUICEncryptionLevel
	QUICSessionTicketOptions = tls.QUICSessionTicketOptions
)

// The kinds of events, and the levels, of crypto/tls.
const (
	QUICNoEvent                     = tls.QUICNoEvent
	QUICSetReadSecret               = tls.QUICSetReadSecret
	QUICSetWriteSecret              = tls.QUICSetWriteSecret
	QUICWriteData                   = tls.QUICWriteData
	QUICTransportParameters         = tls.QUICTransportParameters
	QUICTransportParametersRequired = tls.QUICTransportParametersRequired
	QUICRejectedEarlyData           = tls.QUICRejectedEarlyData
	QUICHandshakeDone               = tls.QUICHandshakeDone
	QUICErrorEvent                  = tls.QUICErrorEvent
	QUICResumeSession               = tls.QUICResumeSession
	QUICStoreSession                = tls.QUICStoreSession

	QUICEncryptionLevelInitial     = tls.QUICEncryptionLevelInitial
	QUICEncryptionLevelEarly       = tls.QUICEncryptionLevelEarly
	QUICEncryptionLevelHandshake   = tls.QUICEncryptionLevelHandshake
	QUICEncryptionLevelApplication = tls.QUICEncryptionLevelApplication
)

var (
	errQUICStart   = errors.New("vitrine: QUICConn: Start was called before")
	errQUICBefore  = errors.New("vitrine: QUICConn: Start was not called")
	errQUICClosed  = errors.New("vitrine: QUICConn: closed")
	errQUICNoALPN  = errors.New("vitrine: QUIC needs Config.NextProtos")
	errQUICVersion = errors.New("vitrine: QUIC needs TLS 1.3, which the Config does not allow")
	errQUICTicket  = errors.New("vitrine: only a server sends tickets, after its handshake")
)

// QUICConfig configures a QUICConn.
type QUICConfig struct {
	// TLSConfig is the configuration of TLS. It must have NextProtos. Only TLS 1.3 is used,
	// whatever MinVersion is; TLS_AES_128_CCM_8_SHA256, limits of records, and authentication after
	// the handshake are left out, which QUIC does not have. A server accepts early data if
	// MaxEarlyData is not 0; how much, QUIC limits by itself.
	TLSConfig *Config

	// EarlyData makes a client offer early data, if it has a ticket that allows it. An attacker who
	// records early data can replay it. QUIC must then remember the server's transport parameters
	// of the connection before. See RFC 9001 §9.2 and RFC 9000 §7.4.1.
	EarlyData bool

	// EnableSessionEvents turns on the events QUICResumeSession, before a session is resumed, and
	// QUICStoreSession, in place of storing a client's session. The SessionState of either can be
	// given back by its pointer alone: its methods do not work. A program may set its EarlyData to
	// false, and change the Extra of one to store.
	EnableSessionEvents bool
}

// QUICConn is the TLS of one connection of QUIC. It does no I/O: QUIC passes in what came in CRYPTO
// frames, and NextEvent says what it must do. Its methods must not be called at the same time. A
// method that fails returns an error that wraps a tls.AlertError, which QUIC must send to the peer
// as a CRYPTO_ERROR, and, in a handshake, is a *HandshakeError. See RFC 9001. It wants
// the transport error PROTOCOL_VIOLATION in place of four alerts: of illegal_parameter for a
// legacy_session_id that is not empty (§8.4) or a wrong max_early_data_size (§4.6.1), and of
// unexpected_message for handshake bytes of another level (§4.1.3) or a CertificateRequest after
// the handshake (§4.4).
type QUICConn struct {
	conn   *Conn // without a transport: what callbacks and ConnectionState need
	early  bool
	params *negotiation.QUIC

	ctx    context.Context
	cancel context.CancelFunc
	engine *engine.QUIC // since Start
	waits  bool         // for our transport parameters
	events quicSessions
	failed error // for good
	told   bool  // of failed, by an event
}

// QUICClient returns the client's side of a connection of QUIC. c.TLSConfig must have a ServerName
// or what takes its place: see Config.ServerName.
func QUICClient(c *QUICConfig) *QUICConn { return newQUICConn(c, iana.Client) }

// QUICServer returns the server's side of a connection of QUIC.
func QUICServer(c *QUICConfig) *QUICConn { return newQUICConn(c, iana.Server) }

func newQUICConn(c *QUICConfig, me iana.Side) *QUICConn {
	q := &QUICConn{conn: newConn(nil, c.TLSConfig, me), early: c.EarlyData,
		params: &negotiation.QUIC{}}
	q.conn.quic, q.events.on = q, c.EnableSessionEvents
	return q
}

// Start begins the handshake. ctx ends it, and bounds its callbacks. Start must be called once.
func (q *QUICConn) Start(ctx context.Context) error {
	if q.engine != nil || q.failed != nil {
		return errQUICStart
	}
	config := q.conn.config
	if len(config.NextProtos) == 0 &&
		(q.conn.me == iana.Client || config.GetConfigForClient == nil) {
		q.failed = errQUICNoALPN
		return q.failed
	}
	h, err := config.handshake(q.conn.me, q.conn, config.log(q.conn))
	if err != nil {
		q.failed = err
		return err
	}
	h.Sends, h.Reads = q.early && q.conn.me == iana.Client, q.conn.me == iana.Server
	q.ctx, q.cancel = context.WithCancel(ctx)
	q.engine = engine.NewQUIC(q.conn.me, h)
	if q.offers(h) {
		return nil // NextEvent goes on
	}
	return q.advance()
}

// forQUIC removes from h what QUIC does not use.
func (q *QUICConn) forQUIC(h *negotiation.Config) error {
	if h.MaxVersion < iana.TLS13 {
		return errQUICVersion
	}
	own := *h.Parameters // the Config's are not changed
	h.Parameters = &own
	h.QUIC, h.MinVersion, h.Suites = q.params, iana.TLS13, nil
	var suites []iana.CipherSuite
	for _, s := range h.Suites13 {
		if s != iana.TLS_AES_128_CCM_8_SHA256 { // RFC 9001 §5.3
			suites = append(suites, s)
		}
	}
	if h.Suites13 = suites; len(suites) == 0 {
		return errQUICVersion
	}
	h.MaxFragmentLength, h.RecordSizeLimit, h.PostHandshakeAuth = 0, 0, false
	if h.MaxEarlyData != 0 {
		h.MaxEarlyData = negotiation.QUICMaxEarlyData
	}
	if q.events.on {
		q.watchSessions(h)
	}
	return nil
}

// advance continues the handshake until it needs more bytes from the peer, or our transport
// parameters.
func (q *QUICConn) advance() error {
	switch err := q.engine.Proceed(q.ctx); {
	case errors.Is(err, errQUICAsks):
		return nil
	case errors.Is(err, handshake.ErrNoTransportParameters):
		if !q.waits {
			q.waits = true
			q.engine.Await()
		}
		return nil
	default:
		return q.fail(err)
	}
}

// fail ends the connection, if err is not nil.
func (q *QUICConn) fail(err error) error {
	if err == nil || q.failed != nil {
		return q.failed
	}
	done := q.engine.Machine().Done()
	code := alert.Of(err)
	q.engine.Fail(err)
	if !done {
		err = newHandshakeError(q.conn.me, q.engine.Machine(), nil, err)
	}
	q.failed = &quicError{err, tls.AlertError(code)}
	return q.failed
}

// quicError is an error with the alert that QUIC tells the peer.
type quicError struct {
	err   error
	alert tls.AlertError
}

func (e *quicError) Error() string   { return e.err.Error() }
func (e *quicError) Unwrap() []error { return []error{e.err, e.alert} }

// NextEvent returns the next thing that QUIC must do, or an event of kind QUICNoEvent. Once the
// connection has failed, it returns a QUICErrorEvent, once, in place of all others.
func (q *QUICConn) NextEvent() QUICEvent {
	if q.failed != nil {
		if q.told || q.engine == nil {
			return QUICEvent{Kind: QUICNoEvent}
		}
		q.told = true
		return QUICEvent{Kind: QUICErrorEvent, Err: q.failed}
	}
	if q.engine == nil {
		return QUICEvent{Kind: QUICNoEvent}
	}
	if e := q.engine.Next(); e.Kind != QUICNoEvent || !q.events.goOn() {
		return e
	}
	_ = q.advance() // the next event tells of its error
	return q.NextEvent()
}

// HandleData processes bytes that came, in order, in the CRYPTO frames of a level. It does not keep
// data. It may call Config's callbacks, and waits for them.
func (q *QUICConn) HandleData(level QUICEncryptionLevel, data []byte) error {
	if err := q.ready(); err != nil {
		return err
	}
	if err := q.engine.Arrived(level, data); err != nil {
		return q.fail(err)
	}
	return q.advance()
}

func (q *QUICConn) ready() error {
	if q.failed == nil && q.engine == nil {
		return errQUICBefore
	}
	return q.failed
}

// SetTransportParameters sets the transport parameters that are sent to the peer, in the encoding
// of RFC 9000 §18. It may be called before Start, or else after the event
// QUICTransportParametersRequired, with which a server has the client's parameters. Later errors
// are reported by a QUICErrorEvent.
func (q *QUICConn) SetTransportParameters(params []byte) {
	if q.params.TransportParameters != nil {
		return // they may have been sent
	}
	q.params.TransportParameters = append([]byte{}, params...)
	if q.waits && q.failed == nil {
		q.waits = false
		_ = q.advance() // NextEvent tells of its error
	}
}

// SendSessionTicket sends the client of a server a ticket, by a QUICWriteData event, once the
// handshake is done: in QUIC nothing else sends one. If opts.EarlyData, the client may send early
// data with it, which needs Config.MaxEarlyData. opts.Extra comes back with QUICResumeSession. If
// the client uses no tickets, none is sent. It may be called several times. See RFC 9001 §4.5.
func (q *QUICConn) SendSessionTicket(opts QUICSessionTicketOptions) error {
	if err := q.ready(); err != nil {
		return err
	}
	switch {
	case q.conn.me != iana.Server || !q.engine.Machine().Done():
		return errQUICTicket
	}
	if err := q.engine.Ticket(q.ctx, opts.EarlyData, opts.Extra); err != nil {
		return fmt.Errorf("vitrine: session ticket: %w", err)
	}
	return nil
}

// ConnectionState returns what was negotiated. Before the handshake is done it is the zero value.
func (q *QUICConn) ConnectionState() ConnectionState {
	if q.engine == nil || !q.engine.Machine().Done() {
		return ConnectionState{}
	}
	return q.conn.stateOf(q.engine.Machine())
}

// Close ends the connection: what is called afterwards returns an error. It returns nil.
func (q *QUICConn) Close() error {
	if q.cancel != nil {
		q.cancel()
	}
	if q.failed == nil {
		q.failed, q.told = errQUICClosed, true
	}
	return nil
}
