package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/demo"
	screen "github.com/vitrine-tls/vitrine/render/term"
)

// outputs has the flags that say how a handshake is shown.
type outputs struct {
	artefacts
	json          bool
	saveKeys      string
	detail, color string
}

func newHandshake() *cobra.Command {
	var w wishes
	var o outputs
	var ems, etm bool
	cmd := &cobra.Command{
		Use: "handshake",
		Short: "Perform a handshake on this machine and show how both sides arrive at the " +
			"same keys",
		Long: `Makes a CA and certificates in memory, performs a handshake between a Vitrine client
and a Vitrine server over a loopback socket, sends a request and an answer, and shows every step:
who sends what, where the secrets come from, how the keys are derived, and the parts of one
protected record. Client and server compute their values separately, and the values are compared.

Without flags it is the textbook case of TLS 1.2: RSA key exchange, AES-256-CBC, HMAC-SHA256.
With --tls 1.3 the key schedule is shown as a tree that grows between the messages. The keys of
the connection are made for this run and shown in full.

With --tamper somebody in between interferes, and the two sides are not at a socket but at the ends
of the playground's wire. Its acts are, RECORD being a numbered line or, such as client3, a record
of a side, and PLACE an offset in it or a field:
  flip:RECORD[:PLACE[:MASK]]   the bits of MASK, in hex; without it the lowest one
  set:RECORD:PLACE:HEX         the bytes from there on
  drop:RECORD                  it never arrives
  duplicate:RECORD             it arrives twice
  swap:RECORD                  it arrives behind the next one of its side
  replay:RECORD[:NUMBER]       it arrives again, behind record NUMBER of its side, or behind all
  inject:RECORD:HEX            these bytes arrive before it
  cut:RECORD[:PLACE]           the stream of its side ends there
The exit code is 0 if that was noticed or led nowhere, and 1 if neither side noticed it.`,
		Example: `  vitrine handshake                          the textbook case
  vitrine handshake --kx ecdhe               the modern way
  vitrine handshake --tls 1.3                today's protocol
  vitrine handshake --group x25519mlkem768   the same, and safe against quantum computers
  vitrine handshake --resume                 a second connection, by a ticket
  vitrine handshake --kx dhe --mtls          with a client certificate
  vitrine handshake --tamper 10:mac          break line 10, and see who notices
  vitrine handshake --tamper drop:client3 --tamper swap:server1
  vitrine handshake --seed class --markdown class.md`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("ems") {
				w.ems = &ems
			}
			if cmd.Flags().Changed("etm") {
				w.etm = &etm
			}
			return handshake(cmd, &w, &o)
		},
	}
	versionFlags(cmd, &w)
	f := cmd.Flags()
	f.StringVar(&w.kx, "kx", "",
		"key exchange, with a suite and a certificate that fit it: rsa, dhe or ecdhe")
	f.StringVar(&w.suite, "suite", "",
		"cipher suite, by its IANA or OpenSSL name (see vitrine suites)")
	f.StringVar(&w.group, "group", "",
		"group: x25519, P-256, ffdhe2048, x25519mlkem768, … (see vitrine groups)")
	f.StringVar(&w.auth, "auth", "", "kind of certificate: rsa, ecdsa or ed25519")
	f.BoolVar(&ems, "ems", false, "negotiate extended_master_secret (RFC 7627)")
	f.BoolVar(&etm, "etm", false, "negotiate encrypt_then_mac (RFC 7366), for CBC suites")
	f.StringVar(&w.clientAuth, "client-auth", "",
		"client certificate: none, request or require")
	f.BoolVar(&w.mtls, "mtls", false, "the same as --client-auth require")
	f.StringVar(&w.data, "data", demo.Request, "what the client sends")
	f.StringArrayVar(&w.tamper, "tamper", nil,
		"interfere, as often as given: flip one bit of a numbered line, NUMBER or NUMBER:FIELD, "+
			"or an act as above")
	f.StringVar(&w.seed, "seed", "", "make the run reproducible to the byte; its keys are public")
	artefactFlags(cmd, &o.artefacts)
	f.StringVar(&o.saveKeys, "save-keys", "",
		"write the private keys of the run and their certificates to this folder")
	f.BoolVar(&o.json, "json", false, "print the events as JSON lines, and nothing else")
	detailFlag(cmd, &o.detail)
	colorFlag(cmd, &o.color)
	describeFlags(cmd)
	return cmd
}

// describeFlags says what help and completion have of the flags.
func describeFlags(cmd *cobra.Command) {
	cmd.Flags().Lookup("data").DefValue = "an HTTP request"
	complete(cmd, "kx", "rsa", "dhe", "ecdhe")
	complete(cmd, "suite", append(suiteNames(), suiteNames13()...)...)
	complete(cmd, "group", append(groupNames(), hybridNames()...)...)
	complete(cmd, "auth", "rsa", "ecdsa", "ed25519")
	complete(cmd, "client-auth", "none", "request", "require")
	complete(cmd, "tamper", demo.Syntax()...)
}

// versionFlags adds the flags that choose the version, and those that only TLS 1.3 has.
func versionFlags(cmd *cobra.Command, w *wishes) {
	f := cmd.Flags()
	f.StringVar(&w.tls, "tls", "", "version: 1.2 or 1.3 (default 1.2, the textbook case)")
	f.BoolVar(&w.hrr, "hrr", false,
		"TLS 1.3: let the client send a key share of another group, so that the server sends a "+
			"HelloRetryRequest")
	f.BoolVar(&w.resume, "resume", false,
		"TLS 1.3: show two connections, of which the second resumes the first by a ticket")
	f.BoolVar(&w.earlyData, "early-data", false,
		"TLS 1.3: like --resume, with the request sent before the server has answered (0-RTT)")
	f.BoolVar(&w.keyUpdate, "key-update", false,
		"TLS 1.3: update the keys of both directions after the first answer")
	f.BoolVar(&w.lateAuth, "post-handshake-auth", false,
		"TLS 1.3: let the server request a client certificate after the handshake")
	f.BoolVar(&w.compare, "compare", false,
		"show TLS 1.2 and TLS 1.3 side by side: the modern way of each")
	complete(cmd, "tls", "1.2", "1.3")
}

func handshake(cmd *cobra.Command, w *wishes, o *outputs) error {
	style, err := styleOf(cmd.OutOrStdout(), o.color)
	if err != nil {
		return err
	}
	level, err := levelOf(o.detail)
	if err != nil {
		return err
	}
	options, err := w.choose()
	if err == nil && w.compare {
		return compare(cmd, options, o, style)
	}
	var outcome *demo.Outcome
	if err == nil {
		outcome, err = demo.Perform(cmd.Context(), options)
	}
	var usage *demo.UsageError
	if errors.As(err, &usage) {
		return &usageError{"--tamper " + usage.Error(), asGiven(cmd, "tamper") + " --tamper " +
			usage.Example}
	}
	if err != nil {
		return err
	}
	outcome.Run.Flags = given(cmd)
	story := explain.Tell(outcome.Entries, outcome.Run)
	if outcome.First != nil {
		err = showBoth(cmd, outcome, o, level, style)
	} else {
		err = show(cmd, story, outcome, o, level, style)
	}
	if err != nil {
		return err
	}
	return verdict(outcome, story)
}

// show writes everything that was asked for, with its secrets, because the keys were made for this
// run.
func show(cmd *cobra.Command, story *explain.Story, outcome *demo.Outcome, o *outputs,
	level explain.Level, style screen.Style) error {
	c := connection{entries: outcome.Entries, about: story.Run}
	o.reveal = true
	var notes bytes.Buffer // come last: they say where the files are
	defer func() { io.Copy(cmd.ErrOrStderr(), &notes) }()
	if err := o.write(c, &notes); err != nil {
		return err
	}
	if o.saveKeys != "" {
		if err := saveKeys(o.saveKeys, c, &notes); err != nil {
			return fmt.Errorf("--save-keys: %w", err)
		}
	}
	if o.json {
		return writeEvents(cmd.OutOrStdout(), c, true)
	}
	if o.html != "" && o.detail == "" { // the page tells the rest
		return screen.WriteResult(cmd.OutOrStdout(), story, style)
	}
	return tellStory(cmd.OutOrStdout(), story, outcome.Entries, level, style)
}

// verdict returns nil if the run went as it should: if it completed undisturbed, or was tampered
// with and stopped.
func verdict(outcome *demo.Outcome, story *explain.Story) error {
	switch {
	case story.Run.Tampered != nil && story.Result.Stopped():
		return nil
	case story.Run.Tampered != nil && story.Run.Tampered.Idle() != "":
		return errors.New("--tamper changed nothing: " + story.Run.Tampered.Idle())
	case story.Run.Tampered != nil:
		return fmt.Errorf("somebody interfered %s, and neither side noticed",
			story.Run.Tampered.Where())
	}
	if err := errors.Join(outcome.ClientError, outcome.ServerError); err != nil {
		return err
	}
	if !story.Result.Complete {
		return errors.New("client and server do not agree: see the values marked as different")
	}
	return nil
}
