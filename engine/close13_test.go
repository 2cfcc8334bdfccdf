package engine

import (
	"errors"
	"io"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// What follows a close_notify is ignored, whatever it is: RFC 8446 §6.1.
func TestDataAfterCloseNotifyIsIgnored(t *testing.T) {
	for what, behind := range map[string]func(e *Engine) error{
		"data":        func(e *Engine) error { return e.Seal([]byte("data")) },
		"a KeyUpdate": func(e *Engine) error { return e.UpdateKeys(iana.UpdateRequested) },
		"an alert": func(e *Engine) error {
			return e.SealAlert(alert.Fatal, alert.DecodeError, "")
		},
		"an unknown message": func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake, []byte{99, 0, 0, 0})
		},
	} {
		engines, _ := connectBy(t, config13)
		for side, e := range engines {
			other := engines[1-side]
			for _, step := range []func() error{
				func() error { return e.Seal([]byte("before")) },
				func() error { return e.SealAlert(alert.Warning, alert.CloseNotify, "") },
				func() error { return behind(e) },
			} {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
			arrive(other, append(sealed(e), 99, 99, 99)) // and bytes that are not a record
			got := make([]byte, 10)
			if n, err := other.Read(got); err != nil || string(got[:n]) != "before" {
				t.Fatalf("%s: %q, %v", what, got[:n], err)
			}
			for range 2 {
				if n, err := other.Read(got); n != 0 || err != io.EOF {
					t.Errorf("%s: got %q, %v", what, got[:n], err)
				}
			}
		}
		// both have received one, and both go on: the other direction is their own
		if err := engines[0].Seal([]byte("data")); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// user_canceled, of any level, waits for the close_notify that must follow; data may come before
// it. See RFC 8446 §6.1.
func TestUserCanceledWaitsForCloseNotify(t *testing.T) {
	for _, level := range []alert.Level{alert.Warning, alert.Fatal} {
		engines, _ := connectBy(t, config13)
		client, server := engines[0], engines[1]
		if err := client.SealAlert(level, alert.UserCanceled, ""); err != nil {
			t.Fatal(err)
		}
		if err := say(t, client, server, "data after it"); err != nil {
			t.Errorf("%v: %v", level, err)
		}
		if err := client.SealAlert(alert.Warning, alert.CloseNotify, ""); err != nil {
			t.Fatal(err)
		}
		arrive(server, sealed(client))
		if _, err := server.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%v: %v", level, err)
		}
	}
}

// A client that cancels in the midst of the handshake says so and closes: that is an end, and no
// protocol error.
func TestAHandshakeIsCanceled(t *testing.T) {
	_, server := afterClientHello(t)
	arrive(server, []byte{21, 3, 3, 0, 2, 1, byte(alert.UserCanceled)})
	if err := advance(server); err != nil {
		t.Errorf("user_canceled: %v", err)
	}
	arrive(server, []byte{21, 3, 3, 0, 2, 1, byte(alert.CloseNotify)})
	if err := advance(server); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("close_notify: %v", err)
	}
}
