package playground

import (
	"cmp"
	"os"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// RFC 8446 §5.1 and §D.4: in TLS 1.3 four bytes are protected by nobody, the minor version of the
// record of each side's hello and of its ChangeCipherSpec, which are to be ignored. Every other
// byte is, by a check that cites a section, or its change stalls the connection: a length that
// became greater. What is protected is protected as a whole, by the tag of the AEAD.
func TestFourBytesOfTLS13AreProtectedByNobody(t *testing.T) {
	setups := []Setup{{Version: "1.3"}, {Version: "1.3", Resume: true},
		{Version: "1.3", Resume: true, EarlyData: true}, {Version: "1.3", ClientCertificate: true},
		{Version: "1.3", Suite: "TLS_CHACHA20_POLY1305_SHA256", Both: true}}
	stride := 1 // all bytes of all: VITRINE_SWEEPS=1 go test -run FourBytes ./playground
	if os.Getenv("VITRINE_SWEEPS") == "" {
		setups, stride = setups[:1], 9
	}
	nobody := []Place{{iana.Client, 1, 2, 1}, {iana.Client, 2, 2, 1}, {iana.Server, 1, 2, 1},
		{iana.Server, 2, 2, 1}}
	for _, s := range setups {
		if open := open13(t, s, stride); !slices.Equal(open, nobody) {
			t.Errorf("%+v: open: %v", s, open)
		}
		protected13(t, s)
	}
}

// open13 flips all bytes of record headers and every stride-th of the rest, and returns those that
// nobody protects, in the order of sides and records.
func open13(t *testing.T, s Setup, stride int) (open []Place) {
	t.Helper()
	for _, of := range run(t, s).Records {
		for at := range of.Sent {
			if at > 5 && at%stride != 0 {
				continue
			}
			v := run(t, s, Act{Kind: Flip, Side: of.Side, Record: of.Number, Offset: at}).Verdict
			switch {
			case v.Outcome == Undetected:
				open = append(open, Place{of.Side, of.Number, at, 1})
			case v.Outcome == Stalled: // a length that became greater
			case v.Outcome != Caught || v.Section == "" || v.Check == "" || v.Why == "":
				t.Errorf("%+v: byte %d of record %d of the %v: %+v", s, at, of.Number, of.Side, v)
			}
		}
	}
	slices.SortFunc(open, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Side, b.Side), cmp.Compare(a.Record, b.Record))
	})
	return open
}

// protected13 tries the first, a middle and the last byte of the content of each protected record.
func protected13(t *testing.T, s Setup) {
	t.Helper()
	for _, of := range run(t, s).Records {
		if !of.Encrypted || of.Sent == nil {
			continue
		}
		for _, at := range []int{5, len(of.Sent) / 2, len(of.Sent) - 1} {
			v := run(t, s, Act{Kind: Flip, Side: of.Side, Record: of.Number, Offset: at}).Verdict
			if v.Outcome != Caught || v.By != of.Side.Peer() || v.Kind != alert.KindRecord ||
				v.Section != "RFC 8446 §5.2" || v.Alert != alert.BadRecordMAC.String() {
				t.Errorf("%+v: byte %d of record %d of the %v: %+v", s, at, of.Number, of.Side, v)
			}
		}
	}
}
