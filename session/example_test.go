package session_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
)

// database stands for one that several servers share. It holds master secrets, and should be
// guarded like private keys.
type database struct {
	mu   sync.Mutex
	rows map[string][]byte
}

func (d *database) Get(ctx context.Context, id []byte) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rows[string(id)], ctx.Err()
}

func (d *database) Put(ctx context.Context, id, value []byte, lifetime time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rows[string(id)] = value
	fmt.Println("stored for at most", lifetime)
	return ctx.Err()
}

// Two servers share a store: a session that began at one is resumed at the other.
func ExampleStore() {
	ca, err := throwaway.New(throwaway.Options{})
	if err != nil {
		log.Fatal(err)
	}
	cert, err := ca.Issue(throwaway.ECDSA, []string{"localhost"})
	if err != nil {
		log.Fatal(err)
	}
	var shared session.Store = &database{rows: map[string][]byte{}}
	client := &vitrine.Config{RootCAs: ca.Pool(), ServerName: "localhost",
		ClientSessionCache: vitrine.NewLRUClientSessionCache(0)}
	for range 2 {
		server := &vitrine.Config{Certificates: []vitrine.Certificate{cert}, SessionStore: shared,
			SessionTicketsDisabled: true, TicketCount: 1}
		l, err := vitrine.Listen("tcp", "127.0.0.1:0", server)
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			if conn, err := l.Accept(); err == nil {
				io.Copy(conn, conn)
				conn.Close()
			}
		}()
		conn, err := vitrine.Dial("tcp", l.Addr().String(), client)
		if err != nil {
			log.Fatal(err)
		}
		// In TLS 1.3 the ID of the session comes behind the handshake, and is read with the data.
		if _, err := io.WriteString(conn, "hello"); err != nil {
			log.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 5)); err != nil {
			log.Fatal(err)
		}
		fmt.Println("resumed:", conn.ConnectionState().DidResume)
		conn.Close()
		l.Close()
	}
	// Output:
	// stored for at most 24h0m0s
	// resumed: false
	// stored for at most 24h0m0s
	// resumed: true
}
