package conformance_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/trace"
)

// io.Copy uses ReadFrom and WriteTo, which end at the end of the source and at close_notify.
func TestCopyUsesTheConnectionsOwnMethods(t *testing.T) { rig.EachVersion(t, testCopy) }

func testCopy(t *testing.T, version func(*vitrine.Config)) {
	client, server := rig.Configs(t)
	version(client)
	version(server)
	a, b := rig.Pair(t, client, server)
	sent := bytes.Repeat([]byte("a record or two"), 20_000)
	result := make(chan error, 1)
	go func() {
		n, err := io.Copy(io.Writer(a), struct{ io.Reader }{bytes.NewReader(sent)})
		if err == nil && n != int64(len(sent)) {
			err = errors.New("not all of it was sent")
		}
		result <- errors.Join(err, a.Close())
	}()
	var got bytes.Buffer
	n, err := io.Copy(struct{ io.Writer }{&got}, b)
	if sendErr := <-result; err != nil || sendErr != nil || n != int64(len(sent)) ||
		!bytes.Equal(got.Bytes(), sent) {
		t.Errorf("%d of %d bytes: %v, %v", n, len(sent), err, sendErr)
	}
}

// What a writer did not take can still be read.
func TestWriteToLeavesWhatWasNotWritten(t *testing.T) {
	a, b := rig.Pair(t, rig.ClientConfig(), rig.ServerConfig(t))
	if _, err := a.Write([]byte("one two three")); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		w    io.Writer
		want error
	}{{&taking{n: 4, err: errFull}, errFull}, {&taking{n: 4}, io.ErrShortWrite}} {
		if n, err := b.WriteTo(step.w); n != 4 || !errors.Is(err, step.want) {
			t.Errorf("%d bytes, %v, expected 4 and %v", n, err, step.want)
		}
	}
	rest := make([]byte, 5)
	if _, err := io.ReadFull(b, rest); err != nil || string(rest) != "three" {
		t.Errorf("the rest is %q, %v", rest, err)
	}
	if n, err := a.ReadFrom(
		io.MultiReader(strings.NewReader("x"), iotest.ErrReader(errFull)),
	); n != 1 ||
		!errors.Is(err, errFull) {
		t.Errorf("ReadFrom sent %d bytes, %v, expected 1 and the reader's error", n, err)
	}
}

// Counts that no Writer or Reader may return are errors, as in io.Copy, and nothing was copied.
func TestCopyRefusesImpossibleCounts(t *testing.T) {
	for _, count := range []int{-1, 4, 1 << 30} {
		a, b := rig.Pair(t, rig.ClientConfig(), rig.ServerConfig(t))
		if _, err := a.Write([]byte("one")); err != nil {
			t.Fatal(err)
		}
		n, err := b.WriteTo(&taking{n: count})
		if n != 0 || err == nil || errors.Is(err, io.ErrShortWrite) {
			t.Errorf("a Writer took %d of 3 bytes: %d, %v", count, n, err)
		}
		if count == 4 {
			count = 1 << 20
		}
		if n, err := a.ReadFrom(giving(count)); n != 0 || err == nil {
			t.Errorf("a Reader gave %d bytes: %d, %v", count, n, err)
		}
		rest := make([]byte, 3)
		if _, err := io.ReadFull(b, rest); err != nil || string(rest) != "one" {
			t.Errorf("afterwards %q, %v", rest, err)
		}
	}
}

// A Reader that returns neither data nor an error is given up, as in package bufio, and one that
// does so now and then is not.
func TestReadFromGivesUpAReaderThatGivesNothing(t *testing.T) {
	a, b := rig.Pair(t, rig.ClientConfig(), rig.ServerConfig(t))
	if n, err := a.ReadFrom(new(hesitating)); n != 0 || err != io.ErrNoProgress {
		t.Errorf("sent %d bytes: %v, expected %v", n, err, io.ErrNoProgress)
	}
	const data = "what comes slowly"
	if n, err := a.ReadFrom(&hesitating{data: data, each: 99}); n != int64(len(data)) ||
		err != nil {
		t.Errorf("sent %d bytes: %v", n, err)
	}
	got := make([]byte, len(data))
	if _, err := io.ReadFull(b, got); err != nil || string(got) != data {
		t.Errorf("got %q: %v", got, err)
	}
}

// hesitating is a Reader that returns nothing each times before each byte, or always.
type hesitating struct {
	data string
	each int
	left int
}

func (h *hesitating) Read(b []byte) (int, error) {
	if h.each == 0 {
		return 0, nil
	}
	if h.left++; h.left <= h.each {
		return 0, nil
	}
	if h.left = 0; h.data == "" {
		return 0, io.EOF
	}
	n := copy(b, h.data[:1])
	h.data = h.data[1:]
	return n, nil
}

// giving is a Reader that returns a count, and no data.
type giving int

func (r giving) Read([]byte) (int, error) { return int(r), io.EOF }

// WriteTo reports a stream that was cut, as Read does: RFC 8446 §6.1.
func TestWriteToReportsTruncation(t *testing.T) {
	a, b := rig.Pair(t, rig.ClientConfig(), rig.ServerConfig(t))
	a.NetConn().Close()
	if _, err := b.WriteTo(io.Discard); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v, expected io.ErrUnexpectedEOF", err)
	}
}

var errFull = errors.New("full")

// taking is a writer that takes n bytes of each Write.
type taking struct {
	n   int
	err error
}

func (w *taking) Write([]byte) (int, error) { return w.n, w.err }

// The first record of data fits into a packet of 1,208 bytes, and each one is a packet longer until
// they have their full length.
func TestTheFirstRecordsOfDataAreShort(t *testing.T) {
	rig.EachVersion(t, testTheFirstRecordsOfDataAreShort)
}

func testTheFirstRecordsOfDataAreShort(t *testing.T, version func(*vitrine.Config)) {
	for _, c := range []struct {
		what string
		edit func(*vitrine.Config)
		full int // the longest plaintext
		grow bool
	}{
		{"by default", func(*vitrine.Config) {}, 1 << 14, true},
		{"in the Config", func(c *vitrine.Config) { c.DynamicRecordSizingDisabled = true }, 1 << 14,
			false},
		{"with a limit", func(c *vitrine.Config) { c.MaxFragmentLength = 1024 }, 1024, false},
		{"with padding", func(c *vitrine.Config) { c.RecordPadding = func(int) int { return 0 } },
			1 << 14, false},
	} {
		var events trace.Memory
		client, server := rig.ClientConfig(version, c.edit), rig.ServerConfig(t, version)
		client.Trace = &events
		a, b := rig.Pair(t, client, server)
		const total = 200 << 10
		done := make(chan error)
		go func() { _, err := a.Write(make([]byte, total)); done <- err }()
		if _, err := io.CopyN(io.Discard, b, total); err != nil || <-done != nil {
			t.Fatal(err)
		}
		packets, rest := 0, total
		for _, e := range events.Entries {
			r, ok := e.Event.(*trace.Record)
			if !ok || r.ContentType != iana.RecordApplicationData || r.From != iana.Client {
				continue
			}
			packets++
			n, want := len(r.Plaintext), c.full
			if c.grow {
				want = min(want, packets*(1208-len(r.Header)-len(r.Fragment)+len(r.Plaintext)))
			}
			if want = min(want, rest); n != want {
				t.Errorf("%s: record %d has %d bytes of data, expected %d", c.what, packets, n,
					want)
			}
			rest -= n
		}
		if rest > 0 {
			t.Errorf("%s: no events of %d bytes", c.what, rest)
		}
	}
}
