package playground

import (
	"errors"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

func replayAndSwap() Lesson {
	const data = iana.RecordApplicationData
	on := func(kind Kind) func(*Result) ([]Act, error) {
		return func(r *Result) ([]Act, error) {
			of := r.Carrying(iana.Client, data.String())
			return []Act{{Kind: kind, Side: iana.Client, Record: of.Number, At: of.Number + 1}}, nil
		}
	}
	goal := func(id, text string, kind Kind, fates ...Fate) Goal {
		return Goal{id, text, func(r *Result) bool {
			return r.has(iana.Client, data, fates...) && caught(r, iana.Server, alert.KindRecord)
		}, by(same, on(kind))}
	}
	return Lesson{ID: "replay-and-swap", Knob: "acts",
		Question: "Two payments: may somebody send one twice, or the second first?",
		Setup:    Setup{Request: "pay 10; pay 99;", Pieces: 8},
		Goals: []Goal{
			goal("replay", "a record that comes again is noticed", Replay, Replayed, Duplicated),
			goal("swap", "two records in the wrong order are noticed", Swap, Moved),
		}}
}

func earlyWarning() Lesson {
	warning := func(at func(*Result) int) func(*Result) ([]Act, error) {
		return func(r *Result) ([]Act, error) {
			return []Act{
				{
					Kind:   Inject,
					Side:   iana.Server,
					Record: at(r),
					Data: trace.Hex{
						21,
						3,
						3,
						0,
						2,
						byte(alert.Warning),
						byte(alert.UnrecognizedName),
					},
				},
			}, nil
		}
	}
	forged := func(r *Result) bool { return r.has(iana.Server, iana.RecordAlert, Forged) }
	return Lesson{ID: "early-warning", Knob: "acts",
		Question: "May somebody who has no key say something in the server's name?",
		Goals: []Goal{
			{"works", "a warning before the keys: nobody notices", func(r *Result) bool {
				return forged(r) && r.Verdict.Outcome == Undetected
			}, by(same, warning(func(*Result) int { return 1 }))},
			{"caught", "the same behind the keys is noticed", func(r *Result) bool {
				return forged(r) && caught(r, iana.Client, alert.KindRecord)
			}, by(same, warning(func(r *Result) int {
				return r.Carrying(iana.Server, iana.RecordApplicationData.String()).Number
			}))},
		}}
}

func truncation() Lesson {
	cut := func(r *Result) ([]Act, error) {
		of := r.Carrying(iana.Client, iana.RecordApplicationData.String())
		return []Act{{Kind: Cut, Side: iana.Client, Record: of.Number + 1}}, nil
	}
	const less = "pay 100"
	return Lesson{ID: "truncation", Knob: "careless",
		Question: "The client says “pay 1000”. May somebody make it “pay 100”?",
		Setup:    Setup{Request: "pay 1000", Pieces: len(less)},
		Goals: []Goal{
			{"noticed", "the server has “pay 100”, and knows that it is not all",
				func(r *Result) bool {
					_, truncated := errors.AsType[*engine.TruncatedError](r.Ends[iana.Server].Err)
					return truncated && r.Ends[iana.Server].Received == less
				}, by(same, cut)},
			{"fooled", "a server that takes any end for the end pays 100", func(r *Result) bool {
				end := &r.Ends[iana.Server]
				return r.Setup.Careless == AnyEnd && end.Received == less && end.Err == nil &&
					end.Closed
			}, by(func(s *Setup) { s.Careless = AnyEnd }, cut)},
		}}
}

func downgrade() Lesson {
	older := one((*Result).WithoutTLS13)
	both := func(s *Setup) ([]Act, error) {
		r, err := Run(*s, nil)
		if err != nil {
			return nil, err
		}
		first, err := r.WithoutTLS13()
		if err != nil {
			return nil, err
		}
		// the server's random is where it is once the offer was changed
		if r, err = Run(*s, []Act{first}); err != nil {
			return nil, err
		}
		second, err := r.WithoutSentinel()
		return []Act{first, second}, err
	}
	goal := func(id, text string, by iana.Side, kind alert.Kind, when func(*Setup) bool,
		solve func(Setup) (Setup, []Act, error)) Goal {
		return Goal{id, text, func(r *Result) bool {
			return changedHello(r) && when(&r.Setup) && caught(r, by, kind)
		}, solve}
	}
	speaksBoth := func(s *Setup) bool { return s.Both && !s.OldServer }
	return Lesson{ID: "downgrade", Knob: "acts",
		Question: "Both speak TLS 1.3. May somebody make them speak TLS 1.2?",
		Setup:    Setup{Version: "1.3", Both: true},
		Goals: []Goal{
			goal("sentinel", "the client finds the server's mark in its random", iana.Client,
				alert.KindDowngrade, speaksBoth, by(same, older)),
			goal("forged", "without the mark, the signature over the random is wrong", iana.Client,
				alert.KindSignature, speaksBoth, func(s Setup) (Setup, []Act, error) {
					acts, err := both(&s)
					return s, acts, err
				}),
			goal("unmarked", "a server without the mark: Finished is wrong", iana.Server,
				alert.KindFinished, func(s *Setup) bool { return s.OldServer },
				by(func(s *Setup) { s.OldServer = true }, older)),
			goal("alone", "who speaks TLS 1.3 alone has nothing to fall back to", iana.Server,
				alert.KindVersion, func(s *Setup) bool { return s.Version == "1.3" && !s.Both },
				by(func(s *Setup) { s.Both = false }, older)),
		}}
}

func certificates() Lesson {
	l := Lesson{ID: "certificates", Knob: "flaw",
		Question: "What does a client look at before it believes a certificate?",
		Goals: []Goal{
			{
				"accepted",
				"nothing is wrong with it",
				func(r *Result) bool {
					return r.Setup.Flaw == NoFlaw && r.Verdict.Outcome == Untouched
				},
				as(same),
			},
		}}
	alerts := map[Flaw]alert.Description{
		WrongName: alert.BadCertificate, Expired: alert.CertificateExpired,
		NotYet: alert.CertificateExpired, UnknownRoot: alert.UnknownCA, NoPath: alert.UnknownCA,
		WrongUsage: alert.UnsupportedCertificate,
	}
	for _, f := range Flaws()[1:] {
		l.Goals = append(l.Goals, Goal{string(f), "the client refuses it: " + alerts[f].String(),
			func(r *Result) bool {
				v := &r.Verdict
				return r.Setup.Flaw == f && v.Outcome == Caught && v.By == iana.Client &&
					v.Alert == alerts[f].String()
			}, as(func(s *Setup) { s.Flaw = f })})
	}
	return l
}

func whoSeesTheCertificate() Lesson {
	shown := func(encrypted bool) func(*Result) bool {
		return func(r *Result) bool {
			of := r.Carrying(iana.Server, iana.Certificate.String())
			return of != nil && of.Encrypted == encrypted && r.Verdict.Outcome == Untouched
		}
	}
	return Lesson{ID: "who-sees-the-certificate", Knob: "version",
		Question: "Who sees the server's certificate?",
		Goals: []Goal{
			{"all", "in TLS 1.2 whoever looks at the wire", shown(false), as(same)},
			{"client", "in TLS 1.3 the client alone", shown(true),
				as(func(s *Setup) { s.Version = "1.3" })},
		}}
}

func replayedEarlyData() Lesson {
	again := func(want func(*Result) string, c Careless) func(*Result) bool {
		return func(r *Result) bool {
			return r.Again != nil && r.Setup.Careless == c && r.Ends[iana.Server].Early != "" &&
				r.Again.Ends[iana.Server].Early == want(r)
		}
	}
	replay := func(r *Result) ([]Act, error) {
		of := r.Carrying(iana.Client, iana.RecordApplicationData.String())
		return []Act{{Kind: Replay, Side: iana.Client, Record: of.Number, Fresh: true}}, nil
	}
	return Lesson{ID: "replayed-early-data", Knob: "careless",
		Question: "Data before the server has said anything: how often may it arrive?",
		Setup: Setup{Version: "1.3", Resume: true, EarlyData: true,
			Request: "pay 1000 to Mallory"},
		Goals: []Goal{
			{"once", "the server takes a ticket's early data once",
				again(func(*Result) string { return "" }, Careful), by(same, replay)},
			{"twice", "a careless server pays twice",
				again(func(r *Result) string { return r.Setup.Request }, AnyReplay),
				by(func(s *Setup) { s.Careless = AnyReplay }, replay)},
		}}
}

// Lessons returns the twelve lessons, in order.
func Lessons() []Lesson {
	list := []Lesson{forwardSecrecy(), unprotectedByte(), changedOffer(), macOrPadding(),
		badKeyExchanges(), replayAndSwap(), earlyWarning(), truncation(), downgrade(),
		certificates(), whoSeesTheCertificate(), replayedEarlyData()}
	for i := range list {
		list[i].Number = i + 1
	}
	return list
}
