package explain

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// construction is the way in which a suite's records are built. It determines which parts of a
// record are shown.
type construction uint8

const (
	noCipher     construction = iota // NULL: authenticated only
	streamCipher                     // RC4
	macThenEncrypt
	encryptThenMAC
	explicitNonce // GCM and CCM
	implicitNonce // ChaCha20-Poly1305
)

func (t *teller) construction() construction {
	shape := t.shape()
	switch {
	case t.Suite == nil || shape.Key == 0:
		return noCipher
	case shape.MAC > 0 && blockLen(t.Suite) == 0:
		return streamCipher
	case shape.MAC > 0 && t.agreed.EncryptThenMAC:
		return encryptThenMAC
	case shape.MAC > 0:
		return macThenEncrypt
	case shape.IV == 4:
		return explicitNonce
	}
	return implicitNonce
}

var recordRefs = map[construction]string{
	noCipher: "RFC 5246 §6.2.3.1", streamCipher: "RFC 5246 §6.2.3.1",
	macThenEncrypt: "RFC 5246 §6.2.3.2",
	encryptThenMAC: "RFC 7366 §3",
	explicitNonce:  "RFC 5246 §6.2.3.3", implicitNonce: "RFC 7905 §2",
}

func (t *teller) recordRef() string { return recordRefs[t.construction()] }

// anatomy returns the parts of the first record of application data with content, if that is known.
// Later records are built alike and have none.
func (t *teller) anatomy(s *rung) []Fact {
	if t.dissected || len(s.Record.Plaintext) == 0 && t.fullerThan(s) {
		return nil
	}
	t.dissected = true
	r := dissection{teller: t, sent: s.Record, received: s.Opened, from: s.From.String(),
		cipher: cipherName(t.Suite), mac: macName(t.Suite)}
	facts := []Fact{r.header()}
	switch t.construction() {
	case noCipher:
		return append(facts, r.data(), r.authenticator("MAC", r.inner()))
	case streamCipher:
		return r.known(append(facts, r.ciphertext("these 2:"), r.data(),
			r.authenticator("MAC", r.inner()), r.formula(r.inner()))...)
	case macThenEncrypt:
		return r.known(append(facts, r.iv(), r.ciphertext("these 3:"), r.data(),
			r.authenticator("MAC", r.inner()), r.formula(r.inner()), r.padding())...)
	case encryptThenMAC:
		return append(facts, r.iv(), r.ciphertext("these 2:"), r.data(), r.padding(),
			r.authenticator("MAC", ""), r.formula(r.outer()))
	case explicitNonce:
		return append(facts, r.explicit(),
			r.nonce(fmt.Sprintf("= %s_write_IV + explicit nonce", r.from)), r.aad(),
			r.ciphertext("data"), r.data(),
			r.tag())
	}
	return append(facts, r.nonce(fmt.Sprintf("= %s_write_IV xor sequence number", r.from)), r.aad(),
		r.ciphertext("data"), r.data(), r.tag())
}

// fullerThan reports whether a record after a line has content.
func (t *teller) fullerThan(line *rung) bool {
	for _, s := range t.lines[line.Number:] {
		if s.Kind == iana.RecordApplicationData && len(s.Record.Plaintext) > 0 {
			return true
		}
	}
	return false
}

// known returns facts without the parts of which the events have no bytes, and without the formula
// of a MAC that is not there.
func (r *dissection) known(facts ...Fact) (list []Fact) {
	for _, f := range facts {
		if f.Count == "0" && f.Name != "data" && f.Text == "" || f.Formula && len(r.sent.MAC) == 0 {
			continue
		}
		list = append(list, f)
	}
	return list
}

// dissection shows the parts of one record.
type dissection struct {
	*teller
	sent, received    *trace.Record
	from, cipher, mac string
}

func (r *dissection) pair(part func(*trace.Record) trace.Hex) Pair {
	sides := [2][]byte{}
	sides[r.sent.From] = part(r.sent)
	if r.received != nil {
		sides[r.sent.From.Peer()] = part(r.received)
	}
	return Pair{sides[iana.Client], sides[iana.Server]}
}

func part(name string, value trace.Hex, note string) Fact {
	return Fact{Name: name, Count: fmt.Sprint(len(value)), Value: Pair{Client: value}, Note: note,
		Short: len(value) > 36}
}

func (r *dissection) header() Fact {
	f := part("header", r.sent.Header, "type, version, length: in the clear")
	if h := []byte(r.sent.Header); len(h) == 5 {
		f.Text = fmt.Sprintf("%x %x %x", h[:1], h[1:3], h[3:])
	}
	return f
}

func (r *dissection) iv() Fact {
	if r.Version < iana.TLS11 {
		return part("IV", r.sent.IV, "not sent: the last block of the record before")
	}
	return part("IV", r.sent.IV, "random: in the clear")
}

func (r *dissection) explicit() Fact {
	return part("nonce", r.sent.Explicit, "in the clear: the sequence number")
}

func (r *dissection) nonce(how string) Fact {
	f := part("nonce", trace.Hex(r.sent.Nonce), how)
	f.Deeper = true
	return f
}

func (r *dissection) aad() Fact {
	f := part("AAD", r.sent.AAD, "= seq_num + type + version + length")
	f.Deeper = true
	return f
}

func (r *dissection) ciphertext(of string) Fact {
	how := fmt.Sprintf("= %s(%s_write_key, IV, %s)", r.cipher, r.from, of)
	switch {
	case r.construction() == streamCipher:
		how = fmt.Sprintf("= %s(%s_write_key, %s)", r.cipher, r.from, of)
	case r.construction() >= explicitNonce:
		how = fmt.Sprintf("= %s(%s_write_key, nonce, %s)", r.cipher, r.from, of)
	}
	f := part("ciphertext", r.sent.Ciphertext, how)
	f.Short = true
	return f
}

func (r *dissection) data() Fact {
	f := Fact{Name: "data", Count: fmt.Sprint(len(r.sent.Plaintext)),
		Deeper: r.construction() != noCipher,
		Text:   shorten(string(r.sent.Plaintext), 64)}
	if f.Text == "" && r.Run.Note == "" {
		f.Text = "none: an empty record"
	}
	return f
}

func (r *dissection) authenticator(name, note string) Fact {
	value := r.pair(func(x *trace.Record) trace.Hex { return x.MAC })
	f := Fact{Name: name, Count: fmt.Sprint(len(value.Bytes())), Value: value,
		Deeper: r.construction() == macThenEncrypt || r.construction() == streamCipher}
	if r.construction() == noCipher {
		f.Note = note
	}
	return f
}

func (r *dissection) tag() Fact {
	value := r.pair(func(x *trace.Record) trace.Hex { return x.Tag })
	return Fact{Name: "tag", Count: fmt.Sprint(len(value.Bytes())), Value: value,
		Note: "covers AAD and ciphertext, no HMAC"}
}

// inner returns the formula of a MAC that covers the content. See RFC 5246 §6.2.3.1.
func (r *dissection) inner() string { return r.hmac(len(r.sent.Plaintext), "data") }

// outer returns the formula of a MAC that covers IV and ciphertext. See RFC 7366 §3.
func (r *dissection) outer() string {
	return r.hmac(len(r.sent.Fragment)-len(r.sent.MAC), "IV + ciphertext")
}

func (r *dissection) hmac(covered int, what string) string {
	h := []byte(r.sent.Header)
	if len(h) != 5 {
		return ""
	}
	return fmt.Sprintf("%s(%s_write_MAC_key, %s + %x %x %04x + %s)", r.mac, r.from,
		sequence(r.sent.SeqNum), h[:1], h[1:3], covered, what)
}

// sequence formats a sequence number of 8 bytes, such as "00..01".
func sequence(n uint64) string {
	if n < 256 {
		return fmt.Sprintf("00..%02x", n)
	}
	return fmt.Sprintf("%016x", n)
}

func (r *dissection) formula(text string) Fact {
	return Fact{Deeper: true, Formula: true, Text: text}
}

func (r *dissection) padding() Fact {
	p := r.sent.Padding
	f := Fact{Name: "padding", Count: fmt.Sprint(len(p)), Deeper: true}
	if len(p) > 0 {
		block := 16
		if n := blockLen(r.Suite); n > 0 {
			block = n
		}
		f.Text = fmt.Sprintf("%02x %s, to fill the %s of %d", p[0], times(len(p)),
			ordinal(len(r.sent.Ciphertext)/block), block)
	}
	return f
}

func (t *teller) alert(s *rung) []Fact {
	v := [2]*view{t.client, t.server}[s.From]
	for _, a := range v.alerts[s.From] {
		if a.Description == s.Alert.Description && a.Reason != "" {
			return append([]Fact{{Name: s.From.String() + " says", Text: Escape(a.Reason)}},
				v.refused()...)
		}
	}
	if v.done != nil && !v.done.OK {
		return []Fact{{Name: s.From.String() + " says", Text: Escape(v.done.Error)}}
	}
	return nil
}

// refused returns what a side did not accept: the check, its section, and what it was about.
func (v *view) refused() (facts []Fact) {
	f := v.failed
	if f == nil {
		return nil
	}
	what := Join(", ", string(f.Check), v.failedRef)
	if what != "" {
		facts = append(facts, Fact{Name: "check", Text: what})
	}
	about := ""
	if f.Number > 0 {
		about = fmt.Sprintf("record %d of the %v, as it arrived", f.Number, f.From)
	}
	if f.Message != 0 {
		about = Join(": ", about, f.Message.String())
	}
	if about = Join("; ", about, f.Fields); about != "" {
		facts = append(facts, Fact{Name: "refused", Text: about})
	}
	return facts
}

// keyPurpose says what a part of the key_block is used for, or why the suite takes none.
func keyPurpose(s *suite.Suite, p keys.Part) string {
	kind := partKind(p)
	if p.Len == 0 {
		return absent(s, kind)
	}
	what := fmt.Sprintf("what the %v sends", p.From)
	switch {
	case kind == macKey:
		return macName(s) + " of " + what
	case kind == encryptionKey:
		return cipherName(s) + " of " + what
	case kind == fixedIV && blockLen(s) > 0:
		return "IV of the first record of " + what +
			"; each later one takes the last block before it"
	case p.Len == 4:
		return "first 4 bytes of each nonce of " + what + "; the record brings the other 8"
	}
	return "XORed with the sequence number: the nonces of " + what
}
