package observe

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/pki"
)

// KeyLog finds secrets by client_random, by session ID, or by the encrypted pre_master_secret. Of
// TLS 1.3 it may have some of the secrets only. Master secrets without an ID are tried.
func KeyLog(log *keylog.Log) Source {
	return func(s *handshake.Score) []Candidate {
		list := protocolOf(s).logged(log, s)
		if list == nil && log.Counts().Encoding != "" { // it was read
			list = []Candidate{{From: fromLog, Reason: notLogged(log, s)}}
		}
		return list
	}
}

// notLogged returns why a key log that was read has no secret for a handshake.
func notLogged(log *keylog.Log, s *handshake.Score) *Reason {
	why := &Reason{Code: NoSecret, Needs: []Need{NeedKeyLog},
		Remedy: "the key log must be written while this connection is made, by one of its two " +
			"sides"}
	if a := s.Agreed; a != nil && a.Kex == iana.KexRSA {
		why.Remedy += "; the server's private key opens it, too"
		why.Needs = []Need{NeedKeyLog, NeedPrivateKey}
	}
	switch labels, placeholders := log.Labels(s.ClientHello.Random[:]); {
	case placeholders:
		why.Detail = "the key log has zeros in place of the secret for this client_random: the " +
			"program that wrote it does not give its secrets away"
		why.Remedy = "have the other side write one"
	case len(labels) > 0:
		why.Detail = fmt.Sprintf("the key log has %s for this client_random, and not what this "+
			"handshake needs", listed(labels))
	default:
		why.Detail = fmt.Sprintf("%s in the key log, none for this client_random",
			plural(log.Counts().Secrets, "usable line", "usable lines"))
	}
	return why
}

// listed returns labels as a list.
func listed(labels []keylog.Label) string {
	var names []string
	for _, l := range labels {
		names = append(names, string(l))
	}
	return strings.Join(names, ", ")
}

// Master returns a given master_secret.
func Master(secret []byte) Source {
	return named("master secret", func(s *handshake.Score) []Candidate {
		if protocolOf(s).epochs() { // which follow from several secrets
			return nil
		}
		return []Candidate{{Input: handshake.Input{Master: secret}, From: "master secret"}}
	})
}

// PreMaster returns a given pre_master_secret.
func PreMaster(secret []byte) Source {
	return named("pre-master secret", func(s *handshake.Score) []Candidate {
		if protocolOf(s).epochs() || s.Resumed {
			return nil
		}
		return []Candidate{{Input: handshake.Input{PreMaster: secret}, From: "pre-master secret"}}
	})
}

// RSAKey decrypts the pre_master_secret of an RSA key exchange with the server's private key. It is
// useless for an ephemeral exchange: that is forward secrecy.
func RSAKey(name string, key crypto.Decrypter) Source {
	return func(s *handshake.Score) []Candidate {
		pre, why := openRSA(s, key)
		if why != nil {
			return []Candidate{{From: name, Reason: why}}
		}
		if s.Agreed.Kex == iana.KexRSAPSK {
			return nil // it takes the pre-shared key, too: see PSK
		}
		return []Candidate{{Input: handshake.Input{PreMaster: pre}, From: name}}
	}
}

// openRSA decrypts the client's EncryptedPreMasterSecret.
func openRSA(s *handshake.Score, key crypto.Decrypter) ([]byte, *Reason) {
	switch {
	case s.Resumed:
		return nil, &Reason{Code: UnknownResumedSession}
	case protocolOf(s).epochs(), s.Agreed.Kex.Ephemeral(), s.Agreed.Kex == iana.KexDH,
		s.Agreed.Kex == iana.KexECDH:
		return nil, &Reason{Code: ForwardSecret}
	case s.ClientKeyExchange == nil || s.ClientKeyExchange.EncryptedPreMaster == nil:
		return nil, &Reason{Code: NoSecret}
	case !belongs(key, s):
		return nil, &Reason{Code: WrongPrivateKey}
	}
	pre, err := kex.OpenPreMaster(key, s.ClientKeyExchange.EncryptedPreMaster,
		s.ClientHello.Version)
	if pre == nil && err != nil {
		return nil, &Reason{Code: WrongPrivateKey}
	}
	return pre, nil // even with a wrong version, which some servers accept
}

// belongs reports whether a key may be that of the server's certificate. It returns false only if
// the certificate has another RSA key.
func belongs(key crypto.Decrypter, s *handshake.Score) bool {
	if s.Certificate[iana.Server] == nil || len(s.Certificate[iana.Server].Chain) == 0 {
		return true
	}
	chain, err := pki.ReadChain(s.Certificate[iana.Server].Chain[:1])
	if err != nil {
		return true
	}
	theirs, ok := chain.Leaf().PublicKey.(*rsa.PublicKey)
	ours, too := key.Public().(*rsa.PublicKey)
	return !ok || !too || theirs.Equal(ours)
}

// PSK returns what a pre-shared key gives, according to the exchange. RSA_PSK needs the server's
// private key as well, and DHE_PSK and ECDHE_PSK an ephemeral private key: see others. In TLS 1.3
// the key may be an external one, one that was imported from it, or that of a ticket.
func PSK(key []byte, others ...Source) Source {
	return named("pre-shared key", func(s *handshake.Score) []Candidate {
		return protocolOf(s).shared(s, key, others)
	})
}
