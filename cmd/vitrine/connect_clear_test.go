package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// A server that begins in the clear with another protocol than was asked for, or with TLS at once,
// or that does not agree to TLS, is told, and what works is proved.
func TestTheDialogueBeforeTLSIsTold(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{rig.Certificate(t, throwaway.ECDSA)}}
	// greets begins with a line, and answers each that it receives.
	greets := func(greeting string, answers map[string]string) func(net.Conn) {
		return func(c net.Conn) {
			fmt.Fprintf(c, "%s\r\n", greeting)
			in := bufio.NewReader(c)
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				answer, ok := answers[strings.TrimSpace(line)]
				if !ok {
					answer = "-ERR"
				}
				fmt.Fprintf(c, "%s\r\n", answer)
				if ok && strings.HasPrefix(line, "STLS") {
					tls.Server(c, config).Handshake()
					return
				}
			}
		}
	}
	pop3 := greets("+OK ready", map[string]string{"STLS": "+OK go on"})
	for _, tt := range []struct {
		name, flags string
		serve       func(net.Conn)
		cause       string
		works       string // or nothing
	}{
		{"POP3 asked as SMTP", "--starttls smtp", pop3,
			"the server begins as POP3 does, not as smtp", " --starttls pop3"},
		{"POP3 without being asked", "", pop3, ": the server begins in the clear (pop3), and " +
			"speaks TLS when it is asked to; the line", " --starttls pop3"},
		{"POP3 without TLS", "--starttls pop3", greets("+OK ready", nil),
			": the server speaks POP3, and did not agree to TLS", ""},
		{"TLS at once", "--starttls imap", func(c net.Conn) {
			tls.Server(c, config).Handshake()
			io.Copy(io.Discard, c)
		}, ": the server speaks TLS at once; the line", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := command(t, append([]string{"connect",
				testkit.ServeTCP(t, tt.serve), "-k", "--timeout", "1s", "-i=false", "--sni",
				rig.ServerName}, strings.Fields(tt.flags)...)...)
			flat := strings.Join(strings.Fields(stdout+stderr), " ")
			works := worksWith.FindStringSubmatch(stdout + stderr)
			switch {
			case code != exitUnreached || !strings.Contains(flat, tt.cause),
				(works == nil) != (tt.works == "" && tt.name != "TLS at once"),
				works != nil && !strings.HasSuffix(works[1], tt.works),
				strings.Contains(flat, "speaks another protocol, or"):
				t.Errorf("exit code %d, expected %q and a line %q:\n%s%s", code, tt.cause, tt.works,
					stdout, stderr)
			}
		})
	}
}

// An address that cannot be used leads to the flag that excludes it.
func TestAFamilyWithoutAddressIsTold(t *testing.T) {
	code, stdout, stderr := command(t, "connect", "127.0.0.1:1", "-6", "-i=false")
	flat := strings.Join(strings.Fields(stdout+stderr), " ")
	if code != exitUnreached || !strings.Contains(flat, "has no IPv6 address") ||
		!strings.Contains(flat, "try: vitrine connect 127.0.0.1:1 vitrine:") {
		t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
	}
}
