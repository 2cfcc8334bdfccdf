package interop_test

import (
	"sync"
	"testing"
)

// primes are made once.
var primes sync.Map

// dhParams is a file with the prime of that name.
func dhParams(t *testing.T, name string) string {
	t.Helper()
	once, _ := primes.LoadOrStore(name, sync.OnceValues(func() (string, error) { return office.DHParams(t.Context(), name) }))
	path, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
