package negotiation

import (
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/wire"
)

// The key shares of a client of TLS 1.3, and which one a server takes. See RFC 8446 §4.2.8.

// checkShares: each share is of a group that is listed, and of another one. See RFC 8446 §4.2.8.
func checkShares(shares []message.KeyShareEntry, listed []iana.Group) error {
	var seen, offered wire.Set[iana.Group]
	for _, g := range listed {
		offered.Add(g)
	}
	for _, s := range shares {
		if !offered.Has(s.Group) || !seen.Add(s.Group) {
			return alert.KindShare.Fail(alert.IllegalParameter, "RFC 8446 §4.2.8",
				"the client's share of %v is the second of its group, or of one that it does "+
					"not list", s.Group)
		}
	}
	return nil
}

// chooseShare takes our first group of which the client sent a share. But a hybrid that we prefer,
// and that the client lists, is asked for: what is recorded today must not wait for a quantum
// computer because of a guess. If there is neither, our first group that it lists is asked for.
// Each asks once.
func (got *Choice) ChooseShare(h *Hello13, c *Config, retry *message.ServerHello) error {
	if !h.sentGroups {
		return missing13(iana.ExtKeyShare)
	}
	var first, hybrid kex.Group // that we would ask for
	for _, id := range h.groups {
		g, ok := kex.Named13(id)
		if !ok {
			continue
		}
		i := slices.IndexFunc(h.shares,
			func(share message.KeyShareEntry) bool { return share.Group == id })
		if i >= 0 && (hybrid == nil || id.Hybrid()) {
			got.Group, got.Share = g, h.shares[i].KeyExchange
			return got.keeps(retry)
		}
		if first == nil {
			first = g
		}
		if hybrid == nil && id.Hybrid() {
			hybrid = g
		}
	}
	if first == nil {
		return alert.KindGroup.Fail(alert.HandshakeFailure, "RFC 8446 §4.1.1",
			"no group in common: the client lists %v, we allow %v", alert.Few(h.listed),
			alert.Few(c.Groups))
	}
	if got.Group = hybrid; hybrid == nil {
		got.Group = first
	}
	return got.keeps(retry)
}

// keeps holds the client to what it was asked for by a HelloRetryRequest. See RFC 8446 §4.1.2 and
// §4.2.8.
func (got *Choice) keeps(retry *message.ServerHello) error {
	if retry == nil {
		return nil
	}
	var asked message.SelectedGroup
	shares, err := Read(retry.Extensions, iana.ExtKeyShare, &asked)
	if err != nil {
		return err
	}
	if got.Share == nil || shares && got.Group.ID() != asked.Group {
		return alert.KindRetry.Fail(alert.IllegalParameter, "RFC 8446 §4.1.2",
			"the client's second hello has no share of %v alone", asked.Group)
	}
	return nil
}
