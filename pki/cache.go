package pki

import (
	"crypto/x509"
	"runtime"
	"sync"
	"weak"
)

// parsed are the certificates that are in use anywhere in this process, by their DER. Most
// connections of a client see the same few, and parsing one takes as long as deriving the keys of a
// connection. The cache keeps nothing alive.
var parsed sync.Map // of string to weak.Pointer[x509.Certificate]

// parseCertificate is x509.ParseCertificate. Its result is shared and must not be changed.
func parseCertificate(der []byte) (*x509.Certificate, error) {
	if p, ok := parsed.Load(string(der)); ok {
		if c := p.(weak.Pointer[x509.Certificate]).Value(); c != nil {
			return c, nil
		}
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	key, p := string(der), weak.Make(c)
	parsed.Store(key, p)
	runtime.AddCleanup(c, func(key string) { parsed.CompareAndDelete(key, p) }, key)
	return c, nil
}
