package playground

import (
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
)

// RFC 8446 §8: who records early data can send it again. The server takes it once for each ticket;
// the careless twin as often as it comes.
func TestEarlyDataIsReadOnceButByTheCarelessTwin(t *testing.T) {
	for careless, want := range map[Careless]string{Careful: "", AnyReplay: "pay 1000 to Mallory"} {
		s := Setup{Version: "1.3", Resume: true, EarlyData: true, Careless: careless,
			Request: "pay 1000 to Mallory"}
		early := run(t, s).Carrying(iana.Client, "application_data")
		r := run(t, s, Act{Kind: Replay, Side: iana.Client, Record: early.Number, Fresh: true})
		if r.Ends[iana.Server].Early != s.Request || r.Again == nil {
			t.Fatalf("%q: %+v, %v", careless, r.Ends, r.Again)
		}
		if got := r.Again.Ends[iana.Server].Early; got != want {
			t.Errorf("%q: read %q again, expected %q", careless, got, want)
		}
		if len(r.Unused) > 0 {
			t.Errorf("%q: the act was not used", careless)
		}
	}
}
