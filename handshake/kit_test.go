package handshake

import (
	"context"
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/hellos"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// What hellos, configurations and credentials are made of is shared with package negotiation's
// tests.
const name = hellos.Name

var (
	credential  = hellos.Credential
	config      = hellos.Config
	hello       = hellos.Hello
	everyGroup  = hellos.EveryGroup
	everyScheme = hellos.EveryScheme
)

// spoke is a message that a machine sent.
type spoke struct {
	kind Kind
	raw  []byte
}

// desk is a Carrier that keeps all messages and does not protect them.
type desk struct {
	said       []spoke
	negotiated *negotiation.Agreed
	keys       [2]*TrafficKeys
}

func (d *desk) Send(k Kind, raw []byte)             { d.said = append(d.said, spoke{k, raw}) }
func (d *desk) SetNegotiated(a *negotiation.Agreed) { d.negotiated = a }
func (d *desk) Protect(from iana.Side, k *TrafficKeys) error {
	d.keys[from] = k
	return nil
}

// patient performs the operation of each Pending.
func patient(do func() error, again func() error) error {
	err := do()
	for {
		p, ok := errors.AsType[*Pending](err)
		if !ok {
			return err
		}
		if err = p.Do(context.Background()); err == nil {
			err = again()
		}
	}
}

// perform runs two machines against each other and returns what each sent, up to the first error.
func perform(client, server *negotiation.Config) (c, s *Machine, said [2][]spoke, errs [2]error) {
	return performBy(client, server, func(p player) player { return p })
}

// performBy is perform by players that are not quite ours.
func performBy(client, server *negotiation.Config,
	by func(player) player) (c, s *Machine, said [2][]spoke,
	errs [2]error) {
	return performWith(client, server, func(machines [2]*Machine) {
		for _, m := range machines {
			m.player = by(m.player)
		}
	})
}

// performWith is perform by machines that are changed before they begin.
func performWith(client, server *negotiation.Config,
	change func([2]*Machine)) (c, s *Machine, said [2][]spoke, errs [2]error) {
	desks := [2]*desk{{}, {}}
	machines := [2]*Machine{NewClient(client, desks[0]), NewServer(server, desks[1])}
	change(machines)
	var heard [2]int
	errs[0] = patient(machines[0].Speak, machines[0].Speak)
	for turns := 0; turns < 4 && errs == [2]error{}; turns++ {
		me := iana.Side(1 - turns%2)
		m, from := machines[me], me.Peer()
		for errs[me] == nil && heard[from] < len(desks[from].said) {
			line := desks[from].said[heard[from]]
			heard[from]++
			if line.kind == ChangeCipherSpec && m.Agreed != nil && m.Agreed.Version == iana.TLS13 {
				continue // that for middleboxes, which package engine drops
			}
			errs[me] = patient(func() error { return m.Take(from, line.kind, line.raw) }, m.Speak)
			if errs[me] == nil {
				errs[me] = patient(m.Speak, m.Speak)
			}
		}
	}
	return machines[0], machines[1], [2][]spoke{desks[0].said, desks[1].said}, errs
}

// firstHello returns the ClientHello that a client with this configuration begins with.
func firstHello(t *testing.T, client *negotiation.Config) *message.ClientHello {
	t.Helper()
	said := &desk{}
	if err := NewClient(client, said).Speak(); err != nil {
		t.Fatal(err)
	}
	m, err := (message.Dialect{Version: iana.TLS12}).Parse(said.said[0].raw)
	if err != nil {
		t.Fatal(err)
	}
	return m.(*message.ClientHello)
}
