package conformance_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// In TLS 1.3 close_notify ends one direction alone: whoever has received it goes on sending, as
// long as it likes, and changes its keys. See RFC 8446 §6.1.
func TestTheOtherDirectionStaysOpen(t *testing.T) {
	const size = 1 << 20
	for _, weClose := range []bool{true, false} {
		pairs13(t, func(t *testing.T, ours *vitrine.Conn, peer net.Conn) {
			var closer, other net.Conn = ours, peer
			if !weClose {
				closer, other = peer, ours
			}
			if _, err := closer.Write([]byte("the last words")); err != nil {
				t.Fatal(err)
			}
			if err := closer.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(other); err != nil || string(got) != "the last words" {
				t.Fatalf("got %q, %v", got, err)
			}
			_, both := closer.(*vitrine.Conn) // crypto/tls fails at a request that it cannot answer
			data := bytes.Repeat([]byte("on and on "), size/10)
			done := make(chan error, 1)
			go func() {
				for chunk := data; len(chunk) > 0; chunk = chunk[min(len(chunk), 100_000):] {
					if _, err := other.Write(chunk[:min(len(chunk), 100_000)]); err != nil {
						done <- err
						return
					}
					if c, ok := other.(*vitrine.Conn); ok {
						if err := c.KeyUpdate(both); err != nil {
							done <- err
							return
						}
					}
				}
				done <- other.(interface{ CloseWrite() error }).CloseWrite()
			}()
			got, err := io.ReadAll(closer)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("got %d bytes of %d, %v", len(got), len(data), err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			for what, c := range map[string]net.Conn{"the closer": closer, "the other": other} {
				if _, err := c.Write([]byte("x")); err == nil {
					t.Errorf("%s writes behind its close_notify", what)
				}
				if _, err := c.Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("%s reads %v behind a close_notify", what, err)
				}
				if err := c.Close(); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

// A transport that ends without close_notify may have been cut: it is no end of data, whatever was
// sent the other way. See RFC 8446 §6.1.
func TestACutIsNoEndOfData(t *testing.T) {
	for _, closed := range []bool{false, true} {
		pairs13(t, func(t *testing.T, ours *vitrine.Conn, peer net.Conn) {
			if closed {
				if err := ours.CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := peer.Write([]byte("half of it")); err != nil {
				t.Fatal(err)
			}
			under := peer.(interface{ NetConn() net.Conn }).NetConn()
			if err := under.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(ours)
			if cut, ok := errors.AsType[*vitrine.TruncatedError](err); !ok || cut.Partial ||
				string(got) != "half of it" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// A request for a certificate that comes when we have closed our direction is not answered, and
// harms nothing.
func TestAClosedDirectionAnswersNothing(t *testing.T) {
	late := func(c *vitrine.Config) { only13(c); c.PostHandshakeAuth = true }
	client, server := rig.Pair(t, rig.ClientConfig(late), rig.ServerConfig(t, late))
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := server.RequestClientCertificate(vitrine.RequestClientCert); err != nil {
		t.Fatal(err)
	}
	if err := server.KeyUpdate(true); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Write([]byte("data")); err != nil {
		t.Fatal(err)
	}
	if err := server.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(client); err != nil || string(got) != "data" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := io.ReadAll(server); err != nil || len(got) != 0 {
		t.Errorf("the server got %q, %v", got, err)
	}
}
