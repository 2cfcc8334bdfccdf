package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
)

// RFC 5705 has no vectors, so the results are compared with crypto/tls.
func TestExportMatchesCryptoTLS(t *testing.T) {
	n := 0
	for suite, hash := range map[uint16]crypto.Hash{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: crypto.SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: crypto.SHA384,
	} {
		state, m, r := connect(t, suite, hash)
		for _, context := range [][]byte{nil, {}, {0}, []byte("context"), make([]byte, 65535)} {
			for _, length := range []int{0, 1, 32, 100} {
				n++
				want, err := state.ExportKeyingMaterial("EXPORTER-vitrine", context, length)
				if err != nil {
					t.Fatal(err)
				}
				got, err := m.Export("EXPORTER-vitrine", context, r, length)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%v, context of %d bytes (nil: %t): got %x, %v, expected %x", hash,
						len(context), context == nil, got, err, want)
				}
			}
		}
	}
	t.Logf("%d exports", n)
}

// connect performs a handshake of crypto/tls with itself and takes the master_secret from its key
// log.
func connect(t *testing.T, suite uint16, hash crypto.Hash) (tls.ConnectionState, Master, Randoms) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	var log, flight bytes.Buffer
	near, far := net.Pipe()
	defer near.Close()
	server := tls.Server(recorded{far, &flight},
		&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert},
			PrivateKey: key}}})
	go server.Handshake()
	client := tls.Client(near,
		&tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{suite}, KeyLogWriter: &log})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	var random, secret []byte
	if _, err := fmt.Sscanf(log.String(), "CLIENT_RANDOM %x %x", &random, &secret); err != nil {
		t.Fatal(err)
	}
	m, err := PRF{Hash: hash}.Restore(secret)
	if err != nil {
		t.Fatal(err)
	}
	// behind both headers and the version
	return client.ConnectionState(), m, randoms(random, flight.Bytes()[11:43])
}

type recorded struct {
	net.Conn
	written *bytes.Buffer
}

func (r recorded) Write(b []byte) (int, error) {
	r.written.Write(b)
	return r.Conn.Write(b)
}

// RFC 5705 §4
func TestExportRejectsReservedLabelsAndBadLengths(t *testing.T) {
	m := PRF{Hash: crypto.SHA256}.Master([]byte("pre"), Randoms{})
	for _, c := range []struct {
		label   string
		context []byte
		n       int
		says    string
	}{
		{"master secret", nil, 48, "reserves for itself"},
		{"extended master secret", nil, 48, "reserves for itself"}, // RFC 7627 §6
		{"key expansion", nil, 48, "reserves for itself"},
		{"client finished", nil, 12, "reserves for itself"},
		{"server finished", nil, 12, "reserves for itself"},
		{"EXPORTER-x", make([]byte, 65536), 32, "65536 bytes"},
		{"EXPORTER-x", nil, -1, "-1 bytes"},
	} {
		out, err := m.Export(c.label, c.context, Randoms{}, c.n)
		if err == nil || out != nil || alert.Of(err) != alert.InternalError ||
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%q, %d bytes: got %s, %v", c.label, c.n, hex.EncodeToString(out), err)
		}
	}
}
