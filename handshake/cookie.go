package handshake

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/suite"
)

// A stateless HelloRetryRequest: everything that the server must remember of a first ClientHello is
// in a cookie, which the second returns, to this server or to another with the same keys. See RFC
// 8446 §4.2.2.
//
//	struct {
//	    uint8 version = 1;
//	    uint64 seconds;             // since 1970, when it was made
//	    CipherSuite cipher_suite;
//	    NamedGroup group;           // that a share is asked for of, or 0
//	    opaque hash<32..48>;        // of the first ClientHello
//	    opaque mac[32];             // HMAC-SHA256 over a label, what stands above, and the hello
//	} Cookie;
const (
	cookieVersion = 1
	cookieHead    = 1 + 8 + 2 + 2 + 1
	cookieLabel   = "vitrine: cookie of a HelloRetryRequest\x00"

	// cookieLifetime is how long a client may take for its second hello, and how far the clocks of
	// servers that share keys may differ.
	cookieLifetime = time.Minute
)

// cookieRetry returns a HelloRetryRequest with a cookie, and with a group if a share is needed.
func (v *server) cookieRetry(s *Score) (message.Message, error) {
	var group iana.Group
	if v.choice.Exchanges() && v.choice.Share == nil {
		group = v.choice.Group.ID()
	}
	hash := s.transcript.with(v.choice.Suite.PRF, nil)
	cookie := binary.BigEndian.AppendUint64([]byte{cookieVersion}, uint64(v.CurrentTime().Unix()))
	cookie = binary.BigEndian.AppendUint16(cookie, uint16(v.choice.Suite.ID))
	cookie = binary.BigEndian.AppendUint16(cookie, uint16(group))
	cookie = append(append(cookie, byte(len(hash))), hash...)
	cookie = append(cookie, cookieMAC(v.CookieKeys[0], cookie, s.ClientHello)...)
	return retryWith(s.ClientHello, v.choice.Suite.ID, group, cookie)
}

// retryWith returns the HelloRetryRequest of a cookie: the same bytes on every server.
func retryWith(ch *message.ClientHello, suite iana.CipherSuite, group iana.Group,
	cookie []byte) (*message.ServerHello, error) {
	m := &message.ServerHello{Version: iana.TLS12, Random: message.RetryRandom(),
		SessionID: ch.SessionID, CipherSuite: suite}
	add := func(t iana.ExtensionType, c message.Content) error { return m.Extensions.Add(t, c) }
	err := add(iana.ExtSupportedVersions, &message.SelectedVersion{Version: iana.TLS13})
	if err == nil && group != 0 {
		err = add(iana.ExtKeyShare, &message.SelectedGroup{Group: group})
	}
	return m, cmp.Or(err, add(iana.ExtCookie, &message.Cookie{Cookie: cookie}))
}

// cookieMAC binds a cookie to what both hellos of a client must have in common: see unchanged.
func cookieMAC(key [32]byte, body []byte, ch *message.ClientHello) []byte {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte(cookieLabel))
	part := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
		h.Write(b)
	}
	part(body)
	part(ch.Random[:])
	part(ch.SessionID)
	fixed := slices.DeleteFunc(slices.Clone(ch.Extensions), func(x message.Extension) bool {
		return slices.Contains(negotiation.MayChange, x.Type)
	})
	slices.SortFunc(fixed, func(a, b message.Extension) int { return cmp.Compare(a.Type, b.Type) })
	var rest []byte
	for _, id := range ch.CipherSuites {
		rest = binary.BigEndian.AppendUint16(rest, uint16(id))
	}
	part(binary.BigEndian.AppendUint16(rest, uint16(ch.Version)))
	for _, x := range fixed {
		part(binary.BigEndian.AppendUint16(nil, uint16(x.Type)))
		part(x.Data)
	}
	return h.Sum(nil)
}

// restore reconstructs, from the cookie, a HelloRetryRequest that was sent on another connection.
// If this connection sent one, the cookie must be the one in it.
func (v *server) restore(ch *message.ClientHello, s *Score) error {
	if len(v.CookieKeys) == 0 || s.Restored {
		return nil
	}
	var got message.Cookie
	sent, err := negotiation.Read(ch.Extensions, iana.ExtCookie, &got)
	switch {
	case err != nil:
		return err
	case s.Retried():
		var ours message.Cookie
		if _, err := negotiation.Read(s.Retry.Extensions, iana.ExtCookie, &ours); err != nil {
			return err
		}
		if !sent || !bytes.Equal(got.Cookie, ours.Cookie) {
			return badCookie("the client's second hello does not bring our cookie back")
		}
		return nil
	case !sent || !negotiation.OffersTLS13(ch):
		return nil
	}
	c, err := v.openCookie(got.Cookie, ch)
	if err != nil {
		return err
	}
	m, err := retryWith(ch, c.suite.ID, c.group, got.Cookie)
	if err != nil {
		return err
	}
	raw, err := message.Dialect{Version: iana.TLS12}.Encode(m)
	if err != nil {
		return err
	}
	v.Log.Choice("cookie", "", "accepted", "a server with our key has made it for this hello",
		"RFC 8446 §4.2.2")
	s.Retry, s.Restored = m, true
	s.transcript = transcript{messages: [][]byte{messageHash(c.hash), raw}}
	return nil
}

// cookie is the content of a cookie.
type cookie struct {
	suite *suite.Suite
	group iana.Group
	hash  []byte
}

// openCookie authenticates a cookie, and reads it.
func (v *server) openCookie(b []byte, ch *message.ClientHello) (*cookie, error) {
	if len(b) < cookieHead+sha256.Size || b[0] != cookieVersion {
		return nil, badCookie("the client's cookie is none of ours")
	}
	body, mac := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	known := slices.ContainsFunc(v.CookieKeys, func(key [32]byte) bool {
		return hmac.Equal(mac, cookieMAC(key, body, ch))
	})
	if !known {
		return nil, badCookie("the client's cookie was not made by us for this hello")
	}
	made := time.Unix(int64(binary.BigEndian.Uint64(body[1:])), 0)
	if age := v.CurrentTime().Sub(made); age > cookieLifetime || age < -cookieLifetime {
		return nil, badCookie("the client's cookie is %v old, expected at most %v", age,
			cookieLifetime)
	}
	c := &cookie{suite: suite.ByID13(iana.CipherSuite(binary.BigEndian.Uint16(body[9:]))),
		group: iana.Group(binary.BigEndian.Uint16(body[11:])), hash: body[cookieHead:]}
	if c.suite == nil || len(c.hash) != c.suite.PRF.Size() || len(c.hash) != int(body[13]) {
		return nil, badCookie("the client's cookie is malformed")
	}
	return c, nil
}

func badCookie(format string, args ...any) error {
	return alert.KindRetry.Fail(alert.IllegalParameter, "RFC 8446 §4.2.2", format, args...)
}
