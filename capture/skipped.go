package capture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Skipped counts packets of one kind that were not read.
type Skipped struct {
	What    string // "UDP to port 443: QUIC, which Vitrine does not read"
	Packets int
}

// Skipped returns what the packets were in which no TCP segment was found, the most frequent first.
func (a *Assembler) Skipped() []Skipped {
	var list []Skipped
	for k, n := range a.decoder.skipped {
		what := k.what
		if strings.Contains(what, "%") {
			what = fmt.Sprintf(what, k.n)
		}
		list = append(list, Skipped{what, n})
	}
	slices.SortFunc(list, func(x, y Skipped) int {
		return cmp.Or(cmp.Compare(y.Packets, x.Packets), cmp.Compare(x.What, y.What))
	})
	return list
}

// skippedKind is a text, which may have a verb for a number.
type skippedKind struct {
	what string
	n    int
}

// maxSkipped bounds the kinds that are counted separately: a port scan makes as many as there are
// ports.
const maxSkipped = 256

// skip ends a packet that carries nothing that is read.
func (d *decoder) skip(what string, n int) (layer, part) {
	d.count(what, n)
	return nil, part{}
}

// short ends a packet of which the capture has not all headers.
func (d *decoder) short() (layer, part) {
	return d.skip("frames cut short before their TCP header", 0)
}

func (d *decoder) count(what string, n int) {
	if d.skipped == nil {
		d.skipped = map[skippedKind]int{}
	}
	k := skippedKind{what, n}
	if _, ok := d.skipped[k]; !ok && len(d.skipped) >= maxSkipped {
		k = skippedKind{"other kinds", 0}
	}
	d.skipped[k]++
}
