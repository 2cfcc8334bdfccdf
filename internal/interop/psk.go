package interop

import (
	"encoding/hex"
	"fmt"
)

// PSK makes a pre-shared key and the file of it that a GnuTLS server reads.
func (o *Office) PSK(identity string, key []byte) (*PSK, error) {
	file, err := o.File("keys.psk", fmt.Appendf(nil, "%s:%s\n", identity, hex.EncodeToString(key)))
	return &PSK{Identity: identity, Key: key, File: file}, err
}
