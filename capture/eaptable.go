package capture

import (
	"encoding/binary"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// group is the address of all authenticators, IEEE 802.1X-2020 §11.1.1.
var group = [6]byte{0x01, 0x80, 0xC2, 0, 0, 3}

// maxConversations bounds the EAP conversations that are open.
const maxConversations = 1 << 12

// eap takes the EAP packet that was decoded. Packets without TLS only count.
func (a *Assembler) eap(at time.Time) {
	d := &a.decoder
	b := d.packet.b
	code, n := b[0], int(binary.BigEndian.Uint16(b[2:]))
	if code != eapRequest && code != eapResponse || n < 5 || n > len(b) {
		d.count("EAP without TLS", 0)
		return
	}
	from := iana.Server
	if code == eapResponse {
		from = iana.Client
	}
	c := a.eapConversation(from)
	if c == nil {
		d.count("EAP in RADIUS whose request is not in the capture", 0)
		return
	}
	method, body := eapMethods[b[4]], b[5:n]
	switch {
	case method == "" || len(body) == 0:
		d.count("EAP without TLS", 0)
		return
	case c.last[from] == int(b[1])+1:
		return // a repetition
	}
	c.last[from] = int(b[1]) + 1
	flags, body := body[0], body[1:]
	if flags&eapStart != 0 { // what may follow is no TLS
		if c.begun {
			c = a.eaps.again(c)
			c.last[from] = int(b[1]) + 1
		}
		return
	}
	outer := 0
	for _, f := range []byte{eapLength, eapOuter} {
		if flags&f == 0 || f == eapOuter && method != "TEAP" {
			continue
		}
		if len(body) < 4 {
			return
		}
		if f == eapOuter {
			outer = int(min(binary.BigEndian.Uint32(body), 1<<16))
		}
		body = body[4:]
	}
	a.pass(c, method, from, at, body[:max(0, len(body)-outer)])
}

// pass gives bytes to the conversation's Handler.
func (a *Assembler) pass(c *eapConversation, method string, from iana.Side, at time.Time,
	b []byte) {
	if len(b) == 0 {
		return
	}
	if !c.begun {
		c.begun = true
		a.eaps.n++
		c.Stream, c.Start, c.Carrier = -a.eaps.n, at, method+" in "+c.carrier
		if a.New != nil {
			c.handler = a.New(&c.Connection)
		}
	}
	c.Last = at
	c.Packets++
	c.Facts.Packets[from]++
	if c.handler != nil {
		c.handler.Bytes(from, at, b)
	}
}

// eapConversation returns the conversation of the packet that was decoded. It is nil for an answer
// to a request that is not known.
func (a *Assembler) eapConversation(from iana.Side) *eapConversation {
	t, d := &a.eaps, &a.decoder
	if t.byMAC == nil {
		t.byMAC, t.byState = map[[6]byte]*eapConversation{}, map[string]*eapConversation{}
		t.byID = map[radiusKey]*eapConversation{}
	}
	if d.packet.radius.is {
		return t.radius(d)
	}
	client, server := d.macs[1], d.macs[0]
	if from == iana.Server {
		client, server = server, client
	}
	c := t.byMAC[client]
	if last := t.open.tail; client == group && last != nil && last.carrier != carrierRADIUS {
		c = last
	}
	if c == nil {
		c = t.begin(d.packet.carrier)
		c.mac = client
		t.byMAC[client] = c
		c.Names = [2]string{net.HardwareAddr(client[:]).String(), "authenticator"}
	}
	if server != group && !c.begun {
		c.Names[iana.Server] = net.HardwareAddr(server[:]).String()
	}
	t.touch(c)
	return c
}

// radius returns the conversation of a RADIUS packet: a request goes on with the State of the last
// answer, and an answer has the identifier of its request. See RFC 2865.
func (t *eapTable) radius(d *decoder) *eapConversation {
	s, r := &d.segment, d.packet.radius
	k := radiusKey{s.src, s.dst, r.id}
	if !r.request {
		k = radiusKey{s.dst, s.src, r.id}
		c := t.byID[k]
		if c != nil && r.state != "" {
			delete(t.byState, c.state)
			c.state = r.state
			t.byState[c.state] = c
		}
		return c
	}
	c := t.byState[r.state]
	if r.state == "" {
		c = t.byID[k] // a repetition, if it is the same identifier
		if c != nil && c.begun {
			c = nil
		}
	}
	if c == nil {
		c = t.begin(d.packet.carrier)
		c.Client, c.Server = s.src.addrPort(s.v6), s.dst.addrPort(s.v6)
	}
	if t.byID[c.key] == c {
		delete(t.byID, c.key)
	}
	c.key = k
	t.byID[k] = c
	t.touch(c)
	return c
}

func (t *eapTable) begin(carrier string) *eapConversation {
	c := &eapConversation{carrier: carrier}
	c.Facts.Opened = [2]bool{true, true}
	t.open.push(c)
	if t.open.n > maxConversations {
		t.end(t.open.first())
	}
	return c
}

func (t *eapTable) touch(c *eapConversation) {
	t.open.remove(c)
	t.open.push(c)
}

// again ends a conversation and begins another one in its place.
func (t *eapTable) again(old *eapConversation) *eapConversation {
	t.end(old)
	c := t.begin(old.carrier)
	c.mac, c.state, c.key = old.mac, old.state, old.key
	c.Client, c.Server, c.Names = old.Client, old.Server, old.Names
	if c.carrier != carrierRADIUS {
		t.byMAC[c.mac] = c
		return c
	}
	t.byID[c.key] = c
	if c.state != "" {
		t.byState[c.state] = c
	}
	return c
}

// end calls the Handler's End and forgets the conversation.
func (t *eapTable) end(c *eapConversation) {
	t.open.remove(c)
	if t.byMAC[c.mac] == c {
		delete(t.byMAC, c.mac)
	}
	if t.byState[c.state] == c {
		delete(t.byState, c.state)
	}
	if t.byID[c.key] == c {
		delete(t.byID, c.key)
	}
	if c.handler != nil {
		c.handler.End()
		c.handler = nil
	}
}
