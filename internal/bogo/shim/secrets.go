package main

import (
	"bytes"
	"encoding/binary"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
)

// applicationSecrets returns what -export-traffic-secrets asks for, from the key log: the length of
// a traffic secret, as a uint16 in little endian, then that of the peer and ours.
func (c *connection) applicationSecrets() ([]byte, error) {
	log, err := keylog.Read(bytes.NewReader(c.secrets.Bytes()))
	if err != nil {
		return nil, err
	}
	secrets := map[keylog.Label][]byte{}
	for line := range log.All() {
		secrets[line.Label] = line.Secret
	}
	read, write := secrets[keylog.ServerTraffic], secrets[keylog.ClientTraffic]
	if c.messages.me == iana.Server {
		read, write = write, read
	}
	b := binary.LittleEndian.AppendUint16(nil, uint16(len(read)))
	return append(append(b, read...), write...), nil
}
