package conformance_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/session"
)

// A session may have session.MaxSessionSize bytes, what the program has put into Extra included,
// and not one more: whether it is encoded, decoded or put into a ticket.
func TestASessionStateHasALimit(t *testing.T) {
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		client, server := rig.ClientConfig(version), rig.ServerConfig(t, version)
		var state *vitrine.SessionState
		server.WrapSession = func(_ vitrine.ConnectionState, s *vitrine.SessionState) ([]byte,
			error) {
			state = s
			return nil, nil
		}
		client.ClientSessionCache = &rig.OneSession{}
		rig.Pair(t, client, server)
		if state == nil {
			t.Fatal("no session was wrapped")
		}
		state.Extra = [][]byte{make([]byte, session.MaxSessionSize+1000)}
		var n int
		_, err := state.Bytes()
		if _, scanErr := fmt.Sscanf(
			fmt.Sprint(err),
			"vitrine: the session has %d bytes, expected at most",
			&n,
		); scanErr != nil {
			t.Fatalf("got the error %v", err)
		}
		room := session.MaxSessionSize - (n - len(state.Extra[0])) // beside the session itself
		for over := range 2 {
			state.Extra = [][]byte{make([]byte, room-1), make([]byte, 1+over)}
			b, err := state.Bytes()
			if (err != nil) != (over > 0) {
				t.Errorf("%d bytes too many: Bytes: %v", over, err)
			}
			if _, err := server.EncryptTicket(vitrine.ConnectionState{},
				state); (err != nil) != (over > 0) {
				t.Errorf("%d bytes too many: EncryptTicket: %v", over, err)
			}
			if over > 0 {
				continue // b is nil
			}
			if again, err := vitrine.ParseSessionState(b); err != nil ||
				len(again.Extra) != 2 || len(again.Extra[0]) != room-1 {
				t.Errorf("ParseSessionState: %v", err)
			}
		}
	})
}

// A ticket of WrapSession may be as long as a client keeps one, and no longer.
func TestAWrappedTicketHasALimit(t *testing.T) {
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		for over := range 2 {
			client, server := rig.ClientConfig(version), rig.ServerConfig(t, version)
			client.ClientSessionCache = &rig.OneSession{}
			server.WrapSession = func(vitrine.ConnectionState, *vitrine.SessionState) ([]byte,
				error) {
				return make([]byte, session.MaxSessionSize+over), nil
			}
			a, b := rig.Wires(t)
			c := vitrine.Client(a, client)
			done := make(chan error, 1)
			go func() {
				s := vitrine.Server(b, server)
				_, err := s.Write([]byte("hello"))
				s.Close()
				done <- err
			}()
			got, _ := io.ReadAll(c)
			err := <-done
			if d, _ := rig.AlertOf(err); over == 0 && (err != nil || string(got) != "hello") ||
				over > 0 && (d != alert.InternalError || len(got) > 0) {
				t.Errorf("%d bytes too many: got %q, %v", over, got, err)
			}
		}
	})
}
