package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	screen "github.com/vitrine-tls/vitrine/render/term"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// derive12Only has the fields that TLS 1.3 does not use.
var derive12Only = []string{"pre_master_secret", "master_secret", "client_random", "server_random",
	"session_hash"}

// derive13Fields has the fields of TLS 1.3.
var derive13Fields = append([]string{"psk", "psk_kind", "shared_secret", "client_private",
	"server_private", "group", "ticket_nonce", "plaintext", "content_type", "sequence"},
	explain.PointFields[:]...)

var derive13Usage = map[string]string{
	"psk": "TLS 1.3: the pre-shared key, or that of a ticket",
	"psk_kind": "TLS 1.3: kind of --psk, for the binder: ext, res (of a " +
		"ticket) or imp (default ext)",
	"shared_secret": "TLS 1.3: result of the (EC)DHE key exchange; leave it out " +
		"for psk_ke, where it is 0",
	"client_private": "TLS 1.3: in place of --shared-secret, the client's ephemeral " +
		"private key",
	"server_private": "TLS 1.3: in place of --shared-secret, the server's ephemeral " +
		"private key; one of the two is enough if the transcript has key_shares",
	"group": "TLS 1.3: group of the private keys, if there is no " +
		"transcript: x25519, secp256r1, …",
	"ticket_nonce": "TLS 1.3: nonce of a NewSessionTicket, for the ticket's PSK; " +
		"\"empty\" for one without bytes",
	"plaintext": "TLS 1.3: content of a record, to be protected under each of " +
		"the keys",
	"content_type": "TLS 1.3: content type of --plaintext: application_data, " +
		"handshake or alert (default application_data)",
	"sequence": "TLS 1.3: sequence number of the record (default 0)",
	"hash_to_identities": "TLS 1.3, in place of --transcript: its hash up to the PSK " +
		"identities",
	"hash_to_client_hello": "TLS 1.3, in place of --transcript: its hash up to ClientHello",
	"hash_to_server_hello": "TLS 1.3, in place of --transcript: its hash up to ServerHello",
	"hash_before_server_finished": "TLS 1.3, in place of --transcript: its hash up to the " +
		"message before the server's Finished",
	"hash_to_server_finished": "TLS 1.3, in place of --transcript: its hash up to the server's " +
		"Finished",
	"hash_before_client_finished": "TLS 1.3, in place of --transcript: its hash up to the " +
		"message before the client's Finished",
	"hash_to_client_finished": "TLS 1.3, in place of --transcript: its hash up to the client's " +
		"Finished",
}

// tls13 reports whether the fields are those of TLS 1.3, and fails if they are of both kinds.
func (v *values) tls13(transcript []byte) (bool, error) {
	is := explain.ChoosesTLS13(transcript)
	version, ok := v.fields["version"]
	if v13 := strings.TrimPrefix(strings.ToLower(version.text), "tls") == "1.3"; ok && v13 {
		is = true
	}
	if s, ok := v.fields["suite"]; ok && !is {
		id, known := iana.SuiteByName(s.text)
		is = known && suite.ByID13(id) != nil
	}
	for _, field := range derive13Fields {
		_, given := v.fields[field]
		is = is || given
	}
	if !is {
		return false, nil
	}
	for _, field := range derive12Only {
		if x, ok := v.fields[field]; ok {
			return false, &usageError{x.where + ": has no meaning in TLS 1.3, which derives by " +
				"psk, shared_secret and transcript hashes", "vitrine derive --help"}
		}
	}
	return true, nil
}

// contentTypes are the values of --content-type.
var contentTypes = map[string]iana.ContentType{
	"application_data": iana.RecordApplicationData, "handshake": iana.RecordHandshake,
	"alert": iana.RecordAlert,
}

// given13 decodes the fields of TLS 1.3.
func (v *values) given13(transcript []byte) (g explain.Given13, err error) {
	g.Transcript = transcript
	refuse := func(field, format string, args ...any) error {
		return &usageError{v.fields[field].where + ": " + fmt.Sprintf(format, args...),
			"vitrine derive --help"}
	}
	if s, ok := v.fields["suite"]; ok {
		id, known := iana.SuiteByName(s.text)
		if g.Suite = suite.ByID13(id); !known || g.Suite == nil {
			return g, refuse("suite", "%q is not a cipher suite of TLS 1.3", s.text)
		}
	}
	if s, ok := v.fields["group"]; ok {
		g.Group, err = groupNamed(s.text)
		if value, ok := errors.AsType[*valueError](err); ok {
			return g, refuse("group", "%s", value.problem())
		}
	}
	g.PSKKind = v.fields["psk_kind"].text
	if !slices.Contains([]string{"", "ext", "res", "imp"}, g.PSKKind) {
		return g, refuse("psk_kind", "got %q, expected ext, res or imp", g.PSKKind)
	}
	g.Content = iana.RecordApplicationData
	if s, ok := v.fields["content_type"]; ok {
		if g.Content, ok = contentTypes[s.text]; !ok {
			return g, refuse("content_type", "got %q, expected application_data, handshake or "+
				"alert", s.text)
		}
	}
	if s, ok := v.fields["sequence"]; ok {
		if g.Sequence, err = strconv.ParseUint(s.text, 0, 64); err != nil {
			return g, refuse("sequence", "got %q, expected a number", s.text)
		}
	}
	if v.fields["ticket_nonce"].text == "empty" {
		delete(v.fields, "ticket_nonce")
		g.Nonce = []byte{}
	}
	return g, v.bytes13(&g)
}

// bytes13 decodes the fields of TLS 1.3 that are bytes.
func (v *values) bytes13(g *explain.Given13) (err error) {
	into := map[string]*[]byte{"psk": &g.PSK, "shared_secret": &g.Shared,
		"client_private": &g.Private[iana.Client], "server_private": &g.Private[iana.Server],
		"plaintext": &g.Plaintext}
	if g.Nonce == nil {
		into["ticket_nonce"] = &g.Nonce
	}
	for p, field := range explain.PointFields {
		into[field] = &g.Hashes[p]
	}
	for _, field := range derive13Fields {
		if value := into[field]; value != nil {
			if *value, err = v.bytes(field); err != nil {
				return err
			}
		}
	}
	return nil
}

func derive13(cmd *cobra.Command, v *values, transcript []byte, o *deriveOutput,
	style screen.Style) error {
	g, err := v.given13(transcript)
	if err != nil {
		return err
	}
	d, err := explain.Derive13(g)
	if err != nil {
		return v.refused(err)
	}
	return showAndSearch(cmd, v, d, showDerivation13, o, style)
}

// reportFindings says how an expected value can be derived. It fails if it cannot.
func reportFindings(cmd *cobra.Command, expected []byte, found []explain.Finding,
	tried *explain.Tried, o *deriveOutput, style screen.Style) error {
	report := cmd.OutOrStdout()
	if o.json || o.commands {
		report = cmd.ErrOrStderr()
	}
	if err := screen.WriteFindings(report, expected, found, tried, style); err != nil {
		return err
	}
	if len(found) == 0 {
		return errors.New("the expected value does not come from what was given")
	}
	return nil
}

func showDerivation13(w io.Writer, d *explain.Derivation13, o *deriveOutput,
	style screen.Style) error {
	return o.show(w, d.Entries, d.Table, style, func() error {
		return screen.WriteDerivation13(w, d, style)
	})
}

// writeEntries writes the events of a derivation as JSON lines.
func writeEntries(w io.Writer, entries []trace.Entry) error {
	j := trace.NewWriter(w, trace.Reveal())
	j.Put(trace.Entry{Role: trace.Client,
		Event: &trace.Notice{Text: "Holds secrets: those that were given, and all that " +
			"follows from them."}})
	for _, e := range entries {
		j.Put(e)
	}
	return j.Err()
}
