package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/session"
)

// Each script is a story of connect and serve. Its "peer NAME KIND" starts a server, and $NAME is
// where it listens; "serve NAME ARGS" starts vitrine serve in this process.
func TestConnectionStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/connections",
		Setup: func(e *testscript.Env) error { return identities(e.WorkDir) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"peer": startPeer, "serve": startServe, "closed": closedPort, "exitcode": exitCode,
			"pin": setPin,
		},
	})
}

// exitCode is the script command "exitcode N COMMAND", which runs COMMAND and expects the exit code
// N.
func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		code = e.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, expected %s", code, args[0])
	}
}

// setPin is the script command that sets a variable to the pin of the key in a certificate's file.
func setPin(ts *testscript.TestScript, _ bool, args []string) {
	block, _ := pem.Decode([]byte(ts.ReadFile(args[1])))
	c, err := x509.ParseCertificate(block.Bytes)
	ts.Check(err)
	ts.Setenv(args[0], fmt.Sprintf("%x", sha256.Sum256(c.RawSubjectPublicKeyInfo)))
}

// closedPort is the script command that sets a variable to an address at which nothing listens.
func closedPort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], address(l))
	l.Close()
}

func address(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "localhost:" + port
}

// startPeer is the script command "peer NAME KIND".
func startPeer(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], address(l))
	var serve func(net.Conn)
	switch kind := args[1]; kind {
	case "server", "expired", "other":
		config := peerConfig(ts, kind)
		serve = func(c net.Conn) { answer(vitrine.Server(c, config)) }
	case "smtp", "imap", "pop3", "ftp", "postgres", "refuses":
		config := peerConfig(ts, "server")
		serve = func(c net.Conn) {
			if clearly(c, kind) {
				answer(vitrine.Server(c, config))
			}
		}
	case "old": // TLS 1.0 and nothing else
		config := peerConfig(ts, "server")
		config.Policy, config.MaxVersion = vitrine.Legacy, uint16(iana.TLS10)
		serve = func(c net.Conn) { answer(vitrine.Server(c, config)) }
	case "wants-certificate", "wants-any-certificate", "asks-for-certificate":
		config := peerConfig(ts, "server")
		config.ClientAuth, config.ClientCAs = clientAuths[kind], pool(ts)
		serve = func(c net.Conn) { answer(vitrine.Server(c, config)) }
	case "early": // takes early data, and was started long ago
		config := peerConfig(ts, "server")
		config.SessionStore, config.MaxEarlyData = session.NewMemory(10), 1000
		config.Time = func() time.Time { return time.Now().Add(-time.Hour) }
		a, b := net.Pipe()
		a.Close()
		vitrine.Server(b, config).Handshake() // the first use of config
		config.Time = nil
		serve = func(c net.Conn) { answerEarly(vitrine.Server(c, config)) }
	case "http":
		serve = func(c net.Conn) {
			c.Read(make([]byte, 4096))
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
		}
	case "strange": // chooses a suite that there is not
		serve = func(c net.Conn) {
			c.Read(make([]byte, 4096))
			hello := append([]byte{22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3}, make([]byte, 33)...)
			c.Write(append(hello, 0xFA, 0xFB, 0))
			io.Copy(io.Discard, c)
		}
	case "stalls":
		serve = func(c net.Conn) { io.Copy(io.Discard, c) }
	case "hangs-up":
		serve = func(c net.Conn) { c.Read(make([]byte, 4096)) }
	case "resets":
		serve = func(c net.Conn) {
			c.Read(make([]byte, 1))
			c.(*net.TCPConn).SetLinger(0)
		}
	case "truncates": // no close_notify
		config := peerConfig(ts, "server")
		serve = func(c net.Conn) {
			s := vitrine.Server(c, config)
			io.WriteString(s, "half of it")
			io.Copy(io.Discard, s)
		}
	case "truncates-head": // within the head of its answer
		config := peerConfig(ts, "server")
		serve = func(c net.Conn) {
			s := vitrine.Server(c, config)
			bufio.NewReader(s).ReadString('\n')
			io.WriteString(s, "HTTP/1.1 20")
		}
	case "http10", "http10-short": // the body ends with the stream, and without close_notify
		config, head := peerConfig(ts, "server"), "HTTP/1.0 200 OK\r\n"
		if kind == "http10-short" {
			head += "Content-Length: 1000\r\n"
		}
		serve = func(c net.Conn) {
			s := vitrine.Server(c, config)
			http.ReadRequest(bufio.NewReader(s))
			io.WriteString(s, head+"\r\nthe whole body\n")
		}
	case "rude": // control characters
		config := peerConfig(ts, "server")
		serve = func(c net.Conn) {
			s := vitrine.Server(c, config)
			bufio.NewReader(s).ReadString('\n')
			io.WriteString(s, "HTTP/1.0 200 \x1b]0;owned\x07\r\n\r\nbody\n")
			s.Close()
		}
	case "connect-proxy":
		serve = proxyConnect
	default:
		ts.Fatalf("no such peer: %s", kind)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); serve(c) }()
		}
	}()
}

func pool(ts *testscript.TestScript) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM([]byte(ts.ReadFile("ca.pem")))
	return p
}

func peerConfig(ts *testscript.TestScript, name string) *vitrine.Config {
	c, err := tls.X509KeyPair([]byte(ts.ReadFile(name+".pem")), []byte(ts.ReadFile(name+".key")))
	ts.Check(err)
	return &vitrine.Config{Certificates: []tls.Certificate{c}}
}

// answer is a small HTTP server, which echoes everything else.
func answer(c *vitrine.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadString('\n')
		if strings.HasPrefix(line, "GET ") {
			for line != "\r\n" && err == nil {
				line, err = in.ReadString('\n')
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n")
			return
		}
		io.WriteString(c, line)
		if err != nil {
			return
		}
	}
}

// answerEarly answers a request that comes as early data.
func answerEarly(c *vitrine.Conn) {
	request := make([]byte, 1000)
	if n, _ := c.ReadEarly(request); n == 0 {
		answer(c)
		return
	}
	fmt.Fprintf(c, "HTTP/1.1 299 Early\r\nContent-Length: 0\r\n\r\n")
	c.Close()
}

// clearly plays the part before TLS.
func clearly(c net.Conn, kind string) bool {
	in := bufio.NewReader(c)
	talk := map[string][]string{
		"smtp":    {"220 mail ESMTP\r\n", "250-mail\r\n250 STARTTLS\r\n", "220 go\r\n"},
		"refuses": {"220 mail ESMTP\r\n", "250 mail\r\n", "502 no\r\n"},
		"imap":    {"* OK here\r\n", "* CAPABILITY STARTTLS\r\na1 OK go\r\n"},
		"pop3":    {"+OK here\r\n", "+OK go\r\n"},
		"ftp":     {"220 FTP\r\n", "234 go\r\n"},
	}[kind]
	if kind == "postgres" {
		io.ReadFull(in, make([]byte, 8))
		io.WriteString(c, "S")
		return true
	}
	for i, say := range talk {
		if i > 0 {
			line, err := in.ReadString('\n')
			if err != nil || line[0] == 0x16 { // a client that speaks TLS at once
				return false
			}
		}
		io.WriteString(c, say)
	}
	return kind != "refuses"
}

// proxyConnect is an HTTP proxy for CONNECT.
func proxyConnect(c net.Conn) {
	in := bufio.NewReader(c)
	request, _ := in.ReadString('\n')
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = in.ReadString('\n'); err != nil {
			return
		}
	}
	back, err := net.Dial("tcp", strings.Fields(request)[1])
	if err != nil {
		io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	defer back.Close()
	io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	go io.Copy(back, in)
	io.Copy(c, back)
}

// startServe is the script command "serve NAME ARGS".
func startServe(ts *testscript.TestScript, _ bool, args []string) {
	for i, a := range args {
		if strings.HasSuffix(a, ".pem") || strings.HasSuffix(a, ".key") ||
			strings.HasSuffix(a, ".p12") || a == "files" {
			args[i] = ts.MkAbs(a)
		}
	}
	s, err := serveInTest(args[1:]...)
	ts.Check(err)
	ts.Setenv(args[0], s.addr)
	ts.Defer(func() {
		s.stop()
		if err := os.WriteFile(ts.MkAbs(args[0]+".log"), []byte(s.out.String()),
			0o600); err != nil {
			ts.Logf("%v", err)
		}
	})
}

// served is a vitrine serve in this process.
type served struct {
	addr      string
	out, errs syncBuffer
	code      int
	cancel    context.CancelFunc
	ended     chan struct{}
}

func (s *served) stop() int {
	s.cancel()
	<-s.ended
	return s.code
}

var listening = regexp.MustCompile(`serves at \S+:(\d+),`)

func serveInTest(args ...string) (*served, error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &served{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		s.code = run(ctx, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...), &s.out,
			&s.errs)
	}()
	for range 1000 {
		if m := listening.FindStringSubmatch(s.errs.String()); m != nil {
			s.addr = "localhost:" + m[1]
			return s, nil
		}
		select {
		case <-s.ended:
			return nil, &exitError{s.code, io.ErrUnexpectedEOF}
		case <-time.After(10 * time.Millisecond):
		}
	}
	cancel()
	return nil, context.DeadlineExceeded
}

// syncBuffer is a buffer that can be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
