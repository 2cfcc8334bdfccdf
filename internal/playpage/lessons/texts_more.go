package lessons

import "github.com/vitrine-tls/vitrine/playground"

// more are the other six lessons.
var more = map[string]text{
	"early-warning": {
		title: "An alert before the keys",
		text: []string{
			"Anybody on the way can write a record. Before there are keys nothing tells it from " +
				"one of the server's: a warning is read, and the handshake goes on. Finished " +
				"does not notice either, since it covers handshake messages alone.",
			"Send the same seven bytes once there are keys.",
		},
		turn: "Version",
		knob: versions,
		tools: []Tool{{"Inject it before ServerHello", "early-alert"},
			{"Inject it before the answer", "late-alert"}},
		refs: []string{"RFC 5246 §7.2", "RFC 8446 §6"},
		answer: []string{
			"“Inject it before ServerHello”: the client reads the warning unrecognized_name and " +
				"goes on. Nobody notices, and nothing else changes.",
			"“Inject it before the answer”: under keys an alert is a protected record. This one " +
				"has no tag that fits.",
		},
		talk: "A forged fatal alert ends the connection. Could any protocol prevent that? Turn " +
			"the knob to TLS 1.3: what became of warnings?",
		reply: "No protocol can: who can change what passes can also end it. Warnings in TLS " +
			"1.3: before ServerHello a client cannot know which version it will be, so it " +
			"reads this one and goes on, as in TLS 1.2. Behind ServerHello there are keys, " +
			"and an alert in the clear is refused: unexpected_message. And under keys the " +
			"level of an alert means nothing any more: every one but close_notify and " +
			"user_canceled ends the connection.",
	},
	"truncation": {
		title: "Truncation",
		text: []string{
			"The client says “pay 1000”, in two records: “pay 100” and “0”. Whoever can cut a " +
				"wire can see to it that the second never arrives.",
			"That is why each side says close_notify at its end, under its keys: an end without " +
				"it was not said by the peer. Cut the wire, “cut”, in the second record of the " +
				"client's data.",
		},
		turn: "Server",
		knob: []turned{{"careful: Vitrine", nil}, {"its careless twin", func(s *playground.Setup) {
			s.Careless = playground.AnyEnd
		}}},
		tools: []Tool{{"Cut the wire behind “pay 100”", "cut"}},
		refs:  []string{"RFC 5246 §7.2.1", "RFC 8446 §6.1"},
		answer: []string{
			"Cut with the careful server: it has read “pay 100” and gets an error in place of an " +
				"end. A program that obeys it does not pay.",
			"Cut with the twin: it takes the end for the end, answers and closes. 100 are paid.",
		},
		talk: "Does HTTP need close_notify, if it says Content-Length?",
		reply: "HTTP then knows by itself that something is missing, if the program looks. An " +
			"answer that goes on until the connection ends has close_notify alone.",
	},
	"downgrade": {
		title: "Downgrade",
		text: []string{
			"Both sides speak TLS 1.3 and, for old peers, 1.2. Somebody takes supported_versions " +
				"out of the client's offer, so that the server takes the client for an old one.",
			"A server that speaks 1.3 and is asked for 1.2 ends its random with “DOWNGRD” and " +
				"01. Who removes that breaks something else. Three checks stand in the way, one " +
				"behind the other.",
		},
		turn: "Who speaks what",
		knob: []turned{
			{"both speak 1.2 and 1.3", nil},
			{"the server speaks 1.2 alone", func(s *playground.Setup) { s.OldServer = true }},
			{"both speak 1.3 alone", func(s *playground.Setup) { s.Both = false }},
		},
		tools: []Tool{{"Take TLS 1.3 from the offer", "without-13"},
			{"And overwrite the mark", "without-sentinel"}},
		refs: []string{"RFC 8446 §4.1.3", "RFC 8446 §D"},
		answer: []string{
			"“Take TLS 1.3 from the offer”: the client finds the mark in the server's random and " +
				"ends with illegal_parameter.",
			"“And overwrite the mark”: the random is signed in ServerKeyExchange, so the " +
				"signature is wrong.",
			"A server that speaks 1.2 alone sets no mark. The offer was changed, though, and the " +
				"server notices at Finished, as in lesson 3.",
			"Who speaks 1.3 alone has nothing to fall back to: protocol_version.",
		},
		talk: "Why three checks? In which key exchange is the random not signed, so that one of " +
			"them is missing? (RSA.)",
		reply: "Each covers what another one misses. The mark needs a server that knows TLS 1.3. " +
			"The signature covers the random only where the server signs, which it does not " +
			"with RSA key exchange. Finished covers everything, but it comes last, and under " +
			"keys of the version that the attacker chose.",
	},
	"certificates": {
		title: "Names, dates and chains",
		text: []string{
			"A certificate says: this key belongs to this name, says that authority, from this " +
				"day to that. The client knows the authority, today's date, and the name that it " +
				"wanted.",
			"Turn the knob: each position has another certificate, and one thing in it is wrong.",
		},
		turn: "The certificate",
		knob: []turned{
			{"as it should be", nil},
			{"another name", flaw(playground.WrongName)}, {"expired", flaw(playground.Expired)},
			{"not valid yet", flaw(playground.NotYet)},
			{"an unknown authority", flaw(playground.UnknownRoot)},
			{"a link is missing", flaw(playground.NoPath)},
			{"for clients only", flaw(playground.WrongUsage)},
		},
		refs: []string{"RFC 5280 §6", "RFC 9525 §6"},
		answer: []string{
			"As the lesson begins: root, name and dates hold.",
			"Another name: bad_certificate. TLS has no alert of its own for a name.",
			"Expired: certificate_expired.",
			"Not valid yet: certificate_expired, too; there is no alert for it.",
			"An unknown authority: unknown_ca. Anybody can make an authority of any name.",
			"A link is missing: unknown_ca. The server must send the certificates between its " +
				"own and the root.",
			"For clients only: unsupported_certificate. The extended key usage has no serverAuth.",
		},
		talk: "All of these are found at one step. What has the client not yet proved there? " +
			"(That the server has the key: that is the signature's.)",
		reply: "A certificate is public, and anybody can show it. The signature over this " +
			"connection's random, or in TLS 1.3 over its transcript, shows who has the key.",
	},
	"who-sees-the-certificate": {
		title: "Who sees the certificate",
		text: []string{
			"Look at the server's Certificate on the wire. Click its bytes, and search for the " +
				"name vitrine.test: 76 69 74 72 69 6e 65.",
			"In TLS 1.3 there are keys after the two hellos, and all that follows is encrypted " +
				"under them.",
		},
		turn: "Version",
		knob: versions,
		refs: []string{"RFC 8446 §2", "RFC 8446 §E.1"},
		answer: []string{
			"As the lesson begins, in TLS 1.2: the certificate goes in the clear.",
			"In TLS 1.3 the record is encrypted. The name is still on the wire once: in the " +
				"server_name of ClientHello, which only Encrypted Client Hello hides (RFC 9849).",
		},
		talk: "Somebody who is not passive, but connects to the server: what does he see?",
		reply: "The same as every client, for he is one. What is encrypted is hidden from those " +
			"who listen, and not from those who ask.",
	},
	"replayed-early-data": {
		title: "0-RTT, replayed",
		text: []string{
			"A client that comes again may send data together with its ClientHello, under a key " +
				"of the ticket. The server has said nothing yet: nothing fresh of its own is in " +
				"that key, so that whoever recorded these records can send them again.",
			"Play the client's first flight to the server once more. What the server then reads " +
				"stands below the wire.",
		},
		turn: "Server",
		knob: []turned{{"careful: Vitrine", nil}, {"its careless twin", func(s *playground.Setup) {
			s.Careless = playground.AnyReplay
		}}},
		tools: []Tool{{"Play the first flight again", "replay-early"}},
		refs:  []string{"RFC 8446 §8", "RFC 8470 §3"},
		answer: []string{
			"The careful server takes the early data of a ticket once, and rejects it the second " +
				"time.",
			"The twin takes it as often as it comes, and pays twice.",
		},
		talk: "Which requests may be sent early? Why does RFC 8470 have the status 425 (Too " +
			"Early)?",
		reply: "Those that may happen twice: a GET that changes nothing. A server that got a " +
			"request from a proxy, and cannot know whether it was early, answers 425: the " +
			"client sends it again when the handshake is done.",
	},
}

func flaw(f playground.Flaw) func(*playground.Setup) {
	return func(s *playground.Setup) { s.Flaw = f }
}

// versions is the knob of lessons that hold for both versions.
var versions = []turned{{"TLS 1.2", nil}, {"TLS 1.3", func(s *playground.Setup) {
	s.Version = "1.3"
}}}
