package explain

// Explain returns the explanation for the key of a step, such as "client_key_exchange/RSA", or for
// the kind that it belongs to, "client_key_exchange".
func Explain(key string) Explanation {
	for _, list := range []map[string]Explanation{catalogue, catalogue13} {
		if e, ok := list[key]; ok {
			return e
		}
	}
	for i := len(key) - 1; i >= 0; i-- {
		if key[i] == '/' {
			return Explain(key[:i])
		}
	}
	return Explanation{Title: key}
}

// chapters are the six chapters of every output, without steps.
var chapters = [...]Chapter{
	{Number: 1, Name: "HELLOS", Motto: "two nonces, in the clear, before any secret exists"},
	{Number: 2, Name: "IDENTITY", Motto: "who is there"},
	{Number: 3, Name: "KEY EXCHANGE", Motto: "a secret that only these two hold"},
	{Number: 4, Name: "DERIVATION", Motto: "each side alone, nothing more is sent",
		Ref: "RFC 5246 §8.1, §6.3"},
	{Number: 5, Name: "FINISHED", Motto: "nobody changed a byte of messages %s",
		Ref: "RFC 5246 §7.4.9"},
	{Number: 6, Name: "PROTECTED DATA", Motto: "one record taken apart"},
}

var catalogue = map[string]Explanation{
	"client_hello": {
		Title: "ClientHello", Ref: "RFC 5246 §7.4.1.2",
		Client: "draws client_random, 32 random bytes; lists the versions, suites and " +
			"extensions that it can speak",
		Server: "reads the list and compares it with its own",
		Purpose: "Opens the handshake. The random makes this connection's keys unlike those of " +
			"any other, even if all else repeats.",
	},
	"server_hello": {
		Title: "ServerHello", Ref: "RFC 5246 §7.4.1.3",
		Client: "checks that everything chosen was offered",
		Server: "draws server_random; chooses one version, one suite and the extensions",
		Purpose: "Settles how to go on. A recorded client cannot be replayed: the server's " +
			"random is new each time.",
	},
	"certificate": {
		Title: "Certificate", Ref: "RFC 5246 §7.4.2",
		Client: "follows the chain to a root that it trusts; compares the name; checks dates, " +
			"key usage and signatures",
		Server: "sends its certificate and those that lead to the root",
		Purpose: "Ties a public key to a name. It proves nothing yet: anybody can send somebody " +
			"else's certificate.",
	},
	"certificate_status": {
		Title: "CertificateStatus", Ref: "RFC 6066 §8",
		Client: "checks who signed the status, its dates and the serial number",
		Server: "sends the status that it got from its CA beforehand",
		Purpose: "Says that the certificate was not revoked, without the client having to ask " +
			"the CA.",
	},
	"server_key_exchange": {
		Title: "ServerKeyExchange", Ref: "RFC 5246 §7.4.3",
		Client: "verifies the signature with the certificate's public key; checks the parameters",
		Server: "makes a private key for this handshake alone; signs both randoms and its " +
			"public key",
		Purpose: "The server's half of the exchange, and its proof of identity: only the " +
			"certificate's owner can sign these randoms.",
	},
	"server_key_exchange/ECDHE": {
		Title: "ServerKeyExchange", Ref: "RFC 8422 §5.4",
		Client: "verifies the signature with the certificate's public key; checks the group",
		Server: "makes a private key for this handshake alone; signs both randoms and its " +
			"public key",
		Purpose: "The server's half of the exchange, and its proof of identity: only the " +
			"certificate's owner can sign these randoms.",
	},
	"certificate_request": {
		Title: "CertificateRequest", Ref: "RFC 5246 §7.4.4",
		Client:  "looks for a certificate that fits the types, schemes and authorities named",
		Server:  "names what it would accept",
		Purpose: "Asks the client who it is.",
	},
	"server_hello_done": {
		Title: "ServerHelloDone", Ref: "RFC 5246 §7.4.5",
		Client:  "knows that it is its turn",
		Server:  "waits",
		Purpose: "Ends the server's part of the hellos.",
	},
	"client_certificate": {
		Title: "Certificate", Ref: "RFC 5246 §7.4.6",
		Client:  "sends its chain, or an empty list if it has none that fits",
		Server:  "follows the chain to a root that it trusts",
		Purpose: "Ties the client's public key to a name. The proof comes with CertificateVerify.",
	},
	"pre_master_secret": {
		Title:  "pre_master_secret",
		Ref:    "RFC 5246 §7.4.7.1",
		Client: "draws 46 random bytes and puts the version that it offered before them",
		Purpose: "The version in front is the highest that the client offered, not the one " +
			"agreed: the server can see a rollback.",
	},
	"client_key_exchange/RSA": {
		Title: "ClientKeyExchange", Ref: "RFC 5246 §7.4.7.1",
		Client: "encrypts the pre_master_secret to the public key of the certificate",
		Server: "decrypts it with the private key; on any error goes on with a random one, and " +
			"tells nobody",
		Purpose: "Brings the secret to the server. It is also the server's proof of identity: " +
			"without the private key it has another secret, and its Finished is wrong. An error " +
			"that it told would let an attacker decrypt by asking (Bleichenbacher).",
	},
	"client_key_exchange/DHE": {
		Title: "ClientKeyExchange", Ref: "RFC 5246 §7.4.7.2",
		Client: "makes a private key for this handshake alone, sends the public one",
		Server: "checks that the public key lies between 1 and p - 1",
		Purpose: "The client's half. Each side now has its own private key and the other's " +
			"public one, and both come to the same secret.",
	},
	"client_key_exchange/ECDHE": {
		Title: "ClientKeyExchange", Ref: "RFC 8422 §5.7",
		Client: "makes a private key for this handshake alone, sends the public one",
		Server: "checks that the public key is a point of the group",
		Purpose: "The client's half. Each side now has its own private key and the other's " +
			"public one, and both come to the same secret.",
	},
	"client_key_exchange/ECDHE/x": { // X25519 and X448: RFC 7748 §6
		Title: "ClientKeyExchange", Ref: "RFC 8422 §5.7",
		Client: "makes a private key for this handshake alone, sends the public one",
		Server: "takes any bytes of the right length for a public key, and checks that the " +
			"result of the exchange is not all zeros",
		Purpose: "The client's half. Each side now has its own private key and the other's " +
			"public one, and both come to the same secret.",
	},
	"shared": {
		Title:  "pre_master_secret",
		Client: "combines its private key with the server's public key",
		Server: "combines its private key with the client's public key",
		Purpose: "The shared secret is never sent. The private keys are forgotten afterwards: " +
			"that is forward secrecy.",
	},
	"certificate_verify": {
		Title: "CertificateVerify", Ref: "RFC 5246 §7.4.8",
		Client:  "signs all messages so far with the private key of its certificate",
		Server:  "verifies the signature with the public key of the client's certificate",
		Purpose: "Proves that the client owns the certificate that it sent.",
	},
	"master_secret": {
		Title: "master_secret", Ref: "RFC 5246 §8.1",
		Client: "derives the master_secret",
		Server: "derives the master_secret",
		Purpose: "48 bytes, whatever the key exchange gave. Both randoms go in, so that one " +
			"pre_master_secret gives each connection another.",
	},
	"master_secret/extended": {
		Title: "master_secret", Ref: "RFC 7627 §4",
		Client: "derives the master_secret from the pre_master_secret and the hash of all " +
			"messages up to and including ClientKeyExchange",
		Server: "derives the master_secret from the pre_master_secret and the hash of all " +
			"messages up to and including ClientKeyExchange",
		Purpose: "The hash ties the secret to this handshake, certificates and all. The classic " +
			"derivation takes the pre_master_secret and the randoms, and so no certificate " +
			"(triple handshake attack).",
	},
	"key_block": {
		Title: "key_block", Ref: "RFC 5246 §6.3",
		Client: "expands the master_secret and cuts it into keys",
		Server: "expands the master_secret and cuts it into keys",
		Purpose: "One key for one use and one direction: a record that is sent back to its " +
			"sender does not open.",
	},
	"change_cipher_spec/client": {
		Title: "ChangeCipherSpec", Ref: "RFC 5246 §7.1",
		Client: "switches what it sends to the new keys",
		Server: "switches what it receives to the new keys",
		Purpose: "One byte that says: from here on my records are protected. It is no handshake " +
			"message and in no hash.",
	},
	"change_cipher_spec/server": {
		Title: "ChangeCipherSpec", Ref: "RFC 5246 §7.1",
		Client:  "switches what it receives to the new keys",
		Server:  "switches what it sends to the new keys",
		Purpose: "The same in the other direction.",
	},
	"finished/client": {
		Title: "Finished", Ref: "RFC 5246 §7.4.9",
		Client: "computes verify_data over all messages that it said and heard",
		Server: "computes the same over what it heard and said, and compares",
		Purpose: "The first protected message. If anybody changed a byte of the handshake, the " +
			"two hashes differ.",
	},
	"finished/server": {
		Title: "Finished", Ref: "RFC 5246 §7.4.9",
		Client: "computes the same and compares; only now may it send data",
		Server: "computes verify_data, with the client's Finished in the hash",
		Purpose: "Shows the client that the server holds the same master_secret; with RSA key " +
			"exchange that proves that it owns the private key.",
	},
	"new_session_ticket": {
		Title: "NewSessionTicket", Ref: "RFC 5077 §3.3",
		Client:  "keeps the ticket for its next connection",
		Server:  "seals the session under a key that only it has, and forgets it",
		Purpose: "Makes the next handshake shorter.",
	},
	"application_data/client": {
		Title: "application_data", Ref: "RFC 5246 §6.2.3",
		Client: "protects the data under client_write keys and its own sequence number",
		Server: "checks before it believes: a record that does not authenticate ends the " +
			"connection",
		Purpose: "What all of this was for.",
	},
	"application_data/server": {
		Title: "application_data", Ref: "RFC 5246 §6.2.3",
		Client:  "checks before it believes",
		Server:  "protects its answer under server_write keys",
		Purpose: "The answer, under the other direction's keys.",
	},
	"close_notify": {
		Title: "close_notify", Ref: "RFC 5246 §7.2.1",
		Client: "says that it has no more to send",
		Server: "says the same",
		Purpose: "A protected goodbye: an attacker who merely cuts the line cannot fake the end " +
			"of the data (truncation).",
	},
	"alert": {
		Title: "alert", Ref: "RFC 5246 §7.2",
		Purpose: "Tells the other side what went wrong, in one byte; then the connection is over.",
	},
}

// introductions introduce each chapter to a reader who does not know TLS.
var introductions = [...]string{
	"Two programs want to talk in private over a wire that anybody can read and " +
		"change. They begin in the open. Each sends a number used once (a nonce), and they " +
		"settle which methods to use: the client offers, the server chooses. An eavesdropper " +
		"sees all of this: nothing here is secret.",
	"Before a secret is worth anything, the client must know whose it would be. The server shows " +
		"a certificate: its name and its public key, signed by somebody whom the client trusts " +
		"already. Showing it proves nothing yet. The proof comes later, when the server uses the " +
		"private key that belongs to it.",
	"Now the two need a secret that only they hold, although everything they say can be heard. " +
		"There are two ways. With RSA the client makes the secret up and encrypts it to the " +
		"server's public key. With Diffie-Hellman each side keeps a private key and sends a " +
		"public one, and both compute the same secret from what they have: it is never sent at " +
		"all.",
	"From here each side computes alone. One function, the PRF, turns the pre_master_secret into " +
		"the master_secret, and the master_secret into as many bytes as the cipher needs. These " +
		"are cut, in a fixed order, into keys for each direction. If both began with the same " +
		"inputs, they end with the same keys, and nothing more needs to be sent.",
	"Only now do both sides learn that they heard the same: until here somebody could have " +
		"changed the list of ciphers on the way. Each side hashes every message that it said and " +
		"heard, and sends a proof that only a holder of the master_secret can make. If the " +
		"two transcripts differ in one bit, the connection ends here.",
	"At last, data. Each record is encrypted so that nobody can read it, and authenticated so " +
		"that nobody can change, reorder or repeat it. Here a record lies open with all of its " +
		"parts, those on the wire and those inside.",
}
