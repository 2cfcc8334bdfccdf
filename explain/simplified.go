package explain

import (
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
)

// Simplification is something that short descriptions of TLS get wrong or leave out.
type Simplification struct {
	Says   string // the simplified statement
	Really string
	Ref    string
}

// Simplified returns the simplifications about these versions, in the order in which a handshake
// meets them: first those about TLS 1.2 and before it, then those about TLS 1.3.
func Simplified(versions ...iana.Version) (list []Simplification) {
	before, in13 := eras(versions)
	if before {
		list = append(list, simplified...)
	}
	if in13 {
		list = append(list, simplified13...)
	}
	return list
}

// eras reports whether there is a version before TLS 1.3 among them, and whether TLS 1.3 is. Of a
// connection without a version that is TLS 1.2, as in protocolOf.
func eras(versions []iana.Version) (before, in13 bool) {
	in13 = slices.Contains(versions, iana.TLS13)
	before = slices.ContainsFunc(versions, func(v iana.Version) bool { return v != iana.TLS13 })
	return before || !in13, in13
}

var simplified = []Simplification{
	{"The client makes the pre-master secret, and then both sides exchange random numbers.",
		"The nonces come first, in the two hellos and in the clear, before any secret exists. " +
			"The pre_master_secret follows three or more messages later.",
		"RFC 5246 §7.4.1"},
	{"The pre-master secret is 48 random bytes.",
		"With RSA it is 46 random bytes behind two that repeat the version which the client " +
			"offered first, so that a rollback shows. With Diffie-Hellman it is as long as the " +
			"group makes it, it is not chosen by anybody, and it is never sent.",
		"RFC 5246 §7.4.7.1, §8.1.2"},
	{"The key block is cut into encryption keys, then MAC keys, then IVs.",
		"The MAC keys come first, then the encryption keys, then the IVs, each the client's " +
			"before the server's.",
		"RFC 5246 §6.3"},
	{"Six keys are derived: two MAC keys, two encryption keys, two IVs.",
		"Six is the most. A CBC suite takes no IV from the key_block in TLS 1.2, because every " +
			"record brings its own; in TLS 1.0 it took two. An AEAD takes no MAC keys. GCM and " +
			"CCM take 4 bytes of IV a side, ChaCha20-Poly1305 takes 12. Wireshark prints a " +
			"longer key expansion than a CBC suite uses.",
		"RFC 5246 §6.3, RFC 5288 §3, RFC 7905 §2"},
	{"Both derivations use the randoms in the same order.",
		"The master_secret takes client_random + server_random, the key_block takes " +
			"server_random + client_random.",
		"RFC 5246 §8.1, §6.3"},
	{"The master secret is derived from the pre-master secret and the two randoms.",
		"Since RFC 7627 it is usually derived from the pre_master_secret and the hash of all " +
			"messages up to and including ClientKeyExchange. Where it still comes from " +
			"the randoms, an attacker between two sides can have one master_secret with both " +
			"(triple handshake).",
		"RFC 7627 §4"},
	{"Forward secrecy comes from hashing, or from fresh session keys.",
		"It comes from ephemeral private keys that are forgotten. Every handshake has fresh " +
			"session keys, and with RSA key exchange none of them is forward secret: the " +
			"server's key opens the recording, years later.",
		"RFC 5246 §F.1.1.2, §F.1.1.3"},
	{"Every record carries an HMAC.",
		"Only with CBC and NULL suites. An AEAD authenticates by its tag, with the key that " +
			"encrypts.",
		"RFC 5246 §6.2.3.3"},
	{"The data is encrypted, then authenticated.",
		"TLS 1.2 with CBC does it the other way around: MAC, then padding, then encryption, " +
			"which made padding oracles possible. encrypt_then_mac repairs it where both sides " +
			"agree on it.",
		"RFC 5246 §6.2.3.2, RFC 7366"},
	{"The certificate proves who the server is.",
		"Anybody can send somebody else's certificate. The proof is the private key: the server " +
			"decrypts the pre_master_secret with it (RSA), or signs both randoms and its " +
			"ephemeral key (DHE, ECDHE). And encryption without the check of the certificate " +
			"proves nothing about who is there.",
		"RFC 5246 §7.4.2, §7.4.3"},
	{"The nonces prevent replays.",
		"The randoms of the hellos stop the replay of a whole handshake. The sequence numbers, " +
			"which each side counts for itself whatever a record shows, stop the replay of a " +
			"single record.",
		"RFC 5246 §F.2, §6.1"},
	{"Finished is a formality.",
		"Until the server's has been checked, the client does not know whether its list of " +
			"suites arrived as it was sent. ChangeCipherSpec is no handshake message and is not " +
			"in the hash.",
		"RFC 5246 §7.4.9"},
	{"One session key encrypts both directions.",
		"Each direction has its own keys and its own sequence numbers. With one key for both, a " +
			"record could be sent back to its sender.",
		"RFC 5246 §6.3"},
}

// simplified13 are the simplifications about TLS 1.3.
var simplified13 = []Simplification{
	{"TLS 1.3 encrypts the handshake.",
		"Every message but the hellos, which name the server, the versions, suites and groups, " +
			"and have both key shares. The first encrypted message is the server's second. Only " +
			"an encrypted_client_hello hides the name.",
		"RFC 8446 §2, RFC 9849"},
	{"The cipher suite says how everything is done.",
		"It names an AEAD and a hash. Group, signature and PSK are negotiated by extensions, " +
			"each on its own.",
		"RFC 8446 §4.1.1"},
	{"The server's certificate protects the key exchange.",
		"It only signs. The secret comes from two key shares that are made for this connection; " +
			"with a stolen private key one can pass for the server, and reads no recording.",
		"RFC 8446 §4.4.3"},
	{"The Diffie-Hellman secret is the key.",
		"It is mixed into a tree of secrets, from which each direction and each stage gets a key " +
			"of its own. The transcript goes in, too: another hello, another key.",
		"RFC 8446 §7.1"},
	{"Finished proves everything, so why a signature? There is a signature, so why Finished?",
		"Neither does the other's work. Finished is a MAC with a key from the key exchange: " +
			"anybody can do a key exchange, an attacker in the middle, too. Only the private key " +
			"of the certificate says who it is that did it: that is the signature. It is over " +
			"hellos and certificate, but not under the keys. Finished says that the one who " +
			"signed has the same keys, and that nothing was changed up to there, signature " +
			"included. With a PSK there is no signature: only two know the PSK, which is in " +
			"the keys.",
		"RFC 8446 §4.4.3, §4.4.4, §E.1"},
	{"TLS 1.3 is forward secret.",
		"With a key exchange. psk_ke has none, and early data is protected before there is one: " +
			"whoever gets the PSK, or the key of the server's tickets, reads such connections " +
			"and such data.",
		"RFC 8446 §2.2, §2.3"},
	{"TLS 1.3 needs no round trip.",
		"One, before the client's first data; two after a HelloRetryRequest. None only with " +
			"early data, which needs a ticket from before and both programs' consent, since an " +
			"attacker can send it again.",
		"RFC 8446 §2, §8"},
	{"A resumption uses the old keys.",
		"It begins from a PSK that was derived from the old connection, and usually exchanges " +
			"keys anew. Every key is another one. A ticket is to be used once, or it shows that " +
			"two connections are the same client's.",
		"RFC 8446 §2.2, §C.4"},
	{"ChangeCipherSpec switches the encryption on.",
		"It does nothing. It is sent, and dropped, so that middleboxes take the handshake for " +
			"one of TLS 1.2. Keys change where the key schedule says so, behind a hello or a " +
			"Finished.",
		"RFC 8446 §D.4"},
	{"The record's header says what it is.",
		"Of an encrypted record it says application_data and TLS 1.2, whatever it is. The " +
			"type stands inside, behind the content, and zeros may follow it.",
		"RFC 8446 §5.2"},
	{"A quantum computer breaks TLS 1.3.",
		"One that does not exist yet would read a recording whose key exchange is a curve or a " +
			"prime alone, and not one with ML-KEM. A signature needs to hold only until the " +
			"handshake is over.",
		"RFC 10024"},
}
