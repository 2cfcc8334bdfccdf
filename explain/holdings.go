package explain

import "github.com/vitrine-tls/vitrine/iana"

// Holding is something that is no value of the story, with who has it.
type Holding struct {
	What           string
	Client, Server bool
	Eavesdropper   string // yes or no, and why
}

// Holdings returns who has what besides the values of the story: certificates, their private keys,
// what is sent encrypted, and the data.
func Holdings(s *Story) (list []Holding) {
	if s.Suite == nil {
		return nil
	}
	p := protocolOf(s.Version)
	if s.Result.exchange == iana.KexRSA && s.says(iana.Client, iana.ClientKeyExchange) {
		list = append(list, Holding{"the encrypted pre_master_secret", true, true,
			"yes: sent, and of no use without the server's private key"})
	}
	for _, side := range []iana.Side{iana.Client, iana.Server} {
		if !s.says(side, iana.Certificate) || side == iana.Client &&
			!s.says(side, iana.CertificateVerify) {
			continue
		}
		of := "the " + side.String() + "'s certificate"
		list = append(list, Holding{of + ", with the public key", true, true, p.certificateSeen},
			Holding{"the private key of " + of, side == iana.Client, side == iana.Server, "no"})
	}
	if s.has(iana.NewSessionTicket) {
		list = append(list, Holding{"the ticket, which only the server can open", true, true,
			p.ticketSeen})
	}
	data := "no: it learns only how much it was, and when"
	if s.Suite.Cipher.KeyLen == 0 {
		data = "yes: this suite does not encrypt"
	}
	return append(list, Holding{"what both programs said to each other", true, true, data})
}

// says reports whether a side says a message in a story.
func (s *Story) says(from iana.Side, t iana.HandshakeType) bool {
	name := titleOf(t)
	if t == iana.ClientKeyExchange { // whose prose is one for each exchange
		name = "ClientKeyExchange"
	}
	for _, l := range storyLines(s) {
		if l.From == from && (l.Name == name ||
			t == iana.Certificate && l.Name == titleOf(iana.CompressedCertificate)) {
			return true
		}
	}
	return false
}

// Signatures says what is signed in a connection, and why; or why nothing is.
func Signatures(s *Story) (list []string) {
	if s.Suite == nil {
		return nil
	}
	say := func(sentence string) { list = append(list, sentence) }
	switch {
	case s.says(iana.Server, iana.CertificateVerify):
		say("The server signs the whole conversation so far (CertificateVerify). " +
			SignedNotes.Finished)
	case s.says(iana.Server, iana.ServerKeyExchange) && s.says(iana.Server, iana.Certificate):
		say("The server signs both randoms and its key share (ServerKeyExchange): that ties the " +
			"key share, which anybody could have made, to the certificate and to this " +
			"connection. The suites and versions of the hellos are not in it; Finished covers " +
			"them.")
	case s.says(iana.Server, iana.ServerKeyExchange) && !s.Result.exchange.PreShared():
		say("Nothing is signed, and nothing proves who is there: an attacker in the middle could " +
			"do one key exchange with each side.")
	case s.Result.exchange == iana.KexRSA && s.says(iana.Server, iana.Certificate):
		say("The server signs nothing. It proves itself by decrypting: only who has the private " +
			"key of the certificate learns the pre_master_secret, and without it there is no " +
			"valid Finished. The only signatures are those in the certificates.")
	case s.Result.exchange.PreShared() && s.says(iana.Client, iana.ClientKeyExchange):
		say("Nothing is signed: the pre-shared key, which only these two have, goes into all " +
			"keys, and Finished shows that both have it.")
	default:
		say(protocolOf(s.Version).signsNothing)
	}
	if s.says(iana.Client, iana.CertificateVerify) {
		say("The client signs all messages so far (CertificateVerify): the proof that it has the " +
			"private key of its certificate, and is good for this connection only.")
	}
	return list
}
