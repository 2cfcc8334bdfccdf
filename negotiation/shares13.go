package negotiation

import (
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
)

// The key shares of a TLS 1.3 client, and which one a server chooses. See RFC 8446 §4.2.8.

// ChooseShare chooses our first group for which the client sent a share. If the client lists a
// hybrid group that we prefer but sent no share for it, a share is requested: otherwise the
// client's guess would leave the connection open to a later quantum computer. If there is neither,
// a share is requested for our first group that the client lists. A share is requested only once.
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

// keeps returns an error if the client did not send the share that a HelloRetryRequest requested.
// See RFC 8446 §4.1.2 and §4.2.8.
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
