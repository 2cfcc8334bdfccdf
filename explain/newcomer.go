package explain

import (
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
)

// Introduction returns the introduction of chapter n, from 1, of a story, for a reader who does not
// know TLS. It is empty for a chapter that the story does not have.
func Introduction(s *Story, chapter int) string {
	if text := introductionsPSK[chapter]; text != "" && s.Schedule != nil && s.Result.preShared {
		return text
	}
	list := protocolOf(s.Version).introductions
	if chapter < 1 || chapter > len(list) {
		return ""
	}
	return list[chapter-1]
}

// Word is an entry of the glossary.
type Word struct{ Name, Meaning, Ref string }

// Glossary returns the words of a page about these versions and their meanings, in alphabetical
// order. Where both TLS 1.3 and a version before it are among them, those of TLS 1.3 say so.
func Glossary(versions ...iana.Version) (list []Word) {
	before, in13 := eras(versions)
	if !in13 {
		return glossary
	}
	words := append(slices.Clone(glossary13), inCatalogue()...)
	for _, w := range glossary {
		if before || slices.Contains(common, w.Name) {
			list = append(list, w)
		}
	}
	for _, w := range words {
		if w.Meaning = strings.TrimPrefix(w.Meaning, only13); before {
			w.Meaning = only13 + w.Meaning
		}
		list = append(list, w)
	}
	slices.SortStableFunc(list, func(a, b Word) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return list
}

// only13 begins a sentence about TLS 1.3 where there are also others.
const only13 = "TLS 1.3: "

// inCatalogue returns the words of TLS 1.3 that the catalogue of terms explains.
func inCatalogue() (list []Word) {
	for line := range strings.Lines(termsTSV) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if f[0] == "term" && slices.Contains(catalogued, f[1]) {
			list = append(list, Word{f[1], f[3], f[2]})
		}
	}
	return list
}

var glossary = []Word{
	{"AAD", "Additional authenticated data: what an AEAD authenticates without encrypting it. In " +
		"TLS 1.2 the sequence number, type, version and length of the record.",
		"RFC 5246 §6.2.3.3"},
	{"AEAD", "A cipher that encrypts and authenticates with one key: GCM, CCM, " +
		"ChaCha20-Poly1305. It needs no separate MAC.", "RFC 5116"},
	{"alert", "A message of two bytes: how bad it is, and what it is. A fatal one ends the " +
		"connection.", "RFC 5246 §7.2"},
	{"CBC", "Cipher block chaining: each block is mixed with the encrypted one before it, and " +
		"the first with the IV.", "RFC 5246 §6.2.3.2"},
	{"certificate", "A name and a public key, signed by an authority.", "RFC 5280"},
	{"chain", "Certificates that each sign the one before, from the server's up to a root that " +
		"the client trusts.", "RFC 5246 §7.4.2"},
	{"ChangeCipherSpec",
		"One byte that says: from here on my records are protected by the new keys.",
		"RFC 5246 §7.1"},
	{"cipher suite", "One name for a key exchange, a way to prove identity, a cipher and a hash.",
		"RFC 5246 §A.5"},
	{"Diffie-Hellman",
		"Two sides send public keys and come to the same secret from their private ones. Over " +
			"numbers modulo a prime: DHE. Over points of an elliptic curve: ECDHE. The E says " +
			"that the keys are ephemeral.", "RFC 5246 §8.1.2, RFC 8422 §5.10"},
	{"eavesdropper",
		"Somebody who reads all that is sent. One who also changes it is an attacker in the " +
			"middle.", "RFC 5246 §F"},
	{"encrypt-then-MAC",
		"The MAC covers the ciphertext, so that a forged record is thrown away before it is " +
			"decrypted.", "RFC 7366"},
	{"ephemeral", "Made for this handshake and forgotten afterwards.", "RFC 5246 §F.1.1.3"},
	{"extended master secret",
		"The master_secret is derived from a hash of all messages up to ClientKeyExchange " +
			"instead of the two randoms.", "RFC 7627"},
	{"extension",
		"An addition to a hello: the name of the server, groups, signature schemes. What the " +
			"other side does not know it ignores.", "RFC 5246 §7.4.1.4"},
	{"forward secrecy",
		"Who records today and steals the server's private key later still cannot read the " +
			"recording. It comes from ephemeral keys.", "RFC 5246 §F.1.1.2"},
	{"group", "The arithmetic in which Diffie-Hellman is done: x25519, secp256r1, ffdhe2048.",
		"RFC 8422, RFC 7919"},
	{"handshake", "Everything up to the first protected data.", "RFC 5246 §7.3"},
	{"HMAC", "A MAC made of a hash function.", "RFC 2104"},
	{"IV", "Initialisation vector: what makes equal plaintexts encrypt differently. For an AEAD, " +
		"what is derived with the keys for the nonce; the number of the record, or a value in " +
		"it, makes each nonce different.", "RFC 5246 §6.2.3"},
	{"key_block",
		"The bytes that the PRF expands the master_secret to. They are cut into the keys.",
		"RFC 5246 §6.3"},
	{"MAC", "Message authentication code: a checksum that needs a key. Who lacks the key cannot " +
		"change the message unnoticed.", "RFC 5246 §6.2.3.1"},
	{"MAC-then-encrypt",
		"The MAC covers the plaintext and is encrypted with it. That order made padding oracles " +
			"possible.", "RFC 5246 §6.2.3.2"},
	{"master_secret", "48 bytes from which all keys of a connection come.", "RFC 5246 §8.1"},
	{"nonce", "A number used once. The hellos have one each; with an AEAD so does each record.",
		"RFC 5246 §7.4.1"},
	{"P_hash", "HMAC over and over: A(1) is the HMAC of the seed, A(2) that of A(1), and so on. " +
		"Each gives one block of output.", "RFC 5246 §5"},
	{"padding", "Bytes that fill the last block of a CBC record. Each says how many there are " +
		"besides the last one.",
		"RFC 5246 §6.2.3.2"},
	{"pre_master_secret", "What the key exchange gives: the root of all other secrets.",
		"RFC 5246 §8.1"},
	{"PRF", "Pseudorandom function: secret, label and seed go in, as many bytes as wanted come " +
		"out. In TLS 1.2 it is P_hash.", "RFC 5246 §5"},
	{"random", "32 bytes in each hello. They are public.", "RFC 5246 §7.4.1.2"},
	{"record", "The envelope: 5 bytes of header (type, version, length) and what follows.",
		"RFC 5246 §6.2"},
	{"sequence number",
		"Counts the records of one direction. It goes into the MAC, the nonce or the additional " +
			"data of each record and is not sent, except that GCM and CCM records may show it.",
		"RFC 5246 §6.1"},
	{"session_hash", "The hash of all messages up to and including ClientKeyExchange.",
		"RFC 7627 §3"},
	{"signature", "Made with a private key, verified with the public one.", "RFC 5246 §4.7"},
	{"tag", "What an AEAD adds to the ciphertext. If it does not fit, nothing is decrypted.",
		"RFC 5116 §2.1"},
	{"transcript", "All handshake messages so far, in order, as they were sent.",
		"RFC 5246 §7.4.9"},
	{"verify_data", "12 bytes in Finished: the proof that both sides saw the same handshake.",
		"RFC 5246 §7.4.9"},
}

// glossary13 are the words of TLS 1.3: those that mean something else there than before it, and
// those that came with it. What the catalogue of terms has is not repeated: see catalogued.
var glossary13 = []Word{
	{"AAD", "Additional authenticated data: what an AEAD authenticates without encrypting it. In " +
		"TLS 1.3 the 5 bytes of the record's header.", "RFC 8446 §5.2"},
	{"alert", "A message of two bytes: a level, which means nothing any more, and what it is. " +
		"All but close_notify and user_canceled end the connection.", "RFC 8446 §6"},
	{"chain", "Certificates that each sign the one before, from the server's up to a root that " +
		"the client trusts.", "RFC 8446 §4.4.2"},
	{"ChangeCipherSpec", "One byte that means nothing any more: it makes the handshake look like " +
		"one of TLS 1.2 to middleboxes.", "RFC 8446 §D.4"},
	{"cipher suite", "One name for an AEAD and a hash. Key exchange and signature are negotiated " +
		"on their own.", "RFC 8446 §B.4"},
	{"Diffie-Hellman", "Two sides send public keys and come to the same secret from their " +
		"private ones. Over points of an elliptic curve: ECDHE. Over numbers modulo a prime: " +
		"DHE. The E says that the keys are ephemeral.", "RFC 8446 §7.4"},
	{"early data", "Another word for 0-RTT.", "RFC 8446 §2.3"},
	{"forward secrecy", "Who records today and steals the server's private key later still " +
		"cannot read the recording. It comes from ephemeral keys.", "RFC 8446 §E.1"},
	{"group", "The arithmetic of the key exchange: x25519, secp256r1, ffdhe2048, or a hybrid.",
		"RFC 8446 §4.2.7"},
	{"handshake", "Everything up to both Finished; tickets, KeyUpdates and late certificates may " +
		"follow.", "RFC 8446 §2"},
	{"HkdfLabel", "What HKDF-Expand is told besides the secret: the length of what it makes, a " +
		"label that begins with “tls13 ”, and a hash or nothing.", "RFC 8446 §7.1"},
	{"hybrid", "A group that is a curve and ML-KEM side by side. Both secrets go into the key " +
		"schedule: whoever wants it must break both.", "RFC 10024"},
	{"inner type", "What an encrypted record really is. It stands behind the content, inside the " +
		"encryption: the header says application_data, whatever it is.", "RFC 8446 §5.2"},
	{"IV", "12 bytes from a traffic secret. A record's nonce is the IV with its sequence number " +
		"XORed in.", "RFC 8446 §5.3"},
	{"key schedule", "The tree of all secrets: three times a secret is mixed in from the side " +
		"(PSK, shared secret, nothing), and each traffic secret is a branch.", "RFC 8446 §7.1"},
	{"key share", "A public key in a hello, for one group.", "RFC 8446 §4.2.8"},
	{"KeyUpdate", "A message that says: from here on I use the next traffic secret.",
		"RFC 8446 §4.6.3"},
	{"ML-KEM", "A way to send a secret to a public key which no quantum computer is known to " +
		"break.", "RFC 10024"},
	{"nonce", "A number used once. The hellos have one each, the randoms; so does each record.",
		"RFC 8446 §4.1.2, §5.3"},
	{"padding", "Zeros behind the inner type, as many as the sender likes, which hide how long " +
		"the content is.", "RFC 8446 §5.4"},
	{"PSK identity", "What the client sends in the place of a PSK, so that the server finds the " +
		"key: a ticket, or the name of a key that both were given.", "RFC 8446 §4.2.11"},
	{"random", "32 bytes in each hello. They are public, and go into the keys with the " +
		"transcript.", "RFC 8446 §4.1.2"},
	{"record", "The envelope: 5 bytes of header (type, version, length) and what follows.",
		"RFC 8446 §5.1"},
	{"sequence number", "Counts the records under one key. It goes into each nonce and is not " +
		"sent.", "RFC 8446 §5.3"},
	{"shared secret", "What the key exchange gives; (EC)DHE in the RFC's picture.",
		"RFC 8446 §7.4"},
	{"signature", "Made with a private key, verified with the public one. In CertificateVerify: " +
		"over the transcript.", "RFC 8446 §4.4.3"},
	{"tag", "What an AEAD adds to the ciphertext. If it does not fit, nothing is decrypted.",
		"RFC 8446 §5.2"},
	{"ticket", "What the server gives for the next connection: the client shows it as the " +
		"identity of a PSK, and only the server can read it.", "RFC 8446 §4.6.1"},
	{"traffic secret", "The secret of one direction and one stage; key and IV are expanded from " +
		"it.", "RFC 8446 §7.3"},
	{"transcript", "All handshake messages so far, in order. Its hash goes into the first " +
		"traffic secrets of each stage, and into signatures and Finished.", "RFC 8446 §4.4.1"},
	{"verify_data", "The content of Finished: HMAC(finished_key, transcript hash), as long as " +
		"the hash.", "RFC 8446 §4.4.4"},
}

// catalogued are words of TLS 1.3 whose sentences the catalogue of terms has.
var catalogued = []string{"0-RTT", "binder", "Early Secret", "exporter_secret", "finished_key",
	"Handshake Secret", "HelloRetryRequest", "HKDF", "Main Secret", "PSK", "psk_dhe_ke", "psk_ke",
	"resumption_secret"}

// common are words whose sentences in the glossary of TLS 1.2 hold for TLS 1.3, too.
var common = []string{"AEAD", "certificate", "eavesdropper", "ephemeral", "extension", "HMAC",
	"MAC"}
