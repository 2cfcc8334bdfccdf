package explain

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// The commands of TLS 1.3. See RFC 8446 §7.

// names13 are the names of events of HKDF and HMAC that a command may show. Other names are an
// application's or a file's.
var names13 = map[string]bool{
	"early_secret": true, "binder_key": true, "psk_binder": true, "finished_key": true,
	"client_early_traffic_secret": true, "early_exporter_secret": true, "derived_secret": true,
	"handshake_secret": true, "client_handshake_traffic_secret": true,
	"server_handshake_traffic_secret": true, "main_secret": true,
	"client_application_traffic_secret": true, "server_application_traffic_secret": true,
	"exporter_secret": true, "resumption_secret": true, "resumption_psk": true,
	"client_early_write_key": true, "client_early_write_iv": true,
	"client_handshake_write_key": true, "client_handshake_write_iv": true,
	"server_handshake_write_key": true, "server_handshake_write_iv": true,
	"client_application_write_key": true, "client_application_write_iv": true,
	"server_application_write_key": true, "server_application_write_iv": true,
	"client_verify_data": true, "server_verify_data": true,
	"exporter_label_secret": true, "exporter": true,
}

// hello reads from a hello what commands need before the rest is negotiated: the suite of TLS 1.3.
func (v *notes) hello(raw []byte) {
	parsed, err := message.Dialect{Version: iana.TLS13}.Parse(raw)
	if err != nil {
		return
	}
	m, ok := parsed.(*message.ServerHello)
	if !ok || !chooses13(m) {
		return
	}
	v.agreed = trace.Agreed{Version: iana.TLS13, Suite: m.CipherSuite}
	v.suite = suite.ByID13(m.CipherSuite)
}

// derived13 returns the commands for a step of the key schedule, and for the transcript hash that
// it takes.
func (v *notes) derived13(d *trace.Derived) []Command {
	digest := digests[d.Hash]
	if digest == "" || len(d.Secret) == 0 || len(d.Output) == 0 ||
		len(d.Label)+len(d.Seed) > maxSeed {
		return nil
	}
	name := d.Name
	if !names13[name] {
		name = "output"
	}
	switch d.Function {
	case "HKDF-Extract":
		return []Command{hkdf(name, digest, d.Output, "mode:EXTRACT_ONLY",
			"hexkey:"+hexOf(d.Secret), "hexsalt:"+hexOf(d.Salt))}
	case "HKDF-Expand-Label":
		expand := hkdf(name, digest, d.Output, "mode:EXPAND_ONLY", "hexkey:"+hexOf(d.Secret),
			"hexinfo:"+hexOf(d.Seed))
		context, _ := contextOf(&derivation{Derived: *d})
		return append(v.transcriptHash(d.Hash, context), expand)
	case "HMAC":
		mac := "openssl mac -digest " + digest + " -macopt hexkey:" + hexOf(d.Secret) +
			" -binary HMAC"
		return append(v.transcriptHash(d.Hash, d.Seed),
			openssl(name, pipe(feed(d.Seed), mac, toHex), d.Output))
	}
	return nil
}

// hkdf returns the command for one half of HKDF. See RFC 5869 §2.
func hkdf(name, digest string, output []byte, options ...string) Command {
	text := fmt.Sprintf("openssl kdf -keylen %d -kdfopt digest:%s", len(output), digest)
	for _, o := range options {
		text += " -kdfopt " + o
	}
	return openssl(name, pipe(text+" -binary HKDF", toHex), output)
}

// transcriptHash returns the command for a hash of the transcript, or nil if no part of it has this
// hash.
func (v *notes) transcriptHash(hash string, sum []byte) []Command {
	h, ok := scheduleHashes[hash]
	if !ok || len(sum) != h.Size() {
		return nil
	}
	t := newTranscript13(h)
	dgst := "openssl dgst -" + strings.ToLower(digests[hash]) + " -binary"
	found := func(raw []byte) []Command {
		return []Command{openssl(transcriptHash, pipe(feed(raw), dgst, toHex), sum)}
	}
	for _, m := range v.messages {
		if !transcribed(m) {
			continue
		}
		if raw := t.upToBinders(m); raw != nil && bytes.Equal(t.sum(raw), sum) {
			return found(raw)
		}
		if t.add(m); bytes.Equal(t.running.Sum(nil), sum) {
			return found(t.raw)
		}
	}
	return nil
}

// signedHash returns the command for the transcript hash that ends what TLS 1.3 signs. See RFC 8446
// §4.4.3.
func (v *notes) signedHash(signed []byte) []Command {
	if !protocolOf(v.agreed.Version).signsHash || v.suite == nil ||
		len(signed) < v.suite.PRF.Size() {
		return nil
	}
	return v.transcriptHash(v.suite.PRF.String(), signed[len(signed)-v.suite.PRF.Size():])
}

// sharedSecret13 returns the commands for the shared secret of TLS 1.3. See RFC 8446 §7.4.
func (v *notes) sharedSecret13(s *trace.SharedSecret) []Command {
	const name = "shared secret"
	e := v.ephemeral
	if e == nil || len(e.Private) == 0 || len(e.Peer) == 0 || len(s.Output) == 0 {
		return nil
	}
	if h, ok := hybridKeys[e.Group]; ok {
		return v.hybrid(h, e, s.Output)
	}
	if c, ok := curveKeys[e.Group]; ok {
		return []Command{openssl(name, agreeOn(c, e.Private, e.Peer), s.Output)}
	}
	p := primeOf(e.Group)
	if p == nil {
		return nil
	}
	return []Command{python(name, fmt.Sprintf(`print(format(pow(0x%s, 0x%s, 0x%s), "0%dx"))`,
		hexOf(e.Peer), hexOf(e.Private), hexOf(p), 2*len(p)), s.Output)}
}

// record13 returns the commands that compute the nonce of a record, decrypt it and recompute its
// tag. See RFC 8446 §5.2 and §5.3.
func (v *notes) record13(r *trace.Record, k *trace.KeysInstalled) []Command {
	if len(r.Nonce) != 12 || len(k.IV) != 12 {
		return nil
	}
	inner := *r
	inner.Plaintext = innerPlaintext(r)
	nonce := python("nonce", fmt.Sprintf(`print(format(0x%s ^ %d, "024x"))`, hexOf(k.IV), r.SeqNum),
		r.Nonce)
	var commands []Command
	switch c := v.suite.Cipher; {
	case c == record.CHACHA20_POLY1305:
		commands = chacha20Poly1305(&inner, k.Key)
	case strings.Contains(c.Name, "CCM"):
		commands = ccm(ciphers[c], &inner, k.Key)
	default:
		commands = gcm(ciphers[c], &inner, k.Key)
	}
	commands[0].Name = "content + type + padding"
	return append([]Command{nonce}, commands...)
}

// innerPlaintext returns the TLSInnerPlaintext of a record: content, type and zeros. See RFC 8446
// §5.2.
func innerPlaintext(r *trace.Record) []byte {
	inner := concat(r.Plaintext, []byte{byte(r.ContentType)})
	return concat(inner, make([]byte, max(0, len(r.Ciphertext)-len(inner))))
}
