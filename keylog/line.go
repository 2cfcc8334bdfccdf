package keylog

import (
	"fmt"
	"io"
)

// Label says what a secret is, in the spelling of the file.
type Label string

const (
	// ClientRandom is the label of the master_secret up to TLS 1.2. See RFC 9850 §2.2.
	ClientRandom Label = "CLIENT_RANDOM"

	// The labels of TLS 1.3. Traffic secrets after a KeyUpdate are not in the file, since they
	// follow from the first ones. See RFC 9850 §2.1.
	ClientEarlyTraffic Label = "CLIENT_EARLY_TRAFFIC_SECRET"
	EarlyExporter      Label = "EARLY_EXPORTER_SECRET"
	ClientHandshake    Label = "CLIENT_HANDSHAKE_TRAFFIC_SECRET"
	ServerHandshake    Label = "SERVER_HANDSHAKE_TRAFFIC_SECRET"
	ClientTraffic      Label = "CLIENT_TRAFFIC_SECRET_0"
	ServerTraffic      Label = "SERVER_TRAFFIC_SECRET_0"
	Exporter           Label = "EXPORTER_SECRET"

	ECHSecret Label = "ECH_SECRET" // the KEM's shared secret of an encrypted ClientHello
	ECHConfig Label = "ECH_CONFIG" // the configuration that it was encrypted for

	PreMasterByRandom    Label = "PMS_CLIENT_RANDOM" // pre_master_secret, by client_random
	PreMasterByEncrypted Label = "RSA"               // the same, by 8 bytes of its encryption
	MasterBySession      Label = "RSA Session-ID"    // master_secret, by session ID
)

// A Line is one secret. It shares its slices with the Log that it came from: do not write to them.
type Line struct {
	Label  Label
	ID     []byte // client_random, 32 bytes, except for the last two labels
	Secret []byte
}

// String returns label, ID and the length of the secret.
func (l Line) String() string {
	return fmt.Sprintf("%s %x (%d bytes)", l.Label, l.ID, len(l.Secret))
}

// Format prints what String returns, whatever the verb.
func (l Line) Format(f fmt.State, _ rune) { io.WriteString(f, l.String()) }

// MarshalText returns what Format prints.
func (l Line) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Append appends the line in the form of the file, with a line feed, in lower-case hex with single
// spaces. See RFC 9850 §2.
func (l Line) Append(dst []byte) []byte {
	if l.Label == MasterBySession {
		return fmt.Appendf(dst, "RSA Session-ID:%x Master-Key:%x\n", l.ID, l.Secret)
	}
	return fmt.Appendf(dst, "%s %x %x\n", l.Label, l.ID, l.Secret)
}
