package html

import (
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// command computes a value of a step with another tool.
type command struct {
	Name, Tool, Text string
	Prints           string
	Note             string
	Hex              bool // Prints is a value, not a verdict
}

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
				p.addCommands(commands)
			}
		}
	}
}

// shows reports whether a step shows the value of an event.
func (p *step) shows(e trace.Entry) bool {
	switch e := e.Event.(type) {
	case *trace.Ephemeral:
		return base(p.key) == e.From.String()+"_key_exchange" || base(p.key) == "shared"
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

func (p *step) signs(from iana.Side) bool {
	if p.Line != nil && strings.HasPrefix(p.key, "certificate_verify/"+from.String()+"/1.3") {
		return true
	}
	return base(p.key) == map[iana.Side]string{iana.Client: "certificate_verify",
		iana.Server: "server_key_exchange"}[from]
}

// addCommands appends commands, except those that are there already: both sides compute the same
// values.
func (p *step) addCommands(list []explain.Command) {
	p.Commands = withCommands(p.Commands, list)
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
			command{explain.Escape(c.Name), c.Tool, c.Text, c.Prints(), note, c.Verdict == ""})
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
