package kex

import (
	"crypto"
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"io"

	"filippo.io/bigmod"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// preMasterLength is the length of an RSA pre_master_secret: client_version and 46 random bytes.
const preMasterLength = 48

// The bounds of an RSA modulus, in bits: the least that holds a padded pre_master_secret, and the
// most that a server may make us compute with. Whether a key is strong enough is decided by package
// pki.
const minRSABits, maxRSABits = 8 * (preMasterLength + 11), 16384

// EncryptPreMaster draws the 48-byte pre_master_secret and encrypts it under the server's key.
// clientVersion is the highest version in the ClientHello, not the negotiated one, so that the
// server detects a rollback. encrypted is as long as the modulus. A modulus of less than 472 or
// more than 16384 bits is insufficient_security. See RFC 5246 §7.4.7.1.
func EncryptPreMaster(rand io.Reader, pub *rsa.PublicKey,
	clientVersion iana.Version) (pre, encrypted []byte, err error) {
	if pre, err = draw(rand, preMasterLength); err != nil {
		return nil, nil, err
	}
	pre[0], pre[1] = byte(clientVersion>>8), byte(clientVersion)
	if encrypted, err = encrypt(rand, pub, pre); err != nil {
		return nil, nil, err
	}
	return pre, encrypted, nil
}

// encrypt is RSAES-PKCS1-v1_5. See RFC 8017 §7.2.1.
func encrypt(rand io.Reader, pub *rsa.PublicKey, message []byte) ([]byte, error) {
	modulus, err := rsaModulus(pub)
	if err != nil {
		return nil, err
	}
	padded, err := pad(rand, message, modulus.Size())
	if err != nil {
		return nil, err
	}
	m, err := bigmod.NewNat().SetBytes(padded, modulus)
	clear(padded)
	if err != nil {
		return nil, err // unreachable: padded begins with a zero byte
	}
	// The time depends on the exponent, which is public.
	return bigmod.NewNat().ExpShortVarTime(m, uint(pub.E), modulus).Bytes(modulus), nil
}

func rsaModulus(pub *rsa.PublicKey) (*bigmod.Modulus, error) {
	if bits := pub.N.BitLen(); bits < minRSABits || bits > maxRSABits {
		return nil, alert.KindKeyUsage.Fail(alert.InsufficientSecurity, "RFC 5246 §7.4.2",
			"got an RSA key of %d bits, expected %d to %d", bits, minRSABits, maxRSABits)
	}
	if pub.N.Bit(0) == 0 || pub.E < 3 || pub.E&1 == 0 {
		return nil, alert.Fail(alert.BadCertificate, "RFC 8017 §3.1",
			"got an RSA key with modulus mod 2 = %d and exponent %d, expected both odd and an "+
				"exponent from 3", pub.N.Bit(0), pub.E)
	}
	return bigmod.NewModulus(pub.N.Bytes())
}

// pad returns 00 02 PS 00 message, size bytes long, with at least 8 bytes of PS. A byte of PS that
// is drawn as 0 is drawn again. See RFC 8017 §7.2.1.
func pad(rand io.Reader, message []byte, size int) ([]byte, error) {
	if size < len(message)+11 {
		return nil, alert.Fail(alert.InternalError, "RFC 8017 §7.2.1",
			"a message of %d bytes is too long for %d", len(message), size)
	}
	ps, err := draw(rand, size-len(message)-3)
	if err != nil {
		return nil, err
	}
	for i, tries := 0, 0; i < len(ps); i++ {
		for ps[i] == 0 {
			if tries++; tries > size { // one byte in 256 is expected
				return nil, alert.Fail(alert.InternalError, "", "randomness failed: the random "+
					"bytes are all zero")
			}
			if _, err := io.ReadFull(rand, ps[i:i+1]); err != nil {
				return nil, alert.Fail(alert.InternalError, "", "randomness failed: %w", err)
			}
		}
	}
	out := append(make([]byte, 0, size), 0, 2)
	out = append(out, ps...)
	return append(append(out, 0), message...), nil
}

// DecryptPreMaster decrypts the EncryptedPreMasterSecret of a client that offered clientVersion. If
// anything is wrong with it, the result is 48 random bytes, drawn before and selected in constant
// time, and the handshake fails at Finished: a client that could distinguish bad padding from a bad
// version would have Bleichenbacher's and Klima's oracle. The error is always that of rand. key
// gets PKCS1v15DecryptOptions with SessionKeyLen 48, so that it may be in hardware, which must then
// hide failures itself. See RFC 5246 §7.4.7.1.
func DecryptPreMaster(rand io.Reader, key crypto.Decrypter, encrypted []byte,
	clientVersion iana.Version) (pre []byte, err error) {
	pre, err = draw(rand, preMasterLength)
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 deprecated for new protocols; RFC 5246 §7.4.7.1 is this one
	options := &rsa.PKCS1v15DecryptOptions{SessionKeyLen: preMasterLength}
	opened, failure := key.Decrypt(rand, encrypted, options)
	var candidate [preMasterLength]byte
	copy(candidate[:], opened)
	good := subtle.ConstantTimeEq(int32(len(opened)), preMasterLength) &
		sameVersion(candidate, clientVersion)
	// crypto/rsa fails only for public reasons: the length, or a number above the modulus.
	if failure != nil {
		good = 0
	}
	subtle.ConstantTimeCopy(good, pre, candidate[:])
	return pre, nil
}

// sameVersion returns 1 if a pre_master_secret begins with v, else 0.
func sameVersion(pre [preMasterLength]byte, v iana.Version) int {
	return subtle.ConstantTimeByteEq(pre[0], byte(v>>8)) &
		subtle.ConstantTimeByteEq(pre[1], byte(v))
}

// ErrWrongPrivateKey is returned if a client's EncryptedPreMasterSecret does not decrypt with a
// key.
var ErrWrongPrivateKey = errors.New("kex: wrong private key: the EncryptedPreMasterSecret does " +
	"not open with it")

// OpenPreMaster decrypts a pre_master_secret for an observer. It returns ErrWrongPrivateKey if that
// fails, which makes it the oracle that a server must not be: never answer a peer by its result. A
// pre_master_secret with another version is returned together with decrypt_error, because some
// servers accept it. See RFC 5246 §7.4.7.1.
func OpenPreMaster(key crypto.Decrypter, encrypted []byte,
	clientVersion iana.Version) (pre []byte, err error) {
	//lint:ignore SA1019 deprecated for new protocols; RFC 5246 §7.4.7.1 is this one
	pre, err = key.Decrypt(nil, encrypted, &rsa.PKCS1v15DecryptOptions{})
	if err != nil || len(pre) != preMasterLength {
		return nil, ErrWrongPrivateKey
	}
	if got := iana.Version(pre[0])<<8 | iana.Version(pre[1]); got != clientVersion {
		return pre, alert.KindMalformed.Fail(alert.DecryptError, "RFC 5246 §7.4.7.1",
			"got a pre_master_secret of %v, expected %v as in the ClientHello", got, clientVersion)
	}
	return pre, nil
}
