package explain

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// Commands returns the commands for the values of the last entry. Their inputs come from the
// entries before it, which must be the same stream from its beginning. It returns nil for an event
// without such values, or if an input was redacted.
func Commands(entries []trace.Entry) []Command {
	var n Notebook
	var c []Command
	for _, e := range entries {
		c = n.Commands(e)
	}
	return c
}

// Commands adds the next entry of the stream, and returns what the function of that name returns
// for it.
func (n *Notebook) Commands(e trace.Entry) []Command {
	if n.views == nil {
		n.views, n.privates = map[trace.Role]*notes{}, map[string][]byte{}
	}
	v := n.views[e.Role]
	if v == nil {
		v = &notes{}
		n.views[e.Role] = v
	}
	if k, ok := e.Event.(*trace.ThrowawayKey); ok && k.From == iana.Server {
		n.rsaKey = k.Private
	}
	if k, ok := e.Event.(*trace.Ephemeral); ok && k.From == iana.Client {
		n.privates[string(k.Public)] = k.Private
	}
	v.rsaKey, v.privates = n.rsaKey, n.privates
	return v.take(e.Event)
}

// take stores an event and returns its commands.
func (v *notes) take(e trace.Event) []Command {
	switch e := e.(type) {
	case *trace.Message:
		if e.Type == iana.ClientHello && !v.retried() {
			v.messages = nil
		}
		v.hello(e.Raw)
		if e.Type != iana.HelloRequest { // RFC 5246 §7.4.1.1: never in the hashes
			v.messages = append(v.messages, e)
		}
	case *trace.Agreed:
		v.agreed, v.suite = *e, protocolOf(e.Version).suite(e.Suite)
	case *trace.Ephemeral:
		v.ephemeral = e
		return v.publicKey(e)
	case *trace.SharedSecret:
		if e.Name == "shared_secret" {
			return v.sharedSecret13(e)
		}
		return v.sharedSecret(e)
	case *trace.Derived:
		if e.Name == "key_block" {
			v.block = e.Output
		}
		if e.Function != "PRF" {
			return v.derived13(e)
		}
		return v.derived(e)
	case *trace.KeysInstalled:
		v.keys[e.From] = e
		return v.cut(e)
	case *trace.Signed:
		return v.signature(e.From, e.Scheme, e.Signed, e.Signature)
	case *trace.Verified:
		if e.What == "signature" {
			return v.signature(e.From, e.Scheme, e.Signed, e.Signature)
		}
	case *trace.Record:
		return v.record(e)
	}
	return nil
}
