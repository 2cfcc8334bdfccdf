package playground

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// randomSetups are those that random acts are tried on. They are cheap: EC keys, and few messages.
func randomSetups() []Setup {
	return []Setup{
		{}, {ExtendedMasterSecret: true, Pieces: 9}, {ClientCertificate: true},
		{Suite: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Pieces: 13},
		{Suite: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", EncryptThenMAC: true},
		{Suite: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", Resume: true},
		{Version: "1.3"}, {Version: "1.3", Pieces: 9}, {Version: "1.3", ClientCertificate: true},
		{Version: "1.3", Resume: true, EarlyData: true}, {Version: "1.3", Both: true},
		{Both: true, OldServer: true}, {Version: "1.3", Retry: true, KeyUpdate: true},
		{Version: "1.3", Retry: true, Resume: true, EarlyData: true},
	}
}

// randomActs returns one to four acts on the records of a run.
func randomActs(rnd *rand.Rand, whole *Result) (acts []Act) {
	for range 1 + rnd.IntN(4) {
		of := whole.Records[rnd.IntN(len(whole.Records))]
		a := Act{Kind: Kinds()[rnd.IntN(len(Kinds()))], Side: of.Side, Record: of.Number,
			Offset: rnd.IntN(len(of.Sent) + 2)}
		switch a.Kind {
		case Flip:
			a.Mask = byte(rnd.IntN(256))
		case Set:
			a.Data = randomBytes(rnd, 1+rnd.IntN(20))
		case Replay:
			a.At, a.Fresh = rnd.IntN(8), of.Side == iana.Client && rnd.IntN(4) == 0
		case Inject:
			other := whole.Records[rnd.IntN(len(whole.Records))].Sent
			a.Data = [][]byte{other, randomBytes(rnd, 1+rnd.IntN(60)),
				{21, 3, 3, 0, 2, 1, byte(rnd.IntN(120))},
				append([]byte{byte(20 + rnd.IntN(5)), 3, 3, 0, 9}, randomBytes(rnd, 9)...),
			}[rnd.IntN(4)]
		}
		acts = append(acts, a)
	}
	return acts
}

func randomBytes(rnd *rand.Rand, n int) trace.Hex {
	b := make(trace.Hex, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// Whatever somebody does between the two sides: nothing panics, what a side has read is a prefix
// of what the other has sent, what no act touched arrives as it was sent, and a run repeats.
func TestTenThousandRandomSequencesOfActsBreakNothing(t *testing.T) {
	all := 480 // a sample; of all: VITRINE_ACTS=10000 go test -run TenThousand ./playground
	if n, err := strconv.Atoi(os.Getenv("VITRINE_ACTS")); err == nil {
		all = n
	}
	each := all/len(randomSetups()) + 1
	outcomes := map[Outcome]int{}
	for i, s := range randomSetups() {
		whole := run(t, s)
		rnd := rand.New(rand.NewPCG(uint64(i), 2026))
		for n := range each {
			acts := randomActs(rnd, whole)
			r := run(t, s, acts...)
			outcomes[r.Verdict.Outcome]++
			if problem := unsound(r, acts); problem != "" {
				t.Fatalf("%+v with %+v: %s", s, acts, problem)
			}
			if n%50 == 0 && run(t, s, acts...).Digest != r.Digest {
				t.Fatalf("%+v with %+v: it does not repeat", s, acts)
			}
		}
	}
	t.Logf("%d sequences: %v", each*len(randomSetups()), outcomes)
	for _, o := range []Outcome{Caught, Undetected, Stalled} {
		if outcomes[o] == 0 {
			t.Errorf("no run was %s", o)
		}
	}
}

// unsound returns what must not be in a run, or "".
func unsound(r *Result, acts []Act) string {
	data := [2]string{r.Setup.Request, r.Setup.Response}
	for i, fallback := range []string{Request, Response} {
		if data[i] == "" {
			data[i] = fallback
		}
	}
	for _, x := range []*Result{r, r.Again} {
		if x == nil {
			continue
		}
		client, server := x.Ends[iana.Client], x.Ends[iana.Server]
		if !strings.HasPrefix(data[iana.Server], client.Received) ||
			!strings.HasPrefix(data[iana.Client], server.Early+server.Received) {
			return "a side has read what the other did not send"
		}
	}
	touched := map[Place]bool{}
	for _, a := range acts {
		touched[Place{Side: a.Side, Record: a.Record}] = true
	}
	for _, of := range r.Records {
		if of.Number > 0 && of.Sent != nil && of.Got != nil && !bytes.Equal(of.Sent, of.Got) &&
			!touched[Place{Side: of.Side, Record: of.Number}] {
			return "a record became different that no act touched"
		}
	}
	if r.Verdict.Outcome == Running || r.Verdict.Outcome == Caught && r.Verdict.Section == "" {
		return "a verdict without an end, or without a section: " + r.Verdict.Why
	}
	return ""
}
