package explain

import (
	"bytes"
	"cmp"
	"crypto"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
)

// readTranscript cuts the transcript into messages and finds its points.
func (d *Derivation13) readTranscript() error {
	const field = "transcript"
	g, t := &d.Given, &d.messages
	t.sent = map[string][]byte{}
	for at := 0; at < len(g.Transcript); {
		rest := g.Transcript[at:]
		if len(rest) < message.HeaderLen || message.Length(rest) > len(rest) {
			return misfit(field, "byte %d: the message that begins here is longer than the %s left",
				at, octets(len(rest)))
		}
		m := message13{kind: iana.HandshakeType(rest[0]), raw: rest[:message.Length(rest)]}
		if len(t.list) == 0 && m.kind != iana.ClientHello && m.kind != iana.MessageHash {
			return misfit(field, "it begins with %v, expected client_hello: give handshake "+
				"messages "+
				"with their 4-byte headers, and without those of records", m.kind)
		}
		at += len(m.raw)
		if err := d.take(m); err != nil {
			return misfit(field, "byte %d: %v", at-len(m.raw), err)
		}
	}
	if len(t.list) == 0 {
		return misfit(field, "is empty")
	}
	return nil
}

// take adds a message to the transcript. What comes after the handshake is not part of it.
func (d *Derivation13) take(m message13) error {
	t := &d.messages
	n := len(t.list)
	switch {
	case m.kind == iana.NewSessionTicket:
		return d.ticket(m.raw)
	case m.kind == iana.KeyUpdate:
		return nil
	case t.at[ToServerFinished] > 0:
		m.from = iana.Client
	case m.kind != iana.ClientHello:
		m.from = iana.Server
	}
	t.list = append(t.list, m)
	switch m.kind {
	case iana.MessageHash:
		t.retried = true
	case iana.ClientHello:
		return t.clientHello(m.raw)
	case iana.ServerHello:
		return d.serverHello(m.raw)
	case iana.Finished:
		before, to, name := BeforeServerFinished, ToServerFinished, "server_verify_data"
		if m.from == iana.Client {
			before, to, name = BeforeClientFinished, ToClientFinished, "client_verify_data"
		}
		t.at[before], t.at[to] = n, n+1
		t.sent[name] = m.raw[message.HeaderLen:]
	}
	return nil
}

// ticket takes the nonce of a NewSessionTicket.
func (d *Derivation13) ticket(raw []byte) error {
	parsed, err := message.Dialect{Version: iana.TLS13}.Parse(raw)
	if err != nil {
		return err
	}
	if x, ok := parsed.(*message.NewSessionTicket); ok && d.Given.Nonce == nil {
		d.Given.Nonce = append([]byte{}, x.Nonce...)
	}
	return nil
}

func (t *messages13) clientHello(raw []byte) error {
	parsed, err := message.Dialect{Version: iana.TLS12}.Parse(raw)
	if err != nil {
		return err
	}
	hello := parsed.(*message.ClientHello)
	if len(t.list) == 1 {
		t.at[ToClientHello] = 1
	}
	t.at[ToIdentities] = 0
	var offered message.OfferedPSKs
	if ok, err := hello.Extensions.Read(iana.ExtPreSharedKey, &offered); ok && err == nil {
		binders := 2
		for _, b := range offered.Binders {
			binders += 1 + len(b)
		}
		t.trunc = raw[:len(raw)-binders]
		t.at[ToIdentities] = len(t.list)
		t.sent["psk_binder"] = offered.Binders[0]
	}
	var shares message.KeyShares
	t.shares[iana.Client] = nil
	if ok, err := hello.Extensions.Read(iana.ExtKeyShare, &shares); ok && err == nil {
		t.offered = shares.Shares
	}
	return nil
}

func (d *Derivation13) serverHello(raw []byte) error {
	g, t := &d.Given, &d.messages
	if message.IsHelloRetryRequest(raw) {
		t.retried = true
		t.at[ToClientHello] = 0 // there is no early data, then
		return nil
	}
	parsed, err := message.Dialect{Version: iana.TLS12}.Parse(raw)
	if err != nil {
		return err
	}
	hello := parsed.(*message.ServerHello)
	t.at[ToServerHello] = len(t.list)
	if g.Suite != nil && g.Suite.ID != hello.CipherSuite {
		return misfit("suite", "got %v, but the server's hello chose %v", g.Suite,
			hello.CipherSuite)
	}
	if g.Suite = suite.ByID13(hello.CipherSuite); g.Suite == nil {
		return misfit("suite", "the server chose %v, which is none of TLS 1.3", hello.CipherSuite)
	}
	t.psk = hello.Extensions.Has(iana.ExtPreSharedKey)
	var share message.KeyShare
	if ok, err := hello.Extensions.Read(iana.ExtKeyShare, &share); ok && err == nil {
		t.group, t.shares[iana.Server] = share.Group, share.KeyExchange
		i := slices.IndexFunc(t.offered,
			func(s message.KeyShareEntry) bool { return s.Group == share.Group })
		if i >= 0 {
			t.shares[iana.Client] = t.offered[i].KeyExchange
		}
	}
	return nil
}

// pskAlone reports whether the handshake is known to exchange no keys: psk_ke.
func (t *messages13) pskAlone() bool {
	return t.at[ToServerHello] > 0 && t.psk && t.shares[iana.Server] == nil
}

// hashAt returns the hash of the transcript at a point under a method, or nil if it is not known.
func (d *Derivation13) hashAt(h crypto.Hash, p Point, m method) []byte {
	t := &d.messages
	if given := d.Given.Hashes[p]; given != nil {
		return given
	}
	n := t.at[p]
	if n == 0 {
		return nil
	}
	if p == ToIdentities {
		return digestOf(h, append(t.bytes(h, n-1, m), m.truncated(t)...))
	}
	if other, ok := m.cut[p]; ok {
		n = other
	}
	if m.raw {
		return t.bytes(h, n, m)
	}
	sum := digestOf(h, t.bytes(h, n, m))
	if m.text {
		return []byte(spelt(sum, m.upper))
	}
	return sum
}

// bytes returns what the hash of the first n messages is over: behind a HelloRetryRequest, the
// first ClientHello is replaced by its hash. See RFC 8446 §4.4.1.
func (t *messages13) bytes(h crypto.Hash, n int, m method) []byte {
	var all []byte
	first := 0
	if t.retried && t.list[0].kind == iana.ClientHello && n > 1 {
		switch m.retry {
		case retryHashed, retryRecord:
			hello := t.list[0].raw
			if m.retry == retryRecord {
				hello = inRecords(toldOf(t.list[:1]), iana.TLS10, false, nil)
			}
			sum := digestOf(cmp.Or(m.retrySum, h), hello)
			hashed := append([]byte{byte(iana.MessageHash), 0, 0, byte(len(sum))}, sum...)
			if m.tell != nil {
				list := toldOf(t.list[:n])
				list[0].kind, list[0].raw = iana.MessageHash, hashed
				return m.tell(list)
			}
			all, first = hashed, 1
		case retryBareHash:
			all, first = digestOf(h, t.list[0].raw), 1
		case retryForgotten:
			first = 2
		}
	}
	rest := t.list[min(first, n):n]
	if m.tell != nil {
		return append(all, m.tell(toldOf(rest))...)
	}
	for _, x := range rest {
		all = append(all, x.raw...)
	}
	return all
}

// truncated returns what a binder covers of the last ClientHello. See RFC 8446 §4.2.11.2.
func (m method) truncated(t *messages13) []byte {
	whole := t.list[t.at[ToIdentities]-1].raw
	switch m.binder {
	case binderWithLength:
		return whole[:len(t.trunc)+2]
	case binderWhole:
		return whole
	case binderZeros:
		return append(bytes.Clone(t.trunc), make([]byte, len(whole)-len(t.trunc))...)
	case binderResized:
		cut := bytes.Clone(t.trunc)
		n := len(cut) - message.HeaderLen
		cut[1], cut[2], cut[3] = byte(n>>16), byte(n>>8), byte(n)
		return cut
	}
	return t.trunc
}

// ends reports whether a side's Finished is what comes next. See RFC 8446 §4.4.
func (t *messages13) ends(from iana.Side) bool {
	last := t.list[len(t.list)-1].kind
	asked := slices.ContainsFunc(t.list,
		func(m message13) bool { return m.kind == iana.CertificateRequest })
	if from == iana.Server {
		return t.at[ToServerHello] > 0 && (last == iana.CertificateVerify ||
			t.psk && last == iana.EncryptedExtensions)
	}
	return t.at[ToServerFinished] > 0 && (last == iana.EndOfEarlyData ||
		last == iana.CertificateVerify || last == iana.Finished && !asked)
}

// ChoosesTLS13 reports whether the server's hello in a transcript chooses TLS 1.3. A transcript
// that
// cannot be read does not.
func ChoosesTLS13(transcript []byte) bool {
	for len(transcript) >= message.HeaderLen && message.Length(transcript) <= len(transcript) {
		raw := transcript[:message.Length(transcript)]
		transcript = transcript[len(raw):]
		if iana.HandshakeType(raw[0]) != iana.ServerHello {
			continue
		}
		parsed, err := message.Dialect{Version: iana.TLS12}.Parse(raw)
		if err != nil {
			return false
		}
		return chooses13(parsed.(*message.ServerHello))
	}
	return false
}
