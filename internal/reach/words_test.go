package reach

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// Errors of package net are told in words, with the address.
func TestWords(t *testing.T) {
	at := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}
	dial := func(err error) error {
		return fmt.Errorf("x: %w", &net.OpError{Op: "dial", Net: "tcp", Addr: at,
			Err: os.NewSyscallError("connect", err)})
	}
	for want, err := range map[string]error{
		"192.0.2.1:443: connection refused":           dial(syscall.ECONNREFUSED),
		"there is no route to 192.0.2.1:443":          dial(syscall.EHOSTUNREACH),
		"does not allow connections to 192.0.2.1:443": dial(syscall.EPERM),
		"192.0.2.1:443 is no address that":            dial(syscall.EADDRNOTAVAIL),
		"192.0.2.1:443 does not answer":               dial(syscall.ETIMEDOUT),
		"192.0.2.1:443: " + syscall.ENOBUFS.Error():   dial(syscall.ENOBUFS),
		"a.example has no address: no such host": &net.DNSError{Err: "no such host",
			Name: "a.example", Server: "10.0.0.1:53", IsNotFound: true},
		"does not answer when asked for b.example": &net.DNSError{Name: "b.example",
			IsTimeout: true},
		"fails when asked for c.example": &net.DNSError{Name: "c.example",
			Err: "server misbehaving"},
		"no answer in time": os.ErrDeadlineExceeded,
		"something else":    errors.New("something else"),
	} {
		if got := Words(err); !strings.Contains(got, want) {
			t.Errorf("got %q, expected %q", got, want)
		}
	}
}

// What cannot be listened on is told without Go's words.
func TestWhyAnAddressCannotBeListenedOnIsInPlainWords(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for addr, want := range map[string]string{
		l.Addr().String():  "the address is in use",
		"192.0.2.1:0":      "this machine has no such address",
		"127.0.0.1:99999":  "takes ADDRESS:PORT",
		"127.0.0.1":        "takes ADDRESS:PORT",
		"127.0.0.1:nosuch": "nosuch is neither a port nor a service",
	} {
		other, err := net.Listen("tcp", addr)
		if err == nil {
			other.Close()
			t.Errorf("%s: listens", addr)
			continue
		}
		if got := CannotListen(err); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, expected %q", addr, got, want)
		}
	}
}
