package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A kind is one of the things that Vitrine's processor time goes to.
type kind int

const (
	standard kind = iota
	modules
	kernel
	collected
	own
	other
	kinds
)

var kindNames = [kinds]string{standard: "the standard library's cryptography",
	modules: "that of other modules", kernel: "system calls",
	collected: "the runtime (memory, collection, scheduling)", own: "Vitrine's own packages",
	other: "the rest of the standard library and the benchmark"}

// kindsOf tells a function's kind by how its name begins. The first that fits counts.
var kindsOf = []struct {
	begins string
	kind   kind
}{
	{"internal/runtime/syscall", kernel}, {"github.com/vitrine-tls/", own},
	{"crypto/tls", other}, {"crypto/x509", other}, {"crypto", standard}, {"math/big", standard},
	{"_", standard}, // assembly of crypto/aes
	{"filippo.io/", modules}, {"github.com/cloudflare/", modules}, {"golang.org/x/crypto", modules},
	{"vendor/golang.org/x/crypto", standard},
	{"runtime", collected}, {"internal/runtime", collected}, {"sync", collected},
	{"mem", collected}, {"aeshash", collected}, {"gcWriteBarrier", collected},
}

func kindOf(function string) kind {
	for _, k := range kindsOf {
		if strings.HasPrefix(function, k.begins) {
			return k.kind
		}
	}
	return other
}

// shares are the parts of a profile, which together are 1.
type shares [kinds]float64

// profiled time is about 1.5 seconds, of which a hundredth is a sample.
const profileMicros = 1_500_000

// shares profiles a stack's part of a row, of Vitrine or crypto/tls.
func (b *bench) shares(r result, stack int) (all shares, err error) {
	file := filepath.Join(b.dir, "profile")
	cmd, err := b.command(r.jobs()[stack])
	if err != nil {
		return all, err
	}
	cmd.Env = append(cmd.Env, cpuProfileEnv+"="+file)
	w, err := begin(cmd)
	if err != nil {
		return all, err
	}
	one := spreadOf(r.stacks[stack].of(microsOf)).median
	_, err = w.do(int(profileMicros/max(one, 1)) + 1)
	if errEnd := w.end(); err != nil || errEnd != nil {
		return all, fmt.Errorf("profile: %w, %w", err, errEnd)
	}
	text, err := exec.Command("go", "tool", "pprof", "-top", "-nodecount=100000",
		"-nodefraction=0", "-unit=us", b.self, file).Output()
	if err != nil {
		return all, fmt.Errorf("go tool pprof: %w", err)
	}
	return sharesOf(text)
}

var topLine = regexp.MustCompile(`^ *([0-9.]+)(?:us)? +[0-9.]+% +[0-9.]+% +\S+ +[0-9.]+% +(.+)$`)

// sharesOf adds up what pprof -top prints.
func sharesOf(text []byte) (all shares, err error) {
	total := 0.0
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		m := topLine.FindStringSubmatch(s.Text())
		if m == nil {
			continue
		}
		flat, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return all, err
		}
		all[kindOf(m[2])] += flat
		total += flat
	}
	if total == 0 {
		return all, fmt.Errorf("a profile without samples: %.200s", text)
	}
	for k := range all {
		all[k] /= total
	}
	return all, nil
}

// fixed is what no stack can do without that has the same cryptography and makes the same system
// calls.
func (s shares) fixed() float64 { return s.cryptography() + s[kernel] }

// cryptography is the share of the standard library's and of golang.org/x/crypto's.
func (s shares) cryptography() float64 { return s[standard] + s[modules] }

// String lists the shares of at least a hundredth, the largest first.
func (s shares) String() string {
	var words []string
	for range kinds {
		most := standard
		for k := range s {
			if s[k] > s[most] {
				most = kind(k)
			}
		}
		if s[most] < 0.005 {
			break
		}
		words = append(words, fmt.Sprintf("%.0f %% %s", 100*s[most], kindNames[most]))
		s[most] = 0
	}
	return strings.Join(words, ", ")
}
