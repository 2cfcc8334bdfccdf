package keys

import (
	"encoding/binary"
	"math"

	"github.com/vitrine-tls/vitrine/alert"
)

const exporterRef = "RFC 5705 §4"

// reserved are the labels by which TLS derives its own secrets: exported under one of them, keys of
// the connection would leave it. The IANA registry of exporter labels has these five and, for TLS
// 1.2, no more.
var reserved = [...]step{masterSecret, extendedMasterSecret, keyExpansion, clientFinished,
	serverFinished}

// Export derives n bytes of keying material for an application, bound to the label and to the
// context of up to 65535 bytes. A nil context is none, which gives another result than an empty
// one. It fails with internal_error for a label that TLS itself uses, for a longer context and for
// a negative n.
//
// Where the master_secret is not an extended one, what is exported is not bound to this connection
// alone: the caller, who knows, refuses (RFC 7627 §5.4). See RFC 5705 §4.
func (m Master) Export(label string, context []byte, r Randoms, n int) ([]byte, error) {
	for _, s := range reserved {
		if label == s.label {
			return nil, alert.Fail(alert.InternalError, exporterRef,
				"got the label %q, which TLS keeps for itself", label)
		}
	}
	if n < 0 {
		return nil, alert.Fail(alert.InternalError, exporterRef,
			"got a length of %d bytes, expected none or more", n)
	}
	if len(context) > math.MaxUint16 {
		return nil, alert.Fail(alert.InternalError, exporterRef,
			"got a context of %d bytes, expected at most %d", len(context), math.MaxUint16)
	}
	seed := r.clientFirst()
	if context != nil {
		seed = binary.BigEndian.AppendUint16(seed, uint16(len(context)))
		seed = append(seed, context...)
	}
	return m.derive(step{"exporter", label, exporterRef}, seed, n), nil
}
