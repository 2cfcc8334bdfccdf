package explain

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// protocol has the texts that differ between TLS 1.3 and the versions before it. The stories
// themselves are chosen in tell.go; nothing else in this package depends on the version of a
// connection.
type protocol struct {
	introductions []string // of its chapters
	tables        func(tables) []map[string]string
	suite         func(iana.CipherSuite) *suite.Suite

	// what an empty session_id says: the client's, and the server's
	emptySessionID [2]string
	recordVersion  func(said iana.Version) string // what the version of a record says
	// what the version of a record says if it is not that of the connection
	oldRecord    string
	inTheClear   string // what a recording shows
	keyLog       Reader
	ticketKey    Reader
	erasures     []Erasure // behind the private keys of the exchange
	unsigned     string    // why a server signs nothing
	signsNothing string    // the same of a resumption, as a sentence
	// who sees what the server says of itself
	certificateSeen, ticketSeen string

	record      func(*notes, *trace.Record, *trace.KeysInstalled) []Command
	signsHash   bool // a signature is over the hash of the transcript, and not over its messages
	namesPrimes bool // a finite field has a name, and its prime is not sent
}

var protocol12 = protocol{
	introductions: introductions[:],
	tables:        func(t tables) []map[string]string { return t.upTo12 },
	suite:         suite.ByID,
	emptySessionID: [2]string{
		iana.Client: "Empty: the client names no session to resume.",
		iana.Server: "Empty: the server will not remember this session by a name.",
	},
	recordVersion: func(said iana.Version) string {
		return fmt.Sprintf("%v: the version that was agreed", said)
	},
	oldRecord: "The record that brings the ClientHello names an old version, since the version " +
		"is not agreed yet, and old servers refuse what they do not know.",
	inTheClear: "the handshake up to ChangeCipherSpec, with certificates and public keys",
	keyLog: Reader{"and the master_secret, as a key log or a stored session has it",
		"Reads everything: both randoms are in the recording, and no more is needed.", true},
	ticketKey: Reader{"and the key of the server's tickets",
		"Reads everything: the ticket was sent in the clear, and the master_secret is in it.",
		true},
	erasures: []Erasure{
		{"pre_master_secret", "when the master_secret is derived"},
		{"master_secret",
			"when the session cannot be resumed any more: while either side keeps the session, " +
				"whoever steals it reads the recording"},
		{"key_block and the keys that were cut from it", "when the connection ends"},
		{"the key of the server's tickets", "within days, if there are any: a ticket holds a " +
			"master_secret, and is sent in the clear"},
		{"copies: key logs, swapped memory, core dumps, the state of the random generator",
			"any of them may hold or give again one of the above"}},
	unsigned: "nothing: it decrypts",
	signsNothing: "Nothing is signed: both sides have the master_secret of a session, as " +
		"Finished shows. Who they are was proved when the session began.",
	certificateSeen: "yes: sent in the clear",
	ticketSeen:      "yes: sent in the clear",
	record:          (*notes).record12,
}

var protocol13 = protocol{
	introductions: introductions13[:],
	tables:        func(t tables) []map[string]string { return t.in13 },
	suite:         suite.ByID13,
	emptySessionID: [2]string{
		iana.Client: "legacy_session_id, empty: this client does without the disguise as a " +
			"resumption of TLS 1.2.",
		iana.Server: "legacy_session_id_echo, empty, as the client's was: this client does " +
			"without the disguise as a resumption of TLS 1.2.",
	},
	recordVersion: func(iana.Version) string {
		return "says TLS 1.2, whatever the version is: middleboxes cut what says TLS 1.3"
	},
	inTheClear: "the hellos",
	keyLog: Reader{"and the traffic secrets, as a key log has them",
		"Reads what these secrets protect. The Handshake Secret, which no key log has, gives all " +
			"of them but that of early data.", true},
	ticketKey: Reader{"and the key of the server's tickets",
		"Does not read this connection, but the early data of one that resumes it; the rest has " +
			"a key exchange of its own, unless it is psk_ke.", false},
	erasures: []Erasure{
		{"shared secret, Handshake Secret, Main Secret and the secret derived between them; with " +
			"a PSK, the Early Secret", "when all that grows from them has been derived: the last " +
			"is resumption_secret, from the hash up to the client's Finished"},
		{"handshake traffic secrets, their keys, IVs and finished_keys", "when the handshake is " +
			"over"},
		{"exporter_secret", "when the program exports no more: it opens no record, but what the " +
			"program made of it"},
		{"application traffic secrets, their keys and IVs", "when the connection ends, or a " +
			"KeyUpdate has replaced them"},
		{"resumption_secret and the PSKs of tickets", "when no ticket is to be used any more. " +
			"They do not open this connection, but the early data of the next"},
		{"the key of the server's tickets",
			"within days: it opens every ticket, and so the early data of connections that resume"},
		{"copies: key logs, swapped memory, core dumps, the state of the random generator",
			"any of them may hold or give again one of the above"}},
	unsigned: "nothing: the PSK proves it",
	signsNothing: "Nothing is signed: the pre-shared key, which only these two have, goes into " +
		"all keys, and the binder and Finished show that both have it. That of a ticket comes " +
		"from an earlier connection: who is who was shown there, or before it.",
	certificateSeen: "no: sent encrypted",
	ticketSeen:      "no: sent encrypted, until the client shows it in its next hello",
	record:          (*notes).record13,
	signsHash:       true,
	namesPrimes:     true,
}

// protocolOf returns the protocol of a version. As long as that is not known it is TLS 1.2's.
func protocolOf(v iana.Version) *protocol {
	if v == iana.TLS13 {
		return &protocol13
	}
	return &protocol12
}

// Reader is an attacker who recorded the connection, with the secret that he obtains later.
type Reader struct {
	Has   string
	Reads string
	All   bool // the data, too
}

// Erasure is a secret that must be erased, so that nobody can read the connection later.
type Erasure struct{ What, Why string }

// tables are sentences by key, the first that apply first.
type tables struct{ upTo12, in13 []map[string]string }
