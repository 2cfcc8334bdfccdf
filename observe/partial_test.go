package observe_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
)

// trafficLabels are the secrets of a TLS 1.3 connection that protect records. See RFC 9850 §2.1.
var trafficLabels = []keylog.Label{keylog.ClientEarlyTraffic, keylog.ClientHandshake,
	keylog.ServerHandshake, keylog.ClientTraffic, keylog.ServerTraffic}

// A conversation is a TLS 1.3 connection with its key log.
type conversation struct {
	name string
	tape *tape
	log  *keylog.Log
}

// conversations returns recorded connections of TLS 1.3, and some with early data.
func conversations(t *testing.T) (all []conversation) {
	for _, id := range []string{"generated/ossl-tls13-0rtt-aes256",
		"generated/ossl-tls13-hrr-p384", "generated/ossl-tls13-keyupdate-aes128",
		"generated/ossl-tls13-resume", "generated/gnutls-tls13-recordsize",
		"generated/ossl-tls13-ext-psk", "snet/TLS1_3_TLS_AES_128_CCM_SHA256"} {
		for _, c := range index(t) {
			if c.ID != id {
				continue
			}
			text, err := os.ReadFile(filepath.Join(c.dir, c.Secrets["keylog"]))
			if err != nil {
				t.Fatal(err)
			}
			log, _ := keylog.Read(bytes.NewReader(text))
			for _, s := range c.Streams {
				all = append(all,
					conversation{fmt.Sprintf("%s/%d", id, s.Stream), stream(t, c, s.Stream), log})
			}
		}
	}
	files, err := filepath.Glob("testdata/early/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no early data: ", err)
	}
	for _, f := range files {
		all = append(all, earlyData(t, f))
	}
	return all
}

// earlyData reads a connection of testdata/early.
func earlyData(t *testing.T, file string) conversation {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := conversation{name: filepath.Base(file), tape: &tape{}}
	for i := range 2 {
		b, err := hex.DecodeString(strings.ReplaceAll(string(a.Files[i].Data), "\n", ""))
		if err != nil {
			t.Fatal(err)
		}
		*c.tape = append(*c.tape, segment{iana.Side(i), b})
	}
	if c.log, err = keylog.Read(bytes.NewReader(a.Files[2].Data)); err != nil {
		t.Fatal(err)
	}
	return c
}

// only returns the lines of a key log with some labels.
func only(log *keylog.Log, labels ...keylog.Label) *keylog.Log {
	some := &keylog.Log{}
	for l := range log.All() {
		if slices.Contains(labels, l.Label) {
			some.Add(l)
		}
	}
	return some
}

// Any of the secrets of a connection reads what it protects, with and without the others, and in
// any interleaving. What is left has a reason, and is not counted as decrypted. See RFC 8446 §7.1.
func TestEachSecretOfTLS13ReadsWhatItProtects(t *testing.T) {
	plays := 0
	for _, c := range conversations(t) {
		whole := play(c.tape, observe.KeyLog(c.log), nil)
		early := int(whole.Flows[iana.Client].Early)
		if !whole.Decrypted {
			t.Errorf("%s: with all secrets: %v", c.name, whole.Reason)
		}
		for set := range 1 << len(trafficLabels) {
			has := map[keylog.Label]bool{}
			var labels []keylog.Label
			for i, l := range trafficLabels {
				if has[l] = set>>i&1 == 1; has[l] {
					labels = append(labels, l)
				}
			}
			var want [2][]byte
			if has[keylog.ClientEarlyTraffic] {
				want[0] = whole.plain[0][:early:early]
			}
			if has[keylog.ClientTraffic] {
				want[0] = append(want[0], whole.plain[0][early:]...)
			}
			if has[keylog.ServerTraffic] {
				want[1] = whole.plain[1]
			}
			for _, order := range [][]segment{*c.tape, reversed(*c.tape)} {
				plays++
				tape := tape(order)
				h := play(&tape, observe.KeyLog(only(c.log, labels...)), nil)
				if !bytes.Equal(h.plain[0], want[0]) || !bytes.Equal(h.plain[1], want[1]) {
					t.Errorf("%s with %v: read %d and %d bytes, expected %d and %d: %v", c.name,
						labels, len(h.plain[0]), len(h.plain[1]), len(want[0]), len(want[1]),
						h.Reason)
				}
				checkReasons(t, c.name, labels, h)
			}
		}
	}
	t.Logf("%d plays", plays)
}

// checkReasons checks that what a report says of both directions fits together.
func checkReasons(t *testing.T, name string, labels []keylog.Label, h observed) {
	t.Helper()
	unread := h.Flows[0].Unread + h.Flows[1].Unread
	if h.Decrypted != (h.Reason == nil) || h.Decrypted && unread > 0 {
		t.Errorf("%s with %v: decrypted %v, %d bytes unread, %v", name, labels, h.Decrypted,
			unread, h.Reason)
	}
	for side, f := range h.Flows {
		if (h.Reasons[side] != nil) != (f.Unread > 0) {
			t.Errorf("%s with %v: the %v's %d bytes unread, %v", name, labels, iana.Side(side),
				f.Unread, h.Reasons[side])
		}
		if f.Refused > 0 || f.Unread < 0 || f.EarlyUnread > f.Unread || f.UnreadRecords < 0 {
			t.Errorf("%s with %v: the %v's %+v", name, labels, iana.Side(side), f)
		}
	}
}

// reversed returns the segments of the server before those of the client.
func reversed(all []segment) []segment {
	list := slices.Clone(all)
	slices.SortStableFunc(list, func(a, b segment) int { return int(b.from) - int(a.from) })
	return list
}

// Each direction has the reason of its own secret that is missing.
func TestAMissingSecretIsNamedForItsDirection(t *testing.T) {
	accepted := earlyData(t, "testdata/early/accepted.txtar")
	rejected := earlyData(t, "testdata/early/rejected.txtar")
	retried := earlyData(t, "testdata/early/retried.txtar")
	client := []keylog.Label{keylog.ClientEarlyTraffic, keylog.ClientHandshake,
		keylog.ClientTraffic}
	application := []keylog.Label{keylog.ClientTraffic, keylog.ServerTraffic}
	for _, c := range []struct {
		name           string
		of             conversation
		labels         []keylog.Label
		client, server string
	}{
		{"client's alone", accepted, client, "",
			"no_secret: SERVER_TRAFFIC_SECRET_0 of this connection is not known"},
		{"server's alone", accepted,
			[]keylog.Label{keylog.ServerHandshake, keylog.ServerTraffic},
			"no_secret: CLIENT_TRAFFIC_SECRET_0 of this connection is not known", ""},
		{"without that of early data", accepted, trafficLabels[1:],
			"no_early_secret: CLIENT_EARLY_TRAFFIC_SECRET of this connection is not known: " +
				"41 bytes of records", ""},
		{"without that of rejected early data", rejected, trafficLabels[1:],
			"no_early_secret: CLIENT_EARLY_TRAFFIC_SECRET of this connection is not known: " +
				"41 bytes of records", ""},
		{"early data before a retry", retried, trafficLabels, "", ""},
		{"without that of early data before a retry", retried, trafficLabels[1:],
			"no_early_secret: CLIENT_EARLY_TRAFFIC_SECRET of this connection is not known: " +
				"41 bytes of records", ""},
		{"application alone, early data", rejected, application, "no_early_secret: ", ""},
		{"handshake alone", rejected,
			[]keylog.Label{keylog.ClientHandshake, keylog.ServerHandshake},
			"no_secret: CLIENT_TRAFFIC_SECRET_0",
			"no_secret: SERVER_TRAFFIC_SECRET_0"},
	} {
		h := play(c.of.tape, observe.KeyLog(only(c.of.log, c.labels...)), nil)
		for side, want := range []string{c.client, c.server} {
			got := ""
			if h.Reasons[side] != nil {
				got = h.Reasons[side].String()
			}
			if !strings.HasPrefix(got, want) || want == "" && got != "" {
				t.Errorf("%s, the %v: got %q, expected %q", c.name, iana.Side(side), got, want)
			}
		}
	}
}

// A wrong secret is reported as wrong, and does not take the place of the right ones.
func TestAWrongTrafficSecretCostsItsOwnPartOnly(t *testing.T) {
	for _, name := range []string{"rejected", "retried"} {
		testAWrongTrafficSecret(t, earlyData(t, "testdata/early/"+name+".txtar"))
	}
}

func testAWrongTrafficSecret(t *testing.T, c conversation) {
	t.Helper()
	whole := play(c.tape, observe.KeyLog(c.log), nil)
	wrong := func(length int, labels ...keylog.Label) observe.Source {
		log := only(c.log, trafficLabels...)
		for l := range c.log.All() {
			if slices.Contains(labels, l.Label) {
				l.Secret = bytes.Repeat([]byte{1}, length)
				log.Add(l)
			}
		}
		return observe.KeyLog(log)
	}
	for _, x := range []struct {
		source         observe.Source
		client, server bool // is read
		code           observe.Code
	}{
		{wrong(48, keylog.ServerHandshake), true, true, ""},
		{wrong(32, keylog.ServerHandshake), true, true, ""}, // of another hash
		{wrong(48, keylog.ServerHandshake, keylog.ServerTraffic), true, false, observe.WrongSecret},
		{wrong(48, keylog.ServerTraffic), true, false, observe.WrongSecret},
		{wrong(32, keylog.ServerTraffic), true, false, observe.WrongSecret},
		{wrong(48, keylog.ClientTraffic), false, true, observe.WrongSecret},
		{wrong(48, keylog.ClientEarlyTraffic), true, true, observe.NoEarlySecret},
		{wrong(32, keylog.ClientEarlyTraffic), true, true, observe.WrongSecret},
		{wrong(32, trafficLabels...), false, false, observe.WrongSecret},
		{wrong(48, trafficLabels...), false, false, observe.WrongSecret},
	} {
		h := play(c.tape, x.source, nil)
		if bytes.HasSuffix(h.plain[0], []byte("later data\n")) != x.client ||
			bytes.Equal(h.plain[1], whole.plain[1]) != x.server {
			t.Errorf("%s: read %q and %q: %v", c.name, h.plain[0], h.plain[1],
				h.Reason)
		}
		if x.code == "" && h.Reason != nil || x.code != "" &&
			(h.Reason == nil || h.Reason.Code != x.code) {
			t.Errorf("%s: got %v, expected %q", c.name, h.Reason, x.code)
		}
	}
	const says = "SERVER_TRAFFIC_SECRET_0 has 32 bytes (key log), and the secrets of "
	if got := play(c.tape, wrong(32, keylog.ServerTraffic), nil).Reason; !strings.Contains(
		fmt.Sprint(got), says) {
		t.Errorf("%s: got %v, expected %q", c.name, got, says)
	}
	swapped := new(keylog.Log)
	for l := range c.log.All() {
		switch l.Label {
		case keylog.ClientTraffic:
			l.Label = keylog.ServerTraffic
		case keylog.ServerTraffic:
			l.Label = keylog.ClientTraffic
		case keylog.ClientHandshake:
			l.Label = keylog.ServerHandshake
		case keylog.ServerHandshake:
			l.Label = keylog.ClientHandshake
		}
		swapped.Add(l)
	}
	h := play(c.tape, observe.KeyLog(swapped), nil)
	if h.Reason == nil || !strings.Contains(h.Reason.String(), "another connection or side") {
		t.Errorf("%s, the sides' secrets exchanged: got %v", c.name, h.Reason)
	}
}
