package html

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// compute adds the commands of package explain to the steps that show the values.
func (r *run) compute() {
	var notebook explain.Notebook
	for _, e := range r.entries {
		commands := notebook.Commands(e)
		if len(commands) == 0 {
			continue
		}
		x := r.nodeOf(e.Event)
		if x != nil {
			x.Commands = withCommands(x.Commands, commands)
		}
		for _, p := range r.Steps {
			if p.shows(e) || x != nil && x.Step == p {
				p.addCommands(commands, func(c explain.Command) bool { return r.public(p, e, c) })
			}
		}
	}
}

// shows reports whether a step shows the value of an event.
func (p *step) shows(e trace.Entry) bool {
	switch e := e.Event.(type) {
	case *trace.Ephemeral:
		return base(p.key) == e.From.String()+"_key_exchange" || p.shared(e)
	case *trace.SharedSecret:
		return base(p.key) == "client_key_exchange"
	case *trace.Derived:
		return len(p.Derivations) > 0 && p.Derivations[0].Name == e.Name
	case *trace.KeysInstalled:
		return p.Bar != nil
	case *trace.Signed:
		return p.signs(e.From)
	case *trace.Verified:
		return e.What == "signature" && p.signs(e.From)
	case *trace.Record:
		return p.rung != nil && p.rung.Record == e
	}
	return false
}

// shared reports whether a step has the hello of TLS 1.3 whose key share was made with this key.
func (p *step) shared(e *trace.Ephemeral) bool {
	return base(p.key) == e.From.String()+"_hello" && slices.ContainsFunc(p.Facts,
		func(f fact) bool { return f.Value.Family == e.From.String()+"_private" })
}

func (p *step) signs(from iana.Side) bool {
	if p.Line != nil && strings.HasPrefix(p.key, "certificate_verify/"+from.String()+"/1.3") {
		return true
	}
	return base(p.key) == map[iana.Side]string{iana.Client: "certificate_verify",
		iana.Server: "server_key_exchange"}[from]
}

// addCommands appends commands, except those that are there already: both sides compute the same
// values.
func (p *step) addCommands(list []explain.Command, open func(explain.Command) bool) {
	before := len(p.Commands)
	p.Commands = withCommands(p.Commands, list)
	for i := range p.Commands[before:] {
		c := &p.Commands[before+i]
		c.Open = slices.ContainsFunc(list,
			func(x explain.Command) bool { return x.Text == c.Text && open(x) })
	}
}

// public reports whether a command for an event needs nothing but what was sent in the clear: it
// hashes messages, or verifies a signature, that an eavesdropper has read.
func (r *run) public(p *step, e trace.Entry, c explain.Command) bool {
	switch e.Event.(type) {
	case *trace.Signed, *trace.Verified:
		return p.Line != nil && !p.Line.Sealed
	case *trace.Derived:
		return c.Hashes() && !slices.ContainsFunc(r.sealed(), func(raw string) bool {
			return strings.Contains(c.Text, raw)
		})
	}
	return false
}

// sealed returns the messages that were encrypted, in hex.
func (r *run) sealed() (list []string) {
	for _, p := range r.Steps {
		if p.rung != nil && p.rung.Sealed && p.rung.Message != nil {
			list = append(list, hex.EncodeToString(p.rung.Message.Raw))
		}
	}
	return list
}

// Computes reports whether an eavesdropper can run one of the commands of a step.
func (p *step) Computes() bool {
	return slices.ContainsFunc(p.Commands, func(c command) bool { return c.Open })
}

// withCommands returns old and those of list that are not there yet.
func withCommands(old []command, list []explain.Command) []command {
next:
	for _, c := range list {
		for _, o := range old {
			if o.Text == c.Text {
				continue next
			}
		}
		note := ""
		if c.Tool == explain.MLKEMTool {
			note = explain.MLKEMNote
		}
		old = append(old,
			command{Name: explain.Escape(c.Name), Tool: c.Tool, Text: c.Text, Prints: c.Prints(),
				Note: note, Hex: c.Verdict == ""})
	}
	return old
}

// commandFor returns the command that computes a value, or "".
func (p *step) commandFor(v value) string {
	for _, c := range p.Commands {
		if c.Hex && c.Prints == v.Any() && !strings.Contains(c.Tool, "cut") {
			return c.Text
		}
	}
	for _, c := range p.Commands {
		if c.Hex && c.Prints == v.Any() {
			return c.Text
		}
	}
	return ""
}
