package recompute

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// view holds the events of one role and what was recomputed from them. Sides are "client" and
// "server".
type view struct {
	tool  *OpenSSL
	role  string
	tally Tally
	wrong []error

	untilWrong bool // see CheckUntilWrong

	rsaKey       []byte // the server's, PKCS #8
	transcript   []byte
	random       map[string][]byte
	raw          map[string][]byte // the messages, by "client certificate"
	before       map[string]int    // the length of the transcript before them
	suite        suite
	exchange     exchange
	ephemeral    event
	ownSignature event // a signature of this role, until the message with it comes

	pre, master, block []byte
	finished           map[string][]byte // verify_data
	half               map[string]*half  // by who sends
	seen               map[string]int
}

var other = map[string]string{"client": "server", "server": "client"}

func newView(o *OpenSSL, role string, t Tally) *view {
	v := &view{tool: o, role: role, tally: t, random: map[string][]byte{}, raw: map[string][]byte{},
		before:   map[string]int{},
		finished: map[string][]byte{}, half: map[string]*half{"client": {}, "server": {}},
		seen: map[string]int{}}
	v.exchange.public = map[string][]byte{}
	return v
}

// ended reports whether nothing more is computed, since something was wrong.
func (v *view) ended() bool { return v.untilWrong && len(v.wrong) > 0 }

func (v *view) fail(format string, args ...any) {
	v.wrong = append(v.wrong, fmt.Errorf(format, args...))
}

// same compares a claim with the computed value.
func (v *view) same(kind string, claim, computed []byte) {
	if !bytes.Equal(claim, computed) {
		v.fail("%s is %x, computed %x", kind, claim, computed)
		return
	}
	if len(computed) > 0 { // the suite may lack this part
		v.tally[kind]++
	}
}

func (v *view) sameText(kind, claim, computed string) {
	v.same(kind, []byte(claim), []byte(computed))
}

func (v *view) take(e event) {
	from := e.text("from")
	v.seen[e.text("event")]++
	switch e.text("event") {
	case "message":
		v.message(from, e.text("type"), e.bytes("raw"))
	case "agreed":
		v.agreed(e)
	case "ephemeral":
		v.ephemeral = e
	case "shared_secret":
		v.sharedSecret(e)
	case "derived":
		v.derived(e)
	case "keys_installed":
		v.keysInstalled(from, e)
	case "record":
		v.record(from, e)
	case "signed":
		v.seen["signature of the "+from]++
		v.ownSignature = e
	case "verified":
		v.verified(from, e)
	case "alert":
		v.seen["alert "+from]++
	case "done":
		v.seen["ok"] += map[any]int{true: 1}[e["ok"]]
	}
}

func (v *view) message(from, kind string, raw []byte) {
	key := from + " " + kind
	v.raw[key], v.before[key] = raw, len(v.transcript)
	v.transcript = append(v.transcript, raw...)
	v.half[from].messages = append(v.half[from].messages, raw...)
	switch kind {
	case "client_hello":
		in := body(raw)
		in.take(2)
		v.random["client"] = in.take(32)
	case "server_hello":
		v.serverHello(raw)
	case "server_key_exchange":
		v.serverKeyExchange(raw)
	case "client_key_exchange":
		v.clientKeyExchange(raw)
	}
	if v.ownSignature != nil && (kind == "server_key_exchange" || kind == "certificate_verify") {
		v.claimed(from, v.ownSignature)
		v.ownSignature = nil
	}
}

func (v *view) agreed(e event) {
	v.sameText("suite", e.text("suite"), v.suite.name)
	v.sameText("key_exchange", e.text("key_exchange"), v.suite.kex)
	v.sameText("extended_master_secret", fmt.Sprint(e["extended_master_secret"]),
		fmt.Sprint(v.suite.ems))
	v.sameText("encrypt_then_mac", fmt.Sprint(e["encrypt_then_mac"]), fmt.Sprint(v.suite.etm))
}

// derived recomputes a call of the PRF. See RFC 5246 §8.1, §6.3 and §7.4.9, and RFC 7627 §4.
func (v *view) derived(e event) {
	name := e.text("name")
	secret, label, n := v.master, "", 0
	var seed []byte
	switch name {
	case "master_secret":
		secret, label, n = v.pre, "master secret", 48
		seed = slices.Concat(v.random["client"], v.random["server"])
		if v.suite.ems {
			label, seed = "extended master secret", v.hash(v.transcript)
		}
	case "key_block":
		label, n = "key expansion", 2*(v.suite.macLen+v.suite.keyLen+v.suite.ivLen)
		seed = slices.Concat(v.random["server"], v.random["client"])
	case "client_verify_data", "server_verify_data":
		from := name[:6]
		label, n = from+" finished", 12
		covered := v.transcript
		if end, ok := v.before[from+" finished"]; ok {
			covered = covered[:end]
		}
		seed = v.hash(covered)
	default:
		v.fail("a derivation of %q, which nothing is known of", name)
		return
	}
	output := v.prf(secret, label, seed, n)
	switch name {
	case "master_secret":
		v.master = output
	case "key_block":
		v.block = output
		v.split()
	default:
		v.finished[name[:6]] = output
	}
	v.same(name, e.bytes("output"), output)
	v.sameText("function, hash and label",
		e.text("function")+" "+e.text("hash")+" "+e.text("label"),
		"PRF SHA-"+strings.TrimPrefix(v.suite.hash, "SHA")+" "+label)
	v.same("secret of a derivation", e.bytes("secret"), secret)
	v.same("seed of a derivation", e.bytes("seed"), seed)
	v.seen[name]++
}

// keys are the keys of one direction.
type keys struct{ mac, key, iv []byte }

// half is the state of one direction.
type half struct {
	keys
	on          bool // after ChangeCipherSpec
	seq         uint64
	messages    []byte // handshake messages
	fromRecords []byte // the same, as they were in the records
}

// split cuts the key_block into keys. See RFC 5246 §6.3.
func (v *view) split() {
	in, s := input(v.block), v.suite
	c, r := &v.half["client"].keys, &v.half["server"].keys
	c.mac, r.mac = in.take(s.macLen), in.take(s.macLen)
	c.key, r.key = in.take(s.keyLen), in.take(s.keyLen)
	c.iv, r.iv = in.take(s.ivLen), in.take(s.ivLen)
}

func (v *view) keysInstalled(from string, e event) {
	k := v.half[from]
	v.same("write_MAC_key", e.bytes("mac_key"), k.mac)
	v.same("write_key", e.bytes("key"), k.key)
	v.same("write_IV", e.bytes("iv"), k.iv)
	v.seen["keys of the "+from]++
}

// finish checks what is known only at the end: that the records contain the messages, and that no
// event is missing.
func (v *view) finish() {
	for _, from := range []string{"client", "server"} {
		v.same("messages in records", v.half[from].messages, v.half[from].fromRecords)
		header := []byte{20, 0, 0, 12}
		v.same("finished", v.raw[from+" finished"], append(header, v.finished[from]...))
		for _, what := range []string{from + "_verify_data", "keys of the " + from,
			"protected application_data from the " + from,
			"protected alert from the " + from, "alert " + from} {
			v.must(what)
		}
	}
	for _, what := range []string{"shared_secret", "master_secret", "key_block", "agreed", "ok"} {
		v.must(what)
	}
	v.must("finished of the " + other[v.role])
	if v.suite.kex != "RSA" {
		v.must("ephemeral")
		v.must("signature of the server")
	}
	if leaf(v.raw["client certificate"]) != nil {
		v.must("signature of the client")
	}
}

func (v *view) must(what string) {
	if v.seen[what] == 0 {
		v.fail("no %s", what)
	}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err) // a constant of this package
	}
	return b
}
