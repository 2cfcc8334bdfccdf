package explain

import (
	"crypto"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// A Point is a place in the transcript of TLS 1.3 whose hash a derivation takes. See RFC 8446 §7.1,
// §4.2.11.2 and §4.4.4.
type Point int

// The points, in their order.
const (
	ToIdentities         Point = iota // of the last pre_shared_key: before its binders
	ToClientHello                     // the first one; it is the only one if there is early data
	ToServerHello                     // with a HelloRetryRequest, behind message_hash
	BeforeServerFinished              // what the server's Finished proves
	ToServerFinished
	BeforeClientFinished // what the client's Finished proves
	ToClientFinished
	points
)

// PointFields are the fields of Given13.Hashes, as derive's flags and files name them.
var PointFields = [points]string{"hash_to_identities", "hash_to_client_hello",
	"hash_to_server_hello", "hash_before_server_finished", "hash_to_server_finished",
	"hash_before_client_finished", "hash_to_client_finished"}

// pointWords say what each point covers.
var pointWords = [points]string{"ClientHello up to the PSK identities", "ClientHello",
	"ClientHello…ServerHello", "ClientHello…before the server's Finished",
	"ClientHello…server's Finished", "ClientHello…before the client's Finished",
	"ClientHello…client's Finished"}

// Given13 is the input of a derivation of TLS 1.3 without a handshake. A nil value is not known.
type Given13 struct {
	Suite   *suite.Suite
	PSK     []byte
	PSKKind string // "res", "ext" or "imp", for the binder; empty is "ext"
	Shared  []byte // the (EC)DHE shared secret
	// In place of Shared: private keys by side. One is enough if the transcript has key_shares.
	Private    [2][]byte
	Group      iana.Group // of the private keys; 0: that of the transcript
	Transcript []byte     // handshake messages from ClientHello on, each with its header
	// Hashes are those of the transcript at a Point, if the messages are not there.
	Hashes [points][]byte
	Nonce  []byte // ticket_nonce; an empty one is not nil

	// A record: what it protects, its type, and its number under its keys.
	Plaintext []byte
	Content   iana.ContentType
	Sequence  uint64
}

// Derivation13 is what Derive13 derived.
type Derivation13 struct {
	Given   Given13
	Entries []trace.Entry
	Values  []Value13
	Remarks []string

	messages messages13
	kex      bool // the handshake exchanges keys: with psk_ke it does not
}

// Value13 is a value that was derived, with how it was.
type Value13 struct {
	Name    string // "client_handshake_traffic_secret", "server_application_write_key_1"
	Bytes   []byte
	Formula string // "HKDF-Extract(0, psk)"
	Part    string // of the schedule: "EARLY", "HANDSHAKE", "MAIN", "RECORD"
}

// digestOf returns the hash of bytes.
func digestOf(h crypto.Hash, b []byte) []byte {
	sum := h.New()
	sum.Write(b)
	return sum.Sum(nil)
}

// messages13 is a transcript of TLS 1.3, as far as it was given.
type messages13 struct {
	list    []message13
	at      [points]int // how many messages a point covers; 0: it is not reached
	retried bool        // there are two ClientHellos, or a message_hash
	trunc   []byte      // the last ClientHello up to the identities, or nil
	group   iana.Group
	shares  [2][]byte // key_exchange of the group, by side
	offered []message.KeyShareEntry
	psk     bool              // the server took a pre-shared key
	sent    map[string][]byte // values that the transcript has, by name
}

type message13 struct {
	from iana.Side
	kind iana.HandshakeType
	raw  []byte
}

// A method is a way to derive the schedule: the zero value is that of RFC 8446. Each field is a
// deviation that people make: see mistakes13.
type method struct {
	hash        crypto.Hash // 0: the suite's
	prefix      labelPrefix
	bareLabel   bool // no length before the label
	bareContext bool // no length before the context
	hashNothing bool // Hash("") is the context of keys, IVs and finished keys
	// Derive-Secret of nothing has an empty context, not Hash("")
	noHash      bool
	zeroHash    bool // it is zeros
	skipDerived bool // HKDF-Extract's salt is the secret before it
	swapExtract bool // salt and IKM have changed places
	noZeros     bool // an absent secret is empty instead of zeros
	bareHMAC    bool // verify_data is keyed by the secret itself
	// the transcript hash is hashed again, as if it were the messages
	twice bool
	raw   bool // the messages stand for their hash
	text  bool // the transcript hash is taken as text
	upper bool // in upper case
	// which bytes of the messages are hashed; nil: the right ones
	tell     func([]toldMessage) []byte
	stripped bool // leading zeros of the shared secret are stripped
	digested bool // the shared secret is hashed
	// to how many bytes the shared secret is padded with zeros in front; 1 is one zero more
	padded   int
	swapHMAC bool // key and data of verify_data have changed places
	prf      bool // the PRF of TLS 1.2 stands for HKDF-Expand-Label
	retry    retryKind
	binder   binderKind
	kind     string        // of the PSK; "": the one given
	cut      map[Point]int // other places of the transcript
	nonce    nonceKind
	data     additionalData
	content  contentPlace
	swap     swap                // one input of one step is another
	inputs   map[string][]byte   // what was given, read in another way, by name
	spell    func(string) string // the spelling of labels
	sumHash  crypto.Hash         // of the transcript alone; 0: that of the schedule
	retrySum crypto.Hash         // of message_hash alone
	length   int                 // HKDF-Expand-Label's length; 0: the right one
	lengthAs func(int) []byte    // how HkdfLabel has it
	empty    bool                // the context of Derive-Secret is empty
	hashed   bool                // the context of a ticket's PSK is the nonce's hash
	// in the place of HKDF-Expand
	expander func(h crypto.Hash, secret, info []byte, n int) []byte
}

// A swap is another value for one input of the step that makes a value: its "secret", "salt", "IKM"
// or "key", or its "label".
type swap struct {
	step, input string
	value       []byte
}

// of returns the value for an input of a step.
func (w swap) of(step, input string, right []byte) []byte {
	if w.step == step && w.input == input {
		return w.value
	}
	return right
}

type (
	labelPrefix    int
	retryKind      int
	binderKind     int
	nonceKind      int
	additionalData int
	contentPlace   int
)

const (
	prefixTLS13 labelPrefix = iota
	prefixNone
	prefixDraft
	prefixDTLS
	prefixBare
	prefixCapitals
)

const (
	retryHashed retryKind = iota
	retryRaw
	retryForgotten
	retryBareHash
	retryRecord
)

const (
	binderTruncated binderKind = iota
	binderWithLength
	binderWhole
	binderZeros
	binderResized
)

const (
	nonceXORed nonceKind = iota
	nonceIVAlone
	nonceLeft
	nonceReplaced
	nonceNumber
	nonceReversed
	nonceNext
	nonceBefore
)

const (
	dataHeader additionalData = iota
	dataNone
	dataUnsealed
	dataTLS12
	dataInnerType
	dataTLS10
	dataTLS13
)

const (
	contentBehind contentPlace = iota
	contentForgotten
	contentInFront
)
