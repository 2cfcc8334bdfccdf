package explain

import (
	"cmp"
	"crypto"
	kdf "crypto/hkdf"
	"crypto/hmac"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/trace"
)

var prefixes = [...]string{"tls13 ", "", "TLS 1.3, ", "dtls13", "tls13", "TLS13 "}

// run13 is one way through the schedule.
type run13 struct {
	d *Derivation13
	m method
	// the method is used for each value's last step only; the steps before are correct
	alone bool
	log   *trace.Log // nil in a search
	put   func(Value13)
	seen  func(step13) // nil but while the steps are listed
	part  string
}

// hashOf returns the hash of a method.
func (r *run13) hashOf(m method) crypto.Hash {
	if m.hash != 0 {
		return m.hash
	}
	return r.d.Given.Suite.PRF
}

// step computes a value, shows it, and returns what the next steps begin with.
func (r *run13) step(name string, how func() string, compute func(method) []byte) []byte {
	out := compute(r.m)
	v := Value13{Name: name, Bytes: out, Part: r.part}
	if r.log != nil {
		v.Formula = how()
	}
	r.put(v)
	if r.alone {
		return compute(method{})
	}
	return out
}

// salted are the names of the salts of HKDF-Extract.
var salted = map[string]string{"early_secret": "0",
	"handshake_secret": "derived_secret/early_secret",
	"main_secret":      "derived_secret/handshake_secret"}

// extract is HKDF-Extract: nil inputs stand for zeros. of gives the inputs under a method.
func (r *run13) extract(name string, of func(method) (salt, ikm []byte), from string) []byte {
	words := [2]string{"0", "0"}
	salt, ikm := of(method{})
	if salt != nil {
		words[0] = "derived_secret"
	}
	if ikm != nil {
		words[1] = from
	}
	how := func() string { return fmt.Sprintf("HKDF-Extract(%s, %s)", words[0], words[1]) }
	r.see(name, "RFC 8446 §7.1", [2]string{"salt", salted[name]}, [2]string{"IKM", words[1]})
	return r.step(name, how, func(m method) []byte {
		salt, ikm := of(m)
		h := r.hashOf(m)
		zeros := make([]byte, h.Size())
		if salt == nil {
			salt = zeros
		}
		if ikm == nil && !m.noZeros {
			ikm = zeros
		}
		if m.swapExtract {
			salt, ikm = ikm, salt
		}
		salt = m.swap.of(name, "salt", salt)
		ikm = m.swap.of(name, "IKM", ikm)
		out, err := kdf.Extract(h.New, ikm, salt)
		if err != nil {
			return nil
		}
		r.log.Extracted(name, hashLabel(h), salt, ikm, out, "RFC 8446 §7.1")
		return out
	})
}

// An arrow is a use of HKDF-Expand-Label: how the result is called, and in events, the label, the
// secret's name, and the section.
type arrow struct{ name, event, label, from, ref string }

// A step13 is how a value is made: its name, the section, and what its inputs are, by their kind.
type step13 struct {
	name, ref string
	inputs    [][2]string // {"secret", "main_secret"}, {"label", "exp master"}
}

// see notes a step.
func (r *run13) see(name, ref string, inputs ...[2]string) {
	if r.seen != nil {
		r.seen(step13{name, ref, inputs})
	}
}

// expand is HKDF-Expand-Label to n bytes, or as many as the hash has for n == 0. over describes the
// context.
func (r *run13) expand(a arrow, secret []byte, context func(method) []byte, over string,
	n int) []byte {
	size := func(m method) int {
		if n == 0 {
			return r.hashOf(m).Size()
		}
		return n
	}
	r.see(a.name, a.ref, [2]string{"secret", a.from}, [2]string{"label", a.label})
	how := func() string {
		return fmt.Sprintf("HKDF-Expand-Label(%s, %q, %s, %d)", a.from, a.label, over,
			size(method{}))
	}
	out := r.step(a.name, how, func(m method) []byte {
		h, n := r.hashOf(m), cmp.Or(m.length, size(m))
		label := string(m.swap.of(a.name, "label", []byte(a.label)))
		secret := m.swap.of(a.name, "secret", secret)
		info := m.info(label, context(m), n)
		out, err := kdf.Expand(h.New, secret, string(info), n)
		switch {
		case err != nil:
			return nil
		case m.prf:
			out = expand(h, secret, label, context(m), n)
		case m.expander != nil:
			out = m.expander(h, secret, info, n)
		}
		r.log.Derived(a.event, "HKDF-Expand-Label", hashLabel(h), label, secret, info, out, a.ref)
		return out
	})
	return out[:min(len(out), size(r.m))]
}

// fromZero is HKDF-Expand with a counter that begins with 0. See RFC 5869 §2.3.
func fromZero(h crypto.Hash, secret, info []byte, n int) (out []byte) {
	mac := hmacUnder(h, secret)
	for i, last := byte(0), []byte(nil); len(out) < n; i++ {
		last = mac(slices.Concat(last, info, []byte{i}))
		out = append(out, last...)
	}
	return out[:n]
}

// info returns HkdfLabel. See RFC 8446 §7.1.
func (m method) info(label string, context []byte, n int) []byte {
	if m.spell != nil {
		label = m.spell(label)
	}
	label = prefixes[m.prefix] + label
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	if m.lengthAs != nil {
		info = m.lengthAs(n)
	}
	if !m.bareLabel {
		info = append(info, byte(len(label)))
	}
	info = append(info, label...)
	if !m.bareContext {
		info = append(info, byte(len(context)))
	}
	return append(info, context...)
}

// derive is Derive-Secret over the transcript up to a point.
func (r *run13) derive(a arrow, secret []byte, p Point) []byte {
	context := func(m method) []byte {
		switch hash := r.at(p, m); {
		case m.empty:
			return nil
		case m.twice:
			return digestOf(r.hashOf(m), hash)
		default:
			return hash
		}
	}
	return r.expand(a, secret, context, "Hash("+pointWords[p]+")", 0)
}

// nothing is the context of Derive-Secret over no messages.
func (r *run13) nothing(m method) []byte {
	switch {
	case m.noHash:
		return nil
	case m.zeroHash:
		return make([]byte, r.hashOf(m).Size())
	}
	return digestOf(r.hashOf(m), nil)
}

// plain is HKDF-Expand-Label without a context.
func (r *run13) plain(a arrow, secret []byte, n int) []byte {
	context := func(m method) []byte {
		if m.hashNothing {
			return digestOf(r.hashOf(m), nil)
		}
		return nil
	}
	return r.expand(a, secret, context, `""`, n)
}

// next goes from one extracted secret to the next.
func (r *run13) next(name, from string, secret []byte, ikm func(method) []byte,
	ikmName string) []byte {
	derived := r.expand(arrow{"derived_secret/" + from, "derived_secret", "derived", from,
		"RFC 8446 §7.1"}, secret, r.nothing, `Hash("")`, 0)
	return r.extract(name, func(m method) (_, _ []byte) {
		switch {
		case m.skipDerived:
			return secret, ikm(m)
		case r.alone && (m.noHash || m.zeroHash):
			info := m.info("derived", r.nothing(m), len(derived))
			salt, _ := kdf.Expand(r.hashOf(m).New, secret, string(info), len(derived))
			return salt, ikm(m)
		}
		return derived, ikm(m)
	}, ikmName)
}

// finished is verify_data, or a binder, under a base key.
func (r *run13) finished(name, keyName, from string, secret []byte, p Point) {
	const ref = "RFC 8446 §4.4.4"
	key := r.plain(arrow{keyName, "finished_key", "finished", from, ref}, secret, 0)
	if r.at(p, method{}) == nil {
		return
	}
	how := func() string { return fmt.Sprintf("HMAC(%s, Hash(%s))", keyName, pointWords[p]) }
	r.see(name, ref, [2]string{"key", keyName})
	r.step(name, how, func(m method) []byte {
		h, key, hash := r.hashOf(m), key, r.at(p, m)
		if m.bareHMAC {
			key = secret
		}
		key = m.swap.of(name, "key", key)
		if m.twice {
			hash = digestOf(h, hash)
		}
		if m.swapHMAC {
			key, hash = hash, key
		}
		mac := hmac.New(h.New, key)
		mac.Write(hash)
		out := mac.Sum(nil)
		r.log.Derived(name, "HMAC", hashLabel(h), "", key, hash, out, ref)
		return out
	})
}

// at returns a transcript hash under a method.
func (r *run13) at(p Point, m method) []byte {
	return r.d.hashAt(cmp.Or(m.sumHash, r.hashOf(m)), p, m)
}

// has reports whether the transcript is known up to a point.
func (r *run13) has(p Point) bool { return r.at(p, method{}) != nil }

func hashLabel(h crypto.Hash) string {
	if h == crypto.SHA384 {
		return "SHA-384"
	}
	return "SHA-256"
}

func sortStrings(list []string) { slices.Sort(list) }
