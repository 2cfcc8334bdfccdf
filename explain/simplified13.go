package explain

// simplified13 are the simplifications about TLS 1.3.
var simplified13 = []Simplification{
	{"TLS 1.3 encrypts the handshake.",
		"Everything but the hellos, which name the server, the versions, suites and groups, and " +
			"have both key shares. The first encrypted message is the server's second. Only an " +
			"encrypted_client_hello hides the name.",
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
