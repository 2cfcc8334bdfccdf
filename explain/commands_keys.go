package explain

import (
	"encoding/hex"
	"fmt"
)

// curveDER is what comes before the bare key in the DER encodings that openssl reads.
type curveDER struct{ private, public string }

// curveKeys has the beginnings of PKCS #8 without the public key (RFC 5958, RFC 5915, RFC 8410) and
// of SubjectPublicKeyInfo.
var curveKeys = map[string]curveDER{
	"secp256r1": {"3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420",
		"3059301306072a8648ce3d020106082a8648ce3d030107034200"},
	"secp384r1": {"304e020100301006072a8648ce3d020106052b81040022043730350201010430",
		"3076301006072a8648ce3d020106052b81040022036200"},
	"secp521r1": {"3060020100301006072a8648ce3d020106052b81040023044930470201010442",
		"30819b301006072a8648ce3d020106052b8104002303818600"},
	"x25519": {"302e020100300506032b656e04220420", "302a300506032b656e032100"},
	"x448":   {"3046020100300506032b656f043a0438", "3042300506032b656f033900"},
}

// der returns the DER encoding of a bare key.
func der(prefix string, key []byte) []byte {
	b, err := hex.DecodeString(prefix)
	if err != nil {
		panic(err) // not hex in the table above
	}
	return append(b, key...)
}

// publicOf is the command that computes a public key on a curve.
func publicOf(name string, c curveDER, private, public []byte) Command {
	text := pipe(feed(der(c.private, private)), "openssl pkey -inform DER -pubout -outform DER",
		fmt.Sprintf("tail -c %d", len(public)), toHex)
	return openssl(name, text, public)
}
