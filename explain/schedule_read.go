package explain

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// grown is the key schedule as one side derived it.
type grown struct {
	values map[string]*derivation // by ID
	order  []string
	given  bool // an observer's: the traffic secrets were given

	finished *derivation  // the last finished_key, whose HMAC comes next
	traffic  [2][]string  // IDs of a side's traffic secrets, in the order in which they are used
	cut      [2][2]string // IDs of the traffic secrets of the last key and iv
}

// derivation is an event with its place in the tree.
type derivation struct {
	trace.Derived
	ref          string
	salt, secret string // IDs; "" if not known, or zeros
}

// grow reads the events of one role.
func grow(entries []trace.Entry, role trace.Role) *grown {
	g := &grown{values: map[string]*derivation{}}
	for _, e := range entries {
		if !e.Plays(role) {
			continue
		}
		switch x := e.Event.(type) {
		case *trace.SharedSecret:
			g.set("shared_secret", &derivation{ref: e.Ref,
				Derived: trace.Derived{Output: x.Output}})
		case *trace.Given:
			g.given = true
			g.take(trace.Derived{Name: x.Name, Function: "HKDF-Expand-Label",
				Label: scheduleLabels[x.Name], Output: x.Output}, e.Ref)
		case *trace.Derived:
			g.take(*x, e.Ref)
		}
	}
	return g
}

func (g *grown) set(id string, d *derivation) {
	if _, again := g.values[id]; !again {
		g.order = append(g.order, id)
	}
	g.values[id] = d
}

// has returns id if the side has such a value, or "".
func (g *grown) has(id string) string {
	if g.values[id] == nil {
		return ""
	}
	return id
}

// take adds a derivation.
func (g *grown) take(x trace.Derived, ref string) {
	d := &derivation{Derived: x, ref: ref}
	side := iana.Client
	if strings.HasPrefix(x.Name, iana.Server.String()+"_") {
		side = iana.Server
	}
	if strings.Contains(x.Name, "_write_") {
		g.keys(d, side)
		return
	}
	switch x.Name {
	case "early_secret":
		g.early(d)
	case "binder_key":
		d.secret = g.has("early_secret")
		g.set(x.Name, d)
		g.redactedPSK()
	case "early_exporter_secret":
		d.secret = g.has("early_secret")
		g.set(x.Name, d)
	case "client_early_traffic_secret":
		d.secret = g.has("early_secret")
		g.addTraffic(x.Name, d, side)
	case "derived_secret":
		g.derived(d)
	case "handshake_secret":
		d.salt, d.secret = g.has("early_derived_secret"), g.input(d, "shared_secret")
		g.set(x.Name, d)
	case "main_secret":
		d.salt = g.has("handshake_derived_secret")
		g.set(x.Name, d)
	case "client_handshake_traffic_secret", "server_handshake_traffic_secret":
		d.secret = g.has("handshake_secret")
		g.addTraffic(x.Name, d, side)
	case "client_application_traffic_secret", "server_application_traffic_secret":
		g.application(x.Name, d, side)
	case "exporter_secret", "resumption_secret":
		d.secret = g.has("main_secret")
		g.set(x.Name, d)
	case "resumption_psk":
		d.secret = g.has("resumption_secret")
		g.ticket(d)
	case "finished_key":
		g.finished = d
	case "client_verify_data", "server_verify_data":
		if g.values["client_verify_data"] != nil && side == iana.Client {
			g.late(d)
			return
		}
		g.mac(d, x.Name, side.String()+"_finished_key",
			g.has(side.String()+"_handshake_traffic_secret"))
	case "psk_binder":
		g.mac(d, x.Name, "binder_finished_key", g.has("binder_key"))
	}
}

// early begins the tree. A client that offers a PSK derives an Early Secret for the binder, and
// another one if the server declines: the first and what follows from it are then set aside.
func (g *grown) early(d *derivation) {
	if old := g.values["early_secret"]; old != nil {
		redacted := len(d.Output) == 0 && g.values["binder_key"] != nil
		if bytes.Equal(old.Output, d.Output) && !redacted {
			return // again, after a HelloRetryRequest
		}
		g.setAside()
	}
	if len(d.Secret) > 0 && !zeros(d.Secret) {
		g.psk(d)
	}
	g.set("early_secret", d)
}

// psk adds the PSK, which an Early Secret depends on.
func (g *grown) psk(early *derivation) {
	g.set("psk", &derivation{ref: "RFC 8446 §2.2", Derived: trace.Derived{Output: early.Secret}})
	early.secret = "psk"
}

// redactedPSK adds a PSK that was redacted: only a binder shows that there is one. A second binder
// is that of the hello after a HelloRetryRequest, so that nothing was declined.
func (g *grown) redactedPSK() {
	early := g.values["early_secret"]
	if early == nil || len(early.Secret) > 0 || early.secret != "" {
		return
	}
	g.psk(early)
	for i := len(g.order) - 1; i >= 0; i-- {
		if id := g.order[i]; strings.HasSuffix(id, declined) {
			delete(g.values, id)
			g.order = slices.Delete(g.order, i, i+1)
		}
	}
}

// setAside renames everything that was derived so far, which is below a PSK.
func (g *grown) setAside() {
	for i, id := range g.order {
		d := g.values[id]
		delete(g.values, id)
		if d.salt != "" {
			d.salt += declined
		}
		if d.secret != "" {
			d.secret += declined
		}
		g.order[i] = id + declined
		g.values[g.order[i]] = d
	}
	for side := range g.traffic {
		for i := range g.traffic[side] {
			g.traffic[side][i] += declined
		}
		for i := range g.cut[side] {
			if g.cut[side][i] != "" {
				g.cut[side][i] += declined
			}
		}
	}
}

func (g *grown) derived(d *derivation) {
	id, under := "early_derived_secret", "early_secret"
	if g.values["handshake_secret"] != nil {
		id, under = "handshake_derived_secret", "handshake_secret"
	}
	d.secret = g.has(under)
	g.set(id, d)
}

// input returns the ID of HKDF-Extract's input keying material, or "" for zeros.
func (g *grown) input(d *derivation, id string) string {
	if zeros(d.Secret) {
		return ""
	}
	return g.has(id)
}

// zeros reports whether b consists of zeros, as an absent input does. Redacted bytes do not.
func zeros(b []byte) bool {
	return len(b) > 0 && len(bytes.TrimLeft(b, "\x00")) == 0
}

func (g *grown) addTraffic(id string, d *derivation, side iana.Side) {
	g.set(id, d)
	g.traffic[side] = append(g.traffic[side], id)
}

// application adds a traffic secret of application data: the first, below the Main Secret, or with
// KeyUpdate the next one, below the last.
func (g *grown) application(name string, d *derivation, side iana.Side) {
	n := 0
	for g.values[fmt.Sprintf("%s_%d", name, n)] != nil {
		n++
	}
	if d.secret = g.has("main_secret"); n > 0 {
		d.secret = fmt.Sprintf("%s_%d", name, n-1)
	}
	g.addTraffic(fmt.Sprintf("%s_%d", name, n), d, side)
}

// keys adds a key or an iv below its traffic secret: the one with the same bytes or, where these
// are redacted, the one after that of the last key.
func (g *grown) keys(d *derivation, side iana.Side) {
	part := 0
	if d.Label == "iv" {
		part = 1
	}
	list, under := g.traffic[side], ""
	for i, id := range list {
		if len(d.Secret) > 0 && bytes.Equal(g.values[id].Output, d.Secret) {
			under = id
			break
		}
		if len(d.Secret) == 0 && (i == 0 && g.cut[side][part] == "" ||
			i > 0 && list[i-1] == g.cut[side][part]) {
			under = id
			break
		}
	}
	if under == "" {
		return
	}
	g.cut[side][part], d.secret = under, under
	id, isDeclined := strings.CutSuffix(under, declined)
	id = strings.Replace(id, "_traffic_secret", "_write_"+d.Label, 1)
	if isDeclined {
		id += declined
	}
	g.set(id, d)
}

// mac adds an HMAC and the finished_key before it.
func (g *grown) mac(d *derivation, name, key, under string) {
	if g.finished != nil {
		g.finished.secret, d.secret = under, key
		g.set(key, g.finished)
		g.finished = nil
	}
	g.set(name, d)
}

// late adds the verify_data of an authentication after the handshake, which is made with the
// client's traffic secret of the moment. See RFC 8446 §4.4.
func (g *grown) late(d *derivation) {
	n, under := 0, ""
	for g.values[fmt.Sprintf("late_verify_data_%d", n)] != nil {
		n++
	}
	if list := g.traffic[iana.Client]; len(list) > 0 {
		under = list[len(list)-1]
	}
	g.mac(d, fmt.Sprintf("late_verify_data_%d", n), fmt.Sprintf("late_finished_key_%d", n), under)
}

// ticket adds the PSK of a ticket, unless one with the same nonce is there.
func (g *grown) ticket(d *derivation) {
	for n := 0; ; n++ {
		id := fmt.Sprintf("resumption_psk_%d", n)
		if old := g.values[id]; old == nil {
			g.set(id, d)
			return
		} else if bytes.Equal(old.Seed, d.Seed) {
			return
		}
	}
}
