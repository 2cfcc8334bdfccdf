package pki

import (
	"bytes"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
)

// ServerParams returns what the signature of a ServerKeyExchange covers: both randoms and the
// parameters as they are on the wire. The randoms keep an old signature from being replayed in
// another connection. Neither the suite nor the version is signed (Logjam). See RFC 5246 §7.4.3 and
// RFC 8422 §5.4.
//
// The signature of a CertificateVerify covers all handshake messages so far, as they were sent, and
// needs no function. See RFC 5246 §7.4.8.
func ServerParams(clientRandom, serverRandom [32]byte, params []byte) []byte {
	return slices.Concat(clientRandom[:], serverRandom[:], params)
}

// CertificateVerify13 is what the signature of a CertificateVerify covers in TLS 1.3: padding, a
// text for each side, and the hash of the handshake up to its Certificate. See RFC 8446 §4.4.3.
func CertificateVerify13(from iana.Side, transcriptHash []byte) []byte {
	context := "TLS 1.3, client CertificateVerify"
	if from == iana.Server {
		context = "TLS 1.3, server CertificateVerify"
	}
	return slices.Concat(bytes.Repeat([]byte{' '}, 64), []byte(context), []byte{0}, transcriptHash)
}
