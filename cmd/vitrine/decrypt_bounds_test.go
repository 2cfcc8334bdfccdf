package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/trace"
)

// Digests are right for directions of any length and number, and few are computed in goroutines at
// a time.
func TestDigestsAreRightAtAnyLengthAndNumber(t *testing.T) {
	lengths := []int{0, 1, longSum - 1, longSum, longSum + sumBlock, 3 * longSum}
	var all []*sum
	for i := range 4 * maxSums {
		all = append(all, &sum{})
		b := bytes.Repeat([]byte{byte(i)}, lengths[i%len(lengths)])
		for len(b) > 0 {
			n := min(len(b), 16<<10)
			all[i].write(b[:n])
			b = b[n:]
		}
		if n := sums.Load(); n > maxSums {
			t.Fatalf("%d at once", n)
		}
	}
	for i, s := range all {
		want := sha256.Sum256(bytes.Repeat([]byte{byte(i)}, lengths[i%len(lengths)]))
		if got := s.value(); !bytes.Equal(got, want[:]) || !bytes.Equal(s.value(), want[:]) {
			t.Errorf("%d bytes: %x, expected %x", lengths[i%len(lengths)], got, want)
		}
	}
	if n := sums.Load(); n != 0 {
		t.Errorf("%d are still computed", n)
	}
}

// The lines behind an unfinished one that is too long are read. Keylog holds how much it keeps.
func TestAGrowingLogWithALongLine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "keys")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all secretStore
	g := &growingLog{name: name}
	for range 10 {
		f.Write(bytes.Repeat([]byte("x"), 40_000))
		if n, err := all.grow(g, nil, io.Discard); n != 0 || err != nil {
			t.Fatalf("%d secrets, %v", n, err)
		}
	}
	fmt.Fprintf(f, "\nCLIENT_RANDOM %064x %096x\n", 1, 2)
	if n, err := all.grow(g, nil, io.Discard); n != 1 || err != nil {
		t.Errorf("%d secrets, %v, expected the one behind the long line", n, err)
	}
}

// A report in UTF-16 that had only begun when the run did is read when the rest of it comes, and
// its lines are counted once.
func TestAGrowingLogWithAReport(t *testing.T) {
	name := filepath.Join(t.TempDir(), "keys")
	text := fmt.Sprintf("Client Nonce:\n0000: %032x\n0010: %032x\nMaster Secret:\n"+
		"0000: %032x\n0010: %032x\n0020: %032x\n", 1, 2, 3, 4, 5)
	wide := []byte("\xFF\xFE")
	for _, c := range []byte(text) {
		wide = append(wide, c, 0)
	}
	var all secretStore
	g := &growingLog{name: name}
	then := (*keylog.Growing).Flush
	for i, n := range []int{len(wide) / 2, len(wide) - 9, len(wide)} {
		if err := os.WriteFile(name, wide[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		gained, err := all.grow(g, then, io.Discard)
		if want := i / 2; gained != want || err != nil {
			t.Errorf("after %d bytes: %d secrets, expected %d, %v", n, gained, want, err)
		}
		then = nil
	}
	if said := g.describe(); !strings.HasSuffix(said, "keys (UTF-16): 7 lines, 1 usable secret.") {
		t.Error(said)
	}
}

// A key log's last line that has no end when decrypt -f is interrupted is read.
func TestALineWithoutAnEndIsReadAtAnInterrupt(t *testing.T) {
	dir := filepath.Join(testkit.Root(), "testdata", "captures", "keylogs")
	text, err := os.ReadFile(filepath.Join(dir, "k-bom.log"))
	if err != nil {
		t.Fatal(err)
	}
	var out, errs syncBuffer
	// A slow machine may not have read the capture at the interrupt, so later ones are tried too;
	// connections without a secret are given up after patience.
	for wait := 100 * time.Millisecond; wait < patience; wait *= 2 {
		name := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, interrupt := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			run(ctx, []string{"decrypt", "-f", filepath.Join(dir, "t.pcap"), "--keylog", name},
				&out, &errs)
		}()
		time.Sleep(wait)
		err := os.WriteFile(name, bytes.TrimSpace(text), 0o600)
		interrupt()
		<-ended
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "3538 of 3538") {
			return
		}
	}
	t.Errorf("got\n%s%s", out.String(), errs.String())
}

// The events of a connection are kept up to a bound, of whatever kind they are.
func TestAStoryIsBounded(t *testing.T) {
	for _, e := range []trace.Event{&trace.Alert{}, &trace.Message{Raw: make([]byte, 1000)},
		&trace.Record{Fragment: make([]byte, 1000)}} {
		var s story
		for range 100_000 {
			s.Put(trace.Entry{Event: e})
		}
		if n := len(s.Entries) * eventSize; !s.cut || n > 2*maxStory || n == 0 {
			t.Errorf("%T: %d are kept", e, len(s.Entries))
		}
	}
}

// Blocks of pcapng by their numbers.
const (
	sectionBlock   = 0x0A0D0D0A
	interfaceBlock = 1
	packetBlock    = 6
	secretsBlock   = 10
)

// blocksOf returns the blocks of a capture by their kind.
func blocksOf(file []byte) map[uint32][][]byte {
	blocks := map[uint32][][]byte{}
	for len(file) > 0 {
		kind, n := binary.LittleEndian.Uint32(file), binary.LittleEndian.Uint32(file[4:])
		blocks[kind], file = append(blocks[kind], file[:n]), file[n:]
	}
	return blocks
}

// secretsWith returns a Decryption Secrets Block with a key log.
func secretsWith(log []byte) []byte {
	le := binary.LittleEndian
	padded := append(log[:len(log):len(log)], make([]byte, -len(log)&3)...)
	b := le.AppendUint32(nil, secretsBlock)
	b = le.AppendUint32(b, uint32(len(padded)+20))
	b = le.AppendUint32(b, 0x544C534B)
	b = append(le.AppendUint32(b, uint32(len(log))), padded...)
	return le.AppendUint32(b, uint32(len(padded)+20))
}

// Junk among the secrets of a capture, a thousand times, hides neither the secrets nor the packets,
// and little is printed about it; also while the file grows.
func TestJunkAmongTheSecretsOfACapture(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole.pcapng")
	runs(t, exitOK, "handshake", "--tls", "1.3", "--pcap", whole)
	packets, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	blocks := blocksOf(packets)
	if len(blocks) != 4 || len(blocks[secretsBlock]) == 0 {
		t.Fatalf("the capture has %d kinds of blocks", len(blocks))
	}
	random := make([]byte, 1000)
	rand.NewChaCha8([32]byte{11}).Read(random)
	right := bytes.Fields(blocks[secretsBlock][0][16:])
	kinds := map[string]string{
		"nothing": "", "random bytes": string(random), "lines": strings.Repeat("\n", 3000),
		"a long line":    strings.Repeat("A", 20_000),
		"another client": fmt.Sprintf("%s %064x %064x\n", right[0], 1, 1),
		"short values":   "CLIENT_RANDOM 00 00\n", "labels": strings.Repeat("CLIENT_RANDOM ", 100),
		"UTF-16":        "\xFF\xFEC\x00L\x00\n\x00",
		"half a report": "00000000: 43 4c\nSession-ID: 00\nMaster-Key: ",
	}
	for _, name := range testkit.Sample(t, "kinds", 3, slices.Sorted(maps.Keys(kinds))) {
		junk := kinds[name]
		between := bytes.Repeat(secretsWith([]byte(junk)), 1000/len(blocks[packetBlock]))
		var file []byte
		for _, kind := range []uint32{sectionBlock, interfaceBlock, secretsBlock, packetBlock} {
			for _, b := range blocks[kind] {
				file = append(file, b...)
				if kind != sectionBlock {
					file = append(file, between...)
				}
			}
		}
		capture := filepath.Join(t.TempDir(), "junk.pcapng")
		if err := os.WriteFile(capture, file[:len(file)/2+1], 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs syncBuffer
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			run(ctx, []string{"decrypt", "-f", capture}, &out, &errs)
		}()
		f, err := os.OpenFile(capture, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		for part := range slices.Chunk(file[len(file)/2+1:], 1+len(file)/5) {
			time.Sleep(50 * time.Millisecond)
			f.Write(part)
		}
		f.Close()
		said := func(out string) string { return strings.Join(strings.Fields(out), " ") }
		read := func() bool {
			return strings.Contains(said(out.String()),
				"key log, 38 of 38 client's bytes, 61 of 61")
		}
		for ctx.Err() == nil && !read() {
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		<-ended
		_, whole, _ := command(t, "decrypt", capture)
		if !read() || !strings.Contains(said(whole), "key log 38 of 38 61 of 61") ||
			len(errs.String()) > 1500 {
			t.Errorf("%s: %s%s%d bytes of complaints: %.300s", name, out.String(), whole,
				len(errs.String()), errs.String())
		}
	}
}
