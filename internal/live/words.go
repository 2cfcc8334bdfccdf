package live

import "strings"

// words says what a Reason means, in a few words. An alert has its own: see Words.
var words = map[string]string{
	"close_notify":         "closed",
	"closed_by_server":     "closed by the server",
	"service_failed":       "the service failed",
	"truncated":            "ended without close_notify",
	"reset":                "reset by the client",
	"idle":                 "idle for too long",
	"left_without_a_word":  "came and left without a word",
	"plain_http":           "spoke plain HTTP",
	"not_tls":              "did not speak TLS",
	"closed_in_handshake":  "left in the handshake",
	"reset_in_handshake":   "reset in the handshake",
	"timeout_in_handshake": "too slow in the handshake",
	"ended_in_handshake":   "ended in the handshake",
	"unknown":              "unknown: the server was ended",
	"ended":                "ended, it is not known how",
	"no_room":              "refused: no room",
	"address_share":        "refused: too many from its address",
	"sent_away":            "sent away, to make room",
}

// Words returns what a Reason means, in a few words for people. A code that it does not know, such
// as one of package observe's, becomes the words of the code.
func Words(reason string) string {
	for _, side := range []string{"client", "server"} {
		if alert, ok := strings.CutPrefix(reason, "alert_from_"+side+"_"); ok {
			return "alert of the " + side + ": " + alert
		}
	}
	if w := words[reason]; w != "" {
		return w
	}
	return strings.ReplaceAll(reason, "_", " ")
}
