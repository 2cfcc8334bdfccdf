package vitrine_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
)

// A client that sends a harmless request before the handshake is done, where it can, and a server
// that reads it apart from the rest. Ten seconds after the start the second connection's request
// would be accepted.
func ExampleConn_WriteEarly() {
	ca := exampleCA()
	server := &vitrine.Config{
		Certificates: []vitrine.Certificate{issue(ca, throwaway.ECDSA)},
		SessionStore: session.NewMemory(10000),
		MaxEarlyData: 1 << 14,
	}
	addr, stop := answerEarly(server)
	defer stop()
	client := &vitrine.Config{RootCAs: ca.Pool(), ServerName: "localhost",
		ClientSessionCache: vitrine.NewLRUClientSessionCache(0)}
	for range 2 {
		raw, err := net.Dial("tcp", addr)
		if err != nil {
			log.Fatal(err)
		}
		conn := vitrine.Client(raw, client)
		request := []byte("what time is it?")
		_, early := conn.WriteEarly(request)
		err = conn.Handshake()
		if errors.Is(early, vitrine.ErrNoEarlyData) ||
			errors.Is(err, vitrine.ErrEarlyDataRejected) {
			_, err = conn.Write(request) // the server has not read it
		}
		if err != nil {
			log.Fatal(err)
		}
		answer := make([]byte, 4)
		if _, err := io.ReadFull(conn, answer); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s, early data: %v\n", answer, conn.ConnectionState().EarlyData)
		conn.Close()
	}
	// Output:
	// late, early data: none
	// late, early data: rejected
}

// answerEarly serves clients that ask something, early or late, and returns the address.
func answerEarly(config *vitrine.Config) (addr string, stop func()) {
	l, err := vitrine.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		log.Fatal(err)
	}
	serve := func(conn *vitrine.Conn) {
		defer conn.Close()
		buf := make([]byte, 1<<14)
		if n, err := conn.ReadEarly(buf); n > 0 && err == nil {
			conn.WriteEarly([]byte("soon")) // what may be asked twice
			return
		}
		if _, err := conn.Read(buf); err == nil {
			conn.Write([]byte("late"))
		}
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn.(*vitrine.Conn))
		}
	}()
	return l.Addr().String(), func() { l.Close() }
}
