package recompute

import (
	"bytes"
	"slices"
)

// The types of handshake messages and extensions that TLS 1.3 computes with. See RFC 8446 §4 and
// §4.2.
const (
	typeClientHello = 1
	typeServerHello = 2
	typeTicket      = 4
	typeCertificate = 11
	typeRequest     = 13
	typeVerify      = 15
	typeFinished    = 20
	typeKeyUpdate   = 24
	typeCompressed  = 25
	typeMessageHash = 254
	extPreSharedKey = 41
	extEarlyData    = 42
	extVersions     = 43
	extKeyShare     = 51
)

// A hello is a ClientHello, ServerHello or HelloRetryRequest. See RFC 8446 §4.1.2 and §4.1.3.
type hello struct {
	raw        []byte
	random     []byte
	session    []byte
	suite      []byte // of a server's
	extensions map[int][]byte
}

func parseHello(raw []byte) hello {
	h := hello{raw: raw, extensions: map[int][]byte{}}
	in := body(raw)
	in.take(2)
	h.random = in.take(32)
	h.session = in.vector(1)
	if len(raw) > 0 && raw[0] == typeClientHello {
		in.vector(2)
		in.vector(1)
	} else {
		h.suite = in.take(2)
		in.take(1)
	}
	for all := input(in.vector(2)); len(all) > 0; {
		kind := all.number(2)
		h.extensions[kind] = all.vector(2)
	}
	return h
}

func (h hello) isRetry() bool { return bytes.Equal(h.random, retryRandom) }

// share returns the public key for a group in a hello's key_share. See RFC 8446 §4.2.8.
func (h hello) share(group int) []byte {
	all := input(h.extensions[extKeyShare])
	if len(h.raw) > 0 && h.raw[0] == typeClientHello {
		all = all.vector(2)
	}
	for len(all) > 0 {
		id := all.number(2)
		if key := all.vector(2); id == group {
			return key
		}
	}
	return nil
}

// group returns the group of a ServerHello's key_share, or 0 for none.
func (h hello) group() int {
	in := input(h.extensions[extKeyShare])
	return in.number(2)
}

// offered is one entry of a ClientHello's pre_shared_key. See RFC 8446 §4.2.11.
type offered struct{ identity, binder []byte }

// offered returns those entries, and the ClientHello up to and including the identities.
func (h hello) offered() (list []offered, truncated []byte) {
	in := input(h.extensions[extPreSharedKey])
	identities := input(in.vector(2))
	truncated = h.raw[:max(0, len(h.raw)-len(in))]
	binders := input(in.vector(2))
	for len(identities) > 0 {
		identity := identities.vector(2)
		identities.take(4)
		list = append(list, offered{identity, binders.vector(1)})
	}
	return list, truncated
}

// ticket returns the nonce and the ticket of a NewSessionTicket. See RFC 8446 §4.6.1.
func ticket(raw []byte) (nonce, value []byte) {
	in := body(raw)
	in.take(8)
	return in.vector(1), in.vector(2)
}

// A message13 is a handshake message.
type message13 struct {
	from string
	raw  []byte
}

func (m message13) kind() int {
	if len(m.raw) == 0 {
		return -1
	}
	return int(m.raw[0])
}

// find returns the index of the first message of a kind from a side, or -1.
func (v *view13) find(from string, kind int) int {
	return slices.IndexFunc(v.messages,
		func(m message13) bool { return m.from == from && m.kind() == kind })
}

// transcript returns what the hash of the messages before n, which are of the handshake, covers. A
// retry replaces the first ClientHello with a message that holds its hash. See RFC 8446 §4.4.1.
func (v *view13) transcript(digest string, n int) (all []byte) {
	for i, m := range v.messages[:max(0, min(n, len(v.messages)))] {
		switch {
		case m.kind() == typeTicket || m.kind() == typeKeyUpdate:
			continue
		case i == 0 && v.retried && n > 1:
			sum := v.digest(digest, m.raw)
			all = append(append(all, typeMessageHash, 0, 0, byte(len(sum))), sum...)
		default:
			all = append(all, m.raw...)
		}
	}
	return all
}
