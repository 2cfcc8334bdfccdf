package handshake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// whole is a handshake of a figure in which both sides send as much as they can.
type whole struct {
	what   string
	figure *Figure
	sides  func() (client, server *negotiation.Config)
}

func wholes(t *testing.T) []whole {
	guest := credential(t, throwaway.Ed25519, "client.test")
	certified := func(kind throwaway.Kind, config func(string) *negotiation.Config,
	) func() (client, server *negotiation.Config) {
		host := credential(t, kind, name)
		return func() (client, server *negotiation.Config) {
			client, server = config("client"), config("server")
			client.Credentials = []*pki.Credential{guest}
			server.Credentials = []*pki.Credential{host}
			server.ClientAuth = negotiation.ClientAuth{Request: true}
			return client, server
		}
	}
	tls12 := func(id iana.CipherSuite) func(string) *negotiation.Config {
		return func(seed string) *negotiation.Config { return config(seed, id) }
	}
	find := func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
		return &negotiation.PSK{Identity: []byte("key"), Key: bytes.Repeat([]byte{5}, 32)}, nil
	}
	return []whole{
		{"ECDHE", &full, certified(throwaway.Ed25519, tls12(ecdheECDSA))},
		{"RSA", &full, certified(throwaway.RSA, tls12(rsaRSA))},
		{"a ticket of TLS 1.2", &abbreviated, meetings(t)[0].again},
		{"TLS 1.3", &full13, certified(throwaway.Ed25519, config13)},
		{"TLS 1.3, pre-shared key", &full13, func() (client, server *negotiation.Config) {
			client, server = config13("client"), config13("server")
			client.FindKey, server.FindKey = find, find
			return client, server
		}},
	}
}

// A side that leaves messages out and knows it: its figure lacks their lines, so that its
// transcript and its Finished fit what it did send. The other side refuses the message that comes
// instead, and says which one it expected; where none comes, it is not done, and waits for one that
// must come.
//
// Two more checks keep application data back if a line that must come is made optional by mistake:
// no handshake ends without each proof (TestNoHandshakeEndsWithoutEachProof), nor as long as a line
// may still come. The second alone holds where a server of TLS 1.2 leaves out its Finished; the
// server called "no Finished" of TestClientRefusesBadServers sends data after that.
func TestWhatIsLeftOutIsMissed(t *testing.T) {
	count := 0
	for _, w := range wholes(t) {
		c, s, said, errs := perform(w.sides())
		if errs != [2]error{} || !c.Done() || !s.Done() || c.open[0].Figure != w.figure {
			t.Fatalf("%s: %v, done %v and %v", w.what, errs, c.Done(), s.Done())
		}
		lines := w.figure.Lines
		required := func(l Line) bool { // it was sent, and may not be left out
			return l.Says != Kind(iana.CertificateRequest) && slices.ContainsFunc(said[l.From],
				func(s spoke) bool { return s.kind == l.Says })
		}
		for first, l := range lines {
			for end := first + 1; end <= len(lines) && lines[end-1].From == l.From; end++ {
				last := lines[end-1]
				if last.Says == Kind(iana.ClientKeyExchange) ||
					w.figure == &abbreviated && last.Says == ChangeCipherSpec &&
						last.From == iana.Server {
					break // without what it derives then, it has no Finished
				}
				if !required(l) || !required(last) {
					continue // as without these two
				}
				count++
				t.Run(fmt.Sprintf("%s/%v, %v to %v", w.what, l.From, l.Says, last.Says),
					func(t *testing.T) { w.leaveOut(t, first, end) })
			}
		}
	}
	t.Logf("%d ways to leave something out", count)
}

// leaveOut performs the handshake in which a side leaves out lines of the figure.
func (w *whole) leaveOut(t *testing.T, first, end int) {
	from, missed := w.figure.Lines[first].From, w.figure.Lines[first].Says
	without := *w.figure
	without.Lines = slices.Delete(slices.Clone(without.Lines), first, end)
	client, server := w.sides()
	c, s, _, errs := performWith(client, server, func(machines [2]*Machine) {
		machines[from].figures = &figureSet{&opening, []*Figure{&without}, refOf}
	})
	m, err := [2]*Machine{c, s}[from.Peer()], errs[from.Peer()]
	if m.Done() {
		t.Error("the handshake is done")
	}
	if err == nil {
		if turn, ok := m.Turn(); !ok || turn != from || !mustSend(m, from) {
			t.Error("nothing is refused, and nothing must come")
		}
		return
	}
	e, ok := errors.AsType[*alert.Error](err)
	if want := fmt.Sprintf("the %v's %v", from, missed); !ok || e.Kind != alert.KindOrder ||
		e.Alert != alert.UnexpectedMessage || !strings.Contains(e.Reason, "expected "+want) {
		t.Errorf("got %v, expected that %s is missed", err, want)
	}
}

// mustSend reports whether a machine's figure has a line of from's next that may not be left out.
func mustSend(m *Machine, from iana.Side) bool {
	r := m.open[0]
	for {
		l, after, last := r.follow(&m.Score)
		if last {
			return l != nil && l.From == from
		}
		r = after
	}
}
