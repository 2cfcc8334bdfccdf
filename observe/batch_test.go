package observe_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
)

// long is a recorded connection whose server sends much.
type long struct {
	name   string
	chains bool // each record needs the one before
	tape   tape
	begin  int // of the data in tape
	source observe.Source
}

// longConnections returns one for each kind of protection.
func longConnections(t *testing.T) (all []long) {
	t.Helper()
	var records []int
	for i := range 40 {
		records = append(records, []int{16384, 16384, 16384, 700, 1}[i%5])
	}
	for _, x := range []struct {
		name    string
		suite   iana.CipherSuite
		version uint16
		etm     vitrine.Demand
	}{
		{"CBC", iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, tls12, vitrine.Off},
		{"CBC, encrypt-then-MAC", iana.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384, tls12,
			vitrine.Required},
		{"CBC of TLS 1.1", iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, vitrine.VersionTLS11,
			vitrine.Off},
		{"CBC of TLS 1.0", iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, vitrine.VersionTLS10,
			vitrine.Off},
		{"GCM", iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls12, 0},
		{"TLS 1.3", iana.TLS_CHACHA20_POLY1305_SHA256, vitrine.VersionTLS13, 0},
	} {
		var secrets bytes.Buffer
		client, server := configs(t, x.suite)
		for _, c := range []*vitrine.Config{client, server} {
			c.Policy, c.EncryptThenMAC = vitrine.Legacy, x.etm
			c.MinVersion, c.MaxVersion = min(x.version, tls12), x.version
			c.DynamicRecordSizingDisabled, c.RecordSplitDisabled = true, true
		}
		client.KeyLogWriter = &secrets
		tape, begin := speak(t, client, server, records...)
		log, err := keylog.Read(&secrets)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, long{x.name, x.version == vitrine.VersionTLS10, *tape, begin,
			observe.KeyLog(log)})
	}
	return all
}

const tls12 = vitrine.VersionTLS12

// A hurt is what happened to the server's data on its way into the capture.
type hurt struct {
	name    string
	missing int                           // the place of a byte that is missing
	change  func(data []byte)             // in the first copy
	again   func(data []byte) (at, n int) // what then comes a second time, unchanged
}

// read lets an observer with so many cores read the connection, with its data by pieces of so many
// bytes, and returns all that it tells, and how many records it opened ahead.
func (x *long) read(cores, piece int, h hurt) (told string, about *observe.Report, ahead int64) {
	var c *observe.Connection
	var log bytes.Buffer
	s := observe.Stream{New: func() *observe.Connection {
		c = observe.New(x.source, nil)
		c.SetCores(cores)
		c.Repeats = true
		c.Data = func(from iana.Side, b []byte) { fmt.Fprintf(&log, "%v %x\n", from, b) }
		return c
	}}
	var data, client []byte
	for i, seg := range x.tape {
		switch {
		case i < x.begin:
			s.Bytes(seg.from, bytes.Clone(seg.b))
		case seg.from == iana.Server:
			data = append(data, seg.b...)
		default:
			client = append(client, seg.b...)
		}
	}
	whole := bytes.Clone(data)
	if h.change != nil {
		h.change(data)
	}
	for at := 0; at < len(data); at += piece {
		part := data[at:min(at+piece, len(data))]
		if h.missing > at && h.missing < at+len(part) {
			s.Bytes(iana.Server, part[:h.missing-at])
			s.Gap(iana.Server, 1)
			part = part[h.missing-at+1:]
		}
		s.Bytes(iana.Server, part)
		if h.again != nil {
			if place, n := h.again(data); place >= at && place+n <= at+piece {
				s.Again(iana.Server, int64(min(at+piece, len(data))-place), whole[place:place+n])
			}
		}
	}
	if c.HoldsBatch() { // which no bound of a Watch counts
		log.WriteString("a connection that waits holds a batch\n")
	}
	s.Bytes(iana.Client, client)
	s.End()
	return log.String(), s.Report(), c.Ahead()
}

// However many cores open the records of a direction, the same data comes in the same order, and
// the same is reported. Only where a record needs the one before it does one core open all.
func TestSeveralCoresReadWhatOneReads(t *testing.T) {
	flip := func(places ...int) func([]byte) {
		return func(data []byte) {
			for _, at := range places {
				data[at] ^= 1
			}
		}
	}
	const place = 250_000 // in the second batch
	const leastAhead = 6  // of 40 records, when most of them are changed
	for _, x := range longConnections(t) {
		t.Run(x.name, func(t *testing.T) {
			for _, h := range []hurt{
				{name: "whole"},
				{name: "a byte is missing", missing: place},
				{name: "a byte is changed", change: flip(place)},
				{name: "two records are changed", change: flip(place, place+20_000)},
				{name: "the right copy comes later", change: flip(place, place+100),
					again: func([]byte) (int, int) { return place - 1000, 2000 }},
				{name: "no record any more", change: func(data []byte) { clear(data[place:]) }},
			} {
				for _, piece := range []int{256 << 10, 150_000} {
					want, about, ahead := x.read(1, piece, h)
					if ahead != 0 {
						t.Fatalf("%s: one core opened %d records ahead", h.name, ahead)
					}
					got, reported, ahead := x.read(4, piece, h)
					if got != want || strings.Contains(got, "holds a batch") {
						t.Errorf("%s, by %d bytes: other data, or a batch is held", h.name, piece)
					}
					if !reflect.DeepEqual(reported, about) {
						t.Errorf("%s, by %d bytes: four cores report\n%+v, one\n%+v", h.name, piece,
							reported, about)
					}
					least := int64(leastAhead)
					if x.chains {
						least = 0
					}
					if ahead < least || x.chains && ahead > 0 {
						t.Errorf("%s, by %d bytes: %d records were opened ahead, expected %d",
							h.name, piece, ahead, least)
					}
				}
			}
		})
	}
}
