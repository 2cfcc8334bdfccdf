package vitrine

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/internal/bug"
)

const (
	// storeTimeout is used if Config.StoreTimeout is 0.
	storeTimeout = 500 * time.Millisecond

	// maxLate is how many calls to the stores of a Config may be overdue. Each overdue call costs a
	// goroutine and each connection a StoreTimeout, so no store is called while that many have not
	// returned.
	maxLate = 16
)

// stores counts the overdue calls to the stores of a Config.
type stores struct{ late atomic.Int32 }

// within calls a store supplied by the program, which may be slow, fail or hang. It waits until ctx
// ends, and for at most Config.StoreTimeout. The result of an overdue call is discarded. A panic of
// the store is raised again in the calling goroutine.
func within[T any](
	ctx context.Context, c *Config, what string, call func(context.Context) (T, error),
) (T, error) {
	type result struct {
		value    T
		err      error
		panicked error
	}
	var none T
	if c.stores.late.Load() >= maxLate {
		return none, fmt.Errorf("vitrine: %s is not called while %d calls have not returned",
			what, maxLate)
	}
	limit := c.StoreTimeout
	if limit == 0 {
		limit = storeTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() { done <- r }()
		r.panicked = bug.Survive(func() { r.value, r.err = call(ctx) })
	}()
	select {
	case r := <-done:
		cancel()
		if r.panicked != nil {
			panic(r.panicked) // where the caller can recover from it
		}
		return r.value, r.err
	case <-ctx.Done():
		cancel()
		c.stores.late.Add(1)
		go func() {
			<-done
			c.stores.late.Add(-1)
		}()
		return none, fmt.Errorf("vitrine: %s did not answer within %v", what, limit)
	}
}
