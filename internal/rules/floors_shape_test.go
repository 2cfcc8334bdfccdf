package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What an import does not show: who asks what. Each rule has a list of the files that may break it,
// with the reason; a file that no longer does must leave the list.

// eachSource parses each Go file of this module but tests.
func eachSource(t *testing.T, do func(file string, f *ast.File)) {
	t.Helper()
	eachFile(t, ".go", func(file string, text []byte) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		do(file, f)
	})
}

// compare complains about each file that is not allowed to do what it does, and about each that is
// allowed to and does not.
func compare(t *testing.T, what string, did map[string]int, allowed map[string]string) {
	t.Helper()
	for _, file := range slices.Sorted(maps.Keys(did)) {
		if allowed[file] == "" {
			t.Errorf("%s %s, %d times", file, what, did[file])
		}
	}
	for _, file := range slices.Sorted(maps.Keys(allowed)) {
		if did[file] == 0 {
			t.Errorf("%s does not need its place on the list of what %s", file, what)
		}
	}
}

// exchangers make an agreement of a suite. The columns themselves are not exported.
var exchangers = map[string]string{
	"negotiation/agree.go":    "the agreement",
	"negotiation/choose.go":   "a server's choice, before there is an agreement",
	"explain/derive.go":       "an exercise has no hellos: its agreement is what its author wrote",
	"probe/answer.go":         "a probe reads answers without an agreement",
	"internal/script/peer.go": "a scripted peer speaks without an agreement",
}

// A suite of TLS 1.3 has no key exchange, so whoever took it from the suite would be wrong: it is a
// fact of the agreement. What else the columns tell is a question with a name: see
// suite/exchange.go.
func TestFloorNobodyAboveSuiteReadsItsKeyExchange(t *testing.T) {
	t.Chdir(root)
	did := map[string]int{}
	eachSource(t, func(file string, f *ast.File) {
		if path.Dir(file) == "suite" {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) > 0 {
				return true
			}
			if s, ok := call.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "KeyExchange" {
				did[file]++
			}
			return true
		})
	})
	compare(t, "reads a suite's key exchange", did, exchangers)
}

// versioners are those above floor 2 that ask for the version. What differs between versions is
// otherwise a figure, a key schedule, a row, or a fact with a name.
//
// A place is a folder, a file, or a file and a function.
var versioners = map[string]string{
	"negotiation/": "the negotiated parameters and the choices: here the version is chosen",

	"handshake/figures.go":      "which RFC a hello is read by",
	"handshake/figures12.go":    "which figure fits, and what SSL 3.0 lets a client leave out",
	"handshake/figures13.go":    "which figure fits",
	"handshake/client12.go":     "a renegotiation may not choose TLS 1.3",
	"handshake/server_hello.go": "a server chooses what it says",
	"handshake/server13.go":     "Suits asks what a server would choose",
	"handshake/score.go":        "TLS13 itself, for the packages above",
	"engine/rules.go":           "the row of what a connection does in a version",
	"session/session.go":        "IsPSK itself, and the highest age",

	"internal/cause/cause.go alertRef": "an alert is explained by the RFC of its version",
	"internal/cause/causes.go":         "the table of causes: some exist in one version only",

	"observe/protocol.go": "the row of what watching does in a version",

	// The API: what a program asks of a version, or is told about one.
	"compat.go":        "which versions a suite is for, as crypto/tls lists it",
	"config_suites.go": "a Config names versions: which suites of each are on",
	"errors.go":        "an error of the handshake has the ServerHello that told the version",
	"hooks.go":         "a callback is told the version, as crypto/tls tells it",
	"posthandshake.go": "what only TLS 1.3 has is refused before, and awaited after, a handshake",
	"postauth.go":      "only TLS 1.3 has it: ErrNotTLS13",
	"quic.go":          "QUIC needs TLS 1.3: RFC 9001 §4.2",
	"quic_sessions.go": "a session of QUIC is one of TLS 1.3",
	"resume.go":        "which of the kept sessions is offered, and how often it may be used",
	"state.go":         "ConnectionState's fields that TLS 1.3 does not have",

	// Above the API a version is what people ask about. A probe asks one version after another, a
	// diagnosis proposes another one, the command has flags that only one of them has: there the
	// version is the subject. A story of TLS 1.3 is another story, with other words for what it has
	// in common: explain/protocol.go chooses them.
	"explain/protocol.go":        "the row of what is told of a version",
	"explain/tell.go":            "which story is told, and of which versions there is none",
	"explain/hello.go":           "what the hellos say of the version, for the choice of the story",
	"explain/simplified.go":      "which of two lists a reader of these versions needs",
	"explain/terms.go":           "a dictionary: what each version is, and which RFC has a suite",
	"explain/anatomy.go":         "what an IV is that TLS 1.0 does not send",
	"explain/lessons.go":         "what the first record's version says, and why it says TLS 1.0",
	"explain/suites.go":          "which versions are deprecated, whatever the suite",
	"explain/exchange13.go":      "which suites are TLS 1.3's",
	"explain/derive.go":          "which versions an exercise of the PRF can be of",
	"explain/derive13.go":        "which suites an exercise of the key schedule can have",
	"explain/derive_mistakes.go": "tries each version as the one in a pre_master_secret",

	"diagnose/changes.go": "the table of changes: which versions were " +
		"offered",
	"diagnose/one.go Only": "the policy and the list that a suite of a " +
		"version needs",
	"diagnose/predicates.go speaks13": "whether TLS 1.3 was offered",
	"diagnose/server.go fits": "which policy allows the versions that a " +
		"client offers",
	"probe/answer.go": "what an answer in the clear consists of " +
		"in a version",
	"probe/facts.go": "questions that exist in one version only",
	"probe/offer.go": "the ClientHello of a question about one " +
		"version",
	"probe/order.go askGroupOrder": "TLS 1.3 is asked with key shares",
	"probe/policy.go Judge":        "which versions a policy allows",
	"probe/probe.go":               "the plan goes from version to version",
	"probe/prober.go sample":       "SSL 2.0 and 3.0 have no extensions to look at",
	"probe/refusal.go":             "what only TLS 1.3 has in a hello, and cannot do without",
	"probe/report.go Good":         "the newest versions are good",
	"probe/sessions.go": "sessions and tickets are questions of one " +
		"version each",
	"probe/sketch.go groups": "which versions have groups",
	"probe/speak.go": "the versions in which a whole handshake " +
		"is made",
	"probe/suites.go": "which groups and schemes belong to a " +
		"version",
	"probe/tolerance.go":                             "which version an unusual hello is made for",
	"probe/weaknesses.go":                            "weaknesses exist in one version only",
	"cmd/vitrine/cli_choices.go coherent":            "a suite must fit --min and --max",
	"cmd/vitrine/cli_psk.go preShared":               "flags for keys that only TLS 1.3 has",
	"cmd/vitrine/connect13.go coherent13":            "flags that only TLS 1.3 has",
	"cmd/vitrine/connect_attempt.go awaitVerdict":    "TLS 1.3 judges a client late",
	"cmd/vitrine/connect_attempt.go refused":         "TLS 1.3 judges a client late",
	"cmd/vitrine/connect_narrow.go narrow":           "a suite to add is of one version",
	"cmd/vitrine/connect_narrow.go why":              "a reason is about one version",
	"cmd/vitrine/connect_report.go setNegotiated":    "fields that TLS 1.3 does not have",
	"cmd/vitrine/connect_sessions.go again":          "how a version resumes",
	"cmd/vitrine/connect_sessions.go offeredSession": "how a version resumes",
	"cmd/vitrine/connect_sessions.go text":           "how a version resumes",
	"cmd/vitrine/derive.go given":                    "the version of an exercise",
	"cmd/vitrine/serve13.go sane13":                  "flags that only TLS 1.3 has",
	"cmd/vitrine/suites.go newRow":                   "suites of TLS 1.3 have no key exchange",
	"internal/demo/demo.go":                          "which case is performed",
	"internal/front/hello.go": "the page says what the visitor's version " +
		"has not",
	"playground/setup.go":     "which case is performed",
	"playground/unnoticed.go": "which RFC lets a side ignore what was done",
	"render/html/ladder.go": "where the picture changes keys: at " +
		"ChangeCipherSpec, or in the tree",
}

// isVersion reports whether an expression is the name of a version, such as iana.TLS13.
func isVersion(e ast.Expr) bool {
	name := ""
	switch e := e.(type) {
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); !ok || x.Name != "keys" { // keys.SSL30 is a hash
			name = e.Sel.Name
		}
	case *ast.Ident:
		name = e.Name
	}
	switch strings.TrimPrefix(name, "Version") {
	case "SSL30", "TLS10", "TLS11", "TLS12", "TLS13":
		return true
	}
	return false
}

// asksVersion reports whether a node compares a version, or calls a TLS13 method.
func asksVersion(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		s, ok := n.Fun.(*ast.SelectorExpr)
		return ok && s.Sel.Name == "TLS13" && len(n.Args) == 0
	case *ast.BinaryExpr:
		switch n.Op {
		case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
			return isVersion(n.X) || isVersion(n.Y)
		}
	case *ast.CaseClause:
		return slices.ContainsFunc(n.List, isVersion)
	}
	return false
}

// TLS 1.3 is one more set of figures and one more key schedule: no function asks for the version
// but those that choose it, or one of the two, and those whose subject it is.
func TestFloorNobodyAsksForTheVersion(t *testing.T) {
	t.Chdir(root)
	did := map[string]int{}
	eachSource(t, func(file string, f *ast.File) {
		dir := path.Dir(file)
		if h := floors[dir]; h <= floors["suite"] || h == testOnly {
			return
		}
		for _, decl := range f.Decls {
			place := file
			if fn, ok := decl.(*ast.FuncDecl); versioners[dir+"/"] != "" {
				place = dir + "/"
			} else if ok && versioners[file] == "" {
				place += " " + fn.Name.Name
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				if n != nil && asksVersion(n) {
					did[place]++
				}
				return true
			})
		}
	})
	compare(t, "asks for the version", did, versioners)
}

// The questions that the test above looks for are found in each form.
func TestFloorEachQuestionForTheVersionIsNoticed(t *testing.T) {
	t.Chdir(root)
	for _, c := range []struct {
		code string
		asks bool
	}{
		{"v == iana.TLS13", true}, {"a.Version < iana.TLS12", true}, {"v >= VersionTLS13", true},
		{"iana.SSL30 != v", true}, {"m.TLS13()", true}, {"s.Score.TLS13()", true},
		{"min(v, iana.TLS12)", false}, {"f(iana.TLS13)", false}, {"c.Offers13()", false},
		{"h == keys.SSL30", false},
		{"message.Dialect{Version: iana.TLS13}", false},
	} {
		e, err := parser.ParseExpr(c.code)
		if err != nil {
			t.Fatal(err)
		}
		asks := false
		ast.Inspect(e, func(n ast.Node) bool {
			asks = asks || n != nil && asksVersion(n)
			return true
		})
		if asks != c.asks {
			t.Errorf("%s: %v, expected %v", c.code, asks, c.asks)
		}
	}
}

// maxLines is the length of the longest file that is written by hand.
const maxLines = 430

func TestFloorNoFileIsTooLong(t *testing.T) {
	t.Chdir(root)
	for _, suffix := range []string{".go", ".js", ".css", ".sh", ".py"} {
		eachFile(t, suffix, func(file string, text []byte) {
			head, _, _ := strings.Cut(string(text), "\npackage ")
			if strings.Contains(head, "DO NOT EDIT") {
				return
			}
			if n := strings.Count(string(text), "\n"); n > maxLines {
				t.Errorf("%s has %d lines, expected at most %d", file, n, maxLines)
			}
		})
	}
}

// flaggers name flags of the command outside of it.
var flaggers = map[string]string{
	"explain/result.go":   "a story of `vitrine handshake` ends with what to try next",
	"explain/result13.go": "the same for TLS 1.3",
	"internal/demo/demo.go": "a seeded run is what `vitrine handshake --seed` makes: " +
		"the name is part of what is hashed",
}

// flagName finds a flag in the value of a string: "--keylog", "give --rsa-key".
var flagName = regexp.MustCompile(`(^|[^-a-z0-9])--[a-z][a-z0-9-]*`)

// A library says what is missing, and the command which flag gives it: who uses the library has no
// flags.
func TestFloorLibrariesNameNoFlags(t *testing.T) {
	t.Chdir(root)
	did := map[string]int{}
	eachSource(t, func(file string, f *ast.File) {
		if h := floors[path.Dir(file)]; h == testOnly || h >= floors["cmd/vitrine"] {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING &&
				flagName.MatchString(l.Value) {
				did[file]++
			}
			return true
		})
	})
	compare(t, "names flags of the command", did, flaggers)
}
