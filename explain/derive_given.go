package explain

import (
	"crypto"
	"fmt"
	"hash"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// Given is the input of a derivation without a handshake. A nil value is not known. What the
// transcript contains need not be given.
type Given struct {
	Version     iana.Version // 0 means that of the transcript, or else TLS 1.2
	Suite       *suite.Suite
	PreMaster   []byte
	Master      []byte
	Client      []byte // client_random
	Server      []byte // server_random
	SessionHash []byte // if not nil, the master_secret is the extended one
	Transcript  []byte // handshake messages from ClientHello on, each with its header
}

// FieldError reports an input that does not fit the others or has a wrong length.
type FieldError struct{ Field, Problem string }

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

func misfit(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

// Derivation is what Derive derived.
type Derivation struct {
	Given Given // completed from the transcript
	// The events that a client of this handshake would have logged.
	Entries  []trace.Entry
	Chapters []Chapter
	Keys     []Key
	Remarks  []string // how values were changed before their use

	transcript transcript
}

func (d *Derivation) hash() crypto.Hash { return d.Given.Suite.PRFHash(d.Given.Version) }

// digest returns the hash of messages that Finished and the extended master secret use.
func (d *Derivation) digest(messages []byte) []byte { return digest(d.hash(), messages) }

func digest(h crypto.Hash, messages []byte) []byte {
	var sum []byte
	for _, one := range parts(h) {
		one.Write(messages)
		sum = one.Sum(sum)
	}
	return sum
}

// parts returns the hashes that h stands for: two before TLS 1.2.
func parts(h crypto.Hash) []hash.Hash {
	if h == crypto.MD5SHA1 {
		return []hash.Hash{crypto.MD5.New(), crypto.SHA1.New()}
	}
	return []hash.Hash{h.New()}
}

// transcript is the list of the messages of a handshake.
type transcript []handshakeMessage

type handshakeMessage struct {
	from iana.Side
	kind iana.HandshakeType
	raw  []byte
	hello
}

// hello holds the contents of a ClientHello or a ServerHello that matter here.
type hello struct {
	version  iana.Version
	random   []byte
	suite    iana.CipherSuite
	extended bool
}

// A toldMessage is a message of a transcript, in the form that the mistakes of all versions use.
type toldMessage struct {
	from iana.Side
	kind iana.HandshakeType
	raw  []byte
}

// name returns the message's name.
func (m toldMessage) name() string { return messageName(m.kind, m.raw) }

// messageName returns the name of a message.
func messageName(kind iana.HandshakeType, raw []byte) string {
	if kind == iana.ServerHello && message.IsHelloRetryRequest(raw) {
		return "hello_retry_request"
	}
	return kind.String()
}

func (d *Derivation) randoms() (r keys.Randoms, ok bool) {
	return keys.Randoms{Client: array(d.Given.Client), Server: array(d.Given.Server)},
		d.Given.Client != nil && d.Given.Server != nil
}

func array(b []byte) (a [32]byte) {
	copy(a[:], b)
	return a
}
