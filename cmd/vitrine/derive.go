package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	screen "github.com/vitrine-tls/vitrine/render/term"
	"github.com/vitrine-tls/vitrine/trace"
)

// deriveOutput has the flags that say how a derivation is shown.
type deriveOutput struct {
	table, json, commands bool
	color                 string
}

var deriveUsage = map[string]string{
	"suite":             "cipher suite, by its IANA or OpenSSL name or its number",
	"version":           "1.3, 1.2, 1.1 or 1.0 (default: that of the other values, or 1.2)",
	"pre_master_secret": "result of the key exchange",
	"master_secret":     "the master_secret, in place of --pre-master-secret",
	"client_random":     "the 32 bytes of ClientHello.random",
	"server_random":     "the 32 bytes of ServerHello.random",
	"session_hash": "hash of the messages up to ClientKeyExchange, for an extended " +
		"master_secret",
	"transcript": "handshake messages with their headers, from ClientHello on",
	"expect":     "a value from elsewhere: find out which difference leads to it",
}

func newDerive() *cobra.Command {
	var o deriveOutput
	cmd := &cobra.Command{
		Use: "derive [FILE]",
		Short: "Derive the keys of a connection from given values, and find out why an expected " +
			"value differs",
		Long: `Performs the key derivation alone. Up to TLS 1.2: from a pre_master_secret or a
master_secret, both randoms and the cipher suite it derives the master_secret, the key_block with
its keys and, with a transcript, the verify_data of both sides.

For TLS 1.3 it derives the whole key schedule (RFC 8446 §7.1): from a PSK, a shared_secret or
private keys, and the transcript or its hashes, it derives every secret, key, IV, finished key and
verify_data, the exporter_secret, the ticket's PSK, the binder and the secrets after a KeyUpdate.
With a plaintext it protects a record too.

A value is hex, @FILE (hex or bytes), - (standard input) or env:NAME. FILE has lines of "field
value"; the fields have the names of the flags; - is standard input. It may be the output of openssl
s_client -trace, javax.net.debug, GnuTLS or Wireshark. The randoms, the suite and the session_hash
can be left out if a transcript is given. Values are also read in
the forms that xxd (-i too), hexdump, od, openssl, javax.net.debug, GnuTLS, tshark and Wireshark
print and copy, as arrays and strings of C, Go, Java and Python, and as Base64; a transcript may be
in records.

--expect takes the value that should result, from a book, another program or an exercise. If the
result differs, derive tries the usual mistakes and then every change of a single digit of the
inputs, to find what leads to that value. If nothing does, it prints what was tried and which inputs
were not given, and the exit code is 1.`,
		Example: `  vitrine derive --suite AES256-SHA256 --expect f0f953ec \
    --pre-master-secret 0303ae5e7386878b4c10d56ca1a44507\
6fd47492e7579572382939c87a1442bfacf16625ef102bd2d2b4111e\
fe072354 \
    --client-random 5642fbbdaec9fac721184afdff1bf385f7bc\
44dd891082adc4a27d2ba26fccf8 \
    --server-random 5cd6f4c6cbc5c96a7500e795f8859a9f9f33\
34995ec6fe35490023da9364c9bc
  vitrine derive exercise.txt --table
  vitrine derive exercise.txt --expect f0f953ec
  vitrine derive --transcript @handshake.bin --master-secret env:MASTER --commands
  vitrine derive --transcript @handshake13.bin --client-private @client.hex --expect b3eddb12`,
		RunE: func(cmd *cobra.Command, args []string) error {
			v := &values{stdin: cmd.InOrStdin(), fields: map[string]input{}}
			for _, field := range deriveFields {
				if f := cmd.Flags().Lookup(strings.ReplaceAll(field, "_", "-")); f.Changed {
					v.set(field, f.Value.String(), cmd.ErrOrStderr())
				}
			}
			if len(args) > 1 {
				return &usageError{fmt.Sprintf("%s takes one FILE, got %q too", cmd.CommandPath(),
					args[1]), cmd.CommandPath() + " --help"}
			}
			for _, name := range args {
				if err := v.load(name); err != nil {
					return err
				}
			}
			if len(v.fields) == 0 {
				return &usageError{"nothing was given to derive from", cmd.CommandPath() +
					" --help"}
			}
			return derive(cmd, v, &o)
		},
	}
	f := cmd.Flags()
	for _, field := range deriveFields {
		f.String(strings.ReplaceAll(field, "_", "-"), "", deriveUsage[field]+derive13Usage[field])
	}
	f.BoolVar(&o.table, "table", false, "print a table of names, offsets, lengths and values")
	f.BoolVar(&o.json, "json", false,
		"print the events of a handshake with this derivation, as JSON lines, and nothing else")
	f.BoolVar(&o.commands, "commands", false,
		"print commands of other tools that compute the same values")
	cmd.MarkFlagsMutuallyExclusive("table", "json", "commands")
	colorFlag(cmd, &o.color)
	complete(cmd, "suite", suiteNames()...)
	complete(cmd, "version", "1.3", "1.2", "1.1", "1.0")
	complete(cmd, "psk-kind", "ext", "res", "imp")
	complete(cmd, "content-type", "application_data", "handshake", "alert")
	return cmd
}

func derive(cmd *cobra.Command, v *values, o *deriveOutput) error {
	style, err := styleOf(cmd.OutOrStdout(), o.color)
	if err != nil {
		return err
	}
	transcript, err := v.bytes("transcript")
	if err != nil {
		return err
	}
	if messages, ok := outOfRecords(transcript); ok {
		transcript = messages
		fmt.Fprintln(fit(cmd.ErrOrStderr()), "! The transcript is in records: their headers, and "+
			"ChangeCipherSpec, are left out.")
	}
	switch is13, err := v.tls13(transcript); {
	case err != nil:
		return err
	case is13:
		return derive13(cmd, v, transcript, o, style)
	}
	g, err := v.given()
	if err != nil {
		return err
	}
	g.Transcript = transcript
	d, err := explain.Derive(g)
	if err != nil {
		return v.refused(err)
	}
	return showAndSearch(cmd, v, d, showDerivation, o, style)
}

// showAndSearch prints a derivation, of either version, and how the expected value comes about if
// there is one. It fails if that value does not come from what was given.
func showAndSearch[D interface {
	Search(expected []byte) ([]explain.Finding, *explain.Tried, error)
}](cmd *cobra.Command, v *values, d D, show func(io.Writer, D, *deriveOutput, screen.Style) error,
	o *deriveOutput, style screen.Style) error {
	expected, err := v.bytes("expect")
	if err != nil {
		return err
	}
	if err := show(cmd.OutOrStdout(), d, o, style); err != nil || expected == nil {
		return err
	}
	p := newProgress(cmd)
	p.during("looking for what leads to the expected value")
	found, tried, err := d.Search(expected)
	p.stop()
	if err != nil {
		return v.refused(err)
	}
	return reportFindings(cmd, expected, found, tried, o, style)
}

// given decodes the values of the fields.
func (v *values) given() (g explain.Given, err error) {
	if s, ok := v.fields["suite"]; ok {
		if g.Suite, err = suiteNamed(s.text); err != nil {
			return g, err
		}
	}
	if s, ok := v.fields["version"]; ok {
		g.Version, ok = versions[strings.TrimPrefix(strings.ToLower(s.text), "tls")]
		if !ok || g.Version > iana.TLS12 {
			return g, &usageError{fmt.Sprintf("%s: got %q, expected 1.3, 1.2, 1.1 or 1.0", s.where,
				s.text), "vitrine derive --version 1.2"}
		}
	}
	for _, f := range []struct {
		name  string
		value *[]byte
	}{
		{"pre_master_secret", &g.PreMaster}, {"master_secret", &g.Master},
		{"client_random", &g.Client}, {"server_random", &g.Server},
		{"session_hash", &g.SessionHash},
	} {
		if *f.value, err = v.bytes(f.name); err != nil {
			return g, err
		}
	}
	return g, nil
}

func showDerivation(w io.Writer, d *explain.Derivation, o *deriveOutput, style screen.Style) error {
	return o.show(w, d.Entries, d.Values, style, func() error {
		return screen.WriteDerivation(w, d, style)
	})
}

// show prints a derivation in the form that the flags choose; text prints it for people.
func (o *deriveOutput) show(w io.Writer, entries []trace.Entry, values func() []explain.Value,
	style screen.Style, text func() error) error {
	switch {
	case o.json:
		return writeEntries(w, entries)
	case o.commands:
		return writeCommands(w, entries)
	case o.table:
		return screen.WriteValues(w, values(), style)
	}
	return text()
}

// writeCommands writes a script for a POSIX shell. Its lines also work one by one.
func writeCommands(w io.Writer, entries []trace.Entry) error {
	if _, err := fmt.Fprintf(w, "# Needs %s.\n", explain.CommandsNeed); err != nil {
		return err
	}
	var n explain.Notebook
	for _, e := range entries {
		for _, c := range n.Commands(e) {
			if _, err := fmt.Fprintf(w, "\n# %s\n%s\n# %s\n", c.Name, c.Text,
				c.Prints()); err != nil {
				return err
			}
		}
	}
	return nil
}

// deriveFields has the fields of all versions.
var deriveFields = slices.Concat([]string{"suite", "version"}, derive12Only,
	[]string{"transcript", "expect"}, derive13Fields)
