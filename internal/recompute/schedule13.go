package recompute

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// A derivation is one call of a key derivation function, as an event of it must be.
type derivation struct {
	name, function, hash, label string
	secret, salt, seed, output  []byte
	must                        bool // its event must be there
	claimed                     bool
}

// A psk is a pre-shared key.
type psk struct {
	key  []byte
	hash string // "SHA256"
	kind string // of its binder: "res", "ext", "imp"
}

// kdf13 runs HKDF. See RFC 5869.
func (v *view13) kdf13(hash string, n int, options ...string) []byte {
	args := []string{"kdf", "-binary", "-keylen", decimal(n), "-kdfopt", "digest:" + hash}
	for _, o := range options {
		args = append(args, "-kdfopt", o)
	}
	return v.openssl(nil, append(args, "HKDF")...)
}

// extract is HKDF-Extract. A nil input stands for zeros. See RFC 8446 §7.1.
func (v *view13) extract(name, hash string, salt, ikm []byte) []byte {
	if salt == nil {
		salt = zeros(hashLen[hash])
	}
	if ikm == nil {
		ikm = zeros(hashLen[hash])
	}
	out := v.kdf13(hash, hashLen[hash], "mode:EXTRACT_ONLY", "hexkey:"+hexOf(ikm),
		"hexsalt:"+hexOf(salt))
	v.add(derivation{name: name, function: "HKDF-Extract", hash: hash, secret: ikm, salt: salt,
		output: out})
	return out
}

// label returns the info of HKDF-Expand-Label. See RFC 8446 §7.1.
func labelled(n int, label string, context []byte) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len("tls13 ")+len(label)))
	info = append(append(info, "tls13 "...), label...)
	return append(append(info, byte(len(context))), context...)
}

// expand is HKDF-Expand-Label.
func (v *view13) expand(name, hash string, secret []byte, label string, context []byte,
	n int) []byte {
	info := labelled(n, label, context)
	out := v.kdf13(hash, n, "mode:EXPAND_ONLY", "hexkey:"+hexOf(secret), "hexinfo:"+hexOf(info))
	v.add(derivation{name: name, function: "HKDF-Expand-Label", hash: hash, label: label,
		secret: secret, seed: info, output: out})
	return out
}

// derive is Derive-Secret, given the messages.
func (v *view13) derive(name, hash string, secret []byte, label string, messages []byte) []byte {
	return v.expand(name, hash, secret, label, v.digest(hash, messages), hashLen[hash])
}

// finishedMAC returns verify_data over messages, under a base key. See RFC 8446 §4.4.4.
func (v *view13) finishedMAC(name, hash string, base, messages []byte) []byte {
	key := v.expand("finished_key", hash, base, "finished", nil, hashLen[hash])
	sum := v.digest(hash, messages)
	out := v.mac(hash, key, sum)
	v.add(derivation{name: name, function: "HMAC", hash: hash, secret: key, seed: sum, output: out})
	return out
}

// add appends a derivation to the list, once.
func (v *view13) add(d derivation) {
	d.must = v.must13
	for i := range v.list {
		if old := &v.list[i]; old.name == d.name && old.label == d.label &&
			bytes.Equal(old.secret, d.secret) && bytes.Equal(old.seed, d.seed) &&
			bytes.Equal(old.salt, d.salt) {
			old.must = old.must || d.must
			return
		}
	}
	v.list = append(v.list, d)
}

// schedule computes everything that follows from the messages, the shared secret and the
// pre-shared keys. See RFC 8446 §7.1.
func (v *view13) schedule() {
	chosen := v.binders()
	hash := v.suite.hash
	v.must13 = true
	early := v.extract("early_secret", hash, nil, chosen)
	if v.earlyData() {
		v.must13 = v.role == "client"
		hello := v.transcript(hash, 1)
		secret := v.derive("client_early_traffic_secret", hash, early, "c e traffic", hello)
		v.traffic("client", "early", secret)
		v.must13 = false
		v.exporters = append(v.exporters,
			v.derive("early_exporter_secret", hash, early, "e exp master", hello))
		v.must13 = true
	}
	salt := v.derive("derived_secret", hash, early, "derived", nil)
	handshake := v.extract("handshake_secret", hash, salt, v.shared)
	upToHello := v.transcript(hash, v.find("server", typeServerHello)+1)
	if v.retried {
		upToHello = v.transcript(hash, 4)
	}
	base := map[string][]byte{}
	for _, from := range sides {
		base[from] = v.derive(from+"_handshake_traffic_secret", hash, handshake,
			from[:1]+" hs traffic", upToHello)
		v.traffic(from, "handshake", base[from])
	}
	for _, from := range sides {
		v.finished[from] = v.finishedMAC(from+"_verify_data", hash, base[from],
			v.transcript(hash, v.find(from, typeFinished)))
	}
	v.application(handshake)
}

// application computes what follows from the Main Secret.
func (v *view13) application(handshake []byte) {
	hash := v.suite.hash
	salt := v.derive("derived_secret", hash, handshake, "derived", nil)
	main := v.extract("main_secret", hash, salt, nil)
	upToServer := v.transcript(hash, v.find("server", typeFinished)+1)
	for _, from := range sides {
		secret := v.derive(from+"_application_traffic_secret", hash, main, from[:1]+" ap traffic",
			upToServer)
		v.traffic(from, "application", secret)
		for i, m := range v.messages {
			switch {
			case m.from != from:
			case m.kind() == typeKeyUpdate:
				secret = v.expand(from+"_application_traffic_secret", hash, secret, "traffic upd",
					nil, hashLen[hash])
				v.traffic(from, "application", secret)
			case m.kind() == typeFinished && i != v.find(from, typeFinished):
				v.late(i, secret)
			}
		}
	}
	v.exporters = append(v.exporters,
		v.derive("exporter_secret", hash, main, "exp master", upToServer))
	resumption := v.derive("resumption_secret", hash, main, "res master",
		v.transcript(hash, v.find("client", typeFinished)+1))
	for _, m := range v.messages {
		if m.kind() == typeTicket {
			nonce, value := ticket(m.raw)
			key := v.expand("resumption_psk", hash, resumption, "resumption", nonce, hashLen[hash])
			v.known[string(value)] = psk{key, hash, "res"}
		}
	}
}

var sides = []string{"client", "server"}

// traffic computes the keys of a traffic secret and appends them to those of its sender. See RFC
// 8446 §7.3.
func (v *view13) traffic(from, epoch string, secret []byte) {
	name := from + "_" + epoch + "_write_"
	k := keys{key: v.expand(name+"key", v.suite.hash, secret, "key", nil, v.suite.keyLen),
		iv: v.expand(name+"iv", v.suite.hash, secret, "iv", nil, v.suite.ivLen)}
	v.epochs[from] = append(v.epochs[from], k)
}

// earlyData reports whether the client offered early data in its first hello.
func (v *view13) earlyData() bool {
	_, ok := parseHello(v.messages[0].raw).extensions[extEarlyData]
	return ok
}

// binders computes the binders of every hello, and returns the pre-shared key that the server
// selected, or nil. See RFC 8446 §4.2.11.2.
func (v *view13) binders() (chosen []byte) {
	selected := -1
	if x, ok := v.server.extensions[extPreSharedKey]; ok {
		in := input(x)
		selected = in.number(2)
	}
	for i, m := range v.messages {
		if m.kind() != typeClientHello {
			continue
		}
		list, truncated := parseHello(m.raw).offered()
		for j, o := range list {
			v.must13 = v.role == "client" || j == selected
			key, ok := v.preShared(o, i, truncated)
			if !ok {
				if v.must13 {
					v.fail("nothing is known of the pre-shared key %d", j)
				}
				continue
			}
			v.same("binder", o.binder, v.binder(key, i, truncated))
			if j == selected {
				chosen = key.key
			}
		}
	}
	return chosen
}

// binder computes a binder of the hello that is message i.
func (v *view13) binder(p psk, i int, truncated []byte) []byte {
	early := v.extract("early_secret", p.hash, nil, p.key)
	key := v.derive("binder_key", p.hash, early, p.kind+" binder", nil)
	before := v.transcript(p.hash, i)
	if i > 0 {
		before = v.transcript(p.hash, max(i, 2))
	}
	return v.finishedMAC("psk_binder", p.hash, key, slices.Concat(before, truncated))
}
