package engine

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/message"
)

// maxHello2 bounds a ClientHello in the form of SSL 2.0, in bytes. One with every registered suite
// has 1,100.
const maxHello2 = 2 << 10

// AcceptHello2 lets the client begin with a ClientHello in the form of SSL 2.0. See RFC 5246
// appendix E.2.
func (in *Inbound) AcceptHello2() { in.hello2 = true }

// firstHello returns a ClientHello in the form of SSL 2.0 as a handshake message, without the two
// bytes before it, if it is the first thing that came. It returns nil if what came is something
// else, which clears in.hello2, or not enough. A client of TLS "MUST" leave out the session_id, and
// its challenge has 16 to 32 bytes: RFC 5246 §E.2.
func (in *Inbound) firstHello() ([]byte, error) {
	const ref = "RFC 5246 §E.2"
	have := in.buf[in.start:in.end]
	if len(have) == 0 {
		return nil, nil
	}
	if have[0]&0x80 == 0 {
		in.hello2 = false
		return nil, nil
	}
	n, ok := message.Hello2Length(have)
	if !ok {
		if len(have) >= message.Hello2HeaderLen+9 {
			in.hello2 = false // nextRecord returns the error
		}
		return nil, nil
	}
	if n > maxHello2 {
		return nil, alert.KindLength.Fail(alert.DecodeError, ref,
			"got a client_hello in the form of SSL 2.0 of %d bytes, expected at most %d", n,
			maxHello2)
	}
	if id, challenge := have[7:9], have[9:11]; id[0]|id[1] != 0 || challenge[0] != 0 ||
		challenge[1] < 16 || challenge[1] > 32 {
		return nil, alert.KindMalformed.Fail(alert.DecodeError, ref,
			"got a client_hello in the form of SSL 2.0 with a session_id of %x and a challenge of "+
				"%x bytes, expected 0 and 16 to 32", id, challenge)
	}
	if len(have) < n {
		return nil, nil
	}
	in.hello2 = false
	in.start += n
	return bytes.Clone(have[message.Hello2HeaderLen:n]), nil
}
