package main

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
)

// Over the wire: the server is another process, and a client measures how long its answer takes.

// host has a server's two certificates; the parent hands their keys to the child.
type host struct{ ecdsa, rsa tls.Certificate }

func newHost() (*host, error) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		return nil, err
	}
	h := new(host)
	if h.ecdsa, err = ca.Issue(throwaway.ECDSA, []string{"localhost"}); err != nil {
		return nil, err
	}
	h.rsa, err = ca.Issue(throwaway.RSA, []string{"localhost"})
	return h, err
}

// serve answers clients with what is off by default: RSA key exchange and CBC, MAC then encrypt.
func (h *host) serve(l net.Listener) error {
	config := &vitrine.Config{Policy: vitrine.Legacy, MaxVersion: vitrine.VersionTLS12,
		Certificates: []tls.Certificate{h.ecdsa, h.rsa}, SessionTicketsDisabled: true}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			c.SetDeadline(time.Now().Add(time.Minute))
			io.Copy(io.Discard, vitrine.Server(c, config))
		}()
	}
}

// serveChild is the other process: it prints its address and the chain of its RSA key, and ends
// with its standard input.
func serveChild() error {
	h, err := newHost()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("%s %x\n", l.Addr(), h.rsa.Certificate[0])
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return h.serve(l)
}

// startChild starts the server, which ends with ctx, and returns its address and RSA key.
func startChild(ctx context.Context) (addr string, key *rsa.PublicKey, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-serve")
	cmd.Stderr = os.Stderr
	if _, err = cmd.StdinPipe(); err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", nil, err
	}
	var der []byte
	if _, err = fmt.Fscanf(out, "%s %x\n", &addr, &der); err != nil {
		return "", nil, fmt.Errorf("the server says nothing: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return "", nil, err
	}
	return addr, cert.PublicKey.(*rsa.PublicKey), nil
}

// An asker asks a server one thing, over a connection of its own.
type asker struct {
	addr string
	conn net.Conn
	send []byte // what is answered with an alert
	buf  [1 << 14]byte
}

// fatal ends the program: a measurement with other answers is worth nothing.
func fatal(err error) {
	fmt.Fprintln(os.Stderr, "timing: over the wire:", err)
	os.Exit(1)
}

func (a *asker) dial() {
	var err error
	if a.conn, err = net.Dial("tcp", a.addr); err != nil {
		fatal(err)
	}
	a.conn.SetDeadline(time.Now().Add(time.Minute))
}

// ask is what is measured: the last flight, until the server's alert has come.
func (a *asker) ask([]byte) {
	_, err := a.conn.Write(a.send)
	if err == nil {
		_, err = io.ReadAtLeast(a.conn, a.buf[:], record.HeaderLen)
	}
	if err == nil && iana.ContentType(a.buf[0]) != iana.RecordAlert {
		err = fmt.Errorf("got a record of %v, expected an alert", iana.ContentType(a.buf[0]))
	}
	if err != nil {
		fatal(err)
	}
}

func (a *asker) done() { a.conn.Close() }

// framed is a record of TLS 1.2.
func framed(t iana.ContentType, content []byte) []byte {
	return append([]byte{byte(t), 3, 3, byte(len(content) >> 8), byte(len(content))}, content...)
}

// wireRSA sends pre_master_secrets, and a Finished that nobody can read: the answer is the same for
// all. See RFC 5246 §7.4.7.1.
func wireRSA(addr string, key *rsa.PublicKey) (*place, error) {
	hello, err := message.Dialect{Version: iana.TLS12}.Encode(&message.ClientHello{
		Version:            iana.TLS12,
		CipherSuites:       []iana.CipherSuite{iana.TLS_RSA_WITH_AES_128_CBC_SHA},
		CompressionMethods: []iana.CompressionMethod{iana.CompressionNull}})
	if err != nil {
		return nil, err
	}
	hello = framed(iana.RecordHandshake, hello)
	finished := framed(iana.RecordHandshake, random(64))
	a := &asker{addr: addr}
	before := func(in []byte) {
		a.dial()
		if _, err := a.conn.Write(hello); err != nil {
			fatal(err)
		}
		for n := 0; !bytes.HasSuffix(a.buf[:n], []byte{byte(iana.ServerHelloDone), 0, 0, 0}); {
			more, err := a.conn.Read(a.buf[n:])
			if n += more; err != nil {
				fatal(err)
			}
		}
		k := len(in)
		exchange := append([]byte{byte(iana.ClientKeyExchange), 0, byte((k + 2) >> 8), byte(k + 2),
			byte(k >> 8), byte(k)}, in...)
		a.send = slices.Concat(framed(iana.RecordHandshake, exchange),
			framed(iana.RecordChangeCipherSpec, []byte{1}), finished)
	}
	return &place{name: "over the wire, RSA", slow: true, before: before, run: a.ask, after: a.done,
		classes: rsaClasses(key)}, nil
}

// spoiler changes one byte of what is written once at is set, and keeps it back.
type spoiler struct {
	net.Conn
	kept *[]byte
}

func (s spoiler) Write(p []byte) (int, error) {
	if *s.kept != nil {
		*s.kept = append(*s.kept, p...)
		return len(p), nil
	}
	return s.Conn.Write(p)
}

// wireCBC sends one record of data in which one byte is wrong: see RFC 5246 §6.2.3.2. An input says
// which byte, from the end if it is negative, and what is changed in it.
func wireCBC(addr string) *place {
	a := &asker{addr: addr}
	data := random(300)
	before := func(in []byte) {
		a.dial()
		var kept []byte
		c := vitrine.Client(spoiler{a.conn, &kept}, &vitrine.Config{Policy: vitrine.Legacy,
			InsecureSkipVerify: true, MaxVersion: vitrine.VersionTLS12,
			CipherSuites:   []uint16{uint16(iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)},
			EncryptThenMAC: vitrine.Off})
		err := c.Handshake()
		kept = []byte{}
		if err == nil {
			_, err = c.Write(data)
		}
		if err != nil {
			fatal(err)
		}
		at := int(int8(in[0]))
		if at < 0 {
			at += len(kept)
		}
		kept[at] ^= in[1]
		a.send = slices.Clone(kept)
	}
	at := func(name string, at int, change byte) class {
		return class{name: name, inputs: [][]byte{{byte(at), change}}}
	}
	return &place{name: "over the wire, CBC", slow: true, before: before, run: a.ask, after: a.done,
		classes: []class{
			at("first byte of the data wrong", record.HeaderLen, 1),
			at("length of the padding wrong, by 1", -17, 1),
			at("length of the padding wrong, by 128", -17, 128),
			at("the last block is another", -1, 1),
		}}
}

// wirePlaces are measured against a server at addr.
func wirePlaces(addr string, key *rsa.PublicKey) ([]*place, error) {
	p, err := wireRSA(addr, key)
	if err != nil {
		return nil, err
	}
	planted := *p
	planted.name = "planted, over the wire: 20 µs"
	planted.classes = []class{p.classes[0], p.classes[0]}
	planted.classes[1].name, planted.classes[1].more = "and 20 µs more", func() {
		for begin := time.Now(); time.Since(begin) < 20*time.Microsecond; {
		}
	}
	return []*place{p, &planted, wireCBC(addr)}, nil
}
