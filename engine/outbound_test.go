package engine

import (
	"bytes"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// In TLS 1.0 with CBC every record of application data is split 1/n-1, and nothing else is.
func TestApplicationDataIsSplitAgainstBEAST(t *testing.T) {
	const cbc, aead = iana.TLS_RSA_WITH_AES_128_CBC_SHA, iana.TLS_RSA_WITH_AES_128_GCM_SHA256
	const data, full = iana.RecordApplicationData, record.MaxPlaintext
	for _, c := range []struct {
		version iana.Version
		id      iana.CipherSuite
		typ     iana.ContentType
		limit   int
		n       int
		want    []int // the lengths of plaintexts
	}{
		{iana.TLS10, cbc, data, full, 0, []int{0}},
		{iana.TLS10, cbc, data, full, 1, []int{1}},
		{iana.TLS10, cbc, data, full, 2, []int{1, 1}},
		{iana.TLS10, cbc, data, full, full, []int{1, full - 1}},
		{iana.TLS10, cbc, data, full, full + 1, []int{1, full - 1, 1}},
		{iana.TLS10, cbc, data, full, 2*full + 100, []int{1, full - 1, 1, full - 1, 1, 99}},
		{iana.TLS10, cbc, data, 512, 1024, []int{1, 511, 1, 511}}, // RFC 6066 §4
		{iana.TLS10, cbc, iana.RecordAlert, full, 2, []int{2}},
		{iana.TLS10, cbc, iana.RecordHandshake, full, 16, []int{16}},
		{iana.TLS11, cbc, data, full, full, []int{full}},
		{iana.TLS12, cbc, data, full, full + 1, []int{full, 1}},
		{iana.TLS12, aead, data, full, 100, []int{100}},
	} {
		row := suite.ByID(c.id)
		shape := row.Shape(c.version)
		direction := keys.Direction{
			MAC: make([]byte, shape.MAC),
			Key: make([]byte, shape.Key),
			IV:  make([]byte, shape.IV),
		}
		k := &handshake.TrafficKeys{Version: c.version, Suite: row, Direction: direction}
		protection := func() record.Protection {
			p, err := record.New(row.Cipher, row.MAC, k.Params(nil))
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		out, in := NewOutbound(iana.Client, nil), record.Half{From: iana.Client}
		out.SetVersion(c.version, c.limit)
		out.Protect(protection(), k)
		in.Protect(protection())
		content := bytes.Repeat([]byte("abc"), c.n/3+1)[:c.n]
		if err := out.Seal(c.typ, content); err != nil {
			t.Fatal(err)
		}
		var got []int
		var all []byte
		for wire := out.Sealed(); len(wire) > 0; {
			h, err := record.ParseHeader(wire)
			if err != nil {
				t.Fatal(err)
			}
			_, plain, err := in.Open(h, wire[record.HeaderLen:][:h.Length])
			if err != nil {
				t.Fatal(err)
			}
			got, all = append(got, len(plain)), append(all, plain...)
			wire = wire[record.HeaderLen+h.Length:]
		}
		if !slices.Equal(got, c.want) || !bytes.Equal(all, content) {
			t.Errorf(
				"%v, %v, %d bytes of %v: records of %v, expected %v",
				c.version,
				c.id,
				c.n,
				c.typ,
				got,
				c.want,
			)
		}
	}
}
