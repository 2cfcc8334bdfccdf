package conformance_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutants are checks that are taken out of the library, in a build that exists for this test alone:
// the library has no switch for them. Each takes the goal of a lesson along.
var mutants = []struct{ name, lesson, file, with, without string }{
	{"finished", "changed-offer", "handshake/spine.go",
		"if subtle.ConstantTimeCompare(got, want) != 1 {",
		"if subtle.ConstantTimeCompare(got, want) != 1 && os.Getenv(NAME) != VALUE {"},
	{
		"chain",
		"certificates",
		"pki/verify.go",
		"if err != nil {\n\t\treturn nil, c.refuse(err, t)\n\t}",
		"if err != nil && os.Getenv(NAME) == VALUE {\n" +
			"\t\treturn [][]*x509.Certificate{{leaf}}, nil\n" +
			"\t}\n\tif err != nil {\n\t\treturn nil, c.refuse(err, t)\n\t}",
	},
	{
		"mac",
		"replay-and-swap",
		"record/aead.go",
		openAEAD,
		"kept := slices.Clone(sealed[:n])\n" +
			"\t" + openAEAD + "\n" +
			"\tif err != nil && os.Getenv(NAME) == VALUE {\n" +
			"\t\treturn a.aead.Seal(nil, a.nonceOf(seq, fragment), kept, nil)[:n], nil\n\t}",
	},
	{"pre_master", "bad-key-exchanges", "kex/rsa.go",
		"subtle.ConstantTimeCopy(good, pre, candidate[:])",
		"if good == 0 && os.Getenv(NAME) == VALUE {\n" +
			"\t\treturn nil, alert.Fail(alert.DecryptError, \"RFC 5246 §7.4.7.1\", \"no\")\n\t}\n" +
			"\tsubtle.ConstantTimeCopy(good, pre, candidate[:])"},
}

// openAEAD is where a record is authenticated.
const openAEAD = "plain, err := a.aead.Open(sealed[:0], a.nonceOf(seq, fragment), sealed, " +
	"a.prefix.put(seq, h, n))"

// leftOut is the variable of the environment that names the check to leave out.
const leftOut = "VITRINE_TEST_WITHOUT"

func TestWithoutACheckItsLessonFails(t *testing.T) {
	if os.Getenv("VITRINE_MUTANTS") == "" {
		t.Skip("builds the library once more; on command: VITRINE_MUTANTS=1")
	}
	bin := buildMutants(t)
	lesson := func(env, id string) ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), bin, "-test.run",
			"^TestEveryLessonIsReachedByItsSolutionAlone$/^"+id+"$", "-test.v")
		cmd.Env = append(os.Environ(), leftOut+"="+env)
		return cmd.CombinedOutput()
	}
	for _, m := range mutants {
		if out, err := lesson(
			"",
			m.lesson,
		); err != nil ||
			!strings.Contains(string(out), m.lesson) {
			t.Errorf("%s: with all checks: %v\n%s", m.lesson, err, out)
		}
		out, err := lesson(m.name, m.lesson)
		if err == nil || !strings.Contains(string(out), "--- FAIL: TestEveryLesson") {
			t.Errorf("without the check %s its lesson is reached: %v\n%s", m.name, err, out)
		}
	}
}

// buildMutants builds the tests of package playground over a library in which each check can be
// left out.
func buildMutants(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for _, m := range mutants {
		file, err := filepath.Abs(filepath.Join("..", "..", filepath.FromSlash(m.file)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), m.with) != 1 {
			t.Fatalf("%s does not have this once: %s", m.file, m.with)
		}
		changed := strings.Replace(string(text), m.with, strings.NewReplacer("NAME",
			`"`+leftOut+`"`, "VALUE", `"`+m.name+`"`).Replace(m.without), 1)
		changed = strings.Replace(changed, "import (", "import (\n\t\"os\"", 1)
		replace[file] = filepath.Join(dir, m.name+".go")
		if err := os.WriteFile(replace[file], []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "mutants.test")
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", list, "-o", bin,
		"../../playground").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}
