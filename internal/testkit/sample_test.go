package testkit

import (
	"flag"
	"slices"
	"testing"
)

// short sets -short for the rest of a test.
func short(t *testing.T, value string) {
	was := flag.Lookup("test.short").Value.String()
	t.Cleanup(func() { flag.Set("test.short", was) })
	if err := flag.Set("test.short", value); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyShortRunsTakeSamples(t *testing.T) {
	all := make([]int, 10)
	for i := range all {
		all[i] = i
	}
	odd := func(i int) bool { return i%2 == 1 }
	short(t, "false")
	if got := Sample(t, "numbers", 3, all); !slices.Equal(got, all) {
		t.Errorf("got %v, expected all", got)
	}
	if got := FirstOfEach(t, "numbers", all, odd); !slices.Equal(got, all) {
		t.Errorf("got %v, expected all", got)
	}
	short(t, "true")
	some := Sample(t, "numbers", 3, all)
	if len(some) != 4 || !slices.IsSorted(some) || len(slices.Compact(slices.Clone(some))) != 4 {
		t.Errorf("got %v, expected four different numbers in order", some)
	}
	if again := Sample(t, "numbers", 3, all); !slices.Equal(again, some) {
		t.Errorf("got %v after %v", again, some)
	}
	if got := FirstOfEach(t, "numbers", all, odd); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("got %v, expected the first even and the first odd number", got)
	}
}
