package interop_test

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// The matrix: each key exchange with each kind of cipher, and the features of connections. The
// result is docs/interop.md.

// A row is a suite with a version.
type row struct {
	version iana.Version
	*suite.Suite
}

func (r row) String() string {
	if r.version >= iana.TLS12 { // no suite of TLS 1.3 is one of TLS 1.2
		return r.ID.String()
	}
	return r.ID.String() + " with " + r.version.String()
}

// A column is something that a connection does or has.
type column int

const (
	fullHandshake column = iota
	byTicket
	byID
	clientCertificate
	protocol
	withEtM
	withoutEtM
	withEMS
	withoutEMS
	inFragments
	large
	weClose
	theyClose
	columns
)

var headings = [columns]string{"full", "by ticket", "by ID", "client certificate", "ALPN", "EtM",
	"no EtM", "EMS", "no EMS", "fragments", "1 MiB", "we close", "they close"}

func (c column) String() string { return headings[c] }

// An excuse says why a case cannot run. Fields that are nil hold for all.
type excuse struct {
	with    *interop.Stack
	them    []iana.Side
	columns []column
	rows    func(row) bool
	why     string
	runs    bool // it does run, and there is something to say about it
}

var (
	clients, servers = []iana.Side{iana.Client}, []iana.Side{iana.Server}
	anyRole          = []iana.Side{iana.Client, iana.Server}
)

// excuses are in the order of the document.
var excuses = []excuse{
	// RFC 7366: for CBC only
	{them: anyRole, columns: []column{withEtM, withoutEtM},
		rows: func(r row) bool { return !r.Cipher.CBC() }},
	// RFC 8446 §D.3: TLS 1.3 always does what it is for
	{them: anyRole, columns: []column{withEMS, withoutEMS}, rows: is13},
	{them: anyRole, columns: []column{clientCertificate},
		rows: func(r row) bool { return r.PreShared() },
		why:  "with a pre-shared key a server asks for no certificate (RFC 4279 §2)"},
	{with: interop.NSS, them: anyRole, columns: []column{withEtM},
		why: "NSS has no encrypt_then_mac"},
	{with: goTLS, them: anyRole, columns: []column{withEtM},
		why: "crypto/tls has no encrypt_then_mac"},
	{with: goTLS, them: anyRole, columns: []column{byID},
		rows: func(r row) bool { return !is13(r) },
		why:  "crypto/tls keeps no sessions by ID"},
	{them: servers, columns: []column{byID}, rows: is13,
		why: "TLS 1.3 has no session IDs; to their client, by ID is a ticket that is an ID of " +
			"our store"},
	{with: interop.NSS, them: clients, columns: []column{protocol},
		why: "tstclnt offers no protocols"},
	{with: interop.NSS, them: clients, columns: []column{byTicket, byID},
		rows: func(r row) bool { return !offeredByTstclnt(r) },
		why: "tstclnt does not offer NULL, 3DES with ECDHE or CBC with SHA-384 by itself, and " +
			"when it is told to, it aborts before it comes again"},
	{with: interop.NSS, them: clients, columns: []column{withoutEMS}, rows: offeredByTstclnt,
		why: "tstclnt always offers it, and who offers it must not resume a session without it " +
			"(RFC 7627 §5.3)"},
	{with: interop.GnuTLS, them: clients, columns: everyColumn(),
		rows: func(r row) bool { return r.PreShared() && r.Ephemeral() },
		why: "with DHE_PSK and ECDHE_PSK gnutls-cli crashes after its first handshake, with " +
			"OpenSSL's server as well"},
	{with: interop.GnuTLS, them: clients, columns: []column{weClose},
		why: "gnutls-cli does not answer our close_notify, so it is always the first to close"},
	{with: interop.GnuTLS, them: servers, columns: []column{theyClose},
		why: "gnutls-serv echoes until its client closes"},
	{with: interop.NSS, them: clients, columns: []column{theyClose},
		why: "tstclnt closes when we do"},
	{with: interop.NSS, them: servers, columns: []column{weClose},
		why: "selfserv closes after each answer of its HTTP"},
	{with: interop.GnuTLS, them: clients, columns: []column{large},
		rows: func(r row) bool {
			return r.ID != ecdheRSA && r.ID != iana.TLS_AES_128_GCM_SHA256
		},
		why: "gnutls-cli reads and writes each byte by itself, a second for 1 MiB, so one suite " +
			"of a version must do, and our direction"},
	{with: interop.NSS, them: servers, columns: []column{large}, runs: true,
		why: "from them; selfserv, which keeps no long request, is sent 4 KiB"},
}

func everyColumn() (all []column) {
	for c := range columns {
		all = append(all, c)
	}
	return all
}

// offeredByTstclnt reports whether tstclnt offers a suite by default.
func offeredByTstclnt(r row) bool {
	return r.Cipher != record.NULL &&
		(r.Cipher != record.DES_EDE3_CBC || !r.EllipticCurve() || r.PreShared()) &&
		r.MAC != record.HMAC_SHA384
}

// goTLS stands for crypto/tls, which runs in this process.
var goTLS = &interop.Stack{Name: "crypto/tls"}

// meaningless are how many of excuses, from the first on, say that a column does not exist for a
// row.
const meaningless = 2

func is13(r row) bool { return r.version == iana.TLS13 }

// excused reports whether a case cannot run.
func excused(with *interop.Stack, them iana.Side, r row, c column) bool {
	return slices.ContainsFunc(excuses, func(e excuse) bool { return e.holds(with, them, r, c) })
}

func (e *excuse) holds(with *interop.Stack, them iana.Side, r row, c column) bool {
	return !e.runs && (e.with == nil || e.with == with) && slices.Contains(e.them, them) &&
		slices.Contains(e.columns, c) && (e.rows == nil || e.rows(r))
}

// kind returns what distinguishes rows. Key lengths do not.
func kind(s *suite.Suite) string {
	return fmt.Sprint(s.ExchangeName(),
		strings.NewReplacer("_128", "", "_256", "").Replace(s.Cipher.Name), s.MAC)
}

// rowsOf returns a suite of each kind that both sides support, and a few for the versions below TLS
// 1.2.
func rowsOf(suites []*suite.Suite, oldest iana.Version) (rows []row) {
	seen := map[string]bool{}
	for _, s := range suites {
		if !seen[kind(s)] {
			seen[kind(s)] = true
			rows = append(rows, row{iana.TLS12, s})
		}
	}
	old := []iana.CipherSuite{iana.TLS_RSA_WITH_AES_128_CBC_SHA,
		iana.TLS_DHE_RSA_WITH_AES_128_CBC_SHA,
		iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
	for v := oldest; v < iana.TLS12; v++ {
		for _, s := range suites {
			if slices.Contains(old, s.ID) {
				rows = append(rows, row{v, s})
			}
		}
	}
	return rows
}

// results are the cases that succeeded.
type results struct {
	ran  atomic.Int32 // visits
	mu   sync.Mutex
	good map[string]bool
}

func (r *results) add(with *interop.Stack, them iana.Side, what row, c column) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.good[fmt.Sprint(with.Name, them, what, c)] = true
}

func (r *results) has(with *interop.Stack, them iana.Side, what row, c column) bool {
	return r.good[fmt.Sprint(with.Name, them, what, c)]
}

// A scene is two connections, of which the second resumes the first. Together the scenes fill all
// columns.
type scene struct {
	name    string
	columns []column
}

// The scenes have in common nothing but the row.
var (
	modernScene = scene{"by ticket",
		[]column{fullHandshake, byTicket, withEtM, withEMS, large, weClose}}
	olderScene = scene{"by ID",
		[]column{byID, clientCertificate, protocol, withoutEtM, withoutEMS, inFragments, theyClose}}
)

// possible reports whether any column of the scene applies.
func (s *scene) possible(with *interop.Stack, them iana.Side, r row) bool {
	return slices.ContainsFunc(s.columns, func(c column) bool { return !excused(with, them, r, c) })
}

func (s *scene) has(c column) bool { return slices.Contains(s.columns, c) }

func TestMatrix(t *testing.T) {
	all := &results{good: map[string]bool{}}
	var tables []table
	planned := 0
	for _, with := range []*interop.Stack{interop.OpenSSL, interop.GnuTLS, interop.NSS, goTLS} {
		rows := matrixRows(t, with)
		tables = append(tables, table{with, rows})
		visits := visitsTo(with, rows)
		planned += len(visits)
		visits = testkit.Sample(t, "visits to "+with.Name, 24, visits)
		t.Run(with.Name, func(t *testing.T) {
			for _, v := range visits {
				t.Run(fmt.Sprint(v.row, "/their ", v.them, "/", v.scene.name),
					func(t *testing.T) {
						t.Parallel()
						v.run(t)
						all.ran.Add(1)
						if !t.Failed() {
							v.enter(all)
						}
					})
			}
		})
	}
	if int(all.ran.Load()) < planned {
		t.Logf("%d of %d visits ran: nothing to compare docs/interop.md with", all.ran.Load(),
			planned)
	} else if !t.Failed() {
		document(t, tables, all)
	}
}

// visitsTo returns the visits of all rows in both roles.
func visitsTo(with *interop.Stack, rows []row) (visits []*visit) {
	for _, r := range rows {
		for _, them := range anyRole {
			for _, s := range []scene{modernScene, olderScene} {
				if !s.possible(with, them, r) {
					continue
				}
				v := &visit{meeting: meeting{with: with, them: them, suite: r.ID}, row: r, scene: s}
				if is13(r) {
					v.suite = anySuite // in a Config, they have a field of their own
				}
				visits = append(visits, v)
			}
		}
	}
	return visits
}

// enter records the columns of the scene as done.
func (v *visit) enter(all *results) {
	for _, c := range v.scene.columns {
		if v.can(c) {
			all.add(v.with, v.them, v.row, c)
		}
	}
}

// can reports whether the scene has the column and no excuse applies.
func (v *visit) can(c column) bool {
	return v.scene.has(c) && !excused(v.with, v.them, v.row, c)
}

func matrixRows(t *testing.T, with *interop.Stack) []row {
	t.Helper()
	if with == goTLS {
		var both []*suite.Suite
		for _, theirs := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
			if s := suite.ByID(iana.CipherSuite(theirs.ID)); s != nil {
				both = append(both, s)
			}
		}
		return append(rowsOf(both, iana.TLS10), rowsOf13(false)...)
	}
	require(t, with)
	suites, err := with.SuitesOf(t.Context(), suite.All())
	if err != nil {
		t.Fatal(err)
	}
	return append(rowsOf(suites, iana.TLS10), rowsOf13(with != interop.NSS)...)
}

// rowsOf13 returns the suites of TLS 1.3, of which not everybody has CCM.
func rowsOf13(ccm bool) (rows []row) {
	ids := []iana.CipherSuite{iana.TLS_AES_128_GCM_SHA256, iana.TLS_AES_256_GCM_SHA384,
		iana.TLS_CHACHA20_POLY1305_SHA256}
	if ccm {
		ids = append(ids, iana.TLS_AES_128_CCM_SHA256, iana.TLS_AES_128_CCM_8_SHA256)
	}
	for _, id := range ids {
		rows = append(rows, row{iana.TLS13, suite.ByID13(id)})
	}
	return rows
}

// us changes our configuration for the scene.
func (v *visit) us(c *vitrine.Config) {
	c.MinVersion, c.MaxVersion = uint16(v.row.version), uint16(v.row.version)
	switch {
	case is13(v.row):
		c.CipherSuites, c.CipherSuites13 = nil, []uint16{uint16(v.row.ID)}
	case v.row.version < iana.TLS12:
		c.Policy = vitrine.Legacy
	}
	if v.row.PreShared() {
		c.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) {
			return &vitrine.PSK{Identity: []byte(v.psk.Identity), Key: v.psk.Key}, nil
		}
	}
	if v.scene.has(protocol) {
		c.NextProtos = []string{"http/1.1"}
	}
	// the others leave it out themselves
	if (v.with == interop.NSS || v.with == goTLS) && v.can(withoutEMS) {
		c.ExtendedMasterSecret = vitrine.Off
	}
	v.keep(c)
}
