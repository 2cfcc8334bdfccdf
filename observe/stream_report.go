package observe

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/bug"
	"github.com/vitrine-tls/vitrine/record"
)

// maxAnswer bounds how much is kept of an answer in the clear.
const maxAnswer = 80

// End says that no more bytes will come.
func (s *Stream) End() {
	s.ended = true
	if s.conn == nil {
		return
	}
	s.conn.ending = s.ending()
	s.conn.Close()
}

// ending returns how the stream ended.
func (s *Stream) ending() ending {
	server := iana.Server
	if s.Flipped {
		server = iana.Client
	}
	e := ending{}
	if w := &s.ways[server]; !w.started && w.clear > w.before && w.missing == 0 {
		e.answered = true
		fresh := w.kept[max(0, int64(len(w.kept))-(w.clear-w.before)):]
		e.answer = bytes.Clone(fresh[:min(len(fresh), maxAnswer)])
	}
	if f := s.Facts; f != nil {
		e.known, e.by, e.how = f.Ended(), s.side(f.First), f.Endings[f.First]
		e.cut, e.snaplen = f.Cut, f.Snaplen
		e.packets[s.side(iana.Client)] = f.Packets[iana.Client]
		e.packets[s.side(iana.Server)] = f.Packets[iana.Server]
	}
	return e
}

// breakOff ends the reading after a panic: nothing of the Connection can be relied upon. What it
// reported until then is kept, if it can still be asked.
func (s *Stream) breakOff(failed error) {
	r := &Report{}
	if err := bug.Survive(func() { r = s.Report() }); err != nil {
		r = &Report{}
	}
	why := &Reason{Code: InternalError,
		Detail: "the reading of this connection ended by a bug: " + bug.Text(failed)}
	r.Decrypted, r.Reason, r.Reasons = false, why, [2]*Reason{why, why}
	*s = Stream{Flipped: s.Flipped, ended: true, broken: r}
}

// Report returns the Connection's report, or one that says why there is no Connection.
func (s *Stream) Report() *Report {
	if s.broken != nil {
		return s.broken
	}
	if s.conn != nil {
		return s.conn.Report()
	}
	r := &Report{Reason: &Reason{Code: NotTLS,
		Detail: "no TLS handshake begins in this connection"}}
	for i := range s.ways {
		w := &s.ways[i]
		r.Flows[i].Missing = w.missing
		if w.middle || !w.dropped && records(w.kept) {
			r.Reason = &Reason{Code: HandshakeNotCaptured,
				Detail: "the records of a TLS connection, without the ClientHello that began it",
				Remedy: "begin the capture before the connection"}
		}
	}
	if r.Reason.Code == NotTLS {
		r.Clear = s.inTheClear()
	}
	if r.Reason.Code == HandshakeNotCaptured {
		for i := range s.ways {
			r.Flows[i].Unread = s.ways[i].clear
		}
		if half := s.halved(); half != nil {
			r.Reason = half
		} else if n := s.ways[iana.Client].missing; n > 0 && s.Facts != nil &&
			s.Facts.Opened[iana.Client] {
			e := s.ending()
			r.Reason = e.cutShort(&Reason{Code: BytesMissing, Detail: fmt.Sprintf("%d bytes of "+
				"the client are not in the capture, its ClientHello among them", n)})
		}
	}
	return r
}

// halved returns the reason for records without a ClientHello of which the capture has one
// direction, or nil if it has both. Without the beginning of the TCP connection only a ServerHello
// shows whose packets they are.
func (s *Stream) halved() *Reason {
	e := s.ending()
	n := e.packets[0] + e.packets[1]
	if n == 0 || e.packets[0] > 0 && e.packets[1] > 0 {
		return nil
	}
	for i := range s.ways {
		b := s.ways[i].kept
		if len(b) > record.HeaderLen && iana.ContentType(b[0]) == iana.RecordHandshake &&
			iana.HandshakeType(b[record.HeaderLen]) == iana.ServerHello {
			e.packets = [2]int{iana.Server: n}
			return e.halved()
		}
	}
	half := e.halved()
	half.Detail = fmt.Sprintf("the capture has the packets of one side (%d) and none of the "+
		"other's: the keys need both hellos", n)
	return half
}

// attempts has the beginnings of a client's requests for TLS, with the description of a connection
// in which no TLS follows.
var attempts = []struct{ says, name string }{
	{"CONNECT ", "CONNECT to an HTTP proxy, after which no TLS came"},
	{"STARTTLS", "STARTTLS, after which no TLS came"},
	{"starttls", "STARTTLS, after which no TLS came"},
	{"STLS\r\n", "STLS, after which no TLS came"},
	{"AUTH TLS", "AUTH TLS, after which no TLS came"},
	{"SSH-", "SSH"},
	{"GET ", "HTTP"},
	{"POST ", "HTTP"},
	{"HEAD ", "HTTP"},
	{"PUT ", "HTTP"},
	{"OPTIONS ", "HTTP"},
	{"PRI * HTTP/2", "HTTP/2 in the clear"},
	{"EHLO ", "SMTP"},
	{"HELO ", "SMTP"},
	{"\x00\x00\x00\x08\x04\xd2\x16\x2f", "PostgreSQL that asked for TLS in vain"},
}

// inTheClear names the protocol of a connection without TLS by its first bytes.
func (s *Stream) inTheClear() string {
	if b := s.ways[iana.Client].kept; len(b) > 5 && b[0]&0x80 != 0 && b[2] == 1 && b[3] == 0 &&
		b[4] == 2 {
		return "SSL 2.0, which is not read"
	}
	if a := s.ways[iana.Client].kept; !s.ways[iana.Client].dropped {
		for _, x := range attempts {
			if bytes.HasPrefix(a, []byte(x.says)) || strings.Contains(x.name, "after which") &&
				bytes.Contains(a, []byte("\n"+x.says)) {
				return x.name
			}
		}
	}
	for _, w := range s.ways {
		for _, g := range greetings {
			if !w.dropped && len(g.begins) > 2 && bytes.HasPrefix(w.kept, []byte(g.begins)) {
				return g.name
			}
		}
	}
	return ""
}
