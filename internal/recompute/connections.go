package recompute

import "bytes"

// retryRandom is the random that makes a ServerHello a HelloRetryRequest. See RFC 8446 §4.1.3.
var retryRandom = unhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

// connections splits one role's events into its connections. A connection begins with the first
// ClientHello and with what its sender derives, and its receiver reads, just before it.
func connections(events []event) (all [][]event) {
	begin, retried := 0, false
	for i, e := range events {
		if e.text("event") != "message" {
			continue
		}
		raw := e.bytes("raw")
		if e.text("type") == "client_hello" && !retried {
			at := i
			for at > begin && precedesHello(events[at-1]) {
				at--
			}
			if i > 0 && at > begin {
				all = append(all, events[begin:at])
				begin = at
			}
		}
		retried = len(raw) > 38 && bytes.Equal(raw[6:38], retryRandom)
	}
	return append(all, events[begin:])
}

// precedesHello reports whether an event right before a ClientHello belongs to its connection.
func precedesHello(e event) bool {
	switch e.text("event") {
	case "derived", "choice", "shared_secret", "throwaway_key", "notice":
		return true
	case "record":
		return e.text("from") == "client" && e.text("protection") == ""
	}
	return false
}

// isTLS13 reports whether a ServerHello chose TLS 1.3.
func isTLS13(events []event) bool {
	for _, e := range events {
		if e.text("event") != "message" || e.text("type") != "server_hello" {
			continue
		}
		if h := parseHello(e.bytes("raw")); bytes.Equal(h.extensions[extVersions], []byte{3, 4}) {
			return true
		}
	}
	return false
}
