package record

import (
	"math"
)

// How many records one key may seal. Nothing ever wraps: a connection that reaches the limit ends.
// TLS 1.2 cannot change keys without a new handshake; TLS 1.3 has KeyUpdate. Short records count as
// full ones.
const (
	// Sequence numbers do not wrap (RFC 5246 §6.1). We stop one before the last, so that counting
	// it does not wrap either.
	seqLimit = math.MaxUint64

	// RFC 8446 §5.5: 2^24.5 records of 2^14 bytes leave an attacker an advantage of 2^-57 over
	// AES-GCM. RFC 5246 says nothing, but the mathematics is the same.
	gcmLimit = 23_726_566

	// RFC 9147 §4.5.3, for CCM and CCM_8 alike: CCM_8 allows fewer failed forgeries, but here the
	// first one ends the connection.
	ccmLimit = 1 << 23

	// Sweet32: with blocks of 64 bits two ciphertext blocks are equal after about 2^32, and reveal
	// the XOR of their plaintexts. At 2^27 blocks, 1 GiB, the probability of that is 2^-11.
	desLimit = 1 << 16
)
