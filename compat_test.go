package vitrine_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
)

// api is what a package exports: "Dial", "Config", "Config.Rand", "Conn.Read", "VersionTLS12", each with its type as the source spells it,
// without the names of parameters. Types that are another package's by an alias, and their members, are spelled "= tls.X".
type api map[string]string

func exported(t *testing.T, dir string) api {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", dir, err)
	}
	a, fset := api{}, token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			a.declare(d)
		}
	}
	return a
}

func (a api) declare(d ast.Decl) {
	if f, ok := d.(*ast.FuncDecl); ok {
		name := f.Name.Name
		if f.Recv != nil {
			recv := strings.TrimPrefix(spell(f.Recv.List[0].Type), "*")
			name = recv + "." + name
		}
		a.put(name, spell(f.Type))
		return
	}
	g := d.(*ast.GenDecl)
	for _, s := range g.Specs {
		switch s := s.(type) {
		case *ast.ValueSpec:
			for i, n := range s.Names {
				value := "const"
				if i < len(s.Values) {
					value = spell(s.Values[i])
				}
				a.put(n.Name, value)
			}
		case *ast.TypeSpec:
			a.declareType(s)
		}
	}
}

func (a api) declareType(s *ast.TypeSpec) {
	if s.Assign.IsValid() {
		a.put(s.Name.Name, "= "+spell(s.Type))
		return
	}
	a.put(s.Name.Name, "type")
	var members *ast.FieldList
	switch t := s.Type.(type) {
	case *ast.StructType:
		members = t.Fields
	case *ast.InterfaceType:
		members = t.Methods
	default:
		return
	}
	for _, f := range members.List {
		for _, n := range f.Names {
			if n.IsExported() {
				a.put(s.Name.Name+"."+n.Name, spell(f.Type))
			}
		}
	}
}

// put keeps what everybody can reach.
func (a api) put(name, typ string) {
	for part := range strings.SplitSeq(name, ".") {
		if !ast.IsExported(part) {
			return
		}
	}
	a[name] = typ
}

var qualified = regexp.MustCompile(`\btls\.(\w+)`)

// unqualify drops the qualifier where the name stands for crypto/tls's here as well.
func (a api) unqualify(typ string) string {
	return qualified.ReplaceAllStringFunc(typ, func(q string) string {
		if n := strings.TrimPrefix(q, "tls."); a[n] == "= "+q || a[n] == q {
			return n
		}
		return q
	})
}

// spell writes a type without parameters' names.
func spell(e ast.Node) string {
	ast.Inspect(e, func(n ast.Node) bool {
		f, ok := n.(*ast.FuncType)
		if !ok {
			return true
		}
		for _, list := range []*ast.FieldList{f.Params, f.Results} {
			if list == nil {
				continue
			}
			var flat []*ast.Field
			for _, p := range list.List {
				for range max(1, len(p.Names)) {
					flat = append(flat, &ast.Field{Type: p.Type})
				}
			}
			list.List = flat
		}
		return true
	})
	var b bytes.Buffer
	if err := format.Node(&b, token.NewFileSet(), e); err != nil {
		panic(err)
	}
	return b.String()
}

// verdicts reads the tables of docs/from-crypto-tls.md: what the first cell names in code, the second cell judges.
func verdicts(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("docs/from-crypto-tls.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	code := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, name := range code.FindAllStringSubmatch(cells[1], -1) {
			if said[name[1]] != "" {
				t.Errorf("%s has two verdicts", name[1])
			}
			said[name[1]] = strings.TrimSpace(cells[2])
		}
	}
	return said
}

// docs/from-crypto-tls.md says of every name of crypto/tls what became of it here, and is held to it.
func TestTheComparisonWithCryptoTLSIsTrue(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("go is not here: its source is what is compared")
	}
	theirs, ours, said := exported(t, filepath.Join(strings.TrimSpace(string(root)), "src/crypto/tls")), exported(t, "."), verdicts(t)
	count := map[string]int{}
	for name, typ := range theirs {
		owner, _, member := strings.Cut(name, ".")
		if member && (said[owner] == "absent" || strings.HasPrefix(ours[owner], "= ")) {
			count["with their type"]++
			continue
		}
		mine, exists := ours[name]
		mine = ours.unqualify(mine)
		verdict := said[name]
		count[verdict]++
		switch verdict {
		case "same":
			if alias := "= " + name; !exists || mine != typ && mine != alias && mine != name {
				t.Errorf("%s: in crypto/tls %q, here %q: not the same", name, typ, mine)
			}
		case "differs":
			if !exists {
				t.Errorf("%s differs, says the document, and does not exist", name)
			}
		case "absent":
			if exists {
				t.Errorf("%s is absent, says the document, and exists", name)
			}
		default:
			t.Errorf("%s has the verdict %q, expected same, differs or absent (crypto/tls: %s; here: %s)", name, verdict, typ, mine)
		}
	}
	for name := range said {
		if _, ok := theirs[name]; !ok && said[name] != "new" {
			t.Errorf("the document judges %s, which crypto/tls does not have", name)
		}
		if _, ok := ours[name]; !ok && said[name] == "new" {
			t.Errorf("%s is new, says the document, and does not exist", name)
		}
	}
	for name := range ours {
		owner, _, member := strings.Cut(name, ".")
		if _, known := theirs[name]; !known && said[name] == "" && !(member && said[owner] != "same" && said[owner] != "differs") {
			t.Errorf("%s is new, and the document does not know it", name)
		}
	}
	t.Logf("%d names of crypto/tls: %v", len(theirs), count)
}

// An import of crypto/tls that becomes one of vitrine must find what such programs look for.
func TestAFailedVerificationIsCryptoTLSsError(t *testing.T) {
	for _, c := range []struct {
		what   string
		config *vitrine.Config
		is     func(error) bool
	}{
		{"nobody we trust", &vitrine.Config{RootCAs: x509.NewCertPool(), ServerName: name},
			func(err error) bool { _, ok := errors.AsType[x509.UnknownAuthorityError](err); return ok }},
		{"another name", clientConfig(func(c *vitrine.Config) { c.ServerName = "elsewhere.test" }),
			func(err error) bool { _, ok := errors.AsType[x509.HostnameError](err); return ok }},
		{"too late", clientConfig(func(c *vitrine.Config) { c.Time = func() time.Time { return time.Now().AddDate(10, 0, 0) } }),
			func(err error) bool {
				e, ok := errors.AsType[x509.CertificateInvalidError](err)
				return ok && e.Reason == x509.Expired
			}},
	} {
		a, b := wires(t)
		err, _ := shake(vitrine.Client(a, c.config), vitrine.Server(b, serverConfig(t)))
		var cause *tls.CertificateVerificationError
		if !errors.As(err, &cause) || len(cause.UnverifiedCertificates) == 0 || !c.is(err) {
			t.Errorf("%s: got %v, expected a *tls.CertificateVerificationError", c.what, err)
		}
	}
}

func TestWhatCryptoTLSsConnCanDo(t *testing.T) {
	c, s := pair(t, clientConfig(), serverConfig(t))
	if err := c.VerifyHostname(name); err != nil {
		t.Error(err)
	}
	if c.VerifyHostname("elsewhere.test") == nil || s.VerifyHostname(name) == nil {
		t.Error("another name, or a server's end, was accepted")
	}
	blind, _ := pair(t, &vitrine.Config{InsecureSkipVerify: true}, serverConfig(t))
	if blind.VerifyHostname(name) == nil || vitrine.Client(nil, nil).VerifyHostname(name) == nil {
		t.Error("a name was verified without a chain that was")
	}
	cert := certificate(t, throwaway.ECDSA)
	staple, err := authority().Staple(cert.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	cert.OCSPStaple = staple
	if c, _ := pair(t, clientConfig(), serverConfig(t, func(c *vitrine.Config) { c.Certificates = []tls.Certificate{cert} })); !bytes.Equal(c.OCSPResponse(), staple) {
		t.Errorf("OCSPResponse is %q", c.OCSPResponse())
	}
}

// RFC 5929 §3: the first Finished, the client's in a full handshake and the server's in an abbreviated one; both ends have the same.
func TestTLSUniqueIsThatOfCryptoTLS(t *testing.T) {
	cache := tls.NewLRUClientSessionCache(0)
	server := serverConfig(t)
	for i := range 2 {
		a, b := wires(t)
		c := tls.Client(a, &tls.Config{RootCAs: authority().Pool(), ServerName: name, MaxVersion: tls.VersionTLS12, ClientSessionCache: cache})
		s := vitrine.Server(b, server)
		if err, serverErr := shake(c, s); err != nil || serverErr != nil {
			t.Fatal(err, serverErr)
		}
		theirs, ours := c.ConnectionState(), s.ConnectionState()
		if ours.DidResume != (i == 1) || ours.TLSUnique == nil || !bytes.Equal(ours.TLSUnique, theirs.TLSUnique) || ours.CurveID != theirs.CurveID && i == 0 {
			t.Errorf("connection %d: tls-unique is %x, crypto/tls says %x", i+1, ours.TLSUnique, theirs.TLSUnique)
		}
		want, err := theirs.ExportKeyingMaterial("EXPERIMENTAL vitrine test", nil, 32)
		if got, ourErr := ours.ExportKeyingMaterial("EXPERIMENTAL vitrine test", nil, 32); err != nil || ourErr != nil || !bytes.Equal(got, want) {
			t.Errorf("exported %x and %x, %v, %v", got, want, err, ourErr)
		}
	}
	c, _ := pair(t, clientConfig(func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Off }), serverConfig(t))
	if s := c.ConnectionState(); s.TLSUnique != nil {
		t.Error("there is a tls-unique without the extended master secret")
	}
	empty := &vitrine.ConnectionState{}
	if _, err := empty.ExportKeyingMaterial("EXPERIMENTAL vitrine test", nil, 32); err == nil {
		t.Error("an empty state exports")
	}
}

func TestTheDialersTimesHoldForTheHandshake(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, d := range []*net.Dialer{{Timeout: 50 * time.Millisecond}, {Deadline: time.Now().Add(50 * time.Millisecond)}, {Timeout: 50 * time.Millisecond, Deadline: deadline()}} {
		begun := time.Now()
		_, err := vitrine.DialWithDialer(d, "tcp", l.Addr().String(), clientConfig())
		if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() || time.Since(begun) > patience/2 {
			t.Errorf("got %v after %v", err, time.Since(begun))
		}
	}
}

func TestTheListsOfSuites(t *testing.T) {
	good, bad := vitrine.CipherSuites(), vitrine.InsecureCipherSuites()
	for _, list := range [][]*vitrine.CipherSuite{good, bad} {
		for _, s := range list {
			if vitrine.CipherSuiteName(s.ID) != s.Name || len(s.SupportedVersions) == 0 || s.Insecure != slices.Contains(bad, s) {
				t.Errorf("%+v", s)
			}
			if n := tls.CipherSuiteName(s.ID); !strings.HasPrefix(n, "0x") && n != s.Name {
				t.Errorf("%s is %s in crypto/tls", s.Name, n)
			}
		}
	}
	if vitrine.VersionName(vitrine.VersionTLS12) != "TLS 1.2" || len(good) == 0 || len(bad) == 0 {
		t.Error("nothing is listed")
	}
	t.Logf("%d suites, %d insecure ones", len(good), len(bad))
}

// Suites and groups of TLS 1.3, which many programs list beside the others, must be neither offered nor an error.
func TestWhatIsOfTLS13IsSkipped(t *testing.T) {
	offered := make(chan *vitrine.ClientHelloInfo, 1)
	client := clientConfig(func(c *vitrine.Config) {
		c.CipherSuites = []uint16{vitrine.TLS_AES_128_GCM_SHA256, vitrine.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
		c.CurvePreferences = []vitrine.CurveID{vitrine.X25519MLKEM768, vitrine.CurveP256}
		c.MaxVersion = vitrine.VersionTLS13
	})
	pair(t, client, serverConfig(t, func(c *vitrine.Config) {
		c.GetConfigForClient = func(i *vitrine.ClientHelloInfo) (*vitrine.Config, error) {
			offered <- i
			return nil, nil
		}
	}))
	i := <-offered
	if slices.Contains(i.CipherSuites, vitrine.TLS_AES_128_GCM_SHA256) || !slices.Equal(i.SupportedCurves, []vitrine.CurveID{vitrine.CurveP256}) {
		t.Errorf("offered %v and %v", i.CipherSuites, i.SupportedCurves)
	}
}

func TestAClientKnowsWhatItSupports(t *testing.T) {
	ecdsa, rsa := certificate(t, throwaway.ECDSA), certificate(t, throwaway.RSA)
	for _, c := range []struct {
		what  string
		suite uint16
		name  string
		want  [2]bool // of ecdsa, of rsa
	}{
		{"a suite that ECDSA signs for", vitrine.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, name, [2]bool{true, false}},
		{"a suite that RSA signs for", vitrine.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, name, [2]bool{false, true}},
		{"a suite that our policy does not have", vitrine.TLS_RSA_WITH_AES_128_GCM_SHA256, name, [2]bool{false, false}},
		{"another name", vitrine.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "elsewhere.test", [2]bool{false, false}},
	} {
		client := clientConfig(func(v *vitrine.Config) { v.CipherSuites, v.ServerName = []uint16{c.suite}, c.name })
		server := &vitrine.Config{GetCertificate: func(i *vitrine.ClientHelloInfo) (*vitrine.Certificate, error) {
			for n, cert := range []*vitrine.Certificate{&ecdsa, &rsa} {
				if err := i.SupportsCertificate(cert); (err == nil) != c.want[n] {
					t.Errorf("%s, certificate %d: %v", c.what, n, err)
				}
			}
			return &rsa, nil
		}}
		a, b := wires(t)
		_, _ = shake(vitrine.Client(a, client), vitrine.Server(b, server))
	}
}

// afar is a cache that keeps bytes, as one in another process would.
type afar struct{ ticket, state []byte }

func (o *afar) Get(string) (*vitrine.ClientSessionState, bool) {
	state, err := vitrine.ParseSessionState(o.state)
	if err != nil {
		return nil, false
	}
	s, err := vitrine.NewResumptionState(o.ticket, state)
	return s, err == nil
}

func (o *afar) Put(_ string, s *vitrine.ClientSessionState) {
	ticket, state, err := s.ResumptionState()
	if err != nil || state == nil {
		return
	}
	state.Extra = [][]byte{[]byte("kept"), {}}
	b, err := state.Bytes()
	if err != nil {
		panic(err)
	}
	o.ticket, o.state = ticket, b
}

func TestASessionSurvivesAsBytes(t *testing.T) {
	for _, c := range []struct {
		what   string
		server *vitrine.Config
	}{
		{"a ticket", serverConfig(t)},
		{"a session ID", serverConfig(t, func(c *vitrine.Config) { c.SessionTicketsDisabled, c.SessionStore = true, session.NewMemory(1) })},
	} {
		cache := &afar{}
		client := clientConfig(func(c *vitrine.Config) { c.ClientSessionCache = cache })
		for i := range 2 {
			if got, _ := pair(t, client, c.server); got.ConnectionState().DidResume != (i == 1) {
				t.Errorf("%s, connection %d: resumed %v", c.what, i+1, i == 0)
			}
		}
		state, err := vitrine.ParseSessionState(cache.state)
		if err != nil || fmt.Sprintf("%s", state.Extra) != "[kept ]" {
			t.Errorf("%s: Extra is %s, %v", c.what, state.Extra, err)
		}
		for n := range cache.state {
			if _, err := vitrine.ParseSessionState(cache.state[:n]); err == nil {
				t.Errorf("%s: %d bytes of %d were taken", c.what, n, len(cache.state))
			}
		}
	}
	if _, err := vitrine.NewResumptionState(nil, nil); err == nil {
		t.Error("nothing was taken for a session")
	}
}
