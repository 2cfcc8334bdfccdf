package main

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/flood"
)

// warm is how many operations come before the first that counts: caches, pools, and what is
// computed once. warmEnv has another number for a worker: 20 of a counted process take long.
var warm = cmp.Or(atoi(os.Getenv(warmEnv)), 20)

const warmEnv = "VITRINE_BENCH_WARM"

// atoi returns 0 for what is no number.
func atoi(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// operation returns what performs one operation of j. held is what each end of a connection holds,
// in rows about memory.
func (j job) operation() (once func() (held int, err error), err error) {
	e, err := j.ends()
	if err != nil {
		return nil, err
	}
	switch j.What {
	case reading, unread:
		once = func() (int, error) { return j.hold(e) }
		_, err := once() // what is held once, and pools
		return once, err
	case opened, held:
		return j.crowded(e)
	case bulk, copied, echo:
		once, err = j.transfer(e)
	case http1, http2:
		once, err = j.requests(e)
	default:
		once, err = j.shaking(e)
	}
	for range warm {
		if err == nil {
			_, err = once()
		}
	}
	return once, err
}

// buffered is the size of a socket's buffers, in bytes. Left alone, Linux lets them grow as it sees
// fit: differently from one connection to the next, which decides how often a reader of small
// records is woken, and so what a row of bulk data costs. testdata/openssl.c has the same number.
const buffered = 256 << 10

// sockets returns both ends of a loopback connection, with buffers of a fixed size.
func sockets() (client, server net.Conn, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		return nil, nil, err
	}
	if server, err = l.Accept(); err != nil {
		return nil, nil, err
	}
	for _, c := range []net.Conn{client, server} {
		c := c.(*net.TCPConn)
		if err := errors.Join(c.SetReadBuffer(buffered), c.SetWriteBuffer(buffered)); err != nil {
			return nil, nil, err
		}
	}
	return client, server, nil
}

// shaking performs handshakes over the same two sockets: opening them is not what is measured. With
// sessions, the server sends one byte after each, before which the tickets of TLS 1.3 come. Whether
// they resume is seen of those that do not count.
func (j job) shaking(e ends) (func() (int, error), error) {
	client, server, err := sockets()
	if err != nil {
		return nil, err
	}
	resumes, done := j.What != full, 0
	turns, results := make(chan struct{}), make(chan error)
	go func() {
		for range turns {
			s := e.server(server)
			err := s.Handshake()
			if err == nil && resumes {
				_, err = s.Write([]byte{0})
			}
			results <- err
		}
	}()
	return func() (int, error) {
		turns <- struct{}{}
		c := e.client(client)
		err := c.Handshake()
		if err == nil && resumes {
			_, err = io.ReadFull(c, []byte{0})
		}
		if err == nil && done > 0 && done < warm && resumes != e.resumed(c) {
			err = errors.New("it resumes where it should not, or does not")
		}
		done++
		if err != nil {
			client.Close() // the server waits no longer
		}
		return 0, errors.Join(err, <-results)
	}, nil
}

// transfer moves bytes there and back: a MiB by writes of Size bytes, or Size bytes.
func (j job) transfer(e ends) (func() (int, error), error) {
	client, server, err := sockets()
	if err != nil {
		return nil, err
	}
	c, s, total := e.client(client), e.server(server), 1<<20
	if j.What == echo {
		total = j.Size
	}
	result := make(chan error, 1)
	go func() {
		in, out := make([]byte, 64<<10), make([]byte, total)
		for err := error(nil); err == nil; {
			if err = j.receive(s, in, total); err == nil {
				err = j.send(s, out)
			}
			if err != nil {
				result <- err
				client.Close() // the other waits no longer
			}
		}
	}()
	in, out := make([]byte, 64<<10), make([]byte, total)
	return func() (int, error) {
		err := j.send(c, out)
		if err == nil {
			err = j.receive(c, in, total)
		}
		if err != nil {
			server.Close()
			return 0, errors.Join(err, <-result)
		}
		return 0, nil
	}, nil
}

// send writes data by Size bytes, or by io.Copy from something that is no more than a Reader.
func (j job) send(to io.Writer, data []byte) error {
	if j.What == copied {
		_, err := io.Copy(to, struct{ io.Reader }{bytes.NewReader(data)})
		return err
	}
	for len(data) > 0 {
		n, err := to.Write(data[:min(j.Size, len(data))])
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

func (j job) receive(from io.Reader, buf []byte, total int) error {
	if j.What != copied {
		return receive(from, buf, total)
	}
	left := countdown(total)
	_, err := io.Copy(&left, from)
	if left == 0 {
		return nil // the connection goes on
	}
	return err
}

// A countdown is a Writer of so many bytes. With the last ends an io.Copy.
type countdown int

func (c *countdown) Write(p []byte) (int, error) {
	if *c -= countdown(len(p)); *c == 0 {
		return len(p), io.ErrShortWrite
	}
	return len(p), nil
}

func receive(from io.Reader, buf []byte, total int) error {
	for got := 0; got < total; {
		n, err := from.Read(buf)
		if err != nil {
			return err
		}
		got += n
	}
	return nil
}

// hold returns what each of Size ends holds after 16 KiB were read and written on it. A goroutine
// that waits in Read counts with its stack.
func (j job) hold(e ends) (held int, err error) {
	before := flood.Held()
	var all []end
	for len(all) < j.Size && err == nil {
		var c, s end
		if c, s, err = e.used(16 << 10); err == nil {
			all = append(all, c, s)
		}
	}
	var readers sync.WaitGroup
	for _, c := range all {
		if j.What == reading {
			readers.Go(func() { c.Read([]byte{0}) })
		}
	}
	held = (flood.Held() - before) / max(len(all), 1)
	for _, c := range all {
		c.Close()
	}
	readers.Wait()
	return held, err
}

// used returns both ends of a connection on which n bytes went each way.
func (e ends) used(n int) (c, s end, err error) {
	client, server, err := sockets()
	if err != nil {
		return nil, nil, err
	}
	c, s = e.client(client), e.server(server)
	result, buf := make(chan error), make([]byte, n)
	go func() {
		in := make([]byte, n)
		err := receive(s, in, n)
		if err == nil {
			_, err = s.Write(in)
		}
		result <- err
	}()
	_, err = c.Write(buf)
	if err == nil {
		err = receive(c, buf, n)
	}
	return c, s, errors.Join(err, <-result)
}
