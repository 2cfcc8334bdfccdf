package main

import (
	"io"
	"log"
	"net"
	"sync"
)

// maxUIConns is how many connections the page may have at a time.
const maxUIConns = 64

// few is a listener with a bounded number of connections: the next waits until one ends.
type few struct {
	net.Listener
	seats chan struct{}
}

// Accept waits for a seat and then for a connection.
func (f *few) Accept() (net.Conn, error) {
	f.seats <- struct{}{}
	c, err := f.Listener.Accept()
	if err != nil {
		<-f.seats
		return nil, err
	}
	return &seated{Conn: c, leave: sync.OnceFunc(func() { <-f.seats })}, nil
}

// seated is a connection of few.
type seated struct {
	net.Conn
	leave func()
}

// Close ends the connection and frees its seat.
func (s *seated) Close() error {
	s.leave()
	return s.Conn.Close()
}

// silent is a log for a server whose clients' errors are theirs.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }
