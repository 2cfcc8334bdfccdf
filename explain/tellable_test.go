package explain_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// chose returns the events of a server that chose a version and a suite, in each figure: whole,
// and resumed.
func chose(t *testing.T, v iana.Version, id iana.CipherSuite, resumed bool) []trace.Entry {
	t.Helper()
	hello := &message.ServerHello{Version: min(v, iana.TLS12), CipherSuite: id}
	if v > iana.TLS12 {
		if err := hello.Extensions.Add(iana.ExtSupportedVersions,
			&message.SelectedVersion{Version: v}); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := message.Dialect{Version: iana.TLS13}.Encode(hello)
	if err != nil {
		t.Fatal(err)
	}
	a := &trace.Agreed{Version: v, Suite: id, Resumed: resumed}
	if s := suite.Readable(id); s != nil {
		a.KeyExchange, a.Authentication = s.KeyExchange()
	}
	var entries []trace.Entry
	for i, e := range []trace.Event{
		&trace.Record{From: iana.Server, Direction: trace.Sealed, Number: 1,
			FirstMessage: 1, Messages: 1,
			ContentType: iana.RecordHandshake, Header: []byte{22, 3, 3, 0, byte(len(raw))},
			Plaintext: raw, Fragment: raw},
		&trace.Message{From: iana.Server, Type: iana.ServerHello, Raw: raw, Number: 1}, a,
	} {
		entries = append(entries, trace.Entry{Seq: i + 1, Role: trace.Server, Event: e})
	}
	return entries
}

// Every version and every suite in the registry has a story of its own version, or is refused by
// name.
func TestEveryVersionAndSuiteHasAStoryOrIsRefused(t *testing.T) {
	stories, refused := 0, 0
	for _, v := range []iana.Version{iana.SSL30, iana.TLS10, iana.TLS11, iana.TLS12, iana.TLS13,
		0x7F1C} {
		for n := range 1 << 16 {
			id := iana.CipherSuite(n)
			if name := id.String(); strings.HasPrefix(name, "0x") && n != 0xFEFE {
				continue
			}
			for _, resumed := range []bool{false, true} {
				entries := chose(t, v, id, resumed)
				err := explain.Tellable(entries)
				row := suite.Readable(id)
				known := row != nil && told(v) && row.In(v)
				if known != (err == nil) {
					t.Fatalf("%v, %v: %v", v, id, err)
				}
				if err != nil {
					refused++
					if !strings.Contains(err.Error(), "cannot be explained") ||
						told(v) && !strings.Contains(err.Error(), id.String()) {
						t.Errorf("%v, %v: %v", v, id, err)
					}
					continue
				}
				stories++
				s := explain.Tell(entries, explain.Run{Command: "vitrine decrypt"})
				if s.Version != v || s.Suite == nil || s.Suite.ID != id {
					t.Errorf("%v, %v is told as %v, %v", v, id, s.Version, s.Suite)
				}
				said := fmt.Sprint(s.Warnings, s.Result.Sentences)
				for _, other := range []iana.Version{iana.TLS10, iana.TLS11, iana.TLS12,
					iana.TLS13} {
					if other != v && strings.Contains(said, "way of "+other.String()) {
						t.Errorf("%v, %v: %s", v, id, said)
					}
				}
				if praised := strings.Contains(said, "The modern way"); praised &&
					(v != iana.TLS12 ||
						!s.Suite.ForwardSecret() || !s.Suite.AEAD()) {
					t.Errorf("%v, %v: %s", v, id, said)
				}
			}
		}
	}
	t.Logf("%d stories, %d refused", stories, refused)
	if stories < 400 || refused < 400 {
		t.Errorf("%d stories, %d refused", stories, refused)
	}
}

func told(v iana.Version) bool { return v >= iana.TLS10 && v <= iana.TLS13 }

// Until the server has chosen, a story has no version; and as long as nothing was negotiated, it
// does not say which derivation was.
func TestUnfinishedHandshakesHaveNoVersionOfTheirOwn(t *testing.T) {
	for _, v := range []iana.Version{iana.TLS10, iana.TLS11, iana.TLS12} {
		entries := chose(t, v, iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, false)
		entries = entries[:len(entries)-1] // nothing was negotiated
		s := explain.Tell(entries, explain.Run{Command: "vitrine decrypt"})
		if s.Version != v || s.Chosen != v || s.Suite != nil {
			t.Errorf("%v is told as %v, chosen %v, with %v", v, s.Version, s.Chosen, s.Suite)
		}
		if said := fmt.Sprint(s.Chapters); strings.Contains(said, "derivation") ||
			!strings.Contains(said, v.String()) {
			t.Errorf("%v: %s", v, said)
		}
	}
	if s := explain.Tell(nil, explain.Run{}); s.Chosen != 0 {
		t.Errorf("without a message: %v", s.Chosen)
	}
}
