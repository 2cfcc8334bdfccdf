package explain

import (
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
)

// warnings13 returns what to know before reading the story.
func (t *teller13) warnings13() []Sentence {
	var list []Sentence
	if t.Suite != nil {
		switch flaws := strings.Join(flaws(t.Suite), ", "); flaws {
		case "":
			list = append(list, Sentence{"The protocol of today: " + t.trips() + ", and " +
				"every message after the hellos is encrypted.", Good})
		default:
			list = append(list, Sentence{"Mind: " + flaws + ".", Bad})
		}
	}
	return append(list, secretsOf(t.Run, t.shows)...)
}

// trips says how many round trips pass before the client's data.
func (t *teller13) trips() string {
	switch {
	case t.sentEarly():
		return "no round trip before the first data"
	case t.retried:
		return "two round trips, where a good guess costs one"
	}
	return "one round trip"
}

// conclude13 counts the values that were compared and sets the result.
func (t *teller13) conclude13() {
	r := &t.Result
	r.countAll(t.Chapters)
	t.ending()
	if t.Suite != nil {
		r.ForwardSecret, r.EarlyData = t.group() != 0, t.sentEarly()
		r.PostQuantum = t.group().Hybrid()
		r.Summary = t.summary13()
	}
	r.exchange, r.preShared = t.agreed.KeyExchange, t.resumes()
	n := t.Schedule.Node("binder_key")
	r.ticket = r.preShared && n != nil && n.Label == "res binder"
	t.judge()
	t.sentences()
	if t.shaken() {
		t.verdicts()
	}
	r.Try = t.hints13()
}

// shaken reports whether the handshake is known to have come to its end, undisturbed.
func (t *teller13) shaken() bool {
	return t.reply != nil && t.Run.Tampered == nil && len(t.Result.Noticed) == 0 && t.done()
}

func (t *teller13) summary13() string {
	parts := []string{t.Version.String()}
	if g := t.group(); g != 0 {
		parts = append(parts, groupTitle(g))
	}
	parts = append(parts, strings.ReplaceAll(t.Suite.Cipher.Name, "_", "-"))
	if t.resumes() {
		parts = append(parts, "with a PSK")
	}
	if t.retried {
		parts = append(parts, "after a retry")
	}
	return strings.Join(parts, ", ")
}

// groupTitle returns a group's name as people write it.
func groupTitle(g iana.Group) string {
	switch g {
	case iana.X25519, iana.X448:
		return strings.ToUpper(g.String())
	}
	return g.String()
}

// verdicts says who could read a recording, and when.
func (t *teller13) verdicts() {
	say := func(tone Tone, text string) {
		t.Result.Sentences = append(t.Result.Sentences, Sentence{text, tone})
	}
	for _, s := range t.secrecy13() {
		say(s.Tone, s.Text)
	}
	const quantum = "AGAINST A QUANTUM COMPUTER THAT READS RECORDINGS: "
	switch g := t.group(); {
	case g == 0:
		say(Plain, quantum+"as safe as the PSK, from which alone the keys come.")
	case g.Hybrid():
		say(Good, quantum+"YES. "+hybridParts[g].kem.name+" is in the shared secret.")
	case t.resumes():
		say(Bad, quantum+"NO, unless the PSK is from an exchange that it cannot undo.")
	case t.Run.demonstration() && t.Run.Command != explainCommand:
		say(Bad, quantum+"NO (--group x25519mlkem768).")
	default:
		say(Bad, quantum+"NO: "+groupTitle(g)+" alone does not hold.")
	}
}

// secrecy13 says whether the connection is forward secret.
func (t *teller13) secrecy13() []Sentence {
	if t.group() == 0 {
		return []Sentence{{"FORWARD SECRET: NO. The keys come from the PSK alone: who records " +
			"this and gets the PSK in ten years reads it all.", Bad}}
	}
	list := []Sentence{{"FORWARD SECRET: YES. " + t.Run.forgotten(), Good}}
	if t.Result.EarlyData {
		list = append(list, Sentence{"BUT NOT THE EARLY DATA: who gets the PSK reads it.", Bad})
	}
	return list
}

// sentEarly reports whether data was sent before the server's hello.
func (t *teller13) sentEarly() bool {
	for _, s := range t.lines {
		if s.Kind == iana.RecordApplicationData && !t.answered(s) {
			return true
		}
	}
	return false
}

// hints13 returns what to try next, or nothing for a run of another program.
func (t *teller13) hints13() []Hint {
	if t.Suite == nil || !t.Run.demonstration() {
		return nil
	}
	var list []Hint
	if !t.group().Hybrid() {
		list = append(list, Hint{"--group x25519mlkem768", "post-quantum"})
	}
	if !t.resumes() {
		list = append(list, Hint{"--resume", "the next connection"})
	}
	for _, c := range t.Chapters {
		if c.Number == 6 && t.Run.Tampered == nil {
			list = append(list, Hint{tamperFlag(c), "break it"})
		}
	}
	return append(list, Hint{"--html out.html", "a page"})
}
