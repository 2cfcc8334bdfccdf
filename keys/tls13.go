package keys

import (
	"bytes"
	"math"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// The key schedule of RFC 8446 §7.1. Each type is a secret of the RFC's diagram, each method an
// arrow that leads down from it:
//
//	Early ─ Handshake(shared) → Handshake ─ Main() → Main ─ Resumption(…) → Resumption ─ PSK(nonce)
//
// The name of a parameter that is a transcript hash says which message it ends with.

// The labels of what both sides have, by side.
var (
	handshakeTraffic = [2]label{
		{"client_handshake_traffic_secret", "c hs traffic", schedule},
		{"server_handshake_traffic_secret", "s hs traffic", schedule},
	}
	applicationTraffic = [2]label{
		{"client_application_traffic_secret", "c ap traffic", schedule},
		{"server_application_traffic_secret", "s ap traffic", schedule},
	}
	updatedTraffic = [2]label{
		{"client_application_traffic_secret", "traffic upd", "RFC 8446 §7.2"},
		{"server_application_traffic_secret", "traffic upd", "RFC 8446 §7.2"},
	}
	// RFC 8446 §7.3 calls them all [sender]_write_key and [sender]_write_iv.
	writeKey = [...][2]label{
		EarlyData: {{"client_early_write_key", "key", "RFC 8446 §7.3"}},
		HandshakeMessages: {{"client_handshake_write_key", "key", "RFC 8446 §7.3"},
			{"server_handshake_write_key", "key", "RFC 8446 §7.3"}},
		ApplicationData: {{"client_application_write_key", "key", "RFC 8446 §7.3"},
			{"server_application_write_key", "key", "RFC 8446 §7.3"}},
	}
	writeIV = [...][2]label{
		EarlyData: {{"client_early_write_iv", "iv", "RFC 8446 §7.3"}},
		HandshakeMessages: {{"client_handshake_write_iv", "iv", "RFC 8446 §7.3"},
			{"server_handshake_write_iv", "iv", "RFC 8446 §7.3"}},
		ApplicationData: {{"client_application_write_iv", "iv", "RFC 8446 §7.3"},
			{"server_application_write_iv", "iv", "RFC 8446 §7.3"}},
	}
	verifyDataNames = [2]string{"client_verify_data", "server_verify_data"}
)

// Protected says what the keys of a traffic secret protect. See RFC 8446 §7.3.
type Protected uint8

// What traffic secrets protect.
const (
	EarlyData         Protected = iota // a client's, before the server has answered
	HandshakeMessages                  // from EncryptedExtensions to the sender's Finished
	ApplicationData                    // and all that follows the sender's Finished
)

// Early is the Early Secret, which depends on the pre-shared key alone.
type Early struct{ stage }

// Early is the arrow PSK → HKDF-Extract = Early Secret. A nil psk stands for zeros: there is no
// pre-shared key.
func (k HKDF) Early(psk []byte) Early { return Early{k.extract("early_secret", nil, psk)} }

// PSKKind says where a pre-shared key comes from, and so which label its binder has.
type PSKKind string

// The kinds of pre-shared key. See RFC 8446 §7.1 and RFC 9258 §5.2.
const (
	ResumptionPSK PSKKind = "res"
	ExternalPSK   PSKKind = "ext"
	ImportedPSK   PSKKind = "imp"
)

// Binder is the arrow Early → Derive-Secret(., "ext binder" | "res binder", "") = binder_key.
func (e Early) Binder(kind PSKKind) Binder {
	return Binder{e.derive(label{"binder_key", string(kind) + " binder", schedule}, e.hkdf.empty())}
}

// ClientTraffic is the arrow Early → Derive-Secret(., "c e traffic", ClientHello) =
// client_early_traffic_secret.
func (e Early) ClientTraffic(toClientHello []byte) Traffic {
	l := label{"client_early_traffic_secret", "c e traffic", schedule}
	return Traffic{e.derive(l, toClientHello), iana.Client, EarlyData}
}

// Exporter is the arrow Early → Derive-Secret(., "e exp master", ClientHello) =
// early_exporter_secret.
func (e Early) Exporter(toClientHello []byte) Exporter {
	return Exporter{e.derive(label{"early_exporter_secret", "e exp master", schedule},
		toClientHello)}
}

// Handshake is the arrow Derive-Secret(Early, "derived", ""), (EC)DHE → HKDF-Extract = Handshake
// Secret. A nil shared secret stands for zeros: psk_ke has no (EC)DHE.
func (e Early) Handshake(shared []byte) Handshake {
	return Handshake{e.next("handshake_secret", shared)}
}

// Binder is the binder_key of a pre-shared key.
type Binder struct{ stage }

// VerifyData returns the PskBinderEntry over the hash of the transcript up to and including the
// identities of the ClientHello. Compare it in constant time. See RFC 8446 §4.2.11.2.
func (b Binder) VerifyData(toIdentities []byte) []byte {
	return b.finished("psk_binder", toIdentities)
}

// Handshake is the Handshake Secret.
type Handshake struct{ stage }

// Traffic is the arrow Handshake → Derive-Secret(., "c hs traffic" | "s hs traffic",
// ClientHello...ServerHello) = client_handshake_traffic_secret | server_handshake_traffic_secret.
func (h Handshake) Traffic(from iana.Side, toServerHello []byte) Traffic {
	return Traffic{h.derive(handshakeTraffic[from], toServerHello), from, HandshakeMessages}
}

// Main is the arrow Derive-Secret(Handshake, "derived", ""), 0 → HKDF-Extract = Main Secret.
func (h Handshake) Main() Main { return Main{h.next("main_secret", nil)} }

// Main is the Main Secret, which RFC 8446 calls the Master Secret.
type Main struct{ stage }

// Traffic is the arrow Main → Derive-Secret(., "c ap traffic" | "s ap traffic",
// ClientHello...server Finished) = client_application_traffic_secret_0 |
// server_application_traffic_secret_0.
func (m Main) Traffic(from iana.Side, toServerFinished []byte) Traffic {
	return Traffic{m.derive(applicationTraffic[from], toServerFinished), from, ApplicationData}
}

// Exporter is the arrow Main → Derive-Secret(., "exp master", ClientHello...server Finished) =
// exporter_secret.
func (m Main) Exporter(toServerFinished []byte) Exporter {
	return Exporter{m.derive(label{"exporter_secret", "exp master", schedule}, toServerFinished)}
}

// Resumption is the arrow Main → Derive-Secret(., "res master", ClientHello...client Finished) =
// resumption_secret.
func (m Main) Resumption(toClientFinished []byte) Resumption {
	return Resumption{m.derive(label{"resumption_secret", "res master", schedule},
		toClientFinished)}
}

// Resumption is the secret that the pre-shared keys of all tickets come from.
type Resumption struct{ stage }

// PSK is the arrow HKDF-Expand-Label(resumption_secret, "resumption", ticket_nonce, Hash.length) =
// PSK. See RFC 8446 §4.6.1.
func (r Resumption) PSK(nonce []byte) []byte {
	return r.expand(label{"resumption_psk", "resumption", "RFC 8446 §4.6.1"}, nonce,
		r.hkdf.Hash.Size())
}

// Exporter is an exporter_secret, early or not.
type Exporter struct{ stage }

// Export returns n bytes of keying material for an application, bound to the label and to the
// context, of which absent and empty are the same. It fails with internal_error for a label of more
// than 249 bytes and an n outside 0 to 255 hashes. See RFC 8446 §7.5.
func (e Exporter) Export(name string, context []byte, n int) ([]byte, error) {
	const ref = "RFC 8446 §7.5"
	if most := min(255*e.hkdf.Hash.Size(), math.MaxUint16); n < 0 || n > most {
		return nil, alert.Fail(alert.InternalError, ref,
			"got a length of %d bytes, expected 0 to %d", n, most)
	}
	if len(name) > 249 {
		return nil, alert.Fail(alert.InternalError, ref,
			"got a label of %d bytes, expected at most 249", len(name))
	}
	h := e.hkdf.new()
	h.Write(context)
	under := e.derive(label{"exporter_label_secret", name, ref}, e.hkdf.empty())
	return under.expand(label{"exporter", "exporter", ref}, h.Sum(nil), n), nil
}

// Traffic is a traffic secret, from which the keys for what one side sends follow, for a part of
// the connection.
type Traffic struct {
	stage
	from iana.Side
	what Protected
}

// Direction is the arrows traffic_secret → HKDF-Expand-Label(., "key", "", key_length) =
// [sender]_write_key and HKDF-Expand-Label(., "iv", "", iv_length) = [sender]_write_iv. There is no
// MAC key. See RFC 8446 §7.3.
func (t Traffic) Direction(s Shape) Direction {
	m := t.mac()
	defer m.free(t.hkdf.Hash)
	return Direction{
		Key: t.expandBy(m, writeKey[t.what][t.from], nil, s.Key),
		IV:  t.expandBy(m, writeIV[t.what][t.from], nil, s.IV),
	}
}

// VerifyData returns what the Finished of t's sender proves, over the hash of the transcript before
// it. It is as long as the hash. Compare it in constant time. See RFC 8446 §4.4.4.
func (t Traffic) VerifyData(transcriptHash []byte) []byte {
	return t.finished(verifyDataNames[t.from], transcriptHash)
}

// Update is the arrow HKDF-Expand-Label(application_traffic_secret_N, "traffic upd", "",
// Hash.length) = application_traffic_secret_N+1. See RFC 8446 §7.2.
func (t Traffic) Update() Traffic {
	return Traffic{t.derive(updatedTraffic[t.from], nil), t.from, t.what}
}

// Traffic returns the traffic secret of what from sends, derived elsewhere, as in a key log. It
// fails with internal_error if the secret is not as long as the hash's output.
func (k HKDF) Traffic(what Protected, from iana.Side, secret []byte) (Traffic, error) {
	if len(secret) != k.Hash.Size() {
		return Traffic{}, alert.Fail(alert.InternalError, schedule,
			"got a traffic secret of %d bytes, expected %d", len(secret), k.Hash.Size())
	}
	return Traffic{k.stage(bytes.Clone(secret)), from, what}, nil
}

// Resumption returns a resumption_secret that was derived elsewhere, in a connection that another
// one resumes. It fails with internal_error if the secret is not as long as the hash's output.
func (k HKDF) Resumption(secret []byte) (Resumption, error) {
	if len(secret) != k.Hash.Size() {
		return Resumption{}, alert.Fail(alert.InternalError, schedule,
			"got a resumption_secret of %d bytes, expected %d", len(secret), k.Hash.Size())
	}
	return Resumption{k.stage(bytes.Clone(secret))}, nil
}
