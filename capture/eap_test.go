package capture

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// eapHex is an EAP packet in hex: data is what follows the type.
func eapHex(code, id, method int, data string) string {
	return fmt.Sprintf("%02x%02x%04x%02x%s", code, id, 5+len(data)/2, method, data)
}

// over802 puts an EAP packet in a frame to the authenticator or back.
func over802(code int, eap string) string {
	macs := "020000000009 020000000001"
	if code == eapRequest {
		macs = "020000000001 020000000009"
	}
	return fmt.Sprintf("%s 888e 0200 %04x %s", macs, len(eap)/2, eap)
}

// overRADIUS puts an EAP packet in attributes of at most 10 bytes, with a State.
func overRADIUS(code, id int, state, eap string) string {
	attributes := ""
	for rest := eap; len(rest) > 0; {
		n := min(20, len(rest))
		attributes += fmt.Sprintf("4f%02x%s", 2+n/2, rest[:n])
		rest = rest[n:]
	}
	if state != "" {
		attributes += fmt.Sprintf("18%02x%s", 2+len(state)/2, state)
	}
	b := fmt.Sprintf("%02x%02x%04x%032x%s", code, id, 20+len(attributes)/2, 0, attributes)
	src, dst, from, to := "0a000001", "0a000002", 40000, 1812
	if code != 1 {
		src, dst, from, to = dst, src, to, from
	}
	return fmt.Sprintf("4500%04x00004000401100%s%s%s%04x%04x%04x0000%s", 28+len(b)/2, "00", src,
		dst, from, to, 8+len(b)/2, b)
}

// talk is what an EAP conversation has of TLS, in words.
type eapTalk struct{ said [2]string }

func (e *eapTalk) Bytes(from iana.Side, _ time.Time, b []byte) {
	e.said[from] += hex.EncodeToString(b)
}
func (e *eapTalk) Gap(iana.Side, int64) {}
func (e *eapTalk) End()                 {}

// The methods of EAP that carry TLS are connections: over 802.1X and RADIUS, with fragments,
// acknowledgements and repetitions, and one after the other.
func TestEAPIsAConnection(t *testing.T) {
	const start, long, more = "20", "8000000004", "c000000006"
	hello := eapHex(eapResponse, 1, 13, long+"aabbccdd")
	for _, c := range []struct {
		name   string
		link   LinkType
		frames []string
		want   string
	}{
		{"802.1X", LinkEthernet, []string{over802(1, eapHex(1, 1, 13, start)),
			over802(2, hello), over802(2, hello), // a repetition
			over802(1, eapHex(1, 2, 13, more+"0102")), over802(2, eapHex(2, 2, 13, "00")),
			over802(1, eapHex(1, 3, 13, "0003040506"))},
			"[-1 EAP-TLS in IEEE 802.1X 02:00:00:00:00:01 aabbccdd 010203040506]"},
		{"twice", LinkEthernet, []string{over802(1, eapHex(1, 1, 25, "21")),
			over802(2, eapHex(2, 1, 25, "01aa")), over802(1, eapHex(1, 2, 25, "21")),
			over802(2, eapHex(2, 2, 25, "01bb"))},
			"[-1 PEAP in IEEE 802.1X 02:00:00:00:00:01 aa  -2 PEAP in IEEE 802.1X " +
				"02:00:00:00:00:01 bb ]"},
		{"RADIUS", LinkRaw, []string{overRADIUS(1, 7, "", eapHex(2, 0, 1, "6162")),
			overRADIUS(11, 7, "5151", eapHex(1, 1, 21, start)),
			overRADIUS(1, 8, "5151", eapHex(2, 1, 21, "00aabbccddeeff00112233445566778899")),
			overRADIUS(11, 8, "5252", eapHex(1, 2, 21, "0001")),
			overRADIUS(1, 9, "5252", eapHex(2, 2, 21, "0002"))},
			"[-1 EAP-TTLS in RADIUS 10.0.0.1:40000 aabbccddeeff0011223344556677889902 01]"},
		{"PPP", LinkPPP, []string{"ff03c227" + eapHex(1, 1, 13, start),
			"ff03c227" + eapHex(2, 1, 13, "00aa")},
			"[-1 EAP-TLS in EAP over PPP 00:00:00:00:00:00 aa ]"},
		{"TEAP with outer TLVs", LinkEthernet, []string{over802(2, eapHex(2, 1, 55,
			"100000000200112233"+"ffff"))}, // the last two bytes are outer TLVs
			"[-1 TEAP in IEEE 802.1X 02:00:00:00:00:01 00112233 ]"},
		{"another method", LinkEthernet, []string{over802(2, eapHex(2, 1, 26, "00aa"))}, "[]"},
	} {
		var about []*Connection
		var talks []*eapTalk
		a := Assembler{New: func(x *Connection) Handler {
			about, talks = append(about, x), append(talks, &eapTalk{})
			return talks[len(talks)-1]
		}}
		for _, f := range c.frames {
			b := testkit.Unhex(t, f)
			a.Add(Packet{Link: c.link, Data: b, Length: len(b)})
		}
		a.Close()
		var got []string
		for i, x := range about {
			name := x.Names[0]
			if name == "" {
				name = x.Client.String()
			}
			got = append(got, fmt.Sprintf("%d %s %s %s %s", x.Stream, x.Carrier, name,
				talks[i].said[iana.Client], talks[i].said[iana.Server]))
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: got %v, expected %s; skipped %v", c.name, got, c.want, a.Skipped())
		}
	}
}

// Conversations without end cost a known amount of memory.
func TestEAPConversationsAreBounded(t *testing.T) {
	ended := 0
	a := Assembler{New: func(*Connection) Handler { return counted{&ended} }}
	for i := range 2 * maxConversations {
		for _, f := range []string{
			fmt.Sprintf("020000000009 0400%08x 888e 0200 0007 %s", i, eapHex(2, 1, 13, "00aa")),
			mac + "0800" + overRADIUS(1, i&255, fmt.Sprintf("%08x", i), eapHex(2, 1, 13, "00aa")),
		} {
			b := testkit.Unhex(t, f)
			a.Add(Packet{Link: LinkEthernet, Data: b, Length: len(b)})
		}
	}
	t1 := &a.eaps
	if n := max(t1.open.n, len(t1.byMAC), len(t1.byState), len(t1.byID)); n > maxConversations {
		t.Errorf("%d conversations are kept, expected at most %d", n, maxConversations)
	}
	a.Close()
	if ended != 4*maxConversations || len(t1.byMAC)+len(t1.byState)+len(t1.byID) != 0 {
		t.Errorf("%d have ended of %d; %d are left", ended, 4*maxConversations,
			len(t1.byMAC)+len(t1.byState)+len(t1.byID))
	}
}

// counted counts ends.
type counted struct{ ended *int }

func (c counted) Bytes(iana.Side, time.Time, []byte) {}
func (c counted) Gap(iana.Side, int64)               {}
func (c counted) End()                               { *c.ended++ }
