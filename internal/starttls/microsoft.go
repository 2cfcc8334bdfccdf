package starttls

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// mssql asks for encryption in a Pre-Login message. The handshake that follows is in packets: see
// package framing. See MS-TDS §2.2.6.5.
func mssql(t *talk) error {
	const version, encryption, end, on, unsupported = 0, 1, 0xFF, 1, 2
	options := []byte{version, 0, 11, 0, 6, encryption, 0, 17, 0, 1, end, 16, 0, 0, 0, 0, 0, on}
	request := []byte{0x12, 1, 0, byte(8 + len(options)), 0, 0, 0, 0}
	if _, err := t.out.Write(append(request, options...)); err != nil {
		return err
	}
	var head [8]byte
	if _, err := io.ReadFull(t.in, head[:]); err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint16(head[2:])) - len(head)
	if head[0] != 0x04 && head[0] != 0x12 || n <= 0 || n > maxLine {
		return fmt.Errorf("got %x, expected the header of an answer to Pre-Login", head)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(t.in, body); err != nil {
		return err
	}
	for at := 0; at+5 <= n && body[at] != end; at += 5 {
		offset := int(binary.BigEndian.Uint16(body[at+1:]))
		if body[at] != encryption {
			continue
		}
		if offset >= n {
			break
		}
		if body[offset] == unsupported {
			return errors.New("the server does not offer TLS: ENCRYPTION is ENCRYPT_NOT_SUP")
		}
		return nil
	}
	return errors.New("the server's answer to Pre-Login has no ENCRYPTION")
}

// rdpFailures are the codes of RDP_NEG_FAILURE. See MS-RDPBCGR §2.2.1.2.2.
var rdpFailures = map[uint32]string{1: "it requires TLS", 2: "it does not allow TLS",
	3: "it has no certificate", 4: "its flags are not consistent", 5: "it requires CredSSP",
	6: "it requires TLS with a user's certificate"}

// rdp offers TLS and CredSSP, which begins with TLS, in an X.224 connection request. See MS-RDPBCGR
// §2.2.1.1.
func rdp(t *talk) error {
	const (
		confirm           = 0xD0
		answer, failure   = 2, 3
		tls, hybrid       = 1, 2
		fixed, negotiated = 11, 19 // bytes of the answer without and with a negotiation
	)
	request := []byte{3, 0, 0, negotiated, 14, 0xE0, 0, 0, 0, 0, 0, 1, 0, 8, 0, tls | hybrid, 0, 0,
		0}
	if _, err := t.out.Write(request); err != nil {
		return err
	}
	var b [negotiated]byte
	if _, err := io.ReadFull(t.in, b[:fixed]); err != nil {
		return err
	}
	if b[0] != 3 || b[5] != confirm {
		return fmt.Errorf("got %x, expected an X.224 connection confirm", b[:fixed])
	}
	switch binary.BigEndian.Uint16(b[2:]) {
	case negotiated:
	case fixed:
		return errors.New("the server does not offer TLS: it negotiates no security")
	default:
		return fmt.Errorf("got an answer of %d bytes, expected %d", binary.BigEndian.Uint16(b[2:]),
			negotiated)
	}
	if _, err := io.ReadFull(t.in, b[fixed:]); err != nil {
		return err
	}
	value := binary.LittleEndian.Uint32(b[15:])
	switch {
	case b[11] == failure:
		why := rdpFailures[value]
		if why == "" {
			why = fmt.Sprintf("code %d", value)
		}
		return errors.New("the server refuses: " + why)
	case b[11] != answer || value == 0:
		return errors.New("the server does not offer TLS: it selects RDP's own security")
	}
	return nil
}
