package explain

import (
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/trace"
)

// Sent is a run of bytes that one side sent without waiting for an answer.
type Sent struct {
	From  iana.Side
	At    time.Time // zero if the events have no times
	Bytes []byte
}

// Wire returns what was sent, in the order of the events. If somebody was in between, it is what
// arrived, in the order in which it did: without what was dropped, and with what was forged.
func Wire(entries []trace.Entry) []Sent {
	c := ladderBuilder{views: [2]*view{see(entries, trace.Client), see(entries, trace.Server)}}
	var list []Sent
	add := func(from iana.Side, at time.Time, b []byte) {
		if n := len(list); n > 0 && list[n-1].From == from && list[n-1].At.Equal(at) {
			list[n-1].Bytes = append(list[n-1].Bytes, b...)
			return
		}
		list = append(list, Sent{from, at, b})
	}
	way, sent := newWay(entries), [2]map[uint64][]byte{{}, {}}
	for _, e := range entries {
		switch x := e.Event.(type) {
		case *trace.Record:
			if !e.Plays(c.source(x.From)) {
				continue
			}
			b := append(append([]byte(nil), x.Header...), x.Fragment...)
			if sent[x.From][x.Number] = b; way.of(x) == nil { // nobody says what became of it
				add(x.From, e.Time, b)
			}
		case *trace.Delivery:
			if x.Arrival > 0 && x.Bytes != nil {
				add(x.From, e.Time, append([]byte(nil), x.Bytes...))
			} else if x.Arrival > 0 {
				add(x.From, e.Time, append([]byte(nil), sent[x.From][x.Number]...))
			}
		}
	}
	return list
}

// KeyLog returns the secrets of the connections in the events as the lines of a key log. It is
// empty if the events have none. See RFC 9850.
func KeyLog(entries []trace.Entry) []byte {
	var log keylog.Log
	randoms := map[trace.Role][]byte{}
	for _, e := range entries {
		switch x := e.Event.(type) {
		case *trace.Message:
			if x.Type == iana.ClientHello && len(x.Raw) >= randomEnd {
				randoms[e.Role] = x.Raw[randomStart:randomEnd]
			}
		case *trace.Given:
			d := trace.Derived{Label: scheduleLabels[x.Name], Output: x.Output}
			addLine(&log, randoms[e.Role], &d)
		case *trace.Derived:
			addLine(&log, randoms[e.Role], x)
		}
	}
	var text []byte
	for line := range log.All() {
		text = line.Append(text)
	}
	return text
}

func addLine(log *keylog.Log, random []byte, d *trace.Derived) {
	if label, secret := logged(d); len(secret) > 0 && random != nil {
		log.Add(keylog.Line{Label: label, ID: random, Secret: secret})
	}
}

// logged returns the secret of a derivation that a key log has, and its label there.
func logged(d *trace.Derived) (keylog.Label, trace.Secret) {
	if d.Name == "key_block" {
		// A resumed handshake does not derive the master_secret, so it is taken from here.
		return keylog.ClientRandom, d.Secret
	}
	if label, ok := logLabels[d.Label]; ok {
		return label, d.Output
	}
	return "", nil
}

// logLabels has the labels of RFC 9850 by those of RFC 8446 §7.1.
var logLabels = map[string]keylog.Label{
	"c e traffic": keylog.ClientEarlyTraffic, "e exp master": keylog.EarlyExporter,
	"c hs traffic": keylog.ClientHandshake, "s hs traffic": keylog.ServerHandshake,
	"c ap traffic": keylog.ClientTraffic, "s ap traffic": keylog.ServerTraffic,
	"exp master": keylog.Exporter,
}

// The offsets of the random in a ClientHello with its header, after the version.
const (
	randomStart = 4 + 2
	randomEnd   = randomStart + 32
)
