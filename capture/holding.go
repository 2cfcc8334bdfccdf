package capture

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
)

// Secrets writes lines of a key log (RFC 9850) into a Decryption Secrets Block. The block must
// precede the packets that it decrypts, since readers like Wireshark go through a file once. So
// with HoldsSecrets each Conversation holds its packets back until the secrets of its client_random
// have come, in TLS 1.3 those of both sides' data, it ends, or it holds 1 MiB.
func (w *Writer) Secrets(keylog []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.options.HoldsSecrets {
		return errors.New("capture: WriterOptions do not say that the capture holds secrets")
	}
	w.block(blockSecrets, func(b []byte) []byte {
		b = le.AppendUint32(b, uint32(SecretsTLSKeyLog))
		b = le.AppendUint32(b, uint32(len(keylog)))
		b = align(append(b, keylog...))
		b = option(b, optComment, []byte(secretsNote))
		return option(b, optEnd, nil)
	})
	for line := range bytes.Lines(keylog) {
		fields := bytes.Fields(line)
		if len(fields) != 3 {
			continue
		}
		if random, err := hex.AppendDecode(nil, fields[1]); err == nil && len(random) == 32 {
			w.release(string(fields[0]), random)
		}
	}
	return w.flush()
}

// KeyLog returns an io.Writer that calls Secrets, for a Config's KeyLogWriter. Each Write must
// consist of whole lines.
func (w *Writer) KeyLog() io.Writer { return keyLogWriter{w} }

type keyLogWriter struct{ w *Writer }

func (k keyLogWriter) Write(p []byte) (int, error) {
	if err := k.w.Secrets(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// release ends the waiting of conversations with this client_random, which is in the client's first
// segment, if the secret with this label was the last that they waited for.
func (w *Writer) release(label string, random []byte) {
	for _, c := range slices.Clone(w.held) {
		if bytes.Contains(c.held, random) && c.completes(label) {
			c.release()
		}
	}
}

// Flush writes what still waits for its secrets, and the beginning of the file even if nothing else
// came. It returns the first error.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start()
	for len(w.held) > 0 {
		w.held[0].release()
	}
	return w.flush()
}

// completes notes the secret with this label, and reports whether all have come that the packets
// wait for. In TLS 1.3 the secrets of the handshake come alone, but its messages are read by those
// who know the secrets of the data as well. See RFC 9850 §2.
func (c *Conversation) completes(label string) bool {
	switch keylog.Label(label) {
	case keylog.ClientTraffic:
		c.known[iana.Client] = true
	case keylog.ServerTraffic:
		c.known[iana.Server] = true
	case keylog.ClientRandom, keylog.PreMasterByRandom:
		return true // all keys follow from it
	}
	return c.known == [2]bool{true, true}
}

// release writes the packets that waited.
func (c *Conversation) release() {
	if c.waiting {
		i := slices.Index(c.w.held, c)
		c.w.held = slices.Delete(c.w.held, i, i+1)
		c.w.buf = append(c.w.buf, c.held...)
		c.waiting, c.held = false, nil
	}
}
