package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// conclude counts the values that were compared and sets the result.
func (t *teller) conclude() {
	r := &t.Result
	r.countAll(t.Chapters)
	t.ending()
	if t.Suite != nil {
		r.ForwardSecret = t.Suite.ForwardSecret() && t.Suite.Cipher.KeyLen > 0
		r.Summary = t.summary()
	}
	r.exchange, r.resumed = t.agreed.KeyExchange, t.agreed.Resumed
	r.preShared = r.exchange.PreShared()
	t.judge()
	t.sentences()
	if t.Suite != nil && t.Run.Tampered == nil && t.done() {
		t.secrecyVerdict()
	}
	r.Try = hints(t.Story)
}

// judge says who could read a recording later, if the handshake was completed and no side failed:
// otherwise there is no connection to speak of.
func (t *teller) judge() {
	r := &t.Result
	if r.Judged = t.Suite != nil && t.done() && !t.failed() && !t.stalled(); r.Judged {
		r.KeyOpens, r.KeySays = t.stolen()
	} else {
		r.ForwardSecret, r.PostQuantum = false, false
	}
}

// stalled reports whether somebody in between made a side wait for what never came.
func (t *teller) stalled() bool { return t.Run.Tampered != nil && t.Run.Tampered.Stall }

// failed reports whether a side saw an error, maybe after the handshake.
func (t *teller) failed() bool { return t.client.failed != nil || t.server.failed != nil }

// ending sets which sides noticed an error, and whether the connection was completed. The values
// must have been counted.
func (t *teller) ending() {
	r := &t.Result
	closed := false
	for _, s := range t.lines {
		closed = closed || s.closes() && s.BothWays
	}
	r.Noticed = append(notices(t.client, iana.Client), notices(t.server, iana.Server)...)
	if len(r.Noticed) == 0 && t.Run.Tampered != nil {
		r.Noticed = append(silent(t.client, iana.Client), silent(t.server, iana.Server)...)
	}
	r.Ending = t.ended()
	r.Complete = closed && len(r.Noticed) == 0 && r.Equal == r.Compared
}

// done reports whether a side saw the end of the handshake, and none saw it fail: a failed
// handshake allows no conclusion about who can read its data.
func (t *teller) done() bool {
	done := false
	for _, v := range []*view{t.client, t.server} {
		if v.done != nil && !v.done.OK {
			return false
		}
		done = done || v.done != nil
	}
	return done
}

func (t *teller) secrecyVerdict() {
	s := Sentence{"FORWARD SECRET: NO. " + secrecy(t.Suite), Bad}
	if t.Result.ForwardSecret {
		s = Sentence{"FORWARD SECRET: YES. " + t.forgotten(), Good}
	}
	t.Result.Sentences = append(t.Result.Sentences, s)
}

// forgotten returns the condition for forward secrecy until TLS 1.2, where a session that can be
// resumed keeps the master_secret.
func (t *teller) forgotten() string {
	switch {
	case t.agreed.Resumed:
		return "Once both sides forget the session: as long as one keeps its master_secret, in a " +
			"store or in a ticket whose key it has, that opens a recording."
	case t.has(iana.NewSessionTicket):
		return "Once both sides forget their ephemeral keys and the session: the ticket holds " +
			"the master_secret, so until the key of the server's tickets is gone, it opens a " +
			"recording."
	}
	return t.Run.forgotten()
}

// sentences adds the sentences of the result.
func (t *teller) sentences() {
	r := &t.Result
	say := func(tone Tone, format string, args ...any) {
		r.Sentences = append(r.Sentences, Sentence{fmt.Sprintf(format, args...), tone})
	}
	compared := "nothing to compare"
	if r.Compared > 0 {
		compared = ""
	}
	say(Plain, "%s", Join("; ", r.Summary, compared, octets(r.Wire)))
	if r.Compared > 0 {
		tone := Plain
		if r.Equal < r.Compared {
			tone = Bad
		}
		say(tone, "%d of %d values that both sides computed are equal.", r.Equal, r.Compared)
	}
	switch {
	case t.Run.Handshake > 0 && t.Run.Setup > 0 &&
		(t.comes(iana.Certificate) || t.comes(iana.CompressedCertificate)):
		say(Plain, "handshake %s (before it: CA and certificate, %s)",
			milliseconds(t.Run.Handshake), milliseconds(t.Run.Setup))
	case t.Run.Handshake > 0:
		say(Plain, "handshake %s", milliseconds(t.Run.Handshake))
	}
	noticed := r.Noticed
	if t.Run.Tampered == nil {
		noticed = slices.Concat(noticed, reported(t.client, t.server, iana.Client),
			reported(t.server, t.client, iana.Server))
	}
	for _, n := range noticed {
		switch {
		case t.Run.Tampered == nil && n.Reason == "":
			say(Bad, "FAILED: the %v ended the connection with %s.", n.By, n.Alert)
		case t.Run.Tampered == nil:
			say(Bad, "FAILED: the %v ended the connection with %s: %s.", n.By, n.Alert, n.Reason)
		case n.Alert == "":
			say(Good, "CAUGHT: the %v noticed: %s.", n.By, n.Reason)
		default:
			say(Good, "CAUGHT: the %v noticed and ended the connection with %s: %s.", n.By,
				n.Alert, n.Reason)
		}
	}
	if t.Run.Failed != "" && len(noticed) == 0 {
		say(Bad, "FAILED: %s.", Escape(t.Run.Failed))
	}
	if lesson := t.lesson(); lesson != "" {
		say(Plain, "%s", lesson)
	}
	t.sayUnnoticed(say)
}

// sayUnnoticed adds what came of tampering that neither side noticed.
func (t *teller) sayUnnoticed(say func(tone Tone, format string, args ...any)) {
	a, r := t.Run.Tampered, &t.Result
	if a == nil {
		return
	}
	if r.Forged = t.forgedEnd(); r.Forged != "" {
		say(Bad, "ENDED by an alert that nobody has sent: %s.", r.Forged)
	}
	if len(r.Noticed) > 0 || r.Forged != "" {
		return
	}
	r.Stalled = a.Stall
	idle := a.Idle()
	switch {
	case idle != "":
		say(Plain, "NOTHING WAS CHANGED: %s.", idle)
	case r.Stalled:
		say(Good, "STOPPED: nobody was told anything false; one side waited for bytes that "+
			"never came.")
	default:
		text := fmt.Sprintf("UNDETECTED: somebody interfered %s, and neither side noticed",
			a.Where())
		if why := a.unnoticed(); why != "" {
			text += ": " + why
		}
		say(Bad, "%s.", text)
	}
}

// forgedEnd returns the first alert that ends a connection and that its side did not send, if a
// side took it for its peer's; or an empty string.
func (t *teller) forgedEnd() string {
	for _, s := range t.lines {
		if s.Alert == nil || s.Opened == nil || s.Place.Record >= 0 {
			continue
		}
		if s.Alert.Level == alert.Fatal || s.Alert.Description == alert.CloseNotify {
			return s.Alert.Description.String()
		}
	}
	return ""
}

// lesson explains the effect of an alteration of the RSA-encrypted pre_master_secret. See RFC 5246
// §7.4.7.1.
func (t *teller) lesson() string {
	a := t.Run.Tampered
	if a == nil || t.agreed.KeyExchange != iana.KexRSA ||
		!slices.ContainsFunc(a.Acts, func(a Act) bool {
			return a.Line > 0 && a.Line <= len(t.lines) &&
				t.lines[a.Line-1].is(iana.ClientKeyExchange)
		}) ||
		!slices.ContainsFunc(t.Result.Noticed, func(n Notice) bool {
			return n.By == iana.Server && n.Alert == alert.BadRecordMAC.String()
		}) {
		return ""
	}
	return "LESSON: the server did not say that the ciphertext was wrong. It went on with random " +
		"bytes, and failed two messages later, as with any wrong key. A server that tells the " +
		"two apart, by its alert or by the time it takes, decrypts for whoever asks often " +
		"enough: Bleichenbacher's attack of 1998, and ROBOT of 2017 (RFC 5246 §7.4.7.1)."
}

// milliseconds formats a duration, such as "2.1 ms".
func milliseconds(d time.Duration) string {
	if d >= 20*time.Millisecond {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// hints returns what to try next.
func hints(s *Story) []Hint {
	if s.Suite == nil || !s.Run.demonstration() {
		return nil
	}
	var list []Hint
	if s.Suite.ForwardSecret() {
		list = append(list, Hint{"--kx rsa", "the textbook case"})
	} else {
		list = append(list, Hint{"--kx ecdhe", "the modern way"})
	}
	for _, c := range s.Chapters {
		if c.Number == 6 && s.Run.Tampered == nil {
			list = append(list, Hint{tamperFlag(c), "break it"})
		}
	}
	return append(list, Hint{"--tls 1.3", "today's protocol"},
		Hint{"--html out.html", "the same as a page"})
}

// tamperFlag returns the flag that alters the first line of a chapter.
func tamperFlag(c Chapter) string {
	return fmt.Sprintf("--tamper %d", c.Steps[0].Line.Number)
}

// countAll counts the values that were compared in a story: facts, and nodes of the key schedule.
func (r *Result) countAll(chapters []Chapter) {
	for _, c := range chapters {
		for _, s := range c.Steps {
			for _, f := range s.Facts {
				r.count(f)
			}
			for _, n := range s.Nodes {
				r.count(Fact{Name: n.ID, Value: n.Value})
			}
		}
	}
}

func (r *Result) count(f Fact) {
	if f.Sent || f.Part {
		return
	}
	verdict := f.Value.Compare()
	if verdict == Uncompared {
		return
	}
	r.Compared++
	if verdict == Equal {
		r.Equal++
	}
	name := f.Secret
	if name == "" || name == "verify_data" {
		name = f.Name
	}
	r.Names = append(r.Names, name)
}

func (t *teller) summary() string {
	parts := []string{t.Version.String(), t.Suite.ExchangeName()}
	if t.agreed.Group != "" {
		parts = append(parts, Escape(t.agreed.Group))
	}
	parts = append(parts, strings.ReplaceAll(t.Suite.Cipher.Name, "_", "-"))
	if !t.Suite.Cipher.AEAD() {
		parts = append(parts, t.Suite.MAC.Name)
	}
	switch t.construction() {
	case macThenEncrypt:
		parts = append(parts, "MAC-then-encrypt")
	case encryptThenMAC:
		parts = append(parts, "encrypt-then-MAC")
	}
	if t.agreed.ExtendedMasterSecret {
		parts = append(parts, "EMS")
	}
	return strings.Join(parts, ", ")
}

// notices returns the errors that a side detected and sent a fatal alert about.
func notices(v *view, side iana.Side) []Notice {
	var list []Notice
	for _, a := range v.alerts[side] {
		if a.Description == alert.CloseNotify || a.Level != alert.Fatal {
			continue
		}
		list = append(list,
			Notice{By: side, Alert: a.Description.String(), Reason: Escape(reason(v, a))})
	}
	return list
}

// reported returns the fatal alerts of a side that left no events itself, as its peer saw them.
func reported(v, peer *view, side iana.Side) (list []Notice) {
	if v.here {
		return nil
	}
	for _, a := range peer.alerts[side] {
		if a.Description != alert.CloseNotify && a.Level == alert.Fatal {
			list = append(list, Notice{By: side, Alert: a.Description.String()})
		}
	}
	return list
}

// silent returns the check that a peer did not pass and was not told of: its stream had ended, or
// this side had sent its close_notify and so sends no alert.
func silent(v *view, side iana.Side) []Notice {
	if v.failed == nil {
		return nil
	}
	return []Notice{{By: side, Reason: Escape(v.failed.Reason)}}
}

func reason(v *view, a *trace.Alert) string {
	if a.Reason == "" && v.done != nil {
		return v.done.Error
	}
	return a.Reason
}
