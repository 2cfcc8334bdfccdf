package main

import (
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/diagnose"
)

// flagChange is a flag of connect with its value, or a flag to leave out.
type flagChange struct {
	Name, Value string
	Drop        bool
}

// changeFlags has the flags for each kind of change that package diagnose proposes.
var changeFlags = map[diagnose.Kind][]flagChange{
	diagnose.NoProtocols:      {{Name: "alpn", Drop: true}},
	diagnose.DefaultSuites:    {{Name: "suite", Drop: true}},
	diagnose.DefaultGroups:    {{Name: "group", Drop: true}},
	diagnose.DefaultVersions:  {{Name: "min", Drop: true}, {Name: "max", Drop: true}},
	diagnose.CompatiblePolicy: {{Name: "policy", Value: "compatible"}},
	diagnose.LegacyPolicy:     {{Name: "policy", Value: "legacy"}},
	diagnose.NullSuites:       {{Name: "suite", Value: "NULL"}},
	diagnose.IgnoreKeyUsage: {{Name: "policy", Value: "compatible"},
		{Name: "suite", Value: "NAME"}},
	diagnose.FewerExtensions: {{Name: "without", Value: "ocsp,sct,etm,ems,tickets"}},
	diagnose.OnlyP256:        {{Name: "group", Value: "secp256r1"}},
	diagnose.OnlyTLS10:       {{Name: "policy", Value: "legacy"}, {Name: "max", Value: "1.0"}},
	diagnose.NoServerName:    {{Name: "no-sni"}},
	diagnose.OnlyTLS12:       {{Name: "max", Value: "1.2"}},
	diagnose.NoHybrids:       {{Name: "group", Value: "x25519,secp256r1,secp384r1"}},
	diagnose.NoPreSharedKey: {{Name: "psk", Drop: true}, {Name: "psk-identity", Drop: true},
		{Name: "psk-hash", Drop: true}, {Name: "psk-import", Drop: true}},
	diagnose.NotAwaiting: {{Name: "await-server", Drop: true}},
	diagnose.OneSuite: {{Name: "min", Value: "VERSION"}, {Name: "suite", Value: "NAME"},
		{Name: "group", Value: "NAME"}},
	diagnose.AllGroups:     {{Name: "group", Value: "NAME"}},
	diagnose.AllSuites13:   {{Name: "suite", Value: "NAME"}},
	diagnose.OneExtension:  {{Name: "without", Value: "NAME"}},
	diagnose.ShownAnyway:   {{Name: "send-anyway"}},
	diagnose.OneRecord:     {{Name: "split-hello", Drop: true}},
	diagnose.ShortRecords:  {{Name: "split-hello", Value: strconv.Itoa(diagnose.ShortRecord)}},
	diagnose.NoRecordSplit: {{Name: "without", Value: "record-split"}},
	diagnose.UpToVersion:   {{Name: "max", Value: "VERSION"}},
	diagnose.Certificates:  {{Name: "raw-public-key", Drop: true}},
	diagnose.OneScheme:     {{Name: "scheme", Value: "NAME"}},
}

// flagsOf returns the flags that make a change.
func flagsOf(c *diagnose.Change) []flagChange {
	var list []flagChange
	if c.Policy != nil {
		list = append(list, flagChange{Name: "policy", Value: c.Policy.Name()})
	}
	for _, f := range changeFlags[c.Kind] {
		if f.Name == "without" && c.Extension != "" {
			f.Value = c.Extension
		}
		if f.Name == "max" && c.Version != 0 {
			f.Value = strings.TrimPrefix(c.Version.String(), "TLS ")
		}
		if f.Name == "suite" && f.Value != "" && c.Suite != 0 {
			f.Value = c.Suite.String()
		}
		if f.Name == "min" && !f.Drop {
			if c.Version == 0 && c.Suite != 0 {
				continue // the Config has it already
			}
			f.Value = strings.TrimPrefix(c.Version.String(), "TLS ")
		}
		if f.Name == "group" && c.Group != 0 {
			f.Value = c.Group.String()
		} else if f.Name == "group" && c.Kind == diagnose.OneSuite && c.Suite != 0 {
			continue // those of the Config will do
		}
		if f.Name == "alpn" && c.Protocols != nil {
			f = flagChange{Name: "alpn", Value: strings.Join(c.Protocols, ",")}
		}
		if f.Name == "scheme" && c.Scheme != 0 {
			f.Value = c.Scheme.String()
		}
		list = append(list, f)
	}
	if c.NoMax {
		list = append(list, flagChange{Name: "max", Drop: true})
	}
	return list
}

// flagText returns flags as they are printed in a list of changes that were tried.
func flagText(flags []flagChange) string {
	var words []string
	for _, f := range flags {
		switch {
		case f.Drop:
			words = append(words, "without --"+f.Name)
		case f.Value == "":
			words = append(words, "--"+f.Name)
		default:
			words = append(words, "--"+f.Name+" "+f.Value)
		}
	}
	return strings.Join(words, " ")
}
