package kex

import (
	"crypto"
	"crypto/rsa"
	"io"

	"github.com/vitrine-tls/vitrine/iana"
)

// EncryptPreMaster draws a pre_master_secret and encrypts it to pub.
func EncryptPreMaster(rand io.Reader, pub *rsa.PublicKey, clientVersion iana.Version) (pre, encrypted []byte, err error) {
	return nil, nil, errTODO
}

// DecryptPreMaster opens what a client encrypted. Its error is only ever that of rand.
func DecryptPreMaster(rand io.Reader, key crypto.Decrypter, encrypted []byte, clientVersion iana.Version) (pre []byte, err error) {
	return nil, errTODO
}

// OpenPreMaster is DecryptPreMaster for an observer.
func OpenPreMaster(key crypto.Decrypter, encrypted []byte, clientVersion iana.Version) (pre []byte, err error) {
	return nil, errTODO
}
