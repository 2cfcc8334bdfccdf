package recompute

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// view13 is the view of a TLS 1.3 connection. It computes everything from the messages and private
// keys first, and then compares the events with that.
type view13 struct {
	*view
	messages       []message13
	client, server hello // the last ones, from which the secrets follow
	retried        bool
	shared         []byte            // nil: only the pre-shared key is used
	privates       map[string][]byte // of all ephemeral keys, by sender and public key
	known          map[string]psk    // from tickets, by ticket
	external       [][]byte          // keys that the events claim, and no ticket brought

	list      []derivation
	must13    bool // what is added to the list must be in the events
	exporters [][]byte
	imported  []byte            // epskx: see RFC 9258 §5.1
	epochs    map[string][]keys // by sender, in their order
	epoch     map[string]int    // the next one
}

// check13 recomputes one connection of TLS 1.3. The ticket keys that it finds are added to known.
func (v *view) check13(events []event, known map[string]psk, privates map[string][]byte) {
	x := &view13{view: v, known: known, privates: privates, epochs: map[string][]keys{},
		epoch: map[string]int{}}
	for _, e := range events {
		if e.text("event") != "message" {
			continue
		}
		m := message13{e.text("from"), e.bytes("raw")}
		x.messages = append(x.messages, m)
		switch h := parseHello(m.raw); {
		case m.kind() == typeClientHello:
			x.client = h
		case m.kind() == typeServerHello && h.isRetry():
			x.retried = true
		case m.kind() == typeServerHello:
			x.server = h
		}
	}
	if len(x.messages) == 0 || x.client.raw == nil || len(x.server.suite) != 2 {
		v.fail("no hellos")
		return
	}
	code := x.server.suite
	x.suite = parseSuite(x.suites()[fmt.Sprintf("0x%02X,0x%02X", code[0], code[1])])
	x.inputs(events)
	x.schedule()
	for _, e := range events {
		if x.take(e); v.ended() {
			return
		}
	}
	x.finish()
}

// inputs takes from the events what cannot be computed: private keys and external pre-shared keys.
func (v *view13) inputs(events []event) {
	for _, e := range events {
		switch {
		case e.text("event") == "ephemeral":
			v.ephemeral = e
		case e.text("event") == "derived" && e.text("name") == "early_secret":
			v.external = append(v.external, e.bytes("secret"))
		}
	}
	if _, ok := v.server.extensions[extKeyShare]; !ok {
		return
	}
	if v.ephemeral == nil {
		v.fail("no ephemeral key")
		return
	}
	v.exchanged(v.ephemeral)
}

// preShared returns the key of an offered identity. A key that no ticket brought is one of those
// that the events claim: the one that makes the binder.
func (v *view13) preShared(o offered, i int, truncated []byte) (psk, bool) {
	if p, ok := v.known[string(o.identity)]; ok {
		return p, true
	}
	for _, key := range v.external {
		for _, hash := range []string{"SHA256", "SHA384"} {
			for _, kind := range []string{"ext", "imp"} {
				p := psk{key, hash, kind}
				list, must := slices.Clone(v.list), v.must13
				v.must13 = false
				binder := v.binder(p, i, truncated)
				v.list, v.must13 = list, must
				if bytes.Equal(binder, o.binder) {
					return p, true
				}
			}
		}
	}
	return psk{}, false
}

// take compares an event with what was computed.
func (v *view13) take(e event) {
	from := e.text("from")
	v.seen[e.text("event")]++
	switch e.text("event") {
	case "agreed":
		v.agreed(e)
	case "shared_secret":
		if e.text("name") == "shared_secret" {
			v.same("shared secret", e.bytes("output"), v.shared)
		}
	case "derived":
		v.claim(e)
	case "keys_installed":
		v.installed(from, e)
	case "record":
		v.record(from, e)
	case "message":
		v.half[from].messages = append(v.half[from].messages, e.bytes("raw")...)
	case "signed":
		v.proof(from, e)
	case "verified":
		switch e.text("what") {
		case "signature":
			v.proof(from, e)
		case "finished":
			v.seen["finished of the "+from]++
		}
	case "alert":
		v.seen["alert "+from]++
	case "done":
		v.seen["ok"] += map[any]int{true: 1}[e["ok"]]
	}
}

func (v *view13) agreed(e event) {
	v.sameText("version", e.text("version"), "TLS 1.3")
	v.sameText("suite", e.text("suite"), v.suite.name)
	v.sameText("group", e.text("group"), groupName(v.server.group()))
	_, resumed := v.server.extensions[extPreSharedKey]
	kex := "ECDHE"
	if fields[v.server.group()] != "" {
		kex = "DHE"
	}
	switch {
	case resumed && v.server.group() == 0:
		kex = "PSK"
	case resumed:
		kex += "_PSK"
	}
	v.sameText("key_exchange", e.text("key_exchange"), kex)
}

// claim finds the derivation that an event claims.
func (v *view13) claim(e event) {
	v.exported(e)
	name, label := e.text("name"), e.text("label")
	near := -1
	for i, d := range v.list {
		if d.name != name || d.label != label {
			continue
		}
		if near = i; bytes.Equal(d.secret, e.bytes("secret")) &&
			bytes.Equal(d.seed, e.bytes("seed")) && bytes.Equal(d.salt, e.bytes("salt")) {
			break
		}
	}
	if near < 0 {
		v.fail("a derivation of %q with the label %q, which nothing is known of", name, label)
		return
	}
	d := &v.list[near]
	d.claimed = true
	v.same(name, e.bytes("output"), d.output)
	v.same("secret of a derivation", e.bytes("secret"), d.secret)
	v.same("seed of a derivation", e.bytes("seed"), d.seed)
	v.same("salt of a derivation", e.bytes("salt"), d.salt)
	v.sameText("function and hash", e.text("function")+" "+e.text("hash"),
		d.function+" SHA-"+strings.TrimPrefix(d.hash, "SHA"))
}

// exported adds the derivations whose inputs the application chose: those of an exporter, and of an
// imported key. See RFC 8446 §7.5.
func (v *view13) exported(e event) {
	hash := v.suite.hash
	v.must13 = false // the event is there
	switch in := input(e.bytes("seed")); e.text("name") {
	case "epskx": // RFC 9258 §5.1
		v.imported = v.extract("epskx", strings.ReplaceAll(e.text("hash"), "-", ""), nil,
			e.bytes("secret"))
	case "ipskx":
		n := in.number(2)
		list, _ := v.client.offered()
		for _, o := range list { // each is the ImportedIdentity that the key is bound to
			digest := strings.ReplaceAll(e.text("hash"), "-", "")
			v.expand("ipskx", digest, v.imported, "derived psk", v.digest(digest, o.identity), n)
		}
	case "exporter_label_secret":
		for _, secret := range v.exporters {
			v.derive("exporter_label_secret", hash, secret, e.text("label"), nil)
		}
	case "exporter":
		n := in.number(2)
		in.vector(1)
		context := in.vector(1)
		for _, d := range v.list {
			if d.name == "exporter_label_secret" {
				v.expand("exporter", hash, d.output, "exporter", context, n)
			}
		}
	}
}

// installed finds the keys that a direction changes to among those that come after its present
// ones.
func (v *view13) installed(from string, e event) {
	half := v.half[from]
	for i, k := range v.epochs[from] {
		if i >= v.epoch[from] && bytes.Equal(k.key, e.bytes("key")) {
			v.same("write_key", e.bytes("key"), k.key)
			v.same("write_iv", e.bytes("iv"), k.iv)
			v.same("write_MAC_key", e.bytes("mac_key"), nil)
			half.keys, half.on, half.seq, v.epoch[from] = k, true, 0, i+1
			return
		}
	}
	v.fail("the %s's keys change to %x, which is none of the computed ones", from, e.bytes("key"))
}

func (v *view13) record(from string, e event) {
	half := v.half[from]
	header, fragment := e.bytes("header"), e.bytes("fragment")
	if len(header) != 5 || int(binary.BigEndian.Uint16(header[3:])) != len(fragment) {
		v.fail("a record with the header %x and %d bytes", header, len(fragment))
		return
	}
	kind, p, seq := int(header[0]), pieces{"plaintext": fragment}, half.seq
	switch {
	case half.on && kind == 23:
		kind, p = v.openInner(half.keys, half.seq, header, fragment)
		v.seen["protected "+contentTypes[kind]+" from the "+from]++
		half.seq++
	case half.on || kind == 20 && fmt.Sprint(e["seq_num"]) == "0":
		seq = 0 // RFC 8446 §5: a ChangeCipherSpec has no number
	default:
		half.seq++
	}
	v.sameText("seq_num", fmt.Sprint(e["seq_num"]), fmt.Sprint(seq))
	v.sameText("content_type", e.text("content_type"), contentTypes[kind])
	v.sameText("direction", e.text("direction"),
		map[bool]string{true: "sealed", false: "opened"}[from == v.role])
	for _, name := range pieceNames {
		v.same(name+" of a record", e.bytes(name), p[name])
	}
	switch kind {
	case 20:
		v.seen["change_cipher_spec from the "+from]++
	case 22:
		half.fromRecords = append(half.fromRecords, p["plaintext"]...)
	}
}

var contentTypes = map[int]string{20: "change_cipher_spec", 21: "alert", 22: "handshake",
	23: "application_data"}

// openInner decrypts a record, and takes the type and the zeros off what was inside. See RFC 8446
// §5.2, §5.3 and §5.4.
func (v *view13) openInner(k keys, seq uint64, header, fragment []byte) (int, pieces) {
	tagLen := 16
	if v.suite.mode == "ccm8" {
		tagLen = 8
	}
	if len(fragment) < tagLen+1 || len(k.iv) != 12 {
		v.fail("a protected record of %d bytes", len(fragment))
		return 0, nil
	}
	end := len(fragment) - tagLen
	p := pieces{"aad": header, "ciphertext": fragment[:end]}
	number := binary.BigEndian.Uint64(k.iv[4:]) ^ seq
	p["nonce"] = binary.BigEndian.AppendUint64(slices.Clone(k.iv[:4]), number)
	v.decrypt(k.key, p, tagLen)
	v.same("tag on the wire", fragment[end:], p["tag"])
	inner := bytes.TrimRight(p["plaintext"], "\x00")
	if len(inner) == 0 {
		v.fail("a record of padding alone")
		return 0, p
	}
	p["plaintext"] = inner[:len(inner)-1]
	return int(inner[len(inner)-1]), p
}

// proof checks a side's next signature and an event about it. See RFC 8446 §4.4.3.
func (v *view13) proof(from string, e event) {
	at, n := -1, v.seen["signature of the "+from]
	for i, m := range v.messages {
		if m.from == from && m.kind() == typeVerify {
			if n--; n < 0 {
				at = i
				break
			}
		}
	}
	v.seen["signature of the "+from]++
	if at < 0 || v.certificateBefore(at) < 0 {
		v.fail("a signature of the %s without its messages", from)
		return
	}
	in := body(v.messages[at].raw)
	id, signature := in.number(2), in.vector(2)
	signed := slices.Concat(bytes.Repeat([]byte{' '}, 64),
		[]byte("TLS 1.3, "+from+" CertificateVerify\x00"),
		v.digest(v.suite.hash, v.before(at)))
	leaf, _ := v.leaf(v.messages[v.certificateBefore(at)])
	v.verify(from, leaf, id, signed, signature)
	v.sameText("signature scheme", e.text("scheme"), schemes[id].name)
	v.same("what was signed", e.bytes("signed"), signed)
	v.same("signature", e.bytes("signature"), signature)
}

// finish checks what is known only at the end.
func (v *view13) finish() {
	for _, from := range sides {
		v.same("messages in records", v.half[from].messages, v.half[from].fromRecords)
		if at := v.find(from, typeFinished); at < 0 {
			v.fail("no Finished of the %s", from)
		} else {
			v.same("finished", *body(v.messages[at].raw), v.finished[from])
		}
		v.must("protected application_data from the " + from)
		v.must("protected handshake from the " + from)
		v.must("protected alert from the " + from)
		v.must("alert " + from)
		if len(v.server.session) > 0 { // RFC 8446 §D.4
			v.must("change_cipher_spec from the " + from)
		}
		if v.epoch[from] != len(v.epochs[from]) {
			v.fail("the %s's keys changed %d times, expected %d", from, v.epoch[from],
				len(v.epochs[from]))
		}
		v.mustAll("signature of the "+from, from, typeVerify)
	}
	for _, d := range v.list {
		if d.must && !d.claimed {
			v.fail("no event derives %s (%q) = %x", d.name, d.label, d.output)
		}
	}
	if v.shared != nil {
		v.must("shared_secret")
	}
	v.must("agreed")
	v.must("ok")
	v.mustAll("finished of the "+other[v.role], other[v.role], typeFinished)
}

// mustAll checks that there is an event for each message of a kind.
func (v *view13) mustAll(what, from string, kind int) {
	n := 0
	for _, m := range v.messages {
		if m.from == from && m.kind() == kind {
			n++
		}
	}
	if v.seen[what] != n {
		v.fail("%d times the %s, expected %d", v.seen[what], what, n)
	}
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func decimal(n int) string { return strconv.Itoa(n) }
