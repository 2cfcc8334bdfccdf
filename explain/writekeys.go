package explain

import (
	"fmt"
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
			list = append(list, WriteKey{k.Name, "what the " + side + " sends", s.lines12(from),
				bothSides, "what the " + from.Peer().String() + " sends"})
		}
	}
	if s.Schedule == nil {
		return list
	}
	used := s.epochs()
	for _, n := range s.Schedule.Nodes {
		kind := strings.TrimSuffix(n.ID, declined)
		if !strings.Contains(kind, "_write_key") {
			continue
		}
		list = append(list, WriteKey{kind, strings.TrimPrefix(n.Use, "encrypts "),
			used.of(kind, n.From), bothSides, "any other record"})
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

// senders returns the sides that sent a line.
func (l *Line) senders() []iana.Side {
	if l.BothWays {
		return []iana.Side{iana.Client, iana.Server}
	}
	return []iana.Side{l.From}
}

// lines12 returns the numbers of a side's protected lines up to TLS 1.2, which has one key for all.
func (s *Story) lines12(from iana.Side) string {
	var numbers []int
	for _, l := range storyLines(s) {
		for _, side := range l.senders() {
			if side == from && l.Protected {
				numbers = append(numbers, l.Number)
			}
		}
	}
	return fromTo(numbers)
}

// epochs13 are the numbers of the lines under each key of TLS 1.3.
type epochs13 struct {
	lines   map[string][]int // by the ID of the key
	unknown [2]bool          // by sender: not all of its records could be read
}

// epochs follows the messages of each side, after which it changes its key. See RFC 8446 §4.4.4,
// §4.5 and §4.6.3.
func (s *Story) epochs() epochs13 {
	e := epochs13{lines: map[string][]int{}}
	stage := [2]string{"handshake_write_key", "handshake_write_key"}
	for _, id := range []string{"early_write_key", "early_write_key" + declined} {
		if s.Schedule.Node("client_"+id) != nil {
			stage[iana.Client] = "early_write_key"
		}
	}
	updates := [2]int{}
	for _, step := range storySteps(s) {
		if step.Line == nil || !step.Line.Protected {
			continue
		}
		kind, _, _ := strings.Cut(step.Key, "/")
		for _, side := range step.Line.senders() {
			e.unknown[side] = e.unknown[side] || step.Line.Remark == unread
			early := kind == "application_data" || kind == "end_of_early_data"
			if stage[side] == "early_write_key" && !early {
				stage[side] = "handshake_write_key"
			}
			id := side.String() + "_" + stage[side]
			e.lines[id] = append(e.lines[id], step.Line.Number)
			switch {
			case kind == "end_of_early_data":
				stage[side] = "handshake_write_key"
			case kind == "finished" && stage[side] == "handshake_write_key":
				stage[side] = "application_write_key_0"
			case kind == "key_update":
				updates[side]++
				stage[side] = fmt.Sprintf("application_write_key_%d", updates[side])
			}
		}
	}
	return e
}

// storySteps returns the steps of all chapters.
func storySteps(s *Story) (steps []Step) {
	for _, c := range s.Chapters {
		steps = append(steps, c.Steps...)
	}
	return steps
}

func (e epochs13) of(id string, from iana.Side) string {
	if e.unknown[from] {
		return "not known: not everything could be read"
	}
	return fromTo(e.lines[id])
}

// fromTo names the first and the last of some numbers.
func fromTo(numbers []int) string {
	switch n := len(numbers); n {
	case 0:
		return "none here"
	case 1:
		return fmt.Sprint(numbers[0])
	default:
		return fmt.Sprintf("%d to %d", numbers[0], numbers[n-1])
	}
}
