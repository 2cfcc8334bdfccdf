package html

// stamp sets the fingerprint of each value that is not shown, if the run has it.
func (r *run) stamp() {
	if len(r.prints) == 0 {
		return
	}
	for _, x := range r.nodes {
		r.print(x.Family, &x.Value)
		for i := range x.Inputs {
			r.print(x.Inputs[i].Family, &x.Inputs[i].Value)
		}
	}
	for _, p := range r.Steps {
		for i := range p.Facts {
			r.print(p.Facts[i].Value.Family, &p.Facts[i].Value)
		}
		for _, d := range p.Derivations {
			r.print(d.Name, &d.Output)
			for i := range d.Inputs {
				r.print(d.Inputs[i].Family, &d.Inputs[i].Value)
			}
		}
		if p.Bar != nil {
			for i := range p.Bar.Keys {
				r.print(p.Bar.Keys[i].Name, &p.Bar.Keys[i].Value)
			}
		}
	}
}

func (r *run) print(family string, v *value) {
	if v.Bytes == 0 {
		v.Print = r.prints[family]
	}
}

// marked returns the first step with a record that has a mark, or nil.
func (r *run) marked() *step {
	for _, p := range r.Steps {
		for _, t := range p.Records {
			if t.Mark != "" {
				return p
			}
		}
	}
	return nil
}
