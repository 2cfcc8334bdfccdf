package conformance_test

import (
	"bytes"
	"crypto/tls"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// lines collects what several connections write.
type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

// The other end is crypto/tls: what both derive and log must be the same. It does not log the
// exporter's secret of TLS 1.3, from which ours is checked.
func TestExporterAndKeyLogAgreeWithCryptoTLS(t *testing.T) {
	rig.EachVersion(t, testExporterAndKeyLogAgreeWithCryptoTLS)
}

func testExporterAndKeyLogAgreeWithCryptoTLS(t *testing.T, version func(*vitrine.Config)) {
	var ours, theirs lines
	config := &tls.Config{RootCAs: rig.Authority().Pool(), ServerName: rig.ServerName,
		MaxVersion: rig.ClientConfig(version).MaxVersion, KeyLogWriter: &theirs,
		Certificates: []tls.Certificate{rig.Certificate(t, throwaway.ECDSA)}}
	logs := func(c *vitrine.Config) { c.KeyLogWriter = &ours }
	compare := func(c *vitrine.Conn, other *tls.Conn) {
		t.Helper()
		state := other.ConnectionState()
		n := 0
		for _, context := range [][]byte{nil, {}, []byte("context"), make([]byte, 1000)} {
			for _, length := range []int{0, 1, 32, 100} {
				n++
				got, err := c.ExportKeyingMaterial("EXPORTER-vitrine", context, length)
				want, wantErr := state.ExportKeyingMaterial("EXPORTER-vitrine", context, length)
				if err != nil || wantErr != nil || !bytes.Equal(got, want) {
					t.Errorf("context of %d, %d bytes: got %x, %v, expected %x, %v", len(context),
						length, got, err, want, wantErr)
				}
			}
		}
		if _, err := c.ExportKeyingMaterial("master secret", nil, 48); err == nil &&
			config.MaxVersion == tls.VersionTLS12 { // in TLS 1.3 no label is anybody else's
			t.Error("the master_secret was exported")
		}
		t.Logf("%d exports", n)
	}
	a, b := rig.Wires(t)
	client, server := vitrine.Client(a, rig.ClientConfig(version, logs)), tls.Server(b, config)
	if _, err := client.ExportKeyingMaterial("EXPORTER-vitrine", nil, 32); err == nil {
		t.Error("exported before the handshake")
	}
	if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	compare(client, server)
	a, b = rig.Wires(t)
	other, us := tls.Client(a, config), vitrine.Server(b, rig.ServerConfig(t, version, logs))
	if err, serverErr := rig.Shake(other, us); err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	compare(us, other)
	logged := map[uint16][]string{vitrine.VersionTLS12: {"CLIENT_RANDOM"},
		vitrine.VersionTLS13: {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
			"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}}
	for _, label := range logged[config.MaxVersion] {
		if strings.Count(ours.String(), label+" ") != 2 {
			t.Errorf("%s: not once for each connection:\n%s", label, ours.String())
		}
	}
	mine := slices.Sorted(strings.Lines(ours.String()))
	exporters := len(mine)
	mine = slices.DeleteFunc(mine,
		func(line string) bool { return strings.HasPrefix(line, "EXPORTER_SECRET ") })
	exporters -= len(mine)
	if want := slices.Sorted(strings.Lines(theirs.String())); !slices.Equal(mine, want) ||
		config.MaxVersion == vitrine.VersionTLS13 != (exporters == 2) {
		t.Errorf("got key log\n%sexpected\n%s", ours.String(), theirs.String())
	}
}

// RFC 9266 §2, with crypto/tls, which has no name for it, at the other end. In TLS 1.3 there is no
// tls-unique.
func TestBothEndsExportTheSameChannelBinding(t *testing.T) {
	rig.EachVersion(t, testBothEndsExportTheSameChannelBinding)
}

func testBothEndsExportTheSameChannelBinding(t *testing.T, version func(*vitrine.Config)) {
	a, b := rig.Wires(t)
	client := vitrine.Client(a, rig.ClientConfig(version))
	server := tls.Server(b, &tls.Config{
		Certificates: []tls.Certificate{rig.Certificate(t, throwaway.ECDSA)}})
	if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	ours, theirs := client.ConnectionState(), server.ConnectionState()
	got, err := ours.TLSExporter()
	want, wantErr := theirs.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
	if err != nil || wantErr != nil || len(got) != 32 || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v, expected %x, %v", got, err, want, wantErr)
	}
	if unique := ours.TLSUnique != nil; unique != (ours.Version == tls.VersionTLS12) {
		t.Errorf("%s: a tls-unique: %v", vitrine.VersionName(ours.Version), unique)
	}
	plain, _ := rig.Pair(t, rig.ClientConfig(rig.Until12,
		func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Off }), rig.ServerConfig(t))
	state := plain.ConnectionState()
	if b, err := state.TLSExporter(); b != nil || err == nil {
		t.Errorf("without the extended master secret: %x", b)
	}
}

// RFC 7627 §5.4: without the extension a master_secret may belong to two connections.
func TestExporterNeedsExtendedMasterSecret(t *testing.T) {
	client, server := rig.Pair(
		t,
		rig.ClientConfig(
			rig.Until12,
			func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Off },
		),
		rig.ServerConfig(t, rig.Until12),
	)
	for _, c := range []*vitrine.Conn{client, server} {
		if b, err := c.ExportKeyingMaterial("EXPORTER-vitrine", nil, 32); b != nil || err == nil ||
			!strings.Contains(err.Error(), "RFC 7627 §5.4") {
			t.Errorf("got %x, %v", b, err)
		}
	}
}
