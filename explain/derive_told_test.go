package explain_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// prfByHand is the PRF of TLS 1.2 with SHA-256, with none of the code that is tested.
func prfByHand(secret []byte, label string, seed []byte, n int) (out []byte) {
	mac := func(b []byte) []byte {
		m := hmac.New(sha256.New, secret)
		m.Write(b)
		return m.Sum(nil)
	}
	seed = append([]byte(label), seed...)
	for a := mac(seed); len(out) < n; a = mac(a) {
		out = append(out, mac(append(slices.Clone(a), seed...))...)
	}
	return out[:n]
}

func sum256(b []byte) []byte { s := sha256.Sum256(b); return s[:] }

// A handshake12 is one with the extended master secret, up to the client's CertificateVerify.
type handshake12 struct {
	pre      []byte
	messages [][]byte
	last     int // which of them is ClientKeyExchange
}

func (h handshake12) all(n int) []byte { return bytes.Join(h.messages[:n], nil) }

// told joins the first n messages, each changed.
func (h handshake12) told(n int, each func(i int, m []byte) []byte) (all []byte) {
	for i, m := range h.messages[:n] {
		all = append(all, each(i, m)...)
	}
	return all
}

func (h handshake12) master(session []byte) []byte {
	return prfByHand(h.pre, "extended master secret", session, 48)
}

// inRecord puts a message in a record.
func inRecord(version uint16, m []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{22}, version)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(m))), m...)
}

// recorded12 returns a handshake of TLS 1.2, and what is derived from its transcript.
func recorded12(t *testing.T) (h handshake12, d *explain.Derivation) {
	t.Helper()
	for _, e := range eventsOf(t, commandCases()[1]) {
		switch x := e.Event.(type) {
		case *trace.Message:
			if e.Role == trace.Client && x.Type != iana.Finished {
				if x.Type == iana.ClientKeyExchange {
					h.last = len(h.messages)
				}
				h.messages = append(h.messages, x.Raw)
			}
		case *trace.SharedSecret:
			h.pre = x.Output
		}
	}
	d, err := explain.Derive(explain.Given{PreMaster: h.pre, Transcript: h.all(len(h.messages))})
	if err != nil {
		t.Fatal(err)
	}
	return h, d
}

// Each usual mistake with a transcript is named, for the session_hash and for Finished.
func TestMistakesWithATranscriptAreNamed(t *testing.T) {
	h, d := recorded12(t)
	n := len(h.messages)
	right := h.master(sum256(h.all(h.last + 1)))
	records := func(i int, m []byte) []byte { return inRecord(0x0303, m) }
	older := func(i int, m []byte) []byte {
		if i == 0 {
			return inRecord(0x0301, m)
		}
		return inRecord(0x0303, m)
	}
	headerless := func(i int, m []byte) []byte { return m[4:] }
	without2 := func(i int, m []byte) []byte {
		if i == 1 {
			return nil
		}
		return m
	}
	certificateTwice := func(i int, m []byte) []byte {
		if i == 2 {
			return append(slices.Clone(m), m...)
		}
		return m
	}
	third := h.told(3, func(i int, m []byte) []byte {
		if i < 2 {
			return nil
		}
		return m
	})
	swapped3 := func(i int, m []byte) []byte { // messages 3 and 4
		switch i {
		case 2:
			return nil
		case 3:
			return append(slices.Clone(m), third...)
		}
		return m
	}
	verify := func(seed []byte) []byte { return prfByHand(right, "client finished", seed, 12) }
	md5sha1 := func(b []byte) []byte {
		x, y := md5.Sum(b), sha1.Sum(b)
		return append(x[:], y[:]...)
	}
	var block []byte
	for _, e := range d.Entries {
		if x, ok := e.Event.(*trace.Derived); ok && x.Name == "key_block" {
			block = x.Output
		}
	}
	type mistake struct {
		value []byte
		how   string
	}
	for _, c := range testkit.Sample(t, "mistakes", 15, []mistake{
		{h.master(sum256(h.told(h.last+1, records))), "headers of the messages' records, too"},
		{h.master(sum256(h.told(h.last+1, older))), "the first with 0301"},
		{h.master(sum256(h.told(h.last+1, headerless))), "4-byte headers"},
		{h.master(sum256(h.told(h.last+1, without2))), "message 2 of the transcript, server_hello"},
		{h.master(sum256(h.told(h.last+1, certificateTwice))), "is in it twice"},
		{h.master(sum256(append(h.all(h.last+1), 1))), "ChangeCipherSpec, its byte 01"},
		{h.master(sum256(h.told(h.last+1, swapped3))), "have changed places"},
		{h.master(md5sha1(h.all(h.last + 1))), "session_hash is made with MD5+SHA1"},
		{h.master([]byte(hex.EncodeToString(sum256(h.all(h.last + 1))))), "taken as text"},
		{h.master([]byte(strings.ToUpper(hex.EncodeToString(sum256(h.all(h.last + 1)))))),
			"in upper case"},
		{verify(sum256(h.told(n, records))), "headers of the messages' records, too"},
		{verify(sum256(h.told(n, headerless))), "4-byte headers"},
		{verify(sum256(append(h.all(n), 0x14, 3, 3, 0, 1, 1))), "record of ChangeCipherSpec"},
		{verify(sum256(append(h.told(n, older), 0x14, 3, 3, 0, 1, 1))),
			"and the record of ChangeCipherSpec"},
		{verify(sum256(hex.AppendEncode(nil, h.all(n)))), "the transcript's hex digits are hashed"},
		{verify(sum256(bytes.ToUpper(hex.AppendEncode(nil, h.all(n))))),
			"the transcript's hex digits, in upper case"},
		{verify(sum256(h.told(n, without2))), "message 2 of the transcript, server_hello"},
		{verify(sum256(h.told(n, certificateTwice))), "is in it twice"},
		{verify(md5sha1(h.all(n))), "seed of Finished is made with MD5+SHA1"},
		{verify([]byte(hex.EncodeToString(sum256(h.all(n))))), "taken as text"},
		{prfByHand(block, "client finished", sum256(h.all(n)), 12),
			"made with the key_block"},
		{prfByHand(block[:48], "client finished", sum256(h.all(n)), 12),
			"first 48 bytes of the key_block"},
	}) {
		found, tried, err := d.Search(c.value)
		if err != nil || len(found) != 1 || len(found[0].How) != 1 ||
			!strings.Contains(found[0].How[0], c.how) {
			t.Errorf("expected one way with %q, got %q of %d values, %v", c.how, found,
				tried.Values, err)
		}
	}
}

// Keys of AEAD suites cut behind MAC keys, and pre-shared keys without their frame, are named.
func TestMistakesOfFormAreNamed(t *testing.T) {
	given := explain.Given{Suite: suite.ByID(iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
		PreMaster: bytes.Repeat([]byte{0xab}, 32), Client: bytes.Repeat([]byte{1}, 32),
		Server: bytes.Repeat([]byte{2}, 32)}
	seed := append(slices.Clone(given.Client), given.Server...)
	other := append(slices.Clone(given.Server), given.Client...)
	master := prfByHand(given.PreMaster, "master secret", seed, 48)
	block := prfByHand(master, "key expansion", other, 200)
	psk := []byte{0xca, 0xfe, 0xba, 0xbe, 9}
	framed := append([]byte{0, 5, 0, 0, 0, 0, 0, 0, 5}, psk...)
	preShared := given
	preShared.Suite, preShared.PreMaster = suite.ByID(iana.TLS_PSK_WITH_AES_128_GCM_SHA256), framed
	bare := preShared
	bare.PreMaster = psk
	for _, c := range []struct {
		given explain.Given
		value []byte
		name  string
		how   string
	}{
		{given, block[64:80], "client_write_key", "behind two MAC keys of 32 bytes"},
		{given, block[40+16 : 40+32], "server_write_key", "behind two MAC keys of 20 bytes"},
		{given, block[64+32 : 64+36], "client_write_IV", "behind two MAC keys of 32 bytes"},
		{given, prfByHand([]byte(strings.ToUpper(hex.EncodeToString(master))), "key expansion",
			other, 16), "client_write_key", "the hex digits of the master_secret, in upper case"},
		{given, prfByHand(given.PreMaster, "key expansion", other, 16), "client_write_key",
			"the pre_master_secret is taken for the master_secret"},
		{given, prfByHand([]byte(strings.ToUpper(hex.EncodeToString(given.PreMaster))),
			"master secret", seed, 48), "master_secret", "in upper case"},
		{preShared, prfByHand(psk, "master secret", seed, 48), "master_secret",
			"the pre-shared key alone"},
		{bare, prfByHand(framed, "master secret", seed, 48), "master_secret", "is not framed"},
	} {
		d, err := explain.Derive(c.given)
		if err != nil {
			t.Fatal(err)
		}
		found, _, err := d.Search(c.value)
		if err != nil || len(found) == 0 || found[0].Name != c.name || len(found[0].How) != 1 ||
			!strings.Contains(found[0].How[0], c.how) {
			t.Errorf("expected %s with %q, got %q, %v", c.name, c.how, found, err)
		}
	}
}

// A key_block of 40 bytes is shorter than a master_secret. Somebody who expands it to 48 to use it
// as one is told so.
func TestFinishedOfAShortKeyBlockIsNamed(t *testing.T) {
	var transcript, master []byte
	for _, e := range eventsOf(t, commandCases()[5]) {
		switch x := e.Event.(type) {
		case *trace.Message:
			if e.Role == trace.Client && x.Type != iana.Finished {
				transcript = append(transcript, x.Raw...)
			}
		case *trace.Derived:
			if x.Name == "master_secret" {
				master = x.Output
			}
		}
	}
	d, err := explain.Derive(explain.Given{Master: master, Transcript: transcript})
	if err != nil {
		t.Fatal(err)
	}
	seed := slices.Concat(d.Given.Server, d.Given.Client)
	block := prfByHand(master, "key expansion", seed, 48)
	found, _, err := d.Search(prfByHand(block, "client finished", sum256(transcript), 12))
	if err != nil || len(found) != 1 || found[0].Name != "client_verify_data" ||
		len(found[0].How) != 1 ||
		!strings.Contains(found[0].How[0], "first 48 bytes of the key_block") {
		t.Errorf("found %q, %v", found, err)
	}
}
