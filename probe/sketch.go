package probe

import (
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// Sketch is what a few questions show about a server: enough to say why a client cannot negotiate
// with it.
type Sketch struct {
	Versions    []Version    // SSL 3.0 to TLS 1.3, the newest first; without suites
	Best        *Version     // the newest that the server has, with its first suites; or nil
	AllSuites   bool         // Best has no suites besides these
	Groups      []iana.Group // those that Best showed first
	AllGroups   bool         // it showed no others
	PrimeBits   int          // of finite-field Diffie-Hellman, 0 if none was shown
	Prime       iana.Group   // its name in RFC 7919, or 0
	PSKAlone    bool         // Best takes suites of pre-shared keys, and no others
	Unspoken    bool         // Best takes no suite that Vitrine speaks
	OwnPrime    bool         // Best takes a client that names no group of RFC 7919
	RSABits     int          // of the certificate's key, 0 if none was shown or it is another one
	Authorities []string     // whom a client's certificate must come from
	Asks        bool         // for a client's certificate
	Connections int

	unsaid []iana.Version // refused by handshake_failure, as if for want of a certificate
}

// sketched is how many suites and groups a Sketch lists at most.
const sketched = 3

// Sketch asks one question for each version and a few about the newest one, some 13. It returns
// nil if no version was found: then there is nothing to say.
func (s *Server) Sketch(ctx context.Context) *Sketch {
	s.open()
	k := &Sketch{Versions: make([]Version, len(versions))}
	answers := make([]*Answer, len(versions))
	var run []func()
	for i, v := range versions {
		run = append(run, func() { k.Versions[i], answers[i] = s.glance(ctx, v) })
	}
	side(run...)
	k.confirm(ctx, s, answers)
	for i, a := range answers {
		if k.Versions[i].Told == No && a.says(alert.HandshakeFailure) {
			k.unsaid = append(k.unsaid, k.Versions[i].version)
		}
	}
	for i := range k.Versions {
		if k.Versions[i].Told == Yes {
			k.Best, k.OwnPrime = &k.Versions[i], answers[i].offer.unnamed
			k.look(ctx, s, answers[i])
			break
		}
	}
	s.extend(ctx)
	if k.Connections = s.Asked(); k.Best == nil {
		return nil
	}
	return k
}

// confirm asks again for the versions whose hellos were dropped, if there is one that was accepted.
func (k *Sketch) confirm(ctx context.Context, s *Server, answers []*Answer) {
	i := slices.IndexFunc(k.Versions, func(v Version) bool { return v.Told == Yes })
	if i < 0 {
		return
	}
	accepted := answers[i]
	var run []func()
	for i, a := range answers {
		if v := &k.Versions[i]; v.Told == No && a.Outcome.dropped() {
			run = append(run, func() {
				var b *Answer
				if v.Told, b = s.confirm(ctx, v.version, accepted); v.Told == Yes {
					v.Detail, answers[i] = "", b
				}
			})
		}
	}
	side(run...)
}

// glance asks whether the server has a version, with as many suites as a hello holds, and with
// shorter hellos if those are dropped.
func (s *Server) glance(ctx context.Context, v iana.Version) (Version, *Answer) {
	o := whole(v)
	a := s.insist(ctx, o)
	// not known whether it refused the version or something else
	if a.Outcome.refused() && !a.says(alert.ProtocolVersion) {
		a = s.insist(ctx, o.with(spare))
	}
	if a.Outcome.dropped() || a.Outcome == Cut { // as servers do that fail at long hellos
		for _, o := range shorter(v) {
			b := s.insist(ctx, o)
			if b.Outcome == Accepted || b.says(alert.ProtocolVersion) {
				a = b
				break
			}
		}
	}
	if a.Outcome == Alerted && !a.says(alert.ProtocolVersion) {
		if p, ok := o.withoutPrimes(); ok {
			if b := s.insist(ctx, p); b.Outcome == Accepted {
				a = b
			}
		}
	}
	ids := best(v)
	for rest := range slices.Chunk(ids[len(o.Suites):], maxSuites) {
		if !a.says(alert.HandshakeFailure) {
			break
		}
		o.Suites = rest
		a = s.insist(ctx, o)
	}
	row := Version{Name: v.String(), version: v, Told: NotTold, Detail: a.Refusal()}
	switch {
	case a.Outcome == Accepted && a.Version == v:
		row.Told, row.Detail = Yes, ""
	case a.Outcome == Accepted:
		row.Told, row.Detail = No, fmt.Sprintf("the server answered with %v", a.Version)
	case a.Outcome.refused():
		row.Told = No
	}
	return row, a
}

// says reports whether the server refused with an alert.
func (a *Answer) says(d alert.Description) bool { return a.Alert != nil && *a.Alert == d }

// look finds the first suites and groups of the newest version, with hellos like the one that was
// accepted. If that was a short one, it did not offer all that there is.
func (k *Sketch) look(ctx context.Context, s *Server, first *Answer) {
	v := k.Best.version
	e := newElimination(v)
	full := !first.offer.Unpadded
	ask := func(ids []iana.CipherSuite) *Answer {
		o := *first.offer
		o.Suites = ids
		return s.insist(ctx, &o)
	}
	ids, all := slices.Clone(first.offer.Suites), best(v)
	rest := slices.DeleteFunc(all[min(len(all), maxSuites):],
		func(id iana.CipherSuite) bool { return slices.Contains(ids, id) })
	for a := first; ; {
		switch {
		case a.Outcome == Accepted && a.Version == v:
			e.take(a)
			k.note(a)
			ids = slices.DeleteFunc(ids, func(id iana.CipherSuite) bool { return id == a.Suite })
		case full && a.refuses(first) && len(rest) > 0:
			n := min(len(rest), maxSuites)
			ids, rest = slices.Clone(rest[:n]), rest[n:]
		default:
			k.AllSuites = full && a.refuses(first)
			ids = nil
		}
		if len(ids) == 0 || len(e.answers) == sketched+1 {
			break
		}
		a = ask(ids)
	}
	k.Best.Suites = e.result.Suites
	if has := k.Best.Suites; full && len(has) > 0 {
		if !slices.ContainsFunc(has, notShared) {
			k.PSKAlone = ask(withoutPSK(v)).refuses(first)
		}
		if !slices.ContainsFunc(has, known) {
			k.Unspoken = ask(spokenIn(v)).refuses(first)
		}
	}
	k.groups(ctx, s, e.result.ids(), first)
}

// note records what an answer shows besides version and suite.
func (k *Sketch) note(a *Answer) {
	if len(a.Chain) > 0 {
		if leaf, _ := pki.ReadCertificate(a.Chain[0]); keyOf(leaf).Type == "RSA" {
			k.RSABits = keyOf(leaf).Bits
		}
	}
	if a.Keys != nil && a.Keys.P != nil {
		k.PrimeBits, k.Prime = new(big.Int).SetBytes(a.Keys.P).BitLen(), a.group()
	}
	if a.Request == nil || k.Asks {
		return
	}
	k.Asks = true
	for _, der := range a.Request.Authorities {
		if len(k.Authorities) == 10 {
			break
		}
		k.Authorities = append(k.Authorities, distinguished(der))
	}
}

func notShared(x Suite) bool { return !strings.Contains(x.id.String(), "_PSK_") }

// withoutPSK returns suites of a version that need no pre-shared key.
func withoutPSK(v iana.Version) []iana.CipherSuite {
	ids := slices.DeleteFunc(best(v),
		func(id iana.CipherSuite) bool { return strings.Contains(id.String(), "_PSK_") })
	return ids[:min(len(ids), maxSuites)]
}

// known reports whether Vitrine speaks a suite.
func known(x Suite) bool { return suite.ByID(x.id) != nil || suite.ByID13(x.id) != nil }

// spokenIn returns the suites of a version that Vitrine speaks.
func spokenIn(v iana.Version) []iana.CipherSuite {
	return slices.DeleteFunc(best(v),
		func(id iana.CipherSuite) bool { return !known(Suite{id: id}) })
}

// distinguished returns a distinguished name as text.
func distinguished(der []byte) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return "a name that cannot be read"
	}
	return bounded(name.String())
}

// groups finds the first groups, if the key exchange has any.
func (k *Sketch) groups(ctx context.Context, s *Server, ids []iana.CipherSuite, first *Answer) {
	if k.Best.version != iana.TLS13 {
		ids = ephemeral(k.Best, true)
	}
	left := first.offer.Groups
	for len(ids) > 0 && len(left) > 0 && len(k.Groups) <= sketched {
		o := *first.offer
		o.Suites, o.Groups = ids, left
		a := s.insist(ctx, &o)
		if a.Outcome != Accepted || !slices.Contains(left, a.Group) {
			k.AllGroups = !first.offer.Unpadded && a.refuses(first)
			return
		}
		k.Groups = append(k.Groups, a.Group)
		left = slices.DeleteFunc(
			slices.Clone(left),
			func(g iana.Group) bool { return g == a.Group },
		)
	}
}

// Newest returns the newest version that the server has, with the first suites that it chose in it.
func (k *Sketch) Newest() (iana.Version, []iana.CipherSuite) {
	return k.Best.version, k.Best.ids()
}

// Has reports whether the server has a version, or may have it.
func (k *Sketch) Has(v iana.Version) bool {
	return slices.ContainsFunc(k.Versions,
		func(row Version) bool { return row.version == v && row.Told != No })
}

// Sentences returns what was found, one fact a sentence.
func (k *Sketch) Sentences() (found []string) {
	var has, unclear, dropped, unsaid []string
	for _, v := range k.Versions {
		switch v.Told {
		case No:
			if k.PSKAlone && v.version > k.Best.version && slices.Contains(k.unsaid, v.version) {
				unsaid = append(unsaid, v.Name)
			}
		case Yes:
			has = append(has, v.Name)
		case NotTold:
			switch v.Detail {
			case string(Closed), string(Reset):
				dropped = append(dropped, v.Name)
				continue
			case string(Cut):
				v.Name += ", whose answer is cut off"
			}
			unclear = append(unclear, v.Name)
		}
	}
	if len(dropped) > 0 {
		unclear = append(unclear, strings.Join(dropped, " and ")+", whose hellos may be dropped "+
			"for their length or an extension")
	}
	only := "the server speaks " + strings.Join(has, ", ")
	if len(has) == 1 && len(unclear)+len(unsaid) == 0 {
		only = "the server speaks only " + has[0]
	} else if len(unclear) > 0 {
		only += "; not told: " + strings.Join(unclear, ", ")
	}
	found = append(found, only)
	found = append(found, listed("suite", "in "+k.Best.Name, names(k.Best.Suites), k.AllSuites))
	if len(k.Groups) > 0 {
		var groups []string
		for _, g := range k.Groups {
			groups = append(groups, g.String())
		}
		found = append(found, listed("group", "for its key exchange", groups, k.AllGroups))
	}
	if k.PSKAlone {
		found = append(found, "in "+k.Best.Name+" it takes pre-shared keys alone")
		if len(unsaid) > 0 {
			found = append(found, "it refuses "+strings.Join(unsaid, " and ")+" as a server "+
				"without a certificate does, and may have it with such a key")
		}
	}
	if k.RSABits > 0 && k.RSABits < 2048 {
		found = append(found, fmt.Sprintf("its certificate has an RSA key of %d bits", k.RSABits))
	}
	if k.PrimeBits > 0 {
		found = append(found, fmt.Sprintf("its Diffie-Hellman prime has %d bits", k.PrimeBits))
	}
	if k.OwnPrime {
		found = append(found, "it takes a client that names no group of RFC 7919, as a server "+
			"does whose prime is none of those")
	}
	switch {
	case len(k.Authorities) > 0:
		found = append(found, "it asks for a client certificate from one of these authorities: "+
			strings.Join(k.Authorities, "; "))
	case k.Asks:
		found = append(found, "it asks for a client certificate, and names no authorities")
	}
	return found
}

// listed lists suites or groups in words.
func listed(what, where string, list []string, all bool) string {
	switch {
	case all && len(list) == 1:
		return fmt.Sprintf("%s it has only the %s %s", where, what, list[0])
	case all:
		return fmt.Sprintf("%s it has only the %ss %s", where, what, strings.Join(list, ", "))
	}
	return fmt.Sprintf(
		"%s it has the %ss %s, and maybe more",
		where,
		what,
		strings.Join(list, ", "),
	)
}
