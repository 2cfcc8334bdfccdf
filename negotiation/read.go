package negotiation

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/wire"
)

// Reading a peer's hello: all of it, once, and in time proportional to its length.

// Read decodes extension t of a peer's hello into v, or returns false if the hello has none. It is
// the only way in which a live handshake reads an extension: malformed content is decode_error, and
// what was decoded once is not decoded again.
func Read[T any, P interface {
	*T
	message.Content
}](e message.Extensions, t iana.ExtensionType, v P) (bool, error) {
	ok, err := message.Read(e, t, v)
	if err != nil {
		return false, malformed(t, err)
	}
	return ok, nil
}

// malformed returns the error for an extension that cannot be decoded.
func malformed(t iana.ExtensionType, err error) error {
	ref := "RFC 5246 §7.4.1.4"
	if row := extensionRow(t); row != nil {
		ref = row.ref
	}
	return alert.Malformed(ref, err)
}

// WellFormed returns an error if an extension of a peer's hello that has a row is malformed, also
// one that this handshake does not use. An extension without a row is ignored, whatever is in it.
func WellFormed(e message.Extensions, in message.Place) error {
	for i := range e {
		if extensionRow(e[i].Type) == nil {
			continue
		}
		content, err := e[i].Content(in)
		if err != nil {
			return malformed(e[i].Type, err)
		}
		if names, ok := content.(*message.ServerNames); ok {
			if err := CheckHostName(hostName(names)); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxHostName is the longest DNS name, in bytes.
const maxHostName = 255

// CheckHostName returns an error if a host_name is not a valid host name: it would be passed to
// logs, tickets and a program's callbacks as it is. RFC 6066 §3 gives the form and no alert.
func CheckHostName(name string) error {
	if len(name) > maxHostName {
		return alert.KindMalformed.Fail(alert.IllegalParameter, "RFC 6066 §3",
			"the client's host_name has %d bytes, expected at most %d", len(name), maxHostName)
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return r < 0x21 || r > 0x7E }); i >= 0 {
		return alert.KindMalformed.Fail(alert.IllegalParameter, "RFC 6066 §3",
			"the client's host_name has the byte 0x%02X, expected printable ASCII", name[i])
	}
	return nil
}

// HostName returns the host name that a client asks for, or an empty string if it sends no valid
// one.
func HostName(ch *message.ClientHello) string {
	var names message.ServerNames
	if ok, err := ch.Extensions.Read(iana.ExtServerName, &names); !ok || err != nil {
		return ""
	}
	name := hostName(&names)
	if CheckHostName(name) != nil {
		return ""
	}
	return name
}

// hostName returns the name of type host_name, or an empty string.
func hostName(n *message.ServerNames) string {
	for _, n := range n.Names {
		if n.Type == iana.HostName {
			return string(n.Name)
		}
	}
	return ""
}

// Common returns the values of ours that are in theirs, in our order. It takes time proportional to
// the sum of both lengths, because the peer chooses one of them.
func Common[T ~uint16](ours, theirs []T) []T {
	both := make([]T, 0, len(ours))
	if len(theirs) <= fewValues {
		for _, v := range ours {
			if slices.Contains(theirs, v) {
				both = append(both, v)
			}
		}
		return both
	}
	var listed wire.Set[T]
	for _, v := range theirs {
		listed.Add(v)
	}
	for _, v := range ours {
		if listed.Has(v) {
			both = append(both, v)
		}
	}
	return both
}

// fewValues is how long a list may be that is searched once for each value of another.
const fewValues = 16

// VersionOf returns the version of a ServerHello, which for TLS 1.3 is in supported_versions. It is
// called often, so it reads the extension's two bytes directly. See RFC 8446 §4.2.1.
func VersionOf(sh *message.ServerHello) iana.Version {
	if b, ok := sh.Extensions.Get(iana.ExtSupportedVersions); ok && len(b) == 2 {
		return iana.Version(binary.BigEndian.Uint16(b))
	}
	return sh.Version
}

// OffersTLS13 reports whether a ClientHello offers TLS 1.3. It reads the list directly, too; a
// malformed one offers nothing.
func OffersTLS13(ch *message.ClientHello) bool {
	b, _ := ch.Extensions.Get(iana.ExtSupportedVersions)
	if len(b) == 0 || len(b)%2 == 0 || int(b[0]) != len(b)-1 {
		return false
	}
	for list := b[1:]; len(list) > 0; list = list[2:] {
		if iana.Version(binary.BigEndian.Uint16(list)) == iana.TLS13 {
			return true
		}
	}
	return false
}

// ServerName returns the host name in server_name, or an empty string.
func ServerName(m *message.ClientHello) string {
	var names message.ServerNames
	if ok, err := message.Read(m.Extensions, iana.ExtServerName, &names); ok && err == nil {
		return hostName(&names)
	}
	return ""
}

// Readable reports whether an observer can read connections of a version.
func Readable(v iana.Version) bool { return v >= iana.SSL30 && v <= iana.TLS13 }
