package explain

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

// ciphers are the names of ciphers in openssl enc, without the mode.
var ciphers = map[*record.Cipher]string{
	record.DES_EDE3_CBC: "des-ede3", record.AES_128_CBC: "aes-128", record.AES_256_CBC: "aes-256",
	record.AES_128_GCM: "aes-128", record.AES_256_GCM: "aes-256", record.AES_128_CCM: "aes-128",
	record.AES_256_CCM:   "aes-256",
	record.AES_128_CCM_8: "aes-128", record.AES_256_CCM_8: "aes-256",
	record.CHACHA20_POLY1305: "chacha20",
}

var macDigests = map[*record.MAC]string{record.HMAC_SHA1: "SHA1", record.HMAC_SHA256: "SHA256",
	record.HMAC_SHA384: "SHA384"}

// record returns the commands that decrypt a protected record and recompute its MAC or tag. See RFC
// 5246 §6.2.3.
func (v *notes) record(r *trace.Record) []Command {
	k := v.keys[r.From]
	if r.Protection == "" || k == nil || v.suite == nil || len(k.MACKey)+len(k.Key) == 0 {
		return nil
	}
	return protocolOf(v.agreed.Version).record(v, r, k)
}

// record12 is record for versions up to TLS 1.2.
func (v *notes) record12(r *trace.Record, k *trace.KeysInstalled) []Command {
	c := v.suite.Cipher
	switch {
	case c.CBC():
		return v.cbc(r, k)
	case c == record.NULL:
		return []Command{v.mac(r, k, r.Plaintext)}
	case len(r.Nonce) != 12:
		return nil
	case c == record.CHACHA20_POLY1305:
		return chacha20Poly1305(r, k.Key)
	case c.TagLen == len(r.Tag) && strings.Contains(c.Name, "CCM"):
		return ccm(ciphers[c], r, k.Key)
	}
	return gcm(ciphers[c], r, k.Key)
}

// cbc returns the commands for a CBC record. In MAC-then-encrypt the MAC is inside and covers the
// content; in encrypt-then-MAC it is outside and covers IV and ciphertext. See RFC 5246 §6.2.3.2
// and RFC 7366 §3.
func (v *notes) cbc(r *trace.Record, k *trace.KeysInstalled) []Command {
	name, inside, covered := "data + MAC + padding", concat(r.Plaintext, r.MAC, r.Padding),
		[]byte(r.Plaintext)
	if v.agreed.EncryptThenMAC {
		name, inside, covered = "data + padding", concat(r.Plaintext, r.Padding),
			concat(r.IV, r.Ciphertext)
	}
	text := pipe(feed(r.Ciphertext), enc(ciphers[v.suite.Cipher]+"-cbc -d", k.Key, r.IV), toHex)
	return []Command{openssl(name, text, inside), v.mac(r, k, covered)}
}

// mac returns the command for a record's HMAC. It covers r.AAD (sequence number, type, version and
// length) and covered. See RFC 5246 §6.2.3.1.
func (v *notes) mac(r *trace.Record, k *trace.KeysInstalled, covered []byte) Command {
	hmac := "openssl mac -digest " + macDigests[v.suite.MAC] + " -macopt hexkey:" +
		hexOf(k.MACKey) + " -binary HMAC"
	return openssl("MAC", pipe(feed(concat(r.AAD, covered)), hmac, toHex), r.MAC)
}

// ghash is a command that computes GHASH (NIST SP 800-38D §6.4) over the hex digits on its standard
// input, with the hash key as its argument.
const ghash = `python3 -c '
import sys
h, y = int(sys.argv[1], 16), 0
data = bytes.fromhex(sys.stdin.read())
for i in range(0, len(data), 16):
    y ^= int.from_bytes(data[i:i+16], "big")
    z, v = 0, h
    for bit in range(127, -1, -1):
        if y >> bit & 1: z ^= v
        v = v >> 1 ^ (0xe1 << 120 if v & 1 else 0)
    y = z
sys.stdout.buffer.write(y.to_bytes(16, "big"))
'`

// gcm returns the commands for a GCM record. Counter block 1 encrypts the tag, and the data begins
// with block 2, so openssl's counter mode does both. See NIST SP 800-38D §7.1.
func gcm(cipher string, r *trace.Record, key []byte) []Command {
	ctr := func(n byte) string {
		return enc(cipher+"-ctr", key, concat(r.Nonce, []byte{0, 0, 0, n}))
	}
	lengths := binary.BigEndian.AppendUint64(nil, 8*uint64(len(r.AAD)))
	lengths = binary.BigEndian.AppendUint64(lengths, 8*uint64(len(r.Ciphertext)))
	hashed := concat(fill(r.AAD), fill(r.Ciphertext), lengths)
	tag := "(h=$(" + pipe(feed(make([]byte, 16)), enc(cipher+"-ecb", key, nil), toHex) + ")\n" +
		pipe("echo "+hexOf(hashed), ghash+` "$h"`, ctr(1), toHex) + ")"
	return []Command{
		openssl("data", pipe(feed(r.Ciphertext), ctr(2), toHex), r.Plaintext),
		{Name: "tag", Tool: "openssl and python3", Text: tag, Output: r.Tag},
	}
}

// ccm returns the commands for a CCM record. The tag is a CBC-MAC, the last block of CBC, over a
// first block with all lengths, the additional data and the data, encrypted with counter block 0.
// See RFC 3610 §2.2 and §2.3.
func ccm(cipher string, r *trace.Record, key []byte) []Command {
	const lenLen = 3 // bytes of the length field: 15 less those of the nonce
	ctr := func(n byte) string {
		return enc(cipher+"-ctr", key, concat([]byte{lenLen - 1}, r.Nonce, []byte{0, 0, n}))
	}
	n := len(r.Plaintext)
	first := concat([]byte{1<<6 | byte(len(r.Tag)-2)/2<<3 | lenLen - 1}, r.Nonce,
		[]byte{byte(n >> 16), byte(n >> 8), byte(n)})
	aad := append(binary.BigEndian.AppendUint16(nil, uint16(len(r.AAD))), r.AAD...)
	tag := pipe(feed(concat(first, fill(aad), fill(r.Plaintext))),
		enc(cipher+"-cbc", key, make([]byte, 16)), "tail -c 16", ctr(0))
	if len(r.Tag) < 16 {
		tag = pipe(tag, "head -c 8")
	}
	return []Command{
		openssl("data", pipe(feed(r.Ciphertext), ctr(1), toHex), r.Plaintext),
		openssl("tag", pipe(tag, toHex), r.Tag),
	}
}

// chacha20Poly1305 returns the commands for a ChaCha20-Poly1305 record. Block 0 of the key stream
// is the one-time key of Poly1305, and the data begins with block 1. See RFC 8439 §2.8.
func chacha20Poly1305(r *trace.Record, key []byte) []Command {
	stream := func(block byte) string {
		return enc("chacha20", key, concat([]byte{block, 0, 0, 0}, r.Nonce))
	}
	lengths := binary.LittleEndian.AppendUint64(nil, uint64(len(r.AAD)))
	lengths = binary.LittleEndian.AppendUint64(lengths, uint64(len(r.Ciphertext)))
	tag := "(k=$(" + pipe(feed(make([]byte, 32)), stream(0), toHex) + ")\n" +
		pipe(feed(concat(fill(r.AAD), fill(r.Ciphertext), lengths)),
			`openssl mac -macopt hexkey:"$k" -binary Poly1305`, toHex) + ")"
	return []Command{
		openssl("data", pipe(feed(r.Ciphertext), stream(1), toHex), r.Plaintext),
		openssl("tag", tag, r.Tag),
	}
}

// concat is slices.Concat for named byte slice types.
func concat(parts ...[]byte) []byte { return slices.Concat(parts...) }

// fill pads b with zeros to a whole number of 16-byte blocks.
func fill(b []byte) []byte { return concat(b, make([]byte, -len(b)&15)) }
