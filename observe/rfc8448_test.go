package observe_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/observe"
)

// mixed is an artificial connection: the server's records are of a handshake with another
// EncryptedExtensions than RFC 8448 §4's, and the client's are those of the RFC. An observer reads
// the early data, and notices.
const mixed = "Resumed_0RTT_Handshake"

// Botan's connections, most of them RFC 8448's with other ends: an observer that has a client's
// ephemeral private key, and the PSK if there is one, reads all of them.
func TestBotansConnectionsAreRead(t *testing.T) {
	const x25519 = 32
	var sessions observe.Sessions
	count, read := 0, 0
	for _, b := range testkit.Blocks(t, "botan/tls_13_rfc8448_transcripts.vec") {
		field := func(name string) []byte { return testkit.Unhex(t, b.Fields[name]) }
		// What the client draws: its random, and its private key; after a retry, another one.
		pool := field("Client_RNG_Pool")[32:]
		var source []observe.Source
		for len(pool) >= x25519 {
			source = append(source, observe.Ephemeral(pool[:x25519]))
			pool = pool[x25519:]
		}
		if b.Fields["PskSecret"] != "" {
			source = append(source, observe.PSK(field("PskSecret")))
		}
		o := observe.New(observe.Sources(source...), nil)
		o.Sessions, o.Name = &sessions, b.Section
		var got [2][]byte
		o.Data = func(from iana.Side, data []byte) { got[from] = append(got[from], data...) }
		for _, name := range []string{"ClientHello_1", "HelloRetryRequest", "ClientHello_2",
			"Client_EarlyAppData", "ServerHello", "ServerHandshakeMessages", "ClientFinished",
			"NewSessionTicket", "Client_AppData", "Server_AppData", "Client_CloseNotify",
			"Server_CloseNotify"} {
			from := iana.Client
			if strings.HasPrefix(name, "Server") || name == "HelloRetryRequest" ||
				name == "NewSessionTicket" {
				from = iana.Server
			}
			err := o.Feed(from, field("Record_"+name))
			if err != nil && (b.Section != mixed || from == iana.Server) {
				t.Errorf("%s: %s: %v", b.Section, name, err)
			}
		}
		o.Close()
		count++
		if read += len(got[0]) + len(got[1]); b.Section == mixed {
			if string(got[iana.Client]) != string(field("Client_EarlyAppData")) ||
				o.Machine().Done() {
				t.Errorf("%s: read %q, done: %v", b.Section, got[iana.Client], o.Machine().Done())
			}
			continue
		}
		want := [2][]byte{slices.Concat(field("Client_EarlyAppData"), field("Client_AppData")),
			field("Server_AppData")}
		for side := range got {
			if !slices.Equal(got[side], want[side]) {
				t.Errorf("%s: the %v: read %x, expected %x: %v", b.Section, iana.Side(side),
					got[side], want[side], o.Report().Reason)
			}
		}
		if !o.Machine().Done() {
			t.Errorf("%s: the handshake is not done: %v", b.Section, o.Report().Reason)
		}
		finished := strings.ToLower(b.Fields["Message_Server_Finished"])
		if got := "14000020" +
			hex.EncodeToString(o.Machine().VerifyData[iana.Server]); got != finished {
			t.Errorf("%s: the server's Finished is %s, expected %s", b.Section, got, finished)
		}
	}
	if t.Logf("%d connections, %d bytes read", count, read); count != 7 {
		t.Errorf("%d connections, expected 7", count)
	}
}

// Early data is under the pre-shared key alone: an observer that has it reads RFC 8448 §4's, and
// nothing else of a connection with a key exchange. The binder shows which key is the right one.
func TestAPreSharedKeyAloneOpensEarlyData(t *testing.T) {
	for _, b := range testkit.Blocks(t, "botan/tls_13_rfc8448_transcripts.vec") {
		if b.Section != mixed {
			continue
		}
		field := func(name string) []byte { return testkit.Unhex(t, b.Fields[name]) }
		right := testkit.Unhex(t, // RFC 8448 §3: of the ticket
			"4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3")
		early := string(field("Client_EarlyAppData"))
		wrong := slices.Clone(right)
		wrong[0] ^= 1
		for _, c := range []struct {
			what   string
			source observe.Source
			want   string
		}{
			{"the key", observe.PSK(right), early},
			{"another", observe.PSK(wrong), ""},
			{"both", observe.Sources(observe.PSK(wrong), observe.PSK(right)), early},
		} {
			o := observe.New(c.source, nil)
			got := ""
			o.Data = func(_ iana.Side, data []byte) { got += string(data) }
			for _, name := range []string{"ClientHello_1", "Client_EarlyAppData", "ServerHello",
				"ServerHandshakeMessages"} {
				from := iana.Client
				if strings.HasPrefix(name, "Server") {
					from = iana.Server
				}
				if err := o.Feed(from, field("Record_"+name)); err != nil {
					t.Fatal(err)
				}
			}
			o.Close()
			r := o.Report()
			if got != c.want || r.Reason == nil || r.Reason.Code != observe.ForwardSecret ||
				!strings.Contains(r.Reason.Detail, "nothing but the early data") {
				t.Errorf("%s: read %q, %v", c.what, got, r.Reason)
			}
		}
		return
	}
	t.Fatal("no connection with early data")
}
