package conformance_test

import (
	"cmp"
	"crypto/tls"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// A program tells failures apart by their kind, whichever side notices them.
func TestFailuresHaveAKind(t *testing.T) {
	type configs struct{ client, server *vitrine.Config }
	for want, c := range map[alert.Kind]struct {
		change func(configs)
		from   iana.Side
	}{
		alert.KindVersion: {func(c configs) {
			c.client.MaxVersion, c.server.MinVersion = tls.VersionTLS12, tls.VersionTLS13
		}, iana.Server},
		alert.KindSuite: {func(c configs) {
			c.client.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
			c.server.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
		}, iana.Server},
		alert.KindGroup: {func(c configs) {
			c.client.MaxVersion, c.server.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
			c.client.CurvePreferences = []tls.CurveID{tls.X25519}
			c.server.CurvePreferences = []tls.CurveID{tls.CurveP256}
		}, iana.Server},
		alert.KindScheme: {func(c configs) {
			c.client.MaxVersion, c.server.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
			c.client.SignatureSchemes = []tls.SignatureScheme{tls.ECDSAWithP384AndSHA384}
		}, iana.Server},
		alert.KindProtocol: {func(c configs) {
			c.client.NextProtos, c.server.NextProtos = []string{"a"}, []string{"b"}
		}, iana.Server},
		alert.KindNoCertificate: {func(c configs) {
			c.server.ClientAuth = tls.RequireAnyClientCert
		}, iana.Server},
		alert.KindMissing: {func(c configs) {
			c.client.ExtendedMasterSecret = vitrine.Off
			c.server.ExtendedMasterSecret = vitrine.Required
		}, iana.Server},
		alert.KindCallback: {func(c configs) {
			c.client.VerifyConnection = func(vitrine.ConnectionState) error {
				return errors.New("no")
			}
		}, iana.Client},
	} {
		both := configs{rig.ClientConfig(), rig.ServerConfig(t)}
		both.client.MaxVersion, both.server.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		both.server.MinVersion, both.client.MinVersion = tls.VersionTLS12, tls.VersionTLS12
		if want == alert.KindVersion {
			both.server.MaxVersion = tls.VersionTLS13
		}
		c.change(both)
		errs, _ := attempt(t, both.client, both.server)
		if got := alert.KindOf(errs[c.from]); got != want {
			t.Errorf("got %q of %v, expected %q", got, errs[c.from], want)
		}
		// The other side received an alert, which does not contain the reason.
		if got := alert.KindOf(errs[c.from.Peer()]); got != "" {
			t.Errorf("%q: the other side's error %v has the kind %q", want, errs[c.from.Peer()],
				got)
		}
	}
}

// telling are the alerts that name the cause by themselves: those of certificates, names and our
// own faults.
var telling = []string{"InternalError", "BadCertificate", "UnsupportedCertificate",
	"CertificateUnknown", "CertificateRevoked", "BadCertificateStatusResponse", "UnrecognizedName"}

// An error of another alert has a kind: illegal_parameter alone tells a program nothing.
func TestAlertsThatTellLittleHaveAKind(t *testing.T) {
	fset, found := token.NewFileSet(), 0
	err := filepath.WalkDir(testkit.Root(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "testdata" {
			return cmp.Or(err, fs.SkipDir)
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || types.ExprString(call.Fun) != "alert.Fail" {
				return true
			}
			found++
			name, ok := strings.CutPrefix(types.ExprString(call.Args[0]), "alert.")
			if ok && !slices.Contains(telling, name) {
				t.Errorf("%v: an error with the alert %s and no kind", fset.Position(call.Pos()),
					name)
			}
			return true
		})
		return nil
	})
	if err != nil || found < 20 {
		t.Errorf("looked at %d errors: %v", found, err)
	}
}
