package vitrine

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

const (
	// storeTimeout is the StoreTimeout of a Config that names none.
	storeTimeout = 500 * time.Millisecond

	// maxLate is how many calls of a Config's stores may be overdue. Each costs a goroutine, and
	// each connection a StoreTimeout: while so many have not returned, no store is asked at all.
	maxLate = 16
)

// stores are what a Config knows of the stores that the program gave it.
type stores struct{ late atomic.Int32 }

// within calls a program's store, which may be slow, fail or hang, and waits no longer than the
// Config's StoreTimeout and ctx. A call that is overdue is left alone, and its result dropped.
func within[T any](
	ctx context.Context, c *Config, what string, call func(context.Context) (T, error),
) (T, error) {
	type result struct {
		value    T
		err      error
		panicked any
	}
	var none T
	if c.stores.late.Load() >= maxLate {
		return none, fmt.Errorf("vitrine: %s is not asked while %d calls hang", what, maxLate)
	}
	limit := c.StoreTimeout
	if limit == 0 {
		limit = storeTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			r.panicked = recover()
			done <- r
		}()
		r.value, r.err = call(ctx)
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
