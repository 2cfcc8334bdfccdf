package reach

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAddressFamiliesAreTriedInTurns(t *testing.T) {
	for _, c := range []struct{ in, want []string }{
		{[]string{"2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"},
			[]string{"2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"}},
		{[]string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"},
			[]string{"192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3"}},
		{[]string{"::ffff:192.0.2.1", "2001:db8::1"}, []string{"::ffff:192.0.2.1", "2001:db8::1"}},
		{nil, nil},
	} {
		var in []netip.Addr
		for _, a := range c.in {
			in = append(in, netip.MustParseAddr(a))
		}
		var got []string
		for _, a := range interleave(in) {
			got = append(got, a.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, expected %q", c.in, got, c.want)
		}
	}
}

// An address that does not answer delays the next one by a quarter of a second, one that refuses
// not at all, and each attempt is a phase. See RFC 8305 §5.
func TestSeveralAddressesAreTried(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	// RFC 5737: no one is there
	const silent, refuses, answers = "192.0.2.1", "127.0.0.2", "127.0.0.1"
	for _, c := range []struct {
		name  string
		addrs []string
		ok    bool
	}{
		{"the second answers", []string{refuses, answers}, true},
		{"IPv6 fails and IPv4 answers", []string{"::1", answers}, true},
		{"the first is silent", []string{silent, answers}, true},
		{"none answers", []string{refuses, refuses}, false},
	} {
		var addrs []netip.Addr
		for _, a := range c.addrs {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		j := &journey{Way: &Way{Network: "tcp", Timeout: 5 * time.Second}}
		conn, err := j.connect(t.Context(), addrs, port)
		if (err == nil) != c.ok || len(j.phases) != len(addrs) {
			t.Errorf("%s: got %v in %d phases", c.name, err, len(j.phases))
		}
		if err != nil {
			continue
		}
		conn.Close()
		last := len(j.phases) - 1
		if j.phases[0].Err == nil || j.phases[last].Err != nil {
			t.Errorf("%s: the phases are %+v", c.name, j.phases)
		}
		if words := Words(j.phases[0].Err); strings.Contains(words, "dial tcp") {
			t.Errorf("%s: %q are Go's words", c.name, words)
		}
	}
	if _, err := (&journey{Way: &Way{Host: "x"}}).connect(t.Context(), nil, port); err == nil {
		t.Error("connected to no address")
	}
}
