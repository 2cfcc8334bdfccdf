package main

import (
	"context"
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/diagnose"
)

// What connect does about servers that fail at how messages and data are cut into records.

// split applies --split-hello to config.
func (o *connectOptions) split(config *vitrine.Config, example string) error {
	if o.splitHello < 0 || o.splitHello > 1<<14 {
		return &usageError{fmt.Sprintf("--split-hello takes 1 to 16384 bytes, got %d",
			o.splitHello), fmt.Sprintf("%s --split-hello %d", example, diagnose.ShortRecord)}
	}
	config.HelloFragment = o.splitHello
	return nil
}

// explainData explains why a server that took the handshake failed at our data, if that may be due
// to the record of one byte of TLS 1.0. A request is tried again without that record.
func (c *caller) explainData(ctx context.Context, a *attempt, r *report) {
	change, ok := diagnose.WithoutRecordSplit(c.config, a.state)
	if ok && r.unanswered && r.err == nil { // some servers that fail at it just close
		r.End += "; it answered nothing to what was sent: it may fail at the record of one byte " +
			"that is sent before data with CBC in TLS 1.0, which --without record-split leaves out"
	}
	if !ok || r.Answer != "" || r.err == nil || a.err != nil {
		return
	}
	f := &failureReport{Seen: []string{"the server took the handshake, and at our data " +
		briefly(r.err)}}
	line := c.line(nil, flagsOf(&change)...)
	if !c.gets || c.noRetry { // standard input cannot be sent twice
		f.Inferred = []string{
			"it may fail at the record of one byte that is sent before data with " +
				"CBC in TLS 1.0",
		}
		f.Try = []string{line}
		r.Failure = f
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.searching())
	defer cancel()
	c.progress.step("trying the request without the record of one byte")
	proofs := diagnose.Prove(ctx, c.config, []diagnose.Change{change},
		func(ctx context.Context, config *vitrine.Config) (vitrine.ConnectionState, error) {
			again := c.attempt(ctx, config)
			if again.err != nil {
				return again.state, again.err
			}
			defer again.conn.Close()
			return again.state, c.requestTo(io.Discard, again, &report{})
		})
	for _, p := range proofs {
		if !p.Works() {
			f.Tried = append(f.Tried, tried{c.changeText(&p.Change), "no: " + briefly(p.Err)})
			continue
		}
		f.Tried = append(f.Tried, tried{c.changeText(&p.Change), "works"})
		f.Proved, f.Cause = "with this change the server answers", p.Change.Cause
		f.Works, f.Go, f.Costs = line, p.Change.Go, p.Change.Costs
	}
	r.Failure = f
}
