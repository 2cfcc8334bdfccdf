package html

import (
	"testing"

	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/wire"
)

// Every field of a certificate has its sentence; one that comes again, in a name or a list, needs
// no second. See issue 12 §5.
func TestEveryFieldOfACertificateHasItsSentence(t *testing.T) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []throwaway.Kind{throwaway.RSA, throwaway.RSAPSS, throwaway.ECDSA,
		throwaway.Ed25519} {
		c, err := ca.Issue(kind, []string{"vitrine.test", "127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		fields := annotate(x509Syntax, c.Certificate[0], 0, 0)
		notes := annotateNotes(fields)
		told := map[string]bool{}
		for i, f := range fields {
			told[f.Name] = told[f.Name] || notes[f] != "" ||
				f.Name[0] == '[' && notes[f] == "" && told["["]
			told["["] = told["["] || notes[f] == numberedNote
			if f.Name == "extension" && extensionNote(fields[i:]) == "" {
				t.Errorf("%s: the extension at %d has no sentence: %v", kind, f.Offset, fields[i+2])
			}
			if f.Leaf && !told[f.Name] {
				t.Errorf("%s: %s at %d has no sentence", kind, f.Name, f.Offset)
			}
		}
	}
	if notes := annotateNotes([]wire.Field{{Name: "nothing"}}); len(notes) != 0 {
		t.Errorf("got %v", notes)
	}
}
