package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

var captureMiB = flag.Int("capture-mib", 64, "data in the captures of BenchmarkDecrypt, in MiB")

// recording is a capture made by a benchmark, with its secrets.
type recording struct {
	file, keyLog, rsaKey string
	bytes                int64
	sum                  string // of the server's data in stream 0
}

// record captures connections over a loopback socket, each with size bytes from the server.
func record(tb testing.TB, suite iana.CipherSuite, sessions, size int) recording {
	tb.Helper()
	dir := tb.TempDir()
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := ca.Issue(throwaway.RSA, []string{"vitrine.test"})
	if err != nil {
		tb.Fatal(err)
	}
	r := recording{file: filepath.Join(dir, "capture.pcap"), keyLog: filepath.Join(dir, "keys.log"),
		rsaKey: filepath.Join(dir, "server.key")}
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(r.rsaKey,
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		tb.Fatal(err)
	}
	f, err := os.Create(r.file)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	keys, err := os.Create(r.keyLog)
	if err != nil {
		tb.Fatal(err)
	}
	defer keys.Close()
	raw := new(bytes.Buffer)
	w := capture.NewWriter(raw, capture.WriterOptions{})
	client := &vitrine.Config{RootCAs: ca.Pool(), ServerName: "vitrine.test",
		MaxVersion: vitrine.VersionTLS12, CipherSuites: []uint16{uint16(suite)}, KeyLogWriter: keys,
		SessionTicketsDisabled: true}
	server := client.Clone()
	server.Certificates, server.KeyLogWriter = append(server.Certificates, cert), nil
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	block := bytes.Repeat([]byte("all that glitters is not gold; "), 1<<10)
	sum := sha256.New()
	for i := range sessions {
		var wg sync.WaitGroup
		wg.Go(func() {
			conn, err := l.Accept()
			if err != nil {
				tb.Error(err)
				return
			}
			c := vitrine.Server(conn, server)
			defer c.Close()
			for left := size; left > 0; {
				n, err := c.Write(block[:min(left, len(block))])
				if err != nil {
					tb.Error(err)
					return
				}
				if i == 0 {
					sum.Write(block[:n])
				}
				left -= n
			}
		})
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			tb.Fatal(err)
		}
		c := vitrine.Client(capture.Tap(conn, w, iana.Client), client)
		if _, err := io.Copy(io.Discard, c); err != nil {
			tb.Fatal(err)
		}
		c.Close()
		wg.Wait()
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := asEthernet(f, raw); err != nil {
		tb.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	r.bytes, r.sum = info.Size(), hex.EncodeToString(sum.Sum(nil))
	return r
}

// asEthernet rewrites a capture as a pcap of Ethernet frames, since ssldump reads little else.
func asEthernet(w io.Writer, in io.Reader) error {
	r, err := capture.Open(in)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<20)
	le := binary.LittleEndian
	head := le.AppendUint32(nil, 0xA1B2C3D4)
	head = le.AppendUint32(head, 2|4<<16)
	head = append(head, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 1, 0, 0, 0)
	out.Write(head)
	for {
		p, err := r.Next()
		if err == io.EOF {
			return out.Flush()
		}
		if err != nil {
			return err
		}
		n := uint32(14 + len(p.Data))
		b := le.AppendUint32(nil, uint32(p.Time.Unix()))
		b = le.AppendUint32(b, uint32(p.Time.Nanosecond()/1000))
		b = le.AppendUint32(le.AppendUint32(b, n), n)
		b = append(b, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0)
		out.Write(b)
		out.Write(p.Data)
	}
}

// BenchmarkDecrypt compares Vitrine with tshark and ssldump on the same captures. tshark gets the
// option without which it loses data silently, and its output is checked. The output of ssldump
// depends on its version, so it is only timed.
func BenchmarkDecrypt(b *testing.B) {
	short := [2]int{3000, 2000}
	long := [2]int{1, *captureMiB << 20}
	for _, c := range []struct {
		name    string
		suite   iana.CipherSuite
		of      [2]int
		withRSA bool
	}{
		{"CBC-SHA256", iana.TLS_RSA_WITH_AES_128_CBC_SHA256, long, false},
		{"AES-GCM", iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, long, false},
		{"3000-sessions-rsa-key", iana.TLS_RSA_WITH_AES_128_GCM_SHA256, short, true},
		{"3000-sessions-key-log", iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, short, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := record(b, c.suite, c.of[0], c.of[1])
			b.Run("vitrine", func(b *testing.B) { r.vitrine(b, c.withRSA) })
			b.Run("tshark", func(b *testing.B) { r.tshark(b, c.withRSA, c.of[0]) })
			b.Run("ssldump", func(b *testing.B) { r.ssldump(b, c.withRSA) })
		})
	}
}

func (r *recording) vitrine(b *testing.B, withRSA bool) {
	b.SetBytes(r.bytes)
	args := []string{"decrypt", r.file, "--json", "--keylog", r.keyLog}
	if withRSA {
		args = []string{"decrypt", r.file, "--json", "--rsa-key", r.rsaKey}
	}
	for b.Loop() {
		var out, errs bytes.Buffer
		if code := run(context.Background(), args, &out, &errs); code != 0 {
			b.Fatalf("exit code %d: %s%s", code, &errs, &out)
		}
		var row jsonRow
		if err := json.NewDecoder(&out).Decode(&row); err != nil || row.ToClient.SHA256 != r.sum {
			b.Fatalf("%v, %s, expected %s", err, row.ToClient.SHA256, r.sum)
		}
	}
}

func (r *recording) tshark(b *testing.B, withRSA bool, sessions int) {
	b.SetBytes(r.bytes)
	args := []string{"-n", "-r", r.file, "-d", "tcp.port==" + r.port(b) + ",tls", "-o",
		"tcp.reassemble_out_of_order:TRUE"}
	if withRSA {
		args = append(args, "-o", "uat:rsa_keys:\""+r.rsaKey+"\",\"\"")
	} else {
		args = append(args, "-o", "tls.keylog_file:"+r.keyLog)
	}
	if sessions == 1 {
		args = append(args, "-q", "-z", "follow,tls,raw,0")
	} else {
		args = append(args, "-T", "fields", "-e", "tls.app_data", "-Y", "tls.app_data")
	}
	for b.Loop() {
		out := runTool(b, "tshark", args...)
		if sessions > 1 {
			continue
		}
		sum := sha256.New()
		for line := range bytes.Lines(out) {
			// the server's lines are indented
			if text, ok := bytes.CutPrefix(bytes.TrimRight(line, "\n"), []byte("\t")); ok {
				data := make([]byte, hex.DecodedLen(len(text)))
				if _, err := hex.Decode(data, text); err == nil {
					sum.Write(data)
				}
			}
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != r.sum {
			b.Errorf("tshark's data is %s, expected %s", got, r.sum)
		}
	}
}

func (r *recording) ssldump(b *testing.B, withRSA bool) {
	b.SetBytes(r.bytes)
	args := []string{"-r", r.file, "-d", "-n", "-q", "-l", r.keyLog}
	if withRSA {
		args = []string{"-r", r.file, "-d", "-n", "-q", "-k", r.rsaKey}
	}
	if _, err := exec.LookPath("ssldump"); err != nil {
		b.Skip("ssldump is not installed")
	}
	for b.Loop() {
		if out, err := exec.Command("ssldump", args...).CombinedOutput(); err != nil {
			b.Skipf("%v: %.100s", err, out) // it crashes on some of these captures
		}
	}
}

// port returns the server's port.
func (r *recording) port(b *testing.B) string {
	_, out, _ := func() (int, string, string) {
		var out, errs bytes.Buffer
		code := run(context.Background(), []string{"decrypt", r.file, "--json", "--stream", "0"},
			&out, &errs)
		return code, out.String(), errs.String()
	}()
	var row jsonRow
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&row); err != nil {
		b.Fatal(err)
	}
	return row.Server[strings.LastIndexByte(row.Server, ':')+1:]
}

// runTool runs a program, and skips the test if it is not installed.
func runTool(tb testing.TB, name string, args ...string) []byte {
	tb.Helper()
	if _, err := exec.LookPath(name); err != nil {
		tb.Skipf("%s is not installed", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) || err != nil {
		tb.Fatal(fmt.Sprint(name, ": ", err, stderr.String()))
	}
	return out
}
