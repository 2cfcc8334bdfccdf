package handshake

import (
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// RFC 8446 §4: TLS 1.3 has no HelloRequest. A client that may come to TLS 1.2 ignores one before
// the ServerHello (RFC 5246 §7.4.1.1); one that speaks TLS 1.3 alone does not.
func TestAnEarlyHelloRequestIsIgnoredIfTLS12IsPossible(t *testing.T) {
	for _, c := range []struct {
		lowest iana.Version
		want   alert.Description
	}{{iana.TLS12, alert.InternalError}, {iana.TLS13, alert.UnexpectedMessage}} {
		config := config13("asked")
		if config.MinVersion = c.lowest; c.lowest < iana.TLS13 {
			config.Suites = []iana.CipherSuite{ecdheECDSA}
		}
		m := NewClient(config, &desk{})
		if err := patient(m.Speak, m.Speak); err != nil {
			t.Fatal(err)
		}
		err := m.Take(iana.Server, Kind(iana.HelloRequest), []byte{0, 0, 0, 0})
		if ignored := c.want == alert.InternalError; ignored != (err == nil) ||
			!ignored && alert.Of(err) != c.want {
			t.Errorf("from %v on: got %v", c.lowest, err)
		}
	}
}
