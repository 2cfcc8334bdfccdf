package playground

import (
	"cmp"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// RFC 8446 §5.1 and §D.4: in TLS 1.3 four bytes are protected by nobody, the minor version of the
// record of each side's hello and of its ChangeCipherSpec, which are to be ignored; a
// HelloRetryRequest and the hello that answers it are two more. Every other byte is, by a check
// that cites a section, or its change stalls the connection: a length that became greater. What is
// protected is protected as a whole, by the tag of the AEAD.
func TestFourBytesOfTLS13AreProtectedByNobody(t *testing.T) {
	four := []Place{{iana.Client, 1, 2, 1}, {iana.Client, 2, 2, 1}, {iana.Server, 1, 2, 1},
		{iana.Server, 2, 2, 1}}
	six := []Place{{iana.Client, 1, 2, 1}, {iana.Client, 2, 2, 1}, {iana.Client, 3, 2, 1},
		{iana.Server, 1, 2, 1}, {iana.Server, 2, 2, 1}, {iana.Server, 3, 2, 1}}
	whole := os.Getenv("VITRINE_SWEEPS") != ""
	for _, c := range []struct {
		Setup
		nobody []Place
		stride int // 0: with VITRINE_SWEEPS=1 go test -run FourBytes ./playground
	}{
		{Setup{Version: "1.3"}, four, 9},
		{Setup{Version: "1.3", Retry: true, KeyUpdate: true}, six, 199},
		{Setup{Version: "1.3", Resume: true}, four, 0},
		{Setup{Version: "1.3", Resume: true, EarlyData: true}, four, 0},
		{Setup{Version: "1.3", ClientCertificate: true}, four, 0},
		{Setup{Version: "1.3", Suite: "TLS_CHACHA20_POLY1305_SHA256", Both: true}, four, 0},
		{Setup{Version: "1.3", Retry: true, Resume: true}, six, 0},
		{Setup{Version: "1.3", KeyUpdate: true, Resume: true, EarlyData: true}, four, 0},
	} {
		if whole {
			c.stride = 1
		}
		if c.stride == 0 {
			continue
		}
		if open := open13(t, c.Setup, c.stride); !slices.Equal(open, c.nobody) {
			t.Errorf("%+v: open: %v", c.Setup, open)
		}
		protected13(t, c.Setup)
	}
}

// A HelloRetryRequest, and KeyUpdates of both sides, are on the wire where the Setup wants them, in
// TLS 1.3 alone, and the data arrives. See RFC 8446 §4.1.4 and §4.6.3.
func TestASetupHasARetryAndNewKeys(t *testing.T) {
	for _, group := range []string{"", "secp256r1", "X25519MLKEM768"} {
		s := Setup{Version: "1.3", Group: group, Retry: true, KeyUpdate: true}
		r := run(t, s)
		var names []string
		for _, x := range r.Records {
			for _, c := range x.Carries {
				names = append(names, c.Name)
			}
		}
		all := strings.Join(names, " ")
		if !strings.HasPrefix(all, "client_hello hello_retry_request") ||
			strings.Count(all, "key_update") != 2 || r.Verdict.Outcome != Untouched ||
			r.Ends[iana.Client].Received != Response || r.Ends[iana.Server].Received != Request {
			t.Errorf("%s: %+v: %s", group, r.Verdict, all)
		}
		for _, of := range r.Records {
			if of.Carries[0].Name != iana.KeyUpdate.String() {
				continue
			}
			v := run(t, s, Act{Kind: Drop, Side: of.Side, Record: of.Number}).Verdict
			if v.Outcome != Caught || v.By != of.Side.Peer() || v.Kind != alert.KindRecord {
				t.Errorf("the %v's KeyUpdate dropped: %+v", of.Side, v)
			}
		}
	}
	for _, s := range []Setup{{Retry: true}, {KeyUpdate: true},
		{Version: "1.3", Retry: true, Both: true, OldServer: true}} {
		if _, err := Run(s, nil); err == nil {
			t.Errorf("%+v is a handshake", s)
		}
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
