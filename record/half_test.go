package record

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// split cuts a sequence of records.
func split(t testing.TB, wire []byte) (hs []Header, fragments [][]byte) {
	t.Helper()
	for len(wire) > 0 {
		h, err := ParseHeader(wire)
		if err != nil {
			t.Fatal(err)
		}
		hs, fragments = append(hs, h), append(fragments, wire[HeaderLen:][:h.Length])
		wire = wire[HeaderLen+h.Length:]
	}
	return hs, fragments
}

func TestPlaintextIsCutIntoRecords(t *testing.T) {
	for _, r := range append([]row{{}}, protections...) { // the zero row: in the clear
		for _, c := range []struct{ bytes, max, records int }{
			{0, 0, 1}, {1, 0, 1}, {MaxPlaintext, 0, 1}, {MaxPlaintext + 1, 0, 2},
			{3*MaxPlaintext + 5, 0, 4},
			{1000, 512, 2}, {1024, 512, 2}, {5, 1, 5}, {MaxPlaintext + 1, MaxPlaintext + 1, 2},
			{10, -1, 1},
		} {
			var out, in Half
			if r.cipher != nil {
				out.Protect(r.new(t, iana.TLS12))
				in.Protect(r.new(t, iana.TLS12))
			}
			out.SetMaxFragment(c.max)
			in.SetMaxFragment(c.max)
			plain := pattern(c.bytes)
			wire, err := out.Seal([]byte("before"), iana.RecordApplicationData, iana.TLS12, plain)
			if err != nil || !bytes.HasPrefix(wire, []byte("before")) {
				t.Fatalf("%v: %v", c, err)
			}
			wire = wire[len("before"):]
			if len(wire) > out.SealedLen(c.bytes) {
				t.Errorf("%s: %d bytes took %d, and SealedLen promised %d", out.traits().Name,
					c.bytes, len(wire), out.SealedLen(c.bytes))
			}
			hs, fragments := split(t, wire)
			var got []byte
			for i := range hs {
				_, p, err := in.Open(hs[i], fragments[i])
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, p...)
			}
			if len(hs) != c.records || !bytes.Equal(got, plain) ||
				out.SeqNum() != uint64(c.records) || in.SeqNum() != out.SeqNum() {
				t.Errorf("%s: %d bytes by %d: got %d records, expected %d", out.traits().Name,
					c.bytes, c.max, len(hs), c.records)
			}
		}
	}
}

// RFC 5246 §6.2.1: "Implementations MUST NOT send zero-length fragments of Handshake, Alert, or
// ChangeCipherSpec content types".
func TestOnlyApplicationDataMayBeEmpty(t *testing.T) {
	var h Half
	for _, c := range []iana.ContentType{iana.RecordChangeCipherSpec, iana.RecordAlert,
		iana.RecordHandshake} {
		if got, err := h.Seal(nil, c, iana.TLS12, nil); err == nil || len(got) > 0 {
			t.Errorf("%v: got %x, %v", c, got, err)
		}
	}
}

func TestTooMuchPlaintextIsRecordOverflow(t *testing.T) {
	for _, r := range append([]row{{}}, protections...) {
		for _, limit := range []int{MaxPlaintext, 4096, 64} {
			var in Half
			wire := pattern(limit + 1)
			if r.cipher != nil {
				p := r.new(t, iana.TLS12)
				in.Protect(r.new(t, iana.TLS12))
				_, wire = sealed(t, p, 0, wire) // Protection does not look at the length
			}
			in.SetMaxFragment(limit)
			_, got, err := in.Open(Header{iana.RecordApplicationData, iana.TLS12, len(wire)}, wire)
			if got != nil || alert.Of(err) != alert.RecordOverflow {
				t.Errorf("%s: %d bytes: got %d, %v", in.traits().Name, limit+1, len(got), err)
			}
		}
	}
}

// RFC 5246 §6.1: "sequence numbers … MUST be set to zero whenever a connection state is made the
// active state".
func TestNewKeysStartAtSequenceNumber0(t *testing.T) {
	var out Half
	for range 3 {
		if _, err := out.Seal(nil, iana.RecordHandshake, iana.TLS12, []byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	if out.SeqNum() != 3 || out.Protected() {
		t.Errorf("in the clear: got number %d, protected %v", out.SeqNum(), out.Protected())
	}
	out.Protect(row{cipher: AES_128_GCM}.new(t, iana.TLS12))
	if out.SeqNum() != 0 || !out.Protected() {
		t.Errorf("protected: got number %d, protected %v", out.SeqNum(), out.Protected())
	}
}

func TestAnExhaustedKeySealsOnlyOneAlert(t *testing.T) {
	limits := map[*Cipher]uint64{
		AES_128_GCM: 23_726_566, AES_256_GCM: 23_726_566, // RFC 8446 §5.5
		// RFC 9147 §4.5.3
		AES_128_CCM: 1 << 23, AES_256_CCM: 1 << 23, AES_128_CCM_8: 1 << 23, AES_256_CCM_8: 1 << 23,
		DES_EDE3_CBC: 1 << 16,
	}
	seal := func(h *Half, c iana.ContentType, n int) error {
		got, err := h.Seal(nil, c, iana.TLS12, pattern(n))
		if err != nil && len(got) > 0 {
			t.Errorf("%s: got %d bytes and %v", h.traits().Name, len(got), err)
		}
		if err != nil && alert.Of(err) != alert.InternalError {
			t.Errorf("%s: got %v", h.traits().Name, err)
		}
		return err
	}
	for _, r := range append([]row{{}}, protections...) {
		limit := uint64(math.MaxUint64)
		var h Half
		if r.cipher != nil {
			h.Protect(r.new(t, iana.TLS12))
			if l, ok := limits[r.cipher]; ok {
				limit = l
			}
		}
		h.seq = limit - 3
		if seal(&h, iana.RecordApplicationData, 3*MaxPlaintext) == nil || h.seq != limit-3 {
			t.Errorf("%s: three records where two have room: nothing may be sealed, number %d",
				h.traits().Name, h.seq)
		}
		if err := seal(&h, iana.RecordApplicationData, 2*MaxPlaintext); err != nil ||
			h.seq != limit-1 {
			t.Errorf("%s: two records where two have room: %v", h.traits().Name, err)
		}
		for range 2 {
			if seal(&h, iana.RecordApplicationData, 1) == nil ||
				seal(&h, iana.RecordHandshake, 1) == nil {
				t.Errorf("%s: sealed beyond the limit", h.traits().Name)
			}
		}
		if err := seal(&h, iana.RecordAlert, 2); err != nil || h.seq != limit {
			t.Errorf("%s: the closing alert: %v", h.traits().Name, err)
		}
		if seal(&h, iana.RecordAlert, 2) == nil || h.seq != limit {
			t.Errorf("%s: a second alert was sealed", h.traits().Name)
		}
	}
}

func TestSequenceNumbersDoNotWrapWhenOpening(t *testing.T) {
	var out, in Half
	for _, h := range []*Half{&out, &in} {
		h.Protect(row{cipher: CHACHA20_POLY1305}.new(t, iana.TLS12))
		h.seq = math.MaxUint64 - 1
	}
	wire, err := out.Seal(nil, iana.RecordAlert, iana.TLS12, []byte{1, 0})
	if err != nil {
		t.Fatal(err)
	}
	h, _ := ParseHeader(wire)
	if _, _, err := in.Open(h, slices.Clone(wire[HeaderLen:])); err != nil {
		t.Fatal(err)
	}
	if _, got, err := in.Open(h, wire[HeaderLen:]); got != nil ||
		alert.Of(err) != alert.InternalError || in.seq != math.MaxUint64 {
		t.Errorf("got %x, %v, number %d", got, err, in.seq)
	}
}

// The parts must tile the fragment, and the MAC must be the MAC of AAD and content.
func TestTraceShowsThePartsOfARecord(t *testing.T) {
	each(t, func(t *testing.T, r row, v iana.Version) {
		var seals, opens trace.Memory
		out := Half{From: iana.Server, Log: trace.New(trace.Server, &seals, nil)}
		in := Half{From: iana.Server, Log: trace.New(trace.Client, &opens, nil)}
		out.Protect(r.new(t, v))
		in.Protect(r.new(t, v))
		plain := pattern(MaxPlaintext + 33)
		wire, err := out.Seal(nil, iana.RecordApplicationData, v, plain)
		if err != nil {
			t.Fatal(err)
		}
		hs, fragments := split(t, bytes.Clone(wire))
		for i := range hs {
			in.Arrived()
			if _, _, err := in.Open(hs[i], fragments[i]); err != nil {
				t.Fatal(err)
			}
		}
		if len(seals.Entries) != 2 || len(opens.Entries) != 2 {
			t.Fatalf("got %d and %d events, expected 2", len(seals.Entries), len(opens.Entries))
		}
		var seen, content []byte
		for i := range seals.Entries {
			s, o := seals.Entries[i].Event.(*trace.Record), opens.Entries[i].Event.(*trace.Record)
			if s.Direction != trace.Sealed || o.Direction != trace.Opened ||
				s.From != iana.Server || s.SeqNum != uint64(i) || s.Number != uint64(i+1) {
				t.Errorf("got %v %v %d and %v", s.From, s.Direction, s.SeqNum, o.Direction)
			}
			o.Direction = s.Direction
			if !reflect.DeepEqual(s, o) { // cmp.Diff takes a second for equal records
				t.Errorf("the two sides saw different things: %s", cmp.Diff(s, o))
			}
			tiles(t, r, v, s)
			seen = slices.Concat(seen, s.Header, s.Fragment)
			content = append(content, s.Plaintext...)
		}
		if !bytes.Equal(seen, wire) || !bytes.Equal(content, plain) {
			t.Error("the events do not hold all that went over the wire")
		}
	})
}

func tiles(t *testing.T, r row, v iana.Version, e *trace.Record) {
	t.Helper()
	a := e.Anatomy
	var whole []byte
	switch {
	case r.cipher.AEAD():
		whole = slices.Concat(a.Explicit, a.Ciphertext, a.Tag)
		if len(a.Nonce) != nonceLen || !bytes.HasSuffix(a.Nonce, a.Explicit) ||
			len(a.MAC)+len(a.Padding)+len(a.IV) > 0 {
			t.Errorf("got %+v", a)
		}
		sealer, _ := r.cipher.aead(pattern(r.cipher.KeyLen))
		if got := sealer.Seal(nil, a.Nonce, e.Plaintext, a.AAD); !bytes.Equal(got,
			slices.Concat(a.Ciphertext, a.Tag)) {
			t.Error("nonce and AAD do not make the ciphertext and the tag")
		}
	case !r.cipher.CBC():
		whole = slices.Concat(a.Ciphertext, a.MAC)
	case r.etm && v > iana.TLS10:
		whole = slices.Concat(a.IV, a.Ciphertext, a.MAC)
	case r.etm:
		whole = slices.Concat(a.Ciphertext, a.MAC)
	case v > iana.TLS10:
		whole = slices.Concat(a.IV, a.Ciphertext)
	default:
		whole = a.Ciphertext
	}
	if !bytes.Equal(whole, e.Fragment) {
		t.Errorf("%s: the parts do not tile the fragment", e.Protection)
	}
	if r.cipher.AEAD() {
		return
	}
	covered := []byte(e.Plaintext)
	if r.etm {
		covered = e.Fragment[:len(e.Fragment)-r.mac.Len]
	}
	x, _ := newHMAC(r.mac, pattern(r.mac.Len))
	if !bytes.Equal(x.sum(nil, a.AAD, covered), a.MAC) {
		t.Errorf("%s: the MAC is not that of the AAD and what it covers", e.Protection)
	}
	if r.cipher.CBC() {
		inner := len(e.Plaintext) + len(a.Padding)
		if !r.etm {
			inner += r.mac.Len
		}
		if inner != len(a.Ciphertext) || !bytes.Equal(a.Padding, padding(len(a.Padding))) {
			t.Errorf("%s: got %d bytes of padding %x", e.Protection, len(a.Padding), a.Padding)
		}
		key := reference{r, v, pattern(r.mac.Len), pattern(r.cipher.KeyLen)}
		h := Header{e.ContentType, v, 0}
		if !bytes.Equal(key.fragment(t, e.SeqNum, h, a.IV, e.Plaintext, a.Padding), e.Fragment) {
			t.Errorf("%s: IV, plaintext and padding do not make the fragment", e.Protection)
		}
	}
}

// In TLS 1.3 the type on the wire is application_data whatever is inside, and the additional data
// is the header on the wire. Both sides' events say so. See RFC 8446 §5.2.
func TestTraceShowsTheOuterTypeOfTLS13(t *testing.T) {
	r := row{AES_128_GCM, nil, false}
	for _, inside := range []iana.ContentType{iana.RecordHandshake, iana.RecordAlert,
		iana.RecordApplicationData} {
		var events trace.Memory
		log := trace.New(trace.Client, &events, nil)
		out, in := Half{Log: log}, Half{Log: log}
		out.Protect(r.new(t, iana.TLS13))
		in.Protect(r.new(t, iana.TLS13))
		wire, err := out.Seal(nil, inside, iana.TLS12, []byte("inside"))
		if err != nil {
			t.Fatal(err)
		}
		hs, fragments := split(t, bytes.Clone(wire))
		if _, _, err := in.Open(hs[0], fragments[0]); err != nil {
			t.Fatal(err)
		}
		for _, e := range events.Entries {
			e := e.Event.(*trace.Record)
			if header := wire[:HeaderLen]; header[0] != 23 || !bytes.Equal(e.Header, header) ||
				!bytes.Equal(e.AAD, header) || e.ContentType != inside {
				t.Errorf("%s %v: header %x, AAD %x, type %v, expected %x", e.Direction, inside,
					e.Header, e.AAD, e.ContentType, header)
			}
		}
	}
}

func TestRecordsThatFailToOpenAreNotTraced(t *testing.T) {
	each(t, func(t *testing.T, r row, v iana.Version) {
		var log trace.Memory
		in := Half{Log: trace.New(trace.Client, &log, nil)}
		in.Protect(r.new(t, v))
		h, fragment := sealed(t, r.new(t, v), 0, []byte("unauthentic"))
		fragment[len(fragment)-1] ^= 1
		if _, _, err := in.Open(h, fragment); err == nil || len(log.Entries) > 0 ||
			in.SeqNum() != 0 {
			t.Errorf("got %v and %d events", err, len(log.Entries))
		}
	})
}

func TestUnprotectedRecordsAreTraced(t *testing.T) {
	var log trace.Memory
	h := Half{From: iana.Client, Log: trace.New(trace.Client, &log, nil)}
	wire, err := h.Seal(nil, iana.RecordChangeCipherSpec, iana.TLS12, []byte{1})
	if err != nil || fmt.Sprintf("%x", wire) != "140303000101" {
		t.Fatalf("got %x, %v", wire, err)
	}
	want := &trace.Record{
		From: iana.Client, Direction: trace.Sealed, Number: 1,
		ContentType: iana.RecordChangeCipherSpec,
		Header:      wire[:HeaderLen], Plaintext: []byte{1}, Fragment: []byte{1},
	}
	if d := cmp.Diff(want, log.Entries[0].Event); d != "" ||
		log.Entries[0].Ref != "RFC 5246 §6.2.1" {
		t.Errorf("ref %q, %s", log.Entries[0].Ref, d)
	}
}
