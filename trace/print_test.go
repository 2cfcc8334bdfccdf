package trace_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// kept is a type with everything that types have.
type kept struct {
	Name              string
	Version           iana.Version
	Key               []byte
	Fixed             [4]byte
	Seen              trace.Hex
	Any               any
	Inner             *kept
	List              []int
	When              time.Time
	Do                func()
	Plaintext, buffer []byte
}

func (k kept) Format(f fmt.State, _ rune)   { trace.Print(f, k) }
func (k kept) MarshalText() ([]byte, error) { return trace.Text(k) }

func TestPrintShowsEverythingButBytes(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		of   kept
		want string
	}{
		{kept{}, "{}"},
		{kept{Name: "a\x1b", Version: iana.TLS12}, `{Name:"a\x1b" Version:TLS 1.2}`},
		{kept{Key: []byte("key"), Fixed: [4]byte{1}},
			"{Key:3 bytes, sha256 2c70e12b… Fixed:4 bytes, sha256 67abdd72…}"},
		{kept{Seen: trace.Hex{1, 2}}, "{Seen:0102}"},
		{kept{Plaintext: []byte("yes"), buffer: []byte("no")},
			"{Plaintext:3 bytes buffer:2 bytes}"},
		{kept{Any: private}, "{Any:&ecdsa.PrivateKey}"},
		{kept{Any: []byte("key")}, "{Any:3 bytes, sha256 2c70e12b…}"},
		{kept{Inner: &kept{Name: "b"}}, `{Inner:&trace_test.kept{Name:"b"}}`},
		{kept{List: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}, "{List:[1 2 3 4 5 6 7 8 and 2 more]}"},
		{kept{When: time.Unix(0, 0).UTC(), Do: func() {}}, "{When:1970-01-01T00:00:00Z Do:a func}"},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
			if got, want := fmt.Sprintf(verb, c.of), "trace_test.kept"+c.want; got != want {
				t.Errorf("%s: got %s, expected %s", verb, got, want)
			}
		}
	}
}

// What is printed is bounded, also of what contains itself.
func TestPrintIsBounded(t *testing.T) {
	loop := kept{Name: strings.Repeat("x", 1<<20)}
	loop.Inner = &loop
	loop.Any = []any{&loop, &loop, &loop, &loop, &loop, &loop, &loop, &loop}
	if text := fmt.Sprint(loop); len(text) > 16<<10 {
		t.Errorf("it prints %d bytes", len(text))
	}
}
