package observe

import (
	"cmp"
	"fmt"
)

// Code says why application data was not decrypted. Codes are stable: programs may compare them.
// docs/reasons.md has all of them, with remedies and examples.
type Code string

// The codes.
const (
	NotTLS                     Code = "not_tls"
	HandshakeNotCaptured       Code = "handshake_not_captured"
	HandshakeFailed            Code = "handshake_failed"
	UnsupportedVersion         Code = "unsupported_version"
	UnsupportedSuite           Code = "unsupported_suite"
	NoSecret                   Code = "no_secret"
	NoEarlySecret              Code = "no_early_secret"
	ForwardSecret              Code = "forward_secret_key_exchange"
	UnknownResumedSession      Code = "unknown_resumed_session"
	WrongPrivateKey            Code = "wrong_private_key"
	WrongSecret                Code = "wrong_secret"
	BytesMissing               Code = "bytes_missing"
	RecordAuthenticationFailed Code = "record_authentication_failed"
	MalformedHandshake         Code = "malformed_handshake"
	TooMuchBuffered            Code = "too_much_buffered"
	InternalError              Code = "internal_error"
)

// Codes returns all codes.
func Codes() []Code {
	return []Code{NotTLS, HandshakeNotCaptured, HandshakeFailed, UnsupportedVersion,
		UnsupportedSuite, NoSecret, NoEarlySecret, ForwardSecret, UnknownResumedSession,
		WrongPrivateKey, WrongSecret, BytesMissing, RecordAuthenticationFailed,
		MalformedHandshake, TooMuchBuffered, InternalError}
}

// Reason is a Code with the details of a case.
type Reason struct {
	Code   Code
	Detail string // a sentence
	Remedy string // a sentence, or empty
	Needs  []Need // any of them helps; the best comes first
	inVain string // which secrets were given that belong elsewhere, or empty; see explain
}

// A Need is a secret that is missing. A program that takes secrets should say how to provide it.
type Need string

// The needs.
const (
	NeedKeyLog       Need = "key_log"       // with a secret of this connection; see KeyLog
	NeedPrivateKey   Need = "private_key"   // of the server's certificate; see RSAKey
	NeedEphemeralKey Need = "ephemeral_key" // of either side; see Ephemeral
)

// Needs returns all needs.
func Needs() []Need { return []Need{NeedKeyLog, NeedPrivateKey, NeedEphemeralKey} }

const fromLog = "key log" // where a secret comes from that KeyLog has found

func (r *Reason) String() string { return fmt.Sprintf("%s: %s", r.Code, r.Detail) }

// weights orders the reasons by how near the search came to a secret that works.
var weights = map[Code]int{NoEarlySecret: -1, NoSecret: 0, UnknownResumedSession: 1,
	WrongPrivateKey: 2, ForwardSecret: 3, WrongSecret: 4, BytesMissing: 5}

// worse returns the reason of the greater weight or, of two equal ones, one that has details.
func worse(a, b *Reason) *Reason {
	if n := cmp.Compare(weights[a.Code], weights[b.Code]); n < 0 || n == 0 && a.Detail == "" {
		return b
	}
	return a
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
