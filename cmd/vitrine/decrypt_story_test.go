package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	screen "github.com/vitrine-tls/vitrine/render/term"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// recorded is a case of the captures' index: what tshark made of it.
type recorded struct {
	ID, File string
	Secrets  map[string]string
	Streams  []struct {
		Stream    int
		Version   string `json:"tls_version"`
		Suite     string `json:"cipher_suite"`
		Exchange  string `json:"key_exchange"`
		Decrypted bool
	}
}

// Words that only a story of one kind of version may have.
var (
	only12 = regexp.MustCompile(`PRF|P_SHA|\bmaster_secret|MAC_key|key_block|classic derivation|` +
		`RFC 5246 §|EMS|ServerKeyExchange`)
	only13 = regexp.MustCompile(`HKDF|traffic_secret|RFC 8446|QUANTUM|EncryptedExtensions`)
	never  = regexp.MustCompile(`\(not revealed\)|P_SHA|TRY|before it: CA|CAUGHT|` +
		`ephemeral keys are gone`)
)

// The story of a recorded connection is that of its version and suite, for all versions, figures
// and suites that the observer reads; and nothing is explained without events.
func TestCapturesAreToldByVersionAndSuite(t *testing.T) {
	dir, cases := testkit.Captures[recorded](t)
	n := map[string]int{}
	for _, c := range testkit.Sample(t, "captures", 3, cases) {
		for i, entries := range eventsOf(t, dir, c) {
			if i >= len(c.Streams) || len(entries) == 0 {
				continue
			}
			s := c.Streams[i]
			name := fmt.Sprintf("%s, stream %d", c.ID, s.Stream)
			if err := explain.Tellable(entries); err != nil {
				n["refused by name"]++
				if !untold(s.Version, s.Suite) {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if untold(s.Version, s.Suite) {
				t.Errorf("%s: there is a story of %s, %s", name, s.Version, s.Suite)
			}
			n[s.Version]++
			story := explain.Tell(entries, explain.Run{Command: "vitrine decrypt"})
			if got := story.Version.String(); got != s.Version {
				t.Errorf("%s: got a story of %s, expected %s", name, got, s.Version)
			}
			if story.Suite == nil || s.Suite != "" && story.Suite.ID.String() != s.Suite {
				t.Errorf("%s: got a story of %v, expected %s", name, story.Suite, s.Suite)
			}
			checkWords(t, name, story, s.Exchange)
		}
	}
	t.Logf("stories by version: %v", n)
	if n["TLS 1.3"] < 2 || n["TLS 1.2"] < 5 || !testing.Short() &&
		(n["TLS 1.3"] < 10 || n["TLS 1.2"] < 20) {
		t.Errorf("too few stories: %v", n)
	}
}

// eventsOf returns the events of the connections of a capture, in their order.
func eventsOf(t *testing.T, dir string, c recorded) (list [][]trace.Entry) {
	t.Helper()
	saved := filepath.Join(t.TempDir(), "events.json")
	args := []string{"decrypt", filepath.Join(dir, c.File), "--reveal", "--events", saved}
	for kind, flag := range map[string]string{"keylog": "--keylog", "rsa_key": "--rsa-key"} {
		if value := c.Secrets[kind]; value != "" {
			args = append(args, flag, filepath.Join(dir, value))
		}
	}
	if psk := c.Secrets["psk"]; psk != "" {
		args = append(args, "--psk", psk)
	}
	command(t, args...) // whatever the exit code: the capture may have more than can be read
	names := []string{saved}
	for i := range c.Streams {
		names = append(names, numbered(saved, streamName(c.Streams[i].Stream), 2))
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			if name != saved {
				list = append(list, nil)
			}
			continue
		}
		entries, err := trace.Read(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		if list = append(list, entries); name == saved {
			break
		}
	}
	return list
}

// untold reports whether no story knows a version or a suite.
func untold(version, name string) bool {
	id, ok := iana.SuiteByName(name)
	return version == "SSLv3" || strings.Contains(version, "draft") ||
		ok && suite.Readable(id) == nil
}

func checkWords(t *testing.T, name string, story *explain.Story, exchange string) {
	t.Helper()
	var b bytes.Buffer
	if err := screen.Write(&b, story, screen.Style{Unicode: true}); err != nil {
		t.Fatal(err)
	}
	text, foreign := b.String(), only13
	chapters := 6
	if story.Version == iana.TLS13 {
		foreign, chapters = only12, 7
		if story.Schedule == nil {
			t.Errorf("%s: no key schedule", name)
		}
	}
	for _, wrong := range []*regexp.Regexp{foreign, never} {
		if found := wrong.FindString(text); found != "" {
			t.Errorf("%s: %v must not say %q:\n%s", name, story.Version, found, text)
		}
	}
	if last := story.Chapters[len(story.Chapters)-1].Number; last > chapters {
		t.Errorf("%s: chapter %d", name, last)
	}
	ephemeral := story.Version == iana.TLS13 && !strings.Contains(exchange, "psk_ke") ||
		strings.Contains(exchange, "DHE") || strings.Contains(exchange, "anon")
	if strings.Contains(text, "FORWARD SECRET: YES") && !ephemeral {
		t.Errorf("%s: %s is not forward secret", name, exchange)
	}
}
