package observe_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
)

// wiretap keeps what passes through a connection.
type wiretap struct {
	net.Conn
	read, written bytes.Buffer
}

func (w *wiretap) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.read.Write(p[:n])
	return n, err
}

func (w *wiretap) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.written.Write(p[:n])
	return n, err
}

// What passed by, and the key log that one of the two wrote, are enough to read everything, in any
// order and afterwards.
func Example() {
	ca, err := throwaway.New(throwaway.Options{})
	if err != nil {
		log.Fatal(err)
	}
	cert, err := ca.Issue(throwaway.ECDSA, []string{"localhost"})
	if err != nil {
		log.Fatal(err)
	}
	near, far := net.Pipe()
	go func() {
		server := vitrine.Server(far, &vitrine.Config{Certificates: []vitrine.Certificate{cert}})
		defer server.Close()
		io.WriteString(server, "I am alone with you, am I not?")
	}()
	wire := &wiretap{Conn: near}
	var keys bytes.Buffer
	client := vitrine.Client(wire,
		&vitrine.Config{RootCAs: ca.Pool(), ServerName: "localhost", KeyLogWriter: &keys})
	if _, err := io.ReadAll(client); err != nil {
		log.Fatal(err)
	}

	secrets, err := keylog.Read(&keys)
	if err != nil {
		log.Fatal(err)
	}
	watched := observe.New(observe.KeyLog(secrets), nil)
	watched.Data = func(from iana.Side,
		plain []byte) {
		fmt.Printf("the %v sent %q\n", from, plain)
	}
	for side, b := range map[iana.Side][]byte{iana.Client: wire.written.Bytes(),
		iana.Server: wire.read.Bytes()} {
		if err := watched.Feed(side, b); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// the server sent "I am alone with you, am I not?"
}
