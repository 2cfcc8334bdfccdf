package observe

import (
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
)

// protocol has the steps in which observing TLS 1.3 differs from observing an earlier version.
// Nothing else in this package depends on the version.
type protocol interface {
	// hidesTypes reports whether a protected record hides its type. A ChangeCipherSpec then
	// announces nothing. See RFC 8446 §5.2 and §D.4.
	hidesTypes() bool
	// epochs reports whether a direction's keys change more than once, each time to a secret that
	// may be known or not. Otherwise all keys follow from one master_secret.
	epochs() bool

	// alerts returns the section that defines alerts.
	alerts() string

	// first returns the side whose first protected record secrets are tried on.
	first(*handshake.Score) iana.Side
	// torn records that a protected record of the handshake is missing, or part of it.
	torn(*Connection, *lane)
	// after processes a message that follows the figure. It returns false if that must wait.
	after(*Connection, *lane, handshake.Kind) bool
	// learn adds the connection's session to Sessions, if it is new.
	learn(*Connection)

	// logged returns what a key log has for a handshake.
	logged(*keylog.Log, *handshake.Score) []Candidate
	// exchanged returns what derivation begins with, given the result of an ephemeral exchange.
	exchanged(s *handshake.Score, z []byte) handshake.Input
	// shared returns the candidates for a pre-shared key, together with the other sources.
	shared(s *handshake.Score, key []byte, others []Source) []Candidate
	// resumed returns what derivation begins with, given the secret of the session.
	resumed(secret []byte) handshake.Input
	// sessionNames returns the names by which the session that a handshake resumes may be known. It
	// is empty if no session is resumed.
	sessionNames(*handshake.Score) [][]byte
	// complete returns the candidates from which all keys follow.
	complete(c *Connection, s *handshake.Score, list []Candidate) []Candidate
}

// protocol12 is that of the versions up to TLS 1.2.
type protocol12 struct{}

// protocol13 is that of TLS 1.3.
type protocol13 struct{}

// protocolOf returns the protocol of a handshake. As long as no version is negotiated it is that of
// TLS 1.2.
func protocolOf(s *handshake.Score) protocol {
	if s.TLS13() {
		return protocol13{}
	}
	return protocol12{}
}

func (c *Connection) protocol() protocol { return protocolOf(&c.machine.Score) }
