package handshake

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/trace"
)

// Raw public keys of a peer: RFC 7250.

// authenticate checks a peer's certificates or raw public key as the configuration requires, and
// stores them as the first half of the proof. raw must not be empty.
func (l *live) authenticate(from iana.Side, raw [][]byte, a *negotiation.Agreed,
	verify bool) error {
	if a.CertificateTypes[from] == iana.RawPublicKey {
		return l.authenticateKey(from, raw[0], verify)
	}
	return l.authenticateChain(from, raw, verify)
}

// authenticateKey calls the program's VerifyRawKey: nothing else can authenticate a raw public key.
// Without that function a key is accepted only where any certificate would be. See RFC 7250 §6.
func (l *live) authenticateKey(from iana.Side, spki []byte, verify bool) error {
	chain, err := l.readKey(spki)
	if err != nil {
		return err
	}
	peer := Peer{Chain: chain}
	if peer.keyAccepted, err = l.acceptKey(chain, verify); err != nil {
		return err
	}
	l.peer = peer
	if peer.keyAccepted {
		l.Log.Verified(trace.Verified{What: "raw public key", From: from,
			Detail: chain.Subject()}, "RFC 7250 §6")
	}
	return nil
}

// readKey parses a peer's raw public key.
func (l *live) readKey(spki []byte) (*pki.Chain, error) {
	chain, err := pki.ReadRawKey(spki)
	if err == nil && !l.Skip {
		err = chain.Sound()
	}
	return chain, err
}

// acceptKey reports whether the program accepted the peer's raw public key. It returns an error if
// the program rejects it, or if verify is set and there is no VerifyRawKey.
func (l *live) acceptKey(key *pki.Chain, verify bool) (bool, error) {
	switch {
	case l.VerifyRawKey != nil:
		if err := l.VerifyRawKey(key.SPKI()); err != nil {
			return false, alert.Refused(alert.CertificateUnknown,
				"the peer's raw public key is not accepted", err)
		}
		return true, nil
	case verify:
		return false, alert.Fail(alert.CertificateUnknown, "RFC 7250 §6",
			"no pin or callback identifies the peer's raw public key")
	}
	return false, nil
}

// restoreRawKey is restorePeer for a session whose peer showed a raw public key.
func (l *live) restoreRawKey(from iana.Side, s *Session, identity []byte) error {
	chain, err := l.readKey(s.Chain[0])
	if err != nil {
		return err
	}
	peer := Peer{Chain: chain, PSKIdentity: identity, possessed: true}
	peer.keyAccepted, err = l.acceptKey(chain,
		from == iana.Server && !l.Skip || from == iana.Client && l.ClientAuth.Verify)
	if err == nil {
		l.peer = peer
	}
	return err
}
