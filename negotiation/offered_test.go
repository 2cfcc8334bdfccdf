package negotiation_test

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// What is kept of an offer belongs to the Parameters that it was made of, and is the same as what a
// Config without Kept offers.
func TestKeptOffersFollowTheParameters(t *testing.T) {
	kept := new(negotiation.Kept)
	offer := func(p *negotiation.Parameters, kept *negotiation.Kept) message.Extensions {
		e, err := negotiation.Offer(&negotiation.Offering{Greased: new(negotiation.Greased),
			Config: &negotiation.Config{Parameters: p, Kept: kept}})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := &negotiation.Parameters{MinVersion: iana.TLS12, MaxVersion: iana.TLS13,
		Groups: []iana.Group{iana.X25519}, Protocols: []string{"h2"}}
	second := *first
	second.Groups, second.Protocols = []iana.Group{iana.Secp256r1}, nil
	for _, p := range []*negotiation.Parameters{first, &second, first, first} {
		got, want := offer(p, kept), offer(p, nil)
		if len(got) != len(want) {
			t.Fatalf("got %d extensions, expected %d", len(got), len(want))
		}
		for i, x := range want {
			if got[i].Type != x.Type || !bytes.Equal(got[i].Data, x.Data) {
				t.Errorf("got %v %x, expected %v %x", got[i].Type, got[i].Data, x.Type, x.Data)
			}
		}
	}
}
