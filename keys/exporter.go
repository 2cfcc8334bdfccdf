package keys

import (
	"encoding/binary"
	"math"

	"github.com/vitrine-tls/vitrine/alert"
)

const exporterRef = "RFC 5705 §4"

// reserved are the labels by which TLS derives its own secrets: exporting under one of them would
// reveal keys of the connection. The IANA registry of exporter labels reserves these five for TLS
// 1.2.
var reserved = [...]step{masterSecret, extendedMasterSecret, keyExpansion, clientFinished,
	serverFinished}

// Export derives n bytes of keying material for an application, bound to the label and to the
// context of up to 65535 bytes. A nil context means no context, which yields different output than
// an empty one. It fails with internal_error for a label that TLS itself uses, for a longer context
// and for a negative n.
//
// Unless the master_secret is an extended one, the result is not bound to this connection alone;
// the caller must refuse then (RFC 7627 §5.4). See RFC 5705 §4.
func (m Master) Export(label string, context []byte, r Randoms, n int) ([]byte, error) {
	for _, s := range reserved {
		if label == s.label {
			return nil, alert.Fail(alert.InternalError, exporterRef,
				"got the label %q, which TLS reserves for itself", label)
		}
	}
	if n < 0 {
		return nil, alert.Fail(alert.InternalError, exporterRef,
			"got a length of %d bytes, expected 0 or more", n)
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
