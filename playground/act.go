package playground

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

// Kind is what an Act does.
type Kind string

// The kinds of acts.
const (
	Flip      Kind = "flip"      // the bits of Mask at Offset
	Set       Kind = "set"       // the bytes at Offset to Data
	Drop      Kind = "drop"      // the record never arrives
	Duplicate Kind = "duplicate" // the record arrives twice in a row
	Swap      Kind = "swap"      // the record arrives behind the next one of its side
	Replay    Kind = "replay"    // the record arrives again, behind the record At
	Inject    Kind = "inject"    // Data arrives before the record, as if its side had sent it
	Cut       Kind = "cut"       // the stream of its side ends inside the record, at Offset
)

// Kinds returns all kinds of acts.
func Kinds() []Kind { return []Kind{Flip, Set, Drop, Duplicate, Swap, Replay, Inject, Cut} }

// Act is one thing that somebody does between the two sides. It names a record by the side that
// sends it and by its number, which counts that side's records from 1 as they were sent.
type Act struct {
	Kind   Kind      `json:"kind"`
	Side   iana.Side `json:"side"`
	Record int       `json:"record"`
	// Offset counts the bytes of the record from 0, its header included.
	Offset int `json:"offset,omitempty"`
	// Mask is for Flip; 0 is 1, the lowest bit.
	Mask byte `json:"mask,omitempty"`
	// Data is for Set, and for Inject: one record or several, or bytes that are none.
	Data trace.Hex `json:"data,omitempty"`
	// At is for Replay: the number of the record behind which it arrives again, of the same side; 0
	// is behind all.
	At int `json:"at,omitempty"`
	// Fresh is for Replay: all that the client sent, up to the record, arrives once more in another
	// connection to the same server.
	Fresh bool `json:"fresh,omitempty"`
}

const (
	// maxActs bounds the acts of a list, and maxData the bytes that an act brings along, and all of
	// them: what a list makes of a record stays a small multiple of what it says.
	maxActs = 1000
	maxData = 1 << 16
	allData = 1 << 20

	// maxRecords bounds the records that all acts bring along, and those that a Setup cuts its data
	// into: a record of no bytes costs as much as another one to be shown.
	maxRecords = 1000
)

// Check returns an error for a list of acts that makes no sense whatever is sent.
func Check(acts []Act) error {
	if len(acts) > maxActs {
		return fmt.Errorf("playground: got %d acts, expected at most %d", len(acts), maxActs)
	}
	data, records := 0, 0
	for i := range acts {
		if err := acts[i].check(); err != nil {
			return fmt.Errorf("playground: act %d: %w", i+1, err)
		}
		data += len(acts[i].Data)
		if acts[i].Kind == Inject {
			records += len(cutRecords(acts[i].Data))
		}
	}
	if data > allData {
		return fmt.Errorf("playground: got %d bytes of data in all acts, expected at most %d", data,
			allData)
	}
	if records > maxRecords {
		return fmt.Errorf("playground: got %d forged records in all acts, expected at most %d",
			records, maxRecords)
	}
	return nil
}

// check returns an error for an act that makes no sense whatever is sent.
func (a *Act) check() error {
	brings := a.Kind == Set || a.Kind == Inject
	switch {
	case !slices.Contains(Kinds(), a.Kind):
		return fmt.Errorf("got the kind %.20q, expected one of %v", a.Kind, Kinds())
	case a.Side != iana.Client && a.Side != iana.Server:
		return fmt.Errorf("got side %d, expected 0 or 1", a.Side)
	case a.Record < 1:
		return fmt.Errorf("got record %d, expected 1 or more", a.Record)
	case a.Offset < 0:
		return fmt.Errorf("got offset %d, expected 0 or more", a.Offset)
	case a.At < 0:
		return fmt.Errorf("got at %d, expected 0 or more", a.At)
	case len(a.Data) > maxData:
		return fmt.Errorf("got %d bytes of data, expected at most %d", len(a.Data), maxData)
	case brings && len(a.Data) == 0:
		return fmt.Errorf("%s needs data", a.Kind)
	case !brings && len(a.Data) > 0:
		return fmt.Errorf("%s takes no data", a.Kind)
	case a.Kind == Replay && a.Fresh && a.Side != iana.Client:
		return errors.New("only what a client sent can be replayed to the server")
	}
	return nil
}

// meets reports whether a record of size bytes has what the act changes.
func (a *Act) meets(size int) bool { return a.Kind != Flip && a.Kind != Set || a.Offset < size }

// apply changes a copy of a record as Flip and Set do. It returns why nothing became different, or
// an empty string.
func (a *Act) apply(b []byte) (idle string) {
	if a.Offset >= len(b) {
		return fmt.Sprintf("record %d of the %v was cut before its byte %d", a.Record, a.Side,
			a.Offset)
	}
	if a.Kind == Flip {
		b[a.Offset] ^= max(a.Mask, 1)
		return ""
	}
	before := slices.Clone(b)
	if copy(b[a.Offset:], a.Data); slices.Equal(before, b) {
		return fmt.Sprintf("record %d of the %v has these bytes at offset %d already", a.Record,
			a.Side, a.Offset)
	}
	return ""
}

// cutRecords cuts bytes into records. What is left at the end is no whole record.
func cutRecords(b []byte) (records [][]byte) {
	for len(b) > 0 {
		n := len(b)
		if n >= record.HeaderLen {
			n = min(n, record.HeaderLen+int(binary.BigEndian.Uint16(b[3:])))
		}
		records, b = append(records, slices.Clone(b[:n])), b[n:]
	}
	return records
}
