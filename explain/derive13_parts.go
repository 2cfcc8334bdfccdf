package explain

// Part13 is a part of the key schedule, with the values in it.
type Part13 struct {
	Name, Motto, Ref string
	Values           []Value13
	Remarks          []string
}

// parts13 are the parts of the schedule, in their order.
var parts13 = []Part13{
	{Name: "EARLY", Motto: "what follows from a PSK alone", Ref: "RFC 8446 §7.1"},
	{Name: "HANDSHAKE", Motto: "from the shared secret: the keys of the handshake",
		Ref: "RFC 8446 §7.1"},
	{Name: "MAIN", Motto: "the keys of the application, and what later keys come from",
		Ref: "RFC 8446 §7.1"},
}

// Parts returns what was given, and the schedule as far as it was derived.
func (d *Derivation13) Parts() []Part13 {
	given := Part13{Name: "GIVEN", Motto: "what the derivation starts from", Remarks: d.Remarks,
		Values: d.inputs()}
	if len(d.messages.list) > 0 {
		names := ""
		for i, m := range d.messages.list {
			if i > 0 {
				names += ", "
			}
			names += messageName(m.kind, m.raw)
		}
		given.Remarks = append([]string{"transcript: " + names}, given.Remarks...)
	}
	list := []Part13{given}
	for _, p := range parts13 {
		for _, v := range d.Values {
			if v.Part == p.Name {
				p.Values = append(p.Values, v)
			}
		}
		if len(p.Values) > 0 {
			list = append(list, p)
		}
	}
	return list
}

// inputs returns what was given, or follows from it without the schedule.
func (d *Derivation13) inputs() (list []Value13) {
	g := &d.Given
	add := func(name string, b []byte) {
		if b != nil {
			list = append(list, Value13{Name: name, Bytes: b})
		}
	}
	add("psk", g.PSK)
	add("client_private", g.Private[0])
	add("server_private", g.Private[1])
	add("shared_secret", g.Shared)
	for p := range points {
		add(PointFields[p], d.hashAt(g.Suite.PRF, p, method{}))
	}
	if len(g.Nonce) > 0 {
		add("ticket_nonce", g.Nonce)
	}
	add("plaintext", g.Plaintext)
	return list
}

// Table returns the inputs and the derived values, in order.
func (d *Derivation13) Table() (list []Value) {
	for _, v := range d.inputs() {
		list = append(list, Value{v.Name, -1, v.Bytes, "given"})
	}
	for _, v := range d.Values {
		list = append(list, Value{v.Name, -1, v.Bytes, v.Formula})
	}
	return list
}
