package handshake

import (
	"crypto/subtle"
	"io"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/trace"
)

// Post-handshake authentication: a server of TLS 1.3 requests a certificate after the handshake, if
// the client offered it. See RFC 8446 §4.6.2.

const lateRef = "RFC 8446 §4.6.2"

// mayAsk returns an error unless a server may ask for a certificate now.
func (m *Machine) mayAsk() error {
	switch {
	case m.late.after == nil:
		return alert.KindOrder.Fail(alert.UnexpectedMessage, lateRef,
			"a certificate_request after the handshake, without post_handshake_auth")
	case m.player.proved() != nil && m.player.proved().PSKIdentity != nil:
		return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 9846 §4.4.2",
			"a certificate_request after a handshake with an external pre-shared key")
	case m.Agreed.ALPN == "h2":
		return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 9113 §9.2.3",
			"a certificate_request after the handshake, which HTTP/2 forbids")
	}
	return nil
}

// lateScore returns a Score for the messages of one authentication, which begins with a request.
func (m *Machine) lateScore(raw []byte, r *message.CertificateRequest) *Score {
	s := &Score{Agreed: m.Agreed, CertificateRequest: r,
		transcript: transcript{running: clone(m.late.after), sealed: true}}
	s.transcript.add(raw)
	return s
}

// lateVerifyData returns the verify_data of a client's Finished, which is made with the traffic
// secret of its application data. See RFC 8446 §4.4.
func (m *Machine) lateVerifyData(s *Score) []byte {
	t, ok := m.secrets.(interface {
		dataVerifyData(iana.Side, *transcript) []byte
	})
	if !ok {
		return nil
	}
	return t.dataVerifyData(iana.Client, &s.transcript)
}

// A client

// TakeRequest processes a CertificateRequest that a client received, once Done. It returns a
// *Pending if the answer waits for something slow: call GoOn then. LateAnswer has the answer.
func (m *Machine) TakeRequest(raw []byte) error {
	if err := m.mayAsk(); err != nil {
		return err
	}
	parsed, err := m.dialect().Parse(raw)
	if err != nil {
		return alert.Malformed(lateRef, err)
	}
	m.log.Message(iana.Server, iana.CertificateRequest, raw, lateRef)
	r := parsed.(*message.CertificateRequest)
	if err := negotiation.AcceptableRequest(r); err != nil {
		return err
	}
	ours := m.player.(*client)
	c := &client{live: live{Config: ours.Config}}
	c.part = client13{c}
	ours.late = &lateAnswer{client: c, score: m.lateScore(raw, r)}
	return m.GoOn()
}

// GoOn continues a post-handshake authentication after a *Pending. Without one it does nothing.
func (m *Machine) GoOn() error {
	ours, ok := m.player.(*client)
	if !ok || ours.late == nil {
		return nil
	}
	a := ours.late
	r := a.score.CertificateRequest
	if !a.haveChoice {
		if err := a.client.chooseCredential(pki.Request{Schemes: r.Schemes,
			CertSchemes: r.CertSchemes,
			Authorities: r.Authorities, TLS13: true,
			CertType: m.Agreed.CertificateTypes[iana.Client]}, iana.TLS13, lateRef); err != nil {
			return err
		}
		a.haveChoice = true
	}
	for len(a.raw) == 0 || len(a.raw) == 1 && a.client.certChoice.Credential != nil {
		kind := Kind(iana.Certificate)
		if len(a.raw) == 1 {
			kind = Kind(iana.CertificateVerify)
		}
		msg, err := a.client.compose(kind, a.score)
		if err != nil {
			return err
		}
		raw, err := m.dialect().Encode(msg)
		if err != nil {
			return err
		}
		a.score.transcript.add(raw)
		a.raw = append(a.raw, raw)
	}
	return nil
}

// LateAnswer is a client's answer to a CertificateRequest: the messages before its Finished, and
// what the Finished is computed from.
type LateAnswer struct {
	Messages [][]byte
	Shown    *pki.Credential // nil: none
	score    *Score
}

// LateAnswer returns the answer when it is complete, or nil. It returns an answer only once.
func (m *Machine) LateAnswer() *LateAnswer {
	ours, ok := m.player.(*client)
	if !ok || ours.late == nil {
		return nil
	}
	a := ours.late
	ours.late = nil
	return &LateAnswer{a.raw, a.client.certChoice.Credential, a.score}
}

// LateFinished returns the Finished of an answer, made with the client's current traffic secret.
// The answer's messages reach the trace here, in the order in which messages are sealed.
func (m *Machine) LateFinished(a *LateAnswer) ([]byte, error) {
	for _, raw := range a.Messages {
		m.log.Message(iana.Client, iana.HandshakeType(raw[0]), raw, lateRef)
	}
	raw, err := m.dialect().Encode(&message.Finished{VerifyData: m.lateVerifyData(a.score)})
	if err == nil {
		m.log.Message(iana.Client, iana.Finished, raw, lateRef)
	}
	return raw, err
}

// A server

// RequestCertificate returns a CertificateRequest for a client whose handshake is done, and expects
// the answer, to which auth applies. It returns an error if the client did not offer it, if HTTP/2
// forbids it, or if another request is not answered yet.
func (m *Machine) RequestCertificate(auth negotiation.ClientAuth) ([]byte, error) {
	v, ok := m.player.(*server)
	if !ok {
		return nil, alert.Fail(alert.InternalError, lateRef, "a client requests no certificate")
	}
	if err := m.mayAsk(); err != nil {
		return nil, err
	}
	context := make([]byte, 32)
	if _, err := io.ReadFull(v.Rand, context); err != nil {
		return nil, err
	}
	r, err := v.request13(context)
	if err != nil {
		return nil, err
	}
	raw, err := m.dialect().Encode(r)
	if err != nil {
		return nil, err
	}
	if !m.late.context.set(lateRequest{context, raw, auth}) {
		return nil, alert.Fail(alert.InternalError, lateRef,
			"the client has not answered the last request for a certificate")
	}
	m.log.Message(iana.Server, iana.CertificateRequest, raw, lateRef)
	return raw, nil
}

// Proving reports whether a client's answer has begun and is not complete: nothing else may arrive
// between its messages.
func (m *Machine) Proving() bool {
	v, ok := m.player.(*server)
	return ok && v.late != nil
}

// TakeProof processes a message of a client's answer. After the last message it returns the
// authenticated peer.
func (m *Machine) TakeProof(raw []byte) (*Peer, error) {
	v, ok := m.player.(*server)
	// before anything of it is read or expanded
	if !ok || v.late == nil && !m.late.context.waits() {
		return nil, alert.KindOrder.Fail(alert.UnexpectedMessage, lateRef,
			"got the client's %v after the handshake, without a certificate_request",
			iana.HandshakeType(raw[0]))
	}
	parsed, err := m.dialectOf(iana.Client).Parse(raw)
	if err != nil {
		return nil, alert.Malformed(lateRef, err)
	}
	m.log.Message(iana.Client, parsed.Type(), raw, lateRef)
	p := v.late
	switch msg := parsed.(type) {
	case *message.Certificate, *message.CompressedCertificate:
		if p == nil {
			return nil, m.beginProof(v, raw, msg)
		}
	case *message.CertificateVerify:
		if p != nil && p.server.peer.Chain != nil && !p.server.peer.possessed {
			if err := p.server.verified13(iana.Client, msg, p.score); err != nil {
				return nil, err
			}
			p.score.transcript.add(raw)
			return nil, nil
		}
	case *message.Finished:
		if p != nil && (p.server.peer.Chain == nil || p.server.peer.possessed) {
			v.late = nil
			return m.endProof(p, msg)
		}
	}
	return nil, alert.KindOrder.Fail(alert.UnexpectedMessage, lateRef,
		"got the client's %v, which is not the next message of an answer to a certificate_request",
		parsed.Type())
}

// beginProof checks the Certificate of an answer.
func (m *Machine) beginProof(ours *server, raw []byte, msg message.Message) error {
	config := *ours.Config
	v := newServer(&config)
	cert, plain := msg.(*message.Certificate)
	if !plain {
		var err error
		if cert, err = v.expand(iana.Client, msg.(*message.CompressedCertificate)); err != nil {
			return err
		}
	}
	request := m.late.context.take()
	config.ClientAuth = request.auth
	if err := v.certificate13(cert, m.Agreed, request.context); err != nil {
		return err
	}
	p := &lateProof{server: v, score: m.lateScore(request.raw, nil)}
	p.score.transcript.add(raw)
	ours.late = p
	return nil
}

// endProof compares the Finished of an answer.
func (m *Machine) endProof(p *lateProof, f *message.Finished) (*Peer, error) {
	if err := m.compareLate(p.score, f); err != nil {
		return nil, err
	}
	return &p.server.peer, nil
}

// compareLate compares the Finished that ends an authentication.
func (m *Machine) compareLate(s *Score, f *message.Finished) error {
	if subtle.ConstantTimeCompare(f.VerifyData, m.lateVerifyData(s)) != 1 {
		return alert.KindFinished.Fail(alert.DecryptError, "RFC 8446 §4.4.4",
			"the client's verify_data does not match the messages of its answer")
	}
	m.log.Verified(trace.Verified{What: "finished", From: iana.Client}, lateRef)
	return nil
}
