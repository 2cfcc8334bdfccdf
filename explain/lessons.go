package explain

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// HeaderNotes returns a sentence for each of the three fields of a record's header: type, version
// and length.
func HeaderNotes(v iana.Version, r *trace.Record) (kind, version, length string) {
	if len(r.Header) != 5 {
		return "", "", ""
	}
	outer := outerType(r)
	kind = fmt.Sprintf("%v: what is inside", outer)
	if v == iana.TLS13 && r.Protection != "" || outer != r.ContentType {
		kind = fmt.Sprintf("%v: what every encrypted record of TLS 1.3 says; that it is %v stands "+
			"inside", outer, r.ContentType)
	}
	said := iana.Version(r.Header[1])<<8 | iana.Version(r.Header[2])
	switch first := r.From == iana.Client && r.SeqNum == 0 &&
		r.ContentType == iana.RecordHandshake &&
		r.Protection == ""; {
	case first && said == iana.TLS10:
		version = "says TLS 1.0, and means nothing: in the first record no version is agreed " +
			"yet, and servers of old fail on a higher number"
	case first:
		version = fmt.Sprintf("says %v, and means nothing yet: in the first record no version is "+
			"agreed", said)
	default:
		version = protocolOf(v).recordVersion(said)
	}
	return kind, version, fmt.Sprintf("the fragment has %s; at most 16,384, and some more "+
		"if it is encrypted", octets(len(r.Fragment)))
}

// Guard is a part of what the MAC or the AEAD of a record covers, and what that stops.
type Guard struct {
	Name  string
	Bytes trace.Hex
	Stops string
}

// Guards returns the parts of what is authenticated besides the content, in their order. See RFC
// 5246 §6.2.3.1 and §6.2.3.3, and RFC 8446 §5.2.
func Guards(r *trace.Record) []Guard {
	aad := r.AAD
	var list []Guard
	if len(aad) >= 13 {
		list = append(list,
			Guard{"sequence number", aad[:8],
				"both sides count it. It stops records from being repeated, left out or put in " +
					"another order; only what is cut off at the end it cannot tell: that takes " +
					"close_notify"})
		aad = aad[8:]
	}
	switch {
	case len(aad) < 5:
		return list
	case len(r.AAD) == 5: // of TLS 1.3
		return []Guard{
			{"type", aad[:1], "23 in every encrypted record: a header with another does not " +
				"open; what the content is, the type inside says"},
			{"version", aad[1:3], "0303 in every encrypted record: a header with another does " +
				"not open"},
			{
				"length",
				aad[3:5],
				"of all that follows: content, type, padding and tag. It stops bytes " +
					"from being moved over the end of the record",
			},
		}
	}
	return append(list,
		Guard{"type", aad[:1], fmt.Sprintf("%v: stops the content from being passed off as "+
			"that of another type", r.ContentType)},
		Guard{"version", aad[1:3], "stops a record of one version from being taken for another's"},
		Guard{"length", aad[3:5], covered(r) +
			". It stops bytes from being moved over the end of the content"})
}

// GuardNote says what the bytes are that are authenticated besides the content. See RFC 5246
// §6.2.3.1 and §6.2.3.3, and RFC 8446 §5.2.
func GuardNote(r *trace.Record) string {
	switch {
	case len(r.AAD) == 5:
		return "the record's header, as it was sent: type, version, length. The sequence number " +
			"is in the nonce"
	case len(r.AAD) < 13:
		return ""
	case len(r.MAC) > 0:
		return "what goes into the MAC first: the sequence number, which is counted and not " +
			"sent, then type, version and length"
	}
	return "additional authenticated data: the sequence number, which is counted, then type and " +
		"version of the record and the length of its content. None of it is encrypted"
}

// covered says which length is authenticated before TLS 1.3, and why it is not that of the header.
func covered(r *trace.Record) string {
	switch {
	case len(r.MAC) == 0:
		return "of the content alone, as it was before encryption: the header's length counts " +
			"nonce and tag, too, which did not exist yet"
	case len(r.IV)+len(r.Ciphertext)+len(r.MAC) == len(r.Fragment) && len(r.IV) > 0:
		return "of IV and ciphertext: the header's length counts the MAC, too"
	case len(r.Padding) == 0:
		return "of the content alone: the header's length counts the MAC, too"
	}
	return "of the content alone: the header's length counts MAC, padding and (from TLS 1.1 " +
		"on) IV, too. The receiver knows it when it has decrypted the record and taken the " +
		"padding off"
}

// SignedNotes say, for each part of what the server signs in ServerKeyExchange, what an attacker
// could do if it were left out; the last says what is not signed.
var SignedNotes = struct {
	ClientRandom, ServerRandom, Params, Rest string
	Messages, Transcript                     string
	Finished                                 string // why it does not do in a signature's place
}{
	ClientRandom: "Without it a signature that was made for another client, and recorded, could " +
		"be shown to this one.",
	ServerRandom: "With both randoms the signature is bound to this handshake. Without this " +
		"one, where a server uses a key for several connections, who has seen one signature " +
		"could show it again to a client that repeats its random.",
	Params: "Without them an attacker in the middle could put a public key of his own in the " +
		"place of the server's, and read everything.",
	Rest: "The lists of the hellos are not signed. So an attacker could make both sides use a " +
		"group or a suite so weak that he breaks it in time to forge Finished (FREAK, Logjam). " +
		"TLS 1.3 signs the whole transcript.",
	Messages: "All messages so far are signed. Without the server's random and certificate, a " +
		"server could show the client's proof to another server, as if the client had come there.",
	Transcript: "Everything said so far, as one hash. Were only the key shares signed, an " +
		"attacker could change what was offered, so that both choose a group or a suite so weak " +
		"that he breaks it in time to forge Finished (FREAK, Logjam); without the " +
		"certificate, one server's signature could stand under another's name.",
	Finished: "Finished alone would not do: it is a MAC under keys from the key exchange, and an " +
		"attacker in the middle could do a key exchange with either side. The signature says " +
		"whose key share it was, since only the owner of the certificate can make it; and " +
		"Finished says that the signer has these very keys.",
}

// Readers says who could read a connection later, and with what.
func Readers(s *Story) []Reader {
	if !s.Result.Judged {
		return nil
	}
	p := protocolOf(s.Version)
	nobody := "Sees " + p.inTheClear + ", and of the data how much was sent and when."
	if s.Suite.Cipher.KeyLen == 0 {
		return []Reader{{"the recording alone", "Reads everything: this suite does not encrypt.",
			true}}
	}
	list := []Reader{{"the recording alone", nobody, false},
		{"and later the private key of the server's certificate", s.Result.KeySays,
			s.Result.KeyOpens}}
	list = append(list, p.keyLog)
	if s.Result.preShared && s.Result.exchange != iana.KexRSAPSK {
		list = append(list, sharedKeyReader(&s.Result))
	}
	if s.has(iana.NewSessionTicket) {
		list = append(list, p.ticketKey)
	}
	list = append(list, quantumReader(s))
	if s.Run.Seed != "" {
		list = append(list, Reader{"or the seed of this run, which is public",
			"Makes every key and every byte of it again, without a recording.", true})
	}
	if s.Reveals {
		list = append(list, Reader{"or this page, or another file of the run that holds secrets",
			"Reads all that is in it, without a recording: keys, and the data under them.", true})
	}
	return list
}

// sharedKeyReader says what the pre-shared key of a connection opens.
func sharedKeyReader(r *Result) Reader {
	has := "and the pre-shared key of this connection"
	if r.ticket {
		has += ", or the key of the server's tickets, which opens the ticket that names it"
	}
	switch {
	case !r.ForwardSecret:
		return Reader{has, "Reads everything: all keys come from it alone.", true}
	case r.EarlyData:
		return Reader{has, "Reads the early data. What follows has a key exchange of its own. " +
			passes, true}
	}
	return Reader{has, "Reads nothing: the secret of the key exchange goes into the keys, too. " +
		passes, false}
}

// passes is what an attacker can do with a pre-shared key besides.
const passes = "But while the server takes this key, whoever has it can pass for the client."

// ResumedFrom says which connection brought the ticket that s resumes by.
func (s *Story) ResumedFrom(before *Story) { s.Result.before = &before.Result }

func quantumReader(s *Story) Reader {
	const has = "and a quantum computer"
	const enough = "once there is one that is large enough: "
	switch r := &s.Result; {
	case r.PostQuantum:
		return Reader{has, "Does not read it, as far as is known: that is what ML-KEM is for.",
			false}
	case r.before != nil && r.before.Judged && r.before.PostQuantum:
		return Reader{has, "Reads nothing without the pre-shared key. That comes from a " +
			"connection with ML-KEM, which it cannot undo, as far as is known.", false}
	case r.before != nil && r.before.Judged && !r.before.preShared:
		return Reader{has, "Reads everything, " + enough + "with a recording of the connection " +
			"that brought the ticket, too, it finds the pre-shared key.", true}
	case r.preShared:
		return Reader{has, "Reads nothing without the pre-shared key, which goes into all keys. " +
			"If that comes from a connection that was recorded, too, and whose exchange it can " +
			"undo, it reads everything.", false}
	case r.resumed:
		return Reader{has, "Reads everything, " + enough + "with a recording of the connection " +
			"that this one resumes it finds the master_secret.", true}
	}
	return Reader{has, "Reads everything, " + enough + "it finds the private keys from the " +
		"public ones.", true}
}

// has reports whether a message is among the lines of a story.
func (s *Story) has(t iana.HandshakeType) bool {
	for _, c := range s.Chapters {
		for _, step := range c.Steps {
			if step.Line != nil && step.Line.Name == titleOf(t) {
				return true
			}
		}
	}
	return false
}

func titleOf(t iana.HandshakeType) string { return Explain(t.String()).Title }

// Erasures returns everything that must be erased for forward secrecy, or why nothing helps.
func Erasures(s *Story) []Erasure {
	if !s.Result.Judged || s.Suite.Cipher.KeyLen == 0 {
		return nil
	}
	if s.Result.KeyOpens {
		return []Erasure{{"the private key of the server's certificate", "It opens the " +
			"ClientKeyExchange of every connection with RSA key exchange. It cannot be erased " +
			"while it is in use, so whatever else both sides erase does not help."}}
	}
	if !s.Result.ForwardSecret {
		return []Erasure{{"the pre-shared key", "It opens every connection that was made with it " +
			"alone. It cannot be erased while it is in use."}}
	}
	list := []Erasure{{"both private keys of the key exchange",
		"at once, when the shared secret is computed: either of them and the other's public key " +
			"give it again"}}
	if s.Result.EarlyData {
		list = append(list, Erasure{"the pre-shared key of this connection, and the ticket key " +
			"that opens it", "as soon as the early data was read: until then, and in any copy, " +
			"they open it. " + passes})
	} else if s.Result.preShared {
		list = append(list, Erasure{"the pre-shared key of this connection", "when it is not to " +
			"be used any more: for a ticket that is once. It does not open this connection. " +
			passes})
	}
	return append(list, protocolOf(s.Version).erasures...)
}

// stolen returns what the private key of the server's certificate opens of a recording.
func (t *teller) stolen() (opens bool, says string) {
	switch {
	case t.Suite == nil:
		return false, ""
	case t.Suite.Cipher.KeyLen == 0:
		return true, "Needs no key: this suite does not encrypt."
	case t.agreed.KeyExchange == iana.KexRSA && !t.agreed.Resumed:
		return true, "Reads everything: the key decrypts ClientKeyExchange, which gives the " +
			"pre_master_secret; with both randoms, which were in the clear, follow all keys."
	case t.agreed.KeyExchange == iana.KexRSA:
		return true,
			"Reads everything, with a recording of the connection that this one resumes: the key " +
				"decrypts its ClientKeyExchange, which gives the master_secret."
	case t.agreed.KeyExchange == iana.KexRSAPSK:
		return false, "Reads nothing without the pre-shared key, which goes into the secret, too."
	case t.Result.preShared && !t.Result.ForwardSecret:
		return false, "Reads nothing by it: no certificate is used here. But whoever gets the " +
			"pre-shared key reads everything." + t.provedBefore()
	case t.Result.preShared:
		return false, "Reads nothing by it: no certificate is used here. The keys come from the " +
			"pre-shared key and from private keys that were made for this connection alone." +
			t.provedBefore()
	case t.agreed.Resumed:
		return false, "Reads nothing. The key only signed, in the connection that this one " +
			"resumes, and the master_secret of that came from private keys that were made for it " +
			"alone."
	}
	return false,
		"Reads nothing. The key only signed: whoever has it can pass for the server while its " +
			"certificate is valid, but the secret came from private keys that were made for this " +
			"connection alone."
}

// provedBefore says what a pre-shared key from a ticket proves, or nothing of another key.
func (t *teller) provedBefore() string {
	if !t.Result.ticket {
		return ""
	}
	return " That key is from a ticket: it proves that the other side is that of the connection " +
		"which brought the ticket. There the server showed who it is, unless that resumed one " +
		"itself; the client did only if it was asked."
}
