package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/internal/reach"
)

// The time limits of one retry, and of all that follows a failure.
const (
	retryTimeout = 5 * time.Second
	searchTime   = 15 * time.Second
)

// searching returns how long finding out why a step failed may take.
func (c *caller) searching() time.Duration { return min(4*c.timeout, searchTime) }

// goneSince tells of a server that was there for the first connection, and then is not.
const goneSince = "after our hello it cannot be reached any more: it ended, maybe because of " +
	"that, or lets nobody in who connects so often"

// unreachable reports whether err says that there was no connection to speak TLS on.
func unreachable(err error) bool {
	step, ok := errors.AsType[*reach.Error](err)
	return ok && step.Phase == "tcp" && !errors.Is(err, errNoTime)
}

// errNoTime is the result of a try that the end of the search has cut off.
var errNoTime = errors.New("the time for such tries ended")

// prove tries the changes that may help, but none with --no-retry, and no more once the server is
// gone. Those for a silent server are tried side by side, since each takes its whole time.
func (c *caller) prove(ctx context.Context, changes []diagnose.Change,
	silent bool) []diagnose.Proof {
	if c.noRetry || len(changes) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	try := func(within context.Context, config *vitrine.Config) (vitrine.ConnectionState, error) {
		state, err := c.try(within, config)
		switch {
		case err != nil && within.Err() != nil && timedOut(err):
			err = errNoTime
		case unreachable(err):
			cancel()
		}
		return state, err
	}
	if silent {
		return c.proveAtOnce(ctx, changes, try)
	}
	n := 0
	return diagnose.Prove(ctx, c.config, changes,
		func(ctx context.Context, config *vitrine.Config) (vitrine.ConnectionState, error) {
			n++
			c.progress.step("trying change %d of at most %d", n, len(changes))
			return try(ctx, config)
		})
}

// sideBySide is how many changes are tried at the same time.
const sideBySide = 4

// proveAtOnce tries changes side by side, and returns the results in order, up to the first that
// works.
func (c *caller) proveAtOnce(ctx context.Context, changes []diagnose.Change,
	try func(context.Context, *vitrine.Config) (vitrine.ConnectionState, error),
) (proofs []diagnose.Proof) {
	c.progress.step("trying %d changes, %d at a time", len(changes), sideBySide)
	results := make([][]diagnose.Proof, len(changes))
	free := make(chan struct{}, sideBySide)
	var all sync.WaitGroup
	for i := range changes {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			results[i] = diagnose.Prove(ctx, c.config, changes[i:i+1], try)
		})
	}
	all.Wait()
	for _, p := range slices.Concat(results...) {
		if proofs = append(proofs, p); p.Works() {
			break
		}
	}
	return proofs
}
