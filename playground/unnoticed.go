package playground

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// Unnoticed returns why neither side could notice what became of a record of a connection with this
// version, or an empty string if there is no rule that makes them ignore it.
func (r *Record) Unnoticed(version iana.Version) string {
	tls13 := version >= iana.TLS13
	cited := func(before, in13 string) string {
		if tls13 {
			return in13
		}
		return before
	}
	b := r.Bytes()
	switch {
	case r.Fate == Delivered || len(b) < record.HeaderLen:
	case r.Unread:
		what := "it"
		if r.Fate == Replayed || r.Fate == Duplicated {
			what = "the copy"
		}
		return fmt.Sprintf("%s reached the %v when that had closed the connection, and what "+
			"comes behind close_notify is ignored (%s)", what, r.Side.Peer(),
			cited("RFC 5246 §7.2.1", "RFC 8446 §6.1"))
	case r.Fate == Changed && r.onlyVersion():
		return "the version in the header of " + cited("a client's first record is ignored "+
			"(RFC 5246 §E.1)", "a record that is not protected is ignored (RFC 8446 §5.1)")
	case iana.ContentType(b[0]) == iana.RecordChangeCipherSpec && tls13 && r.Fate != Changed:
		return "a ChangeCipherSpec means nothing in TLS 1.3: it is there for middleboxes, may be " +
			"missing, and is dropped (RFC 8446 §5, §D.4)"
	case iana.ContentType(b[0]) == iana.RecordAlert && r.Fate == Forged &&
		len(b) > record.HeaderLen && alert.Level(b[record.HeaderLen]) == alert.Warning:
		return fmt.Sprintf("a warning ends nothing, is not protected before there are keys, and "+
			"is not among the messages that Finished covers (%s)",
			cited("RFC 5246 §7.2, §7.4.9", "RFC 8446 §6, §4.4.1"))
	}
	return ""
}

// onlyVersion reports whether nothing but the minor version in the header was changed.
func (r *Record) onlyVersion() bool {
	if len(r.Sent) != len(r.Got) {
		return false
	}
	const minor = 2 // its offset
	for i := range r.Sent {
		if i != minor && r.Sent[i] != r.Got[i] {
			return false
		}
	}
	return true
}
