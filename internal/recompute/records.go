package recompute

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// pieces are the parts of a record, by their names in the events.
type pieces map[string][]byte

var pieceNames = []string{"plaintext", "iv", "nonce", "explicit", "aad", "ciphertext", "mac",
	"padding", "tag"}

func (v *view) record(from string, e event) {
	half := v.half[from]
	header, fragment := e.bytes("header"), e.bytes("fragment")
	if len(header) != 5 || int(binary.BigEndian.Uint16(header[3:])) != len(fragment) {
		v.fail("a record with the header %x and %d bytes", header, len(fragment))
		return
	}
	v.sameText("seq_num", fmt.Sprint(e["seq_num"]), fmt.Sprint(half.seq))
	kind := map[byte]string{20: "change_cipher_spec", 21: "alert", 22: "handshake",
		23: "application_data"}[header[0]]
	v.sameText("content_type", e.text("content_type"), kind)
	v.sameText("direction", e.text("direction"),
		map[bool]string{true: "sealed", false: "opened"}[from == v.role])
	p := pieces{"plaintext": fragment}
	if half.on {
		p = v.open(half.keys, half.seq, header, fragment)
		v.seen["protected "+kind+" from the "+from]++
	}
	for _, name := range pieceNames {
		v.same(name+" of a record", e.bytes(name), p[name])
	}
	half.seq++
	switch kind {
	case "change_cipher_spec":
		half.on, half.seq = true, 0
	case "handshake":
		half.fromRecords = append(half.fromRecords, p["plaintext"]...)
	}
}

// open decrypts a record and returns its parts. A MAC or tag in the result is the computed one,
// which is compared with that of the event. It is also compared with the fragment: directly, or
// because the tag is part of it.
func (v *view) open(k keys, seq uint64, header, fragment []byte) pieces {
	if len(fragment) < v.overhead() || v.block == nil {
		v.fail("a protected record of %d bytes, with a key_block of %d",
			len(fragment), len(v.block))
		return nil
	}
	var p pieces
	switch v.suite.mode {
	case "":
		p = v.openNull(k, seq, header, fragment)
	case "cbc":
		p = v.openCBC(k, seq, header, fragment)
	default:
		p = v.openAEAD(k, seq, header, fragment)
	}
	if p == nil {
		v.fail("record %d cannot be taken apart", seq)
	}
	return p
}

// overhead returns the least length of a record apart from its content, in bytes.
func (v *view) overhead() int {
	return map[string]int{"": v.suite.macLen, "cbc": v.ivSize() + v.suite.macLen, "gcm": 24,
		"ccm": 24, "ccm8": 16, "chacha20": 16}[v.suite.mode]
}

func (v *view) ivSize() int {
	if v.suite.cipher == "des-ede3" {
		return 8
	}
	return 16
}

// openNull opens a record with a NULL cipher. See RFC 5246 §6.2.3.1.
func (v *view) openNull(k keys, seq uint64, header, fragment []byte) pieces {
	n := len(fragment) - v.suite.macLen
	aad := macHeader(seq, header, n)
	plain := fragment[:n]
	mac := v.hmac(k.mac, slices.Concat(aad, plain))
	v.same("MAC on the wire", fragment[n:], mac)
	return pieces{"plaintext": plain, "ciphertext": plain, "aad": aad, "mac": mac}
}

// openCBC opens a record with a CBC cipher. See RFC 5246 §6.2.3.2 and RFC 7366 §3.
func (v *view) openCBC(k keys, seq uint64, header, fragment []byte) pieces {
	size, macLen := v.ivSize(), v.suite.macLen
	end := len(fragment)
	if v.suite.etm {
		end -= macLen
	}
	p := pieces{"iv": fragment[:size], "ciphertext": fragment[size:end]}
	inside := v.encrypt(v.suite.cipher+"-cbc", k.key, p["iv"], p["ciphertext"], "-d")
	if len(inside) == 0 {
		return nil
	}
	n := len(inside) - 1 - int(inside[len(inside)-1])
	if n < 0 {
		return nil
	}
	p["padding"] = inside[n:]
	for _, b := range p["padding"] {
		if int(b) != len(p["padding"])-1 {
			v.fail("padding is %x", p["padding"])
		}
	}
	if v.suite.etm {
		p["plaintext"], p["aad"] = inside[:n], macHeader(seq, header, end)
		p["mac"] = v.hmac(k.mac, slices.Concat(p["aad"], fragment[:end]))
		v.same("MAC on the wire", fragment[end:], p["mac"])
		return p
	}
	if n -= macLen; n < 0 {
		return nil
	}
	p["plaintext"], p["aad"] = inside[:n], macHeader(seq, header, n)
	p["mac"] = v.hmac(k.mac, slices.Concat(p["aad"], p["plaintext"]))
	v.same("MAC on the wire", inside[n:n+macLen], p["mac"])
	return p
}

// openAEAD opens a record with an AEAD. See RFC 5246 §6.2.3.3, RFC 5288 §3, RFC 6655 §3 and RFC
// 7905 §2.
func (v *view) openAEAD(k keys, seq uint64, header, fragment []byte) pieces {
	explicit, tagLen := 8, 16
	switch v.suite.mode {
	case "ccm8":
		tagLen = 8
	case "chacha20":
		explicit = 0
	}
	end := len(fragment) - tagLen
	p := pieces{"explicit": fragment[:explicit], "ciphertext": fragment[explicit:end],
		"aad": macHeader(seq, header, end-explicit)}
	if explicit > 0 {
		p["nonce"] = slices.Concat(k.iv, p["explicit"])
	} else {
		number := binary.BigEndian.Uint64(k.iv[4:]) ^ seq
		p["nonce"] = binary.BigEndian.AppendUint64(slices.Clone(k.iv[:4]), number)
	}
	v.decrypt(k.key, p, tagLen)
	v.same("tag on the wire", fragment[end:], p["tag"])
	return p
}

// decrypt adds plaintext and tag to the nonce, additional data and ciphertext of a record.
func (v *view) decrypt(key []byte, p pieces, tagLen int) {
	switch v.suite.mode {
	case "gcm":
		v.gcm(key, p)
	case "chacha20":
		v.chacha20(key, p)
	default:
		v.ccm(key, p, tagLen)
	}
}

// gcm: NIST SP 800-38D §7.2. The first block of the key stream hides the tag.
func (v *view) gcm(key []byte, p pieces) {
	h := v.encrypt(v.suite.cipher+"-ecb", key, nil, zeros(16))
	out := input(v.encrypt(v.suite.cipher+"-ctr", key,
		slices.Concat(p["nonce"], []byte{0, 0, 0, 1}), slices.Concat(zeros(16), p["ciphertext"])))
	mask := out.take(16)
	p["plaintext"] = out
	p["tag"] = gcmTag(h, mask, p["aad"], p["ciphertext"])
}

// ccm decrypts with CCM, with three bytes for the length. See RFC 3610 §2.2 and §2.3.
func (v *view) ccm(key []byte, p pieces, tagLen int) {
	counter := slices.Concat([]byte{2}, p["nonce"], zeros(3))
	out := input(v.encrypt(v.suite.cipher+"-ctr", key, counter,
		slices.Concat(zeros(16), p["ciphertext"])))
	mask := out.take(16)
	p["plaintext"] = out
	first := slices.Concat([]byte{1<<6 | byte(tagLen-2)/2<<3 | 2}, p["nonce"],
		[]byte{0, byte(len(out) >> 8), byte(len(out))})
	aad := binary.BigEndian.AppendUint16(nil, uint16(len(p["aad"])))
	chain := v.encrypt(v.suite.cipher+"-cbc", key, zeros(16),
		slices.Concat(first, blocks(append(aad, p["aad"]...)), blocks(out)))
	p["tag"] = xor(chain[max(0, len(chain)-16):], mask)[:tagLen]
}

// chacha20 decrypts with ChaCha20-Poly1305. Block 0 of the key stream holds the one-time key. See
// RFC 8439 §2.8.
func (v *view) chacha20(key []byte, p pieces) {
	out := input(v.encrypt("chacha20", key, slices.Concat(zeros(4), p["nonce"]),
		slices.Concat(zeros(64), p["ciphertext"])))
	var once [32]byte
	copy(once[:], out.take(64))
	p["plaintext"] = out
	lengths := binary.LittleEndian.AppendUint64(nil, uint64(len(p["aad"])))
	lengths = binary.LittleEndian.AppendUint64(lengths, uint64(len(p["ciphertext"])))
	p["tag"] = v.poly1305(once[:],
		slices.Concat(blocks(p["aad"]), blocks(p["ciphertext"]), lengths))
}

func xor(a, b []byte) []byte {
	x := slices.Clone(a)
	for i := range min(len(a), len(b)) {
		x[i] ^= b[i]
	}
	return x
}
