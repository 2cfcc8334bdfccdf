package script

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
)

// AllSchemes lists the signature schemes that a Peer signs with.
var AllSchemes = []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256, iana.ECDSA_SECP384R1_SHA384,
	iana.RSA_PSS_RSAE_SHA256, iana.ED25519, iana.ED448, iana.RSA_PSS_PSS_SHA256}

// Items that are the same in every flight.
var (
	ChangeCipherSpec = Item{Name: "change_cipher_spec", Type: iana.RecordChangeCipherSpec,
		Raw: []byte{1}}
	Finished   = Item{Name: "finished", Type: iana.RecordHandshake}
	ForgedData = Item{Name: "data", Type: iana.RecordApplicationData, Raw: []byte("forged")}
)

// Drop returns an edit that leaves out the message called name.
func Drop(name string) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item {
		return slices.DeleteFunc(f, func(l Item) bool { return l.Name == name })
	}
}

// Repeat returns an edit that sends the message called name twice.
func Repeat(name string) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item {
		i := Find(f, name)
		again := f[i]
		again.Aside = true
		return slices.Insert(f, i+1, again)
	}
}

// Swap returns an edit that exchanges two messages.
func Swap(a, b string) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item {
		i, j := Find(f, a), Find(f, b)
		f[i], f[j] = f[j], f[i]
		return f
	}
}

// Before returns an edit that sends more before the message called name.
func Before(name string, more ...Item) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item { return slices.Insert(f, Find(f, name), more...) }
}

// Replace returns an edit that changes the bytes of the message called name.
func Replace(name string, edit func([]byte) []byte) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item {
		l := &f[Find(f, name)]
		l.Raw = edit(bytes.Clone(l.Raw))
		return f
	}
}

// Behind returns an edit that puts bytes behind a message, in its record.
func Behind(name string, tail ...byte) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item { f[Find(f, name)].Tail = tail; return f }
}

// Only returns an edit that replaces the flight.
func Only(more ...Item) func(*Peer, []Item) []Item {
	return func(*Peer, []Item) []Item { return more }
}

// Add returns an edit that sends more at the end of the flight.
func Add(more ...Item) func(*Peer, []Item) []Item {
	return func(_ *Peer, f []Item) []Item { return append(f, more...) }
}

// Find returns the index of the message called name, and panics if there is none: the edit is
// wrong.
func Find(f []Item, name string) int {
	i := slices.IndexFunc(f, func(l Item) bool { return l.Name == name })
	if i < 0 {
		panic(fmt.Sprintf("script: no %s in this flight", name))
	}
	return i
}

// Body returns an edit, for Replace, of a message's body; the header gets the new length.
func Body(edit func([]byte) []byte) func([]byte) []byte {
	return func(raw []byte) []byte { return Encode(iana.HandshakeType(raw[0]), edit(raw[4:])) }
}

// Record returns an Item of bytes in a record of any type.
func Record(typ iana.ContentType, b ...byte) Item {
	return Item{Name: "content", Type: typ, Raw: b}
}

// Wire returns an Item of bytes without a record.
func Wire(b ...byte) Item { return Item{Name: "wire", Wire: b} }

// Message returns a handshake message of any type and body as an Item.
func Message(t iana.HandshakeType, b ...byte) Item {
	return Item{Name: t.String(), Type: iana.RecordHandshake, Raw: Encode(t, b),
		Aside: t == iana.HelloRequest}
}
