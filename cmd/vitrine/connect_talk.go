package main

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/reach"
)

// use uses a connection as the flags say, and closes it.
func (c *caller) use(cmd *cobra.Command, a *attempt, r *report) (err error) {
	stop := closeWhenInterrupted(cmd, a)
	defer stop()
	if c.keyUpdate {
		if err := c.updateKeys(a, r); err != nil {
			return err
		}
	}
	switch {
	case c.gets:
		err = c.request(cmd, a, r)
	case c.talks:
		return c.talk(cmd, a, r)
	}
	r.End = c.ending(a)
	switch {
	case c.earlyData && err == nil:
		r.EarlyData = c.early(cmd, c.httpRequest())
	case c.earlyData:
		r.EarlyData = &earlyReport{Status: notSent, Reason: "the first connection's request " +
			"failed already"}
	}
	if err == nil && c.resume {
		r.Resumption = c.again(cmd, a)
	}
	return err
}

// used is use with its failure in the report, which is printed all the same. It returns an error of
// the command line, and that of an interrupt.
func (c *caller) used(cmd *cobra.Command, a *attempt, r *report) error {
	defer c.progress.during("waiting for " + explain.Escape(c.target.String()))()
	err := c.use(cmd, a, r)
	_, usage := errors.AsType[*usageError](err)
	switch {
	case cmd.Context().Err() != nil:
		return cmd.Context().Err()
	case usage:
		return err
	case err != nil && !a.refused(err):
		r.Code, r.err = exitFailed, err
	}
	if a.err != nil {
		r.Code, r.err = a.exit(), a.err
	}
	r.after(a)
	c.explainData(cmd.Context(), a, r)
	r.Renegotiation, r.refusedAgain = askedAgain(a.events.entries())
	return nil
}

func closeWhenInterrupted(cmd *cobra.Command, a *attempt) (stop func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-cmd.Context().Done():
			a.raw.Close()
		case <-done:
		}
	}()
	return func() { close(done) }
}

// silence is how long the server must have sent nothing, after the end of standard input, before
// talk sends close_notify.
const silence = time.Second

// countedWriter counts the bytes that it is given, before it writes them: a server that ends the
// connection at them may be noticed before Write returns.
type countedWriter struct {
	io.Writer
	bytes atomic.Int64
}

func (w *countedWriter) Write(p []byte) (int, error) {
	w.bytes.Add(int64(len(p)))
	return w.Writer.Write(p)
}

// talk copies standard input to the server, and what the server sends to standard output.
func (c *caller) talk(cmd *cobra.Command, a *attempt, r *report) error {
	var lastData atomic.Int64 // time of the last data from the server
	lastData.Store(time.Now().UnixNano())
	sent := make(chan error, 1)
	given := &countedWriter{Writer: a.conn}
	defer c.progress.during("")() // who gives the input knows what is waited for
	go func() {
		_, err := io.Copy(given, cmd.InOrStdin())
		c.progress.during("standard input has ended: waiting for the server")
		if err == nil {
			for quiet := time.Duration(0); quiet < silence; quiet = time.Since(time.Unix(0,
				lastData.Load())) {
				lastData.CompareAndSwap(0, time.Now().UnixNano())
				time.Sleep(max(silence-quiet, 10*time.Millisecond))
			}
			err = a.conn.CloseWrite()
			a.conn.SetReadDeadline(time.Now().Add(c.timeout))
		}
		sent <- err
	}()
	out := c.progress.beside(printable(cmd.OutOrStdout()))
	buf := make([]byte, 32<<10)
	var err error
	got := 0
	for err == nil {
		var n int
		n, err = a.conn.Read(buf)
		lastData.Store(time.Now().UnixNano())
		got += n
		if n > 0 {
			if _, werr := out.Write(buf[:n]); werr != nil {
				a.conn.Close()
				return werr
			}
		}
	}
	_, _, end := a.raw.Received()
	a.conn.Close()
	r.unanswered = given.bytes.Load() > 0 && got == 0
	timeout, network := errors.AsType[net.Error](err)
	switch {
	case cmd.Context().Err() != nil:
		return cmd.Context().Err()
	case errors.Is(err, io.EOF):
		r.End = "the server said close_notify"
	case network && timeout.Timeout():
		r.End = "we said close_notify; the server said nothing more, and left the connection open"
	case end == reach.FIN:
		r.End = "the server closed TCP (FIN) without close_notify: what it said may have been cut"
	case end == reach.Reset:
		r.End = "the server reset the connection"
	default:
		r.End = briefly(err)
		r.Code, r.err = exitFailed, err
		a.refused(err)
	}
	return nil
}

// printable returns w or, if w is a terminal, a writer that keeps control characters from it.
func printable(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &cleaner{w: w}
	}
	return w
}

// cleaner escapes what is not printable, except line feeds and tabs. A character that is split
// between two Writes is shown as bytes.
type cleaner struct{ w io.Writer }

func (c *cleaner) Write(p []byte) (int, error) {
	var b strings.Builder
	for part := range strings.SplitAfterSeq(string(p), "\n") {
		line, ended := strings.CutSuffix(part, "\n")
		if ended {
			line = strings.TrimSuffix(line, "\r")
		}
		for i, cell := range strings.Split(line, "\t") {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(explain.Escape(cell))
		}
		if ended {
			b.WriteByte('\n')
		}
	}
	_, err := io.WriteString(c.w, b.String())
	return len(p), err
}
