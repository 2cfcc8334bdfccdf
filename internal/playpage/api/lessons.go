package api

import (
	"encoding/json"
	"fmt"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/playground"
	"github.com/vitrine-tls/vitrine/trace"
)

// lessonOf returns a lesson by its number, or nil.
func lessonOf(n int) *playground.Lesson {
	for _, l := range playground.Lessons() {
		if l.Number == n {
			return &l
		}
	}
	return nil
}

// reached returns which goals of a lesson a run reaches, by their index.
func reached(lesson int, r *playground.Result) (list []int) {
	l := lessonOf(lesson)
	if l == nil {
		return nil
	}
	for i := range l.Goals {
		if l.Goals[i].Reached(r) {
			list = append(list, i)
		}
	}
	return list
}

// Later is what the recording of a run says to whoever gets the server's key.
type Later struct {
	Client string `json:"client,omitempty"` // what was read of the client's data
	Server string `json:"server,omitempty"`
	Why    string `json:"why,omitempty"` // nothing was read
}

// later returns the Later of a run in the lesson about it, and nil in others, since it takes time.
func later(lesson int, r *playground.Result) *Later {
	l := lessonOf(lesson)
	if l == nil || l.ID != "forward-secrecy" {
		return nil
	}
	o, err := r.Later()
	if err != nil {
		return &Later{Why: err.Error()}
	}
	return &Later{o.Read[iana.Client], o.Read[iana.Server], o.Reason}
}

// Tools returns the tools of the lessons by their names: each computes acts from a run on which
// nobody acted.
func Tools() map[string]func(*playground.Result) ([]playground.Act, error) {
	tools := map[string]func(*playground.Result) ([]playground.Act, error){
		"without-suite": one(func(r *playground.Result) (playground.Act, error) {
			return r.WithoutSuite(0)
		}),
		"without-13":       one((*playground.Result).WithoutTLS13),
		"without-sentinel": withoutSentinel,
		"break-mac":        breaker(3 * 16),
		"break-padding":    breaker(16 + 1),
		"read-byte":        readByte,
		"early-alert":      warning(iana.ServerHello.String()),
		"late-alert":       warning(iana.RecordApplicationData.String()),
		"cut":              cut,
		"replay-early":     replayEarly,
	}
	for _, wrong := range playground.BadPreMasters() {
		tools["bad-"+string(wrong)] = one(func(r *playground.Result) (playground.Act, error) {
			return r.BadKeyExchange(wrong)
		})
	}
	return tools
}

// Tool takes a State and the name of a tool, and returns the acts of the tool as JSON.
func Tool(request []byte) ([]byte, error) {
	var q struct {
		State
		Tool string `json:"tool"`
	}
	if err := json.Unmarshal(request, &q); err != nil {
		return nil, fmt.Errorf("playground: %w", err)
	}
	tool := Tools()[q.Tool]
	if tool == nil {
		return nil, fmt.Errorf("playground: there is no tool %q", q.Tool)
	}
	r, err := playground.Run(q.Setup, nil)
	if err != nil {
		return nil, err
	}
	acts, err := tool(r)
	if err != nil {
		return nil, err
	}
	return json.Marshal(acts)
}

// one makes a list of what a tool computes.
func one(act func(*playground.Result) (playground.Act, error)) func(*playground.Result) (
	[]playground.Act, error) {
	return func(r *playground.Result) ([]playground.Act, error) {
		a, err := act(r)
		return []playground.Act{a}, err
	}
}

// withoutSentinel takes TLS 1.3 from the offer, and overwrites the mark that the server then sets.
func withoutSentinel(r *playground.Result) ([]playground.Act, error) {
	first, err := r.WithoutTLS13()
	if err != nil {
		return nil, err
	}
	if r, err = playground.Run(r.Setup, []playground.Act{first}); err != nil {
		return nil, err
	}
	second, err := r.WithoutSentinel()
	return []playground.Act{first, second}, err
}

// carrying returns the first record of a side that carries something, or an error.
func carrying(r *playground.Result, side iana.Side, name string) (*playground.Record, error) {
	if of := r.Carrying(side, name); of != nil {
		return of, nil
	}
	return nil, fmt.Errorf("playground: the %v sends no %s here", side, name)
}

// breaker returns a tool that flips the highest bit of a byte of the client's first data, so many
// bytes from the end of its record.
func breaker(fromEnd int) func(*playground.Result) ([]playground.Act, error) {
	return func(r *playground.Result) ([]playground.Act, error) {
		of, err := carrying(r, iana.Client, iana.RecordApplicationData.String())
		if err != nil || len(of.Sent) < fromEnd {
			return nil, fmt.Errorf("playground: there is no such record: %w", err)
		}
		return []playground.Act{{Kind: playground.Flip, Side: iana.Client, Record: of.Number,
			Offset: len(of.Sent) - fromEnd, Mask: 0x80}}, nil
	}
}

// readByte asks the server for the last byte of the first block of the client's data.
func readByte(r *playground.Result) ([]playground.Act, error) {
	b, tries, ok, err := playground.DecryptByte(r.Setup, 1)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("playground: %d guesses, and all answers are alike: this server "+
			"tells nothing", tries)
	}
	return r.Guess(1, b)
}

// warning returns a tool that injects a warning of the server's before one of its records.
func warning(before string) func(*playground.Result) ([]playground.Act, error) {
	return func(r *playground.Result) ([]playground.Act, error) {
		of, err := carrying(r, iana.Server, before)
		if err != nil {
			return nil, err
		}
		return []playground.Act{{Kind: playground.Inject, Side: iana.Server, Record: of.Number,
			Data: trace.Hex{byte(iana.RecordAlert), 3, 3, 0, 2, byte(alert.Warning),
				byte(alert.UnrecognizedName)}}}, nil
	}
}

// cut ends the client's stream behind its first record of data.
func cut(r *playground.Result) ([]playground.Act, error) {
	of, err := carrying(r, iana.Client, iana.RecordApplicationData.String())
	if err != nil {
		return nil, err
	}
	return []playground.Act{{Kind: playground.Cut, Side: iana.Client, Record: of.Number + 1}}, nil
}

// replayEarly plays to the server again what the client sent up to its early data.
func replayEarly(r *playground.Result) ([]playground.Act, error) {
	of, err := carrying(r, iana.Client, iana.RecordApplicationData.String())
	if err != nil {
		return nil, err
	}
	return []playground.Act{{Kind: playground.Replay, Side: iana.Client, Record: of.Number,
		Fresh: true}}, nil
}
