package explain

import (
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/trace"
)

// Sent is what one side sent without waiting for an answer.
type Sent struct {
	From  iana.Side
	At    time.Time // zero where time is not told
	Bytes []byte
}

// Wire is what crossed the wire, in the order of the events. What somebody altered on the way is as
// it arrived.
func Wire(entries []trace.Entry, altered *Tampered) []Sent {
	c := climber{views: [2]*view{see(entries, trace.Client), see(entries, trace.Server)}}
	var list []Sent
	var records [2]int
	for _, e := range entries {
		r, ok := e.Event.(*trace.Record)
		if !ok || e.Role != c.teller(r.From) {
			continue
		}
		b := append(append([]byte(nil), r.Header...), r.Fragment...)
		if altered != nil && altered.Mask != 0 && altered.From == r.From &&
			altered.Record == records[r.From] && altered.Byte < len(b) {
			b[altered.Byte] ^= altered.Mask
		}
		records[r.From]++
		if n := len(list); n > 0 && list[n-1].From == r.From && list[n-1].At.Equal(e.Time) {
			list[n-1].Bytes = append(list[n-1].Bytes, b...)
			continue
		}
		list = append(list, Sent{r.From, e.Time, b})
	}
	return list
}

// KeyLog is the secrets of the connections in the events, as the lines of a key log; empty if the
// events have none. See RFC 9850.
func KeyLog(entries []trace.Entry) []byte {
	var log keylog.Log
	randoms := map[trace.Role][]byte{}
	for _, e := range entries {
		switch x := e.Event.(type) {
		case *trace.Message:
			if x.Type == iana.ClientHello && len(x.Raw) >= randomEnd {
				randoms[e.Role] = x.Raw[randomStart:randomEnd]
			}
		// the master_secret itself is not derived again where a session is resumed
		case *trace.Derived:
			if x.Name == "key_block" && len(x.Secret) > 0 && randoms[e.Role] != nil {
				log.Add(keylog.Line{Label: keylog.ClientRandom, ID: randoms[e.Role],
					Secret: x.Secret})
			}
		}
	}
	var text []byte
	for line := range log.All() {
		text = line.Append(text)
	}
	return text
}

// Where the random is in a ClientHello with its header: behind the version.
const (
	randomStart = 4 + 2
	randomEnd   = randomStart + 32
)
