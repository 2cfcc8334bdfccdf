package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// The captures of the two connections of a seeded run can be merged: they differ in their ports.
func TestTheCapturesOfAResumptionAreOfTwoConnections(t *testing.T) {
	dir := t.TempDir()
	runs(t, 0, "handshake", "--tls", "1.3", "--resume", "--seed", "two", "--pcap",
		filepath.Join(dir, "x.pcapng"))
	for name, client := range map[string]string{"x-1.pcapng": "192.0.2.1:49152",
		"x-2.pcapng": "192.0.2.1:49153"} {
		if out, _ := runs(
			t,
			0,
			"decrypt",
			filepath.Join(dir, name),
		); !strings.Contains(
			out,
			client,
		) {
			t.Errorf("%s: no connection of %s:\n%s", name, client, out)
		}
	}
}
