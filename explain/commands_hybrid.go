package explain

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/trace"
)

// hybridKey describes how a hybrid's shares, private keys and secrets consist of ML-KEM's part and
// a curve's. See RFC 10024.
type hybridKey struct {
	kem              string // "ML-KEM-768"
	curve            string
	kemFirst         bool
	private          string // DER of a private key up to its seed: see RFC 9935
	encapsulationKey int    // lengths in bytes
	ciphertext       int
}

const (
	mlkemSeed   = 64 // of a private key in its short form: see FIPS 203 §7.1
	mlkemSecret = 32
)

var hybridKeys = map[string]hybridKey{
	"X25519MLKEM768":     {"ML-KEM-768", "x25519", true, mlkem768Key, 1184, 1088},
	"SecP256r1MLKEM768":  {"ML-KEM-768", "secp256r1", false, mlkem768Key, 1184, 1088},
	"SecP384r1MLKEM1024": {"ML-KEM-1024", "secp384r1", false, mlkem1024Key, 1568, 1568},
}

// What comes before the seed in the DER encodings of ML-KEM's private keys.
const (
	mlkem768Key  = "3054020100300b060960864801650304040204428040"
	mlkem1024Key = "3054020100300b060960864801650304040304428040"
)

// split returns both parts of b, of which ML-KEM's has n bytes.
func (h hybridKey) split(b []byte, n int) (kem, curve []byte) {
	n = min(n, len(b))
	if h.kemFirst {
		return b[:n], b[n:]
	}
	return b[len(b)-n:], b[:len(b)-n]
}

// hybrid returns the commands for both halves of a hybrid's secret. ML-KEM's half is computed with
// the private key of the client, which alone can decapsulate.
func (v *notes) hybrid(h hybridKey, e *trace.Ephemeral, secret []byte) []Command {
	own, peer := h.ciphertext, h.encapsulationKey
	scalar := []byte(e.Private)
	var seed, ciphertext []byte
	if e.From == iana.Client {
		own, peer = peer, own
		seed, scalar = h.split(e.Private, mlkemSeed)
		ciphertext, _ = h.split(e.Peer, h.ciphertext)
	} else if private := v.privates[string(e.Peer)]; private != nil {
		seed, _ = h.split(private, mlkemSeed)
		ciphertext, _ = h.split(e.Public, h.ciphertext)
	}
	_, point := h.split(e.Peer, peer)
	kemSecret, curveSecret := h.split(secret, mlkemSecret)
	commands := []Command{openssl("shared secret of "+h.curve,
		agreeOn(curveKeys[h.curve], scalar, point), curveSecret)}
	if seed == nil {
		return commands
	}
	text := aside([]string{
		hexFile("private.der", der(h.private, seed)),
		hexFile("ciphertext", ciphertext),
		"openssl pkeyutl -decap -inkey private.der -keyform DER -in ciphertext -secret secret",
		"xxd -p -c 256 secret",
	}, "private.der", "ciphertext", "secret")
	decapsulate := Command{Name: "shared secret of " + h.kem, Tool: MLKEMTool, Text: text,
		Output: kemSecret}
	if h.kemFirst {
		return append([]Command{decapsulate}, commands...)
	}
	return append(commands, decapsulate)
}

// MLKEMTool is the tool of commands for ML-KEM, which OpenSSL has from that version on.
const MLKEMTool = "openssl 3.5"

// MLKEMNote is shown beside commands of MLKEMTool.
const MLKEMNote = "Needs OpenSSL 3.5 or later, which has ML-KEM. Where the machine has an older " +
	"one, Vitrine's own tests recompute this value with circl, a second implementation."

// agreeOn is a command that computes the secret of two keys on a curve.
func agreeOn(c curveDER, private, peer []byte) string {
	return aside([]string{
		hexFile("private.der", der(c.private, private)),
		hexFile("peer.der", der(c.public, peer)),
		pipe("openssl pkeyutl -derive -inkey private.der -keyform DER -peerkey peer.der "+
			"-peerform DER", toHex),
	}, "private.der", "peer.der")
}

// hybridPublic returns the commands for both halves of a hybrid's public key: the client's, or the
// curve's half of the server's, whose other half is a ciphertext.
func hybridPublic(h hybridKey, e *trace.Ephemeral) []Command {
	name := e.From.String() + " public key"
	n, scalar := h.ciphertext, []byte(e.Private)
	var seed []byte
	if e.From == iana.Client {
		n = h.encapsulationKey
		seed, scalar = h.split(e.Private, mlkemSeed)
	}
	kemPart, point := h.split(e.Public, n)
	commands := []Command{publicOf(name+" of "+h.curve, curveKeys[h.curve], scalar, point)}
	if seed == nil {
		return commands
	}
	text := pipe(feed(der(h.private, seed)), "openssl pkey -inform DER -pubout -outform DER",
		fmt.Sprintf("tail -c %d", h.encapsulationKey), toHex)
	encapsulation := Command{Name: "encapsulation key of " + h.kem, Tool: MLKEMTool, Text: text,
		Output: kemPart}
	if h.kemFirst {
		return append([]Command{encapsulation}, commands...)
	}
	return append(commands, encapsulation)
}

// primeOf returns the prime of a finite field with a name, or nil.
func primeOf(name string) []byte {
	for _, id := range []iana.Group{iana.FFDHE2048, iana.FFDHE3072, iana.FFDHE4096, iana.FFDHE6144,
		iana.FFDHE8192} {
		if g, ok := kex.Named(id); ok && g.Name() == name {
			p, _ := kex.Params(g)
			return p
		}
	}
	return nil
}
