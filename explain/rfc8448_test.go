package explain

import (
	"crypto"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

// story8448 is a trace of RFC 8448, step by step.
type story8448 struct {
	Section, Title string
	Steps          []struct {
		Actor, Action string
		Values        map[string]testkit.Hex
	}
}

// The traces of RFC 8448 as stories: what both sides derive of them stands in the tree, each value
// of the tree is one of the RFC's, and each hash covers the messages that the RFC says.
func TestTheTracesOfRFC8448AreToldAsTheRFCHasThem(t *testing.T) {
	var f struct{ Sections []story8448 }
	testkit.JSON(t, "rfc8448/rfc8448.json", &f)
	var psk []byte
	for _, s := range f.Sections {
		r := &replay8448{story8448: s}
		r.exchange(t)
		if strings.Contains(s.Title, "0-RTT") {
			r.psk = psk
		}
		entries := trace.Merge(r.side(iana.Client), r.side(iana.Server))
		story := Tell(entries, Run{Seed: "RFC 8448"})
		if n := story.Schedule.Node("resumption_psk_0"); n != nil && r.psk == nil {
			psk = n.Value.Bytes()
		}
		known := r.values()
		for _, n := range story.Schedule.Nodes {
			switch {
			case n.Value.Compare() != Equal:
				t.Errorf("§%s: %s: the sides differ", s.Section, n.ID)
			case !known[string(n.Value.Bytes())]:
				t.Errorf("§%s: %s is no value of the RFC: %x", s.Section, n.ID, n.Value.Bytes())
			}
		}
		if len(story.Chapters) < 5 || story.Version != iana.TLS13 || story.Result.Compared < 20 {
			t.Errorf("§%s: %d chapters of %v, %d values", s.Section, len(story.Chapters),
				story.Version, story.Result.Compared)
		}
		r.covers(t, story.Schedule)
		t.Logf("§%s %s: %d nodes, all in the RFC", s.Section, s.Title, len(story.Schedule.Nodes))
	}
}

// replay8448 makes the events of a trace.
type replay8448 struct {
	story8448
	shared, psk []byte
}

// exchange computes the shared secret from the private keys of the trace.
func (r *replay8448) exchange(t *testing.T) {
	var private, public [2][]byte
	for _, s := range r.Steps {
		if strings.HasPrefix(s.Action, "create an ephemeral") {
			private[sideOf(s.Actor)], public[sideOf(s.Actor)] = s.Values["private key"],
				s.Values["public key"]
		}
	}
	r.shared = testkit.ECDH(t, private[iana.Client], public[iana.Server])
}

func sideOf(actor string) iana.Side {
	if actor == "server" {
		return iana.Server
	}
	return iana.Client
}

// side returns the events of one side: its records and messages, and what it derives.
func (r *replay8448) side(me iana.Side) []trace.Entry {
	var events trace.Memory
	log := trace.New(trace.Role(me.String()), &events, nil)
	d := &deriving8448{replay8448: r, k: keys.HKDF{Hash: crypto.SHA256, Log: log}, log: log}
	var records [2]uint64
	messages := uint64(0) // of ours
	for _, s := range r.Steps {
		content, known := contents8448[s.Action]
		if !known {
			continue
		}
		from, direction := sideOf(s.Actor), trace.Opened
		if from == me {
			direction = trace.Sealed
		}
		whole, payload := s.Values["complete record"], s.Values["payload"]
		records[from]++
		event := &trace.Record{From: from, Direction: direction, ContentType: content,
			Number: records[from], Header: trace.Hex(whole[:record.HeaderLen]),
			Plaintext: trace.Secret(payload), Fragment: trace.Hex(whole[record.HeaderLen:])}
		log.Record(event, "")
		if content != iana.RecordHandshake {
			continue
		}
		if from != me {
			log.Begins(from, records[from])
		}
		for rest := []byte(payload); len(rest) >= message.HeaderLen; {
			if from == me {
				messages, event.Messages = messages+1, event.Messages+1
				event.FirstMessage = messages - event.Messages + 1
			}
			n := message.Length(rest)
			d.message(from, rest[:n])
			rest = rest[n:]
		}
	}
	log.Done("", nil)
	return events.Entries
}

var contents8448 = map[string]iana.ContentType{
	"send handshake record":          iana.RecordHandshake,
	"send application_data record":   iana.RecordApplicationData,
	"send change_cipher_spec record": iana.RecordChangeCipherSpec,
	"send alert record":              iana.RecordAlert,
}

// deriving8448 derives where the messages say so. See RFC 8446 §7.1.
type deriving8448 struct {
	*replay8448
	k          keys.HKDF
	log        *trace.Log
	transcript []byte
	early      keys.Early
	handshake  keys.Handshake
	main       keys.Main
	resumption keys.Resumption
	traffic    [2]keys.Traffic
}

func (d *deriving8448) hash(more ...byte) []byte {
	h := sha256.Sum256(append(slices.Clone(d.transcript), more...))
	return h[:]
}

func (d *deriving8448) message(from iana.Side, raw []byte) {
	kind := iana.HandshakeType(raw[0])
	d.log.Message(from, kind, raw, "")
	if message.IsHelloRetryRequest(raw) {
		d.transcript = messageHash(crypto.SHA256, d.transcript)
	}
	switch kind {
	case iana.Finished:
		d.traffic[from].VerifyData(d.hash())
	case iana.ClientHello:
		d.hello(raw)
	case iana.NewSessionTicket:
		d.resumption.PSK([]byte{0, 0})
		return
	}
	d.transcript = append(d.transcript, raw...)
	shape := keys.Shape{Key: 16, IV: 12}
	switch {
	case kind == iana.ClientHello && d.psk != nil:
		d.early.ClientTraffic(d.hash()).Direction(shape)
		d.early.Exporter(d.hash())
	case kind == iana.ServerHello && !message.IsHelloRetryRequest(raw):
		if d.psk == nil {
			d.early = d.k.Early(nil)
		}
		d.log.SharedSecret("shared_secret", d.shared, "")
		d.handshake = d.early.Handshake(d.shared)
		for _, side := range []iana.Side{iana.Client, iana.Server} {
			d.traffic[side] = d.handshake.Traffic(side, d.hash())
			d.traffic[side].Direction(shape)
		}
	case kind == iana.Finished && from == iana.Server:
		d.main = d.handshake.Main()
		for _, side := range []iana.Side{iana.Client, iana.Server} {
			d.main.Traffic(side, d.hash()).Direction(shape)
		}
		d.main.Exporter(d.hash())
	case kind == iana.Finished:
		d.resumption = d.main.Resumption(d.hash())
	}
}

// hello derives the binder of a ClientHello with a PSK.
func (d *deriving8448) hello(raw []byte) {
	if d.psk != nil {
		d.early = d.k.Early(d.psk)
		d.early.Binder(keys.ResumptionPSK).VerifyData(d.hash(raw[:len(raw)-(2+1+32)]...))
	}
}

// values returns all values of the trace.
func (r *replay8448) values() map[string]bool {
	known := map[string]bool{string(r.shared): true, string(r.psk): r.psk != nil}
	for _, s := range r.Steps {
		for _, v := range s.Values {
			known[string(v)] = true
		}
	}
	return known
}

// covers compares what the hashes cover with the RFC's figures, by the numbers of the ladder.
func (r *replay8448) covers(t *testing.T, s *Schedule) {
	t.Helper()
	want, ok := map[string][3]string{
		"3": {"1-2", "1-6", "1-7"},
	}[r.Section]
	for i, id := range []string{"client_handshake_traffic_secret",
		"client_application_traffic_secret_0", "resumption_secret"} {
		n := s.Node(id)
		switch {
		case n == nil || n.Covers.Text == "":
			t.Errorf("§%s: it is not known what %s covers", r.Section, id)
		case ok && n.Covers.Text != want[i]:
			t.Errorf("§%s: %s covers %s, expected %s", r.Section, id, n.Covers.Text, want[i])
		}
	}
}
