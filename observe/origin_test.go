package observe_test

import (
	"bytes"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
)

// Connections that resume the session of one after them in the capture are read at the end, each
// with a few attempts to find a secret.
func TestResumptionsBeforeTheirOriginAreReadInFewAttempts(t *testing.T) {
	for _, suite := range hostileSuites {
		t.Run(suite.String(), func(t *testing.T) { resumptionsAreRead(t, suite) })
	}
}

// resumptionsAreRead has TLS 1.3 begin from a pre-shared key and go on without a key exchange: who
// knows the key can follow from ticket to ticket. A key log has no secret for the next connection.
func resumptionsAreRead(t *testing.T, suite iana.CipherSuite) {
	const n = 60
	client, server := configs(t, suite)
	psk := vitrine.PSK{Identity: []byte("gardener"), Key: bytes.Repeat([]byte{7}, 32)}
	if suite == iana.TLS_AES_128_GCM_SHA256 {
		for _, c := range []*vitrine.Config{client, server} {
			c.PSKKeyExchangeModes = []iana.PSKKeyExchangeMode{iana.PSKKE}
			c.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) { return &psk, nil }
		}
	}
	client.ClientSessionCache = vitrine.NewLRUClientSessionCache(1)
	var secrets bytes.Buffer
	client.KeyLogWriter = &secrets
	var all []*tape
	var log *keylog.Log
	for range n {
		one, _ := speak(t, client, server, 10)
		all = append(all, one)
		if log == nil { // the others' are not known
			var err error
			if log, err = keylog.Read(bytes.NewReader(secrets.Bytes())); err != nil {
				t.Fatal(err)
			}
		}
	}
	var looks atomic.Int64
	known := observe.KeyLog(log)
	if client.GetPSK != nil {
		known = observe.PSK(psk.Key)
	}
	read := 0
	w := observe.Watch{
		Source: func(s *handshake.Score) []observe.Candidate {
			looks.Add(1)
			return known(s)
		},
		Done: func(x *observe.Watched) {
			r := x.Stream.Report() // its Resumed includes external keys
			if r.Decrypted && r.Resumed == (client.GetPSK != nil || x.Number < n-1) {
				read++
			}
		},
	}
	for i := range n {
		h := w.Handler(&capture.Connection{Stream: i}).(*observe.Watched)
		replay(h, *all[n-1-i])
		h.End()
		w.Flush()
		h.Idle()
	}
	w.Close()
	if read != n || looks.Load() > 6*n {
		t.Errorf("%d of %d connections were read, in %d looks for a secret", read, n, looks.Load())
	}
	t.Logf("%d looks", looks.Load())
}
