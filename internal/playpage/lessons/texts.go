package lessons

import "github.com/vitrine-tls/vitrine/playground"

// texts are the first six lessons, by playground.Lesson.ID. The others follow in texts_more.go.
var texts = map[string]text{
	"forward-secrecy": {
		title: "Forward secrecy",
		text: []string{
			"Somebody records this connection and cannot read it. Ten years later the server's " +
				"private key leaks: an old disk, a court, a flaw. Below the wire stands what the " +
				"recording says then; the program really tries, with nothing but these bytes and " +
				"that key.",
			"With RSA key exchange the client encrypts the pre_master_secret with the server's " +
				"public key and sends it. With ECDHE each side makes a key pair for this " +
				"connection, sends the public half, and forgets the private one; the server's " +
				"key only signs.",
		},
		turn: "Key exchange",
		knob: []turned{{"RSA", nil}, {"ECDHE", func(s *playground.Setup) {
			s.Suite = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
		}}},
		refs: []string{"RFC 5246 §F.1.1.2", "RFC 8446 §E.1"},
		answer: []string{
			"With RSA, as the lesson begins: the recording holds the encrypted " +
				"pre_master_secret, and the key opens it. All keys follow.",
			"Turn the knob to ECDHE: the recording holds two public shares and a signature. The " +
				"key proves who signed; it opens nothing.",
		},
		talk: "Who keeps recordings for ten years? Why does TLS 1.3 have no RSA key exchange?",
		reply: "Whoever does not know yet what will be worth reading, and has room. TLS 1.3 has " +
			"no RSA key exchange because it has no forward secrecy: every full handshake " +
			"there exchanges keys that are made for it.",
	},
	"unprotected-byte": {
		title: "The byte that nobody protects",
		text: []string{
			"Every message of the handshake is covered by the Finished messages, and every " +
				"record after them by a MAC or a tag. So each byte should be guarded by some " +
				"check.",
			"Flip bytes and read who notices. Or press “Colour every byte”: the program flips " +
				"each of them in a run of its own, and colours it by the check that caught it. " +
				"What is left over?",
		},
		turn: "Version",
		knob: versions,
		refs: []string{"RFC 5246 §6.2.1", "RFC 5246 §E.1"},
		answer: []string{
			"In TLS 1.2, byte 2 of each side's first record: the minor number of the record's " +
				"version. A server must accept any 03xx there, because before ServerHello no " +
				"version is agreed; and Finished covers messages, not the headers of their " +
				"records.",
		},
		talk: "Is it harm that nobody notices? What could an attacker do with this one byte?",
		reply: "Hardly: nobody uses it once a version is agreed. It could carry a mark, some " +
			"bits a connection, past both sides and to somebody further along the wire.",
	},
	"changed-offer": {
		title: "A changed offer",
		text: []string{
			"ClientHello goes in the clear and nothing protects it yet. Somebody takes the best " +
				"suite out of it, and both sides go on, with the worse one.",
			"It comes to light at the end: each Finished holds a hash of all messages as its " +
				"sender saw them. With extended_master_secret that hash goes into the keys " +
				"themselves.",
		},
		turn: "Extended master secret",
		knob: []turned{{"off", nil}, {"on", func(s *playground.Setup) {
			s.ExtendedMasterSecret = true
		}}},
		tools: []Tool{{"Remove the best suite", "without-suite"}},
		refs:  []string{"RFC 5246 §7.4.9", "RFC 7627 §4"},
		answer: []string{
			"Press “Remove the best suite”. The server can open the client's Finished, and finds " +
				"another hash in it: decrypt_error.",
			"The same with the knob on: the two sides hashed different messages into the " +
				"master_secret, so their keys differ, and the server cannot even open Finished: " +
				"bad_record_mac.",
		},
		talk: "Until Finished, is there anything that both sides could already have lost?",
		reply: "Data that a side sent before it had checked the other's Finished, if the worse " +
			"suite can be broken. And whoever breaks it while both wait computes both " +
			"Finished himself, so that nobody notices: Logjam did so, in 2015.",
	},
	"mac-or-padding": {
		title: "MAC or padding",
		text: []string{
			"A CBC record of TLS 1.2 is data, MAC and padding, encrypted together. Who changes " +
				"the ciphertext breaks either the MAC or the padding. The server must not tell " +
				"which: it answers bad_record_mac to both, and takes the same time.",
			"The careless twin says decryption_failed to wrong padding. That is a question with " +
				"two answers, and enough questions read the data. The client's data is its fifth " +
				"record here. Its last bytes are padding, and the MAC comes before them.",
		},
		turn: "Server",
		knob: []turned{{"careful: Vitrine", nil}, {"its careless twin", func(s *playground.Setup) {
			s.Careless = playground.PaddingOracle
		}}},
		tools: []Tool{{"Break the MAC", "break-mac"}, {"Break the padding", "break-padding"},
			{"Read a byte", "read-byte"}},
		refs: []string{"RFC 5246 §6.2.3.2", "RFC 7366 §1"},
		answer: []string{
			"“Break the MAC” flips a bit three blocks from the end: the padding stays right, and " +
				"the MAC is wrong.",
			"“Break the padding” flips a bit of the last block but one, and so a bit of the " +
				"padding: the same alert.",
			"Turn the knob to the twin and break the padding again: decryption_failed.",
			"“Read a byte” sends the twin up to 256 guesses, each in a connection of its own, " +
				"and keeps the one that it answered otherwise. The acts that are left over are " +
				"that guess.",
		},
		talk: "What if the alerts are alike, and the time is not? (Lucky Thirteen, 2013.)",
		reply: "Then the time is the answer: Lucky Thirteen told the two apart by how many " +
			"blocks a server hashed. Vitrine does the same work for both; encrypt-then-MAC " +
			"and AEADs check before they decrypt, and have nothing to tell.",
	},
	"bad-key-exchanges": {
		title: "Bleichenbacher's question",
		text: []string{
			"With RSA key exchange the server decrypts what the client sends. What if the block " +
				"is not what it should be? A server that answers differently tells the attacker " +
				"whether a number of his choice decrypts to a block that begins with 00 02; " +
				"about a million such answers decrypt a recorded pre_master_secret.",
			"So the server goes on with a random secret, and all three mistakes end alike, at " +
				"the client's Finished. The careless twin tells them apart.",
		},
		turn: "Server",
		knob: []turned{{"careful: Vitrine", nil}, {"its careless twin", func(s *playground.Setup) {
			s.Careless = playground.Bleichenbacher
		}}},
		tools: []Tool{{"A wrong block", "bad-block"}, {"A secret of 47 bytes", "bad-length"},
			{"A wrong version", "bad-version"}},
		refs: []string{"RFC 5246 §7.4.7.1"},
		answer: []string{
			"“A wrong block”, with the careful server: bad_record_mac, at Finished.",
			"“A secret of 47 bytes”: the same alert at the same step.",
			"“A wrong version”: the same again.",
			"The twin, and a wrong block: decrypt_error, at once.",
			"The twin, and 47 bytes: decode_error, at once.",
			"The twin, and a wrong version: illegal_parameter, at once.",
		},
		talk: "The attack is of 1998. Why was it found again in 2017 (ROBOT), in servers of 2017?",
		reply: "Because every path has to answer alike: alerts, ends of connections, and times. " +
			"ROBOT found servers in which one of them differed. TLS 1.3 has no such exchange " +
			"any more.",
	},
	"replay-and-swap": {
		title: "Replay and swap",
		text: []string{
			"Records are numbered from 0 under each key, and the number is never sent: both " +
				"sides count. It goes into the MAC or the tag of each record.",
			"The client pays twice, 10 and 99, one record each. Replay a payment, or swap the " +
				"two: the buttons stand below each record.",
		},
		turn: "Version",
		knob: versions,
		refs: []string{"RFC 5246 §6.1", "RFC 8446 §5.3"},
		answer: []string{
			"“Twice” or “replay” below the first record of application_data: the copy has the " +
				"right tag for another number.",
			"“Swap” below it: the record that comes first was sealed with the second number.",
		},
		talk: "What of replaying the whole connection? Which bytes of the server's make that fail?",
		reply: "The server's random, and its share with (EC)DHE, are new in each connection. So " +
			"are the keys, and the old Finished does not open under them. Early data comes " +
			"before any of that: lesson 12.",
	},
}

func init() {
	for id, t := range more {
		texts[id] = t
	}
}
