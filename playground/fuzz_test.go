package playground

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// actsOf reads acts from bytes: five of each are its kind, side and record, place, and values.
func actsOf(b []byte, whole *Result) (acts []Act) {
	for ; len(b) >= 5 && len(acts) < 6; b = b[5:] {
		a := Act{Kind: Kinds()[int(b[0])%len(Kinds())], Side: iana.Side(b[1] & 1),
			Record: int(b[1] >> 1 % 24), Offset: int(b[2]), At: int(b[3]) % 9,
			Fresh: b[4]&3 == 3}
		switch a.Kind {
		case Flip:
			a.Mask = b[3]
		case Set:
			a.Data = []byte{b[3], b[4]}
		case Inject:
			if a.Data = []byte{b[2], 3, 3, 0, b[3], b[4]}; int(b[3]) < len(whole.Records) {
				a.Data = whole.Records[b[3]].Sent
			}
		}
		acts = append(acts, a)
	}
	return acts
}

// FuzzActs: any list of acts on a connection of any setup ends, without a panic, in a verdict with
// a section, and nobody reads what nobody sent.
func FuzzActs(f *testing.F) {
	setups := randomSetups()
	wholes := make([]*Result, len(setups))
	rnd, keep := rand.New(rand.NewPCG(4, 2026)), testkit.SampleSeeds(5)
	for i, s := range setups {
		whole, err := Run(s, nil)
		if err != nil {
			f.Fatal(err)
		}
		wholes[i] = whole
		for kind := range Kinds() {
			for side := range byte(2) {
				at := byte(rnd.IntN(6))
				f.Add(byte(i), []byte{byte(kind), side | at<<1, 1, 3, 3}) // as it is
				f.Add(byte(i), []byte{byte(kind), side | at<<1, 255, 3, 3})
				if more := randomBytes(rnd, 5); keep() {
					f.Add(byte(i), []byte{byte(kind), side | at<<1, 3, 1, 0})
					f.Add(byte(i), append([]byte{byte(kind), side | at<<1, 9, 2, 3}, more...))
				}
			}
		}
		cut, flip := byte(slices.Index(Kinds(), Cut)), byte(slices.Index(Kinds(), Flip))
		f.Add(byte(i), []byte{cut, 1 << 1, 3, 0, 0, flip, 1 << 1, 9, 1, 0}) // what is not there
	}
	setups, wholes = append(setups, Setup{Version: "no version"}), append(wholes, &Result{})
	f.Add(byte(len(setups)-1), []byte(nil))
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		i := int(which) % len(setups)
		acts := actsOf(b, wholes[i])
		r, err := Run(setups[i], acts)
		if err != nil {
			return // an act that cannot be, of which a page is told
		}
		if problem := unsound(r, acts); problem != "" {
			t.Errorf("%+v with %+v: %s", setups[i], acts, problem)
		}
	})
}
