package keys

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/trace"
)

// rfc8448 is the RFC's traces, step by step.
type rfc8448 struct {
	Sections []struct {
		Section, Title string
		Steps          []rfc8448Step
	}
}

type rfc8448Step struct {
	Actor, Action string
	Values        map[string]testkit.Hex
}

// connection is what the key schedule of a trace begins with.
type connection struct {
	psk, shared     []byte
	sent            [][]byte // what the two sent in handshake records, in order
	hello, answer   int      // which of them are the last ClientHello, and the ServerHello
	clientFlight    int      // where the client's last flight is
	nonce           []byte   // of the ticket
	retried, binder bool
}

// Every extracted, expanded and HMACed value of RFC 8448 results from the inputs that the RFC
// gives.
func TestKeyScheduleMatchesRFC8448(t *testing.T) {
	var f rfc8448
	testkit.JSON(t, "rfc8448/rfc8448.json", &f)
	psk, total := []byte(nil), 0
	for _, s := range f.Sections {
		c := readConnection(t, s.Steps)
		if strings.Contains(s.Title, "0-RTT") {
			c.psk = psk // of the connection before
		}
		var events trace.Memory
		got := c.derive(HKDF{crypto.SHA256, trace.New(trace.Observer, &events, nil)})
		if c.nonce != nil {
			psk = got
		}
		checked := 0
		for _, step := range s.Steps {
			for _, want := range wanted(step) {
				checked++
				if !found(events.Entries, want) {
					t.Errorf("§%s %s: %s: no derivation gave %x", s.Section, step.Actor,
						step.Action, want.Output)
				}
			}
		}
		t.Logf("§%s %s: %d values", s.Section, s.Title, checked)
		total += checked
	}
	if total < 100 || len(f.Sections) != 5 {
		t.Errorf("%d values of %d traces were compared", total, len(f.Sections))
	}
}

func readConnection(t *testing.T, steps []rfc8448Step) (c connection) {
	var private, public [2][]byte
	for _, s := range steps {
		side := iana.Client
		if s.Actor == "server" {
			side = iana.Server
		}
		switch {
		case strings.HasPrefix(s.Action, "create an ephemeral"):
			private[side], public[side] = s.Values["private key"], s.Values["public key"]
		case s.Action == "send handshake record":
			payload := s.Values["payload"]
			switch iana.HandshakeType(payload[0]) {
			case iana.ClientHello:
				c.retried = len(c.sent) > 0
				c.hello = len(c.sent)
			case iana.ServerHello:
				c.answer = len(c.sent)
			case iana.NewSessionTicket:
				continue
			default:
				if side == iana.Client {
					c.clientFlight = len(c.sent)
				}
			}
			c.sent = append(c.sent, payload)
		case strings.HasPrefix(s.Action, "generate resumption secret") && len(s.Values) > 0:
			c.nonce = s.Values["hash"]
		case s.Action == "calculate PSK binder" && len(s.Values) > 0:
			c.binder = true
		}
	}
	c.shared = testkit.ECDH(t, private[iana.Client], public[iana.Server])
	return c
}

// to is the hash of the transcript up to and including message n, without the last cut bytes.
func (c *connection) to(n, cut int) []byte {
	h := sha256.New()
	for i, b := range c.sent[:n+1] {
		if i == 0 && c.retried { // RFC 8446 §4.4.1
			first := sha256.Sum256(b)
			b = append([]byte{byte(iana.MessageHash), 0, 0, 32}, first[:]...)
		}
		if i == n {
			b = b[:len(b)-cut]
		}
		h.Write(b)
	}
	return h.Sum(nil)
}

// derive walks the whole schedule, and returns the ticket's key if there is one.
func (c *connection) derive(k HKDF) (psk []byte) {
	shape := Shape{Key: 16, IV: 12}
	early := k.Early(c.psk)
	if c.binder {
		early.Binder(ResumptionPSK).VerifyData(c.to(c.hello, 2+1+32))
		early.ClientTraffic(c.to(c.hello, 0)).Direction(shape)
		early.Exporter(c.to(c.hello, 0))
	}
	h := early.Handshake(c.shared)
	client, server := h.Traffic(iana.Client, c.to(c.answer, 0)),
		h.Traffic(iana.Server, c.to(c.answer, 0))
	client.Direction(shape)
	server.Direction(shape)
	server.VerifyData(c.to(c.answer+1, 4+32))
	main := h.Main()
	main.Traffic(iana.Client, c.to(c.answer+1, 0)).Direction(shape)
	main.Traffic(iana.Server, c.to(c.answer+1, 0)).Direction(shape)
	main.Exporter(c.to(c.answer+1, 0))
	client.VerifyData(c.to(c.clientFlight, 4+32))
	resumption := main.Resumption(c.to(c.clientFlight, 0))
	if c.nonce != nil {
		psk = resumption.PSK(c.nonce)
	}
	return psk
}

// wanted is the derivations that a step of the RFC spells out.
func wanted(s rfc8448Step) (list []trace.Derived) {
	v := s.Values
	add := func(key, seed, output string) {
		if len(v[output]) > 0 {
			list = append(list,
				trace.Derived{Secret: trace.Secret(v[key]), Seed: trace.Hex(v[seed]),
					Output: trace.Secret(v[output])})
		}
	}
	add("PRK", "info", "expanded")
	add("PRK", "key info", "key expanded")
	add("PRK", "iv info", "iv expanded")
	if len(v["secret"]) > 0 {
		list = append(list,
			trace.Derived{Secret: trace.Secret(v["IKM"]), Salt: trace.Secret(v["salt"]),
				Output: trace.Secret(v["secret"])})
	}
	if len(v["finished"]) > 0 {
		list = append(list,
			trace.Derived{Secret: trace.Secret(v["expanded"]), Output: trace.Secret(v["finished"])})
	}
	return list
}

// found reports whether an event has the values of the RFC; what the RFC leaves out matches
// everything.
func found(entries []trace.Entry, want trace.Derived) bool {
	same := func(want, got []byte) bool { return len(want) == 0 || bytes.Equal(want, got) }
	for _, e := range entries {
		d, ok := e.Event.(*trace.Derived)
		if ok && bytes.Equal(want.Output, d.Output) && same(want.Secret, d.Secret) &&
			same(want.Seed, d.Seed) && same(want.Salt, d.Salt) {
			return true
		}
	}
	return false
}

// The ACVP cases have random strings in the place of messages.
func TestKeyScheduleMatchesACVP(t *testing.T) {
	var f struct {
		Sets []struct {
			TestGroups []struct {
				HmacAlg string
				Tests   []struct {
					TcID                                       int
					DHE, PSK                                   testkit.Hex
					HelloClientRandom, HelloServerRandom       testkit.Hex
					FinishedClientRandom, FinishedServerRandom testkit.Hex
					Expected                                   struct {
						ClientEarlyTrafficSecret, EarlyExporterMasterSecret            testkit.Hex
						ClientHandshakeTrafficSecret, ServerHandshakeTrafficSecret     testkit.Hex
						ClientApplicationTrafficSecret, ServerApplicationTrafficSecret testkit.Hex
						ExporterMasterSecret, ResumptionMasterSecret                   testkit.Hex
					}
				}
			}
		}
	}
	testkit.JSON(t, "acvp/boringssl-TLS13.json", &f)
	n := 0
	for _, g := range f.Sets[0].TestGroups {
		k := HKDF{Hash: hashNamed(t, g.HmacAlg)}
		for _, c := range g.Tests {
			n++
			th := func(messages ...testkit.Hex) []byte {
				h := k.new()
				for _, m := range messages {
					h.Write(m)
				}
				return h.Sum(nil)
			}
			hello, answer, server := c.HelloClientRandom, c.HelloServerRandom,
				c.FinishedServerRandom
			early := k.Early(c.PSK)
			handshake := early.Handshake(c.DHE)
			main := handshake.Main()
			for _, v := range []struct {
				name string
				got  []byte
				want testkit.Hex
			}{
				{"c e traffic", early.ClientTraffic(th(hello)).Bytes(),
					c.Expected.ClientEarlyTrafficSecret},
				{"e exp master", early.Exporter(th(hello)).Bytes(),
					c.Expected.EarlyExporterMasterSecret},
				{"c hs traffic", handshake.Traffic(iana.Client, th(hello, answer)).Bytes(),
					c.Expected.ClientHandshakeTrafficSecret},
				{"s hs traffic", handshake.Traffic(iana.Server, th(hello, answer)).Bytes(),
					c.Expected.ServerHandshakeTrafficSecret},
				{"c ap traffic", main.Traffic(iana.Client, th(hello, answer, server)).Bytes(),
					c.Expected.ClientApplicationTrafficSecret},
				{"s ap traffic", main.Traffic(iana.Server, th(hello, answer, server)).Bytes(),
					c.Expected.ServerApplicationTrafficSecret},
				{"exp master", main.Exporter(th(hello, answer, server)).Bytes(),
					c.Expected.ExporterMasterSecret},
				{"res master",
					main.Resumption(th(hello, answer, server, c.FinishedClientRandom)).Bytes(),
					c.Expected.ResumptionMasterSecret},
			} {
				if !bytes.Equal(v.got, v.want) {
					t.Errorf("%s %d: %s: got %x, expected %x", g.HmacAlg, c.TcID, v.name, v.got,
						v.want)
				}
			}
		}
	}
	if n == 0 {
		t.Error("no cases")
	}
	t.Logf("%d cases", n)
}

// A salt of HKDF-Extract comes from the secret before it: who has it can derive all that follows.
func TestSaltsAreRedacted(t *testing.T) {
	var out bytes.Buffer
	log := trace.New(trace.Client, trace.NewWriter(&out), nil)
	var events trace.Memory
	both := HKDF{crypto.SHA256, trace.New(trace.Client, &events, nil)}
	HKDF{crypto.SHA256, log}.Early([]byte("psk")).Handshake([]byte("shared")).Main()
	both.Early([]byte("psk")).Handshake([]byte("shared")).Main()
	salts := 0
	for _, e := range events.Entries {
		d := e.Event.(*trace.Derived)
		for _, secret := range [][]byte{d.Salt, d.Secret, d.Output} {
			if len(secret) > 0 && bytes.Contains(out.Bytes(), fmt.Appendf(nil, "%x", secret)) {
				t.Errorf("%s: a redacted trace has %x", d.Name, secret)
			}
		}
		if len(d.Salt) > 0 {
			salts++
		}
	}
	if salts != 3 || !strings.Contains(out.String(), `"salt":"redacted: 32 bytes`) {
		t.Errorf("%d salts; the trace is\n%s", salts, &out)
	}
}

// No way of printing shows a secret of the schedule.
func TestStagesPrintNoSecrets(t *testing.T) {
	early := HKDF{Hash: crypto.SHA256}.Early(nil)
	handshake := early.Handshake(nil)
	for _, stage := range []interface{ Bytes() []byte }{
		early, early.Binder(ExternalPSK), early.Exporter(nil), handshake, handshake.Main(),
		handshake.Main().Resumption(nil),
		handshake.Traffic(iana.Client, nil),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
			if got := fmt.Sprintf(verb, stage); strings.Contains(got,
				fmt.Sprintf("%x", stage.Bytes())) || !strings.Contains(got, "redacted") {
				t.Errorf("%T: %s prints %s", stage, verb, got)
			}
		}
	}
}

func TestTrafficSecretsOfAnotherLengthAreRefused(t *testing.T) {
	for _, n := range []int{0, 31, 33, 48} {
		k := HKDF{Hash: crypto.SHA256}
		if _, err := k.Traffic(ApplicationData, iana.Client, make([]byte, n)); err == nil {
			t.Errorf("a traffic secret of %d bytes was taken for SHA-256", n)
		}
	}
}

func TestExporterLengthsAreBounded(t *testing.T) {
	e := HKDF{Hash: crypto.SHA256}.Early(nil).Exporter(nil)
	for _, c := range []struct {
		label string
		n     int
		ok    bool
	}{
		{"label", 0, true}, {"label", 255 * 32, true}, {"label", 255*32 + 1, false},
		{"label", -1, false},
		{strings.Repeat("l", 249), 1, true}, {strings.Repeat("l", 250), 1, false},
	} {
		if got, err := e.Export(c.label, nil, c.n); (err == nil) != c.ok ||
			c.ok && len(got) != c.n {
			t.Errorf("label of %d bytes, %d bytes: %v", len(c.label), c.n, err)
		}
	}
	none, _ := e.Export("label", nil, 32)
	if empty, _ := e.Export("label", []byte{}, 32); !bytes.Equal(none, empty) {
		t.Error("an empty context gives another result than none: RFC 8446 §7.5")
	}
}

// The keys of both directions, and of early data, handshake and data, have names of their own. See
// RFC 8446 §7.3.
func TestKeysOfBothDirectionsHaveNamesOfTheirOwn(t *testing.T) {
	var events trace.Memory
	k := HKDF{crypto.SHA256, trace.New(trace.Client, &events, nil)}
	early := k.Early(nil)
	h := early.Handshake(nil)
	hash := make([]byte, 32)
	given := func(what Protected) func(iana.Side, []byte) Traffic {
		return func(from iana.Side, secret []byte) Traffic {
			t, _ := k.Traffic(what, from, secret)
			return t
		}
	}
	for _, c := range []struct {
		name  string
		stage func(iana.Side, []byte) Traffic
	}{
		{"early", func(_ iana.Side, hash []byte) Traffic { return early.ClientTraffic(hash) }},
		{"handshake", h.Traffic},
		{"application", h.Main().Traffic},
		{"application", func(from iana.Side, hash []byte) Traffic {
			return h.Main().Traffic(from, hash).Update()
		}},
		{"early", given(EarlyData)},
		{"handshake", given(HandshakeMessages)},
		{"application", given(ApplicationData)},
	} {
		for _, from := range []iana.Side{iana.Client, iana.Server} {
			if c.name == "early" && from == iana.Server {
				continue
			}
			events.Entries = nil
			d := c.stage(from, hash).Direction(Shape{Key: 16, IV: 12})
			values := map[string][]byte{}
			for _, e := range events.Entries {
				d := e.Event.(*trace.Derived)
				values[d.Name] = d.Output
			}
			stem := from.String() + "_" + c.name
			for name, want := range map[string][]byte{
				stem + "_write_key": d.Key, stem + "_write_iv": d.IV} {
				if !bytes.Equal(values[name], want) {
					t.Errorf("the %v's: got the names %q, expected %s to be %x", from,
						slices.Sorted(maps.Keys(values)), name, want)
				}
			}
		}
	}
}
