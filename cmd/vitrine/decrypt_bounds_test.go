package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
