package handshake

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/suite"
)

var update = flag.Bool("update", false, "write testdata/figures.txt anew")

// The figures as text: a change of a handshake's order shows in the diff.
func TestFiguresAreTheSnapshot(t *testing.T) {
	var b bytes.Buffer
	for _, f := range allFigures() {
		fmt.Fprintf(&b, "%s\nfits: %s\n", f.Name, function(f.Fits))
		for _, l := range f.Lines {
			row := fmt.Sprintf("  %-6v  %-20v  %-14s  %-24s  %s", l.From, l.Says, function(l.When),
				function(l.Then), l.Ref)
			fmt.Fprintln(&b, row)
		}
		fmt.Fprintln(&b)
	}
	const file = "testdata/figures.txt"
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("the figures are not those of %s; run with -update if that is meant:\n%s", file,
			got)
	}
}

// function is the name of a condition or an effect: "-" for none, "protect(…)" for one that a
// function made.
func function(f any) string {
	v := reflect.ValueOf(f)
	if v.IsNil() {
		return "-"
	}
	name := runtime.FuncForPC(v.Pointer()).Name()
	name = name[strings.LastIndexByte(name, '/')+1:]
	name = strings.TrimPrefix(strings.TrimPrefix(name, "handshake."), "init.")
	if made, _, ok := strings.Cut(name, ".func"); ok {
		return made + "(…)"
	}
	return name
}

// Every line says where it is written, and speaks for a side.
func TestEveryLineOfAFigureHasASection(t *testing.T) {
	n := 0
	for _, f := range allFigures() {
		for _, l := range f.Lines {
			n++
			if !strings.HasPrefix(l.Ref, "RFC ") && !strings.HasPrefix(l.Ref, "draft-") ||
				!strings.Contains(l.Ref, " §") || l.When == nil || l.From > iana.Server {
				t.Errorf("%s: %+v", f.Name, l)
			}
		}
	}
	t.Logf("%d lines of %d figures", n, len(allFigures()))
}

// What may come next names one side only: so an observer needs no timestamps, and a live machine
// knows whether to speak. Every combination of facts is tried, and every line that can come
// where several can. That a retry was sent is a fact of the path.
func TestOnlyOneSideMaySpeak(t *testing.T) {
	for version, scores := range map[string]func(func(Score) bool){"TLS 1.2": everyScore12,
		"TLS 1.3": everyScore13} {
		states, handshakes := 0, 0
		for s := range scores {
			m := newMachine(iana.Client, &observer{}, &negotiation.Config{}, &desk{})
			m.Score = s
			var walk func(open []reading)
			walk = func(open []reading) {
				m.open = open
				var next []*Line
				for _, l := range m.expected() {
					next = append(next, l)
				}
				states++
				if len(next) == 0 {
					handshakes++
					return
				}
				for _, l := range next[1:] {
					if l.From != next[0].From {
						t.Fatalf("%s, resumed %v: %v", open[0].Name, s.Resumed, next)
					}
				}
				for _, l := range next {
					m.open = slices.Clone(open) // order writes over what was open
					if _, err := m.order(l.From, l.Says); err != nil {
						t.Fatal(err)
					}
					rest := m.open
					switch l.Says {
					case Kind(iana.ServerHello):
						m.fit()
						rest = m.open
					case HelloRetryRequest:
						m.Retry = &message.ServerHello{}
						walk(rest)
						m.Retry = nil
						continue
					}
					walk(rest)
				}
			}
			walk(m.open)
		}
		t.Logf("%s: %d states of %d handshakes", version, states, handshakes)
		if handshakes < 100 {
			t.Errorf("%s: only %d handshakes", version, handshakes)
		}
	}
}

// allFigures are the opening and what may follow it.
func allFigures() []*Figure { return append([]*Figure{figures.opening}, figures.all...) }

// everyScore12 is every combination of the facts that conditions of TLS 1.2 look at.
func everyScore12(yield func(Score) bool) {
	for _, id := range []iana.CipherSuite{rsaRSA, dheRSA, ecdheECDSA,
		iana.TLS_PSK_WITH_AES_128_GCM_SHA256, iana.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256} {
		for _, resumed := range [][2]bool{{}, {true, false}, {false, true}} {
			for i := range 1 << 7 {
				bit := func(n int) bool { return i>>n&1 == 1 }
				row := suite.ByID(id)
				kx, auth := row.KeyExchange()
				s := Score{Resumed: resumed[0], Undecided: resumed[1],
					Blind:       [2]bool{bit(0), bit(0)},
					ClientHello: &message.ClientHello{Version: iana.TLS12},
					ServerHello: &message.ServerHello{Version: iana.TLS12},
					Agreed: &negotiation.Agreed{Version: iana.TLS12, Suite: row, Kex: kx,
						Auth:     auth,
						Stapling: bit(1), Ticket: bit(2)}}
				if bit(3) {
					s.CertificateRequest = &message.CertificateRequest{}
				}
				if bit(5) { // which lets a client leave its Certificate out
					s.Agreed.Version = iana.SSL30
				}
				if bit(6) {
					s.ServerHello.Extensions = message.Extensions{{Type: iana.ExtNPN}}
				}
				s.Certificate[iana.Client] = &message.Certificate{}
				if bit(4) {
					s.Certificate[iana.Client].Chain = [][]byte{{0}}
				}
				if !yield(s) {
					return
				}
			}
		}
	}
}

// everyScore13 is every combination of the facts that conditions of TLS 1.3 look at.
func everyScore13(yield func(Score) bool) {
	add := func(e *message.Extensions, t iana.ExtensionType, c message.Content) {
		if err := e.Add(t, c); err != nil {
			panic(err)
		}
	}
	for i := range 1 << 8 {
		bit := func(n int) bool { return i>>n&1 == 1 }
		s := Score{Blind: [2]bool{bit(0), bit(1)}, ClientHello: &message.ClientHello{},
			ServerHello: &message.ServerHello{}, quic: bit(6),
			Agreed: &negotiation.Agreed{Version: iana.TLS13, EarlyData: bit(2), PSK: bit(3)}}
		add(&s.ClientHello.Extensions, iana.ExtSupportedVersions,
			&message.SupportedVersions{Versions: []iana.Version{iana.TLS13}})
		add(&s.ServerHello.Extensions, iana.ExtSupportedVersions,
			&message.SelectedVersion{Version: iana.TLS13})
		if bit(3) {
			add(&s.ServerHello.Extensions, iana.ExtPreSharedKey, &message.SelectedPSK{})
		}
		if bit(4) {
			s.CertificateRequest = &message.CertificateRequest{}
		}
		if bit(5) {
			s.Certificate[iana.Client] = &message.Certificate{Chain: [][]byte{{0}}}
		}
		if bit(7) { // a cookie brought it back
			s.Retry, s.Restored = &message.ServerHello{}, true
		}
		if !yield(s) {
			return
		}
	}
}
