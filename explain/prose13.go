package explain

// chapters13 are the seven chapters of a TLS 1.3 story, without steps.
var chapters13 = [...]Chapter{
	{Number: 1, Name: "HELLOS", Motto: "nonces and key shares, in the clear"},
	{Number: 2, Name: "KEY EXCHANGE AND THE FIRST KEYS",
		Motto: "from here on every message is encrypted", Ref: "RFC 8446 §7.1, §7.3"},
	{Number: 3, Name: "IDENTITY AND THE SERVER'S FINISHED", Motto: "under the handshake keys"},
	{Number: 4, Name: "APPLICATION KEYS", Motto: "the tree grows on, nothing more is sent",
		Ref: "RFC 8446 §7.1"},
	{Number: 5, Name: "THE CLIENT'S FINISHED", Motto: "nobody changed a byte of messages %s",
		Ref: "RFC 8446 §4.4.4"},
	{Number: 6, Name: "PROTECTED DATA", Motto: "one record taken apart", Ref: "RFC 8446 §5.2"},
	{Number: 7, Name: "AFTERWARDS", Motto: "tickets, new keys, more data, and the end",
		Ref: "RFC 8446 §4.6"},
}

// introductions13 introduce the chapters of a TLS 1.3 story to a reader who does not know TLS.
var introductions13 = [...]string{
	"Two programs want to talk in private over a wire that anybody can read and " +
		"change. They begin in the open. Each sends a number used once, and a public key that " +
		"was made for this connection alone: a key share. The client guesses which kind of key " +
		"the server likes; if it guessed wrong, the server asks for another hello. An " +
		"eavesdropper sees all of this, and no computer of today finds the secret from it.",
	"Each side combines its own private key with the other's share, and both come to the same " +
		"secret, which is never sent. From it grows a tree: HKDF-Extract mixes a new secret in, " +
		"HKDF-Expand-Label makes a branch. The first branches are the handshake keys, and from " +
		"here on nobody else can read what is said.",
	"Encrypted is not enough: encrypted to whom? The server shows a certificate, signs the whole " +
		"conversation so far with the key that belongs to it, and adds a proof that nobody " +
		"changed a byte.",
	"The tree grows on to the Main Secret and the keys for the data. They depend on everything " +
		"that was said until here. The handshake keys protect messages only, and no data.",
	"The client proves the same: it saw the same conversation and holds the same keys. If the " +
		"server asked, it says first who it is. Now both know that nobody changed what was said, " +
		"and the client that there is nobody between.",
	"At last, data. Each record is encrypted so that nobody can read it, and authenticated so " +
		"that nobody can change, reorder or repeat it. Here a record lies open with all of its " +
		"parts. From outside, encrypted records look alike: what each really is stands inside.",
	"What may come later: tickets, with which the next connection needs no certificate; new keys " +
		"for a connection that lives long; and a protected goodbye, which nobody can fake.",
}

// introductionsPSK are in the place of those of the same chapters where the server took a PSK.
var introductionsPSK = map[int]string{
	1: "Two programs share a secret from before, a pre-shared key (PSK), and want to talk in " +
		"private over a wire that anybody can read and change. They begin in the open. The " +
		"client names the PSK, and proves by a binder that it has it. Each side sends a number " +
		"used once and, so that the PSK alone does not open a recording, a public key that was " +
		"made for this connection alone: a key share. Only the mode psk_ke does without the " +
		"server's.",
	3: "Encrypted is not enough: encrypted to whom? Here no certificate is shown and nothing is " +
		"signed. The PSK went into all keys, so only who has it can send a Finished that fits, " +
		"which also proves that nobody changed a byte. A PSK from a ticket says that the other " +
		"side is that of the connection which brought the ticket; who it is was shown there.",
}

// catalogue13 explains the steps of TLS 1.3.
var catalogue13 = map[string]Explanation{
	"client_hello/client/1.3": {
		Title: "ClientHello", Ref: "RFC 8446 §4.1.2",
		Client: "draws client_random; makes a key pair in the groups that it expects the server " +
			"to like; lists versions, suites and extensions",
		Server: "reads the list and compares it with its own",
		Purpose: "Opens the handshake, with key shares at once: that is what saves a round trip " +
			"against TLS 1.2.",
	},
	"hello_retry_request/server/1.3": {
		Title: "HelloRetryRequest", Ref: "RFC 8446 §4.1.4",
		Client: "makes a key pair in the group asked for, and says hello again",
		Server: "asks for a share of a group that it likes, or for its cookie back",
		Purpose: "The client had to guess before it knew the server. A wrong guess costs one " +
			"round trip; in form it is a ServerHello whose random is a known constant.",
	},
	"server_hello/server/1.3": {
		Title: "ServerHello", Ref: "RFC 8446 §4.1.3",
		Client: "checks that everything chosen was offered",
		Server: "draws server_random, chooses version, suite and group, and sends its share",
		Purpose: "Settles how to go on. It is the server's last message in the clear: what " +
			"it says after it is encrypted.",
	},
	"change_cipher_spec/1.3": {
		Title: "ChangeCipherSpec", Ref: "RFC 8446 §D.4",
		Client: "sends one, and passes over the server's",
		Server: "sends one, and passes over the client's",
		Purpose: "Means nothing here. It makes TLS 1.3 look like a resumption of TLS 1.2 to " +
			"middleboxes, which would cut the connection else. It is a record of its own and no " +
			"handshake message: the hashes of the transcript pass over its number.",
	},
	"early_secrets/1.3": {
		Title: "Early Secret", Ref: "RFC 8446 §7.1, §4.2.11.2",
		Client: "derives the binder from the PSK, and keys for early data if it sends any",
		Server: "derives the same from the PSK that the hello names, and compares the binder",
		Purpose: "The binder proves that the client knows the PSK, and ties it to this very " +
			"hello, of which it is the end: the client computed it before it sent the hello, " +
			"over all that stands before the binders.",
	},
	"early_secrets/declined/1.3": {
		Title: "Early Secret of the PSK offered", Ref: "RFC 8446 §4.2.11",
		Client: "derives the binder from the PSK, before it sends the hello that ends in it, and " +
			"keys for early data if it sends any",
		Server:  "does not take the PSK",
		Purpose: "The PSK was not taken: the tree begins anew, without it.",
	},
	"shared/1.3": {
		Title: "shared secret", Ref: "RFC 8446 §7.4",
		Client: "combines its private key with the server's share",
		Server: "combines its private key with the client's share",
		Purpose: "It is never sent. The private keys are forgotten afterwards: that is forward " +
			"secrecy.",
	},
	"handshake_keys/1.3": {
		Title: "Handshake Secret", Ref: "RFC 8446 §7.1, §7.3",
		Client: "derives the handshake keys",
		Server: "derives the handshake keys",
		Purpose: "Keys for the rest of the handshake, one set for each direction. The hash of " +
			"both hellos goes in: whoever changed a hello comes to other keys.",
	},
	"encrypted_extensions/server/1.3": {
		Title: "EncryptedExtensions", Ref: "RFC 8446 §4.3.1",
		Client: "checks that everything was asked for",
		Server: "answers the extensions that the key exchange does not need",
		Purpose: "What TLS 1.2 said in the clear in its ServerHello: the application protocol, " +
			"sizes.",
	},
	"certificate_request/server/1.3": {
		Title: "CertificateRequest", Ref: "RFC 8446 §4.3.2",
		Client:  "looks for a certificate that fits",
		Server:  "names what it would accept",
		Purpose: "Asks the client who it is.",
	},
	"certificate/server/1.3": {
		Title: "Certificate", Ref: "RFC 8446 §4.4.2",
		Client: "follows the chain to a root that it trusts; compares the name; checks dates, " +
			"key usage and signatures",
		Server: "sends its certificate and those that lead to the root",
		Purpose: "Ties a public key to a name. It proves nothing yet; and an eavesdropper no " +
			"longer sees it.",
	},
	"compressed_certificate/server/1.3": {
		Title: "CompressedCertificate", Ref: "RFC 8879 §4",
		Client: "expands it within a bound, and checks the chain as ever",
		Server: "sends its certificate and those that lead to the root, compressed by what the " +
			"client has named",
		Purpose: "A Certificate in fewer bytes. The transcript has it as it was sent.",
	},
	"compressed_certificate/client/1.3": {
		Title: "CompressedCertificate", Ref: "RFC 8879 §4",
		Client:  "sends its certificate, compressed by what the server has named",
		Server:  "expands it within a bound, and checks the chain as ever",
		Purpose: "A Certificate in fewer bytes. The transcript has it as it was sent.",
	},
	"certificate_verify/server/1.3": {
		Title: "CertificateVerify", Ref: "RFC 8446 §4.4.3",
		Client: "verifies the signature with the public key of the certificate",
		Server: "signs the hash of everything said so far",
		Purpose: "The proof of identity: only the owner of the certificate can sign this very " +
			"conversation, key shares and all.",
	},
	"finished/server/1.3": {
		Title: "Finished", Ref: "RFC 8446 §4.4.4",
		Client: "computes the same HMAC and compares",
		Server: "computes an HMAC over the hash of everything said so far",
		Purpose: "Proves that the server holds the handshake keys and saw the same messages: " +
			"nobody removed the better suite from the list.",
	},
	"application_keys/1.3": {
		Title: "Main Secret", Ref: "RFC 8446 §7.1",
		Client: "derives the keys for the data",
		Server: "derives the keys for the data; it may send already",
		Purpose: "A second set of keys, for the data. The transcript up to the server's " +
			"Finished goes in.",
	},
	"end_of_early_data/client/1.3": {
		Title: "EndOfEarlyData", Ref: "RFC 8446 §4.5",
		Client:  "says that what follows is under the handshake keys",
		Server:  "changes to these keys",
		Purpose: "Marks the end of the early data, under its keys.",
	},
	"certificate/client/1.3": {
		Title: "Certificate", Ref: "RFC 8446 §4.4.2",
		Client:  "sends its chain, or an empty list if it has none that fits",
		Server:  "follows the chain to a root that it trusts",
		Purpose: "Ties the client's public key to a name. The proof comes with CertificateVerify.",
	},
	"certificate_verify/client/1.3": {
		Title: "CertificateVerify", Ref: "RFC 8446 §4.4.3",
		Client:  "signs the hash of everything said so far with the key of its certificate",
		Server:  "verifies the signature with the public key of the client's certificate",
		Purpose: "Proves that the client owns the certificate that it sent.",
	},
	"finished/client/1.3": {
		Title: "Finished", Ref: "RFC 8446 §4.4.4",
		Client: "computes an HMAC over the hash of everything said so far",
		Server: "computes the same and compares",
		Purpose: "Proves the same for the client. Now both know that they had one and the same " +
			"conversation.",
	},
	"resumption_secret/1.3": {
		Title: "resumption_secret", Ref: "RFC 8446 §7.1",
		Client:  "derives it for the tickets that may come",
		Server:  "derives it for the tickets that it may send",
		Purpose: "The keys of all tickets of this connection come from it.",
	},
	"application_data/client/1.3": {
		Title: "application_data", Ref: "RFC 8446 §5.2",
		Client:  "protects the data under its application keys and its own sequence number",
		Server:  "checks before it believes: a record that does not open ends the connection",
		Purpose: "What all of this was for.",
	},
	"application_data/server/1.3": {
		Title: "application_data", Ref: "RFC 8446 §5.2",
		Client:  "checks before it believes",
		Server:  "protects its answer under its own application keys",
		Purpose: "The answer, under the other direction's keys.",
	},
	"application_data/early/1.3": {
		Title: "early data (0-RTT)", Ref: "RFC 8446 §2.3",
		Client: "protects the data under the early keys, before it has heard anything",
		Server: "reads it if it took the PSK and the data",
		Purpose: "Saves a round trip, and costs two things: it is not forward secret against " +
			"whoever gets the PSK, and an attacker can send it again.",
	},
	"new_session_ticket/server/1.3": {
		Title: "NewSessionTicket", Ref: "RFC 8446 §4.6.1",
		Client:  "keeps the ticket and its PSK for its next connection",
		Server:  "seals what it needs to know the PSK again, and may forget it",
		Purpose: "Makes the next handshake shorter: no certificate, no signature.",
	},
	"key_update/client/1.3": {
		Title: "KeyUpdate", Ref: "RFC 8446 §4.6.3",
		Client: "replaces its sending keys",
		Server: "replaces the keys that it reads with",
		Purpose: "New keys from the old secret, which is forgotten: whoever steals the new one " +
			"cannot read what was before.",
	},
	"key_update/server/1.3": {
		Title: "KeyUpdate", Ref: "RFC 8446 §4.6.3",
		Client: "replaces the keys that it reads with",
		Server: "replaces its sending keys",
		Purpose: "New keys from the old secret, which is forgotten: whoever steals the new one " +
			"cannot read what was before.",
	},
	"close_notify/1.3": {
		Title: "close_notify", Ref: "RFC 8446 §6.1",
		Client: "says that it has no more to send",
		Server: "says the same",
		Purpose: "A protected goodbye: an attacker who merely cuts the line cannot fake the end " +
			"of the data (truncation).",
	},
	"alert/1.3": {
		Title: "alert", Ref: "RFC 8446 §6.2",
		Purpose: "Tells the other side what went wrong, in one byte; then the connection is over.",
	},
}
