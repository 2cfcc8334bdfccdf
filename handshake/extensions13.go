package handshake

import "github.com/vitrine-tls/vitrine/message"

// The columns of the extensions that only TLS 1.3 has.

// settleEarlyData: the server takes the early data that the client sends.
func settleEarlyData(a *Agreed, _, _ message.Extensions) error {
	a.EarlyData = true
	return nil
}
