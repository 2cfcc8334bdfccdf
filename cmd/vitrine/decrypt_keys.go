package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
)

// secretFlags are the flags that give secrets.
type secretFlags struct {
	rsaKeys, keyLogs, masters, preMasters, psks, ephemerals, resumptions []string
	password                                                             string
}

func (s *secretFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&s.rsaKeys, "rsa-key", nil,
		"RSA private key of the server: PEM, DER, PKCS #8 or PKCS #12; may be repeated")
	f.StringVar(&s.password, "password", "",
		passwordUsage)
	f.StringArrayVar(&s.keyLogs, "keylog", nil,
		"key log of a browser, curl or a server (SSLKEYLOGFILE, RFC 9850); may be repeated")
	f.StringArrayVar(&s.masters, "master-secret", nil,
		"master_secret in hex, @FILE, - (standard input) or env:NAME; may be repeated")
	f.StringArrayVar(&s.preMasters, "pre-master-secret", nil,
		"pre_master_secret, given like --master-secret")
	f.StringArrayVar(&s.psks, "psk", nil,
		"pre-shared key, or the PSK of a TLS 1.3 ticket, given like --master-secret")
	f.StringArrayVar(&s.ephemerals, "dh-private", nil,
		"ephemeral (EC)DHE private key of either side, given like --master-secret; of a hybrid "+
			"group both halves")
	f.StringArrayVar(&s.resumptions, "resumption-secret", nil,
		"resumption_secret of the TLS 1.3 connection that others resume, given like "+
			"--master-secret")
}

// secretStore has the secrets. Its key log may grow during the run.
type secretStore struct {
	mu     sync.RWMutex
	log    keylog.Log
	others []observe.Source
	given  bool // there are secrets from flags
	found  bool // there are secrets from the capture
	files  []*growingLog
	fits   int        // connections that have a secret in the key logs
	broken complaints // about secrets in the capture
}

// growingLog is a key log file that is read piece by piece.
type growingLog struct {
	name   string
	at     int64
	log    *keylog.Growing // nil until it is read
	broken complaints

	read keylog.Counts
}

// complaints counts what could not be read of one source of secrets, which whoever writes to it may
// repeat without end.
type complaints int

// maxComplaints is how many are printed.
const maxComplaints = 10

// add prints err, or nothing if there were maxComplaints.
func (c *complaints) add(stderr io.Writer, name string, err error) {
	if *c++; *c > maxComplaints {
		return
	}
	name, end := explain.Escape(name), ""
	if *c == maxComplaints {
		end = "; what else cannot be read there is not reported"
	}
	fmt.Fprintf(fit(stderr), "! %s: %v%s\n", name, err, end)
}

// any reports whether there is a secret.
func (s *secretStore) any() bool { return s.given || s.found }

// source returns the secrets for an observer.
func (s *secretStore) source() observe.Source {
	logged := observe.Guarded(s.mu.RLocker(), observe.KeyLog(&s.log))
	return observe.Sources(append([]observe.Source{logged}, s.others...)...)
}

// add adds the key log in a block of a capture, and returns how many secrets are new. Lines that
// cannot be read are reported on stderr and skipped.
func (s *secretStore) add(text []byte, stderr io.Writer) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.log.Len()
	if err := s.log.Merge(bytes.NewReader(text)); err != nil {
		s.broken.add(stderr, "the capture's secrets", err)
	}
	return s.log.Len() - before
}

// load reads the secrets that the flags give or name. If they are for a live capture, key logs may
// have more later.
func (s *secretFlags) load(cmd *cobra.Command, live bool) (*secretStore, error) {
	all := &secretStore{}
	v := &values{stdin: cmd.InOrStdin(), fields: map[string]input{}}
	for _, name := range s.keyLogs {
		all.given = true
		g := &growingLog{name: name}
		then := (*keylog.Growing).Close
		if live {
			then = (*keylog.Growing).Flush
		}
		if _, err := all.grow(g, then, cmd.ErrOrStderr()); err != nil {
			return nil, ofInput("--keylog "+name, err)
		}
		all.files = append(all.files, g)
	}
	var rsaKeys, ephemerals []observe.Source
	password, err := passwordOf(v, s.password, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	for _, name := range s.rsaKeys {
		key, err := loadRSA(cmd.Context(), name, password)
		if err != nil {
			return nil, ofInput("--rsa-key "+name, err)
		}
		rsaKeys = append(rsaKeys, observe.RSAKey("RSA key "+filepath.Base(name), key))
	}
	unneeded(cmd.ErrOrStderr(), password, s.rsaKeys, func(name string) error {
		_, err := readRSA(name, "")
		return err
	})
	for _, kind := range []struct {
		flag   string
		values []string
		make   func([]byte) observe.Source
		into   *[]observe.Source
	}{
		{"--master-secret", s.masters, observe.Master, &all.others},
		{"--pre-master-secret", s.preMasters, observe.PreMaster, &all.others},
		{"--resumption-secret", s.resumptions, observe.ResumptionSecret, &all.others},
		{"--dh-private", s.ephemerals, observe.Ephemeral, &ephemerals},
	} {
		for _, text := range kind.values {
			b, err := secretValue(v, kind.flag, text, cmd.ErrOrStderr())
			if err != nil {
				return nil, err
			}
			*kind.into = append(*kind.into, kind.make(b))
		}
	}
	all.others = append(append(all.others, rsaKeys...), ephemerals...)
	for _, text := range s.psks {
		b, err := secretValue(v, "--psk", text, cmd.ErrOrStderr())
		if err != nil {
			return nil, err
		}
		all.others = append(all.others, observe.PSK(b, append(rsaKeys, ephemerals...)...))
	}
	all.given = all.given || len(all.others) > 0
	return all, nil
}

// secretLengths are the lengths in bytes of secrets that have a fixed one.
var secretLengths = map[string][]int{"--master-secret": {48}, "--resumption-secret": {32, 48}}

// secretValue returns the value of a flag, which is hex or says where the value is.
func secretValue(v *values, flag, text string, stderr io.Writer) ([]byte, error) {
	if !indirect(text) {
		fmt.Fprintf(fit(stderr),
			"! %s: a secret on the command line is seen by other users of this machine and kept "+
				"by the shell.\n  Better: %s @FILE, %s - (standard input) or %s env:NAME\n",
			flag, flag, flag, flag)
	}
	v.fields[flag] = input{text, flag}
	b, err := v.bytes(flag)
	if want := secretLengths[flag]; err == nil && len(b) > 0 && want != nil &&
		!slices.Contains(want, len(b)) {
		return nil, &usageError{fmt.Sprintf("%s: got %d bytes, expected %s", flag, len(b),
			strings.Trim(strings.ReplaceAll(fmt.Sprint(want), " ", " or "), "[]")),
			"vitrine decrypt --help"}
	}
	var usage *usageError
	if errors.As(err, &usage) {
		usage.wayOut = "vitrine decrypt --help"
	}
	if err == nil && len(b) == 0 {
		err = &usageError{flag + ": the value is empty", "vitrine decrypt --help"}
	}
	return b, err
}

// grow reads what was added to a key log, and calls then, which may be nil, for what has no end
// yet. It returns how many secrets are new. Lines that cannot be read are reported on stderr.
func (s *secretStore) grow(g *growingLog, then func(*keylog.Growing) error, stderr io.Writer) (
	gained int, err error) {
	f, err := os.Open(g.name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if g.log == nil || err == nil && info.Mode().IsRegular() && info.Size() < g.at {
		g.at, g.log = 0, s.log.Grow() // it is new, or was truncated
	}
	if g.at > 0 {
		if _, err := f.Seek(g.at, io.SeekStart); err != nil {
			return 0, err
		}
	}
	b, err := io.ReadAll(io.LimitReader(f, keylog.MaxLog))
	if err != nil {
		return 0, err
	}
	g.at += int64(len(b))
	if len(b) == 0 && then == nil {
		return 0, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, length := s.log.Counts(), s.log.Len()
	_, problem := g.log.Write(b)
	if then != nil {
		problem = cmp.Or(problem, then(g.log))
	}
	if problem != nil {
		g.broken.add(stderr, g.name, problem)
	}
	g.count(before, s.log.Counts())
	return s.log.Len() - length, nil
}

// count adds what was read between two counts.
func (g *growingLog) count(before, after keylog.Counts) {
	g.read.Lines += after.Lines - before.Lines
	g.read.Secrets += after.Secrets - before.Secrets
	g.read.Zeros += after.Zeros - before.Zeros
	g.read.Unknown += after.Unknown - before.Unknown
	g.read.First, g.read.Encoding = after.First, after.Encoding
}

// describe says what was read of a key log.
func (g *growingLog) describe() string {
	text := fmt.Sprintf("%s (%s): %s, %s", g.name, g.read.Encoding,
		explain.Count(g.read.Lines, "line"), explain.Count(g.read.Secrets, "usable secret"))
	if g.read.Zeros > 0 {
		text += ", " + explain.Count(g.read.Zeros, "placeholder") + " of zeros"
	}
	if n := g.read.Unknown; n > 0 {
		text += ", " + explain.Count(n, "line") + " without a known label"
		if g.read.First > 0 && n == 1 {
			text += fmt.Sprintf(" (line %d)", g.read.First)
		} else if g.read.First > 0 {
			text += fmt.Sprintf(" (the first is line %d)", g.read.First)
		}
	}
	return text + "."
}

// fit notes whether the key logs have a secret for a connection.
func (s *secretStore) fit(w *observe.Watched, source string) {
	c := w.Stream.Connection()
	if c == nil || c.Machine().ClientHello == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if source == "key log" || s.log.Has(c.Machine().ClientHello.Random[:]) {
		s.fits++
	}
}
