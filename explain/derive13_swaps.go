package explain

import (
	"bytes"
	"crypto"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
)

// This file makes the lists of mistakes that depend on what was given and derived.

// alone13 marks mistakes that are not tried together with others.
const alone13 = 2

// usual returns the mistakes that can be made with what was given.
func (d *Derivation13) usual() (list []mistake13) {
	for _, x := range mistakes13 {
		if x.applies == nil || x.applies(d) {
			list = append(list, x)
		}
	}
	list = append(list, d.hashes()...)
	for p := ToClientHello; p < points; p++ {
		if d.messages.at[p] > 0 && d.Given.Hashes[p] == nil {
			list = append(list, d.cuts(p)...)
		}
	}
	if messages := toldOf(d.messages.list); len(messages) > 0 {
		if retried13(d) {
			messages[0].kind = iana.MessageHash
		}
		for _, t := range tellings(messages, places13(messages)) {
			list = append(list, mistake13{how: t.how, off: alone13,
				edit: func(m *method) { m.tell = t.tell }})
			if retried13(d) && t.records {
				list = append(list, mistake13{how: t.how + "; and so has message_hash",
					off: alone13, edit: func(m *method) { m.tell, m.retry = t.tell, retryRecord }})
			}
		}
	}
	list = append(list, d.readings()...)
	list = append(list, spellings13()...)
	return append(list, d.swaps()...)
}

// hashes are the mistakes of the hash: everywhere, and in the transcript alone.
func (d *Derivation13) hashes() (list []mistake13) {
	right := d.Given.Suite.PRF
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA1} {
		if h == right {
			continue
		}
		rightly := fmt.Sprintf("that of %v is %v (RFC 8446 §B.4)", d.Given.Suite, right)
		list = append(list, mistake13{how: fmt.Sprintf("the hash is %v: %s", h, rightly),
			edit: func(m *method) { m.hash = h }})
		if told13(d) {
			list = append(list, mistake13{how: fmt.Sprintf("the transcript hash is made with %v, "+
				"and the rest with %v: %s", h, right, rightly), off: alone13,
				edit: func(m *method) { m.sumHash = h }})
		}
	}
	return list
}

// readings are the ways to read a secret that was given, or to take another value for it.
func (d *Derivation13) readings() (list []mistake13) {
	g := &d.Given
	add := func(name, how string, value []byte) {
		list = append(list, mistake13{how: how, off: alone13,
			edit: func(m *method) { m.inputs = map[string][]byte{name: value} }})
	}
	for name, value := range map[string][]byte{"psk": g.PSK, "shared_secret": g.Shared} {
		if value == nil {
			continue
		}
		for _, v := range spellings(name, value) {
			add(name, v.how, v.value)
		}
	}
	for side, from := range []iana.Side{iana.Client, iana.Server} {
		if share := d.messages.shares[side]; share != nil && g.Shared != nil {
			add("shared_secret", fmt.Sprintf("the %v's key_share is taken for the shared_secret "+
				"(RFC 8446 §7.4)", from), share)
		}
		if private := g.Private[side]; private != nil {
			add("shared_secret", fmt.Sprintf("the %v's private key is taken for the "+
				"shared_secret (RFC 8446 §7.4)", from), private)
		}
	}
	slices.SortFunc(list, func(a, b mistake13) int { return strings.Compare(a.how, b.how) })
	return list
}

// spellings13 are the ways to write the labels and the lengths of HKDF-Expand-Label.
func spellings13() (list []mistake13) {
	for _, v := range labelSpellings {
		list = append(list, mistake13{how: "each label " + v.how + " (RFC 8446 §7.1)", off: alone13,
			edit: func(m *method) { m.spell = v.spell }})
	}
	for _, n := range []int{8, 12, 16, 20, 24, 32, 48, 64} {
		list = append(list, mistake13{how: fmt.Sprintf("HKDF-Expand-Label is called for %s, which "+
			"stands in HkdfLabel, too (RFC 8446 §7.1)", octets(n)), off: alone13,
			edit: func(m *method) { m.length = n }})
	}
	return list
}

// otherLabels are those of TLS 1.2 and of drafts, which somebody may use.
var otherLabels = []string{"client finished", "server finished", "master secret", "key expansion",
	"extended master secret", "derived secret", "client early traffic secret",
	"client handshake traffic secret", "server handshake traffic secret",
	"client application traffic secret", "server application traffic secret",
	"application traffic secret", "exporter master secret", "resumption master secret",
	"external psk binder key", "resumption psk binder key", "resumption psk", "resumption context",
	"exporter", "write key", "write iv", "client write key", "server write key", "IV", "sn",
	"quic key", "quic iv", "hs traffic", "ap traffic"}

// swaps take another value, or label, for one input of one step.
func (d *Derivation13) swaps() (list []mistake13) {
	var steps []step13
	r := &run13{d: d, put: func(Value13) {}, seen: func(s step13) { steps = append(steps, s) }}
	r.all()
	slices.Reverse(steps) // of mistakes that come to the same, the one nearest to the value counts
	labels, zeros := slices.Clone(otherLabels), make([]byte, d.Given.Suite.PRF.Size())
	for _, s := range steps {
		for _, in := range s.inputs {
			if in[0] == "label" && !slices.Contains(labels, in[1]) {
				labels = append(labels, in[1])
			}
		}
	}
	names, values := []string{"0"}, map[string][]byte{"0": zeros}
	for _, v := range append(d.inputs(), d.Values...) {
		secret := v.Name == "psk" || v.Name == "shared_secret"
		if values[v.Name] = v.Bytes; len(v.Bytes) == len(zeros) || secret {
			names = append(names, v.Name)
		}
	}
	for _, s := range steps {
		for _, in := range s.inputs {
			others, quote := names, "%s"
			if in[0] == "label" {
				others, quote = labels, "%q"
			}
			for _, other := range others {
				value := values[other]
				if in[0] == "label" {
					value = []byte(other)
				}
				if other == in[1] || other == s.name || bytes.Equal(value, values[in[1]]) {
					continue
				}
				list = append(list, mistake13{how: fmt.Sprintf("the %s for the %s is "+quote+
					": it is "+quote+" (%s)", in[0], s.name, other, in[1], s.ref), off: alone13,
					edit: func(m *method) { m.swap = swap{s.name, in[0], value} }})
			}
		}
	}
	return list
}
