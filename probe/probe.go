package probe

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/iana"
)

// Probe asks a server everything that this package asks. It makes as many connections as the server
// has suites, groups and signature schemes, and about 60 more. A server that cannot be reached
// gives a Report in which nothing is told; if ctx ends, what was found until then.
func (s *Server) Probe(ctx context.Context, t Trust) *Report {
	began := time.Now()
	s.open()
	p := &prober{server: s, name: t.Name, roots: t.Roots, listed: t.Listed,
		report: &Report{Target: t.Name, ServerName: s.Name, At: t.Now, Versions: []Version{},
			Groups: []Group{}, Primes: []Prime{}, Schemes: []Scheme{}, Chains: []Chain{},
			Facts: []Fact{}, Findings: []Finding{}}}
	if p.report.At.IsZero() {
		p.report.At = began
	}
	if p.greet(ctx) {
		p.versions(ctx)
		if p.stillThere(ctx) {
			p.details(ctx)
			p.stillThere(ctx)
		}
		p.report.Findings = findings(p.report)
	}
	if a := s.address.Load(); a != nil {
		p.report.Address, _, _ = net.SplitHostPort((*a).String())
	}
	p.report.Connections, p.report.Took = s.Asked(), time.Since(began)
	p.report.Retries = s.retried()
	if ctx.Err() != nil {
		p.note("the probe was interrupted: the report lacks what was not asked")
	}
	return p.report
}

// greet finds out whether the server speaks TLS, in at most two connections.
func (p *prober) greet(ctx context.Context) bool {
	p.server.progress("is there a TLS server?")
	for range 2 {
		began := time.Now()
		o, _ := newElimination(iana.TLS12).offer(suitesOf(iana.TLS12)[:maxSuites], true)
		a := p.server.Ask(ctx, o)
		p.server.first, p.greeting = time.Since(began), a
		switch a.Outcome {
		case Unreached:
			p.report.Problem = "not reached: " + bounded(a.Err.Error())
			return false
		case NotTLS:
			what, _ := diagnose.NotTLS(a.first)
			p.report.Problem = "what answers does not speak TLS there: " + what
			return false
		case Silent, Closed, Reset, Cut:
			p.report.Problem = "the answer to a ClientHello: " + a.Refusal()
			continue // a server may want TLS 1.3, or a moment
		}
		p.report.Problem, p.report.Reached = "", true
		return true
	}
	a := p.server.Ask(ctx, &Offer{Version: iana.TLS13, Suites: suitesOf(iana.TLS13),
		Groups: groups13, Schemes: schemes})
	if a.Outcome == Accepted || a.Outcome == Alerted {
		p.report.Problem, p.report.Reached = "", true
	}
	return p.report.Reached
}

// stillThere repeats a question that was accepted before: if the server now refuses everything from
// us, its last refusals do not count.
func (p *prober) stillThere(ctx context.Context) bool {
	o := p.either()
	if o == nil || ctx.Err() != nil {
		return true // reported elsewhere
	}
	a := p.server.insist(ctx, o)
	if a.Outcome != Accepted {
		p.note(fmt.Sprintf("after %s the server no longer accepts what it accepted before (%s): "+
			"what it refused before that may be wrong", count(p.server.Asked(), "connection"),
			a.Refusal()))
		for i := range p.report.Versions {
			v := &p.report.Versions[i]
			if v.Told == No {
				v.Told = NotTold
			}
		}
	}
	return a.Outcome == Accepted
}

// versions finds the versions, with all suites, groups and schemes of each.
func (p *prober) versions(ctx context.Context) {
	p.server.progress("versions and cipher suites")
	eliminations := make([]*elimination, len(versions))
	var run []func()
	for i, v := range versions {
		e := newElimination(v)
		if v == iana.TLS12 && p.greeting.Outcome == Accepted {
			e.first = p.greeting
		}
		eliminations[i] = e
		run = append(run, func() { e.run(ctx, p.server) })
	}
	var old Version
	run = append(run, func() { old = p.askSSL2(ctx) })
	side(run...)
	i := slices.IndexFunc(eliminations, func(e *elimination) bool { return len(e.answers) > 0 })
	for _, e := range eliminations {
		if i >= 0 && ctx.Err() == nil {
			e.confirm(ctx, p.server, eliminations[i].answers[0])
		}
	}
	doubt(eliminations)
	p.server.progress("groups, signature schemes and the order of suites")
	p.rest(ctx, eliminations)
	for _, e := range eliminations {
		p.report.Versions = append(p.report.Versions, e.result)
		p.answers = append(p.answers, e.answers...)
	}
	p.report.Versions = append(p.report.Versions, old)
	p.collect(ctx)
}

// doubt takes back what is no answer about a version: a server that shows no certificate may refuse
// all that it is offered for want of one, or of a key that both know. protocol_version is about the
// version.
func doubt(eliminations []*elimination) {
	certified := slices.ContainsFunc(eliminations, func(e *elimination) bool {
		return slices.ContainsFunc(e.answers, func(a *Answer) bool {
			return len(a.Chain) > 0 || a.Version == iana.TLS13
		})
	})
	for _, e := range eliminations {
		if e.result.Told == No && !certified && e.alerted && e.version > iana.SSL30 {
			e.result.Told = NotTold
			e.result.Detail += ", as of a server that has it and no certificate for us"
		}
	}
}

// rest asks for the groups and schemes that the questions about suites left open.
func (p *prober) rest(ctx context.Context, eliminations []*elimination) {
	var run []func()
	newest12 := false
	for _, e := range eliminations {
		if e.result.Told != Yes {
			continue
		}
		run = append(run, func() { e.result.order(ctx, p.server) })
		switch {
		case e.version == iana.TLS13:
			run = append(run, func() { e.restGroups(ctx, p.server) })
		case !newest12 && e.version >= iana.TLS10: // the older versions have the same groups
			newest12 = true
			run = append(run, func() {
				e.restGroups(ctx, p.server)
				if e.version == iana.TLS12 {
					e.restSchemes(ctx, p.server)
				}
			})
		}
	}
	side(run...)
}

// details asks the questions that need the versions, and last those that resemble an attack.
func (p *prober) details(ctx context.Context) {
	if p.report.best(iana.TLS13) == nil {
		p.note("no version was found: no hello got an answer that can be used")
		return
	}
	p.server.progress("certificates, resumption, extensions and tolerance")
	p.first12 = sync.OnceValue(func() *spoken { return p.handshake12(ctx) })
	p.first13 = sync.OnceValue(func() *spoken { return p.handshake13(ctx) })
	p.together = sync.OnceValue(func() bool { return p.odd(ctx) })
	facts := make([]Fact, len(questions))
	var run []func()
	if p.report.version(iana.TLS13).Told == Yes {
		run = append(run, func() { p.schemes13(ctx) })
	}
	for i, q := range questions {
		run = append(run, func() { facts[i] = p.answer(ctx, q) })
	}
	side(run...)
	p.report.Facts = facts
	p.server.progress("known weaknesses")
	for _, q := range attacks {
		p.report.Facts = append(p.report.Facts, p.answer(ctx, q))
	}
}

func (p *prober) answer(ctx context.Context, q question) Fact {
	f := Fact{ID: q.id, What: q.what, Told: NotTold, Detail: "interrupted"}
	if ctx.Err() == nil {
		f.Told, f.How, f.Detail = q.ask(ctx, p)
	}
	return f
}
