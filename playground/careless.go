package playground

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/rsa"
	"errors"
	"math/big"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

// The careless twins of the server. The library has no code that tells wrong padding from a wrong
// MAC, or a wrong pre_master_secret from a right one, so that the twins do it themselves: with keys
// of this run, which are public.

// careless returns the error with which the twin ends the connection, in place of err.
func (x *end) careless(err error) error {
	e, ok := errors.AsType[*alert.Error](err)
	if x.me != iana.Server || x.Careless != PaddingOracle || !ok || e.Alert != alert.BadRecordMAC {
		return err
	}
	if good, ok := paddingOf(x.events, x.last); !ok || good {
		return err
	}
	return &alert.Error{Alert: alert.DecryptionFailed, Ref: "RFC 5246 §6.2.3.2",
		Kind: alert.KindRecord, Reason: "the careless server: the padding of the record is wrong"}
}

// paddingOf reports whether the padding of a client's record is as RFC 5246 §6.2.3.2 demands. ok is
// false if the record is not one of CBC. Nothing here is constant in time: that is the mistake.
func paddingOf(events *trace.Memory, b []byte) (good, ok bool) {
	var keys *trace.KeysInstalled
	for _, e := range events.Entries {
		if k, is := e.Event.(*trace.KeysInstalled); is && e.Role == trace.Server &&
			k.From == iana.Client {
			keys = k
		}
	}
	if keys == nil || len(keys.MACKey) == 0 || len(b) < record.HeaderLen {
		return false, false
	}
	block, err := aes.NewCipher(keys.Key)
	if len(keys.Key) == 24 {
		block, err = des.NewTripleDESCipher(keys.Key)
	}
	if err != nil {
		return false, false
	}
	n, fragment := block.BlockSize(), b[record.HeaderLen:]
	if len(fragment) < 2*n || len(fragment)%n != 0 {
		return false, false
	}
	plain := make([]byte, len(fragment)-n)
	cipher.NewCBCDecrypter(block, fragment[:n]).CryptBlocks(plain, fragment[n:])
	length := int(plain[len(plain)-1])
	if length >= len(plain) {
		return false, true
	}
	for _, c := range plain[len(plain)-1-length:] {
		if int(c) != length {
			return false, true
		}
	}
	return true, true
}

// refuse returns the error of the twin that looks into a ClientKeyExchange before the library does,
// or nil. Each mistake of PKCS #1 gets an alert of its own. See RFC 5246 §7.4.7.1 for why not.
func (x *end) refuse(b []byte) error {
	key, ok := x.key.(*rsa.PrivateKey)
	if x.me != iana.Server || x.Careless != Bleichenbacher || !ok || x.heardExchange {
		return nil
	}
	encrypted := encryptedPreMaster(b)
	if encrypted == nil {
		return nil
	}
	x.heardExchange = true
	size := key.Size()
	c := new(big.Int).SetBytes(encrypted)
	if c.Cmp(key.N) >= 0 {
		return oracle(alert.DecryptError, "the number is not below the modulus")
	}
	plain := c.Exp(c, key.D, key.N).FillBytes(make([]byte, size))
	at := size - preMasterLen
	zero := -1
	for i := 2; i < size && zero < 0; i++ {
		if plain[i] == 0 {
			zero = i
		}
	}
	switch {
	case plain[0] != 0 || plain[1] != 2 || zero < 10:
		return oracle(alert.DecryptError, "the block does not begin as PKCS #1 wants it")
	case zero != at-1:
		return oracle(alert.DecodeError, "the pre_master_secret has not 48 bytes")
	case plain[at] != 3 || plain[at+1] != 3:
		return oracle(alert.IllegalParameter, "the pre_master_secret has another version")
	}
	return nil
}

const preMasterLen = 48

func oracle(d alert.Description, what string) error {
	return &alert.Error{Alert: d, Ref: "RFC 5246 §7.4.7.1", Kind: alert.KindShare,
		Reason: "the careless server: " + what}
}

// refused names in the trace the record and the message that the twin has refused: the library had
// not read them yet, and names those before.
func (x *end) refused(b []byte) {
	for _, e := range x.events.Entries {
		if f, ok := e.Event.(*trace.Failed); ok && f.From != x.me {
			f.Number, f.Record, f.Message = f.Number+1, b, iana.ClientKeyExchange
		}
	}
}

// encryptedPreMaster returns the content of a ClientKeyExchange in a record in the clear, or nil.
func encryptedPreMaster(b []byte) []byte {
	if len(b) < record.HeaderLen || iana.ContentType(b[0]) != iana.RecordHandshake {
		return nil
	}
	for b = b[record.HeaderLen:]; len(b) >= message.HeaderLen; {
		n := message.Length(b)
		if n > len(b) {
			return nil
		}
		if iana.HandshakeType(b[0]) == iana.ClientKeyExchange && n > message.HeaderLen+2 {
			return b[message.HeaderLen+2 : n]
		}
		b = b[n:]
	}
	return nil
}
