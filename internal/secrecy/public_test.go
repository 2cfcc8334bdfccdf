package secrecy_test

// publicPackages have nothing that is secret, with the reason.
var publicPackages = map[string]string{
	"message":   "structures of the wire",
	"wire":      "reads and writes them",
	"framing":   "records as on the wire",
	"testkit":   "tests only: published vectors",
	"interop":   "tests only: keys made for them",
	"recompute": "tests only: keys made for them",
	"probe":     "what servers say in the clear",
	"flood":     "tests only",
	"script":    "tests only: a peer with keys made for them",
}

// public are types, and fields of types, that reach bytes and no secret, with the reason.
var public = map[string]string{
	"trace.Hex":           "bytes that anybody on the wire saw",
	"keys.Randoms":        "the random values of both hellos",
	"pki.Request":         "a CertificateRequest",
	"negotiation.Agreed":  "what both hellos say",
	"negotiation.Greased": "reserved values, which are sent in the clear",
	"pki.Hello":           "what a client accepts",
	"pki.Chain":           "certificates, or a public key",
	"explain.Guard.Bytes": "a record's number, type, version and length",
	"playground.Result":   "a run of which everything follows from its public seed",
	"playground.Link":     "what passes on a wire, of which nothing is a secret of this machine",
	"playground.Wire":     "a run of which everything follows from its public seed",
	"playpage.Assets":     "a program, compiled",
	"playpage.Handler":    "a page, and a program",

	"negotiation.Identity.CertificateTypes": "numbers of types",
	"negotiation.Trust.PeerTypes":           "numbers of types",

	"handshake.Peer": "certificates, and a psk_identity, which is sent in the " +
		"clear",
	"negotiation.PreShared":  "a psk_identity_hint, which is sent in the clear",
	"negotiation.KeyRequest": "what is sent in the clear",
	"negotiation.QUIC":       "transport parameters, which are sent in the clear",
	"negotiation.Prior": "verify_data, which authenticates and hides nothing, and a " +
		"certificate",
	"handshake.Score.VerifyData":     "it authenticates, and hides nothing",
	"handshake.Score.transcript":     "messages, in the clear",
	"handshake.Score.checking":       "a message, in the clear",
	"vitrine.CertificateRequestInfo": "a CertificateRequest",
	"vitrine.ClientHelloInfo":        "a ClientHello; the Config behind it is guarded",
	"vitrine.ConnectionState":        "certificates and what comes along with them",
	"vitrine.PSKInfo":                "what is sent in the clear",
	"capture.Packet":                 "what anybody on the wire saw",
	"capture.Assembler":              "what anybody on the wire saw",
	"front.guest.first":              "how a client began, in the clear",
	"front.guest.ahead":              "how a client began, in the clear",
	"front.Visit.First":              "how a client began, in the clear",
	"reach.Conn":                     "how a server began, in the clear",
	"record.Joiner": "handshake messages: they authenticate and agree, and " +
		"tickets are sealed",
	"keylog.Line.ID": "a client_random, a session_id or a part of what is " +
		"encrypted",
	"diagnose.Failure":       "how a connection began",
	"cause.Failure":          "how a connection began",
	"vitrine.HandshakeError": "how a peer's bytes began that are not TLS: at most 16 of them",
}

// foreign are types of others that hold secrets, or may.
var foreign = map[string]string{
	"tls.Certificate":    "its PrivateKey",
	"tls.Config":         "its Certificates",
	"crypto.PrivateKey":  "any private key",
	"crypto.Signer":      "any private key",
	"crypto.Decrypter":   "any private key",
	"ed25519.PrivateKey": "bytes",
	"ecdsa.PrivateKey":   "a number",
	"rsa.PrivateKey":     "numbers",
	"ecdh.PrivateKey":    "bytes",
	"big.Int":            "a part of a key",
	"json.RawMessage":    "bytes",
}
