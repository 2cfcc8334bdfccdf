package capture

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

var update = flag.Bool("update", false, "ask tshark anew what the streams of the captures are")

// oracle is testdata/captures/streams.json: by capture, the streams that have data, as tshark
// reassembles them. It was asked once, so that the test runs without it.
type oracle struct {
	Tshark string
	Files  map[string][]oracleStream
}

type oracleStream struct {
	Stream         int
	Client, Server string
	Said           [2]string // "bytes sha256" of each side
}

func summary(b []byte) string { return fmt.Sprintf("%d %x", len(b), sha256.Sum256(b)) }

func TestStreamsMatchTshark(t *testing.T) {
	file := filepath.Join(testkit.Root(), "testdata", "captures", "streams.json")
	var o oracle
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil && !*update {
		t.Fatal(err)
	}
	if *update {
		o = oracle{tsharkVersion(t), map[string][]oracleStream{}}
	}
	files, streams, size := 0, 0, 0
	for _, c := range index(t) {
		t.Run(c.ID, func(t *testing.T) {
			name := filepath.Join(c.dir, c.File)
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got, a, err := assemble(f)
			if err != nil {
				t.Error(err)
			}
			if *update {
				o.Files[c.File] = ask(t, name, a.streams, got)
			}
			if len(o.Files[c.File]) == 0 || len(o.Files[c.File]) != len(got) {
				t.Errorf("%d streams with data, expected %d", len(got), len(o.Files[c.File]))
			}
			for _, want := range o.Files[c.File] {
				size += check(t, got[want.Stream], want)
				streams++
			}
			files++
		})
	}
	if *update {
		text, err := json.MarshalIndent(o, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d files, %d streams with data, %d bytes", files, streams, size)
}

// check compares a stream with what tshark made of it.
func check(t *testing.T, c *conversation, want oracleStream) (size int) {
	if c == nil {
		t.Errorf("stream %d: nothing, expected %v", want.Stream, want)
		return 0
	}
	got := oracleStream{c.Stream, c.Client.String(), c.Server.String(),
		[2]string{summary(c.sent[0]), summary(c.sent[1])}}
	if got != want || c.gaps != [2]int64{} || c.ended != 1 {
		t.Errorf("got %v, with %d bytes missing, ended %d times, expected %v", got, c.gaps, c.ended,
			want)
	}
	return len(c.sent[0]) + len(c.sent[1])
}

// ask has tshark follow all streams of a file, and one more: it must not know another.
func ask(t *testing.T, name string, n int, got listener) (out []oracleStream) {
	for i, f := range follow(t, name, n+1) {
		if len(f.sent[0])+len(f.sent[1]) == 0 {
			continue
		}
		client := 0
		if c := got[i]; c != nil && c.Client.String() == f.nodes[1] {
			client = 1
		}
		s := oracleStream{Stream: i, Client: f.nodes[client], Server: f.nodes[1-client]}
		s.Said[iana.Client], s.Said[iana.Server] = summary(f.sent[client]),
			summary(f.sent[1-client])
		out = append(out, s)
	}
	return out
}

func tsharkVersion(t *testing.T) string {
	version := tshark(t, "--version")
	return version[:len("TShark (Wireshark) 4.0.17")]
}

func TestEveryCaptureYieldsItsPacketsAndSecrets(t *testing.T) {
	packets, embedded := 0, map[SecretsType]int{}
	comments := 0
	for _, c := range index(t) {
		f, err := os.Open(filepath.Join(c.dir, c.File))
		if err != nil {
			t.Fatal(err)
		}
		in, err := Open(f)
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		found := 0
		in.Secrets = func(typ SecretsType, b []byte) { embedded[typ]++; found++ }
		in.Comment = func(string) { comments++ }
		for p, err := in.Next(); err == nil; p, err = in.Next() {
			if packets++; p.Time.IsZero() || p.Length < len(p.Data) || len(p.Data) == 0 {
				t.Errorf("%s: packet %d: %v, %d of %d bytes", c.ID, p.Number, p.Time, len(p.Data),
					p.Length)
			}
		}
		if _, want := c.Secrets["embedded"]; want != (found > 0) {
			t.Errorf("%s: %d secrets blocks, expected some: %v", c.ID, found, want)
		}
		f.Close()
	}
	t.Logf("%d packets, secrets blocks %v, %d comments", packets,
		slices.Collect(maps.Values(embedded)), comments)
}
