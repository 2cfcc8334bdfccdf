package handshake

import (
	"bytes"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// An observer of post-handshake authentication: see RFC 8446 §4.6.2.

// maxWatched bounds the requests that an observer keeps until they are answered.
const maxWatched = 4

func (*observer) allowsLate() bool { return true }

// afterRefs are the sections of what may follow the handshake of TLS 1.3.
var afterRefs = map[iana.HandshakeType]string{iana.NewSessionTicket: "RFC 8446 §4.6.1",
	iana.KeyUpdate: "RFC 8446 §4.6.3"}

// AwaitsRequest reports whether a message of a client begins an answer to a request that an
// observer has not received yet: the other direction may be behind.
func (m *Machine) AwaitsRequest(raw []byte) bool {
	return m.done && m.late.after != nil && KindOf(raw) == Kind(iana.Certificate) &&
		len(m.player.(*observer).late.requests) == 0
}

// Overhear processes a message that an observer of TLS 1.3 receives after the handshake. It
// compares the Finished of a client that authenticates, if nothing before it is missing.
func (m *Machine) Overhear(from iana.Side, raw []byte) error {
	kind := iana.HandshakeType(raw[0])
	ref := afterRefs[kind]
	if ref == "" {
		ref = lateRef
	}
	m.log.Message(from, kind, raw, ref)
	if m.late.after == nil {
		return nil
	}
	parsed, err := m.dialectOf(from).Parse(raw)
	if err != nil {
		return nil // what an observer can do without is no reason to stop
	}
	w := &m.player.(*observer).late
	switch msg := parsed.(type) {
	case *message.CertificateRequest:
		if from == iana.Server {
			w.requests = append(w.requests,
				watchedRequest{bytes.Clone(msg.Context), m.lateScore(raw, nil)})
			w.requests = w.requests[max(0, len(w.requests)-maxWatched):]
		}
	case *message.Certificate:
		m.overhearAnswer(from, msg, raw)
	case *message.CompressedCertificate:
		m.overhearAnswer(from, msg.Certificate(), raw)
	case *message.CertificateVerify:
		if w.answer != nil && from == iana.Client {
			w.answer.transcript.add(raw)
		}
	case *message.Finished:
		p := w.answer
		if p == nil || from != iana.Client || m.KeysOf(from, Application) == nil {
			return nil
		}
		w.answer = nil
		return m.compareLate(p, msg)
	}
	return nil
}

// overhearAnswer begins the transcript of an answer, if its request was received. A nil cert could
// not be expanded, so that its context is unknown.
func (m *Machine) overhearAnswer(from iana.Side, cert *message.Certificate, raw []byte) {
	w := &m.player.(*observer).late
	w.answer = nil
	if from != iana.Client || cert == nil {
		return
	}
	i := slices.IndexFunc(w.requests,
		func(r watchedRequest) bool { return bytes.Equal(r.context, cert.Context) })
	if i < 0 {
		return
	}
	w.answer = w.requests[i].score
	w.answer.transcript.add(raw)
	w.requests = slices.Delete(w.requests, i, i+1)
}
