package record

import (
	"crypto/cipher"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// aead13 is the one form of protection in TLS 1.3: what is sealed is content || type || zeros, the
// nonce is write_iv XOR the sequence number, and the additional data is the header as it is on the
// wire. See RFC 8446 §5.2 and §5.3.
type aead13 struct {
	traits Traits
	aead   cipher.AEAD
	iv     [nonceLen]byte
	nonce  [nonceLen]byte
	header [HeaderLen]byte
}

// errBadRecord13 is returned for every record of TLS 1.3 that does not authenticate.
var errBadRecord13 = badRecord("RFC 8446 §5.2")

func newAEAD13(c *Cipher, p Params) (Protection, error) {
	mode, err := c.aead(p.Keys.Key)
	if err != nil {
		return nil, alert.Fail(alert.InternalError, "", "%s: %w", c.Name, err)
	}
	a := &aead13{aead: mode, iv: [nonceLen]byte(p.Keys.IV)}
	a.traits = Traits{Name: c.Name, Ref: "RFC 8446 §5.2", Overhead: HeaderLen + 1 + c.TagLen,
		MaxRecords: c.MaxRecords, InnerType: true}
	return a, nil
}

func (a *aead13) Traits() *Traits { return &a.traits }

func (a *aead13) setNonce(seq uint64) []byte { return putNonce(&a.nonce, &a.iv, seq) }

// put returns the header of a record of length bytes, which is also its additional data.
func (a *aead13) put(h Header, length int) []byte {
	h.put(a.header[:], length)
	return a.header[:]
}

func (a *aead13) Seal(dst []byte, seq uint64, h Header, plain []byte) ([]byte, error) {
	return a.sealPadded(dst, seq, h.Type, plain, 0), nil
}

// sealPadded is Seal with pad zeros behind the content type. See RFC 8446 §5.4.
func (a *aead13) sealPadded(dst []byte, seq uint64, t iana.ContentType, plain []byte,
	pad int) []byte {
	outer := Header{Type: iana.RecordApplicationData, Version: iana.TLS12} // RFC 8446 §5.2
	header := a.put(outer, len(plain)+1+pad+a.aead.Overhead())
	dst = append(dst, header...)
	start := len(dst)
	dst = append(append(dst, plain...), byte(t))
	if pad > 0 {
		dst = append(dst, zeros[:pad]...)
	}
	return a.aead.Seal(dst[:start], a.setNonce(seq), dst[start:], header)
}

// maxCiphertext13 is how many bytes a protected record of TLS 1.3 may have. See RFC 8446 §5.2.
const maxCiphertext13 = MaxPlaintext + 256

// zeros are what records are padded with.
var zeros [MaxPlaintext]byte

func (a *aead13) Open(seq uint64, h Header, fragment []byte) ([]byte, error) {
	plain, err := a.aead.Open(fragment[:0], a.setNonce(seq), fragment, a.put(h, len(fragment)))
	if err != nil {
		clear(fragment)
		return nil, errBadRecord13
	}
	return plain, nil
}

func (a *aead13) Anatomy(seq uint64, h Header, fragment []byte) trace.Anatomy {
	n := max(0, len(fragment)-a.aead.Overhead())
	return trace.Anatomy{Nonce: slices.Clone(a.setNonce(seq)),
		AAD: slices.Clone(a.put(h, len(fragment))), Ciphertext: fragment[:n], Tag: fragment[n:]}
}

// inner splits a TLSInnerPlaintext into its type and content. The type is the last byte that is not
// zero. Handshake messages and alerts have content. See RFC 8446 §5.4.
func inner(plain []byte) (iana.ContentType, []byte, error) {
	for i := len(plain) - 1; i >= 0; i-- {
		if plain[i] == 0 {
			continue
		}
		t := iana.ContentType(plain[i])
		if i == 0 && (t == iana.RecordAlert || t == iana.RecordHandshake) {
			return 0, nil, alert.KindRecord.Fail(alert.UnexpectedMessage, "RFC 8446 §5.4",
				"got a protected %v without content", t)
		}
		return t, plain[:i], nil
	}
	return 0, nil,
		alert.KindRecord.Fail(alert.UnexpectedMessage, "RFC 8446 §5.4",
			"got a record of padding alone, expected a content type before it")
}
