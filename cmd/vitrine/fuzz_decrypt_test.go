package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// ways are how decrypt is asked: CAPTURE is the file, also on standard input, KEYS that of secrets,
// HEX its first bytes, and OUT a folder. Above narrow the same is asked on a narrow screen.
var ways = []string{
	"CAPTURE --keylog KEYS --print --inner",
	"CAPTURE --keylog KEYS --json --inner",
	"CAPTURE --keylog KEYS --out OUT/plain --stream 0-3",
	"CAPTURE --rsa-key KEYS --detail bytes,keys",
	"CAPTURE --keylog KEYS --html OUT/a.html --events OUT/a.json --keylog-out OUT/k --pcap OUT/p",
	"CAPTURE --master-secret @KEYS --print",
	"CAPTURE --pre-master-secret @KEYS",
	"CAPTURE --psk @KEYS --json",
	"CAPTURE --dh-private @KEYS --reveal --detail keys",
	"CAPTURE --resumption-secret @KEYS --print",
	"CAPTURE --sni localhost,*.example.com --port 443 --host 127.0.0.1",
	"CAPTURE --rsa-key KEYS --print --json",
	"CAPTURE",
	"CAPTURE --keylog KEYS",
	"CAPTURE --stream eap --keylog KEYS",
	"CAPTURE --json",
	"CAPTURE --keylog KEYS --detail steps",
	"CAPTURE CAPTURE --keylog KEYS",
	"OUT",
	"CAPTURE --keylog OUT/none",
	"CAPTURE --master-secret HEX",
	"CAPTURE KEYS",
	"CAPTURE --keylog KEYS --out KEYS/under",
	"CAPTURE --port 1",
	"OUT/none",
	"CAPTURE --keylog KEYS --out OUT/new/folder --pcap OUT/none/p",
	"CAPTURE --psk HEX --reveal",
	"CAPTURE CAPTURE --keylog KEYS --pcap OUT/p --html OUT/a.html --events OUT/none/e",
	"-f CAPTURE --keylog KEYS",
	"-f CAPTURE --keylog KEYS --json",
	"-f CAPTURE --keylog KEYS --print --pcap OUT/p",
	"- --keylog KEYS --pcap OUT/p --keylog-out OUT/k",
	"CAPTURE --keylog KEYS --stream 0 --sni localhost --events OUT/e",
}

// followed is the first of the ways that read a capture which grows; here they do so for a moment.
const followed = 28

// narrow is added to a way for a screen of 60 columns.
const narrow = 128

// full is a writer whose device is full after some bytes.
type full struct {
	bytes.Buffer
	room int
}

func (w *full) Write(b []byte) (int, error) {
	if w.room -= len(b); w.room < 0 {
		return 0, errors.New("no space left on device")
	}
	return w.Buffer.Write(b)
}

// FuzzDecrypt: the whole of vitrine decrypt, with any file and any secrets. It ends with an exit
// code and, whatever the file has, prints no control characters and does not panic.
func FuzzDecrypt(f *testing.F) {
	keep := testkit.SampleSeeds(11)
	for _, c := range recordedCases(f) {
		if keep() {
			f.Add(c.file, c.keys, c.way, c.room)
		}
	}
	f.Fuzz(func(t *testing.T, file, secrets []byte, way byte, room uint16) {
		if len(file) > 64<<10 {
			return
		}
		dir := t.TempDir()
		capture, keys := filepath.Join(dir, "c.pcap"), filepath.Join(dir, "keys")
		if os.WriteFile(capture, file, 0o600) != nil || os.WriteFile(keys, secrets, 0o600) != nil {
			t.Fatal("cannot write")
		}
		args := strings.Fields(strings.NewReplacer(
			"CAPTURE",
			capture,
			"KEYS",
			keys,
			"OUT",
			dir,
			"HEX",
			fmt.Sprintf("%x", secrets[:min(len(secrets), 48)]),
		).Replace(ways[int(way%narrow)%len(ways)]))
		if way >= narrow {
			t.Setenv("COLUMNS", "60")
		}
		ctx, stop := context.Background(), context.CancelFunc(func() {})
		if args[0] == "-f" {
			ctx, stop = context.WithTimeout(ctx, 20*time.Millisecond)
		}
		defer stop()
		in, err := os.Open(capture)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		defer func(was *os.File) { os.Stdin = was }(os.Stdin)
		os.Stdin = in
		out, errs := full{room: int(room)}, bytes.Buffer{}
		if room == 0 {
			out.room = 64 << 20
		}
		code := run(ctx, append([]string{"decrypt"}, args...), &out, &errs)
		if code != exitOK && code != exitInterrupted && errs.Len() == 0 && out.Len() == 0 {
			t.Fatalf("%v: exit code %d without a word", args, code)
		}
		for _, r := range out.String() + errs.String() {
			if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
				t.Fatalf("%v: %U is printed", args, r)
			}
		}
	})
}

// recordedCase is a capture, secrets for it, and how decrypt is asked.
type recordedCase struct {
	file, keys []byte
	way        byte
	room       uint16 // how much can be printed; 0 is all
}

// recordedCases are the small captures of the repository, each asked in some ways: with the secrets
// that fit in all of those that take them.
func recordedCases(f *testing.F) (all []recordedCase) {
	fits := map[string][]byte{
		"keylog":  {0, 1, 2, 4, 13, 14, 16},
		"rsa_key": {3, 11},
		"psk":     {7},
		"":        {12},
	}
	root := filepath.Join(testkit.Root(), "testdata")
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil && !os.IsNotExist(err) {
			f.Fatal(err)
		}
		return b
	}
	var index struct {
		Cases []struct {
			File    string
			Secrets map[string]string
		}
	}
	if err := json.Unmarshal(read("captures/index.json"), &index); err != nil {
		f.Fatal(err)
	}
	added := 0
	add := func(name, kind string, keys []byte) {
		b := read(name)
		if added++; len(b) == 0 || len(b) >= 12000 ||
			strings.Contains(name, "/snet/") && added%6 != 0 { // they differ in the suite alone
			return
		}
		spoilt := bytes.Clone(b[min(len(b)-1, 40):])
		spoilt[len(spoilt)*(added%97)/97]++
		all = append(all, recordedCase{b, keys, fits[kind][added%len(fits[kind])], 0},
			recordedCase{b, keys, byte(added), uint16(added % 3 * 700)},
			recordedCase{append(bytes.Clone(b[:min(len(b)-1, 40)]), spoilt...), keys,
				byte(added / 2), 0})
	}
	for _, c := range index.Cases {
		add(filepath.Join("captures", c.File), "", nil)
		for _, kind := range slices.Sorted(maps.Keys(c.Secrets)) {
			secret := c.Secrets[kind]
			if b := read(filepath.Join("captures", secret)); kind != "psk" && len(b) > 0 {
				add(filepath.Join("captures", c.File), kind, b)
			} else {
				add(filepath.Join("captures", c.File), kind, []byte(secret))
			}
		}
	}
	for _, folder := range []string{"cases", "captures/hostile", "captures/partial"} {
		keys := read(folder + "/keys.log")
		err := filepath.WalkDir(
			filepath.Join(root, folder),
			func(path string, d fs.DirEntry, err error) error {
				if err == nil && strings.Contains(path, ".pcap") {
					name, _ := filepath.Rel(root, path)
					near := read(filepath.Join(filepath.Dir(name), "keys.log"))
					if len(near) == 0 {
						near = keys
					}
					add(name, "keylog", near)
					add(name, "", nil)
				}
				return err
			},
		)
		if err != nil {
			f.Fatal(err)
		}
	}
	if len(all) < 50 {
		f.Fatalf("%d captures", len(all))
	}
	packets, keys := nested(f, tls.VersionTLS13, tls.VersionTLS12)
	file, err := os.ReadFile(packets)
	if err != nil {
		f.Fatal(err)
	}
	secrets, err := os.ReadFile(keys)
	if err != nil {
		f.Fatal(err)
	}
	one := mixed(f, 1)
	for way := range ways {
		all = append(all, recordedCase{file, secrets, byte(way), 0},
			recordedCase{mixed(f, 9), nil, byte(way), uint16(way % 4 * 70)},
			recordedCase{one, nil, byte(way), 0})
	}
	big, log := long(f)
	for _, way := range []byte{0, 1, 2} {
		all = append(all, recordedCase{big, log, way, 0})
	}
	for _, way := range []byte{1, 12} {
		all = append(all, recordedCase{otherPackets(), nil, way, 0})
	}
	for _, way := range []byte{13, followed, 32} {
		all = append(all, recordedCase{file, secrets, narrow + way, 0})
	}
	return slices.Concat(all, earlyCases(f), logCases(file))
}

// mixed is a capture of connections that are not of TLS, or say a hello and no more.
func mixed(f *testing.F, most int) []byte {
	var out bytes.Buffer
	w := capture.NewWriter(&out, capture.WriterOptions{})
	for i, said := range []string{"GET / HTTP/1.1\r\n\r\n", "SSH-2.0-x\r\n", "\x16\x03\x01\x00\x05",
		"\x15\x03\x03\x00\x02\x02\x28", "EHLO x\r\n", "\x00\x01"} {
		if i >= most {
			break
		}
		at := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(40000+i))
		c := w.Connection(at, netip.MustParseAddrPort("192.0.2.2:443"))
		c.Send(iana.Client, time.Unix(1, 0), []byte(said))
		c.Send(iana.Server, time.Unix(1, 0), []byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	}
	if err := w.Flush(); err != nil {
		f.Fatal(err)
	}
	return out.Bytes()
}
