package bug_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/bug"
)

func deep(n int) {
	if n == 0 {
		panic("the bottom")
	}
	deep(n - 1)
}

func TestAPanicBecomesABoundedError(t *testing.T) {
	secret := []byte("secret")
	for _, c := range []struct {
		name   string
		panics func()
		want   string
	}{
		{"a string", func() { panic("so it is") }, "so it is"},
		{"an error", func() { panic(errors.New("as told")) }, "as told"},
		{"the runtime's", func() { var p *int; *p = 1 }, "nil pointer"},
		{"a value that may hold a secret", func() { panic(secret) }, "a value of type []uint8"},
		{"a long text", func() { panic(strings.Repeat("x", 1<<20)) }, "xxx"},
		{"a deep stack", func() { deep(10_000) }, "the bottom"},
	} {
		err := bug.Survive(c.panics)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, expected %q in it", c.name, err, c.want)
			continue
		}
		if text := err.Error(); len(text) > 5<<10 || strings.Contains(text, "secret") ||
			!strings.Contains(text, "bug_test.go") {
			t.Errorf("%s: %d bytes:\n%s", c.name, len(text), text)
		}
	}
	first := bug.Survive(func() { deep(1) })
	if again := bug.Survive(func() { panic(first) }); again != first {
		t.Errorf("a panic that goes on elsewhere: got %v", again)
	}
	if err := bug.Survive(func() {}); err != nil {
		t.Errorf("without a panic: %v", err)
	}
}

// A panic in one of several goroutines continues where they are waited for, after all have ended.
func TestAPanicGoesOnInTheCaller(t *testing.T) {
	var ended atomic.Int32
	err := bug.Survive(func() {
		var all bug.Group
		for i := range 5 {
			all.Go(func() {
				defer ended.Add(1)
				if i == 3 {
					panic("the third")
				}
			})
		}
		all.Wait()
		t.Error("Wait returned")
	})
	if err == nil || bug.Text(err) != "the third" || ended.Load() != 5 {
		t.Errorf("got %v, when %d had ended", err, ended.Load())
	}
	if got := bug.Text(errors.New("another")); got != "another" {
		t.Error(got)
	}
}
