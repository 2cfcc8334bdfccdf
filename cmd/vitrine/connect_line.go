package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/vitrine-tls/vitrine/diagnose"
)

// line returns this command line with flags added, replaced or dropped. The flags in leaveOut and
// those that say how results are shown are left out.
func (c *caller) line(leaveOut []string, flags ...flagChange) string {
	words := []string{c.cmd.CommandPath(), quoted(c.shortTarget())}
	changed := map[string]bool{}
	for i, f := range flags {
		if f.Name == "without" && !f.Drop { // adds to what is left out already
			flags[i].Value = strings.Join(union(c.without, strings.Split(f.Value, ",")), ",")
		}
		changed[f.Name] = true
	}
	for _, name := range append(slices.Clone(artefactNames),
		append(leaveOut, "timeout", "interactive", "chain-out")...) {
		changed[name] = true
	}
	c.cmd.Flags().Visit(func(f *pflag.Flag) {
		if changed[f.Name] {
			return
		}
		value := f.Value.String()
		if s, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(s.GetSlice(), ",")
		}
		value = unspoken(f.Name, value)
		if f.Name == "proxy" && c.way.Proxy != nil {
			value = c.way.Proxy.Redacted()
		}
		words = append(words, flagWords(f.Name, value, f.Value.Type() == "bool"))
	})
	for _, f := range flags {
		if !f.Drop {
			words = append(words, flagWords(f.Name, f.Value, f.Value == ""))
		}
	}
	return strings.Join(words, " ")
}

// union returns a, and what b has besides.
func union(a, b []string) []string {
	a = slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(a, x)
		}
	}
	return a
}

// flagWords returns a flag as it is typed.
func flagWords(name, value string, alone bool) string {
	switch {
	case name == "insecure":
		return "-k"
	case alone && cmp.Or(value, "true") == "true":
		return "--" + name
	case alone:
		return "--" + name + "=" + value
	}
	return "--" + name + " " + quoted(value)
}

// shortTarget returns HOST:PORT, or HOST alone if the port is 443.
func (c *caller) shortTarget() string {
	if c.target.port == "443" && !strings.Contains(c.target.host, ":") {
		return c.target.host
	}
	return c.target.String()
}

// applicable returns flags without those to leave out that were not given.
func (c *caller) applicable(flags []flagChange) []flagChange {
	return slices.DeleteFunc(flags, func(f flagChange) bool {
		return f.Drop && !c.cmd.Flags().Changed(f.Name)
	})
}

// changeText names a change in a list of those that were tried: by its flags, or in words if their
// values are only known once it works.
func (c *caller) changeText(change *diagnose.Change) string {
	switch {
	case change.Kind == diagnose.AllGroups && change.Group == 0:
		return "every group"
	case change.Kind == diagnose.AllSuites13 && change.Suite == 0:
		return "every suite of TLS 1.3"
	case change.Kind == diagnose.NullSuites && change.Suite == 0:
		return "suites without encryption"
	}
	return flagText(c.applicable(flagsOf(change)))
}
