// Package record turns plaintext into records and records into plaintext: ③ of the story.
//
// It implements RFC 5246 §6.1 (sequence numbers), §6.2.1 (fragmentation, the header) and §6.2.3
// (the NULL cipher with a MAC, CBC, AEAD); RFC 7366 (encrypt-then-MAC); the ciphers of RFC 5288
// (GCM), RFC 6655 (CCM, CCM_8) and RFC 7905 (ChaCha20-Poly1305); and the IV chaining of TLS 1.0
// (RFC 2246 §6.2.3.2), for those who read old captures: BEAST is a reason not to speak it, and
// nothing here splits records against it. Compression (RFC 3749) is left out because of CRIME, RC4
// because of RFC 7465, and SSL 3.0, whose padding nobody can check, because of POODLE.
//
// # What a failed record tells
//
// Nothing. Each way in which a record can fail to authenticate is one error value and one alert,
// bad_record_mac, and what was decrypted so far is wiped. With MAC-then-encrypt that is not enough:
// how long it took must not tell the length of the padding either (Vaudenay 2002, Lucky Thirteen
// 2013). See lucky.go: padding check, MAC and comparison touch the same bytes and run the same
// number of compression functions for all records of one length.
//
// Go promises less than that. The compiler keeps no rule about branches and secrets, although
// crypto/subtle and the masks used here compile to none today; the hash's compression function and
// the block ciphers are the standard library's (constant time with the instructions of amd64 and
// arm64 for AES and SHA; AES from tables without them; 3DES always from tables); the garbage
// collector may pause anywhere; and plaintext that was handed out may leave traces in caches and
// freed memory. Whoever cannot accept this negotiates encrypt-then-MAC or an AEAD, where no
// plaintext exists before the record has proved itself.
package record
