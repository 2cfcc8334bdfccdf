// Package record turns plaintext into records and records into plaintext.
//
// It implements RFC 5246 §6.1 (sequence numbers), §6.2.1 (fragmentation, the header) and §6.2.3
// (the NULL cipher with a MAC, CBC, AEAD); RFC 7366 (encrypt-then-MAC); the ciphers of RFC 5288
// (GCM), RFC 6655 (CCM, CCM_8) and RFC 7905 (ChaCha20-Poly1305); RFC 8446 §5.2 to §5.4 (the records
// of TLS 1.3); and the chained IVs of TLS 1.0 (RFC 2246 §6.2.3.2). Seal does not split records
// against BEAST; package engine, which sends them, does.
//
// NewReader also opens what no peer should send any more but a capture may contain: RC4, forbidden
// by RFC 7465; DES; HMAC-MD5; and SSL 3.0, whose padding cannot be checked (POODLE). A Half seals
// nothing with RC4, DES or SSL 3.0. Compression (RFC 3749) is not done here: package observe
// inflates what Open returns.
//
// # What a failed record reveals
//
// Nothing. Every way in which a record can fail to authenticate gives the same error value and the
// same alert, bad_record_mac, and what was decrypted so far is wiped. With MAC-then-encrypt that is
// not enough: the time taken must not depend on the length of the padding either (Vaudenay 2002,
// Lucky Thirteen 2013). See lucky.go: the padding check, the MAC and the comparison touch the same
// bytes and run the same number of compression functions for all records of one length.
//
// Go guarantees less than that. The compiler makes no promise about branches and secrets, although
// crypto/subtle and the masks used here compile to none today. The hash's compression function and
// the block ciphers are the standard library's: AES and SHA run in constant time where amd64 and
// arm64 have instructions for them, AES uses tables elsewhere, and 3DES always does. The garbage
// collector may pause anywhere, and plaintext that was handed out may leave traces in caches and
// freed memory. Those who cannot accept this negotiate encrypt-then-MAC or an AEAD, where nothing
// depends on plaintext before the record is authenticated.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	header.go joiner.go protection.go limits.go   headers, messages, and what a Protection is
//	cipher.go mac.go lucky.go                     ciphers and MACs; CBC in constant time
//	null.go aead.go aead13.go ccm.go ciphers.go   protections without CBC; the table of ciphers
//	cbc.go new.go half.go                         CBC; choosing a protection; one direction
//	read.go print.go                              old protections, only opened; printing
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package record
