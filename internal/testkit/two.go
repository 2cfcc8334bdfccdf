package testkit

import "sync"

// TwoAtATime calls do for each of all, for two of them at the same time, and returns when all are
// done. It is for tests that wait for other programs.
func TwoAtATime[T any](all []T, do func(T)) {
	todo := make(chan T)
	var two sync.WaitGroup
	for range 2 {
		two.Go(func() {
			for one := range todo {
				do(one)
			}
		})
	}
	for _, one := range all {
		todo <- one
	}
	close(todo)
	two.Wait()
}
