package observe

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/suite"
)

// Report returns what is known so far.
func (c *Connection) Report() *Report {
	m := c.machine
	if c.before != nil && !m.Done() {
		m = c.before
	}
	r := &Report{Renegotiations: c.renegotiations, Source: c.used, Done: m.Done()}
	if c.some && !c.lanes[0].read && !c.lanes[1].read {
		r.Source = "" // no secret opened anything
	}
	switch i := c.initial; { // a renegotiation may negotiate something else
	case c.about != nil:
		r.negotiated = c.about.negotiated
	case i.ClientHello != nil && i.ServerHello != nil:
		r.hellos(i)
	case i.ClientHello != nil:
		r.ServerName = negotiation.ServerName(i.ClientHello)
	}
	unread := int64(0)
	for i := range c.lanes {
		l := &c.lanes[i]
		r.Flows[i] = l.flow
		r.Verified[i] = m.VerifyData[i] != nil
		unread += l.flow.Unread + l.flow.Missing
	}
	for _, side := range []iana.Side{iana.Client, iana.Server} {
		if r.Done && !m.Blind[side] && !r.Verified[side] {
			r.Unverified = append(r.Unverified, fmt.Sprintf("the %v's Finished", side))
		}
	}
	switch {
	case unread > 0 || c.failure != nil:
		r.Reason = c.why(r)
	case c.used != "" && (r.Done || r.Flows[0].Bytes+r.Flows[1].Bytes > 0):
		r.Decrypted = true
	default:
		r.Reason = c.why(r) // nothing unread, but no secret either
	}
	for side, f := range r.Flows {
		if f.Unread+f.Missing == 0 {
			continue
		}
		if r.Reasons[side] = c.spoiled(r, iana.Side(side)); r.Reasons[side] == nil {
			r.Reasons[side] = r.Reason
		}
		r.Reasons[side] = c.ending.cutShort(r.Reasons[side])
	}
	r.Reason = c.ending.cutShort(r.Reason)
	return r
}

// cutShort adds to a reason that bytes are missing why they are, if the packets tell.
func (e *ending) cutShort(r *Reason) *Reason {
	if r == nil || r.Code != BytesMissing || e.cut == 0 {
		return r
	}
	t := *r
	t.Detail += fmt.Sprintf(": %s cut short, at %d bytes (snaplen %d)",
		plural(e.cut, "packet was", "packets were"), e.snaplen, e.snaplen)
	t.Remedy = "record whole packets: tcpdump -s 0, or no limit in Wireshark's capture options"
	return &t
}

// why returns the most important reason.
func (c *Connection) why(r *Report) *Reason {
	m := c.machine
	lost := r.Flows[0].Missing + r.Flows[1].Missing
	switch {
	case c.abandoned != nil:
		return c.abandoned
	case c.draft != 0:
		return &Reason{Code: UnsupportedVersion,
			Detail: fmt.Sprintf("version %s is not read", versionText(c.draft))}
	case m.ClientHello == nil && lost == 0:
		return &Reason{Code: HandshakeNotCaptured,
			Detail: "the capture does not have the beginning of the connection"}
	case m.ServerHello != nil && !negotiation.Readable(r.Version):
		return &Reason{Code: UnsupportedVersion,
			Detail: fmt.Sprintf("version %s is not read", versionText(r.Version))}
	case m.ServerHello != nil && suite.Readable(r.Suite) == nil:
		return &Reason{Code: UnsupportedSuite, Detail: fmt.Sprintf("%v is not read", r.Suite)}
	case lost == 0 && c.failure == nil && c.unfinished(r) != nil:
		return c.unfinished(r)
	case c.missing != nil && c.about != nil && m == c.initial && c.about.Reason != nil:
		return c.about.Reason // computed before the messages were dropped
	case c.missing != nil:
		return c.missing.explain(m, r)
	}
	if why := worst(c.spoiled(r, iana.Client), c.spoiled(r, iana.Server)); why != nil &&
		why.Code != BytesMissing {
		return why
	}
	if lost > 0 {
		return &Reason{Code: BytesMissing,
			Detail: missingOf(r.Flows) + " are not in the capture"}
	}
	for i := range c.lanes {
		if errors.Is(c.lanes[i].err, errStalled) {
			return &Reason{Code: TooMuchBuffered, Detail: sentence(errStalled)}
		}
	}
	switch {
	case c.failure != nil:
		return &Reason{Code: MalformedHandshake, Detail: c.failure.Error()}
	case !r.Done:
		return &Reason{Code: HandshakeNotCaptured,
			Detail: "the capture does not have all of the handshake: " + c.whereItEnds() + "what " +
				"would come next is " + m.Awaited()}
	}
	for i := range c.lanes {
		if err := c.lanes[i].err; err != nil && err != errClear {
			return &Reason{Code: RecordAuthenticationFailed, Detail: sentence(err)}
		}
	}
	return &Reason{Code: NoSecret, Detail: "some records are under keys that were not found"}
}

// spoiled returns why what a side sent was not all read, or nil if its records do not tell.
func (c *Connection) spoiled(r *Report, side iana.Side) *Reason {
	f := &r.Flows[side]
	switch withheld := c.withheld(side); {
	case c.missing != nil || c.abandoned != nil:
		return nil
	case withheld != nil && withheld.Code == ForwardSecret:
		return withheld.explain(c.machine, r)
	case withheld != nil:
		return withheld
	case f.Missing > 0:
		return &Reason{Code: BytesMissing,
			Detail: fmt.Sprintf("%d bytes of the %v are not in the capture", f.Missing, side)}
	case f.Refused > 1 && c.lanes[side].fresh && f.First == 0:
		why := &Reason{Code: WrongSecret,
			Detail: fmt.Sprintf("%s: for what the %v sends", c.used, side)}
		return why.explain(c.machine, r)
	case f.Refused > 0:
		return &Reason{Code: RecordAuthenticationFailed,
			Detail: fmt.Sprintf("record %d of what the %v sent under its keys does not "+
				"authenticate: %s", f.First, side,
				plural(f.Refused, "record was left out", "records were left out"))}
	}
	return nil
}

// sentence returns the text of an error of this package without its prefix.
func sentence(err error) string { return strings.TrimPrefix(err.Error(), "observe: ") }
