package record

import (
	"bytes"
	"crypto/cipher"
	"crypto/des"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha1"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/trace"
)

// A reader opens records of one protection and version.
type reader struct {
	name   string
	v      iana.Version
	new    func(testing.TB) Protection
	sealed []byte // a fragment that opens first
}

const sealedText = "attack at dawn"

// readers are all protections in all versions, and those that are read and never written.
func readers(t testing.TB) (all []reader) {
	for _, r := range protections {
		for _, v := range versions {
			if r.mac == nil && v != iana.TLS12 {
				continue
			}
			k := Keys{Key: pattern(r.cipher.KeyLen), IV: pattern(r.cipher.IVLen(v))}
			if r.mac != nil {
				k.MAC = pattern(r.mac.Len)
			}
			open := func(t testing.TB) Protection { // the same in each process that fuzzes
				p, err := New(r.cipher, r.mac, Params{Version: v, EncryptThenMAC: r.etm, Keys: k,
					Rand: testkit.Rand("sealed")})
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			h := Header{Type: iana.RecordApplicationData, Version: v}
			b, err := open(t).Seal(nil, 0, h, []byte(sealedText))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, reader{r.name(t) + v.String(), v, open, b[HeaderLen:]})
		}
	}
	for _, c := range []struct {
		cipher *Cipher
		mac    *MAC
	}{{RC4_128, HMAC_MD5}, {RC4_128, HMAC_SHA1}, {DES_EDE3_CBC, HMAC_SHA1}, {NULL, HMAC_MD5}} {
		keys := Keys{MAC: pattern(c.mac.Len), Key: pattern(c.cipher.KeyLen),
			IV: pattern(c.cipher.IVLen(iana.SSL30))}
		s := &sender{mac: sha1.New, pads: 40, key: keys.MAC}
		if c.mac == HMAC_MD5 {
			s.mac, s.pads = md5.New, 48
		}
		if c.cipher == RC4_128 {
			s.stream, _ = rc4.NewCipher(keys.Key)
		} else if c.cipher == DES_EDE3_CBC {
			block, err := des.NewTripleDESCipher(keys.Key)
			if err != nil {
				t.Fatal(err)
			}
			s.chain = cipher.NewCBCEncrypter(block, keys.IV)
		}
		all = append(
			all,
			reader{c.cipher.Name + c.mac.Name, iana.SSL30, func(t testing.TB) Protection {
				p, err := NewReader(c.cipher, c.mac, Params{Version: iana.SSL30, Keys: keys})
				if err != nil {
					t.Fatal(err)
				}
				return p
			}, s.seal(iana.RecordApplicationData, []byte(sealedText))},
		)
	}
	return all
}

// FuzzOpen opens fragments, two after each other, under any protection, also those that are only
// read: all must be rejected but the one that was sealed, which opens first or not at all.
func FuzzOpen(f *testing.F) {
	all := readers(f)
	for i, r := range all {
		f.Add(uint8(i), uint64(0), uint8(23), r.sealed, make([]byte, 64))
		f.Add(uint8(i), uint64(0), uint8(23), make([]byte, 64), r.sealed)
		f.Add(uint8(i), uint64(1<<40), uint8(21), []byte{}, []byte{1, 2, 3})
		for _, spoilt := range testkit.Spoil(r.sealed, 14) {
			f.Add(uint8(i), uint64(0), uint8(23), spoilt, r.sealed)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, seq uint64, typ uint8, one, two []byte) {
		r := all[int(which)%len(all)]
		p := r.new(t)
		if seq == 1<<64-1 { // the second would have number 0, as what was sealed
			return
		}
		for n, fragment := range [][]byte{bytes.Clone(one), bytes.Clone(two)} { // opened in place
			genuine := seq == 0 && n == 0 && typ == 23 && bytes.Equal(fragment, r.sealed)
			plain, err := p.Open(seq+uint64(n), Header{iana.ContentType(typ), r.v, len(fragment)},
				fragment)
			if genuine {
				if err != nil || string(plain) != sealedText {
					t.Fatalf("%s: got %q, %v of a record as it was sealed", r.name, plain, err)
				}
				continue
			}
			if r.v == iana.SSL30 && err == nil && string(plain) == sealedText {
				return // its padding is arbitrary
			}
			refused(t, r.name, plain, fragment, err)
		}
	})
}

// FuzzTamper changes a sealed record, which must open if and only if nothing was changed.
func FuzzTamper(f *testing.F) {
	for i := range protections {
		for version := range uint8(3) {
			f.Add(uint8(i), version, uint64(1), []byte(sealedText), []byte{0, 0, 0, 1}, 0)
		}
		f.Add(uint8(i), uint8(2), uint64(1<<40), []byte(sealedText), []byte{}, 0)
		f.Add(uint8(i), uint8(2), uint64(0), make([]byte, 300), []byte{}, -16)
		f.Add(uint8(i), uint8(0), uint64(0), []byte{}, []byte{}, -300)
	}
	f.Fuzz(func(t *testing.T, which, version uint8, seq uint64, plain, xor []byte, length int) {
		r, v := protections[int(which)%len(protections)], versions[int(version)%len(versions)]
		if r.mac == nil {
			v = iana.TLS12
		}
		p := r.new(t, v)
		h, fragment := sealed(t, p, seq, plain[:min(len(plain), MaxPlaintext)])
		bad := slices.Clone(fragment)
		for i := range min(len(xor), len(bad)) {
			bad[len(bad)-1-i] ^= xor[i]
		}
		if length < 0 {
			bad = bad[:max(0, len(bad)+max(length, -len(bad)))]
		} else {
			bad = append(bad, make([]byte, length%300)...)
		}
		same := bytes.Equal(bad, fragment)
		got, err := r.new(t, v).Open(seq, h, bad)
		if same {
			if err != nil || !bytes.Equal(got, plain[:len(got)]) {
				t.Fatalf("the record as it was: got %x, %v", got, err)
			}
			return
		}
		refused(t, p.Traits().Name, got, bad, err)
	})
}

// FuzzHalf: what one Half seals another opens, cut into records of the size that was agreed on and
// padded as was asked; a record in which a bit differs is refused, and nothing after it is asked.
func FuzzHalf(f *testing.F) {
	all := halves()
	for i := range all {
		f.Add(uint8(i), uint16(0), uint16(0), uint8(23), []byte(sealedText), uint16(0))
		f.Add(uint8(i), uint16(5), uint16(20), uint8(23), []byte(sealedText), uint16(0))
		f.Add(uint8(i), uint16(9), uint16(300), uint8(22), []byte(sealedText), uint16(9))
		f.Add(uint8(i), uint16(0), uint16(0), uint8(21), []byte{}, uint16(0))
		f.Add(uint8(i), uint16(0), uint16(7), uint8(23), []byte{}, uint16(0))
		f.Add(uint8(i), uint16(0), uint16(0), uint8(0), []byte{0, 0}, uint16(0))
		f.Add(uint8(i), uint16(0xFFFE), uint16(0), uint8(23), make([]byte, 20000), uint16(0))
		f.Add(uint8(i), uint16(0xFFFE), uint16(0), uint8(23), make([]byte, 20), uint16(0))
		f.Add(uint8(i), uint16(0xFFFD), uint16(0), uint8(23), make([]byte, 20), uint16(0))
		f.Add(uint8(i), uint16(0xFFFF), uint16(0), uint8(23), make([]byte, 40), uint16(0))
	}
	f.Fuzz(func(t *testing.T, which uint8, fragment, pad uint16, typ uint8, plain []byte,
		flip uint16) {
		new := all[int(which)%len(all)]
		if len(plain) > 4*MaxPlaintext {
			return
		}
		from, to, v := new(t, fragment, pad)
		left, need := from.Left(), uint64(
			max(1, (len(plain)+from.MaxFragment()-1)/from.MaxFragment()),
		)
		records, err := from.Seal(nil, iana.ContentType(typ), v, plain)
		if err != nil {
			if (len(plain) > 0 || typ == 23) && left > need {
				t.Fatal(err)
			}
			return
		}
		if typ != 21 && from.Left() != left-need {
			t.Fatalf("%d records are left of %d after %d", from.Left(), left, need)
		}
		var got []byte
		for i := 0; len(records) > 0; i++ {
			h, err := ParseHeader(records)
			if err != nil { // a type that nobody would send
				return
			}
			body := records[HeaderLen : HeaderLen+h.Length]
			changed := i == 1 && flip > 0 && from.Protected() && len(body) > 0
			if changed {
				body[int(flip)%len(body)] ^= 1 << (flip % 8)
			}
			number := to.SeqNum()
			kind, opened, err := to.Open(h, body)
			if fragment >= 0xFFFD || typ == 0 { // the other side allows less, or there is no type
				return
			}
			if changed != (err != nil) {
				t.Fatalf("record %d, changed %v: %v", i, changed, err)
			}
			if err != nil {
				return
			}
			if to.SeqNum() != number+1 {
				t.Fatalf("after number %d comes %d", number, to.SeqNum())
			}
			if kind != iana.ContentType(typ) || len(opened) > to.MaxFragment() {
				t.Fatalf("got %d bytes of %v", len(opened), kind)
			}
			got, records = append(got, opened...), records[HeaderLen+h.Length:]
		}
		if !bytes.Equal(got, plain) {
			t.Fatalf("got %d bytes, expected %d", len(got), len(plain))
		}
	})
}

// halves make both ends of a direction under every protection, of TLS 1.3 too, and in the clear.
// One end records what it does. A limit of 0xFFFF is that of the opening side alone.
func halves() (all []func(t testing.TB, fragment, pad uint16) (from, to *Half, v iana.Version)) {
	add := func(v iana.Version, protection func(testing.TB) Protection) {
		all = append(all, func(t testing.TB, fragment, pad uint16) (*Half, *Half, iana.Version) {
			log := trace.New(trace.Client, &trace.Memory{}, nil)
			from, to := &Half{Log: log}, &Half{Log: log}
			if protection != nil {
				from.Protect(protection(t))
				to.Protect(protection(t))
			}
			switch fragment {
			case 0xFFFF:
				to.SetMaxFragment(10)
			case 0xFFFE:
				from.seq = from.traits().MaxRecords - 2
				to.seq = from.seq
			case 0xFFFD:
				to.seq = seqLimit
			default:
				from.SetMaxFragment(int(fragment))
				to.SetMaxFragment(int(fragment))
			}
			if pad > 0 {
				from.Pad = func(int) int { return int(pad) }
			}
			return from, to, v
		})
	}
	add(iana.TLS12, nil)
	for _, r := range protections {
		add(iana.TLS12, func(t testing.TB) Protection { return r.new(t, iana.TLS12) })
	}
	for _, c := range []*Cipher{AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, AES_128_CCM,
		AES_128_CCM_8} {
		add(iana.TLS12, func(t testing.TB) Protection {
			return row{c, nil, false}.new(t, iana.TLS13)
		})
	}
	return all
}

// FuzzParseHeader: a header is read as it stands, or its type, version or length is refused.
func FuzzParseHeader(f *testing.F) {
	for _, b := range [][]byte{{22, 3, 1, 0, 170}, {23, 3, 3, 0x48, 0}, {23, 3, 3, 0x48, 1},
		{19, 3, 3, 0, 1}, {24, 3, 3, 0, 1}, {22, 2, 0, 0, 1}, {22, 3}, {}} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHeader(b)
		if err != nil {
			if len(b) >= HeaderLen && alert.Of(err) == alert.InternalError {
				t.Errorf("%x: %v", b, err)
			}
			return
		}
		again := make([]byte, HeaderLen)
		h.put(again, h.Length)
		if !bytes.Equal(again, b[:HeaderLen]) {
			t.Errorf("got %x of %x", again, b)
		}
	})
}
