package explain

import (
	"bytes"
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/trace"
)

// Derive13 derives everything that the inputs allow of the key schedule of RFC 8446 §7.1. An error
// about an input is a *FieldError.
func Derive13(g Given13) (*Derivation13, error) {
	d := &Derivation13{Given: g}
	if err := d.complete(); err != nil {
		return nil, err
	}
	if d.messages.list != nil {
		d.finish(iana.Server)
		d.finish(iana.Client)
	}
	memory := &trace.Memory{}
	log := trace.New(trace.Client, memory, nil)
	log.Agreed(trace.Agreed{Version: iana.TLS13, Suite: d.Given.Suite.ID,
		KeyExchange: d.exchange()}, "")
	for _, m := range d.messages.list {
		log.Message(m.from, m.kind, m.raw, Explain(m.kind.String()).Ref)
	}
	if d.Given.Shared != nil {
		log.SharedSecret("shared_secret", d.Given.Shared, "RFC 8446 §7.4")
	}
	r := &run13{d: d, log: log, put: func(v Value13) { d.Values = append(d.Values, v) }}
	r.all()
	d.Entries = memory.Entries
	d.remark()
	return d, nil
}

func (d *Derivation13) exchange() iana.KeyExchange {
	switch g := &d.Given; {
	case !d.kex:
		return iana.KexPSK
	case g.PSK != nil:
		return iana.KexECDHEPSK
	}
	return iana.KexECDHE
}

// complete adds what the transcript contains, and checks that the inputs fit together.
func (d *Derivation13) complete() (err error) {
	g := &d.Given
	if g.Transcript != nil {
		if err := d.readTranscript(); err != nil {
			return err
		}
	}
	switch {
	case g.Suite == nil:
		return misfit("suite", "is missing: it says how long the keys are, and by which hash they "+
			"are derived")
	case !g.Suite.TLS13():
		return misfit("suite", "%v is none of TLS 1.3", g.Suite)
	}
	if g.PSKKind == "" {
		g.PSKKind = "ext"
	}
	if err := d.share(); err != nil {
		return err
	}
	n := g.Suite.PRF.Size()
	for p, hash := range g.Hashes {
		if hash != nil && len(hash) != n {
			return misfit(PointFields[p], "got %s, but the hash of %v is %v, which gives %d: is "+
				"the suite right?", octets(len(hash)), g.Suite, g.Suite.PRF, n)
		}
	}
	d.kex = g.Shared != nil || !d.messages.pskAlone()
	if g.PSK == nil && g.Shared == nil {
		return misfit("shared_secret", "is missing, and so are a psk and private keys: one of "+
			"them "+
			"is what everything comes from")
	}
	if g.Shared == nil && g.PSK != nil && d.messages.list == nil && g.Hashes[ToServerHello] != nil {
		d.kex = false
		d.Remarks = append(d.Remarks, "No shared_secret was given: psk_ke is assumed, in which no "+
			"keys are exchanged.")
	}
	return nil
}

// share computes the shared secret from private keys.
func (d *Derivation13) share() error {
	g := &d.Given
	fields := [2]string{"client_private", "server_private"}
	if g.Private[0] == nil && g.Private[1] == nil {
		return nil
	}
	if g.Shared != nil {
		return misfit("shared_secret", "was given, and private keys too: only one can be the "+
			"beginning")
	}
	if g.Group == 0 {
		g.Group = d.messages.group
	}
	group, ok := kex.Named(g.Group)
	if !ok {
		return misfit("group", "is missing, or is none that Vitrine knows: it says in which group "+
			"the private keys are")
	}
	var shares [2][]byte
	var offers [2]kex.Offer
	for side, private := range g.Private {
		shares[side] = d.messages.shares[side]
		if private == nil {
			continue
		}
		offer, err := group.Restore(private)
		if err != nil {
			return misfit(fields[side], "got %s, which is no private key of %s",
				octets(len(private)), group.Name())
		}
		if shares[side] != nil && !bytes.Equal(shares[side], offer.Share()) {
			return misfit(fields[side], "its public key is not the one that the transcript has")
		}
		shares[side], offers[side] = offer.Share(), offer
	}
	for side, offer := range offers {
		if offer == nil {
			continue
		}
		peer := iana.Side(side).Peer()
		theirs := shares[peer]
		if theirs == nil {
			return misfit(fields[peer], "is missing: a shared secret takes both private "+
				"keys, or "+
				"one and a transcript with the other's key_share")
		}
		z, err := offer.Finish(theirs)
		if err != nil {
			return misfit(fields[side], "%v", err)
		}
		g.Shared = z
		return nil
	}
	return nil
}

// remark compares what the transcript has with what was derived.
func (d *Derivation13) remark() {
	for _, v := range d.Values {
		sent := d.messages.sent[v.Name]
		if sent != nil && !bytes.Equal(sent, v.Bytes) {
			d.Remarks = append(d.Remarks, fmt.Sprintf("The %s in the transcript is another than "+
				"what is derived: %x.", v.Name, sent))
		}
	}
}

// Missing returns which inputs were not given, and what is not derived without each.
func (d *Derivation13) Missing() (list []string) {
	g := &d.Given
	has := func(p Point) bool { return d.hashAt(g.Suite.PRF, p, method{}) != nil }
	add := func(missing bool, what string) {
		if missing {
			list = append(list, what)
		}
	}
	add(g.PSK == nil, "a psk (zeros stand for it, and there is no binder and no early data)")
	add(g.PSK != nil && !has(ToIdentities), "hash_to_identities or a ClientHello with "+
		"pre_shared_key (the binder)")
	add(g.PSK != nil && !has(ToClientHello), "hash_to_client_hello or a transcript (early data)")
	add(g.Shared == nil && d.kex, "a shared_secret or private keys (all from the Handshake "+
		"Secret on)")
	for p, what := range map[Point]string{ToServerHello: "the handshake's keys",
		BeforeServerFinished: "the server's verify_data",
		ToServerFinished:     "the application's keys",
		BeforeClientFinished: "the client's verify_data",
		ToClientFinished:     "the resumption_secret"} {
		add(!has(p), PointFields[p]+" or a transcript ("+what+")")
	}
	add(g.Nonce == nil, "a ticket_nonce (the ticket's PSK)")
	add(g.Plaintext == nil, "a plaintext (protected records)")
	sortStrings(list)
	return list
}

// finish adds the Finished of a side that the transcript ends before, so that what follows it can
// be derived.
func (d *Derivation13) finish(from iana.Side) {
	t := &d.messages
	before, to := BeforeServerFinished, ToServerFinished
	if from == iana.Client {
		before, to = BeforeClientFinished, ToClientFinished
	}
	if t.at[to] > 0 || !t.ends(from) {
		return
	}
	t.at[before] = len(t.list)
	var value []byte
	r := &run13{d: d, put: func(v Value13) {
		if v.Name == from.String()+"_verify_data" {
			value = v.Bytes
		}
	}}
	r.all()
	if value == nil {
		return
	}
	t.list = append(t.list, message13{from, iana.Finished, finishedMessage(value)})
	t.at[to] = len(t.list)
}
