package html

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// derive adds the derivation of a value to the step, if either side derived it.
func (p *step) derive(r *run, name string) {
	client, hasClient := r.derived(trace.Client, name)
	server, hasServer := r.derived(trace.Server, name)
	d := client
	if !hasClient {
		d = server
	}
	if !hasClient && !hasServer {
		return
	}
	p.Facts = nil // the box of the derivation has them
	box := &derivation{Name: name, Title: name, Function: explain.Escape(d.Function + "_" +
		strings.ReplaceAll(d.Hash, "-", "")),
		Label: explain.Escape(d.Label), Bytes: len(d.Output)}
	box.Output = newValue(name, explain.Pair{Client: client.Output, Server: server.Output}, false)
	if strings.HasSuffix(name, "_verify_data") { // it is in the message
		box.Output.Anyone = p.Line != nil && !p.Line.Sealed
	}
	box.Inputs = r.inputs(p, d, explain.Pair{Client: client.Secret, Server: server.Secret},
		explain.Pair{Client: client.Seed, Server: server.Seed})
	box.Chain = chain(d)
	p.Derivations = append(p.Derivations, box)
}

func (r *run) derived(role trace.Role, name string) (trace.Derived, bool) {
	for _, e := range r.entries {
		if d, ok := e.Event.(*trace.Derived); ok && e.Plays(role) && d.Name == name {
			return *d, true
		}
	}
	return trace.Derived{}, false
}

// inputs returns the secret and the parts of the seed, in order.
func (r *run) inputs(p *step, d trace.Derived, secrets, seeds explain.Pair) []input {
	secret := "master_secret"
	if d.Name == "master_secret" {
		secret = "pre_master_secret"
	}
	half := func(from, to int) explain.Pair {
		cut := func(b []byte) []byte {
			if len(b) != 64 {
				return nil
			}
			return b[from:to]
		}
		return explain.Pair{Client: cut(seeds.Client), Server: cut(seeds.Server)}
	}
	list := []input{{Family: secret, Name: secret, Value: newValue(secret, secrets, false),
		Note: "the secret: the key of each HMAC"}}
	switch {
	case d.Name == "key_block":
		return append(list,
			input{Family: "server_random", Name: "server_random",
				Value: newValue("server_random", half(0, 32), true),
				Note:  "here the server's comes first"},
			input{Family: "client_random", Name: "client_random",
				Value: newValue("client_random", half(32, 64), true)})
	case d.Name == "master_secret" && d.Label == "extended master secret":
		hash := newValue("session_hash", seeds, false)
		hash.Anyone = r.heardBefore(p)
		return append(list,
			input{Family: "session_hash", Name: "session_hash",
				Value: hash,
				Note: explain.Escape(d.Hash) +
					" of all messages up to and including ClientKeyExchange: anybody who " +
					"heard them can compute it"})
	case d.Name == "master_secret":
		return append(list,
			input{Family: "client_random", Name: "client_random",
				Value: newValue("client_random", half(0, 32), true)},
			input{Family: "server_random", Name: "server_random",
				Value: newValue("server_random", half(32, 64), true)})
	}
	hash := newValue("transcript", seeds, false)
	hash.Anyone = r.heardBefore(p)
	return append(list,
		input{Family: "transcript", Name: "transcript hash", Value: hash,
			Note: explain.Escape(d.Hash) + " of all messages before this one"})
}

// heardBefore reports whether all that was sent before a step was sent in the clear.
func (r *run) heardBefore(p *step) bool {
	for _, before := range r.Steps {
		if before == p {
			break
		}
		if before.Line != nil && before.Line.Sealed {
			return false
		}
	}
	return true
}

// hashes are the hashes of the PRF by their names in the events.
var hashes = map[string]crypto.Hash{"SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384,
	"SHA-512": crypto.SHA512, "MD5+SHA-1": crypto.MD5SHA1}

// chain returns the blocks of P_hash, or nil if the secret was not revealed.
func chain(d trace.Derived) []expansion {
	hash, ok := hashes[d.Hash]
	if !ok || len(d.Secret) == 0 || len(d.Output) == 0 {
		return nil
	}
	var list []expansion
	for _, e := range (keys.PRF{Hash: hash}).Chain(d.Secret, d.Label, d.Seed, len(d.Output)) {
		x := expansion{Hash: e.Hash, Used: len(d.Output)}
		for i := range e.A {
			out := []byte(e.Output[i])
			used := min(max(len(d.Output)-x.Made, 0), len(out))
			x.Rounds = append(x.Rounds,
				round{i + 1, hex.EncodeToString(e.A[i]), hex.EncodeToString(out),
					hex.EncodeToString(out[:used]), hex.EncodeToString(out[used:])})
			x.Made += len(out)
		}
		list = append(list, x)
	}
	return list
}

func newKeyBar(list []explain.Key) *keyBar {
	bar := &keyBar{}
	for _, k := range list {
		bar.Len += k.Len
		bar.Keys = append(bar.Keys, barKey{k, newValue(k.Name, k.Value, false)})
	}
	if bar.Len == 0 {
		return nil
	}
	for _, k := range list {
		if k.Len == 0 {
			continue
		}
		p := barPart{X: k.Offset * 1000 / bar.Len, Family: k.Name, Offset: k.Offset, Len: k.Len}
		p.End = (k.Offset + k.Len) * 1000 / bar.Len
		p.Width, p.Middle = p.End-p.X, (p.X+p.End)/2
		p.Short = strings.NewReplacer("client_write_", "client ", "server_write_", "server ", "_",
			" ").Replace(k.Name)
		const letter = 9 // the width of one
		if words := strings.Fields(p.Short); len(p.Short)*letter > p.Width {
			p.Short = words[len(words)-1]
		}
		if len(p.Short)*letter > p.Width {
			p.Short = ""
		}
		bar.Parts = append(bar.Parts, p)
	}
	return bar
}

// signedBy returns the signature that a side made in the handshake. It is found in the event of the
// side that verified it, too.
func (r *run) signedBy(from iana.Side) []signed {
	var s *signed
	for _, e := range r.entries {
		switch e := e.Event.(type) {
		case *trace.Signed:
			if e.From == from && s == nil {
				s = newSigned(from, e.Scheme.String(), e.Signed, e.Signature)
			}
		case *trace.Verified:
			if e.From != from || e.What != "signature" {
				continue
			}
			if s == nil {
				s = newSigned(from, e.Scheme.String(), e.Signed, e.Signature)
			}
			s.Verified = true
		}
	}
	if s == nil {
		return nil
	}
	return []signed{*s}
}

func newSigned(from iana.Side, scheme string, covered, signature trace.Hex) *signed {
	s := &signed{Scheme: scheme, Bytes: len(covered), Signature: signature.String(),
		By: from.String()}
	if parts := signed13(covered); parts != nil {
		s.Parts, s.Rest = parts, explain.SignedNotes.Finished
		return s
	}
	if from == iana.Server && len(covered) > 64 {
		s.Parts = []signedPart{
			{"client_random", "client_random", covered[:32].String(),
				explain.SignedNotes.ClientRandom},
			{"server_random", "server_random", covered[32:64].String(),
				explain.SignedNotes.ServerRandom},
			{"server_public", fmt.Sprintf("group and public key, %d bytes", len(covered)-64),
				covered[64:].String(), explain.SignedNotes.Params},
		}
		s.Rest = explain.SignedNotes.Rest
		return s
	}
	for rest := []byte(covered); len(rest) > 0; { // the transcript: message by message
		n := len(rest)
		if n >= message.HeaderLen {
			n = min(n, message.Length(rest))
		}
		s.Parts = append(s.Parts,
			signedPart{"", fmt.Sprintf("%v, %d bytes", iana.HandshakeType(rest[0]), n),
				hex.EncodeToString(rest[:n]), ""})
		rest = rest[n:]
	}
	s.Rest = explain.SignedNotes.Messages
	return s
}

// signed13 takes apart what TLS 1.3 signs, or returns nil for another content. See RFC 8446 §4.4.3.
func signed13(covered []byte) []signedPart {
	const spaces = 64
	if len(covered) < spaces || strings.TrimLeft(string(covered[:spaces]), " ") != "" {
		return nil
	}
	context, hash, ok := bytes.Cut(covered[spaces:], []byte{0})
	if !ok {
		return nil
	}
	return []signedPart{
		{"", "64 spaces, so that nobody can pass it off as what TLS 1.2 signs",
			hex.EncodeToString(covered[:spaces]), ""},
		{"", "“" + explain.Escape(string(context)) + "”: who signs, and what",
			hex.EncodeToString(context),
			"Without it the client's signature could be shown as the server's."},
		{"", "a zero byte", "00",
			"It ends the sentence, so that none is the beginning of another."},
		{"transcript", "transcript hash, up to the Certificate", hex.EncodeToString(hash),
			explain.SignedNotes.Transcript},
	}
}
