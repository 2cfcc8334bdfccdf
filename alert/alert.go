package alert

import (
	"errors"
	"fmt"
)

// Description is an AlertDescription. See RFC 5246 §7.2.
type Description uint8

// The alert descriptions.
const (
	CloseNotify                  Description = 0
	UnexpectedMessage            Description = 10
	BadRecordMAC                 Description = 20
	DecryptionFailed             Description = 21
	RecordOverflow               Description = 22
	DecompressionFailure         Description = 30
	HandshakeFailure             Description = 40
	NoCertificate                Description = 41
	BadCertificate               Description = 42
	UnsupportedCertificate       Description = 43
	CertificateRevoked           Description = 44
	CertificateExpired           Description = 45
	CertificateUnknown           Description = 46
	IllegalParameter             Description = 47
	UnknownCA                    Description = 48
	AccessDenied                 Description = 49
	DecodeError                  Description = 50
	DecryptError                 Description = 51
	ExportRestriction            Description = 60
	ProtocolVersion              Description = 70
	InsufficientSecurity         Description = 71
	InternalError                Description = 80
	InappropriateFallback        Description = 86
	UserCanceled                 Description = 90
	NoRenegotiation              Description = 100
	MissingExtension             Description = 109
	UnsupportedExtension         Description = 110
	CertificateUnobtainable      Description = 111
	UnrecognizedName             Description = 112
	BadCertificateStatusResponse Description = 113
	BadCertificateHashValue      Description = 114
	UnknownPSKIdentity           Description = 115
	CertificateRequired          Description = 116
	GeneralError                 Description = 117 // RFC 9846 §6.2
	NoApplicationProtocol        Description = 120
)

var names = map[Description]string{
	CloseNotify:                  "close_notify",
	UnexpectedMessage:            "unexpected_message",
	BadRecordMAC:                 "bad_record_mac",
	DecryptionFailed:             "decryption_failed",
	RecordOverflow:               "record_overflow",
	DecompressionFailure:         "decompression_failure",
	HandshakeFailure:             "handshake_failure",
	NoCertificate:                "no_certificate",
	BadCertificate:               "bad_certificate",
	UnsupportedCertificate:       "unsupported_certificate",
	CertificateRevoked:           "certificate_revoked",
	CertificateExpired:           "certificate_expired",
	CertificateUnknown:           "certificate_unknown",
	IllegalParameter:             "illegal_parameter",
	UnknownCA:                    "unknown_ca",
	AccessDenied:                 "access_denied",
	DecodeError:                  "decode_error",
	DecryptError:                 "decrypt_error",
	ExportRestriction:            "export_restriction",
	ProtocolVersion:              "protocol_version",
	InsufficientSecurity:         "insufficient_security",
	InternalError:                "internal_error",
	InappropriateFallback:        "inappropriate_fallback",
	UserCanceled:                 "user_canceled",
	NoRenegotiation:              "no_renegotiation",
	MissingExtension:             "missing_extension",
	UnsupportedExtension:         "unsupported_extension",
	CertificateUnobtainable:      "certificate_unobtainable",
	UnrecognizedName:             "unrecognized_name",
	BadCertificateStatusResponse: "bad_certificate_status_response",
	BadCertificateHashValue:      "bad_certificate_hash_value",
	UnknownPSKIdentity:           "unknown_psk_identity",
	CertificateRequired:          "certificate_required",
	GeneralError:                 "general_error",
	NoApplicationProtocol:        "no_application_protocol",
}

func (d Description) String() string {
	if n, ok := names[d]; ok {
		return n
	}
	return fmt.Sprintf("0x%02X", uint8(d))
}

// Level is an AlertLevel. See RFC 5246 §7.2.
type Level uint8

// The alert levels. This implementation sends close_notify and no_renegotiation as warnings, and
// all others as fatal; peers may send others as warnings up to TLS 1.2.
const (
	Warning Level = 1
	Fatal   Level = 2
)

func (l Level) String() string {
	switch l {
	case Warning:
		return "warning"
	case Fatal:
		return "fatal"
	}
	return fmt.Sprintf("0x%02X", uint8(l))
}

// Error is a failure on this side of the connection: the alert to send, the section that the peer
// violated, and a reason that says what was received and what was expected. It never contains a
// secret or plaintext.
type Error struct {
	Alert  Description
	Ref    string // such as "RFC 5246 §7.4.3", or empty
	Reason string // at most 4 KiB, with the text of Cause where that helps; if empty, Cause's text
	Cause  error  // for errors.As and errors.Is
	Kind   Kind   // what went wrong, for programs; empty if the alert says it all
}

func (e *Error) Error() string {
	s := e.Reason
	if s == "" && e.Cause != nil {
		s = e.Cause.Error()
	}
	s = clean(s)
	if e.Ref != "" {
		s += " (" + e.Ref + ")"
	}
	return s
}

// Unwrap returns e.Cause.
func (e *Error) Unwrap() error { return e.Cause }

// Fail returns an *Error. An error formatted with %w becomes its Cause. Lists that the peer sent
// should go through Few; a reason that is still too long is cut.
func Fail(d Description, ref, format string, args ...any) error {
	return Kind("").Fail(d, ref, format, args...)
}

// Refused returns an *Error for what a program's callback refused. Its alert is the one that err
// names, if err is or wraps an *Error; else it is d.
func Refused(d Description, what string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok && e.Alert != CloseNotify {
		d = e.Alert
	}
	return KindCallback.Fail(d, "", "%s: %w", what, err)
}

// Malformed returns an *Error with decode_error for a message that could not be decoded, or the
// *Error in err if it has one.
func Malformed(ref string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Alert: DecodeError, Ref: ref, Cause: err, Kind: KindMalformed}
}

// Of returns the alert to send for err: that of the *Error in it, or internal_error if it has none.
// close_notify, the zero value, is not an error: peers would take a failure for an orderly end.
func Of(err error) Description {
	if e, ok := errors.AsType[*Error](err); ok && e.Alert != CloseNotify {
		return e.Alert
	}
	return InternalError
}

// Received is an alert that the peer sent.
type Received struct {
	Level       Level
	Description Description
}

func (r *Received) Error() string {
	return fmt.Sprintf("peer sent alert: %v %v (%d)", r.Level, r.Description, uint8(r.Description))
}

// Fail returns an *Error of this kind: see the function Fail.
func (k Kind) Fail(d Description, ref, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Alert: d, Ref: ref, Reason: clean(err.Error()), Cause: errors.Unwrap(err),
		Kind: k}
}

// KindOf returns the Kind of the *Error in err, or an empty one.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}
