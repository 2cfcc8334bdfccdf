package handshake

import (
	"bytes"
	"runtime"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

const (
	maxText  = 4<<10 + 100 // an error's: alert.Error's bound, and the section
	maxAlloc = 10 << 20    // bytes that a refusal may allocate, the test's own included
)

// many returns n different code points that nobody knows, the first at from.
func many[T ~uint16](from, n int) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = T(from + i)
	}
	return list
}

// hostileHellos are as large as a ClientHello may be where it makes a server write a list of it.
func hostileHellos(t testing.TB) map[string]*message.ClientHello {
	const most = 1<<15 - 1
	unknown := many[iana.CipherSuite](0x4000, most)
	ours := slices.Concat(suites{ecdheECDSA, ecdheRSA, dheRSA, rsaRSA}, unknown[4:])
	groups := many[iana.Group](0x200, most-10)
	schemes := many[iana.SignatureScheme](0x1000, most-10)
	long := &message.Protocols{Names: slices.Repeat([][]byte{bytes.Repeat([]byte{1}, 255)}, 250)}
	short := &message.Protocols{Names: slices.Repeat([][]byte{{1}}, most-100)}
	hellos := map[string]*message.ClientHello{
		"unknown suites":               hello(t, unknown, everyGroup, everyScheme),
		"unknown suites and groups":    hello(t, unknown, groups),
		"no group in common":           hello(t, ours, groups),
		"no scheme in common":          hello(t, ours, schemes),
		"no compression that we do":    hello(t, unknown, groups),
		"no version":                   hello(t, unknown),
		"points, all compressed":       hello(t, ours, everyGroup),
		"long protocols":               hello(t, ours, everyScheme, everyGroup),
		"short protocols":              hello(t, ours, everyScheme, everyGroup),
		"a host_name of 65,000 bytes":  hello(t, ours, string(bytes.Repeat([]byte{'a'}, 65000))),
		"a host_name of 65,000 spaces": hello(t, ours, string(bytes.Repeat([]byte{' '}, 65000))),
	}
	add := func(what string, typ iana.ExtensionType, c message.Content) {
		if err := hellos[what].Extensions.Add(typ, c); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 255 {
		h := hellos["no compression that we do"]
		h.CompressionMethods = append(h.CompressionMethods[:i:i], iana.CompressionMethod(max(1, i)))
	}
	add(
		"no version",
		iana.ExtSupportedVersions,
		&message.SupportedVersions{Versions: many[iana.Version](0x7000, 127)},
	)
	add("points, all compressed", iana.ExtECPointFormats,
		&message.ECPointFormats{Formats: slices.Repeat([]iana.ECPointFormat{1, 2, 3}, 85)})
	add("long protocols", iana.ExtALPN, long)
	add("short protocols", iana.ExtALPN, short)
	for what := range hellos {
		add(what, iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
	}
	return hellos
}

// A peer chooses how long its lists are: what we say about them, and what that costs, must not grow
// with them.
func TestErrorsAboutHostileHellosAreBounded(t *testing.T) {
	c := config("hostile", ecdheECDSA, ecdheRSA, dheRSA, rsaRSA)
	c.Credentials = nil
	for range 20 {
		c.Credentials = append(c.Credentials, credential(t, throwaway.ECDSA, name))
	}
	c.Suites = slices.DeleteFunc(
		slices.Clone(c.Suites),
		func(s iana.CipherSuite) bool { return s == rsaRSA },
	)
	c.Protocols = []string{"h"}
	for what, ch := range hostileHellos(t) {
		boundedError(t, what, func() error { return served(t, c, ch) })
	}
}

func TestErrorsAboutHostileServersAreBounded(t *testing.T) {
	answer := func(edit func(*message.ServerHello)) func() error {
		sh := &message.ServerHello{Version: iana.TLS12, CipherSuite: ecdheECDSA}
		sh.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
		edit(sh)
		return func() error { return answered(t, everything(t), sh) }
	}
	long := slices.Repeat([][]byte{bytes.Repeat([]byte{1}, 255)}, 255)
	boundedError(t, "protocols", answer(func(sh *message.ServerHello) {
		sh.Extensions.Add(iana.ExtALPN, &message.Protocols{Names: long})
	}))
	boundedError(t, "extensions", answer(func(sh *message.ServerHello) {
		for i := range 16000 {
			sh.Extensions = append(
				sh.Extensions,
				message.Extension{Type: iana.ExtensionType(0x4000 + i)},
			)
		}
	}))
	boundedError(t, "points", answer(func(sh *message.ServerHello) {
		sh.Extensions.Add(
			iana.ExtECPointFormats,
			&message.ECPointFormats{Formats: slices.Repeat([]iana.ECPointFormat{1}, 255)},
		)
	}))
	const most = 1<<15 - 2
	r := pki.Request{
		Types:   make([]iana.ClientCertificateType, 255),
		Schemes: many[iana.SignatureScheme](0x1000, most),
	}
	creds := slices.Repeat([]*pki.Credential{credential(t, throwaway.ECDSA, "a client")}, 100)
	if why := pki.ChooseClient(creds, r, everyScheme).Why(); len(why) > maxText {
		t.Errorf("the reason for no certificate has %d bytes", len(why))
	}
}

func boundedError(t *testing.T, what string, do func() error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := do()
	if err == nil {
		t.Errorf("%s: accepted", what)
		return
	}
	text := err.Error()
	runtime.ReadMemStats(&after)
	if len(text) > maxText {
		t.Errorf("%s: the error has %d bytes: %.100s", what, len(text), text)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > maxAlloc {
		t.Errorf("%s: %d bytes were allocated", what, n)
	}
}

// With a trace, too: its choices quote the lists that they are made from.
func TestChoicesFromHostileHellosAreBounded(t *testing.T) {
	c := everything(t)
	sink := &trace.Memory{}
	c.Log = trace.New("server", sink, nil)
	ch := hello(t, append(suites{ecdheECDSA}, many[iana.CipherSuite](0x4000, 32000)...), name,
		append(slices.Clone(everyGroup), many[iana.Group](0x200, 10000)...),
		append(slices.Clone(everyScheme), many[iana.SignatureScheme](0x1000, 10000)...))
	ch.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
	if err := served(t, c, ch); err != nil {
		t.Fatal(err)
	}
	longest := 0
	for _, e := range sink.Entries {
		if choice, ok := e.Event.(*trace.Choice); ok {
			longest = max(longest, len(choice.Offered)+len(choice.Chosen)+len(choice.Rule))
		}
	}
	if longest == 0 || longest > maxText {
		t.Errorf("the longest choice has %d bytes", longest)
	}
}

// BenchmarkLargestHello refuses the hello that costs most: every list is as long as it may be, and
// each of our suites is tried and fails.
func BenchmarkLargestHello(b *testing.B) {
	c := config("hostile")
	c.Suites = slices.DeleteFunc(
		c.Suites,
		func(s iana.CipherSuite) bool { return !suite.ByID(s).Ephemeral() },
	)
	c.Credentials = []*pki.Credential{
		credential(b, throwaway.RSA, name),
		credential(b, throwaway.ECDSA, name),
	}
	ch := hello(b, slices.Concat(c.Suites, many[iana.CipherSuite](0x4000, 32767-len(c.Suites))),
		many[iana.Group](0x200, 16000), many[iana.SignatureScheme](0x1000, 16000))
	ch.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
	raw, err := message.Dialect{Version: iana.TLS12}.Encode(ch)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if NewServer(c, &desk{}).Take(iana.Client, Kind(iana.ClientHello), raw) == nil {
			b.Fatal("accepted")
		}
	}
}
