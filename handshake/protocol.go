package handshake

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
)

// protocol is what the figures of TLS 1.3 have in common, or those of the versions before it, beside
// their lines. It is chosen with the figures. What else differs is behind an interface: what a client
// or a server says (clientPart, serverPart), and what is derived (secrets).
type protocol struct {
	// begin is what follows from the ServerHello.
	begin func(*Machine) error
	// first returns the keys that an Input gives a direction first.
	first func(*Score, Input, iana.Side) (keys.Direction, bool, error)
	// end is what the end of the handshake leaves behind.
	end func(*Machine)
	// compresses says that a CompressedCertificate may stand for a Certificate.
	compresses bool
}

var (
	protocol12 = protocol{begin: begin12, first: first12, end: func(*Machine) {}}
	protocol13 = protocol{begin: begin13, first: first13, end: (*Machine).keepTranscript,
		compresses: true}
)
