package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine"
)

// maxEarlyData is what BoringSSL's tickets allow.
const maxEarlyData = 14336

// early moves data before the handshake is done. It returns how many bytes of its own a client
// sent.
func (c *connection) early() (sent int, err error) {
	switch {
	case !c.enableEarly:
		return 0, nil
	case c.server:
		return 0, c.answerEarly()
	case c.number == 0 || !c.shimWritesFirst:
		return 0, nil // without data there is no early data
	}
	for range c.repeatWrite {
		n, err := c.writeEarly([]byte(c.initialWrite))
		if sent += n; err != nil || n < len(c.initialWrite) {
			return sent, err
		}
	}
	if c.exportLength > 0 {
		_, err := c.tls.ExportKeyingMaterial(c.exportLabel, nil, c.exportLength)
		if err != nil {
			return sent, fmt.Errorf(":HANDSHAKE_NOT_COMPLETE: %w", err)
		}
	}
	return sent, nil
}

// writeEarly sends as much of b as the ticket allows, as BoringSSL does.
func (c *connection) writeEarly(b []byte) (int, error) {
	for n := len(b); n > 0; n-- {
		if _, err := c.tls.WriteEarly(b[:n]); !errors.Is(err, vitrine.ErrNoEarlyData) {
			return n, err
		}
	}
	return 0, nil
}

// answerEarly returns what a client sends early, each byte inverted.
func (c *connection) answerEarly() error {
	b := make([]byte, c.readSize)
	for {
		n, err := c.tls.ReadEarly(b)
		for i := range b[:n] {
			b[i] ^= 0xff
		}
		if n > 0 {
			if _, err := c.tls.WriteEarly(b[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// handshake performs the handshake. If the server has rejected early data, other settings hold.
func (c *connection) handshake() error {
	err := c.tls.Handshake()
	if errors.Is(err, vitrine.ErrEarlyDataRejected) {
		c.options = c.rejected
		return nil
	}
	return err
}

// checkEarly compares what became of early data with the expectations. Of BoringSSL's reasons only
// whether it was accepted is compared.
func (c *connection) checkEarly(s *vitrine.ConnectionState) error {
	accepted := s.EarlyData == vitrine.EarlyDataAccepted
	switch {
	case c.expectAccept && !accepted, c.expectReject && accepted,
		c.expectNoOffer && s.EarlyData != vitrine.EarlyDataNone,
		c.expectEarlyReason != "" && (c.expectEarlyReason == "accept") != accepted:
		return fmt.Errorf("early data is %v, which was not expected", s.EarlyData)
	}
	return nil
}
