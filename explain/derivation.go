package explain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/trace"
)

// derivations returns the steps of chapter 4 for the values that were derived.
func (t *teller) derivations() []Step {
	var steps []Step
	if d, ok := t.derived("master_secret"); ok {
		steps = append(steps, t.masterSecret(d))
	}
	if d, ok := t.derived("key_block"); ok {
		steps = append(steps, t.keyBlock(d))
	}
	return steps
}

// derived returns a derivation of the client, or the server's if the client did not get that far.
func (t *teller) derived(name string) (trace.Derived, bool) {
	if d, ok := t.client.derived[name]; ok {
		return d, true
	}
	d, ok := t.server.derived[name]
	return d, ok
}

func (t *teller) outputs(name string) Pair {
	return Pair{t.client.output(name), t.server.output(name)}
}

func (t *teller) seeds(name string) Pair {
	return Pair{t.client.derived[name].Seed, t.server.derived[name].Seed}
}

// prf returns the name of the function, such as "PRF_SHA256".
func prf(d trace.Derived) string {
	return d.Function + "_" + strings.ReplaceAll(d.Hash, "-", "")
}

func (t *teller) masterSecret(d trace.Derived) Step {
	key, seed := "master_secret", "client_random + server_random"
	if d.Label == "extended master secret" {
		key, seed = "master_secret/extended", "session_hash"
	}
	facts := []Fact{
		{Heading: true, Formula: true,
			Text: fmt.Sprintf("master_secret = %s(pre_master_secret, %q, %s)", prf(d),
				d.Label, seed)},
		{Under: sized(len(d.Output)), Deeper: true, Secret: "master_secret",
			Value: t.outputs("master_secret")},
	}
	if seed == "session_hash" {
		facts = append(facts,
			Fact{Name: "session_hash", Deeper: true, Value: t.seeds("master_secret")},
			Fact{Formula: true, Deeper: true,
				Text: fmt.Sprintf("= %s(messages %s): up to and including ClientKeyExchange",
					d.Hash, t.session())})
	}
	return Step{Key: key, Facts: facts}
}

// session returns the numbers of the messages that session_hash covers: up to and including
// ClientKeyExchange. See RFC 7627 §3.
func (t *teller) session() string {
	var numbers []int
	for _, s := range t.lines {
		if s.Message != nil {
			numbers = append(numbers, s.Number)
		}
		if s.is(iana.ClientKeyExchange) {
			break
		}
	}
	return Ranges(numbers)
}

func (t *teller) keyBlock(d trace.Derived) Step {
	facts := []Fact{
		{Heading: true, Formula: true,
			Text: fmt.Sprintf("key_block     = %s(master_secret, %q, server_random + "+
				"client_random)", prf(d), d.Label)},
		{Heading: true, Text: fmt.Sprintf("%s, cut in this order", octets(t.shape().Len())),
			Note: "(mind: the randoms swap places)"},
	}
	t.Keys = t.cut()
	for i := 0; i < len(t.Keys); i++ {
		k := t.Keys[i]
		if k.Len == 0 {
			// Both directions lack the same parts, and the client's comes first.
			what := strings.TrimPrefix(strings.TrimPrefix(k.Name, "client_write_"), "server_write_")
			facts = append(facts,
				Fact{Offset: "-", Name: "client/server " + strings.ReplaceAll(what, "_", " "),
					Text: k.Purpose})
			i++
			continue
		}
		facts = append(facts,
			Fact{Offset: strconv.Itoa(k.Offset), Name: k.Name, Secret: k.Name, Value: k.Value})
	}
	return Step{Key: "key_block", Facts: facts}
}

// cut cuts the key_block of each side into its parts.
func (t *teller) cut() []Key {
	blocks := t.outputs("key_block")
	part := func(block []byte, p keys.Part) []byte {
		if p.Len == 0 || len(block) < p.Offset+p.Len {
			return nil
		}
		return block[p.Offset : p.Offset+p.Len]
	}
	var list []Key
	for _, p := range t.shape().Parts() {
		k := Key{Name: p.Name, Offset: p.Offset, Len: p.Len,
			Value: Pair{part(blocks.Client, p), part(blocks.Server, p)}}
		k.Purpose = keyPurpose(t.Suite, p)
		list = append(list, k)
	}
	return list
}

func (t *teller) finished(s *rung) []Fact {
	name := s.From.String() + "_verify_data"
	d, ok := t.derived(name)
	if !ok {
		return nil
	}
	transcript := t.upTo(s, "-")
	f := Fact{Name: s.From.String() + " verify_data", Secret: "verify_data", Value: t.outputs(name)}
	if s.From == iana.Server {
		f.Note = fmt.Sprintf("%q, %s(%s)", d.Label, d.Hash, transcript)
		return []Fact{f}
	}
	return []Fact{f,
		{Formula: true,
			Text: fmt.Sprintf("= %s(master_secret, %q, %s(messages %s))", prf(d), d.Label,
				d.Hash, transcript)}}
}
