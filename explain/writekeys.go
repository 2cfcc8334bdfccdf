package explain

import (
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
)

// WriteKey says what one of the keys that encrypt records opens, and what it does not.
type WriteKey struct {
	Name  string // "client_write_key"
	Opens string // whose records
	Lines string // which numbers of the ladder
	Who   string // has it
	Shut  string // what it does not open
}

// WriteKeys returns the keys that encrypt the records of a connection.
func WriteKeys(s *Story) (list []WriteKey) {
	for _, k := range s.Keys {
		if side, ok := strings.CutSuffix(k.Name, "_write_key"); ok && k.Len > 0 {
			from := sideNamed(side)
			list = append(list, WriteKey{k.Name, "what the " + side + " sends",
				s.linesUnder(k.Name, from), bothSides,
				"what the " + from.Peer().String() + " sends"})
		}
	}
	if s.Schedule == nil {
		return list
	}
	for _, n := range s.Schedule.Nodes {
		kind := strings.TrimSuffix(n.ID, declined)
		if !strings.Contains(kind, "_write_key") {
			continue
		}
		list = append(list, WriteKey{kind, strings.TrimPrefix(n.Use, "encrypts "),
			s.linesUnder(kind, n.From), bothSides, "any other record"})
	}
	return list
}

const bothSides = "client, server"

func sideNamed(name string) iana.Side {
	if name == iana.Server.String() {
		return iana.Server
	}
	return iana.Client
}

// linesUnder returns the numbers of a side's lines that a key protects.
func (s *Story) linesUnder(key string, from iana.Side) string {
	var numbers []int
	for _, l := range storyLines(s) {
		for _, side := range l.senders() {
			switch {
			case side != from || !l.Protected:
			case l.Keys[side] == "":
				return "not known: not everything could be read"
			case l.Keys[side] == key:
				numbers = append(numbers, l.Number)
			}
		}
	}
	if len(numbers) == 0 {
		return "none here"
	}
	return Ranges(numbers)
}
