package html

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

func emptyRun(r Run) *run {
	return &run{Story: explain.Tell(r.Entries, r.About), entries: r.Entries,
		secrets: map[string]*secret{}, prints: r.Prints, marks: r.Marks}
}

// newRun prepares r, which is number n of all runs, from 0.
func newRun(n, all int, r Run) *run {
	v := emptyRun(r)
	if all > 1 {
		v.Letter = string(rune('A' + n%26))
		v.ID = strings.ToLower(v.Letter) + "-"
		if n >= 26 {
			v.ID = fmt.Sprintf("r%d-", n)
		}
	}
	v.prepare(r)
	return v
}

// prepare does what follows from the ID, which begins every fragment.
func (v *run) prepare(r Run) {
	v.dialect = [2]message.Dialect{{Version: v.Version}, {Version: v.Version}}
	for _, e := range r.Entries {
		v.seenBy[iana.Client] = v.seenBy[iana.Client] || e.Plays(trace.Client)
		v.seenBy[iana.Server] = v.seenBy[iana.Server] || e.Plays(trace.Server)
		if a, ok := e.Event.(*trace.Agreed); ok {
			for side := range v.dialect {
				v.dialect[side] = explain.DialectOf(*a, iana.Side(side))
			}
		}
	}
	if s := v.Story.Suite; s != nil {
		v.Suite, v.Code = s.ID.String(), fmt.Sprintf("0x%04X", uint16(s.ID))
	}
	v.Verdicts = verdicts(v.Story)
	v.Readers, v.Erasures = explain.Readers(v.Story), explain.Erasures(v.Story)
	v.Holdings, v.Signs = explain.Holdings(v.Story), explain.Signatures(v.Story)
	v.Opens = explain.WriteKeys(v.Story)
	v.growTree()
	v.pages(explain.Rungs(r.Entries))
	v.explainWords()
	v.placeNodes()
	v.stamp()
	v.compute()
	v.drawSchedule()
	v.leadOn()
	v.family()
	v.Ladder = v.drawLadder()
}

func (r *run) title() string {
	what := r.Suite
	if what == "" {
		what = "an unfinished handshake"
	}
	return "Vitrine TLS: " + what
}

func verdicts(s *explain.Story) []verdict {
	var list []verdict
	res := &s.Result
	switch {
	case len(res.Noticed) > 0 && res.Noticed[0].Alert == "":
		list = append(list, verdict{"stopped: without close_notify", "bad"})
	case len(res.Noticed) > 0:
		list = append(list, verdict{"stopped: " + res.Noticed[0].Alert, "bad"})
	case s.Run.Open:
	case !res.Complete:
		list = ending(&res.Ending)
	}
	if res.Compared > 0 {
		tone := "good"
		if res.Equal < res.Compared {
			tone = "bad"
		}
		list = append(list,
			verdict{fmt.Sprintf("%d of %d values equal on both sides", res.Equal, res.Compared),
				tone})
	}
	if res.Judged {
		if res.ForwardSecret {
			list = append(list, verdict{"forward secret", "good"})
			if res.EarlyData {
				list = append(list, verdict{"but not the early data", "bad"})
			}
		} else {
			list = append(list, verdict{"not forward secret", "bad"})
		}
	}
	return list
}

// ending says how far a connection came that is not complete, and how it ended: no more than the
// events know, which may be those of one side.
func ending(e *explain.Ending) []verdict {
	switch {
	case e.Handshake == explain.Failed:
		return []verdict{{"handshake failed", "bad"}}
	case e.Handshake == explain.Unfinished && e.Partial:
		return []verdict{{"end of the handshake not seen", ""}}
	case e.Handshake == explain.Unfinished:
		return []verdict{{"handshake not completed", "bad"}}
	}
	list := []verdict{{"handshake completed", "good"}}
	client, server := e.Goodbye[iana.Client], e.Goodbye[iana.Server]
	switch {
	case e.Fatal != "":
		return append(list, verdict{"ended: the " + e.Fatal, "bad"})
	case e.Truncated():
		return append(list, verdict{"ended without close_notify", "bad"})
	case client && server:
		return append(list, verdict{"closed by both sides", ""})
	case client:
		return append(list, verdict{"closed by the client", ""})
	case server:
		return append(list, verdict{"closed by the server", ""})
	}
	return append(list, verdict{"no close_notify seen", ""})
}

// pages adds a page for each step of the story.
func (r *run) pages(rungs []explain.Rung) {
	used := map[string]int{}
	for _, c := range r.Story.Chapters {
		ch := chapter{Chapter: c, Intro: explain.Introduction(r.Story, c.Number),
			Name: capital(c.Name)}
		for _, s := range c.Steps {
			p := r.step(c, s)
			if s.Line != nil && s.Line.Number <= len(rungs) {
				p.rung = &rungs[s.Line.Number-1]
			}
			slug := slug(s)
			if used[slug]++; used[slug] > 1 {
				slug = fmt.Sprintf("%s-%d", slug, used[slug])
			}
			p.ID = r.ID + slug
			p.Number = len(r.Steps) + 1
			r.Steps = append(r.Steps, p)
			ch.Steps = append(ch.Steps, p)
		}
		r.Chapters = append(r.Chapters, ch)
	}
	for i, p := range r.Steps {
		if i > 0 {
			p.Prev, r.Steps[i-1].Next = r.Steps[i-1].ID, p.ID
		}
		r.fill(p)
	}
}

// leadOn makes the last step lead to the key schedule, or to the result.
func (r *run) leadOn() {
	if len(r.Steps) == 0 {
		return
	}
	last := r.Steps[len(r.Steps)-1]
	if last.Next = r.ID + resultID; r.Schedule != nil {
		last.Next = r.Schedule.ID
	}
}

func (r *run) step(c explain.Chapter, s explain.Step) *step {
	e := explain.Explain(s.Key)
	p := &step{key: s.Key, story: s.Nodes, Chapter: c.Number, Of: capital(c.Name), Title: e.Title,
		Line:   s.Line,
		Ref:    e.Ref,
		Client: e.Client, Server: e.Server, Purpose: e.Purpose, Way: "each side for itself"}
	if l := s.Line; l != nil {
		p.Title, p.Ref, p.Size = l.Name, l.Ref, l.Size
		switch {
		case l.BothWays:
			p.Way = "both ways"
		default:
			p.Way = l.From.String() + " → " + l.From.Peer().String()
		}
	}
	for _, f := range s.Facts {
		p.Facts = append(p.Facts,
			fact{Fact: f, Value: newValue(hue(f, p), f.Value, f.Sent), Label: label(f)})
	}
	return p
}

func label(f explain.Fact) string {
	switch {
	case f.Name != "":
		return f.Name
	case f.Secret != "":
		return strings.ReplaceAll(f.Secret, "_", " ")
	}
	return f.Under
}

// hue returns the family of a fact. The verify_data of each side is a family of its own.
func hue(f explain.Fact, p *step) string {
	if f.Secret == "verify_data" && p.Line != nil {
		return p.Line.From.String() + "_verify_data"
	}
	return f.Secret
}

// fill adds derivations, signatures, choices, message and records to a step.
func (r *run) fill(p *step) {
	p.grow(r, p.story)
	switch kind := base(p.key); kind {
	case "master_secret", "key_block":
		p.derive(r, kind)
	case "shared":
		p.grow(r, []*explain.Node{r.Story.Schedule.Node("shared_secret")})
	case "finished":
		if r.Story.Schedule != nil {
			if p.grow(r, r.finishedNodes(p.Line.From)); len(p.Derivations) > 0 {
				p.Facts = nil // the boxes of the derivations have them
			}
			break
		}
		p.derive(r, p.Line.From.String()+"_verify_data")
	case "server_key_exchange":
		p.Signed = r.signedBy(iana.Server)
	case "certificate_verify":
		p.Signed = r.signedBy(p.Line.From)
	case "server_hello":
		p.Choices = r.choices()
	}
	if base(p.key) == "key_block" {
		p.Bar = newKeyBar(r.Story.Keys)
	}
	if p.rung != nil {
		if m := p.rung.Message; m != nil {
			p.Message = r.open(p.ID, m, p.rung)
		}
		p.Records = r.takeApart(p)
	}
	if base(p.key) == "application_data" {
		p.Facts = nil // the parts of the record have them
	}
}

// slug returns the fragment of a step, which is the same in every run: "master-secret",
// "finished-client".
func slug(s explain.Step) string {
	name := base(s.Key)
	if full, ok := strings.CutSuffix(s.Key, "/1.3"); ok && !oneSided[name] {
		return strings.ToLower(strings.NewReplacer("_", "-", "/", "-").Replace(full))
	}
	if strings.HasSuffix(s.Key, "/client") || strings.HasSuffix(s.Key, "/server") {
		name = s.Key
	}
	return strings.ToLower(strings.NewReplacer("_", "-", "/", "-", " ", "-").Replace(name))
}

// oneSided are the messages that only one side sends, so that their fragments name no side.
var oneSided = map[string]bool{"client_hello": true, "server_hello": true,
	"hello_retry_request": true, "encrypted_extensions": true, "certificate_request": true,
	"new_session_ticket": true, "end_of_early_data": true}

// capital changes "KEY EXCHANGE" to "Key exchange".
func capital(s string) string {
	if s == "" {
		return s
	}
	// Finished is the name of a message.
	return s[:1] + strings.ReplaceAll(strings.ToLower(s[1:]), "finished", "Finished")
}
func (r *run) choices() (list []*trace.Choice) {
	for _, e := range r.entries {
		if c, ok := e.Event.(*trace.Choice); ok && e.Role == trace.Server {
			list = append(list, c)
		}
	}
	return list
}

// Run is a connection to show: the merged events of both sides, and what the events do not say.
type Run struct {
	Entries []trace.Entry
	About   explain.Run
	// Prints has the fingerprints of secrets that are not in Entries, as Fingerprints returns them.
	Prints map[string]string
	// Marks has sentences to show with records of Entries.
	Marks map[*trace.Record]string
}
