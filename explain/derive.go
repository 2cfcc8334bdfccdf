package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/trace"
)

// Derive derives the master_secret, and from it everything that the inputs allow: the key_block if
// it has both randoms, and verify_data if it has a transcript. An error about an input is a
// *FieldError. See RFC 5246 §8.1.
func Derive(g Given) (*Derivation, error) {
	d := &Derivation{Given: g}
	if err := d.complete(); err != nil {
		return nil, err
	}
	memory := &trace.Memory{}
	log := trace.New(trace.Client, memory, nil)
	g = d.Given
	kx, auth := g.Suite.KeyExchange()
	log.Agreed(trace.Agreed{Version: g.Version, Suite: g.Suite.ID, KeyExchange: kx,
		Authentication: auth, ExtendedMasterSecret: g.SessionHash != nil}, "")
	logged := d.transcript.beforeSecrets()
	d.transcript[:logged].log(log)
	master, err := d.master(keys.PRF{Hash: d.hash(), Log: log}, log)
	if err != nil {
		return nil, err
	}
	if r, ok := d.randoms(); ok {
		b := master.KeyBlock(g.Suite.Shape(g.Version), r)
		for _, from := range [...]iana.Side{iana.Client, iana.Server} {
			k := b.Of(from)
			log.KeysInstalled(from, k.MAC, k.Key, k.IV, "RFC 5246 §6.3")
		}
	}
	for _, f := range d.transcript.finishes(func(f finish) []byte {
		if logged < f.before { // not so if the transcript's messages are out of order
			d.transcript[logged:f.before].log(log)
			logged = f.before
		}
		v := master.VerifyData(f.from, d.digest(f.messages))
		if f.sent == nil {
			transcript{{from: f.from, kind: iana.Finished, raw: finishedMessage(v)}}.log(log)
		}
		return v
	}) {
		if f.sent != nil && string(f.sent) != string(f.value) {
			d.Remarks = append(d.Remarks,
				fmt.Sprintf("The Finished of the %v in the transcript has another verify_data "+
					"than what is derived: %x.", f.from, f.sent))
		}
	}
	d.transcript[logged:].log(log)
	d.Entries = memory.Entries
	d.tell()
	return d, nil
}

func (d *Derivation) master(prf keys.PRF, log *trace.Log) (keys.Master, error) {
	g := d.Given
	if g.PreMaster == nil {
		return prf.Restore(g.Master)
	}
	log.SharedSecret("pre_master_secret", g.PreMaster, "RFC 5246 §8.1")
	if g.SessionHash != nil {
		return prf.ExtendedMaster(g.PreMaster, g.SessionHash), nil
	}
	r, _ := d.randoms()
	return prf.Master(g.PreMaster, r), nil
}

// complete adds what the transcript contains to d.Given, and checks that the inputs fit together.
func (d *Derivation) complete() (err error) {
	g := &d.Given
	if g.Transcript != nil {
		if d.transcript, err = cutTranscript(g); err != nil {
			return err
		}
	}
	if g.Version == 0 {
		g.Version = iana.TLS12
	}
	if err := g.fits(); err != nil {
		return err
	}
	session := d.transcript.session()
	if g.SessionHash == nil && session != nil && d.transcript.extended() {
		g.SessionHash = d.digest(session)
	}
	if g.SessionHash != nil && len(g.SessionHash) != d.hash().Size() {
		return misfit("session_hash",
			"got %s, but the hash of %v in %v is %v, which gives %d: is the suite right?",
			octets(len(g.SessionHash)), g.Suite, g.Version, d.hash(), d.hash().Size())
	}
	if g.PreMaster != nil && g.SessionHash == nil && (g.Client == nil || g.Server == nil) {
		return misfit("client_random and server_random",
			"the master_secret takes both, or a session_hash if it is an extended one")
	}
	if _, ok := d.randoms(); g.Master != nil && !ok && d.transcript == nil {
		return misfit("client_random and server_random", "the key_block takes both")
	}
	d.strip()
	return nil
}

// strip removes leading zero bytes from the secret of a finite-field exchange. See RFC 5246 §8.1.2.
func (d *Derivation) strip() {
	g := &d.Given
	if !g.Suite.FiniteField() || g.Suite.PreShared() || g.PreMaster == nil {
		return
	}
	if short := keys.FiniteFieldPreMaster(g.PreMaster); len(short) < len(g.PreMaster) &&
		len(short) > 0 {
		d.Remarks = append(d.Remarks,
			fmt.Sprintf("%s stripped from the front of the pre_master_secret (RFC 5246 §8.1.2).",
				Count(len(g.PreMaster)-len(short), "zero byte")))
		g.PreMaster = short
	}
}

// ecdhLengths are the lengths of the secrets of the curves that Vitrine implements: x25519 and
// secp256r1, secp384r1, x448, secp521r1.
var ecdhLengths = []int{32, 48, 56, 66}

// maxPreMaster is the length of the longest secret in bytes: that of an 8192-bit prime with a
// pre-shared key of 64 KiB. See RFC 4279 §3.
const maxPreMaster = 1024 + 1<<16 + 4

// fits checks the lengths of the inputs, and the suite against them.
func (g *Given) fits() error {
	switch {
	case g.Suite == nil:
		return misfit("suite",
			"is missing: it says how long the keys are, and by which hash they are derived")
	case g.Version < iana.TLS10 || g.Version > iana.TLS12:
		return misfit("version", "this derivation is that of TLS 1.0 to 1.2, not of %v", g.Version)
	case g.Suite.MinVersion() > g.Version:
		return misfit("suite", "%v needs %v, not %v", g.Suite, g.Suite.MinVersion(), g.Version)
	case g.PreMaster == nil && g.Master == nil:
		return misfit("pre_master_secret",
			"is missing, and so is a master_secret: one of them is what everything comes from")
	case g.PreMaster != nil && g.Master != nil:
		return misfit("master_secret",
			"was given, and a pre_master_secret too: only one can be the beginning; compare the "+
				"other (expect)")
	}
	for _, v := range []struct {
		name  string
		value []byte
		len   int
	}{{"client_random", g.Client, 32}, {"server_random", g.Server, 32},
		{"master_secret", g.Master, keys.MasterLen}} {
		if v.value != nil && len(v.value) != v.len {
			return misfit(v.name, "got %s, expected %d%s", octets(len(v.value)), v.len,
				g.why(v.name, len(v.value)))
		}
	}
	return g.preMasterFits()
}

// why suggests what a value with a wrong length may be.
func (g *Given) why(name string, n int) string {
	switch {
	case n == 28:
		return ": the random begins with the 4 bytes of gmt_unix_time, which tools print apart"
	case name == "master_secret" && (n == 32 || g.Suite.FiniteField() && n > 48):
		return ": is it the pre_master_secret?"
	}
	return ""
}

func (g *Given) preMasterFits() error {
	// with a pre-shared key it holds that key as well, see RFC 4279
	alone := !g.Suite.PreShared()
	switch n := len(g.PreMaster); {
	case g.PreMaster == nil:
	case alone && g.Suite.KeyTransport() && n != 48:
		return misfit("pre_master_secret",
			"got %s, but the key exchange of %v is RSA, which makes 48: is the suite right?",
			octets(n), g.Suite)
	case alone && g.Suite.EllipticCurve() && !slices.Contains(ecdhLengths, n):
		return misfit("pre_master_secret",
			"got %s, but a curve gives %s, leading zeros included (RFC 8422 §5.10)", octets(n),
			listed(ecdhLengths))
	case n == 0 || n > maxPreMaster:
		return misfit("pre_master_secret", "got %s, expected 1 to %d", octets(n), maxPreMaster)
	}
	return nil
}

func listed(numbers []int) string {
	var words []string
	for _, n := range numbers {
		words = append(words, strconv.Itoa(n))
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// tell builds the chapters from the events.
func (d *Derivation) tell() {
	t := &teller{Story: &Story{}, client: see(d.Entries, trace.Client), server: &view{}}
	t.setNegotiated()
	given := Chapter{Name: "GIVEN", Motto: "what the derivation starts from",
		Steps: []Step{{Key: "given", Facts: d.given()}}}
	d.Chapters = append(d.Chapters, given)
	if steps := t.derivations(); len(steps) > 0 {
		for i := range steps {
			steps[i].Facts = d.alone(steps[i].Facts)
		}
		c := chapters[3]
		c.Steps = steps
		d.Chapters = append(d.Chapters, c)
	}
	d.Keys = t.Keys
	if steps := d.proofs(t); len(steps) > 0 {
		c := chapters[4]
		c.Motto, c.Steps = "what a change of one byte of the transcript would change", steps
		d.Chapters = append(d.Chapters, c)
	}
}

func (d *Derivation) given() []Fact {
	var facts []Fact
	add := func(name string, value []byte) {
		if value != nil {
			facts = append(facts,
				Fact{Name: name, Secret: name, Under: octets(len(value)),
					Value: Pair{Client: value}, Short: len(value) > 512})
		}
	}
	g := &d.Given
	add("pre_master_secret", g.PreMaster)
	if g.PreMaster == nil {
		add("master_secret", g.Master)
	}
	add("client_random", g.Client)
	add("server_random", g.Server)
	add("session_hash", g.SessionHash)
	if d.transcript != nil {
		facts = append(facts,
			Fact{Name: "transcript",
				Text: fmt.Sprintf("%s, %s: %s", Count(len(d.transcript), "message"),
					octets(len(g.Transcript)), d.transcript)})
	}
	for _, r := range d.Remarks {
		facts = append(facts, Fact{Name: "mind", Text: r})
	}
	return facts
}

// alone replaces references to the numbers of a ladder, which a derivation does not have.
func (d *Derivation) alone(facts []Fact) []Fact {
	for i, f := range facts {
		if f.Formula && strings.Contains(f.Text, "(messages )") {
			facts[i].Text = strings.Replace(f.Text, "(messages )",
				"(all messages up to ClientKeyExchange)", 1)
		}
	}
	return facts
}

// proofs returns the steps that show the verify_data of both sides.
func (d *Derivation) proofs(t *teller) []Step {
	var steps []Step
	for _, f := range d.transcript.finishes(func(f finish) []byte { return f.sent }) {
		x, ok := t.derived(f.from.String() + "_verify_data")
		if !ok {
			continue
		}
		facts := []Fact{
			{Name: f.from.String() + " verify_data", Secret: "verify_data",
				Value: Pair{Client: x.Output}},
			{Formula: true,
				Text: fmt.Sprintf("= %s(master_secret, %q, %s(%s))", prf(x), x.Label,
					x.Hash, f.covers)},
			{Name: x.Hash, Deeper: true, Value: Pair{Client: x.Seed}},
		}
		steps = append(steps, Step{Key: "finished/" + f.from.String(), Facts: facts})
	}
	return steps
}

// Value is a row in the table of a derivation.
type Value struct {
	Name   string
	Offset int // in the key_block, in bytes; -1 for other values
	Bytes  []byte
	How    string
}

// Values returns the inputs and the derived values, in order.
func (d *Derivation) Values() []Value {
	g := &d.Given
	var list []Value
	add := func(name string, b []byte, how string) {
		if b != nil {
			list = append(list, Value{name, -1, b, how})
		}
	}
	add("pre_master_secret", g.PreMaster, "given")
	if g.PreMaster == nil {
		add("master_secret", g.Master, "given")
	}
	add("client_random", g.Client, "given")
	add("server_random", g.Server, "given")
	add("session_hash", g.SessionHash, "given")
	for _, e := range d.Entries {
		if x, ok := e.Event.(*trace.Derived); ok {
			add(x.Name, x.Output, fmt.Sprintf("%s(%q)", prf(*x), x.Label))
			if x.Name != "key_block" {
				continue
			}
			for _, k := range d.Keys {
				if k.Len > 0 {
					list = append(list, Value{k.Name, k.Offset, k.Value.Client, k.Purpose})
				}
			}
		}
	}
	return list
}
