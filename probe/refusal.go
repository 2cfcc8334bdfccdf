package probe

import (
	"context"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// A connection that ends without an alert refuses what a hello offers only if another hello, that
// is as long and has the same extensions, is answered: something on the way may drop hellos for
// their length, or for an extension.

// refuses reports whether the answer refuses what its offer has, while b was accepted.
func (a *Answer) refuses(b *Answer) bool {
	return a.Outcome == Alerted || a.Outcome.dropped() && a.within(b)
}

// within reports whether the hello of a is no longer than that of b, and has no other extensions
// but those in which versions differ.
func (a *Answer) within(b *Answer) bool {
	return len(a.sent) <= len(b.sent) && len(b.lacks(a)) == 0
}

// lacks returns the extensions of the hello of b that the one of a does not have, but for those
// that only TLS 1.3 has.
func (a *Answer) lacks(b *Answer) message.Extensions {
	has := helloIn(a.sent).Extensions
	return slices.DeleteFunc(helloIn(b.sent).Extensions, func(x message.Extension) bool {
		return has.Has(x.Type) || x.Type == iana.ExtSupportedVersions || x.Type == iana.ExtKeyShare
	})
}

// whole returns an offer of a version with all groups and signature schemes, and as many suites as
// a hello holds.
func whole(v iana.Version) *Offer {
	ids := best(v)
	return &Offer{Version: v, Suites: ids[:min(len(ids), maxSuites)], Groups: groupsOf(v),
		Schemes: schemes}
}

// short returns an offer of a version with the first suites and groups, for servers that fail at
// long hellos.
func short(v iana.Version, suites, groups, signs int) *Offer {
	o := whole(v)
	o.Suites = o.Suites[:min(len(o.Suites), suites)]
	o.Groups = o.Groups[:min(len(o.Groups), groups)]
	o.Schemes, o.Unpadded = schemes[:signs], true
	return o.with(spare)
}

// shorter returns ever shorter offers of a version, the last without extensions, which TLS 1.3
// cannot do without.
func shorter(v iana.Version) []*Offer {
	list := []*Offer{short(v, 12, 16, 14), short(v, 6, 4, 6)}
	if v == iana.TLS13 {
		return list
	}
	return append(list, bare(v))
}

// bare returns an offer of a version without extensions.
func bare(v iana.Version) *Offer {
	return short(v, 60, 0, 0).with(func(m *message.ClientHello) { m.Extensions = nil })
}

// extend asks with one extension at a time if nothing but hellos without extensions was answered.
func (s *Server) extend(ctx context.Context) {
	if !s.Dropped().Bare {
		return
	}
	raw, err := short(iana.TLS12, 6, 4, 6).encode(s.Name)
	if err != nil {
		return
	}
	for _, x := range helloIn(raw).Extensions {
		s.insist(ctx, bare(iana.TLS12).with(func(m *message.ClientHello) {
			m.Extensions = message.Extensions{x}
		}))
	}
}

// spare removes from a hello the extensions that are not needed, because there are servers that
// fail at each of them.
func spare(m *message.ClientHello) {
	if m.Extensions.Has(iana.ExtRenegotiationInfo) { // the same, RFC 5746 §3.3
		m.CipherSuites = append(slices.Clone(m.CipherSuites),
			iana.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
	}
	m.Extensions = slices.DeleteFunc(m.Extensions, func(e message.Extension) bool {
		switch e.Type {
		case iana.ExtExtendedMasterSecret, iana.ExtEncryptThenMAC, iana.ExtSessionTicket,
			iana.ExtStatusRequest, iana.ExtRenegotiationInfo:
			return true
		}
		return false
	})
}

// confirm finds out whether the server drops hellos of a version for that version, when it has
// accepted another: it makes two hellos that differ in the version, the suites and what only TLS
// 1.3 has, and are of one length. It returns NotTold if the accepted version is dropped as well.
func (s *Server) confirm(ctx context.Context, v iana.Version, accepted *Answer) (Told, *Answer) {
	offers := []*Offer{whole(v).with(spare)}
	if v == iana.TLS13 { // which has few suites: the short one lacks none of those in use
		offers = append(offers, shorter(v)[0])
	}
	for _, o := range offers {
		o.Unpadded = true
		like := &Offer{Version: accepted.Version, Suites: []iana.CipherSuite{accepted.Suite},
			Groups: accepted.offer.Groups, Schemes: o.Schemes, Unpadded: true}
		like = like.with(spare)
		if !s.match(o, like) {
			continue
		}
		if b := s.insist(ctx, like); b.Outcome != Accepted {
			continue
		}
		switch a := s.insist(ctx, o); {
		case a.Outcome == Accepted && a.Version == v:
			return Yes, a
		case a.Outcome == Accepted, a.Outcome.dropped():
			return No, a
		}
	}
	return NotTold, nil
}

// match gives like the extensions of o that it lacks, and both the same length, which is none of
// 256 to 511 bytes: see Offer.Unpadded.
func (s *Server) match(o, like *Offer) bool {
	first, err := o.encode(s.Name)
	if err != nil {
		return false
	}
	second, err := like.encode(s.Name)
	if err != nil {
		return false
	}
	lacks := (&Answer{sent: second}).lacks(&Answer{sent: first})
	*like = *like.with(func(m *message.ClientHello) {
		m.Extensions = append(m.Extensions, lacks...)
	})
	if second, err = like.encode(s.Name); err != nil {
		return false
	}
	n := max(len(first), len(second)) + 4
	if n > 255 && n < 512 {
		n = 512
	}
	return padTo(o, n, s.Name) && padTo(like, n, s.Name)
}

// Dropped is what became of the hellos of all questions so far.
type Dropped struct {
	Seen string // which were dropped, and which answered, if these differ in kind; or empty
	All  bool   // none was answered
	Bare bool   // those alone that have no extensions were answered
}

// Dropped says which hellos the server, or something on the way to it, has dropped.
func (s *Server) Dropped() Dropped {
	s.mu.Lock()
	defer s.mu.Unlock()
	yes, no := &s.hellos.answered, &s.hellos.dropped
	d := Dropped{All: yes.extended+yes.bare == 0,
		Bare: yes.bare > 0 && yes.extended == 0 && no.extended > 0 && no.bare == 0}
	switch {
	case no.extended+no.bare == 0:
	case d.All && no.bare > 0:
		d.Seen = fmt.Sprintf("hellos of %d to %d bytes, with extensions and without, were dropped",
			no.least, no.most)
	case d.All:
		d.Seen = fmt.Sprintf("hellos of %d to %d bytes were dropped", no.least, no.most)
	case d.Bare:
		d.Seen = fmt.Sprintf("hellos with extensions, of %d to %d bytes, were dropped; those "+
			"without any were answered: %s", no.least, no.most, s.hellos.bare)
	case yes.most < no.least:
		d.Seen = fmt.Sprintf("hellos of up to %d bytes were answered, and those of %d and more "+
			"were dropped", yes.most, no.least)
	}
	return d
}
