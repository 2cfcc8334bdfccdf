package probe

import (
	"cmp"
	"crypto/rand"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
)

// Offer is the ClientHello of a question. It can contain what the stack itself does not implement,
// because only the answer is read and no keys are derived.
type Offer struct {
	Version      iana.Version // the highest; TLS 1.3 alone is offered by itself
	Suites       []iana.CipherSuite
	Groups       []iana.Group
	Schemes      []iana.SignatureScheme // from TLS 1.2 on
	Protocols    []string               // ALPN
	Compressions []iana.CompressionMethod
	Shares       bool // of TLS 1.3: a share of each group; else none, and the server asks for one

	// Edit, if set, changes the ClientHello before it is sent.
	Edit func(*message.ClientHello)

	// Split, if set, divides the handshake message into the contents of records; Record, if not 0,
	// is their version.
	Split  func(raw []byte) [][]byte
	Record iana.Version

	Pause time.Duration // between the records, each of which is then a segment of its own

	Name     string // of the server, in place of its usual one
	NoName   bool   // send none
	Unpadded bool   // leave a message of 256 to 511 bytes as it is: some servers fail with it

	padded  bool // to a length that the question is about
	unnamed bool // see withoutPrimes
}

// with returns a copy of o with an edit besides its own.
func (o Offer) with(edit func(*message.ClientHello)) *Offer {
	before := o.Edit
	o.Edit = func(m *message.ClientHello) {
		if before != nil {
			before(m)
		}
		edit(m)
	}
	return &o
}

// withoutPrimes returns an offer of the suites of o with finite-field Diffie-Hellman, and of no
// group of RFC 7919. A server whose prime is none of those must not choose such a suite for a
// client that names some: RFC 7919 §4. ok is false if there are no such suites.
func (o Offer) withoutPrimes() (offer *Offer, ok bool) {
	o.unnamed = true
	o.Suites = slices.DeleteFunc(slices.Clone(o.Suites),
		func(id iana.CipherSuite) bool { return !withPrime(id) })
	o.Groups = slices.DeleteFunc(slices.Clone(o.Groups), finite)
	return &o, len(o.Suites) > 0 && o.Version > iana.SSL30 && o.Version < iana.TLS13
}

// withPrime reports whether a suite has finite-field Diffie-Hellman with keys made for each
// handshake.
func withPrime(id iana.CipherSuite) bool {
	name := id.String()
	return strings.Contains(name, "_DHE_") || strings.Contains(name, "_DH_anon_")
}

// finite reports whether a group is one of RFC 7919.
func finite(g iana.Group) bool { return g >= iana.FFDHE2048 && g <= iana.FFDHE8192 }

// encode returns the ClientHello with its header.
func (o *Offer) encode(name string) ([]byte, error) {
	if name = cmp.Or(o.Name, name); o.NoName {
		name = ""
	}
	m := &message.ClientHello{Version: min(o.Version, iana.TLS12), CipherSuites: o.Suites,
		CompressionMethods: append(slices.Clone(o.Compressions), iana.CompressionNull)}
	rand.Read(m.Random[:])
	if o.Version > iana.SSL30 {
		if err := o.extend(m, name); err != nil {
			return nil, err
		}
	}
	if o.Edit != nil {
		o.Edit(m)
	}
	raw, err := message.Dialect{Version: o.Version}.Encode(m)
	if err == nil && !o.Unpadded && len(raw) > 255 && len(raw) < 512 && o.Version > iana.SSL30 {
		// some load balancers take such a length for SSL 2.0: RFC 7685 §1
		m.Extensions.Add(
			iana.ExtPadding,
			&message.Padding{Zeros: make([]byte, max(0, 508-len(raw)))},
		)
		return message.Dialect{Version: o.Version}.Encode(m)
	}
	return raw, err
}

// padTo makes the hello n bytes long, and reports whether it was shorter.
func padTo(o *Offer, n int, name string) bool {
	raw, err := o.encode(name)
	if err != nil || len(raw)+4 > n {
		return false
	}
	pad := make([]byte, n-len(raw)-4)
	o.padded = true
	*o = *o.with(func(m *message.ClientHello) {
		m.Extensions.Add(iana.ExtPadding, &message.Padding{Zeros: pad})
	})
	return true
}

// extend adds the extensions.
func (o *Offer) extend(m *message.ClientHello, name string) (err error) {
	add := func(t iana.ExtensionType, c message.Content) {
		if err == nil {
			err = m.Extensions.Add(t, c)
		}
	}
	if name != "" {
		add(iana.ExtServerName, &message.ServerNames{
			Names: []message.ServerName{{Type: iana.HostName, Name: []byte(name)}}})
	}
	if len(o.Groups) > 0 {
		add(iana.ExtSupportedGroups, &message.SupportedGroups{Groups: o.Groups})
		add(iana.ExtECPointFormats,
			&message.ECPointFormats{Formats: []iana.ECPointFormat{iana.Uncompressed}})
	}
	if len(o.Schemes) > 0 && o.Version >= iana.TLS12 {
		add(iana.ExtSignatureAlgorithms, &message.SignatureSchemes{Schemes: o.Schemes})
	}
	if len(o.Protocols) > 0 {
		var names [][]byte
		for _, p := range o.Protocols {
			names = append(names, []byte(p))
		}
		add(iana.ExtALPN, &message.Protocols{Names: names})
	}
	if o.Version == iana.TLS13 {
		// Middleboxes let pass what looks like a resumption: RFC 8446 §D.4. Without a key share the
		// server answers with a HelloRetryRequest, which names the group, and no key is made.
		keys := &message.KeyShares{}
		if o.Shares {
			keys = shares(o.Groups)
		}
		m.SessionID = make([]byte, 32)
		rand.Read(m.SessionID)
		add(iana.ExtSupportedVersions,
			&message.SupportedVersions{Versions: []iana.Version{iana.TLS13}})
		add(iana.ExtKeyShare, keys)
		return err
	}
	add(iana.ExtExtendedMasterSecret, &message.Empty{})
	add(iana.ExtEncryptThenMAC, &message.Empty{})
	add(iana.ExtSessionTicket, &message.SessionTicket{})
	add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
	add(iana.ExtStatusRequest, &message.StatusRequest{Type: iana.StatusOCSP})
	return err
}

// write sends the message in records.
func (o *Offer) write(conn net.Conn, raw []byte) error {
	contents := [][]byte{raw}
	if o.Split != nil {
		contents = o.Split(raw)
	} else if len(raw) > 1<<14 {
		contents = slices.Collect(slices.Chunk(raw, 1<<14))
	}
	v := o.Record
	if v == 0 {
		v = min(o.Version, iana.TLS10) // RFC 5246 appendix E.1
	}
	var out []byte
	for i, c := range contents {
		out = append(out, record(iana.RecordHandshake, v, c)...)
		if o.Pause > 0 && i < len(contents)-1 {
			if _, err := conn.Write(out); err != nil {
				return err
			}
			time.Sleep(o.Pause)
			out = nil
		}
	}
	_, err := conn.Write(out)
	return err
}

// record returns a record with its header.
func record(t iana.ContentType, v iana.Version, content []byte) []byte {
	return append([]byte{byte(t), byte(v >> 8), byte(v), byte(len(content) >> 8),
		byte(len(content))}, content...)
}

// maxSuites is how many suites one hello offers: some servers fail with more than 127.
const maxSuites = 120

// suitesOf returns the suites that a version may have, those that are in use first.
func suitesOf(v iana.Version) (ids []iana.CipherSuite) {
	for _, id := range iana.CipherSuites() {
		name := id.String()
		switch {
		case strings.HasSuffix(name, "_SCSV"), id == iana.TLS_NULL_WITH_NULL_NULL:
		case id>>8 == 0x13 || !strings.Contains(name, "_WITH_"): // of TLS 1.3 alone
			if v == iana.TLS13 {
				ids = append(ids, id)
			}
		case v < iana.TLS12 && only12(name):
		case v <= iana.TLS12:
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b iana.CipherSuite) int { return rank(a) - rank(b) })
	return ids
}

// only12 reports whether a suite needs TLS 1.2: AEADs, and MACs with SHA-2.
func only12(name string) bool {
	for _, mark := range []string{"_GCM", "_CCM", "POLY1305", "_SHA256", "_SHA384", "_OMAC",
		"_MGM"} {
		if strings.Contains(name, mark) {
			return true
		}
	}
	return false
}

// rank orders suites so that one hello holds nearly all that servers have.
func rank(id iana.CipherSuite) int {
	name := id.String()
	for i, mark := range []string{"ARIA", "PSK", "KRB5", "SRP", "DH_RSA", "DH_DSS", "ECDH_"} {
		if strings.Contains(name, mark) {
			return 2 + i
		}
	}
	if strings.Contains(name, "AES") || strings.Contains(name, "CHACHA20") {
		return 0
	}
	return 1
}

// The groups and signature schemes that are asked for, the best first.
var (
	groups13 = []iana.Group{
		iana.X25519MLKEM768,
		iana.SecP256r1MLKEM768,
		iana.SecP384r1MLKEM1024,
		iana.X25519,
		iana.Secp256r1,
		iana.Secp384r1,
		iana.Secp521r1,
		iana.X448,
		0x001F,
		0x0020,
		0x0021,
		iana.FFDHE2048,
		iana.FFDHE3072,
		iana.FFDHE4096,
		iana.FFDHE6144,
		iana.FFDHE8192,
	}
	groups12 = []iana.Group{iana.X25519, iana.Secp256r1, iana.Secp384r1, iana.Secp521r1, iana.X448,
		26, 27, 28, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1,
		iana.FFDHE2048, iana.FFDHE3072, iana.FFDHE4096, iana.FFDHE6144, iana.FFDHE8192}
	schemes = []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256, iana.ECDSA_SECP384R1_SHA384,
		iana.ECDSA_SECP521R1_SHA512, iana.ED25519, iana.ED448, iana.RSA_PSS_RSAE_SHA256,
		iana.RSA_PSS_RSAE_SHA384, iana.RSA_PSS_RSAE_SHA512, iana.RSA_PSS_PSS_SHA256,
		iana.RSA_PSS_PSS_SHA384, iana.RSA_PSS_PSS_SHA512, iana.RSA_PKCS1_SHA256,
		iana.RSA_PKCS1_SHA384, iana.RSA_PKCS1_SHA512, 0x0402, iana.ECDSA_SHA224,
		iana.RSA_PKCS1_SHA224, iana.ECDSA_SHA1, iana.RSA_PKCS1_SHA1, 0x0202, 0x0101}
)

func groupsOf(v iana.Version) []iana.Group {
	if v == iana.TLS13 {
		return groups13
	}
	return groups12
}

// shares returns a key share of each group that can have one. Their private keys are forgotten at
// once: nothing but the ServerHello is read.
func shares(groups []iana.Group) *message.KeyShares {
	all := &message.KeyShares{}
	for _, g := range groups {
		if k, ok := kex.Named13(g); ok {
			if offer, err := k.Offer(rand.Reader); err == nil {
				all.Shares = append(all.Shares,
					message.KeyShareEntry{Group: g, KeyExchange: offer.Share()})
			}
		}
	}
	return all
}

// Versions that can be asked for, the newest first. SSL 2.0 has a hello of its own.
var versions = []iana.Version{iana.TLS13, iana.TLS12, iana.TLS11, iana.TLS10, iana.SSL30}

// best returns the suites of a version, those that Vitrine prefers first and those that it does not
// speak last: a server that follows the client's order then shows the best that it has.
func best(v iana.Version) []iana.CipherSuite {
	ids := suitesOf(v)
	order := suite.Preference()
	place := func(id iana.CipherSuite) int {
		i := slices.Index(order, id)
		if i < 0 {
			i = len(order)
		}
		if strings.Contains(id.String(), "_PSK_") {
			i += len(order) + 1
		}
		return i
	}
	slices.SortStableFunc(ids,
		func(a, b iana.CipherSuite) int { return cmp.Compare(place(a), place(b)) })
	return ids
}

// SSL 2.0 has a hello and code points of its own.
const (
	ssl2     iana.Version = 2
	ssl2Name              = "SSL 2.0"
)
