package observe_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
	"github.com/vitrine-tls/vitrine/trace"
)

// A report says which secrets were given that belong to no part of the connection, by kind and
// count.
func TestSecretsThatFitNothingAreCounted(t *testing.T) {
	k := talkTLS13(t, rig.ClientConfig(), rig.ServerConfig(t))
	secret := bytes.Repeat([]byte{1}, 32)
	log, err := keylog.Read(strings.NewReader("CLIENT_RANDOM " + strings.Repeat("01", 32) + " " +
		strings.Repeat("02", 48) + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	for want, source := range map[string]observe.Source{
		"no secret for this connection was given": nil,
		"none of the secrets given belongs to this connection: 2 ephemeral private keys": observe.
			Sources(observe.Ephemeral(secret), observe.Ephemeral(secret)),
		"none of the secrets given belongs to this connection: 1 pre-shared key, 1 resumption " +
			"secret, 1 master secret, 1 pre-master secret": observe.Sources(observe.PSK(secret),
			observe.ResumptionSecret(secret), observe.Master(secret), observe.PreMaster(secret)),
		"1 usable line in the key log, none for this client_random; also given, and of no use " +
			"here: 1 ephemeral private key": observe.Sources(observe.KeyLog(log),
			observe.Ephemeral(secret)),
	} {
		r := k.feed(source, nil).Report()
		if r.Reason == nil || r.Reason.Code != observe.NoSecret || r.Reason.Detail != want {
			t.Errorf("got %v, expected %q", r.Reason, want)
		}
	}
}

// Early data in front of a second ClientHello opens with the pre-shared key alone, or with what the
// key is derived from, whether the server accepts the key after its retry or not.
func TestAPreSharedKeyAloneOpensEarlyDataBeforeARetry(t *testing.T) {
	for _, forgets := range []bool{false, true} {
		events := &trace.Memory{}
		d := dialogue{what: "before a retry", times: 2, early: true, forgets: forgets,
			edit: func(t *testing.T, c, s *vitrine.Config) {
				resumes(rig.Only13)(t, c, s)
				c.Trace = events
			},
			refuse: func(s *vitrine.Config) {
				s.CurvePreferences = []tls.CurveID{tls.CurveP521}
				if forgets {
					s.SetSessionTicketKeys([][32]byte{{1}})
				}
			}}
		tapes, _ := d.hold(t, io.Discard)
		var psks []observe.Source
		var resumption []byte
		for _, e := range events.Entries {
			switch x, ok := e.Event.(*trace.Derived); {
			case ok && x.Name == "resumption_psk":
				psks = append(psks, observe.PSK(bytes.Clone(x.Output)))
			case ok && x.Name == "resumption_secret" && resumption == nil:
				resumption = bytes.Clone(x.Output)
			}
		}
		if len(psks) == 0 || resumption == nil {
			t.Fatal("no ticket")
		}
		for what, c := range map[string]struct {
			source observe.Source
			want   string
		}{
			"the key":           {observe.Sources(psks...), "early data"},
			"resumption_secret": {observe.ResumptionSecret(resumption), "early data"},
			"another key":       {observe.PSK(make([]byte, 32)), ""},
			"nothing":           {nil, ""},
		} {
			o := observe.New(c.source, nil)
			got := ""
			o.Data = func(from iana.Side, data []byte) { got += string(data) }
			for _, s := range *tapes[1] {
				_ = o.Feed(s.from, s.b) // the rest is not read
			}
			o.Close()
			r := o.Report()
			if got != c.want || r.Decrypted || r.Flows[iana.Client].Early != int64(len(c.want)) ||
				(r.Flows[iana.Client].EarlyUnread == 0) != (c.want != "") {
				t.Errorf("forgets %v, %s: read %q, %+v, %v", forgets, what, got,
					r.Flows[iana.Client], r.Reason)
			}
		}
	}
}
