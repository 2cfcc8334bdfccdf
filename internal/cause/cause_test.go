package cause

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// An alert is explained by the section of the version that was negotiated.
func TestAnAlertCitesItsVersion(t *testing.T) {
	newest := &message.ServerHello{Version: iana.TLS12}
	newest.Extensions.Add(iana.ExtSupportedVersions, &message.SelectedVersion{Version: iana.TLS13})
	for _, tt := range []struct {
		answered *message.ServerHello
		want     string
	}{
		{nil, "RFC 5246 §7.2.2"},
		{&message.ServerHello{Version: iana.TLS12}, "RFC 5246 §7.2.2"},
		{newest, "RFC 8446 §6.2"},
	} {
		f := Failure{Answered: tt.answered, Err: &alert.Received{Level: alert.Fatal,
			Description: alert.HandshakeFailure}}
		f.Read()
		if got := f.Explain(time.Now()).Ref; got != tt.want {
			t.Errorf("answered %v: %s, expected %s", tt.answered, got, tt.want)
		}
	}
}

// A client that stays silent has refused nothing.
func TestClientsThatGoAwayAndThatWaitAreToldApart(t *testing.T) {
	for _, tt := range []struct {
		err         error
		want, never string
	}{
		{os.ErrDeadlineExceeded, "sends nothing, or too slowly", "did not like"},
		{io.EOF, "did not like what it got", "sends nothing"},
	} {
		f := Failure{Side: iana.Server, Err: tt.err}
		f.Read()
		got := strings.Join(f.Explain(time.Now()).Inferred, "; ")
		if !strings.Contains(got, tt.want) || strings.Contains(got, tt.never) {
			t.Errorf("%v: inferred %q, expected %q", tt.err, got, tt.want)
		}
	}
}
