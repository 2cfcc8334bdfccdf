package broken

import (
	"crypto/rsa"
	"crypto/tls"
	"math/big"
	"net"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/message"
)

// Fault is a server that makes one mistake, and no other: it answers in the clear until
// ServerHelloDone.
type Fault struct {
	// it echoes heartbeats without padding
	Heartbeat bool
	// it takes an early ChangeCipherSpec
	Early  bool
	Oracle bool                                              // it tells bad padding
	Strict func(raw []byte, hello *message.ClientHello) bool // it drops such a hello
	// its DHE_RSA has this prime, in hexadecimal
	Prime    string
	Compress bool // it compresses if it may
}

// Serve returns a function that serves a connection with an RSA certificate.
func (f Fault) Serve(cert tls.Certificate) func(net.Conn) {
	return func(c net.Conn) {
		raw, err := rig.ReadRecord(c)
		if err != nil || raw[0] != 22 {
			return
		}
		first := raw
		hello := raw[5:]
		for len(hello) < 4 || message.Length(hello) > len(hello) {
			if raw, err = rig.ReadRecord(c); err != nil {
				return
			}
			hello = append(hello, raw[5:]...)
		}
		m, err := message.Dialect{Version: iana.TLS12}.Parse(hello)
		if err != nil {
			return
		}
		ch := m.(*message.ClientHello)
		if f.Strict != nil && f.Strict(first, ch) {
			return
		}
		if ch.Version < iana.TLS12 {
			c.Write([]byte{21, 3, 1, 0, 2, 2, 70})
			return
		}
		if !ch.Offers(f.suite()) {
			c.Write([]byte{21, 3, 3, 0, 2, 2, 40})
			return
		}
		f.answer(c, ch, cert)
	}
}

func (f Fault) answer(c net.Conn, ch *message.ClientHello, cert tls.Certificate) {
	sh := &message.ServerHello{
		Version:     iana.TLS12,
		CipherSuite: f.suite(),
	}
	sh.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
	sh.Extensions.Add(iana.ExtExtendedMasterSecret, &message.Empty{})
	if f.Heartbeat && ch.Extensions.Has(iana.ExtHeartbeat) {
		sh.Extensions.Add(iana.ExtHeartbeat, &message.Heartbeat{Mode: 1})
	}
	if f.Compress && slices.Contains(ch.CompressionMethods, 1) {
		sh.CompressionMethod = 1
	}
	d := message.Dialect{Version: iana.TLS12, Kex: iana.KexRSA, Auth: iana.AuthRSA}
	var out []byte
	flight := []message.Message{sh, &message.Certificate{Chain: cert.Certificate}}
	if f.Prime != "" {
		d.Kex = iana.KexDHE
		flight = append(flight, f.exchange(d))
	}
	for _, m := range append(flight, &message.ServerHelloDone{}) {
		raw, err := d.Encode(m)
		if err != nil {
			panic(err)
		}
		out = append(out, raw...)
	}
	c.Write(append([]byte{22, 3, 3, byte(len(out) >> 8), byte(len(out))}, out...))
	f.rest(c, cert.PrivateKey.(*rsa.PrivateKey))
}

func (f Fault) suite() iana.CipherSuite {
	if f.Prime != "" {
		return iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256
	}
	return iana.TLS_RSA_WITH_AES_128_GCM_SHA256
}

// exchange returns the parameters of the prime with a signature that no test verifies.
func (f Fault) exchange(d message.Dialect) *message.ServerKeyExchange {
	p, _ := new(big.Int).SetString(f.Prime, 16)
	return &message.ServerKeyExchange{P: p.Bytes(), G: []byte{2}, DHPublic: p.Bytes()[1:],
		Scheme: iana.RSA_PKCS1_SHA256, Signature: make([]byte, 256)}
}

func (f Fault) rest(c net.Conn, key *rsa.PrivateKey) {
	alert := func(d byte) { c.Write([]byte{21, 3, 3, 0, 2, 2, d}) }
	keys := false
	for {
		raw, err := rig.ReadRecord(c)
		switch {
		case err != nil:
			return
		case raw[0] == 24 && f.Heartbeat:
			c.Write(append([]byte{24, 3, 3, raw[3], raw[4], 2}, raw[6:]...))
		case raw[0] == 24:
		case raw[0] == 20 && !keys && !f.Early:
			alert(10)
			return
		case raw[0] == 20:
			keys = true
		case raw[0] == 22 && raw[5] == 16 && !keys:
			plain := new(big.Int).Exp(new(big.Int).SetBytes(raw[11:]), key.D, key.N)
			b := plain.FillBytes(make([]byte, key.Size()))
			if f.Oracle && (b[0] != 0 || b[1] != 2) {
				alert(51)
				return
			}
			keys = true
		case raw[0] == 22 && keys:
			alert(20)
			return
		default:
			alert(10)
			return
		}
	}
}
