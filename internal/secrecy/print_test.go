package secrecy_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/dump"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/observe"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// samples are the guarded types, which types_test.go finds. Whoever guards another one adds it
// here.
var samples = []reflect.Type{
	reflect.TypeFor[trace.Anatomy](), reflect.TypeFor[trace.Derived](),
	reflect.TypeFor[trace.Ephemeral](), reflect.TypeFor[trace.Field](),
	reflect.TypeFor[trace.Given](),
	reflect.TypeFor[trace.KeysInstalled](), reflect.TypeFor[trace.Record](),
	reflect.TypeFor[trace.Secret](), reflect.TypeFor[trace.SharedSecret](),
	reflect.TypeFor[trace.ThrowawayKey](), reflect.TypeFor[trace.Unknown](),
	reflect.TypeFor[trace.Writer](), reflect.TypeFor[trace.Bounded](),
	reflect.TypeFor[trace.Queue](), reflect.TypeFor[kex.Answer](),
	reflect.TypeFor[keys.Binder](), reflect.TypeFor[keys.Block](),
	reflect.TypeFor[keys.Direction](), reflect.TypeFor[keys.Early](),
	reflect.TypeFor[keys.Exporter](), reflect.TypeFor[keys.Handshake](),
	reflect.TypeFor[keys.Main](), reflect.TypeFor[keys.Master](),
	reflect.TypeFor[keys.Resumption](), reflect.TypeFor[keys.Traffic](),
	reflect.TypeFor[pki.Choice](), reflect.TypeFor[pki.Credential](),
	reflect.TypeFor[pki.RawPrivateKey](),
	reflect.TypeFor[record.Keys](), reflect.TypeFor[handshake.Input](),
	reflect.TypeFor[handshake.Machine](), reflect.TypeFor[handshake.Score](),
	reflect.TypeFor[negotiation.PSK](), reflect.TypeFor[negotiation.Key13](),
	reflect.TypeFor[negotiation.Choice](), reflect.TypeFor[negotiation.Offering](),
	reflect.TypeFor[session.Session](), reflect.TypeFor[handshake.TrafficKeys](),
	reflect.TypeFor[handshake.TrafficSecrets](), reflect.TypeFor[engine.Engine](),
	reflect.TypeFor[engine.Inbound](), reflect.TypeFor[engine.Item](),
	reflect.TypeFor[session.RotatingKeys](), reflect.TypeFor[session.TicketKey](),
	reflect.TypeFor[vitrine.ClientSessionState](), reflect.TypeFor[vitrine.Config](),
	reflect.TypeFor[vitrine.SessionState](), reflect.TypeFor[capture.Conversation](),
	reflect.TypeFor[capture.Reader](), reflect.TypeFor[capture.Writer](),
	reflect.TypeFor[keylog.Line](), reflect.TypeFor[keylog.Log](),
	reflect.TypeFor[keylog.Growing](),
	reflect.TypeFor[dump.Value](), reflect.TypeFor[dump.Report](),
	reflect.TypeFor[explain.Chain](), reflect.TypeFor[explain.Command](),
	reflect.TypeFor[explain.Derivation](), reflect.TypeFor[explain.Dump](),
	reflect.TypeFor[explain.Given](), reflect.TypeFor[explain.Notebook](),
	reflect.TypeFor[explain.Pair](), reflect.TypeFor[explain.Sent](),
	reflect.TypeFor[explain.Node](), reflect.TypeFor[explain.Schedule](),
	reflect.TypeFor[explain.Value](), reflect.TypeFor[throwaway.CA](),
	reflect.TypeFor[explain.Given13](), reflect.TypeFor[explain.Derivation13](),
	reflect.TypeFor[explain.Value13](), reflect.TypeFor[explain.Part13](),
	reflect.TypeFor[observe.Candidate](), reflect.TypeFor[observe.Connection](),
	reflect.TypeFor[observe.Sessions](), reflect.TypeFor[trace.Log](),
	reflect.TypeFor[record.Half](), reflect.TypeFor[negotiation.Config](),
	reflect.TypeFor[engine.Outbound](), reflect.TypeFor[engine.QUIC](),
	reflect.TypeFor[vitrine.Conn](), reflect.TypeFor[vitrine.QUICConn](),
	reflect.TypeFor[capture.TappedConn](), reflect.TypeFor[explain.Detail](),
	reflect.TypeFor[vhttp.Transport](), reflect.TypeFor[observe.Stream](),
	reflect.TypeFor[observe.Watch](), reflect.TypeFor[observe.Watched](),
	reflect.TypeFor[handshake.LateAnswer](), reflect.TypeFor[negotiation.Parameters](),
	reflect.TypeFor[demo.Outcome](), reflect.TypeFor[live.Hub](), reflect.TypeFor[live.Conn](),
	reflect.TypeFor[live.History](),
}

// hollow are samples that hold secrets behind interfaces alone. live_test.go has real ones.
var hollow = map[string]bool{"trace.Log": true, "trace.Bounded": true,
	"trace.Queue": true, "live.Hub": true, "live.Conn": true, "live.History": true,
	"record.Half": true, "demo.Outcome": true, "pki.RawPrivateKey": true}

// pattern is what every run of bytes of a sample begins with.
var pattern = []byte{0xA7, 0x3C, 0xF1, 0x99, 0xB8, 0xE2, 0x8D, 0xC6, 0xD3, 0x9E, 0xFB, 0x87, 0xB1,
	0xCA, 0xE5, 0x96}

// forms are what a secret looks like in print: six of its bytes, from each of the first three.
func forms(secret []byte) (list []string) {
	for at := range 3 {
		s := secret[at : at+6]
		quoted := strconv.Quote(string(s))
		decimal := strings.Trim(fmt.Sprintf("%d", s), "[]")
		list = append(list, string(s), quoted[1:len(quoted)-1],
			base64.StdEncoding.EncodeToString(s),
			fmt.Sprintf("%x", s), fmt.Sprintf("%X", s), fmt.Sprintf("% x", s),
			fmt.Sprintf("% X", s),
			decimal, strings.ReplaceAll(decimal, " ", ", "), strings.ReplaceAll(decimal, " ", ","),
			strings.Trim(fmt.Sprintf("%#v", s), "[]byte{}"))
	}
	return list
}

// verbs are those of fmt, but for %p of what is not a pointer and %w of what is not an error: for
// them fmt prints the value and calls no methods at all, and go vet complains.
var verbs = strings.Fields("%v %+v %#v %s %q %x %X %#x %+q %d %o %t %c %U %e")

// ways prints a value as programs do, by itself and inside of others.
func ways(v any) map[string]string {
	out := map[string]string{}
	for name, v := range map[string]any{
		"itself": v, "in a list": []any{v}, "in a map": map[string]any{"k": v},
		"in a struct": struct{ Of any }{v},
	} {
		for _, verb := range append(verbs, "% x") {
			out[verb+" of "+name] = fmt.Sprintf(verb, v)
		}
		text, err := json.Marshal(v)
		out["json of "+name] = fmt.Sprint(string(text), err)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("logged", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("logged", "v", v)
		out["slog of "+name] = log.String()
	}
	return out
}

// leaks names the ways in which one of the secrets is printed.
func leaks(v any, secrets ...[]byte) (list []string) {
	all := make(formsByStart)
	for _, s := range secrets {
		all.add(forms(s))
	}
	leaky := map[string]bool{} // by text: many ways give the same, and there is much to search for
	for way, text := range ways(v) {
		found, ok := leaky[text]
		if !ok {
			found = all.in(text)
			leaky[text] = found
		}
		if found {
			list = append(list, fmt.Sprintf("%s: %.200q", way, text))
		}
	}
	slices.Sort(list)
	return list
}

// formsByStart are the forms of secrets by their first bytes, since there are hundreds of them to
// look for in much text.
type formsByStart map[[4]byte][]string

func (all formsByStart) add(forms []string) {
	for _, f := range forms {
		start := [4]byte([]byte(f)) // a shorter form would be found in anything
		all[start] = append(all[start], f)
	}
}

// in reports whether a form of a secret is in a text.
func (all formsByStart) in(text string) bool {
	for i := 0; i+4 <= len(text); i++ {
		for _, f := range all[[4]byte{text[i], text[i+1], text[i+2], text[i+3]}] {
			if strings.HasPrefix(text[i:], f) {
				return true
			}
		}
	}
	return false
}

func TestNoGuardedTypePrintsItsBytes(t *testing.T) {
	h := load(t)
	guards := map[string]bool{}
	for _, name := range h.names {
		if guarded(h.types[name]) && publicPackages[h.types[name].Obj().Pkg().Name()] == "" {
			guards[name] = true
		}
	}
	for _, s := range samples {
		delete(guards, s.String())
		filled := reflect.New(s)
		if n := fill(filled.Elem(), 0); n == 0 && !hollow[s.String()] {
			t.Errorf("%v: the pattern found no place", s)
		}
		values := []any{filled.Interface()}
		if s.Implements(reflect.TypeFor[fmt.Formatter]()) {
			values = append(values, filled.Elem().Interface())
		}
		for _, v := range values {
			if found := leaks(v, pattern); found != nil {
				t.Errorf("%T prints its bytes in %d ways: %s", v, len(found), found[0])
			}
			if text, _ := json.Marshal(v); len(text) < 10 || text[0] != '"' {
				t.Errorf("%T in JSON is %s, expected a description", v, text)
			}
		}
	}
	for name := range guards {
		t.Errorf("%s is guarded: add it to samples", name)
	}
}

// The pattern is found in a type without a guard: otherwise the test above could not fail.
func TestBytesAreFoundInEveryWay(t *testing.T) {
	type bare struct{ Key []byte }
	found := leaks(bare{pattern}, pattern)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "json",
		"slog"} {
		for _, where := range []string{"itself", "in a list", "in a map", "in a struct"} {
			shown := func(way string) bool { return strings.HasPrefix(way, verb+" of "+where+":") }
			if !slices.ContainsFunc(found, shown) {
				t.Errorf("%s of %s does not show the bytes", verb, where)
			}
		}
	}
}
