package explain

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// This file lists the mistakes that people make. The first entry of each list has no mistake.

func (s *search) hashes() []hashVariant {
	right := s.hash()
	list := []hashVariant{{"", right, nil}}
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.MD5SHA1, crypto.SHA512,
		crypto.SHA1, crypto.MD5} {
		if h != right {
			list = append(list,
				hashVariant{fmt.Sprintf("the PRF uses %v in the place of %v", h, right), h, nil})
		}
	}
	return append(list, forms(right)...)
}

func (s *search) preMasters() []variant {
	pre := s.Given.PreMaster
	list := append([]variant{{"", pre}}, spellings("pre_master_secret", pre)...)
	if short := bytes.TrimLeft(pre, "\x00"); len(short) < len(pre) {
		list = append(list,
			variant{fmt.Sprintf("leading zeros of the pre_master_secret are stripped, %s of them",
				octets(len(pre)-len(short))), short})
	}
	if s.Given.Suite.PreShared() {
		list = append(list, pskFramings(pre)...)
	} else {
		list = append(list, padded(pre, s.Given.Suite.FiniteField())...)
	}
	if row := s.Given.Suite; row.KeyTransport() && !row.PreShared() {
		list = append(list, variant{"the pre_master_secret lacks its first two bytes, the version",
			pre[2:]})
		for v := iana.SSL30; v <= iana.TLS12; v++ {
			other := append([]byte{byte(v >> 8), byte(v)}, pre[2:]...)
			if !bytes.Equal(other, pre) {
				list = append(list,
					variant{fmt.Sprintf("the pre_master_secret begins with %x, the version %v",
						other[:2], v), other})
			}
		}
	}
	return list
}

// padded returns a pre_master_secret with zeros around it.
func padded(pre []byte, finiteField bool) (list []variant) {
	sizes := []int{32, 48, 56, 64, 66, 96, 128, 256}
	if finiteField {
		sizes = []int{64, 96, 128, 192, 256, 384, 512, 768, 1024}
	}
	for _, n := range sizes {
		if n <= len(pre) {
			continue
		}
		zeros := make([]byte, n-len(pre))
		how := fmt.Sprintf("the pre_master_secret is padded with zeros in front, to %s", octets(n))
		if finiteField {
			how = fmt.Sprintf("leading zeros of the pre_master_secret are kept: all %s of the "+
				"prime's length", octets(n))
		}
		list = append(list, variant{how, slices.Concat(zeros, pre)},
			variant{fmt.Sprintf("the pre_master_secret is padded with zeros at its end, to %s",
				octets(n)), slices.Concat(pre, zeros)})
	}
	return append(
		list,
		variant{"the pre_master_secret has a zero byte in front, as the sign of an " +
			"INTEGER in ASN.1 or of Java's BigInteger", slices.Concat([]byte{0}, pre)},
	)
}

// spellings returns the values that result from reading the digits of value in a wrong way.
func spellings(name string, value []byte) []variant {
	reversed := slices.Clone(value)
	slices.Reverse(reversed)
	digits := hex.EncodeToString(value)
	return []variant{
		{fmt.Sprintf("the hex digits of the %s are taken for its bytes, undecoded", name),
			[]byte(digits)},
		{fmt.Sprintf("the hex digits of the %s, in upper case, are taken for its bytes, "+
			"undecoded", name), []byte(strings.ToUpper(digits))},
		{fmt.Sprintf("the bytes of the %s are in reverse order", name), reversed},
		{fmt.Sprintf("the %s is taken as Base64, undecoded", name),
			[]byte(base64.StdEncoding.EncodeToString(value))},
		{fmt.Sprintf("the %s has a line feed behind it, as a file of text does", name),
			append(slices.Clone(value), '\n')},
	}
}

const (
	classicLabel  = "master secret"
	extendedLabel = "extended master secret"
)

func (s *search) masterSeeds(h crypto.Hash) (list []seedVariant) {
	g := &s.Given
	var classic path
	if g.SessionHash != nil {
		list = append(list, seedVariant{nil, extendedLabel, string(g.SessionHash)},
			seedVariant{path{"the label is that of the classic master_secret"}, classicLabel,
				string(g.SessionHash)})
		classic = path{"it is the classic master_secret, of both randoms, and not the extended " +
			"one (RFC 7627)"}
	}
	if g.Client != nil && g.Server != nil {
		list = append(list, randomSeeds(classic, classicLabel, g.Client, g.Server)...)
		list = append(list, seedVariant{
			path{"the label is that of the extended master_secret, and the seed that of the " +
				"classic one"},
			extendedLabel, string(g.Client) + string(g.Server),
		})
	}
	if session := s.transcript.session(); session != nil {
		list = append(list, s.sessionHashes(h, session)...)
	}
	return list
}

// loneMasterSeeds are further mistakes, which are not tried together with others.
func (s *search) loneMasterSeeds(h crypto.Hash) (list []seedVariant) {
	add := func(how, label string, seed []byte) {
		list = append(list, seedVariant{path{how}, label, string(seed)})
	}
	if right := s.masterSeeds(h)[0]; len(right.how) == 0 {
		for _, v := range otherLabels12("master_secret", right.label) {
			add(v.how, string(v.value), []byte(right.seed))
		}
	}
	session := s.transcript.session()
	if s.Given.SessionHash == nil || session == nil {
		return list
	}
	right := digest(h, session)
	for _, v := range spelt12("extended master_secret", extendedLabel) {
		add(v.how, string(v.value), right)
	}
	add("the session_hash is hashed again", extendedLabel, digest(h, right))
	add("the messages themselves are the seed, and not the session_hash", extendedLabel, session)
	last := s.transcript.find(iana.ClientKeyExchange)
	for _, v := range s.ends(last+1, "for the session_hash") {
		add(v.how, extendedLabel, digest(h, v.value))
	}
	return list
}

// loneBlockSeeds are the same for the key_block.
func (s *search) loneBlockSeeds() (list []seedVariant) {
	g := &s.Given
	if g.Client == nil || g.Server == nil {
		return nil
	}
	for _, v := range otherLabels12("key_block", "key expansion") {
		list = append(list, seedVariant{path{v.how}, string(v.value),
			string(g.Server) + string(g.Client)})
	}
	if g.SessionHash != nil {
		list = append(list, seedVariant{path{"the seed of the key_block is the session_hash: it " +
			"is server_random + client_random (RFC 5246 §6.3)"}, "key expansion",
			string(g.SessionHash)})
	}
	return list
}

// otherLabels12 are the other labels of RFC 5246 and RFC 7627 in the place of a value's own.
func otherLabels12(what, right string) (list []variant) {
	for _, label := range []string{classicLabel, extendedLabel, "key expansion", "client finished",
		"server finished", "client write key", "server write key", "IV block"} {
		// that of the other master_secret and of the other side's Finished are known elsewhere
		if label != right && !(strings.HasSuffix(label, " finished") &&
			strings.HasSuffix(right, " finished")) && !(strings.HasSuffix(label, classicLabel) &&
			strings.HasSuffix(right, classicLabel)) {
			list = append(list, variant{fmt.Sprintf("the label of the %s is %q: it is %q "+
				"(RFC 5246 §5)", what, label, right), []byte(label)})
		}
	}
	return list
}

// labelSpellings are the ways in which people write labels.
var labelSpellings = []struct {
	how   string
	spell func(string) string
}{
	{"ends with a zero byte, as strings of C do",
		func(label string) string { return label + "\x00" }},
	{"has underscores in place of spaces",
		func(label string) string { return strings.ReplaceAll(label, " ", "_") }},
	{"is in capitals", strings.ToUpper},
	{"has words that begin with capitals", capitalized},
	{"has its quotation marks", func(label string) string { return `"` + label + `"` }},
	{"has no spaces", func(label string) string { return strings.ReplaceAll(label, " ", "") }},
	{"is missing", func(string) string { return "" }},
	{"is in hex", func(label string) string { return hex.EncodeToString([]byte(label)) }},
}

// spelt12 are the ways in which people write the label of a value.
func spelt12(what, label string) (list []variant) {
	for _, v := range labelSpellings {
		list = append(list, variant{fmt.Sprintf("the label of the %s %s", what, v.how),
			[]byte(v.spell(label))})
	}
	return list
}

// ends are transcripts that end elsewhere than with message n. One message less is a missing one.
func (s *search) ends(n int, where string) (list []variant) {
	for k := 1; k <= len(s.transcript); k++ {
		if k == n || k == n-1 || k == n+1 {
			continue
		}
		last := s.transcript[k-1]
		how := fmt.Sprintf("%s, the transcript ends with message %d, %s", where, k,
			messageName(last.kind, last.raw))
		list = append(list, variant{how, s.transcript[:k].bytes()})
	}
	return list
}

// sessionHashes returns the seeds that result from hashing too many or too few messages, or from
// using a session_hash where the extension was not negotiated.
func (s *search) sessionHashes(h crypto.Hash, session []byte) (list []seedVariant) {
	if list, ok := s.sessions[h]; ok {
		return list
	}
	defer func() {
		if s.sessions == nil {
			s.sessions = map[crypto.Hash][]seedVariant{}
		}
		s.sessions[h] = list
	}()
	add := func(how string, messages []byte) {
		seed := string(digest(h, messages))
		list = append(list, seedVariant{path{}.with(how), extendedLabel, seed})
	}
	if s.Given.SessionHash == nil {
		add("it is the extended master_secret (RFC 7627), which this server's hello did not "+
			"agree to", session)
	} else if h != s.hash() {
		add("", session) // the other hash all through
	}
	last := s.transcript.find(iana.ClientKeyExchange)
	add("session_hash leaves out ClientKeyExchange", s.transcript[:last].bytes())
	if last+1 < len(s.transcript) {
		add("session_hash covers the message after ClientKeyExchange too",
			s.transcript[:last+2].bytes())
	}
	messages := s.transcript.told(last+1, nil)
	for _, t := range tellings(messages, places12) {
		add("for the session_hash, "+t.how, t.tell(messages))
	}
	for _, v := range digestMistakes("the session_hash", h, session) {
		list = append(list, seedVariant{path{}.with(v.how), extendedLabel, string(v.value)})
	}
	return list
}

func (s *search) blockSeeds() []seedVariant {
	g := &s.Given
	if g.Client == nil || g.Server == nil {
		return nil
	}
	return randomSeeds(nil, "key expansion", g.Server, g.Client)
}

// randomSeeds returns the ways to combine two randoms into a seed. The first has no mistakes but
// those in before.
func randomSeeds(before path, label string, a, b []byte) []seedVariant {
	order, what := "client_random + server_random", "master_secret"
	if label == "key expansion" {
		order, what = "server_random + client_random", "key_block"
	}
	x, y := string(a), string(b)
	return []seedVariant{
		{before, label, x + y},
		{before.with(fmt.Sprintf("the randoms in the seed of the %s have changed places: the "+
			"right order is %s", what, order)), label, y + x},
		{before.with(fmt.Sprintf("the randoms in the seed of the %s lack gmt_unix_time, their "+
			"first 4 bytes", what)), label, x[4:] + y[4:]},
		{before.with(fmt.Sprintf("the hex digits of the randoms are taken for their bytes, "+
			"undecoded, in the seed of the %s", what)), label,
			hex.EncodeToString(a) + hex.EncodeToString(b)},
		{before.with(fmt.Sprintf("the hex digits of the randoms, in upper case, are taken for "+
			"their bytes, undecoded, in the seed of the %s", what)), label,
			strings.ToUpper(hex.EncodeToString(a) + hex.EncodeToString(b))},
		{before.with(fmt.Sprintf("the PRF of the %s has no label", what)), "", x + y},
		{before.with(fmt.Sprintf("the label of the %s ends with a zero byte, as strings of C do",
			what)), label + "\x00", x + y},
		{before.with(fmt.Sprintf("the label of the %s has underscores in place of spaces", what)),
			strings.ReplaceAll(label, " ", "_"), x + y},
		{before.with(fmt.Sprintf("the label of the %s is in capitals", what)),
			strings.ToUpper(label), x + y},
		{before.with(fmt.Sprintf("the words of the label of the %s begin with capitals", what)),
			capitalized(label), x + y},
		{before.with(fmt.Sprintf("the label of the %s has its quotation marks", what)),
			`"` + label + `"`, x + y},
		{
			before.with(fmt.Sprintf("the seed of the %s is the first random twice", what)),
			label,
			x + x,
		},
		{before.with(fmt.Sprintf("the seed of the %s is the second random twice", what)), label,
			y + y},
		{
			before.with(
				fmt.Sprintf("the bytes of each random are in reverse order, in the seed of the "+
					"%s", what),
			),
			label,
			backwards(x) + backwards(y),
		},
		{before.with(fmt.Sprintf("the seed of the %s is the first random alone", what)), label, x},
		{before.with(fmt.Sprintf("the seed of the %s is the second random alone", what)), label, y},
	}
}

// capitalized returns words that begin with capitals.
func capitalized(words string) string {
	list := strings.Fields(words)
	for i, w := range list {
		list[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(list, " ")
}

// backwards returns the bytes of a text in reverse order.
func backwards(text string) string {
	b := []byte(text)
	slices.Reverse(b)
	return string(b)
}

// randomsInFinished adds the seeds of Finished with the randoms that the seeds of the other
// derivations have.
func (s *search) randomsInFinished(sum []byte, add func(how string, seed []byte)) {
	g := &s.Given
	if g.Client == nil || g.Server == nil {
		return
	}
	const rightly = ": the seed of Finished is the hash of the messages alone (RFC 5246 §7.4.9)"
	for _, r := range []struct {
		order string
		value []byte
	}{{"client_random + server_random", slices.Concat(g.Client, g.Server)},
		{"server_random + client_random", slices.Concat(g.Server, g.Client)}} {
		add("the seed of Finished is "+r.order+rightly, r.value)
		add("the seed of Finished is "+r.order+" and the hash of the messages"+rightly,
			slices.Concat(r.value, sum))
		add("the seed of Finished is the hash of the messages and "+r.order+rightly,
			slices.Concat(sum, r.value))
	}
}

// finishedSeeds returns the ways to compute verify_data. They are computed once for each hash.
func (s *search) finishedSeeds(h crypto.Hash) (list []finishedSeed) {
	if list, ok := s.finished[h]; ok {
		return list
	}
	defer func() {
		if s.finished == nil {
			s.finished = map[crypto.Hash][]finishedSeed{}
		}
		s.finished[h] = list
	}()
	s.transcript.finishes(func(f finish) []byte {
		name, label := f.from.String()+"_verify_data", f.from.String()+" finished"
		add := func(how, label string, seed []byte) {
			list = append(list, finishedSeed{how, name, label, string(seed), false})
		}
		add("", label, digest(h, f.messages))
		add("the label is the other side's", f.from.Peer().String()+" finished",
			digest(h, f.messages))
		if h != s.hash() {
			add("and only the PRF: the hash of the transcript is the right one", label,
				s.digest(f.messages))
		}
		add("the messages themselves are the seed, and not their hash", label, f.messages)
		s.randomsInFinished(digest(h, f.messages), func(how string, seed []byte) {
			add(how, label, seed)
		})
		for _, v := range digestMistakes("the seed of Finished", h, f.messages) {
			add(v.how, label, v.value)
		}
		n := len(s.transcript[:f.before].bytes())
		messages := s.transcript.told(f.before, f.messages[n:])
		for _, t := range tellings(messages, places12) {
			add("for Finished, "+t.how, label, digest(h, t.tell(messages)))
		}
		if session := s.transcript.session(); session != nil && !bytes.Equal(session, f.messages) {
			add("the transcript is taken to end with ClientKeyExchange", label, digest(h, session))
		}
		alone := func(how, label string, seed []byte) {
			list = append(list, finishedSeed{how, name, label, string(seed), true})
		}
		for _, v := range slices.Concat(otherLabels12(name, label), spelt12(name, label)) {
			alone(v.how, string(v.value), digest(h, f.messages))
		}
		alone("the hash in the seed of Finished is hashed again", label,
			digest(h, digest(h, f.messages)))
		for _, v := range s.ends(f.before, "for Finished") {
			alone(v.how, label, digest(h, v.value))
		}
		return see(s.Entries, trace.Client).output(name)
	})
	return list
}
