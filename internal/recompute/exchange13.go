package recompute

import (
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
)

// A hybrid is a curve combined with ML-KEM. See RFC 10024.
type hybrid struct {
	name     string
	curve    int
	kem      parameterSet
	kemFirst bool
}

var hybrids = map[int]hybrid{
	0x11EB: {"SecP256r1MLKEM768", 23, mlkem768Set, false},
	0x11EC: {"X25519MLKEM768", 29, mlkem768Set, true},
	0x11ED: {"SecP384r1MLKEM1024", 24, mlkem1024Set, false},
}

// split returns both parts of b, of which ML-KEM's has n bytes.
func (h hybrid) split(b []byte, n int) (kem, curve []byte) {
	n = min(n, len(b))
	if h.kemFirst {
		return b[:n], b[n:]
	}
	return b[len(b)-n:], b[:len(b)-n]
}

func (h hybrid) join(kem, curve []byte) []byte {
	if h.kemFirst {
		return append(append([]byte{}, kem...), curve...)
	}
	return append(append([]byte{}, curve...), kem...)
}

// fields are the finite fields of RFC 7919.
var fields = map[int]string{256: "ffdhe2048", 257: "ffdhe3072", 258: "ffdhe4096", 259: "ffdhe6144",
	260: "ffdhe8192"}

// groupName returns the registry's name of a group.
func groupName(id int) string {
	if c, ok := curves[id]; ok {
		return c.name
	}
	if h, ok := hybrids[id]; ok {
		return h.name
	}
	return fields[id]
}

// exchanged recomputes the shared secret from an ephemeral key and both hellos. See RFC 8446 §7.4.
func (v *view13) exchanged(e event) {
	group := v.server.group()
	own, peer := v.client.share(group), v.server.share(group)
	if v.role == "server" {
		own, peer = peer, own
	}
	v.sameText("whose ephemeral key", e.text("from"), v.role)
	v.sameText("group", e.text("group"), groupName(group))
	v.same("public key", e.bytes("public"), own)
	v.same("peer's public key", e.bytes("peer"), peer)
	private := e.bytes("private")
	if h, ok := hybrids[group]; ok {
		v.shared = v.hybrid(h, private, own, peer)
	} else if c, ok := curves[group]; ok {
		v.shared = v.point(c, private, own, peer)
	} else {
		v.shared = v.power(fields[group], private, own, peer)
	}
}

// power computes a shared secret in a finite field, as long as the prime. See RFC 8446 §7.4.1.
func (v *view) power(name string, private, own, peer []byte) []byte {
	block, _ := pem.Decode(v.openssl(nil, "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt",
		"group:"+name))
	var params struct {
		P, G   *big.Int
		Length int `asn1:"optional"`
	}
	if block == nil {
		block = &pem.Block{}
	}
	if _, err := asn1.Unmarshal(block.Bytes, &params); err != nil {
		v.fail("the group %q: %w", name, err)
		return nil
	}
	size := (params.P.BitLen() + 7) / 8
	exp := func(base *big.Int) []byte {
		return new(big.Int).Exp(base, new(big.Int).SetBytes(private),
			params.P).FillBytes(zeros(size))
	}
	v.same("g^private mod p", own, exp(params.G))
	return exp(new(big.Int).SetBytes(peer))
}

// hybrid computes both parts of a hybrid's secret. Only the client, which made ML-KEM's key, can
// decapsulate, so its private key is needed for the server's view, too.
func (v *view13) hybrid(h hybrid, private, own, peer []byte) []byte {
	n := map[string][2]int{"client": {h.kem.encapsulationKey, h.kem.ciphertext},
		"server": {h.kem.ciphertext, h.kem.encapsulationKey}}[v.role]
	ownKEM, ownPoint := h.split(own, n[0])
	peerKEM, peerPoint := h.split(peer, n[1])
	seed, scalar := h.split(private, seedLen)
	encapsulation, ciphertext := ownKEM, peerKEM
	if v.role == "server" {
		scalar = private
		seed, _ = h.split(v.privates[fmt.Sprintf("client %x", peer)], seedLen)
		encapsulation, ciphertext = peerKEM, ownKEM
	}
	public, secret := v.decapsulate(h.kem, seed, ciphertext)
	v.same("encapsulation key", encapsulation, public)
	v.tally["ML-KEM secret by "+v.tool.MLKEM()]++
	return h.join(secret, v.point(curves[h.curve], scalar, ownPoint, peerPoint))
}
