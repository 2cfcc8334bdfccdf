package engine

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A TruncatedError reports that the stream ended without close_notify. An attacker on the network
// can cause that, so the data received may be incomplete. It wraps io.ErrUnexpectedEOF.
type TruncatedError struct {
	Peer iana.Side // who ended the stream
	// Partial reports whether the stream ended inside a record or a handshake message.
	Partial bool
	Ref     string // the section that demands close_notify in the connection's version
}

func (e *TruncatedError) Error() string {
	where := "between two records"
	if e.Partial {
		where = "inside a record or message"
	}
	return fmt.Sprintf("the %v ended the connection %s and without close_notify (%s): %v", e.Peer,
		where, cmp.Or(e.Ref, rules12.closing), io.ErrUnexpectedEOF)
}

// Unwrap returns io.ErrUnexpectedEOF.
func (e *TruncatedError) Unwrap() error { return io.ErrUnexpectedEOF }

// A ClosedError reports that the peer ended the connection by close_notify before the handshake was
// done. It wraps io.ErrUnexpectedEOF.
type ClosedError struct {
	Peer iana.Side // who sent it
}

func (e *ClosedError) Error() string {
	return fmt.Sprintf("the %v closed the connection (close_notify) before the handshake was "+
		"done: %v", e.Peer, io.ErrUnexpectedEOF)
}

// Unwrap returns io.ErrUnexpectedEOF.
func (e *ClosedError) Unwrap() error { return io.ErrUnexpectedEOF }

// Ended takes the end of the peer's stream. It returns io.EOF if the peer has sent close_notify,
// and a *TruncatedError if it has not.
func (e *Engine) Ended() error {
	if e.eof != nil {
		return e.eof
	}
	err := &TruncatedError{Peer: e.me.Peer(), Partial: e.In.Partial(),
		Ref: e.rules().closing}
	e.logFailure(err)
	return err
}

// next returns the next item, and remembers which it was.
func (e *Engine) next() (Item, bool, error) {
	item, ok, err := e.In.Next()
	e.checking = nil
	if ok && item.Type == iana.RecordHandshake {
		e.checking = item.Body
	}
	return item, ok, err
}

// logFailure writes once why the peer was refused to the trace. Errors of the transport, and alerts
// of the peer, are no failure of a check.
func (e *Engine) logFailure(err error) {
	if !e.log.On() || e.failed {
		return
	}
	f := trace.Failed{From: e.me.Peer(), Reason: err.Error()}
	ref := ""
	if cut, ok := errors.AsType[*TruncatedError](err); ok {
		f.Check, ref = alert.KindTruncated, cut.Ref
	} else if x, ok := errors.AsType[*alert.Error](err); ok {
		f.Check, f.Alert, ref = x.Kind, alert.Of(err), x.Ref
		f.Number, f.Record = e.In.half.Number(), bytes.Clone(e.In.refused)
		if len(e.checking) > 0 {
			f.Message = iana.HandshakeType(e.checking[0])
		}
		f.Fields = strings.Join(fields(err, x, len(e.checking) > 0), ", ")
	} else {
		return
	}
	e.failed = true
	e.log.Failed(f, ref)
}

// fields returns the names of the fields that a failure is about, as messages annotate them, or
// nil.
func fields(err error, x *alert.Error, message bool) []string {
	if malformed, ok := errors.AsType[*wire.Error](err); ok {
		return []string{malformed.Path[strings.LastIndexByte(malformed.Path, '.')+1:]}
	}
	if list := checked[x.Kind]; message || x.Kind == alert.KindRecord ||
		x.Kind == alert.KindNotTLS {
		if list == nil && certificateAlerts[x.Alert] {
			return []string{"certificate"}
		}
		return list
	}
	return nil
}

// checked has the fields that a check compares, by what goes wrong.
var checked = map[alert.Kind][]string{
	alert.KindNotTLS:        {"type", "version"},
	alert.KindRecord:        {"fragment"},
	alert.KindVersion:       {"client_version", "server_version", "supported_versions"},
	alert.KindDowngrade:     {"random"},
	alert.KindSuite:         {"cipher_suites", "cipher_suite"},
	alert.KindGroup:         {"named_group_list", "namedcurve"},
	alert.KindShare:         {"key_share", "public"},
	alert.KindScheme:        {"supported_signature_algorithms", "algorithm"},
	alert.KindSignature:     {"signature"},
	alert.KindFinished:      {"verify_data"},
	alert.KindKeyUsage:      {"certificate"},
	alert.KindExtension:     {"extensions"},
	alert.KindMissing:       {"extensions"},
	alert.KindProtocol:      {"protocol_name_list"},
	alert.KindCompression:   {"compression_methods", "compression_method"},
	alert.KindResumption:    {"session_id"},
	alert.KindPSK:           {"identities", "binders"},
	alert.KindRenegotiation: {"renegotiated_connection"},
}

// certificateAlerts are those about a certificate, whose errors have no Kind.
var certificateAlerts = map[alert.Description]bool{
	alert.BadCertificate: true, alert.UnsupportedCertificate: true, alert.CertificateRevoked: true,
	alert.CertificateExpired: true, alert.CertificateUnknown: true, alert.UnknownCA: true,
}
