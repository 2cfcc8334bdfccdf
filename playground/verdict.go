package playground

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// judge sets the verdict.
func (w *Wire) judge(r *Result) {
	v := &r.Verdict
	failed, told := r.firstFailure(), w.ended()
	switch {
	case failed != nil:
		v.Outcome = Caught
		w.caught(r, failed)
	case told != nil:
		v.Outcome, v.Alert = Ended, told.Description.String()
		v.Sentence = "Ended by an alert that nobody has sent: " + v.Alert + "."
	case len(w.queue) > 0 || w.held[0] != nil || w.held[1] != nil:
		v.Outcome, v.Sentence = Running, "More is on its way."
	case w.ends[iana.Client].absent && !w.ends[iana.Server].Over():
		v.Outcome = Stalled
		v.Sentence = "Stopped: the server of the second connection waits for a client that is " +
			"not there."
	case !w.ends[0].Over() || !w.ends[1].Over():
		v.Outcome = Stalled
		v.Sentence = "Stopped: nobody was told anything false; one side waits for bytes that " +
			"never come."
	case w.touched():
		v.Outcome, v.Changes = Undetected, r.changes()
		v.Sentence = "Undetected: neither side noticed. " + Sentence(strings.Join(v.Changes, "; "))
	case r.Again != nil:
		r.replayed()
	case len(r.Idle) > 0:
		v.Outcome, v.Sentence = Untouched, "Nothing was changed: "+r.idleWords()+"."
	default:
		v.Outcome, v.Sentence = Untouched, "Nothing was changed, and all went to its end."
	}
}

// mostIdle bounds how many idle acts a sentence tells of.
const mostIdle = 3

// idleWords says why acts have changed nothing.
func (r *Result) idleWords() string {
	var list []string
	for _, idle := range r.Idle {
		if len(list) == mostIdle {
			list = append(list, fmt.Sprintf("and %d more", len(r.Idle)-mostIdle))
			break
		}
		list = append(list, idle.Why)
	}
	return strings.Join(list, "; ")
}

// Sentence makes a sentence of words in English. It is not for text that begins with a name.
func Sentence(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:] + "."
}

func (w *Wire) touched() bool {
	for _, r := range w.records {
		if r.Fate != Delivered {
			return true
		}
	}
	return false
}

// firstFailure returns the first check that was not passed, or nil. What one side refuses, the
// other may then refuse, too.
func (r *Result) firstFailure() *trace.Entry {
	for i := range r.Entries {
		if _, ok := r.Entries[i].Event.(*trace.Failed); ok {
			return &r.Entries[i]
		}
	}
	return nil
}

// ended returns the alert that ended a side, if there was one and no check had failed: its peer
// never sent it.
func (w *Wire) ended() *alert.Received {
	for _, x := range w.ends {
		if told, ok := errors.AsType[*alert.Received](x.err); ok {
			return told
		}
	}
	return nil
}

func (w *Wire) caught(r *Result, e *trace.Entry) {
	f, v := e.Event.(*trace.Failed), &r.Verdict
	v.By, v.Kind, v.Section, v.Why = f.From.Peer(), f.Check, e.Ref, f.Reason
	v.Alert = r.Ends[v.By].Alert
	v.Check = r.checkName(f)
	for i := range r.Records {
		of := &r.Records[i]
		if of.Side != f.From || f.Number == 0 || uint64(of.Arrival) != f.Number {
			continue
		}
		v.Index = i + 1
		for n, c := range of.Carries {
			if n == 0 || f.Message != 0 && c.Name == f.Message.String() {
				v.Step = c.Step
			}
		}
	}
	at := ""
	if v.Step > 0 {
		at = fmt.Sprintf("at step %d ", v.Step)
	}
	v.Sentence = fmt.Sprintf("Caught %sby the %v: %s", at, v.By, v.Check)
	if v.Section != "" {
		v.Sentence += ", " + v.Section
	}
	v.Sentence += "."
}

// checkName returns a check in words.
func (r *Result) checkName(f *trace.Failed) string {
	if f.Check == alert.KindRecord && f.Alert == alert.BadRecordMAC {
		for _, e := range r.Entries {
			if a, ok := e.Event.(*trace.Agreed); ok {
				if s := suite.Readable(a.Suite); s != nil && s.Cipher.AEAD() {
					return "the tag of the AEAD"
				}
			}
		}
		return "the MAC"
	}
	if f.Alert == alert.DecryptionFailed { // the careless twin alone sends it
		return "the padding"
	}
	if words := checks[f.Check]; words != "" {
		return words
	}
	if words := certificateChecks[f.Alert]; words != "" {
		return words
	}
	return f.Alert.String()
}

// checks has the checks in words, by what went wrong.
var checks = map[alert.Kind]string{
	alert.KindNotTLS:        "the header of the record",
	alert.KindLength:        "the length of the record",
	alert.KindRecord:        "protected records alone",
	alert.KindMalformed:     "the syntax",
	alert.KindOrder:         "the order of messages",
	alert.KindFlight:        "the end of a flight",
	alert.KindFlood:         "the bound on what costs nothing",
	alert.KindVersion:       "the version",
	alert.KindDowngrade:     "the mark against downgrades",
	alert.KindSuite:         "the cipher suite",
	alert.KindGroup:         "the group",
	alert.KindShare:         "the key share",
	alert.KindScheme:        "the signature scheme",
	alert.KindSignature:     "the signature",
	alert.KindFinished:      "Finished",
	alert.KindKeyUsage:      "the use of the key",
	alert.KindNoCertificate: "the certificate",
	alert.KindExtension:     "the extensions",
	alert.KindMissing:       "a required extension",
	alert.KindProtocol:      "the application protocol",
	alert.KindCompression:   "the compression method",
	alert.KindResumption:    "the session",
	alert.KindPSK:           "the pre-shared key",
	alert.KindEarlyData:     "the bound on early data",
	alert.KindRenegotiation: "the tie to an earlier handshake",
	alert.KindRetry:         "the retry",
	alert.KindTruncated:     "the end, which is close_notify",
}

// certificateChecks has those about certificates, by their alert.
var certificateChecks = map[alert.Description]string{
	alert.BadCertificate:         "the certificate",
	alert.UnsupportedCertificate: "the use of the certificate",
	alert.CertificateExpired:     "the dates of the certificate",
	alert.UnknownCA:              "the chain of certificates",
}

// replayed sets the verdict of a run in which nothing was done but to replay to another connection.
func (r *Result) replayed() {
	v, other := &r.Verdict, &r.Again.Verdict
	first, second := r.Ends[iana.Server].Early, r.Again.Ends[iana.Server].Early
	switch {
	case second != "":
		v.Outcome, v.Changes = Undetected, r.changes()
		v.Sentence = "Undetected: the server read the request twice."
		if second != first {
			v.Sentence = "Undetected: the server read a part of the request twice."
		}
		if other.Outcome == Caught {
			v.Sentence += " It refused only what came behind it."
		}
	case first != "" && r.Setup.Careless != AnyReplay &&
		r.Again.has(iana.Client, iana.RecordApplicationData, Replayed):
		v.Outcome, v.By, v.Check, v.Section = Caught, iana.Server, "the use of the ticket",
			"RFC 8446 §8.1"
		v.Sentence = "Refused: the ticket was used before, so the second connection's early " +
			"data is not read (" + v.Section + ")."
	case other.Outcome == Caught:
		*v = *other
		v.Step, v.Index = 0, 0 // they are of the other connection
		v.Sentence = fmt.Sprintf("Caught by the %v in the second connection: %s, %s.", v.By,
			v.Check, v.Section)
	default:
		v.Outcome, v.Sentence = other.Outcome, other.Sentence
	}
}
