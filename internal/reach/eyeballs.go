package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// attemptDelay is how long an attempt is alone before the next address is tried beside it. See
// RFC 8305 §5 and §8.
const attemptDelay = 250 * time.Millisecond

// ErrSlower is the result of an attempt that was given up because another address answered.
var ErrSlower = errors.New("another address was faster")

// tcp is an attempt to reach an address.
type tcp struct {
	to    string
	began time.Time
	took  time.Duration
	conn  net.Conn
	err   error
}

// connect tries the addresses as RFC 8305 says: both families in turn, the next one when an attempt
// has failed or after attemptDelay, and the first connection wins. It returns the error of the
// first address if all fail.
func (j *journey) connect(ctx context.Context, addrs []netip.Addr, port string) (*Conn, error) {
	addrs = interleave(addrs)
	if len(addrs) == 0 {
		return nil, &Error{"name", fmt.Errorf("%s has no address", j.Host)}
	}
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan *tcp, len(addrs))
	var tried []*tcp
	running := 0
	start := func() {
		t := &tcp{to: net.JoinHostPort(addrs[len(tried)].Unmap().String(), port), began: time.Now()}
		tried = append(tried, t)
		running++
		done := *t
		go func() {
			done.conn, done.err = (&net.Dialer{Timeout: j.Timeout}).DialContext(ctx, j.Network,
				done.to)
			done.took = time.Since(done.began)
			results <- &done
		}()
	}
	start()
	var won *tcp
	for running > 0 && won == nil {
		next := time.NewTimer(attemptDelay)
		if len(tried) == len(addrs) {
			next.Stop() // there is none
		}
		select {
		case r := <-results:
			running--
			note(tried, r)
			if r.err == nil {
				won = r
			} else if len(tried) < len(addrs) && ctx.Err() == nil {
				start()
			}
		case <-next.C:
			start()
		}
		next.Stop()
	}
	cancel()
	go discard(results, running)
	return j.outcome(tried, won)
}

// note puts a result in its place.
func note(tried []*tcp, r *tcp) {
	for _, t := range tried {
		if t.to == r.to && t.began.Equal(r.began) {
			*t = *r
		}
	}
}

// discard closes the connections of n attempts that came too late.
func discard(results <-chan *tcp, n int) {
	for range n {
		if r := <-results; r.conn != nil {
			r.conn.Close()
		}
	}
}

// outcome notes a phase for each attempt, and returns the connection that won or the first error.
func (j *journey) outcome(tried []*tcp, won *tcp) (*Conn, error) {
	var first error
	for _, t := range tried {
		if t.conn == nil && t.err == nil {
			t.took, t.err = time.Since(t.began), ErrSlower
		}
		j.phases = append(j.phases, Phase{Name: "tcp", Detail: t.to, Took: t.took, Err: t.err})
		if first == nil && t.err != nil {
			first = &Error{"tcp", t.err}
		}
	}
	if won == nil {
		return nil, first
	}
	return &Conn{Conn: won.conn}, nil
}

// interleave returns addresses of both families in turn, in the order in which each has them,
// beginning with the family of the first. See RFC 8305 §4.
func interleave(addrs []netip.Addr) (list []netip.Addr) {
	var same, other []netip.Addr
	for _, a := range addrs {
		if a.Unmap().Is4() == addrs[0].Unmap().Is4() {
			same = append(same, a)
		} else {
			other = append(other, a)
		}
	}
	for len(same)+len(other) > 0 {
		if len(same) > 0 {
			list, same = append(list, same[0]), same[1:]
		}
		if len(other) > 0 {
			list, other = append(list, other[0]), other[1:]
		}
	}
	return list
}
