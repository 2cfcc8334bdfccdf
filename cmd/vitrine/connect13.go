package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// What connect can do with TLS 1.3 alone.

func (o *connectOptions) add13(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.earlyData, "early-data", false,
		"with --get: send the request again in a second connection as early data (0-RTT), which "+
			"an attacker can replay")
	f.BoolVar(&o.keyUpdate, "key-update", false,
		"TLS 1.3: update the keys of both directions before any data is sent")
	f.BoolVar(&o.awaitServer, "await-server", false,
		"TLS 1.3, with --cert: wait for the server's first record, so that a refused certificate "+
			"is reported as a failed handshake")
	f.BoolVar(&o.lateAuth, "post-handshake-auth", false,
		"TLS 1.3, with --cert: let the server request the certificate after the handshake, too")
}

// coherent13 applies these flags to config, and returns an error if one of them can have no effect.
func (o *connectOptions) coherent13(config *vitrine.Config, example string) error {
	for _, f := range []struct {
		name string
		on   bool
	}{{"--key-update", o.keyUpdate}, {"--await-server", o.awaitServer},
		{"--post-handshake-auth", o.lateAuth}} {
		if f.on && highest(config) < iana.TLS13 {
			return contradiction(f.name, "--max "+o.max, "only TLS 1.3 has it",
				example+" "+f.name)
		}
	}
	switch {
	case o.earlyData && !o.gets:
		return &usageError{"--early-data without --get: there is nothing to send early",
			example + " --get / --early-data"}
	case o.awaitServer && o.cert == "":
		return &usageError{"--await-server without --cert: there is nothing to be refused",
			example + " --cert client.pem --await-server"}
	case o.lateAuth && o.cert == "":
		return &usageError{"--post-handshake-auth without --cert: there is nothing to show",
			example + " --cert client.pem --post-handshake-auth"}
	}
	config.AwaitServer, config.PostHandshakeAuth = o.awaitServer, o.lateAuth
	return nil
}

// updateKeys replaces our keys and asks the server to replace its own.
func (c *caller) updateKeys(a *attempt, r *report) error {
	err := a.conn.KeyUpdate(true)
	if errors.Is(err, vitrine.ErrNotTLS13) {
		r.KeyUpdate = iana.Version(a.state.Version).String() + " has none"
		return nil
	}
	r.KeyUpdate = "our keys were replaced; the server has not replaced its own"
	return err
}

// after sets what the server sent after the handshake, as far as the events show.
func (r *report) after(a *attempt) {
	r.Tickets = ticketsIn(a)
	done, asked, shown := false, false, false
	for _, e := range a.events.entries() {
		switch e := e.Event.(type) {
		case *trace.Done:
			done = true
		case *trace.Message:
			if done && e.Type == iana.KeyUpdate && e.From == iana.Server && r.KeyUpdate != "" {
				r.KeyUpdate = "the keys of both directions were replaced"
			}
			asked = asked || done && e.Type == iana.CertificateRequest
			shown = shown || done && e.Type == iana.CertificateVerify && e.From == iana.Client
		}
	}
	switch {
	case shown:
		r.LateCert = "asked for after the handshake, and shown"
	case asked:
		r.LateCert = "asked for after the handshake; none was shown"
	}
}
