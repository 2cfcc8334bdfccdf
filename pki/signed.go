package pki

import "slices"

// ServerParams is what the signature of a ServerKeyExchange covers: both randoms and the parameters as they stand on the wire.
// The randoms keep an old signature from being replayed in another connection, which it otherwise says nothing about:
// neither the suite nor the version is signed (Logjam). See RFC 5246 §7.4.3 and RFC 8422 §5.4.
//
// The signature of a CertificateVerify covers all handshake messages so far, as they were sent, and needs no function.
// See RFC 5246 §7.4.8.
func ServerParams(clientRandom, serverRandom [32]byte, params []byte) []byte {
	return slices.Concat(clientRandom[:], serverRandom[:], params)
}
