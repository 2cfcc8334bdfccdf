package explain

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// view holds the events of one side, sorted for the teller.
type view struct {
	here      bool                     // the side left any events
	partial   bool                     // an observer's, who may not read all
	messages  [2][]*trace.Message      // by sender
	records   [2][]*trace.Record       // by sender
	alerts    [2][]*trace.Alert        // by sender
	derived   map[string]trace.Derived // the first of each name
	keys      [2]*trace.KeysInstalled  // by sender
	agreed    *trace.Agreed
	ephemeral *trace.Ephemeral
	shared    *trace.SharedSecret
	verified  []*trace.Verified
	choices   []*trace.Choice
	done      *trace.Done
	failed    *trace.Failed // the first check that the peer did not pass
	failedRef string        // the section that it violated

	numbered [2]map[uint64]*trace.Record    // the first of each number; made by arrived
	within   [2]map[uint64][]*trace.Message // by the record that they begin in; made by received
	sent     [2]map[uint64]*trace.Message   // by number; made by begin
	carried  [2]map[uint64]*trace.Alert     // by the record that carries them; made by alertIn
}

func see(entries []trace.Entry, role trace.Role) *view {
	v := &view{derived: map[string]trace.Derived{}}
	for _, e := range entries {
		if e.Plays(role) {
			v.here = true
			v.partial = v.partial || e.Role == trace.Observer
			v.take(e.Event)
			if f, ok := e.Event.(*trace.Failed); ok && v.failed == nil {
				v.failed, v.failedRef = f, e.Ref
			}
		}
	}
	return v
}

func (v *view) take(e trace.Event) {
	switch e := e.(type) {
	case *trace.Message:
		v.messages[e.From] = append(v.messages[e.From], e)
	case *trace.Record:
		v.records[e.From] = append(v.records[e.From], e)
	case *trace.Alert:
		v.alerts[e.From] = append(v.alerts[e.From], e)
	case *trace.Derived:
		if _, again := v.derived[e.Name]; !again {
			v.derived[e.Name] = *e
		}
	case *trace.KeysInstalled:
		v.keys[e.From] = e
	case *trace.Agreed:
		v.agreed = e
	case *trace.Ephemeral:
		v.ephemeral = e
	case *trace.SharedSecret:
		v.shared = e
	case *trace.Verified:
		v.verified = append(v.verified, e)
	case *trace.Choice:
		v.choices = append(v.choices, e)
	case *trace.Done:
		v.done = e
	}
}

// message returns the first message of type t from a side, or nil.
func (v *view) message(from iana.Side, t iana.HandshakeType) *trace.Message {
	for _, m := range v.messages[from] {
		if m.Type == t {
			return m
		}
	}
	return nil
}

// raw returns the bytes of that message, or nil.
func (v *view) raw(from iana.Side, t iana.HandshakeType) []byte {
	if m := v.message(from, t); m != nil {
		return m.Raw
	}
	return nil
}

// check returns a check of what from sent that succeeded, or nil.
func (v *view) check(what string, from iana.Side) *trace.Verified {
	for _, c := range v.verified {
		if c.What == what && c.From == from {
			return c
		}
	}
	return nil
}

// output returns the output of a derivation, or nil.
func (v *view) output(name string) trace.Secret {
	if d, ok := v.derived[name]; ok {
		return d.Output
	}
	return nil
}
