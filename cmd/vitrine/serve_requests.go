package main

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// requests are the HTTP requests that a connection has brought so far.
type requests struct {
	count int
	last  []int // the events of the records in which the last one came, head and all
	data  []int // the events of all records with data of the client
}

// requestsIn finds the requests in what the server opened.
func requestsIn(entries []trace.Entry) *requests {
	s := &stream{}
	for i, e := range entries {
		rec, ok := e.Event.(*trace.Record)
		if ok && e.Role == trace.Server && rec.From == iana.Client &&
			rec.Direction == trace.Opened && rec.ContentType == iana.RecordApplicationData {
			s.bytes = append(s.bytes, rec.Plaintext...)
			s.records = append(s.records, i)
			s.ends = append(s.ends, len(s.bytes))
		}
	}
	found := &requests{data: s.records}
	find := http1Requests
	if bytes.HasPrefix(s.bytes, []byte(http2Preface)) {
		find = http2Requests
	}
	for _, r := range find(s.bytes) {
		found.count++
		found.last = s.within(r[0], r[1])
	}
	return found
}

// sentence describes the records of the last request.
func (r *requests) sentence() string {
	if r.count == 1 {
		return "This record brought the request that this page answers."
	}
	return "This record brought the latest request of this connection."
}

// unveil copies the client's data into hidden, which has the entries without secrets. The reader of
// the page has sent this data itself: only this client used the connection.
func (r *requests) unveil(entries, hidden []trace.Entry) {
	for _, i := range r.data {
		from, ok := entries[i].Event.(*trace.Record)
		to, also := hidden[i].Event.(*trace.Record)
		if ok && also {
			to.Plaintext = from.Plaintext
		}
	}
}

// stream is the data of one direction, and where its records end.
type stream struct {
	bytes         []byte
	records, ends []int
}

// within returns the events of the records that hold the bytes from start up to end.
func (s *stream) within(start, end int) (events []int) {
	for i, event := range s.records {
		begin := 0
		if i > 0 {
			begin = s.ends[i-1]
		}
		if begin < end && s.ends[i] > start {
			events = append(events, event)
		}
	}
	return events
}

var requestLine = regexp.MustCompile(`(?m)^[A-Z]+ [^ \r\n]+ HTTP/1\.[01]\r?$`)

// http1Requests returns where requests of HTTP/1.1 begin and their heads end. Of a body with a line
// like the first of a request it takes that for one.
func http1Requests(data []byte) (found [][2]int) {
	for _, m := range requestLine.FindAllIndex(data, -1) {
		end := len(data)
		if n := bytes.Index(data[m[0]:], []byte("\r\n\r\n")); n >= 0 {
			end = m[0] + n + 4
		}
		found = append(found, [2]int{m[0], end})
	}
	return found
}

// What HTTP/2 frames look like. See RFC 9113 §3.4, §4.1, §6.2 and §6.10.
const (
	http2Preface      = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	http2Header       = 9
	http2Headers      = 1
	http2Continuation = 9
)

// http2Requests returns where the frames with the fields of a request begin and end.
func http2Requests(data []byte) (found [][2]int) {
	for at := len(http2Preface); at+http2Header <= len(data); {
		f := data[at:]
		end := at + http2Header + (int(f[0])<<16 | int(f[1])<<8 | int(f[2]))
		switch {
		case f[3] == http2Headers:
			found = append(found, [2]int{at, min(end, len(data))})
		case f[3] == http2Continuation && len(found) > 0:
			found[len(found)-1][1] = min(end, len(data))
		}
		at = end
	}
	return slices.Clip(found)
}
