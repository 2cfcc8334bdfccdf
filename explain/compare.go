package explain

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
)

// Comparison has two runs side by side.
type Comparison struct {
	Names [2]string
	Rows  []Compared
}

// Compared is one property of both runs.
type Compared struct {
	What   string
	Values [2]string
}

// Differs reports whether the two runs differ in the property.
func (c Compared) Differs() bool { return c.Values[0] != c.Values[1] }

// Compare returns two stories side by side.
func Compare(first, second *Story, names [2]string) Comparison {
	c := Comparison{Names: names}
	for _, row := range []struct {
		what string
		of   func(*Story) string
	}{
		{"version", func(s *Story) string { return s.Version.String() }},
		{"suite", suiteName},
		{"lines", func(s *Story) string { return fmt.Sprint(len(storyLines(s))) }},
		{"bytes", func(s *Story) string { return thousands(s.Result.Wire) }},
		{"round trips", roundTrips},
		{"encrypted from", encryptedFrom},
		{"certificate", certificateOf},
		{"signed", signedOf},
		{"values equal on both sides", func(s *Story) string {
			return fmt.Sprintf("%d of %d", s.Result.Equal, s.Result.Compared)
		}},
		{"forward secret", func(s *Story) string {
			if !s.Result.Judged {
				return "–"
			}
			if s.Result.ForwardSecret && s.Result.EarlyData {
				return "yes, but not the early data"
			}
			return yes(s.Result.ForwardSecret)
		}},
		{"post-quantum", func(s *Story) string { return yes(s.Result.PostQuantum) }},
	} {
		c.Rows = append(c.Rows, Compared{row.what, [2]string{row.of(first), row.of(second)}})
	}
	return c
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func suiteName(s *Story) string {
	if s.Suite == nil {
		return "none"
	}
	return s.Suite.ID.String()
}

// storyLines returns the lines of the ladder.
func storyLines(s *Story) (lines []*Line) {
	for _, step := range stepsWithLines(s) {
		lines = append(lines, step.Line)
	}
	return lines
}

func stepsWithLines(s *Story) (steps []Step) {
	for _, c := range s.Chapters {
		for _, step := range c.Steps {
			if step.Line != nil {
				steps = append(steps, step)
			}
		}
	}
	return steps
}

// roundTrips returns how often the client waited for the server before it sent data. What somebody
// in between added does not count.
func roundTrips(s *Story) string {
	n, last := 0, iana.Server
	for _, step := range stepsWithLines(s) {
		switch {
		case added(step.Line.Fate):
			continue
		case step.Line.From == iana.Client && isData(step.Key):
			return fmt.Sprintf("%d before the client's data", n)
		case step.Line.From == iana.Server && last == iana.Client:
			n++
		}
		last = step.Line.From
	}
	return "no data"
}

func isData(key string) bool {
	const name = "application_data"
	return len(key) >= len(name) && key[:len(name)] == name
}

func encryptedFrom(s *Story) string {
	for _, l := range storyLines(s) {
		if l.Protected {
			return fmt.Sprintf("line %d, %s", l.Number, Escape(l.Name))
		}
	}
	return "nothing"
}

// certificateOf says which line shows the server's certificate, and whether it can be seen.
func certificateOf(s *Story) string {
	for _, l := range storyLines(s) {
		if l.From == iana.Server && l.Name == "Certificate" {
			if l.Protected {
				return fmt.Sprintf("line %d, encrypted", l.Number)
			}
			return fmt.Sprintf("line %d, in the clear", l.Number)
		}
	}
	return "none"
}

// signedOf says what the server signs.
func signedOf(s *Story) string {
	for _, l := range storyLines(s) {
		if l.From != iana.Server {
			continue
		}
		switch l.Name {
		case "CertificateVerify":
			return "the whole conversation so far"
		case "ServerKeyExchange":
			return "both randoms and its key share"
		}
	}
	return protocolOf(s.Version).unsigned
}
