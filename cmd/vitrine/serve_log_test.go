package main

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// A ClientHello that is refused for its host_name must not write that name into the log.
func TestTheLogNamesOnlyHosts(t *testing.T) {
	for name, want := range map[string]string{
		"vitrine.test": "vitrine.test", "two\nlines": "", "\x1b[2J": "",
		strings.Repeat("a", 256): "",
	} {
		ch := &message.ClientHello{}
		names := &message.ServerNames{Names: []message.ServerName{{Type: iana.HostName,
			Name: []byte(name)}}}
		if err := ch.Extensions.Add(iana.ExtServerName, names); err != nil {
			t.Fatal(err)
		}
		if got := askedFor(ch); got != want {
			t.Errorf("%.20q: got %.20q", name, got)
		}
	}
}

// The lists of an error are cut short, so that what follows them is not.
func TestListsInTheLogAreShort(t *testing.T) {
	const short = "it lists [ffdhe2048], we allow [a b c d] (§1)"
	for text, want := range map[string]string{
		short:                                short,
		"offers [a b c d e f], we allow [g]": "offers [a b c and 3 more], we allow [g]",
		"[ [a b c d e] ]":                    "[ [a b c and 2 more] ]",
	} {
		if got := fewer(text); got != want {
			t.Errorf("%q: got %q, expected %q", text, got, want)
		}
	}
}
