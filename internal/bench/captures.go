package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// A captured is what reading one capture took, in seconds: by Vitrine, tshark and ssldump; 0 if the
// program is not there or cannot read it.
type captured struct {
	name    string
	seconds [3]float64
	rate    float64 // of Vitrine, in bytes a second
}

// captureMiB is how long the captures of one transfer are.
const captureMiB = 256

// captureRows tells the captures of BenchmarkDecrypt in words, in the order of the table.
var captureRows = []struct{ bench, name string }{
	{"CBC-SHA256", fmt.Sprintf("%d MiB by AES_128_CBC_SHA256, key log", captureMiB)},
	{"AES-GCM", fmt.Sprintf("%d MiB by AES_128_GCM, key log", captureMiB)},
	{"3000-sessions-rsa-key", "3,000 sessions of 2,000 bytes, RSA key"},
	{"3000-sessions-key-log", "3,000 sessions of 2,000 bytes, key log"},
}

// captures runs the benchmark of package cmd/vitrine, which makes captures and reads them.
func captures() ([]captured, error) {
	out, err := exec.Command("go", "test", "./cmd/vitrine", "-run", "xxx", "-bench", "Decrypt",
		"-benchtime", "1x", "-capture-mib", strconv.Itoa(captureMiB)).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return capturesOf(out), nil
}

var captureLine = regexp.MustCompile(`^BenchmarkDecrypt/(\S+)/(vitrine|tshark|ssldump)(?:-\d+)?` +
	`\s+1\s+([0-9.]+) ns/op(?:\s+([0-9.]+) MB/s)?`)

// capturesOf reads what the benchmark printed.
func capturesOf(out []byte) (all []captured) {
	for _, r := range captureRows {
		c := captured{name: r.name}
		for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
			m := captureLine.FindStringSubmatch(s.Text())
			if m == nil || m[1] != r.bench {
				continue
			}
			nanos, _ := strconv.ParseFloat(m[3], 64)
			c.seconds[map[string]int{"vitrine": 0, "tshark": 1, "ssldump": 2}[m[2]]] = nanos / 1e9
			if m[2] == "vitrine" {
				rate, _ := strconv.ParseFloat(m[4], 64)
				c.rate = rate * 1e6
			}
		}
		if c.seconds[0] > 0 {
			all = append(all, c)
		}
	}
	return all
}

// capturesTable returns the section of the table about captures.
func capturesTable(all []captured) string {
	var b strings.Builder
	b.WriteString("\n### Captures\n\n| | Vitrine | MB a second | tshark | ssldump |\n" +
		"|---|---|---|---|---|\n")
	for _, c := range all {
		fmt.Fprintf(&b, "| %s | %.2f s | %.0f |", c.name, c.seconds[0], c.rate/1e6)
		for _, s := range c.seconds[1:] {
			if s == 0 {
				b.WriteString(" – |")
				continue
			}
			fmt.Fprintf(&b, " %.1f s, %.1f times as long |", s, s/c.seconds[0])
		}
		b.WriteString("\n")
	}
	return b.String()
}
