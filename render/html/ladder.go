package html

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
)

// The measures of the picture in SVG units.
const (
	ladderWidth = 460
	left        = 92 // the client's lifeline
	right       = ladderWidth - left
	headRoom    = 34
	lineRoom    = 40
	chipRoom    = 24
	chipHeight  = 18
)

// drawLadder draws the ladder of a run.
func (r *run) drawLadder() *ladder {
	d := &drawing{ladder: &ladder{}, run: r, known: map[string][2]point{}, y: 8}
	for _, c := range r.Chapters {
		d.Heads = append(d.Heads, head{d.y + 22, c.Number, c.Name})
		d.y += headRoom
		for _, p := range c.Steps {
			d.step(p)
		}
	}
	d.Bottom = d.y
	for i := range d.Tracks {
		if d.Tracks[i].Y2 == 0 {
			d.Tracks[i].Y2 = d.y
		}
	}
	d.Height = d.y + 10
	return d.ladder
}

type point struct{ x, y int }

// drawing is a ladder that is being drawn from top to bottom.
type drawing struct {
	*ladder
	run   *run
	known map[string][2]point // where each side has a value
	y     int
}

func (d *drawing) step(p *step) {
	g := rungGroup{ID: p.ID, Title: p.Title, Way: p.Way, Number: p.Number, Top: d.y}
	before, after := d.births(p)
	for _, s := range before {
		d.chips(&g, s)
	}
	if p.Line != nil {
		d.arrow(&g, p)
	}
	for _, s := range after {
		d.chips(&g, s)
	}
	if base(p.key) == "change_cipher_spec" && d.run.Version != iana.TLS13 {
		d.switchOn(&g, p.Line.From, writeKey(d.run, p.Line.From), "keys on")
	}
	for _, x := range d.switched(p) {
		d.switchOn(&g, x.From, familyOf(x.Secret), epochOf(x.Node))
	}
	if p.Line == nil && len(after)+len(before) == 0 {
		d.y += chipRoom
	}
	g.Height = d.y - g.Top
	d.flows(p)
	d.Groups = append(d.Groups, g)
}

// births returns the values that a step creates: those that its sender needs, drawn before its
// line, and those that follow from it, drawn after.
func (d *drawing) births(p *step) (before, after []*secret) {
	for _, name := range d.run.names() {
		s := d.run.secrets[name]
		if x := d.run.nodeNamed(name); s == nil || s.Born != p || x != nil && !s.Slot ||
			name == "session_hash" || strings.Contains(name, "_public") ||
			strings.Contains(name, "_write_") || strings.Contains(name, "verify_data") {
			continue
		}
		if p.Line != nil && (s.Value.Public || strings.Contains(name, "_private")) {
			before = append(before, s)
		} else {
			after = append(after, s)
		}
	}
	if p.key == "client_key_exchange/RSA" {
		if s := d.run.secrets["pre_master_secret"]; s != nil && s.Value.Server != "" {
			decrypted := *s
			decrypted.On = [2]bool{false, true}
			after = append(after, &decrypted)
		}
	}
	return before, after
}

// chips draws a value on the sides that have it.
func (d *drawing) chips(g *rungGroup, s *secret) {
	at := d.known[s.Name]
	for side, on := range s.On {
		if !on {
			continue
		}
		name := s.Name
		if d.run.nodeNamed(name) != nil {
			name = s.Short
		}
		c := newChip(side, d.y+3, s.Name, name)
		at[side] = point{[2]int{c.X, c.X + c.Width}[side], c.Y + chipHeight/2}
		g.Chips = append(g.Chips, c)
	}
	d.known[s.Name] = at
	d.y += chipRoom
}

func newChip(side, y int, family, name string) chip {
	width := 12 + len(name)*63/10
	x := [2]int{left, right}[side] - width/2
	x = min(max(x, 8), ladderWidth-8-width)
	return chip{X: x, Y: y, Width: width, Middle: x + width/2, Text: y + 13, Family: family,
		Name: name}
}

func lifeline(s iana.Side) int { return [2]int{left, right}[s] }

func (d *drawing) arrow(g *rungGroup, p *step) {
	l := p.Line
	a := &arrow{Y: d.y + 27, From: left + 7, To: right - 7, Label: d.y + 17, Number: l.Number,
		Name: l.Name, Size: l.Size, Protected: l.Protected,
		Both: l.BothWays, Altered: l.Altered}
	if l.From == iana.Server {
		a.From, a.To = a.To, a.From
	}
	a.Wing, a.Up, a.Down = a.To-8, a.Y-4, a.Y+4
	if l.From == iana.Server {
		a.Wing = a.To + 8
	}
	if len(a.Name) > 26 {
		a.Name = a.Name[:25] + "…"
	}
	a.Long = len(fmt.Sprint(a.Number, a.Name, a.Size)) > 33
	for name, s := range d.run.secrets {
		if s.Born == p && s.Value.Public {
			at := d.known[name]
			at[l.From.Peer()] = point{lifeline(l.From.Peer()), a.Y}
			if strings.Contains(name, "_public") {
				at[l.From] = point{lifeline(l.From), a.Y}
			}
			d.known[name] = at
		}
	}
	g.Arrow = a
	d.y += lineRoom
}

// switchOn shows on both sides that the keys of a direction are in use from here.
func (d *drawing) switchOn(g *rungGroup, from iana.Side, family, words string) {
	for side := range 2 {
		c := newChip(side, d.y+3, family, fmt.Sprintf("%v %s", from, words))
		c.On = true
		g.Chips = append(g.Chips, c)
		offset := 3
		if from == iana.Server {
			offset = -3
		}
		x := [2]int{left, right}[side] + offset
		for i := range d.Tracks {
			if d.Tracks[i].X == x && d.Tracks[i].Y2 == 0 {
				d.Tracks[i].Y2 = d.y + 12 // these keys end the ones before
			}
		}
		d.Tracks = append(d.Tracks, track{X: x, Y1: d.y + 12, Family: family})
	}
	d.y += chipRoom
}

// switched returns the keys of TLS 1.3 that are on from the end of a step: those that grow in it,
// except that a client goes on with its early keys until EndOfEarlyData, and with its handshake
// keys until its Finished.
func (d *drawing) switched(p *step) (list []*node) {
	later := map[string]string{"finished/client/1.3": "client_application_write_key_0"}
	for _, other := range d.run.Steps {
		if base(other.key) == "end_of_early_data" {
			later[other.key] = "client_handshake_write_key"
		}
	}
	for _, x := range p.nodes {
		isLater := false
		for _, id := range later {
			isLater = isLater || x.ID == id
		}
		if x.Label == "key" && x.Known() && x.Secret != nil && !isLater {
			list = append(list, x)
		}
	}
	if x := d.run.nodeNamed(later[p.key]); x != nil && x.Known() && x.Secret != nil {
		list = append(list, x)
	}
	return list
}

// writeKey returns the name of a direction's key up to TLS 1.2.
func writeKey(r *run, from iana.Side) string {
	if family := from.String() + "_write_key"; r.secrets[family] != nil {
		return family
	}
	return from.String() + "_write_MAC_key"
}

// epochOf says which keys are on from here.
func epochOf(n *explain.Node) string {
	switch {
	case strings.Contains(n.ID, "_early_"):
		return "early keys"
	case strings.Contains(n.ID, "_handshake_"):
		return "handshake keys"
	}
	return "data keys " + n.ID[strings.LastIndexByte(n.ID, '_')+1:]
}

// flows draws lines from the inputs of the values that a step creates.
func (d *drawing) flows(p *step) {
	for _, name := range d.run.names() {
		s := d.run.secrets[name]
		if s == nil || s.Born != p {
			continue
		}
		to := d.known[name]
		for _, parent := range d.run.origins(s) {
			from := d.known[parent]
			for side := range 2 {
				if to[side] == (point{}) || from[side] == (point{}) || from[side].y >= to[side].y {
					continue
				}
				d.Flows = append(d.Flows, flow{p.ID, parent, curve(side, from[side], to[side])})
			}
		}
	}
}

// origins returns the inputs of a value that are drawn. A hash is not drawn, so its inputs are
// returned in its place.
func (r *run) origins(s *secret) (list []string) {
	for _, parent := range s.From {
		if parent == "session_hash" {
			list = append(list, r.secrets[parent].From...)
			continue
		}
		list = append(list, parent)
	}
	return list
}

// curve returns an SVG path that bends towards the margin of its side.
func curve(side int, from, to point) string {
	margin := [2]int{-14, ladderWidth + 14}[side]
	return fmt.Sprintf("M%d %d C%d %d %d %d %d %d", from.x, from.y, margin, from.y, margin,
		to.y, to.x, to.y)
}
