package playground

import (
	"bytes"
	"errors"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

var errAlike = errors.New("playground: the answers do not differ")

// Lesson is a question that a reader answers by trying. It begins with a Setup, in which one thing
// is to be turned, and is over once every Goal was reached, each by some run.
type Lesson struct {
	Number   int
	ID       string
	Question string
	Setup    Setup
	Knob     string // the field of Setup to turn, or "acts"
	Goals    []Goal
}

// Goal is something that a run has to show.
type Goal struct {
	ID, Text string
	reached  func(*Result) bool
	// solve returns a run that reaches it, of the lesson that begins with s.
	solve func(s Setup) (Setup, []Act, error)
}

// Reached reports whether a run shows it.
func (g *Goal) Reached(r *Result) bool { return g.reached(r) }

// Solve returns the Setup and the acts of a run that reaches the goal.
func (l *Lesson) Solve(goal int) (Setup, []Act, error) { return l.Goals[goal].solve(l.Setup) }

// as returns a solution that changes the Setup alone.
func as(change func(*Setup)) func(Setup) (Setup, []Act, error) {
	return func(s Setup) (Setup, []Act, error) {
		change(&s)
		return s, nil, nil
	}
}

// by returns a solution that changes the Setup, runs it, and computes acts from that run.
func by(change func(*Setup), acts func(*Result) ([]Act, error)) func(Setup) (Setup, []Act, error) {
	return func(s Setup) (Setup, []Act, error) {
		change(&s)
		r, err := Run(s, nil)
		if err != nil {
			return s, nil, err
		}
		list, err := acts(r)
		return s, list, err
	}
}

func same(*Setup) {}

// one makes a list of what computes a single act.
func one(act func(*Result) (Act, error)) func(*Result) ([]Act, error) {
	return func(r *Result) ([]Act, error) {
		a, err := act(r)
		return []Act{a}, err
	}
}

func forwardSecrecy() Lesson {
	opens := func(r *Result) (all, none bool) {
		o, err := r.Later()
		mine, theirs := r.Ends[iana.Server].Received, r.Ends[iana.Client].Received
		return err == nil && mine != "" && o.Read == [2]string{mine, theirs},
			err == nil && r.Verdict.Outcome == Untouched && o.Read == [2]string{}
	}
	return Lesson{ID: "forward-secrecy", Knob: "suite",
		Question: "Somebody recorded this, and gets the server's key in ten years: what is read?",
		Setup:    Setup{Suite: "TLS_RSA_WITH_AES_128_GCM_SHA256", Request: "meet me at the bridge"},
		Goals: []Goal{
			{"opens", "the server's key opens the recording",
				func(r *Result) bool { all, _ := opens(r); return all }, as(same)},
			{"shut", "the same key opens nothing", func(r *Result) bool {
				_, none := opens(r)
				_, err := r.serverKey()
				return none && err == nil
			}, as(func(s *Setup) { s.Suite = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" })},
		}}
}

func unprotectedByte() Lesson {
	return Lesson{ID: "unprotected-byte", Knob: "acts",
		Question: "Which byte can be changed so that nobody notices?",
		Goals: []Goal{{"found", "one changed byte, and nobody noticed", func(r *Result) bool {
			bytesChanged := 0
			for _, of := range r.Records {
				if of.Fate != Delivered && of.Fate != Changed || len(of.Got) != len(of.Sent) {
					return false
				}
				for i := range of.Sent {
					if of.Sent[i] != of.Got[i] {
						bytesChanged++
					}
				}
			}
			return bytesChanged == 1 && r.Verdict.Outcome == Undetected
		}, func(s Setup) (Setup, []Act, error) {
			return s, []Act{{Kind: Flip, Side: iana.Client, Record: 1, Offset: 2}}, nil
		}}}}
}

// changedHello reports whether the client's hello arrived otherwise than it was sent.
func changedHello(r *Result) bool {
	of := r.Carrying(iana.Client, iana.ClientHello.String())
	return of != nil && of.Fate == Changed
}

func changedOffer() Lesson {
	weaker := one(func(r *Result) (Act, error) { return r.WithoutSuite(0) })
	return Lesson{ID: "changed-offer", Knob: "extended_master_secret",
		Question: "Somebody removes the client's best suite from its offer: when is it noticed?",
		Setup:    Setup{Others: []string{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"}},
		Goals: []Goal{
			{"finished", "the server notices at the client's Finished", func(r *Result) bool {
				return changedHello(r) && caught(r, iana.Server, alert.KindFinished)
			}, by(same, weaker)},
			{"keys", "with extended_master_secret the keys differ before", func(r *Result) bool {
				return changedHello(r) && r.Setup.ExtendedMasterSecret &&
					caught(r, iana.Server, alert.KindRecord)
			}, by(func(s *Setup) { s.ExtendedMasterSecret = true }, weaker)},
		}}
}

func caught(r *Result, by iana.Side, kind alert.Kind) bool {
	v := &r.Verdict
	return v.Outcome == Caught && v.By == by && v.Kind == kind
}

// padding reports whether the padding of the client's first data was right as it arrived, and
// whether that data was changed.
func (r *Result) padding() (right, changed bool) {
	of := r.Carrying(iana.Client, iana.RecordApplicationData.String())
	if of == nil || of.Fate != Changed {
		return false, false
	}
	right, ok := paddingOf(&trace.Memory{Entries: r.Entries}, of.Got)
	return right, ok
}

func macOrPadding() Lesson {
	// asked reports whether the server answered to changed data with an alert.
	asked := func(c Careless, right bool, want alert.Description) func(*Result) bool {
		return func(r *Result) bool {
			was, changed := r.padding()
			return changed && was == right && r.Setup.Careless == c &&
				r.Verdict.Outcome == Caught && r.Ends[iana.Server].Alert == want.String()
		}
	}
	// flip changes one bit of the client's data, so many bytes from its end.
	flip := func(fromEnd int) func(*Result) ([]Act, error) {
		return func(r *Result) ([]Act, error) {
			of := r.Carrying(iana.Client, iana.RecordApplicationData.String())
			return []Act{{Kind: Flip, Side: iana.Client, Record: of.Number,
				Offset: len(of.Sent) - fromEnd, Mask: 0x80}}, nil
		}
	}
	twin := func(s *Setup) { s.Careless = PaddingOracle }
	return Lesson{ID: "mac-or-padding", Knob: "acts",
		Question: "Does the server say whether the MAC was wrong, or the padding?",
		Setup: Setup{Suite: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
			Request: "the PIN is: 4711 today"},
		Goals: []Goal{
			{"mac", "the MAC was wrong: bad_record_mac", asked(Careful, true, alert.BadRecordMAC),
				by(same, flip(3*16))},
			{"padding", "the padding was wrong: the same answer",
				asked(Careful, false, alert.BadRecordMAC), by(same, flip(16+1))},
			{"told", "a careless server answers otherwise",
				asked(PaddingOracle, false, alert.DecryptionFailed), by(twin, flip(16+1))},
			{"decrypted", "so that a byte of the data is read", func(r *Result) bool {
				_, ok := r.guessed()
				return ok && asked(PaddingOracle, true, alert.BadRecordMAC)(r)
			}, by(twin, func(r *Result) ([]Act, error) {
				b, _, ok, err := DecryptByte(r.Setup, 1)
				if !ok || err != nil {
					return nil, errors.Join(err, errAlike)
				}
				return r.Guess(1, b)
			})},
		}}
}

// guessed returns the byte of the client's data that the acts of a run ask for, as Guess makes
// them.
func (r *Result) guessed() (b byte, ok bool) {
	of, n := r.Carrying(iana.Client, iana.RecordApplicationData.String()), r.blockSize()
	if of == nil || n == 0 || of.Fate != Changed || len(of.Got) != len(of.Sent) {
		return 0, false
	}
	sent, got := of.Sent[record.HeaderLen:], of.Got[record.HeaderLen:]
	end := len(got) - n
	for at := n; at < end-n; at += n {
		if bytes.Equal(got[end:], sent[at:at+n]) {
			return got[end-1] ^ sent[at-1], true
		}
	}
	return 0, false
}

func badKeyExchanges() Lesson {
	// sent reports whether a run had this mistake in its ClientKeyExchange.
	sent := func(r *Result, wrong BadPreMaster) bool {
		a, err := r.BadKeyExchange(wrong)
		of := r.Carrying(iana.Client, iana.ClientKeyExchange.String())
		return err == nil && of != nil && bytes.HasSuffix(of.Got, a.Data)
	}
	l := Lesson{ID: "bad-key-exchanges", Knob: "acts",
		Question: "What does a server tell about a pre_master_secret that is wrong?",
		Setup:    Setup{Suite: "TLS_RSA_WITH_AES_128_CBC_SHA"}}
	send := func(wrong BadPreMaster) func(*Result) ([]Act, error) {
		return one(func(r *Result) (Act, error) { return r.BadKeyExchange(wrong) })
	}
	for _, wrong := range BadPreMasters() {
		l.Goals = append(l.Goals, Goal{string(wrong), "wrong " + string(wrong) +
			": bad_record_mac, at Finished", func(r *Result) bool {
			of := r.Carrying(iana.Client, iana.Finished.String())
			return sent(r, wrong) && r.Setup.Careless == Careful && of != nil &&
				caught(r, iana.Server, alert.KindRecord) && r.Verdict.Step == of.Carries[0].Step
		}, by(same, send(wrong))})
	}
	for _, wrong := range BadPreMasters() {
		l.Goals = append(l.Goals, Goal{"told " + string(wrong), "a careless server tells it: " +
			string(wrong), func(r *Result) bool {
			return sent(r, wrong) && r.Setup.Careless == Bleichenbacher &&
				caught(r, iana.Server, alert.KindShare)
		}, by(func(s *Setup) { s.Careless = Bleichenbacher }, send(wrong))})
	}
	return l
}
