package observe_test

import (
	"bytes"
	"crypto"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
	"github.com/vitrine-tls/vitrine/trace"
)

// A talk is a recorded live connection of TLS 1.3 with the secrets of its ends.
type talk struct {
	tape   tape
	logged bytes.Buffer
	events [2]*trace.Memory
}

// talkTLS13 has a client and a server of our own talk.
func talkTLS13(t *testing.T, client, server *vitrine.Config) *talk {
	t.Helper()
	k := &talk{events: [2]*trace.Memory{{}, {}}}
	for side, c := range []*vitrine.Config{client, server} {
		c.MinVersion, c.MaxVersion = vitrine.VersionTLS13, vitrine.VersionTLS13
		c.Trace = k.events[side]
	}
	client.KeyLogWriter = &k.logged
	a, b := rig.Wires(t)
	taps := [2]*tap{{Conn: a}, {Conn: b}}
	c, s := vitrine.Client(taps[0], client), vitrine.Server(taps[1], server)
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(s, io.LimitReader(s, 4))
		s.Close()
		done <- err
	}()
	if _, err := c.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); err != nil || string(got) != "ping" {
		t.Fatalf("got %q, %v", got, err)
	}
	c.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for side, x := range taps {
		k.tape = append(k.tape, segment{iana.Side(side), bytes.Clone(x.sent.Bytes())})
	}
	return k
}

// private returns the ephemeral private key of a side.
func (k *talk) private(t *testing.T, from iana.Side) []byte {
	for _, e := range k.events[from].Entries {
		if x, ok := e.Event.(*trace.Ephemeral); ok && x.From == from {
			return x.Private
		}
	}
	t.Fatalf("the %v made no ephemeral key", from)
	return nil
}

// shared returns the shared secret.
func (k *talk) shared() []byte {
	for _, e := range k.events[0].Entries {
		if x, ok := e.Event.(*trace.SharedSecret); ok && x.Name == "shared_secret" {
			return x.Output
		}
	}
	return nil
}

// checkRead checks that a connection was read, and that the secrets derived are those of its key
// log.
func (k *talk) checkRead(t *testing.T, what string, source observe.Source, from string) {
	t.Helper()
	var got [2][]byte
	o := observe.New(source, nil)
	o.Data = func(from iana.Side, b []byte) { got[from] = append(got[from], b...) }
	for _, s := range k.tape {
		if err := o.Feed(s.from, s.b); err != nil {
			t.Fatal(err)
		}
	}
	o.Close()
	r := o.Report()
	if string(got[0]) != "ping" || string(got[1]) != "ping" || !r.Decrypted || r.Source != from ||
		r.Unverified != nil {
		t.Errorf("%s: read %q and %q by %q, not verified %v: %v", what, got[0], got[1], r.Source,
			r.Unverified, r.Reason)
	}
	want, err := keylog.Read(bytes.NewReader(k.logged.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	lines := o.Secrets()
	for _, l := range lines {
		if !bytes.Equal(want.Secret(l.Label, l.ID), l.Secret) {
			t.Errorf("%s: %v is not what the client logged", what, l)
		}
	}
	if len(lines) != want.Len() {
		t.Errorf("%s: %d secrets were derived, the client logged %d", what, len(lines), want.Len())
	}
}

// An ephemeral private key of either side is where the whole schedule of TLS 1.3 begins, in every
// group. See RFC 8446 §7.1 and §7.4.
func TestAnEphemeralKeyOpensTLS13(t *testing.T) {
	for _, group := range []vitrine.CurveID{vitrine.X25519, vitrine.CurveP256, vitrine.CurveP384,
		vitrine.CurveP521, vitrine.CurveID(iana.X448), vitrine.CurveID(iana.FFDHE2048),
		vitrine.CurveID(iana.X25519MLKEM768), vitrine.CurveID(iana.SecP256r1MLKEM768),
		vitrine.CurveID(iana.SecP384r1MLKEM1024)} {
		edit := func(c *vitrine.Config) { c.CurvePreferences = []vitrine.CurveID{group} }
		k := talkTLS13(t, rig.ClientConfig(edit), rig.ServerConfig(t, edit))
		client, server := k.private(t, iana.Client), k.private(t, iana.Server)
		if g := iana.Group(group); g.Hybrid() {
			n := map[bool]int{true: len(client) - 64, false: 64}[g != iana.X25519MLKEM768]
			halves := [][]byte{client[:n], client[n:]}
			scalar := halves[map[bool]int{true: 0, false: 1}[g != iana.X25519MLKEM768]]
			for _, half := range [][]byte{scalar, server} {
				h := play(&k.tape, observe.Ephemeral(half), nil)
				if h.Reason == nil || !strings.Contains(h.Reason.Detail, "both halves are needed") {
					t.Errorf("%v: half a key: %v", g, h.Reason)
				}
			}
			// the server has ML-KEM's secret, which is a half of the shared secret
			if shared := k.shared(); g == iana.X25519MLKEM768 {
				server = append(bytes.Clone(shared[:32]), server...)
			} else {
				server = append(bytes.Clone(server), shared[len(shared)-32:]...)
			}
		}
		name := iana.Group(group).String()
		k.checkRead(t, name, observe.Ephemeral(client), "the client's ephemeral key")
		k.checkRead(t, name, observe.Ephemeral(server), "the server's ephemeral key")
		other := make([]byte, len(client))
		other[0] = 64
		if h := play(&k.tape, observe.Ephemeral(other), nil); h.Decrypted {
			t.Errorf("%s: another key opened it", name)
		}
	}
}

// talkPSK has two sides talk that have a pre-shared key alone.
func talkPSK(t *testing.T, k vitrine.PSK, modes ...iana.PSKKeyExchangeMode) *talk {
	get := func(*vitrine.PSKInfo) (*vitrine.PSK, error) { return &k, nil }
	return talkTLS13(t, &vitrine.Config{GetPSK: get, PSKKeyExchangeModes: modes},
		&vitrine.Config{GetPSK: get, PSKKeyExchangeModes: modes})
}

// A pre-shared key opens psk_ke, and psk_dhe_ke with an ephemeral key besides. See RFC 8446 §4.2.9
// and RFC 9258.
func TestAPreSharedKeyOpensTLS13(t *testing.T) {
	key := vitrine.PSK{Identity: []byte("gardener"), Key: bytes.Repeat([]byte{7}, 32)}
	imported := key
	imported.Import, imported.Context = true, []byte("garden")
	sha384 := key
	sha384.Hash = crypto.SHA384
	imported384 := imported
	imported384.Hash = crypto.SHA384
	for what, k := range map[string]vitrine.PSK{"external": key, "imported": imported,
		"of SHA-384": sha384, "imported from SHA-384": imported384} {
		alone := talkPSK(t, k, iana.PSKKE)
		alone.checkRead(t, what+", psk_ke", observe.PSK(key.Key), "pre-shared key")
		if h := play(&alone.tape, observe.PSK([]byte("other")), nil); h.Reason == nil ||
			h.Reason.Code != observe.WrongSecret {
			t.Errorf("%s, another key: %v", what, h.Reason)
		}

		both := talkPSK(t, k, iana.PSKDHEKE)
		ephemeral := observe.Ephemeral(both.private(t, iana.Client))
		both.checkRead(t, what+", psk_dhe_ke", observe.Sources(observe.PSK(key.Key), ephemeral),
			"pre-shared key and the client's ephemeral key")
		if h := play(&both.tape, observe.PSK(key.Key), nil); h.Reason == nil ||
			h.Reason.Code != observe.ForwardSecret ||
			!slices.Contains(h.Reason.Needs, observe.NeedEphemeralKey) {
			t.Errorf("%s, without the ephemeral key: %v", what, h.Reason)
		}
		if h := play(&both.tape, ephemeral, nil); h.Reason == nil ||
			h.Reason.Code != observe.UnknownResumedSession {
			t.Errorf("%s, without the pre-shared key: %v", what, h.Reason)
		}
	}
}

// derivedIn returns a secret that a side derived.
func (k *talk) derivedIn(from iana.Side, name string) []byte {
	for _, e := range k.events[from].Entries {
		if x, ok := e.Event.(*trace.Derived); ok && x.Name == name {
			return x.Output
		}
	}
	return nil
}

// feed reads a whole connection.
func (k *talk) feed(source observe.Source, sessions *observe.Sessions) *observe.Connection {
	o := observe.New(source, nil)
	o.Sessions, o.Name = sessions, "first"
	for _, s := range k.tape {
		_ = o.Feed(s.from, s.b)
	}
	o.Close()
	return o
}

// A connection that resumes another one is read with what opened that one, or with its
// resumption_secret, in whatever order they are read. See RFC 8446 §4.6.1.
func TestAResumptionOfTLS13IsReadFromItsOrigin(t *testing.T) {
	cache := &rig.OneSession{}
	edit := func(c *vitrine.Config) {
		c.PSKKeyExchangeModes = []iana.PSKKeyExchangeMode{iana.PSKKE}
	}
	client := rig.ClientConfig(edit, func(c *vitrine.Config) { c.ClientSessionCache = cache })
	server := rig.ServerConfig(t, edit)
	first := talkTLS13(t, client, server)
	second := talkTLS13(t, client, server)
	ephemeral := observe.Ephemeral(first.private(t, iana.Client))
	resumption := first.derivedIn(iana.Client, "resumption_secret")
	if len(resumption) == 0 || second.shared() != nil {
		t.Fatal("the second connection does not resume the first in psk_ke")
	}

	sessions := &observe.Sessions{}
	if r := first.feed(ephemeral, sessions).Report(); !r.Decrypted {
		t.Fatal(r.Reason)
	}
	if r := second.feed(ephemeral, sessions).Report(); !r.Decrypted ||
		r.Source != "session of first" {
		t.Errorf("behind its origin: %q, %v", r.Source, r.Reason)
	}

	sessions = &observe.Sessions{}
	o := second.feed(ephemeral, sessions)
	if !o.Waiting() {
		t.Fatal("a resumption does not wait for its origin: ", o.Report().Reason)
	}
	first.feed(ephemeral, sessions)
	if o.Retry(); !o.Report().Decrypted {
		t.Errorf("before its origin: %v", o.Report().Reason)
	}

	// The nonce is that of the ticket if it was read with a key log, else a usual one.
	sessions = &observe.Sessions{}
	log, err := keylog.Read(bytes.NewReader(first.logged.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	first.feed(observe.KeyLog(log), sessions)
	for what, known := range map[string]*observe.Sessions{"with its nonce": sessions,
		"without its nonce": {}} {
		r := second.feed(observe.ResumptionSecret(resumption), known).Report()
		if !r.Decrypted || r.Source != "resumption secret" {
			t.Errorf("%s: %q, %v", what, r.Source, r.Reason)
		}
	}
	o = second.feed(observe.ResumptionSecret(make([]byte, len(resumption))), sessions)
	o.GiveUp()
	if r := o.Report(); r.Reason == nil || r.Reason.Code != observe.WrongSecret {
		t.Errorf("with another secret: %v", r.Reason)
	}
}
