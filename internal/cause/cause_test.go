package cause

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/engine"
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

// What ended the answer to a ClientHello is not told as a hello that was dropped.
func TestEndingsOfAnAnswerAreToldApart(t *testing.T) {
	hello := &message.ClientHello{Version: iana.TLS12}
	echo := append([]byte{22, 3, 1, 0, 50, 1, 0, 0, 46, 3, 3}, make([]byte, 32)...)
	refused := &alert.Error{Alert: alert.UnexpectedMessage}
	for _, tt := range []struct {
		err   error
		first []byte
		want  string
	}{
		{&engine.TruncatedError{Peer: iana.Server, Partial: true}, nil,
			"in the middle of its answer"},
		{&engine.TruncatedError{Peer: iana.Server}, nil, "drops connections"},
		{&engine.ClosedError{}, nil, "by close_notify"},
		{io.ErrUnexpectedEOF, []byte{22, 3, 3, 0, 9, 2}, "in the middle of its ServerHello"},
		{refused, echo, "sends back what it gets"},
		{refused, append(echo[:42:42], 1), "a client of TLS, too"},
		{refused, []byte("SSH-2.0"), "begins as SSH does"},
	} {
		f := Failure{Side: iana.Client, Err: tt.err, Offered: hello, First: tt.first}
		f.Read()
		got := strings.Join(f.Explain(time.Now()).Inferred, "; ")
		if !strings.Contains(got, tt.want) {
			t.Errorf("%v, %x: inferred %q, expected %q", tt.err, tt.first, got, tt.want)
		}
	}
}
