package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// maxUIConns is how many connections the live view may have at a time.
const maxUIConns = 64

// maxPlayers is the same for the playground, which a class may open at once.
const maxPlayers = 512

// servePage serves a page of this program itself until s is closed, to at most most connections at
// a time. Of s it sets what bounds a client.
func servePage(s *http.Server, l net.Listener, most int) error {
	s.ReadHeaderTimeout, s.IdleTimeout = 10*time.Second, time.Minute
	s.MaxHeaderBytes, s.ErrorLog = 16<<10, log.New(io.Discard, "", 0)
	return s.Serve(&few{l, make(chan struct{}, most)})
}

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
