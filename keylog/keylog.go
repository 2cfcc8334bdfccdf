// Package keylog reads the files that TLS programs write when SSLKEYLOGFILE is set: lines that name a connection by its
// client_random and give a secret of it. See RFC 9850. Of its labels this build uses CLIENT_RANDOM, which is TLS 1.2's.
package keylog

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// Log has the master secrets of connections, by client_random.
type Log map[[32]byte][]byte

// maxLine bounds a line: a label, 32 bytes and at most a few secrets of 64, in hex.
const maxLine = 4096

// Read reads a key log. Comments, empty lines and labels of other versions are passed over; a malformed CLIENT_RANDOM line is an
// error that names its number and not its content.
func Read(r io.Reader) (Log, error) {
	log := Log{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || fields[0] != "CLIENT_RANDOM" {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("keylog: line %d: CLIENT_RANDOM with %d fields behind it, expected 2", n, len(fields)-1)
		}
		random, err1 := hex.DecodeString(fields[1])
		secret, err2 := hex.DecodeString(fields[2])
		if err1 != nil || err2 != nil || len(random) != 32 || len(secret) != 48 {
			return nil, fmt.Errorf("keylog: line %d: expected 32 bytes and 48 bytes in hex", n)
		}
		log[[32]byte(random)] = secret
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("keylog: line %d: %w", n+1, err)
	}
	return log, nil
}
