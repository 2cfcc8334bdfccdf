package conformance_test

import (
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/trace"
)

// springing is a Config's Trace that panics when a record of application data was sealed.
type springing struct{ armed bool }

func (s *springing) Put(e trace.Entry) {
	r, ok := e.Event.(*trace.Record)
	if ok && s.armed && r.Direction == trace.Sealed && r.ContentType == iana.RecordApplicationData {
		panic("sprung")
	}
}

// A panic while a record is sealed ends the connection: nothing follows it, since half a record may
// be out, and who calls next does not wait for ever for what the panic left behind.
func TestAPanicLetsGoOfTheConnection(t *testing.T) {
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		sink := &springing{}
		c, _ := rig.Pair(t, rig.ClientConfig(version, func(c *vitrine.Config) { c.Trace = sink }),
			rig.ServerConfig(t, version))
		sink.armed = true
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the trap was not sprung")
				}
			}()
			c.Write([]byte("data"))
		}()
		sink.armed = false
		done := make(chan struct{})
		go func() {
			defer close(done)
			if n, err := c.Write([]byte("more")); n != 0 || err == nil {
				t.Errorf("wrote %d bytes after a panic, %v", n, err)
			}
			c.Close()
		}()
		select {
		case <-done:
		case <-time.After(rig.Patience):
			t.Fatal("the next Write waits for ever")
		}
	})
}
