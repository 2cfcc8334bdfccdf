package explain

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// line13 says in which chapter a story of TLS 1.3 has a message, and with what explanation.
type line13 struct {
	chapter int
	facts   func(*teller13, *rung) []Fact
	after   func(*teller13) []Step // what the sides compute once it was sent, or nil
	next    int                    // the chapter of these steps
	nodes   func(*teller13, *rung) []*Node
}

// lines13 has the messages of TLS 1.3, by name and sender. A message that comes later than its
// chapter, as in post-handshake authentication, is told where it comes.
var lines13 map[string]line13

func init() { // the functions use the table
	lines13 = map[string]line13{
		"client_hello/client": {chapter: 1, facts: (*teller13).clientHello,
			after: (*teller13).earlySecrets, next: 1},
		"hello_retry_request/server": {chapter: 1, facts: (*teller13).retry},
		"server_hello/server": {chapter: 1, facts: (*teller13).serverHello,
			after: (*teller13).firstKeys, next: 2},
		"encrypted_extensions/server":   {chapter: 3, facts: (*teller13).encryptedExtensions},
		"certificate_request/server":    {chapter: 3, facts: (*teller13).request},
		"certificate/server":            {chapter: 3, facts: (*teller13).identity},
		"compressed_certificate/server": {chapter: 3, facts: (*teller13).identity},
		"certificate_verify/server":     {chapter: 3, facts: (*teller13).proof},
		"finished/server": {chapter: 3, facts: (*teller13).verifyData,
			after: (*teller13).applicationKeys, next: 4},
		"end_of_early_data/client":      {chapter: 5},
		"certificate/client":            {chapter: 5, facts: (*teller13).identity},
		"compressed_certificate/client": {chapter: 5, facts: (*teller13).identity},
		"certificate_verify/client":     {chapter: 5, facts: (*teller13).proof},
		"finished/client": {chapter: 5, facts: (*teller13).verifyData,
			after: (*teller13).laterKeys, next: 5},
		"new_session_ticket/server": {chapter: 7, facts: (*teller13).ticket,
			nodes: (*teller13).ticketKey},
		"key_update/client": {chapter: 7, facts: (*teller13).update,
			nodes: (*teller13).nextKeys},
		"key_update/server": {chapter: 7, facts: (*teller13).update,
			nodes: (*teller13).nextKeys},
	}
}

// name13 returns the name of a message and its sender, under which lines13 has it.
func name13(s *rung) string {
	name := s.Message.Type.String()
	if message.IsHelloRetryRequest(s.Message.Raw) {
		name = "hello_retry_request"
	}
	return name + "/" + s.From.String()
}

// chapterOf13 returns the number of the chapter of a line, given that of the line before.
func (t *teller13) chapterOf13(s *rung, current int) int {
	switch {
	case s.Message != nil:
		row, known := lines13[name13(s)]
		if t.late(s) {
			row.chapter = 7
		}
		if !known || row.chapter == 7 && current < 6 && t.dataAfter(s) {
			return current
		}
		return max(current, row.chapter)
	case s.Kind == iana.RecordChangeCipherSpec && s.From == iana.Client &&
		t.sent(iana.Server, iana.Finished, s):
		return max(current, 5)
	case s.Kind == iana.RecordApplicationData && t.sent(iana.Client, iana.Finished, s):
		return max(current, 6)
	case s.Kind == iana.RecordApplicationData && !t.readable && t.answered(s):
		return max(current, 6) // its type is known only with the keys
	case s.closes() && t.sent(iana.Client, iana.Finished, s):
		return 7
	}
	return current
}

// answered reports whether the server's hello was sent before a line.
func (t *teller13) answered(before *rung) bool {
	for _, s := range t.lines[:before.Number-1] {
		if s.is(iana.ServerHello) && !message.IsHelloRetryRequest(s.Message.Raw) {
			return true
		}
	}
	return false
}

// dataAfter reports whether application data is sent after a line.
func (t *teller13) dataAfter(line *rung) bool {
	for _, s := range t.lines[line.Number:] {
		if s.Kind == iana.RecordApplicationData {
			return true
		}
	}
	return false
}
