package explain

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
	{"ticket", "What the server gives for the next connection: the name of a PSK, which only the " +
		"server can read.", "RFC 8446 §4.6.1"},
	{"traffic secret", "The secret of one direction and one stage; key and IV are expanded from " +
		"it.", "RFC 8446 §7.3"},
	{"transcript", "All handshake messages so far, in order. Its hash goes into each branch of " +
		"the key schedule, and into signatures and Finished.", "RFC 8446 §4.4.1"},
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
