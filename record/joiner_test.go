package record

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Two messages and the beginning of a third, cut into records at every place.
func TestMessagesAreJoinedHoweverRecordsCutThem(t *testing.T) {
	one := []byte{byte(iana.ServerHelloDone), 0, 0, 0}
	two := []byte{byte(iana.Finished), 0, 0, 3, 1, 2, 3}
	stream := bytes.Join([][]byte{one, two, {byte(iana.Finished), 0}}, nil)
	never := func(t iana.HandshakeType, n int) error { return errors.New("too long") }
	for cut := range len(stream) + 1 {
		var j Joiner
		var got [][]byte
		var begun []uint64
		for i, content := range [][]byte{stream[:cut], stream[cut:]} {
			j.Add(uint64(i+1), content)
			for {
				raw, err := j.Next(7, never)
				if err != nil {
					t.Fatalf("cut at %d: %v", cut, err)
				}
				if raw == nil {
					break
				}
				got, begun = append(got, raw), append(begun, j.Begun())
			}
		}
		if len(got) != 2 || !bytes.Equal(got[0], one) || !bytes.Equal(got[1], two) || j.Len() != 2 {
			t.Errorf("cut at %d: got %x and %d bytes more", cut, got, j.Len())
		}
		// The second message begins in the record that ends the first, unless that is its end.
		want := []uint64{1, 1}
		if cut <= len(one) {
			want[1] = 2
		}
		if cut == 0 {
			want[0] = 2
		}
		if !slices.Equal(begun, want) {
			t.Errorf(
				"cut at %d: the messages begin in the records %d, expected %d",
				cut,
				begun,
				want,
			)
		}
		err := j.ChangeKeys(iana.Client)
		if alert.Of(err) != alert.UnexpectedMessage {
			t.Errorf("cut at %d: keys may change inside a message: %v", cut, err)
		}
		if j.Drop(); j.ChangeKeys(iana.Client) != nil || j.Cap() != 0 {
			t.Errorf("cut at %d: nothing is left, and keys may not change", cut)
		}
	}
}

// The header alone shows that a message is too long.
func TestALongMessageIsRefusedByItsHeader(t *testing.T) {
	var j Joiner
	j.Add(1, []byte{byte(iana.Certificate), 0, 0, 5})
	raw, err := j.Next(8, func(typ iana.HandshakeType, n int) error {
		if typ != iana.Certificate || n != 9 {
			t.Errorf("got a %v of %d bytes, expected a certificate of 9", typ, n)
		}
		return errors.ErrUnsupported
	})
	if raw != nil || err != errors.ErrUnsupported {
		t.Errorf("got %x and %v", raw, err)
	}
}
