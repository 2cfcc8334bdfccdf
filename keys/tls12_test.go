package keys

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/trace"
)

// acvp is a file of NIST's: the classic derivation ("kdf-components", with other randoms for the
// key_block than for the master_secret) and that of RFC 7627.
type acvp struct {
	Sets []struct {
		TestGroups []struct {
			HashAlg        string
			KeyBlockLength int // bits
			Tests          []struct {
				TcID                                 int
				PreMasterSecret, SessionHash         testkit.Hex
				ClientHelloRandom, ServerHelloRandom testkit.Hex
				ClientRandom, ServerRandom           testkit.Hex
				Expected                             struct{ MasterSecret, KeyBlock testkit.Hex }
			}
		}
	}
}

func TestMasterAndKeyBlockMatchPublishedValues(t *testing.T) {
	for _, file := range []string{"acvp/boringssl-TLS12.json",
		"acvp/boringssl-kdf-components.json"} {
		var f acvp
		testkit.JSON(t, file, &f)
		n := 0
		for _, set := range f.Sets {
			for _, g := range set.TestGroups {
				for _, c := range g.Tests {
					n++
					p := PRF{Hash: hashNamed(t, g.HashAlg)}
					m := p.ExtendedMaster(c.PreMasterSecret, c.SessionHash) // RFC 7627 §4
					if c.SessionHash == nil {
						// RFC 5246 §8.1
						m = p.Master(c.PreMasterSecret,
							randoms(c.ClientHelloRandom, c.ServerHelloRandom))
					}
					if !bytes.Equal(m.Bytes(), c.Expected.MasterSecret) {
						t.Errorf("%s %d: master_secret: got %x, expected %x", file, c.TcID,
							m.Bytes(), c.Expected.MasterSecret)
					}
					b := m.KeyBlock(Shape{Key: g.KeyBlockLength / 8 / 2},
						randoms(c.ClientRandom, c.ServerRandom))
					if !bytes.Equal(b.Raw, c.Expected.KeyBlock) {
						t.Errorf("%s %d: key_block: got %x, expected %x", file, c.TcID, b.Raw,
							c.Expected.KeyBlock)
					}
				}
			}
		}
		if n == 0 {
			t.Fatalf("%s: no case ran", file)
		}
		t.Logf("%s: %d cases", file, n)
	}
}

func randoms(client, server []byte) Randoms { return Randoms{[32]byte(client), [32]byte(server)} }

// RFC 5246 §6.3: client_write_MAC_key, server_write_MAC_key, client_write_key, server_write_key,
// client_write_IV, server_write_IV, whichever of them the suite takes.
func TestKeyBlockIsSplitInTheOrderOfTheRFC(t *testing.T) {
	m, err := PRF{Hash: crypto.SHA256}.Restore(make([]byte, MasterLen))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		shape Shape
		parts string
	}{
		{Shape{20, 32, 16},
			"client_write_MAC_key@0+20 server_write_MAC_key@20+20 client_write_key@40+32 " +
				"server_write_key@72+32 client_write_IV@104+16 server_write_IV@120+16"},
		{Shape{32, 16, 0},
			"client_write_MAC_key@0+32 server_write_MAC_key@32+32 client_write_key@64+16 " +
				"server_write_key@80+16 client_write_IV@96+0 server_write_IV@96+0"},
		{Shape{0, 32, 4},
			"client_write_MAC_key@0+0 server_write_MAC_key@0+0 client_write_key@0+32 " +
				"server_write_key@32+32 client_write_IV@64+4 server_write_IV@68+4"},
		{Shape{}, "client_write_MAC_key@0+0 server_write_MAC_key@0+0 client_write_key@0+0 " +
			"server_write_key@0+0 client_write_IV@0+0 server_write_IV@0+0"},
	} {
		b := m.KeyBlock(c.shape, Randoms{})
		if len(b.Raw) != c.shape.Len() {
			t.Errorf("%+v: got %d bytes, expected %d", c.shape, len(b.Raw), c.shape.Len())
		}
		var parts []string
		for i, p := range c.shape.Parts() {
			parts = append(parts, fmt.Sprintf("%s@%d+%d", p.Name, p.Offset, p.Len))
			d := b.Of(p.From)
			got := [][]byte{d.MAC, d.Key, d.IV}[i/2]
			if !bytes.Equal(got, b.Raw[p.Offset:p.Offset+p.Len]) {
				t.Errorf("%+v: %s is not where Parts says", c.shape, p.Name)
			}
			if cap(got) != len(got) {
				t.Errorf("%+v: an append to %s would overwrite the next part", c.shape, p.Name)
			}
		}
		if got := strings.Join(parts, " "); got != c.parts {
			t.Errorf("%+v:\ngot      %s\nexpected %s", c.shape, got, c.parts)
		}
	}
}

// RFC 5246 §8.1.2
func TestFiniteFieldPreMasterHasNoLeadingZeros(t *testing.T) {
	for _, c := range []struct{ z, expected string }{
		{"", ""}, {"00", ""}, {"01", "01"}, {"0001", "01"}, {"00000100", "0100"},
		{"ff0000", "ff0000"},
	} {
		if got := hex.EncodeToString(FiniteFieldPreMaster(testkit.Unhex(t,
			c.z))); got != c.expected {
			t.Errorf("%q: got %q, expected %q", c.z, got, c.expected)
		}
	}
}

func TestRestoringAMasterTakesOnly48Bytes(t *testing.T) {
	secret := bytes.Repeat([]byte{7}, MasterLen+1)
	for _, n := range []int{0, MasterLen - 1, MasterLen + 1} {
		_, err := (PRF{Hash: crypto.SHA256}).Restore(secret[:n])
		if err == nil || alert.Of(err) != alert.InternalError {
			t.Errorf("%d bytes: got %v, expected internal_error", n, err)
		}
	}
	m, err := PRF{Hash: crypto.SHA256}.Restore(secret[:MasterLen])
	if err != nil {
		t.Fatal(err)
	}
	secret[0] = 8
	if !bytes.Equal(m.Bytes(), bytes.Repeat([]byte{7}, MasterLen)) {
		t.Error("the master_secret changed with the caller's bytes")
	}
}

func TestNoVerbPrintsASecret(t *testing.T) {
	m := PRF{Hash: crypto.SHA256}.Master([]byte("pre"), Randoms{})
	b := m.KeyBlock(Shape{20, 16, 16}, Randoms{})
	hidden := struct {
		m Master
	}{m} // fmt calls no method of an unexported field
	secrets := map[string][]byte{"master_secret": m.Bytes(), "client_write_key": b.Client.Key,
		"server_write_MAC_key": b.Server.MAC}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b",
		"%c", "%U", "%t", "%p", "%e"} {
		for _, v := range []any{m, &m, []Master{m}, hidden, &hidden, Master{}, b, &b, b.Client,
			[]Direction{b.Server}} {
			if _, isMaster := v.(Master); verb == "%p" && !isMaster {
				continue // fmt asks no Formatter about %p; go vet refuses it for a struct
			}
			out := fmt.Sprintf(verb, v)
			for name, secret := range secrets {
				for _, form := range []string{"%x", "%X", "%d", "%o", "%b", "%s", "%c", "%U",
					"%q"} {
					if strings.Contains(out, strings.Trim(fmt.Sprintf(form, secret[:4]), "[]\"")) {
						t.Errorf("%s of %T shows the %s as %s: %s", verb, v, name, form, out)
					}
				}
			}
		}
	}
	j, err := json.Marshal(m)
	if err != nil || !strings.HasPrefix(string(j), `"redacted: 48 bytes, sha256 `) {
		t.Errorf("as JSON: got %s, %v", j, err)
	}
}

func TestEveryDerivationIsLogged(t *testing.T) {
	seen := &trace.Memory{}
	p := PRF{crypto.SHA384, trace.New(trace.Client, seen, nil)}
	r := randoms(bytes.Repeat([]byte{0xC1}, 32), bytes.Repeat([]byte{0x5E}, 32))
	clientFirst, serverFirst := append(r.Client[:], r.Server[:]...),
		append(r.Server[:], r.Client[:]...)
	pre, hash := []byte("pre"), []byte("transcript")

	m := p.Master(pre, r)
	extended := p.ExtendedMaster(pre, hash)
	block := m.KeyBlock(Shape{20, 32, 0}, r)
	client, server := m.VerifyData(iana.Client, hash), m.VerifyData(iana.Server, hash)
	exported, err := m.Export("EXPORTER-test", []byte{9}, r, 5)
	if err != nil {
		t.Fatal(err)
	}
	expected := []struct {
		name, label, ref     string
		secret, seed, output []byte
	}{
		{"master_secret", "master secret", "RFC 5246 §8.1", pre, clientFirst, m.Bytes()},
		{"master_secret", "extended master secret", "RFC 7627 §4", pre, hash, extended.Bytes()},
		{"key_block", "key expansion", "RFC 5246 §6.3", m.Bytes(), serverFirst, block.Raw},
		{"client_verify_data", "client finished", "RFC 5246 §7.4.9", m.Bytes(), hash, client},
		{"server_verify_data", "server finished", "RFC 5246 §7.4.9", m.Bytes(), hash, server},
		{"exporter", "EXPORTER-test", "RFC 5705 §4", m.Bytes(), append(clientFirst, 0, 1, 9),
			exported},
	}
	if len(seen.Entries) != len(expected) {
		t.Fatalf("got %d events, expected %d", len(seen.Entries), len(expected))
	}
	for i, e := range expected {
		got, ok := seen.Entries[i].Event.(*trace.Derived)
		if !ok {
			t.Fatalf("event %d is a %T", i, seen.Entries[i].Event)
		}
		if got.Name != e.name || got.Label != e.label || got.Function != "PRF" ||
			got.Hash != "SHA-384" || seen.Entries[i].Ref != e.ref {
			t.Errorf("got %s %q %s %s %s, expected %s %q %s", got.Name, got.Label, got.Function,
				got.Hash, seen.Entries[i].Ref, e.name, e.label, e.ref)
		}
		if !bytes.Equal(got.Secret, e.secret) || !bytes.Equal(got.Seed, e.seed) ||
			!bytes.Equal(got.Output, e.output) {
			t.Errorf("%s: secret, seed or output is not that of the derivation", e.name)
		}
	}
	for h, name := range map[crypto.Hash]string{crypto.SHA256: "SHA-256",
		crypto.MD5SHA1: "MD5+SHA-1"} {
		(PRF{h, p.Log}).Master(pre, r)
		if got := seen.Entries[len(seen.Entries)-1].Event.(*trace.Derived).Hash; got != name {
			t.Errorf("got hash %q, expected %q", got, name)
		}
	}
}

// The illustrated TLS 1.2 connection, from the client's ephemeral private key to the plaintext of
// both directions.
func TestIllustratedConnectionDerivesFromItsPrivateKey(t *testing.T) {
	read := func(name string) []byte { return testkit.Vectors(t, "illustrated-tls12/"+name) }
	message := func(name string) []byte { return read(name)[5:] } // behind the record header
	r := randoms(message("clienthello")[6:38], message("serverhello")[6:38])

	der, _ := pem.Decode(read("client-ephemeral-private.key"))
	key, err := x509.ParsePKCS8PrivateKey(der.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	peer, err := ecdh.X25519().NewPublicKey(message("serverkeyexchange")[8:40])
	if err != nil {
		t.Fatal(err)
	}
	pre, err := key.(*ecdh.PrivateKey).ECDH(peer)
	if err != nil {
		t.Fatal(err)
	}
	m := PRF{Hash: crypto.SHA256}.Master(pre, r)
	log := strings.Fields(string(read("keylog.txt")))
	if got := hex.EncodeToString(m.Bytes()); got != log[2] {
		t.Fatalf("master_secret: got %s, the key log says %s", got, log[2])
	}

	transcript := sha256.New()
	for _, name := range []string{"clienthello", "serverhello", "servercert", "serverkeyexchange",
		"serverhellodone", "clientkeyexchange"} {
		transcript.Write(message(name))
	}
	b := m.KeyBlock(Shape{MAC: 20, Key: 16}, r) // TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
	for _, from := range []iana.Side{iana.Client, iana.Server} {
		verify := m.VerifyData(from, transcript.Sum(nil))
		finished := append([]byte{20, 0, 0, VerifyDataLen}, verify...)
		if got := open(t, b.Of(from), 0, read(from.String()+"finished")); !bytes.Equal(got,
			finished) {
			t.Errorf("%v Finished: the record holds %x, expected %x", from, got, finished)
		}
		transcript.Write(finished)
		data := map[iana.Side]string{iana.Client: "ping", iana.Server: "pong"}[from]
		if got := open(t, b.Of(from), 1, read(from.String()+"data")); string(got) != data {
			t.Errorf("%v data: got %q, expected %q", from, got, data)
		}
	}
}

// open decrypts a TLS 1.2 CBC record with HMAC-SHA1, with keys alone. It is not constant in time.
func open(t *testing.T, d Direction, seq uint64, record []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(d.Key)
	if err != nil {
		t.Fatal(err)
	}
	iv, body := record[5:21], bytes.Clone(record[21:])
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(body, body)
	body = body[:len(body)-1-int(body[len(body)-1])]
	content, tag := body[:len(body)-sha1.Size], body[len(body)-sha1.Size:]
	mac := hmac.New(sha1.New, d.MAC)
	mac.Write(binary.BigEndian.AppendUint64(nil, seq))
	mac.Write(record[:3])
	mac.Write(binary.BigEndian.AppendUint16(nil, uint16(len(content))))
	mac.Write(content)
	if !hmac.Equal(mac.Sum(nil), tag) {
		t.Errorf("record %d: the MAC does not verify under the derived key", seq)
	}
	return content
}

func BenchmarkDerivation(b *testing.B) {
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.MD5SHA1} {
		p, pre, hash := PRF{Hash: h}, make([]byte, 48), make([]byte, 32)
		m := p.Master(pre, Randoms{})
		b.Run(p.hashName()+"/master", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Master(pre, Randoms{})
			}
		})
		b.Run(p.hashName()+"/key_block", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.KeyBlock(Shape{32, 32, 0}, Randoms{})
			}
		})
		b.Run(p.hashName()+"/verify_data", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.VerifyData(iana.Client, hash)
			}
		})
	}
}
