package record

import (
	"crypto/cipher"
	"errors"
)

var errTODO = errors.New("to come")

func newGCM(key []byte) (cipher.AEAD, error)                  { return nil, errTODO }
func newCCM16(key []byte) (cipher.AEAD, error)                { return nil, errTODO }
func newCCM8(key []byte) (cipher.AEAD, error)                 { return nil, errTODO }
func newAEAD(c *Cipher, p Params) (Protection, error)         { return nil, errTODO }
func newCBC(c *Cipher, m *MAC, p Params) (Protection, error)  { return nil, errTODO }
func newNull(c *Cipher, m *MAC, p Params) (Protection, error) { return nil, errTODO }
