package explain

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
)

// A mistake13 is one common deviation from RFC 8446. applies is nil if the mistake is possible in
// every derivation.
type mistake13 struct {
	how     string
	edit    func(*method)
	applies func(*Derivation13) bool
	off     int // of the transcript: by how many messages it is another place
}

// mistakes13 are the usual mistakes.
var mistakes13 = []mistake13{
	{how: `"tls13 " is missing in front of each label (RFC 8446 §7.1)`,
		edit: func(m *method) { m.prefix = prefixNone }},
	{how: `labels begin with "TLS 1.3, ", as in drafts of TLS 1.3, and not with "tls13 "`,
		edit: func(m *method) { m.prefix = prefixDraft }},
	{how: `labels begin with "dtls13", as in DTLS 1.3, and not with "tls13 "`,
		edit: func(m *method) { m.prefix = prefixDTLS }},
	{how: `labels begin with "tls13" without the space behind it, and not with "tls13 "`,
		edit: func(m *method) { m.prefix = prefixBare }},
	{how: `labels begin with "TLS13 ", in capitals, and not with "tls13 "`,
		edit: func(m *method) { m.prefix = prefixCapitals }},
	{how: "the byte with the label's length is missing in HkdfLabel (RFC 8446 §7.1)",
		edit: func(m *method) { m.bareLabel = true }},
	{how: "the byte with the context's length is missing in HkdfLabel (RFC 8446 §7.1)",
		edit: func(m *method) { m.bareContext = true }},
	{how: "the length in HkdfLabel is in bits: it is in bytes (RFC 8446 §7.1)",
		edit: func(m *method) {
			m.lengthAs = func(n int) []byte {
				return binary.BigEndian.AppendUint16(nil, uint16(8*n))
			}
		}},
	{how: "the bytes of the length in HkdfLabel are in reverse order (RFC 8446 §7.1)",
		edit: func(m *method) {
			m.lengthAs = func(n int) []byte {
				return binary.LittleEndian.AppendUint16(nil, uint16(n))
			}
		}},
	{how: "the length in HkdfLabel is one byte: it is two (RFC 8446 §7.1)",
		edit: func(m *method) { m.lengthAs = func(n int) []byte { return []byte{byte(n)} } }},
	{how: "the length is missing in HkdfLabel (RFC 8446 §7.1)",
		edit: func(m *method) { m.lengthAs = noLength }},
	{how: "HkdfLabel is left out: the info is the label and the context alone (RFC 8446 §7.1)",
		edit: func(m *method) {
			m.prefix, m.lengthAs, m.bareLabel, m.bareContext = prefixNone, noLength, true, true
		}},
	{how: `HkdfLabel is left out: the info is "tls13 ", the label and the context alone ` +
		"(RFC 8446 §7.1)", edit: func(m *method) {
		m.lengthAs, m.bareLabel, m.bareContext = noLength, true, true
	}},
	{how: "the context of a secret is empty: it is the transcript hash (RFC 8446 §7.1)",
		edit: func(m *method) { m.empty = true }},
	{how: "the ticket_nonce is hashed: the context of the ticket's PSK is the nonce itself " +
		"(RFC 8446 §4.6.1)", edit: func(m *method) { m.hashed = true },
		applies: func(d *Derivation13) bool { return d.Given.Nonce != nil }},
	{how: "an empty context is hashed: that of keys, IVs and finished keys is empty, not the " +
		"hash of " +
		"nothing (RFC 8446 §7.3)", edit: func(m *method) { m.hashNothing = true }},
	{how: `the context of "derived" and of the binder_key is empty: it is the hash of nothing ` +
		"(RFC 8446 §7.1)", edit: func(m *method) { m.noHash = true }},
	{how: `the context of "derived" and of the binder_key is zeros: it is the hash of nothing ` +
		"(RFC 8446 §7.1)", edit: func(m *method) { m.zeroHash = true }},
	{how: `the derived secret is skipped: HKDF-Extract's salt is Derive-Secret(., "derived", ` +
		`""), not ` +
		"the secret before it (RFC 8446 §7.1)", edit: func(m *method) { m.skipDerived = true }},
	{how: "salt and IKM of HKDF-Extract have changed places (RFC 8446 §7.1)",
		edit: func(m *method) { m.swapExtract = true }},
	{how: "nothing is extracted where there is no secret: as many zeros as the hash has bytes " +
		"stand " +
		"for it (RFC 8446 §7.1)", edit: func(m *method) { m.noZeros = true }},
	{how: "the HMAC is keyed by the traffic secret or binder_key itself: the finished_key is " +
		"left out " +
		"(RFC 8446 §4.4.4)", edit: func(m *method) { m.bareHMAC = true }},
	{how: "the transcript hash is hashed again, as if it were the messages",
		edit: func(m *method) { m.twice = true }},
	{how: "the messages themselves stand in the place of the transcript hash (RFC 8446 §4.4.1)",
		edit: func(m *method) { m.raw = true }, applies: told13},
	{how: "the transcript hash is taken as text, undecoded",
		edit: func(m *method) { m.text = true }},
	{how: "the transcript hash is taken as text in upper case, undecoded",
		edit: func(m *method) { m.text, m.upper = true, true }},
	{how: "leading zeros of the shared secret are stripped: TLS 1.3 keeps them (RFC 8446 §7.4)",
		edit:    func(m *method) { m.stripped = true },
		applies: func(d *Derivation13) bool { return bytes.HasPrefix(d.Given.Shared, []byte{0}) }},
	{how: "the shared secret has a zero byte in front, as the sign of an INTEGER in ASN.1 or of " +
		"Java's BigInteger (RFC 8446 §7.4)", edit: func(m *method) { m.padded = 1 },
		applies: exchanged13(0)},
	{how: "the shared secret is hashed: it is extracted as it is (RFC 8446 §7.4)",
		edit: func(m *method) { m.digested = true }, applies: exchanged13(0)},
	{how: "the shared secret is padded with zeros in front, to 48 bytes (RFC 8446 §7.4)",
		edit: func(m *method) { m.padded = 48 }, applies: exchanged13(48)},
	{how: "the shared secret is padded with zeros in front, to 66 bytes (RFC 8446 §7.4)",
		edit: func(m *method) { m.padded = 66 }, applies: exchanged13(66)},
	{how: "key and data of HMAC have changed places: the finished_key is the key " +
		"(RFC 8446 §4.4.4)",
		edit: func(m *method) { m.swapHMAC = true }},
	{how: "the PRF of TLS 1.2 is used in the place of HKDF-Expand-Label (RFC 8446 §7.1)",
		edit: func(m *method) { m.prf = true }},
	{how: "HKDF-Expand counts from 0: its first block has the byte 1 (RFC 5869 §2.3)",
		edit: func(m *method) { m.expander = fromZero }},
	{how: "HKDF-Expand lacks its counter: its first block has the byte 1 behind the info " +
		"(RFC 5869 §2.3)", edit: func(m *method) { m.expander = uncounted }},
	{how: "HKDF-Extract stands in front of HKDF-Expand-Label: its secret is extracted already " +
		"(RFC 8446 §7.1)", edit: func(m *method) { m.expander = extractedFirst }},

	{how: "message_hash is forgotten: behind a HelloRetryRequest the first ClientHello's hash " +
		"stands " +
		"for it in the transcript, not the message itself (RFC 8446 §4.4.1)",
		edit: func(m *method) { m.retry = retryRaw }, applies: retried13},
	{how: "the transcript begins with the second ClientHello: message_hash and " +
		"HelloRetryRequest are " +
		"part of it (RFC 8446 §4.4.1)", edit: func(m *method) { m.retry = retryForgotten },
		applies: retried13},
	{how: "message_hash covers the header of the first ClientHello's record, too " +
		"(RFC 8446 §4.4.1)",
		edit: func(m *method) { m.retry = retryRecord }, applies: retried13},
	{how: "message_hash is made with SHA-256, and the rest of the transcript with the suite's " +
		"hash (RFC 8446 §4.4.1)", edit: func(m *method) { m.retrySum = crypto.SHA256 },
		applies: retriedWith13(crypto.SHA384)},
	{how: "message_hash is made with SHA-384, and the rest of the transcript with the suite's " +
		"hash (RFC 8446 §4.4.1)", edit: func(m *method) { m.retrySum = crypto.SHA384 },
		applies: retriedWith13(crypto.SHA256)},
	{how: "message_hash lacks its header of 4 bytes, fe0000 and the length (RFC 8446 §4.4.1)",
		edit: func(m *method) { m.retry = retryBareHash }, applies: retried13},

	{how: "the binder covers the length of the binders list too: the truncated ClientHello " +
		"ends with " +
		"the identities (RFC 8446 §4.2.11.2)",
		edit: func(m *method) { m.binder = binderWithLength }, applies: binds13},
	{how: "the binder covers the whole ClientHello: the truncated one ends with the identities " +
		"(RFC 8446 §4.2.11.2)", edit: func(m *method) { m.binder = binderWhole }, applies: binds13},
	{how: "the binder covers the ClientHello with zeros for the binders: the truncated one " +
		"ends with " +
		"the identities (RFC 8446 §4.2.11.2)",
		edit: func(m *method) { m.binder = binderZeros }, applies: binds13},
	{how: "the truncated ClientHello's header has the truncated length: it keeps that of the " +
		"whole " +
		"message (RFC 8446 §4.2.11.2)", edit: func(m *method) { m.binder = binderResized },
		applies: binds13},
	{how: `the binder's label is "res binder", that of a ticket (RFC 8446 §7.1)`,
		edit: func(m *method) { m.kind = "res" }, applies: otherKind13("res")},
	{how: `the binder's label is "ext binder", that of an external key (RFC 8446 §7.1)`,
		edit: func(m *method) { m.kind = "ext" }, applies: otherKind13("ext")},
	{how: `the binder's label is "imp binder", that of an imported key (RFC 9258 §5.2)`,
		edit: func(m *method) { m.kind = "imp" }, applies: otherKind13("imp")},

	{how: "the nonce is the IV alone: the record's sequence number is not XORed into it (RFC " +
		"8446 §5.3)",
		edit: func(m *method) { m.nonce = nonceIVAlone }, applies: sealed13},
	{how: "the sequence number is XORed into the first bytes of the IV: it is padded on the left " +
		"(RFC 8446 §5.3)", edit: func(m *method) { m.nonce = nonceLeft }, applies: sealed13},
	{how: "the sequence number replaces the last 8 bytes of the IV, as in TLS 1.2: it is XORed " +
		"(RFC 8446 §5.3)", edit: func(m *method) { m.nonce = nonceReplaced }, applies: sealed13},
	{how: "the nonce is the sequence number alone: it is XORed with the IV (RFC 8446 §5.3)",
		edit: func(m *method) { m.nonce = nonceNumber }, applies: sealed13},
	{how: "the bytes of the sequence number are in reverse order: it is in network byte order " +
		"(RFC 8446 §5.3)", edit: func(m *method) { m.nonce = nonceReversed }, applies: sealed13},
	{how: "the sequence number is one more than was given: the first record under a key has 0 " +
		"(RFC 8446 §5.3)", edit: func(m *method) { m.nonce = nonceNext }, applies: sealed13},
	{how: "the sequence number is one less than was given (RFC 8446 §5.3)",
		edit: func(m *method) { m.nonce = nonceBefore }, applies: sealed13},
	{how: "the inner content type is in front of the content: it is behind it (RFC 8446 §5.2)",
		edit: func(m *method) { m.content = contentInFront }, applies: sealed13},
	{how: "the record's header in the additional data has the inner content type: it has 23, " +
		"application_data (RFC 8446 §5.2)", edit: func(m *method) { m.data = dataInnerType },
		applies: func(d *Derivation13) bool {
			return sealed13(d) && d.Given.Content != iana.RecordApplicationData
		}},
	{how: "the record's header in the additional data has the version 0301: it has 0303 " +
		"(RFC 8446 §5.2)", edit: func(m *method) { m.data = dataTLS10 }, applies: sealed13},
	{how: "the record's header in the additional data has the version 0304: it has 0303 " +
		"(RFC 8446 §5.2)", edit: func(m *method) { m.data = dataTLS13 }, applies: sealed13},
	{how: "the inner content type is forgotten: one byte behind the content (RFC 8446 §5.2)",
		edit: func(m *method) { m.content = contentForgotten }, applies: sealed13},
	{how: "there is no additional data: it is the record's header (RFC 8446 §5.2)",
		edit: func(m *method) { m.data = dataNone }, applies: sealed13},
	{how: "the header in the additional data has the length without the tag (RFC 8446 §5.2)",
		edit: func(m *method) { m.data = dataUnsealed }, applies: sealed13},
	{how: "the additional data is that of TLS 1.2, with the sequence number: it is the " +
		"record's header " +
		"alone (RFC 8446 §5.2)", edit: func(m *method) { m.data = dataTLS12 }, applies: sealed13},
}

// noLength leaves out the length in HkdfLabel.
func noLength(int) []byte { return nil }

// exchanged13 reports whether there is a shared secret that is shorter than n bytes; 0 is any.
func exchanged13(n int) func(*Derivation13) bool {
	return func(d *Derivation13) bool {
		return d.Given.Shared != nil && (n == 0 || len(d.Given.Shared) < n)
	}
}

func retried13(d *Derivation13) bool {
	return d.messages.retried && d.messages.list[0].kind == iana.ClientHello
}

// retriedWith13 reports whether there is a message_hash, and the suite's hash is h.
func retriedWith13(h crypto.Hash) func(*Derivation13) bool {
	return func(d *Derivation13) bool { return retried13(d) && d.Given.Suite.PRF == h }
}

func told13(d *Derivation13) bool { return len(d.messages.list) > 0 }

func binds13(d *Derivation13) bool {
	return d.Given.PSK != nil && d.messages.at[ToIdentities] > 0 &&
		d.Given.Hashes[ToIdentities] == nil
}

func otherKind13(kind string) func(*Derivation13) bool {
	return func(d *Derivation13) bool { return d.Given.PSK != nil && d.Given.PSKKind != kind }
}

func sealed13(d *Derivation13) bool { return d.Given.Plaintext != nil }

// cuts are the places of the transcript that may be mistaken for a point.
func (d *Derivation13) cuts(p Point) (list []mistake13) {
	t := &d.messages
	for n := 0; n <= len(t.list); n++ {
		if n == t.at[p] {
			continue
		}
		where := "is empty"
		if n > 0 {
			where = fmt.Sprintf("ends with message %d, %s", n, t.name(n))
		}
		list = append(list, mistake13{how: fmt.Sprintf("the transcript for %s (%s) %s: it ends "+
			"with "+
			"message %d, %s", pointUses[p], pointWords[p], where, t.at[p], t.name(t.at[p])),
			edit: func(m *method) {
				cut := map[Point]int{p: n}
				for k, v := range m.cut {
					cut[k] = v
				}
				m.cut = cut
			}, off: max(n-t.at[p], t.at[p]-n)})
	}
	return list
}

// name returns the name of message n, which begin with 1.
func (t *messages13) name(n int) string { return messageName(t.list[n-1].kind, t.list[n-1].raw) }

// pointUses say what each point is for.
var pointUses = [points]string{"the binder", "early data", "the handshake's secrets",
	"the server's Finished", "the application's secrets", "the client's Finished",
	"the resumption_secret"}
