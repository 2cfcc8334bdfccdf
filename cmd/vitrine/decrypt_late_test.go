package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Secrets that a growing capture holds after all of its packets open these, too.
func TestSecretsAfterThePacketsOfAGrowingCapture(t *testing.T) {
	for _, version := range []string{"1.2", "1.3"} {
		whole := filepath.Join(t.TempDir(), "whole.pcapng")
		runs(t, exitOK, "handshake", "--tls", version, "--pcap", whole)
		file, err := os.ReadFile(whole)
		if err != nil {
			t.Fatal(err)
		}
		blocks := blocksOf(file)
		growing := filepath.Join(t.TempDir(), "growing.pcapng")
		f, err := os.Create(growing)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var out, errs syncBuffer
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			run(ctx, []string{"decrypt", "-f", growing}, &out, &errs)
		}()
		for _, kind := range []uint32{sectionBlock, interfaceBlock, packetBlock, secretsBlock} {
			for _, b := range blocks[kind] {
				f.Write(b)
			}
			time.Sleep(2 * quiet) // all of it is read
		}
		opened := func() bool { return strings.Contains(out.String(), "client's bytes") }
		for ctx.Err() == nil && !opened() {
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		<-ended
		if !opened() || !strings.Contains(out.String(), "key log") {
			t.Errorf("TLS %s: %s%s", version, out.String(), errs.String())
		}
	}
}
