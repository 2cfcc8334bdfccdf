package explain

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// cipherName returns the name of the cipher, such as "AES_256_CBC".
func cipherName(s *suite.Suite) string {
	if s == nil {
		return "NULL"
	}
	return s.Cipher.Name
}

// macName returns the name of the MAC, such as "HMAC_SHA256", or "" for an AEAD.
func macName(s *suite.Suite) string {
	if s == nil || s.Cipher.AEAD() {
		return ""
	}
	return strings.ReplaceAll(s.MAC.Name, "-", "_")
}

func blockLen(s *suite.Suite) int {
	if s == nil {
		return 0
	}
	return s.Cipher.BlockSize
}

// The kinds of parts of a key_block.
const (
	macKey        = "MAC_key"
	encryptionKey = "key"
	fixedIV       = "IV"
)

func partKind(p keys.Part) string {
	return strings.TrimPrefix(p.Name, p.From.String()+"_write_")
}

// absent says why a suite takes no part of this kind from the key_block.
func absent(s *suite.Suite, kind string) string {
	switch {
	case kind == macKey:
		return "none: an AEAD authenticates with the key that encrypts, without HMAC"
	case kind == encryptionKey:
		return "none: NULL encrypts nothing"
	case s != nil && s.Cipher.KeyLen > 0 && blockLen(s) == 0:
		return "none: a stream cipher takes none"
	case blockLen(s) > 0:
		return "none: a TLS 1.2 CBC record brings its own (TLS 1.0 cut two here)"
	}
	return "none: where nothing is encrypted there is no IV"
}

// warnings returns the sentences before the story: what is wrong with the version and the suite,
// and whose secrets are shown, if any are.
func warnings(v iana.Version, s *suite.Suite, run Run, reveals bool) []Sentence {
	var list []Sentence
	if s != nil {
		switch flaws := strings.Join(outdated(v, s), ", "); {
		case flaws == "":
			list = append(list,
				Sentence{"The modern way of TLS 1.2: ephemeral keys, and a cipher that " +
					"authenticates.", Good})
		case !run.demonstration():
			list = append(list, Sentence{"Mind: " + flaws + ".", Bad})
		case s.ID == iana.TLS_RSA_WITH_AES_256_CBC_SHA256:
			list = append(list, Sentence{"Textbook case, for study: " + flaws + ".", Bad})
		default:
			list = append(list, Sentence{"For study: " + flaws + ".", Bad})
		}
	}
	return append(list, secretsOf(run, reveals)...)
}

// secretsOf returns the sentence of Secrets. If no secrets are shown there is no warning.
func secretsOf(run Run, reveals bool) []Sentence {
	switch {
	case reveals:
		return []Sentence{Secrets(run)}
	case run.Note != "":
		return []Sentence{{Escape(run.Note), Plain}}
	}
	return nil
}

// Secrets returns a sentence that says whose secrets a run has. It comes first in every output that
// shows them.
func Secrets(run Run) Sentence {
	switch {
	case run.Note != "":
		return Sentence{Escape(run.Note), Bad}
	case run.Seed != "":
		return Sentence{fmt.Sprintf(seeded+"\"%s\": the clock stands still, every "+
			"key in it is public. Never use one.", Escape(run.Seed)), Bad}
	case run.demonstration():
		return Sentence{"The keys of the connection were made for this run and are shown in full.",
			Plain}
	}
	return Sentence{"Holds the secrets of a connection: whoever has this can read what was said.",
		Bad}
}

// OfSecrets reports whether a notice speaks of secrets that an output shows. Without them it is not
// true.
func OfSecrets(n *trace.Notice) bool { return !strings.HasPrefix(n.Text, seeded) }

// seeded begins the sentence about a run from a seed.
const seeded = "Made from the seed "

// demonstration reports whether the run was made for show, with its own keys. A run without a
// command counts as one.
func (r Run) demonstration() bool {
	return r.Command == "" || r.Command == "vitrine handshake" || r.Command == explainCommand
}

// forgotten returns the condition for forward secrecy. For a run of another program it is not known
// whether the ephemeral keys were erased.
func (r Run) forgotten() string {
	if r.demonstration() && r.Note == "" {
		return "Both ephemeral keys served once: the server's key opens no recording."
	}
	return "Once both sides forget their ephemeral keys, no key that stays opens a recording."
}

// outdated returns what is wrong with a version and a suite of it, those included that Vitrine only
// reads.
func outdated(v iana.Version, s *suite.Suite) []string {
	list := flaws(s)
	if v < iana.TLS12 {
		list = append([]string{v.String() + " is deprecated (RFC 8996)"}, list...)
	}
	cipher := s.Cipher.Name
	switch {
	case strings.HasPrefix(cipher, "RC4"):
		list = append(list, "RC4 is prohibited (RFC 7465)")
	case !s.ForwardSecret() && !s.KeyTransport() && !s.PreShared():
		list = append(list, "static Diffie-Hellman has no forward secrecy (RFC 9325)")
	}
	if len(list) == 0 && !s.AEAD() && s.Cipher.KeyLen > 0 {
		list = append(list, cipher+" is out of date")
	}
	return list
}

// flaws returns the concerns about a suite in a few words each. See suite.Concerns for the reasons.
func flaws(s *suite.Suite) []string {
	var list []string
	for _, c := range suite.Concerns(s) {
		switch c.Level {
		case suite.Fine:
		case suite.Deprecated:
			list = append(list, fmt.Sprintf("%s is %v (%s)", c.What, c.Level, c.Ref))
		default:
			list = append(list, fmt.Sprintf("%s is %v", c.What, c.Level))
		}
	}
	return list
}

// secrecy returns who can decrypt a recording of the connection.
func secrecy(s *suite.Suite) string {
	switch {
	case s == nil:
		return ""
	case s.Cipher.KeyLen == 0:
		return "Nothing is encrypted: who records this reads it at once."
	case s.PreShared() && !s.KeyTransport() && !s.Ephemeral():
		return "Who records this and gets the pre-shared key in ten years reads it all."
	case s.PreShared() && s.KeyTransport():
		return "Who records this and gets the server's key and the pre-shared key reads it all."
	}
	return "Who records this and gets the server's key in ten years reads it all."
}
