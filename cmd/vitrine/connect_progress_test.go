package main

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// While connect works a terminal is never silent for more than a second, and a line of its own does
// not go on with what a server's data began.
func TestConnectIsNeverSilentForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text spokenTo
		p := startProgress(&text, time.Second)
		data := p.beside(&text)
		p.step("connecting to x")
		time.Sleep(2500 * time.Millisecond)
		done := p.during("waiting for an answer")
		time.Sleep(1600 * time.Millisecond)
		for range 5 { // no reminder beside data that comes
			time.Sleep(600 * time.Millisecond)
			io.WriteString(data, "data\n")
		}
		io.WriteString(data, "half a line")
		time.Sleep(1500 * time.Millisecond)
		done()
		p.step("trying change 1 of 2")
		time.Sleep(1200 * time.Millisecond)
		p.during("")
		time.Sleep(time.Minute)
		p.stop()
		time.Sleep(time.Minute)

		want := "… connecting to x\n… connecting to x: 1 s\n… connecting to x: 2 s\n" +
			"… waiting for an answer\n… waiting for an answer: 1 s\n" +
			strings.Repeat("data\n", 5) + "half a line\n… waiting for an answer: 6 s\n" +
			"… trying change 1 of 2\n… trying change 1 of 2: 1 s\n"
		if got := text.String(); got != want {
			t.Errorf("got\n%s\nexpected\n%s", got, want)
		}
		if text.longest > time.Second {
			t.Errorf("silent for %v", text.longest)
		}
	})
	var none *progress // no terminal
	none.step("nothing")
	none.during("nothing")()
	none.stop()
}

// spokenTo keeps what is written, and the longest time without it that was under a minute.
type spokenTo struct {
	strings.Builder
	last    time.Time
	longest time.Duration
}

func (s *spokenTo) Write(p []byte) (int, error) {
	now := time.Now()
	if d := now.Sub(s.last); !s.last.IsZero() && d < time.Minute {
		s.longest = max(s.longest, d)
	}
	s.last = now
	return s.Builder.Write(p)
}
