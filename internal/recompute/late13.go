package recompute

import (
	"bytes"
	"compress/zlib"
	"io"
)

// This file has certificates, which may be compressed, and the authentication of a client after the
// handshake. See RFC 8446 §4.4.2 and §4.6.2, and RFC 8879.

func (m message13) isCertificate() bool {
	return m.kind() == typeCertificate || m.kind() == typeCompressed
}

// certificate returns the body of a Certificate, expanded if it was compressed. What expands it is
// the standard library's zlib, or the command brotli or zstd. See RFC 8879 §4.
func (v *view13) certificate(m message13) []byte {
	in := body(m.raw)
	if m.kind() == typeCertificate {
		return *in
	}
	algorithm, length := in.number(2), in.number(3)
	packed := in.vector(3)
	var plain []byte
	var err error
	switch algorithm {
	case 1:
		var r io.Reader
		if r, err = zlib.NewReader(bytes.NewReader(packed)); err == nil {
			plain, err = io.ReadAll(r)
		}
	case 2:
		plain, err = v.tool.command("brotli", packed, "-dc")
	case 3:
		plain, err = v.tool.command("zstd", packed, "-dc")
	default:
		v.fail("a certificate compressed by %d, which nothing is known of", algorithm)
	}
	if err != nil {
		v.fail("a compressed certificate: %w", err)
	}
	if len(plain) != length {
		v.fail("a certificate of %d bytes, expected %d", len(plain), length)
	}
	return plain
}

// leaf returns the first certificate of a Certificate, and its certificate_request_context.
func (v *view13) leaf(m message13) (leaf, context []byte) {
	in := input(v.certificate(m))
	context = in.vector(1)
	list := input(in.vector(3))
	return list.vector(3), context
}

// certificateBefore returns the index of the Certificate that the message at belongs to, or -1.
func (v *view13) certificateBefore(at int) int {
	for i := min(at, len(v.messages)) - 1; i >= 0; i-- {
		if m := v.messages[i]; m.from == v.messages[at].from && m.isCertificate() {
			return i
		}
	}
	return -1
}

// before returns what the hash of the message at covers. That of an authentication after the
// handshake covers the handshake, the request with the context of the answer, and the messages of
// the answer before it. See RFC 8446 §4.4.
func (v *view13) before(at int) []byte {
	done := v.find("client", typeFinished)
	if done < 0 || at <= done {
		return v.transcript(v.suite.hash, at)
	}
	all := v.transcript(v.suite.hash, done+1)
	first := v.certificateBefore(at)
	if first <= done {
		v.fail("message %d after the handshake has no Certificate", at)
		return all
	}
	_, context := v.leaf(v.messages[first])
	for _, m := range v.messages[done:first] {
		in := body(m.raw)
		if m.kind() == typeRequest && bytes.Equal(in.vector(1), context) {
			all = append(all, m.raw...)
		}
	}
	for _, m := range v.messages[first:at] {
		if m.isCertificate() || m.kind() == typeVerify {
			all = append(all, m.raw...)
		}
	}
	return all
}

// late computes the verify_data of the Finished at, which ends an authentication after the
// handshake. Its key comes from the secret of the client's data. See RFC 8446 §4.4.
func (v *view13) late(at int, secret []byte) {
	m := v.messages[at]
	data := v.finishedMAC(m.from+"_verify_data", v.suite.hash, secret, v.before(at))
	v.same("finished after the handshake", *body(m.raw), data)
}
