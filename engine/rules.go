package engine

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
)

// rules is what a connection of TLS 1.3 does differently from one of an earlier version, outside of
// records. Nothing else in this package asks for the version.
type rules struct {
	// alert takes an alert, and post a handshake message that comes after the handshake.
	alert func(*Engine, alert.Level, alert.Description) error
	post  func(*Engine, []byte) error
	// changeCipherSpec takes a ChangeCipherSpec.
	changeCipherSpec func(*Engine) error
	// earlyData says that the client may have sent early data.
	earlyData bool
	// alerts and closing are the sections that define alerts and demand close_notify.
	alerts, closing string
	// updates says that a side replaces its keys when they are nearly used up.
	updates bool
}

var (
	rules12 = rules{alert: (*Engine).alert12, post: (*Engine).post12,
		changeCipherSpec: func(e *Engine) error {
			// With cookies it may also come before the second ClientHello, which is then the first
			// on this connection, when nothing is protected yet.
			if len(e.machine.Config().CookieKeys) > 0 && e.machine.First() &&
				e.machine.Agreed == nil {
				return e.In.countDropped()
			}
			return e.machine.Take(e.me.Peer(), handshake.ChangeCipherSpec, nil)
		}, alerts: "RFC 5246 §7.2", closing: "RFC 5246 §7.2.1"}
	rules13 = rules{alert: (*Engine).alert13, post: (*Engine).post13,
		changeCipherSpec: func(e *Engine) error { return e.In.countDropped() },
		alerts:           "RFC 8446 §6", closing: "RFC 8446 §6.1", earlyData: true, updates: true}
)

// rules returns the rules of this connection. As long as no version is negotiated they are those of
// TLS 1.2.
func (e *Engine) rules() *rules {
	if e.machine.TLS13() {
		return &rules13
	}
	return &rules12
}
