package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// There is one rule for every file that a command line names: if it is missing or not what it must
// be, nothing was done, the exit code is that of a wrong command line, and a line that helps is
// printed.
func TestFilesThatCannotBeUsedHaveOneExitCode(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	text, broken := file("text", "hello, world\n"), file("broken.json", "{bad\n")
	log := file("keys.log", "CLIENT_RANDOM "+strings.Repeat("00", 32)+" x\n")
	capture := filepath.Join("..", "..", "testdata", "cases", "tcp", "snap96.pcap")
	const missing, server = "nosuch", "127.0.0.1:1"
	for _, c := range []struct{ line, says string }{
		{"decrypt " + missing, "no such file"},
		{"decrypt " + text, "it is text, not a capture"},
		{"decrypt " + log, "it is a key log, not a capture"},
		{"decrypt " + broken, "JSON"},
		{"decrypt -f " + missing, "no such file"},
		{"decrypt " + capture + " --keylog " + missing, "no such file"},
		{"decrypt " + capture + " --rsa-key " + missing, "no such file"},
		{"decrypt " + capture + " --rsa-key " + text, "not a private key"},
		{"decrypt " + capture + " --rsa-key " + dir, "is a directory"},
		{"decrypt " + capture + " --master-secret @" + missing, "no such file"},
		{"decrypt " + capture + " --password @" + missing, "no such file"},
		{"explain " + missing + ".json", "no such file"},
		{"explain " + text, "line 1: not a JSON object"},
		{"derive " + missing, "no such file"},
		{"derive " + text, "text, line 1"},
		{"connect " + server + " --ca " + missing, "no such file"},
		{"connect " + server + " --ca " + text, "no PEM block"},
		{"connect " + server + " --cert " + missing + " --key " + missing, "no such file"},
		{"connect " + server + " --psk @" + missing, "no such file"},
		{"probe " + missing + ".txt", "there is no file"},
		{"probe @" + missing, "no such file"},
		{"probe " + server + " --compare " + missing, "no such file"},
		{"probe " + server + " --compare " + broken, "no reports"},
		{"probe " + server + " --state " + broken, "no reports"},
		{"serve --cert " + missing + " --key " + missing, "no such file"},
		{"serve --client-auth require --client-ca " + missing, "no such file"},
		{"serve --listen :0 --dir " + missing, "no such file"},
		{"serve --ocsp " + missing, "no such file"},
		// names that are none
		{"connect " + server + " --sni b\u00fccher.example", "is not a host name"},
		{"connect " + server + " --sni " + strings.Repeat("a", 254), "it has 254 characters"},
		{"connect -- -k", "none begins with a hyphen"},
		{"probe " + server + " --sni a/b", "is not a host name"},
		{"serve --listen 127.0.0.1:0 --name a\x07b", "is not a host name"},
		// files to write
		{"handshake --html " + strings.Repeat("a", 3000), "file name too long"},
		{"decrypt " + capture + " --events " + strings.Repeat("a", 3000), "file name too long"},
		{"handshake --html " + missing + "/x", "the folder " + missing + ": no such file"},
		{"handshake --pcap " + missing + "/x", "the folder " + missing + ": no such file"},
		{"handshake --tls 1.3 --events " + missing + "/x", "no such file"},
		{"handshake --compare --html " + missing + "/x", "no such file"},
		{"handshake --markdown " + text + "/x", "not a folder"},
		{"handshake --keylog-out " + dir, "is a folder"},
		{"connect " + server + " --events " + missing + "/x", "the folder " + missing},
		{"decrypt " + capture + " --html " + missing + "/x", "the folder " + missing},
		{"explain " + text + " --html " + missing + "/x", "the folder " + missing},
		{"playground --out " + missing + "/x", "the folder " + missing + ": no such file"},
	} {
		code, stdout, stderr := command(t, strings.Fields(c.line)...)
		if code != exitUsage || !strings.Contains(stderr, c.says) ||
			!strings.Contains(stderr, "\ntry:     vitrine ") {
			t.Errorf("%s: exit code %d, expected %d, %q and a line that helps: %s%s", c.line, code,
				exitUsage, c.says, stdout, stderr)
		}
		if strings.Contains(stderr, ": open ") ||
			strings.Contains(stderr, "invalid character 'h'") {
			t.Errorf("%s: the words of a library: %s", c.line, stderr)
		}
	}
}

// The error for a value that a flag does not take has what it takes, and a line that works.
func TestFlagValuesAreDescribed(t *testing.T) {
	for _, c := range []struct{ line, says, try string }{
		{"connect x --timeout 5", `a time with its unit, such as 5s, 500ms or 2m, got "5"`,
			"vitrine connect x --timeout=5s"},
		{"connect x --timeout soon", "a time with its unit", "vitrine connect x --timeout=5s"},
		{"serve --max-conns many", "a number", "vitrine serve --max-conns=4096"},
		{"decrypt x --port ssh", "a number", "vitrine decrypt x --port=1"},
		{"decrypt x --json=3", "true or false", "vitrine decrypt x --json=true"},
		// what else was given stays in the line, but the flags of the problem and secrets
		{"connect host.test:99999 --alpn h2,x --timeout 3s", "is not a port",
			"vitrine connect host.test:443 --alpn=h2 --alpn=x --timeout=3s"},
		{"decrypt x.pcap --stream z --keylog k --keylog l", "numbers and ranges",
			"vitrine decrypt x.pcap --stream 3,7-9 --keylog=k --keylog=l"},
		{"decrypt x.pcap --stream z --master-secret 5e5e", "numbers and ranges",
			"vitrine decrypt x.pcap --stream 3,7-9 --master-secret='@secret.hex'"},
		{"connect a b -k", "takes one HOST[:PORT], got 2", "vitrine connect a --insecure"},
		{"probe host.test --no-sni --sni a --timeout 9s", "contradict each other",
			"vitrine probe host.test --timeout=9s"},
		{"connect x --tls 1.2", "here it is --min VERSION and --max VERSION",
			"vitrine connect --help"},
		{"probe x --cacert f", "here it is --ca FILE", "vitrine probe --help"},
		{"serve --port 8443", "here it is --listen :PORT", "vitrine serve --help"},
		{"handshake --tls1_2", "there is no flag --tls1_2; there is --tls",
			"vitrine handshake --help"},
		{"serve --listen 99999", "a port from 0 to 65535", "vitrine serve --listen 127.0.0.1:0"},
		{"serve --listen 8443", "ADDRESS:PORT", "vitrine serve --listen :8443"},
		{"serve --client-pin a+b=", "none are asked for",
			"vitrine serve --client-auth require --client-pin 'a+b='"},
		{"serve --client-any", "none are asked for",
			"vitrine serve --client-auth require --client-any"},
		{"serve --listen :99999", "a port from 0 to 65535", "vitrine serve --listen 127.0.0.1:0"},
	} {
		code, _, stderr := command(t, strings.Fields(c.line)...)
		if code != exitUsage || !strings.Contains(stderr, c.says) ||
			!strings.HasSuffix(stderr, "\ntry:     "+c.try+"\n") {
			t.Errorf(
				"%s: exit code %d, expected %d, %q and %q: %s",
				c.line,
				code,
				exitUsage,
				c.says,
				c.try,
				stderr,
			)
		}
	}
}

// If there is no data for --print or --out, the command fails and says why.
func TestNothingToPrintIsAFailure(t *testing.T) {
	capture := filepath.Join("..", "..", "testdata", "cases", "encapsulations", "ppp.pcap")
	for _, args := range [][]string{{"--print"}, {"--out", t.TempDir()}} {
		code, stdout, stderr := command(t, append([]string{"decrypt", capture}, args...)...)
		if said := stdout + stderr; code != exitUndecrypted ||
			!strings.Contains(said, "nothing to print or to write") ||
			!strings.Contains(said, "no_secret") || !strings.Contains(said, "--keylog FILE") {
			t.Errorf("%v: exit code %d, expected %d: %s", args, code, exitUndecrypted, said)
		}
	}
}

// Examples of --help can be pasted: nothing in them stands for something else. That of derive,
// which needs no file, works.
func TestExamplesCanBePasted(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if strings.Contains(c.Example, "…") || strings.Contains(c.Example, "...") {
			t.Errorf("%s: an example is not whole:\n%s", c.Name(), c.Example)
		}
		if c.Name() != "derive" {
			continue
		}
		first, _, _ := strings.Cut(
			strings.NewReplacer("\\\n    ", "", "\\\n", "").Replace(c.Example),
			"\n",
		)
		code, stdout, stderr := command(t, strings.Fields(first)[1:]...)
		if code != exitOK || !strings.Contains(stdout, "bytes 0 to 3 of master_secret") {
			t.Errorf("%s: exit code %d, %s%s", first, code, stdout, stderr)
		}
	}
}
