package message_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/wire"
)

// dialect is that of most vectors.
var dialect = message.Dialect{Version: iana.TLS12, Kex: iana.KexECDHE}

// framed puts a handshake header before a body.
func framed(t iana.HandshakeType, body []byte) []byte {
	n := len(body)
	return append([]byte{byte(t), byte(n >> 16), byte(n >> 8), byte(n)}, body...)
}

// parse reads a message in all three ways and fails unless they agree: what can be read is written
// again as it was, and whatever it is, the annotation tiles it.
func parse(t testing.TB, d message.Dialect, raw []byte) (message.Message, error) {
	t.Helper()
	fields := d.Annotate(raw)
	if err := tiles(fields, raw); err != nil {
		t.Errorf("%v: %x", err, raw)
	}
	m, err := d.Parse(raw)
	if err != nil {
		if last := fields[len(fields)-1]; last.Name != "unparsed" ||
			!strings.HasSuffix(last.Value, err.Error()) {
			t.Errorf("Parse says %v, but the annotation ends in %+v", err, last)
		}
		return nil, err
	}
	again, err := d.Encode(m)
	if err != nil {
		t.Fatalf("what was read cannot be written: %v", err)
	}
	if !bytes.Equal(raw, again) {
		t.Fatalf("written again it is another message:\n%x\n%x", raw, again)
	}
	return m, nil
}

// tiles returns what is wrong with an annotation of raw: leaves must cover each byte once, in
// order, and a node exactly the parts that follow it.
func tiles(fields []wire.Field, raw []byte) error {
	if len(fields) == 0 || fields[0].Depth != 0 || fields[0].Len != len(raw) {
		return fmt.Errorf("the first field is not the message of %d bytes: %+v", len(raw), fields)
	}
	var open []wire.Field // the nodes that the next field may belong to
	at := 0
	for i, f := range fields {
		for len(open) > f.Depth {
			if last := open[len(open)-1]; last.Offset+last.Len != at {
				return fmt.Errorf("%+v ends elsewhere than its parts, at %d", last, at)
			}
			open = open[:len(open)-1]
		}
		switch {
		case f.Depth != len(open):
			return fmt.Errorf("field %d is too deep: %+v in %+v", i, f, open)
		case f.Offset != at:
			return fmt.Errorf("field %d begins elsewhere than where the one before ended, %d: %+v",
				i, at, f)
		case f.Name == "":
			return fmt.Errorf("field %d has no name: %+v", i, f)
		case !f.Leaf:
			open = append(open, f)
		case f.Len <= 0 && f.Name != "unparsed":
			return fmt.Errorf("field %d is a leaf of nothing: %+v", i, f)
		default:
			at += f.Len
		}
	}
	for _, node := range open {
		if node.Offset+node.Len != at {
			return fmt.Errorf("%+v ends elsewhere than its parts, at %d", node, at)
		}
	}
	if at != len(raw) {
		return fmt.Errorf("the leaves end at %d of %d", at, len(raw))
	}
	return nil
}

// unparsed is what an annotation could not read, or nil.
func unparsed(fields []wire.Field) *wire.Field {
	for i := range fields {
		if fields[i].Name == "unparsed" {
			return &fields[i]
		}
	}
	return nil
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ran(t *testing.T, n int, what string) {
	t.Helper()
	t.Logf("%d %s", n, what)
	if n == 0 {
		t.Errorf("no %s ran", what)
	}
}
