package recompute

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// input is the rest of a message. Reading beyond its end returns fewer bytes, so that what is
// computed from them differs.
type input []byte

func (in *input) take(n int) []byte {
	n = min(n, len(*in))
	b := (*in)[:n]
	*in = (*in)[n:]
	return b
}

func (in *input) number(size int) int {
	n := 0
	for _, b := range in.take(size) {
		n = n<<8 | int(b)
	}
	return n
}

// vector reads an opaque vector with a length of size bytes.
func (in *input) vector(size int) []byte { return in.take(in.number(size)) }

// body returns a message without its header.
func body(raw []byte) *input {
	in := input(raw)
	in.take(4)
	return &in
}

// suite is what the name of a cipher suite says, in openssl's names, and which extensions were
// negotiated.
type suite struct {
	name                  string
	kex                   string
	cipher                string // "aes-256"; "" for NULL
	mode                  string // "cbc", "gcm", "ccm", "ccm8", "chacha20", ""
	mac                   string // "SHA1"; "" for an AEAD
	hash                  string // of PRF and transcript
	macLen, keyLen, ivLen int
	ems, etm              bool // by extension
}

var hashLen = map[string]int{"SHA1": 20, "SHA256": 32, "SHA384": 48}

// tls13Suites are all suites of RFC 8446 §B.4: openssl's list has three of them by itself.
const tls13Suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:" +
	"TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"

// suites returns openssl's names by code point, and those of the triple DES suites, which
// distributions disable.
func (v *view) suites() map[string]string {
	names := map[string]string{
		"0x00,0x0A": "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
		"0x00,0x16": "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
		"0xC0,0x08": "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA",
		"0xC0,0x12": "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
	}
	for line := range strings.Lines(string(v.openssl(nil, "ciphers", "-V", "-stdname",
		"-ciphersuites", tls13Suites, "ALL:eNULL:@SECLEVEL=0"))) {
		if f := strings.Fields(line); len(f) > 2 {
			names[f[0]] = f[2]
		}
	}
	return names
}

// parseSuite parses a name such as TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, or, of TLS 1.3,
// TLS_AES_256_GCM_SHA384. See RFC 5246 appendix C and RFC 8446 §B.4.
func parseSuite(name string) (s suite) {
	kex, rest, before13 := strings.Cut(strings.TrimPrefix(name, "TLS_"), "_WITH_")
	if !before13 {
		kex, rest = "", kex
	}
	s.name = name
	s.kex, _, _ = strings.Cut(kex, "_")
	words := strings.Split(rest, "_")
	s.hash = "SHA256"
	if slices.Contains(words, "SHA384") {
		s.hash = "SHA384"
	}
	switch {
	case words[0] == "NULL":
	case words[0] == "3DES":
		s.cipher, s.mode, s.keyLen = "des-ede3", "cbc", 24
	case words[0] == "CHACHA20":
		s.cipher, s.mode, s.keyLen, s.ivLen = "chacha20", "chacha20", 32, 12
	case words[0] == "AES" && len(words) >= 3:
		fmt.Sscan(words[1], &s.keyLen)
		s.keyLen /= 8
		s.cipher, s.mode = "aes-"+words[1], strings.ToLower(words[2])
		if slices.Contains(words, "8") {
			s.mode = "ccm8"
		}
		if s.mode != "cbc" {
			s.ivLen = 4
		}
	}
	if !before13 {
		s.ivLen = 12
	}
	if s.ivLen == 0 {
		s.mac = map[string]string{"SHA": "SHA1", "SHA256": "SHA256",
			"SHA384": "SHA384"}[words[len(words)-1]]
		s.macLen = hashLen[s.mac]
	}
	return s
}

// serverHello reads the server's choices. See RFC 5246 §7.4.1.3.
func (v *view) serverHello(raw []byte) {
	in := body(raw)
	in.take(2)
	v.random["server"] = in.take(32)
	in.vector(1)
	code := in.take(2)
	in.take(1)
	ems, etm := false, false
	for all := input(in.vector(2)); len(all) > 0; {
		kind := all.number(2)
		all.vector(2)
		etm = etm || kind == 22
		ems = ems || kind == 23
	}
	if len(code) == 2 {
		v.suite = parseSuite(v.suites()[fmt.Sprintf("0x%02X,0x%02X", code[0], code[1])])
	}
	v.suite.ems, v.suite.etm = ems, etm
}

// exchange holds the contents of the two key exchange messages.
type exchange struct {
	p, g      []byte // finite field
	group     int    // elliptic curve
	public    map[string][]byte
	encrypted []byte // RSA
	params    []byte
	scheme    int
	signature []byte
}

func (v *view) serverKeyExchange(raw []byte) {
	in, x := body(raw), &v.exchange
	all := *in
	if v.suite.kex == "DHE" {
		x.p, x.g = in.vector(2), in.vector(2)
		x.public["server"] = in.vector(2)
	} else {
		in.take(1)
		x.group = in.number(2)
		x.public["server"] = in.vector(1)
	}
	x.params = all[:len(all)-len(*in)]
	x.scheme, x.signature = in.number(2), in.vector(2)
}

func (v *view) clientKeyExchange(raw []byte) {
	in, x := body(raw), &v.exchange
	switch v.suite.kex {
	case "RSA":
		x.encrypted = in.vector(2)
	case "DHE":
		x.public["client"] = in.vector(2)
	default:
		x.public["client"] = in.vector(1)
	}
}

// leaf returns the first certificate of a message, or its raw public key, which stands there
// without a list. See RFC 7250 §3.
func leaf(raw []byte) []byte {
	in := body(raw)
	list := input(in.vector(3))
	if isKey(list) {
		return list
	}
	return list.vector(3)
}

// isKey reports whether DER is a public key and no certificate: an OBJECT IDENTIFIER is the first
// thing in its first SEQUENCE. See RFC 5280 §4.1.
func isKey(der []byte) bool {
	inside := func(b []byte) []byte { // of a SEQUENCE
		if len(b) < 2 || b[0] != 0x30 {
			return nil
		}
		if b[1] < 0x80 {
			return b[2:]
		}
		return b[min(len(b), 2+int(b[1]&0x7f)):]
	}
	algorithm := inside(inside(der))
	return len(algorithm) > 0 && algorithm[0] == 6
}

// macHeader returns what a MAC or an AEAD covers besides the content. See RFC 5246 §6.2.3.1.
func macHeader(seq uint64, header []byte, n int) []byte {
	b := binary.BigEndian.AppendUint64(nil, seq)
	b = append(b, header[:3]...)
	return binary.BigEndian.AppendUint16(b, uint16(n))
}

func zeros(n int) []byte { return make([]byte, n) }

// blocks pads b with zeros to whole blocks.
func blocks(b []byte) []byte { return append(bytes.Clone(b), zeros(-len(b)&15)...) }
