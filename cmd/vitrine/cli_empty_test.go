package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// An empty value, as an unset variable of a shell gives, is refused for every flag of every command
// that takes text: it must not count as a flag that was left out.
func TestEmptyValuesAreRefused(t *testing.T) {
	n := 0
	for _, c := range newRoot().Commands() {
		if c.Name() == "derive" {
			continue
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.HasPrefix(f.Value.Type(), "string") || slices.Contains(mayBeEmpty, f.Name) {
				return
			}
			n++
			args := []string{c.Name(), "--" + f.Name + "="}
			if c.Name() == "connect" || c.Name() == "probe" {
				args = append(args, "localhost:1")
			}
			code, _, stderr := command(t, args...)
			if code != exitUsage || !strings.Contains(stderr, "--"+f.Name) ||
				strings.Count(stderr, "\n") != 2 {
				t.Errorf("%s --%s= : exit code %d, %s", c.Name(), f.Name, code, stderr)
			}
		})
	}
	if n < 100 {
		t.Errorf("only %d flags were tried", n)
	}
}

// A wrong value is reported for the flag that has it, and the line to try is one of the command.
func TestWrongValuesOfFlags(t *testing.T) {
	key := writeTemp(t, "cafebabe")
	for line, says := range map[string][]string{
		"connect localhost --resolve nonsense": {`--resolve takes an address, got "nonsense"`},
		"probe localhost --resolve nonsense":   {`--resolve takes an address`, "vitrine probe"},
		"probe localhost --starttls smpt": {"--starttls takes one of",
			"try:     vitrine probe localhost --starttls smtp"},
		"probe localhost --rate nonsense": {"--rate takes a number, got"},
		"decrypt --port 0 x.pcapng":       {"--port takes numbers from 1 to 65535, got 0"},
		"decrypt --port 65536 x.pcapng":   {"--port takes numbers from 1 to 65535, got 65536"},
		"serve --listen :0 --history x --history-age -1h": {
			"--history-age takes a value above 0, got -1h0m0s", "--history-age 24h"},
		"connect localhost:1 --pin=": {"--pin: the value is empty",
			"try:     vitrine connect --help"},
		"derive " + writeTemp(t, strings.Repeat("x", 1<<20)+": 1"): {"there is no field", "x…\n"},
		"serve --forward-ca roots.pem": {"--forward-ca is for --forward-tls",
			"--forward-tls --forward-ca roots.pem"},
		"connect localhost:1 --psk " + key: {
			"--psk: got the name of a file; its contents are @"},
		"derive --transcript " + key:               {"--transcript: got the name of a file"},
		"serve --ocsp " + writeTemp(t, "nonsense"): {"it is not an OCSP response in DER\n"},
	} {
		code, stdout, stderr := command(t, strings.Fields(line)...)
		for _, want := range says {
			if code != exitUsage || !strings.Contains(stderr, want) {
				t.Errorf("vitrine %s: exit code %d, %s%s, expected %q", line, code, stdout, stderr,
					want)
			}
		}
	}
}
