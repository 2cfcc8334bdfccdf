package probe

import (
	"bytes"
	"context"
	"crypto/rsa"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// attacks are the questions that a server, or what watches it, may take for an attack. None of them
// reads memory of the server, and none makes it do more work than a handshake.
var attacks = []question{
	{"heartbleed", "Heartbleed (CVE-2014-0160)", askHeartbleed},
	{"ccs_injection", "early ChangeCipherSpec (CVE-2014-0224)", askCCS},
	{"robot", "ROBOT: tells apart how RSA decryption fails (CVE-2017-13099 and others)", askROBOT},
	{"ticketbleed", "Ticketbleed (CVE-2016-9244)", askTicketbleed},
	{"ticket_other_name", "resumes a ticket under another name", askOtherName},
	{"client_renegotiation", "renegotiates when the client asks", askRenegotiation},
	{"dh_reuse", "uses a Diffie-Hellman key again (precondition of Raccoon)", askReuse},
}

// greetWith sends a hello on a connection that dial makes, and returns it with all that was read
// until ServerHelloDone.
func (s *Server) greetWith(ctx context.Context, o *Offer,
	dial func(context.Context) (net.Conn, func(), error)) (net.Conn, *reader, *Answer, func()) {
	a := &Answer{offer: o}
	conn, end, err := dial(ctx)
	if err != nil {
		a.Outcome, a.Err = Unreached, err
		return nil, nil, a, func() {}
	}
	raw, err := o.encode(s.Name)
	if err == nil {
		a.sent = raw
		err = o.write(conn, raw)
	}
	if err != nil {
		a.end(err)
		return conn, nil, a, end
	}
	r := &reader{conn: conn}
	a.read(r)
	return conn, r, a, end
}

// askSSL2 sends a hello of SSL 2.0. See RFC 6101 §E and draft-hickman-netscape-ssl-00, section
// 2.5.
func (p *prober) askSSL2(ctx context.Context) Version {
	v := Version{Name: ssl2Name, version: ssl2, Told: NotTold, Suites: []Suite{}}
	conn, end, err := p.server.connect(ctx)
	if err != nil {
		v.Detail = bounded(err.Error())
		return v
	}
	defer end()
	kinds := []byte{1, 0, 0x80, 2, 0, 0x80, 3, 0, 0x80, 4, 0, 0x80, 5, 0, 0x80, 6, 0, 0x40,
		7, 0, 0xC0}
	hello := append([]byte{1, 0, 2, 0, byte(len(kinds)), 0, 0, 0, 16}, kinds...)
	hello = append(hello, fresh(16)...)
	if _, err := conn.Write(append([]byte{0x80, byte(len(hello))}, hello...)); err != nil {
		v.Told, v.Detail = No, "closed"
		return v
	}
	var answer [13]byte
	n, err := io.ReadFull(conn, answer[:])
	switch {
	case n >= 7 && answer[0]&0x80 != 0 && answer[2] == 4 && answer[5] == 0 && answer[6] == 2:
		v.Told = Yes
		if n == len(answer) && answer[9] == 0 && answer[10] == 0 {
			v.Detail = "it answers, and has no suite"
		}
	case n >= 2 && plausible(answer[:n]):
		v.Told, v.Detail = No, "refused with a record of TLS"
	case n == 0 && err != nil && !timedOut(err):
		v.Told, v.Detail = No, "closed"
	case n == 0:
		v.Detail = "silent"
	default:
		v.Told, v.Detail = No, "the answer is none of SSL 2.0"
	}
	return v
}

// askHeartbleed sends one heartbeat request whose payload_length is the number of bytes that it
// has, and leaves out the padding. A mended server drops it, because it is too short; one that is
// not echoes our own bytes. No memory is read that is not ours. See RFC 6520 §4.
func askHeartbleed(ctx context.Context, p *prober) (Told, How, string) {
	o := p.base()
	if o == nil || o.Version < iana.TLS10 {
		return NotApplicable, "", "no version until TLS 1.2"
	}
	o = o.with(func(m *message.ClientHello) {
		m.Extensions.Add(iana.ExtHeartbeat, &message.Heartbeat{Mode: 1})
	})
	conn, r, a, end := p.server.greetWith(ctx, o, p.server.connect)
	defer end()
	switch {
	case a.Outcome != Accepted:
		return NotTold, "", a.Refusal()
	case !a.Hello.Extensions.Has(iana.ExtHeartbeat):
		return No, Seen, "no heartbeat extension"
	}
	mine := fresh(16)
	request := append([]byte{1, 0, byte(len(mine))}, mine...)
	if _, err := conn.Write(record(24, a.Version, request)); err != nil {
		return NotTold, "", "the connection was closed"
	}
	for {
		typ, content, err := r.record()
		switch {
		case err != nil, typ == iana.RecordAlert:
			return No, Inferred, "a request without padding is not answered"
		case typ == 24 && bytes.Contains(content, mine):
			return Yes, Seen, "it echoes a request whose padding is missing"
		}
	}
}

// askCCS sends a ChangeCipherSpec before there are keys. A server that takes it, as OpenSSL before
// 1.0.1h did, finds the next record to be badly protected; any other answers unexpected_message.
func askCCS(ctx context.Context, p *prober) (Told, How, string) {
	o := p.base()
	if o == nil || o.Version < iana.TLS10 {
		return NotApplicable, "", "no version until TLS 1.2"
	}
	conn, r, a, end := p.server.greetWith(ctx, o, p.server.connect)
	defer end()
	if a.Outcome != Accepted || !a.Done {
		return NotTold, "", a.Refusal()
	}
	early := record(iana.RecordChangeCipherSpec, a.Version, []byte{1})
	if _, err := conn.Write(early); err != nil {
		return NotTold, "", "the connection was closed"
	}
	// The server's verdict on the first comes before the second is sent, or it is not known which
	// one it is about.
	if got := verdict(r, conn, p.server.patience()); got != "" {
		return No, Seen, got
	}
	if _, err := conn.Write(record(iana.RecordHandshake, a.Version, fresh(48))); err != nil {
		return No, Inferred, "the connection was closed"
	}
	switch got := verdict(r, conn, p.server.Timeout); got {
	case "alert " + alert.BadRecordMAC.String(), "alert " + alert.DecryptionFailed.String():
		return Yes, Inferred, "it took the first, and found the next record badly protected"
	case "":
		return NotTold, "", "silent"
	default:
		return NotTold, "", "silent after the first, then " + got
	}
}

// askReuse compares the public keys of at least three handshakes of one kind: those that showed
// the suites, and more if they are too few.
func askReuse(ctx context.Context, p *prober) (Told, How, string) {
	v := p.report.best(iana.TLS12)
	if v == nil || v.version < iana.TLS10 {
		return NotApplicable, "", ""
	}
	var kinds, reused []string
	for _, kind := range []struct {
		name     string
		elliptic bool
	}{{"DHE", false}, {"ECDHE", true}} {
		ids := ephemeral(v, kind.elliptic)
		if len(ids) == 0 {
			continue
		}
		keys, problem := p.publicKeys(ctx, v.version, ids[:1], kind.elliptic)
		if problem != "" {
			return NotTold, "", problem
		}
		kinds = append(kinds, fmt.Sprintf("%s with %s", kind.name, count(len(keys), "handshake")))
		slices.Sort(keys)
		if len(slices.Compact(keys)) < len(keys) {
			reused = append(reused, kind.name)
		}
	}
	switch {
	case len(kinds) == 0:
		return NotApplicable, "", "no suite with DHE or ECDHE"
	case len(reused) > 0:
		return Yes, Seen, "two handshakes had the same public key: " + strings.Join(reused, ", ")
	}
	return No, Inferred, "no two had the same key: " + strings.Join(kinds, ", ")
}

// publicKeys returns the public keys of answers in a version, at least three.
func (p *prober) publicKeys(ctx context.Context, v iana.Version, ids []iana.CipherSuite,
	elliptic bool) (keys []string, problem string) {
	take := func(a *Answer) bool {
		if a.Version != v || a.Keys == nil || elliptic != (a.Keys.P == nil) {
			return false
		}
		keys = append(keys, string(a.Keys.DHPublic)+string(a.Keys.ECPublic))
		return true
	}
	for _, a := range p.answers {
		take(a)
	}
	for len(keys) < 3 {
		a := p.server.insist(ctx,
			&Offer{Version: v, Suites: ids, Groups: groups12, Schemes: schemes})
		if a.Outcome != Accepted || !take(a) {
			return nil, a.Refusal()
		}
	}
	return keys, ""
}

// robotVectors are the forms of the padded block of RSA key exchange. See RFC 8017 §7.2.1; the
// names are those of "Return Of Bleichenbacher's Oracle Threat", section 3.
var robotVectors = []struct {
	name  string
	shape func(n int, v iana.Version) []byte
}{
	{"good", func(n int, v iana.Version) []byte { return padded(n, v, nil) }},
	{"bad start", func(n int, v iana.Version) []byte {
		return padded(n, v, func(b []byte) { b[0], b[1] = 0x41, 0x17 })
	}},
	{"00 misplaced", func(n int, v iana.Version) []byte {
		return padded(n, v, func(b []byte) { b[n-49] = 0x11; b[n-2] = 0 })
	}},
	{"no 00", func(n int, v iana.Version) []byte {
		return padded(n, v, func(b []byte) { b[n-49] = 0x11 })
	}},
	{"wrong version", func(n int, v iana.Version) []byte {
		return padded(n, v, func(b []byte) { b[n-48], b[n-47] = 2, 2 })
	}},
}

// padded returns a PKCS #1 v1.5 block of n bytes: 00 02, padding, 00, version, 46 bytes.
func padded(n int, v iana.Version, spoil func([]byte)) []byte {
	b := fresh(n)
	for i := range b {
		b[i] |= 1 // no zero byte but those that are set
	}
	b[0], b[1], b[n-49], b[n-48], b[n-47] = 0, 2, 0, byte(v>>8), byte(v)
	if spoil != nil {
		spoil(b)
	}
	return b
}

// askROBOT compares the server's answers to five forms of the encrypted pre_master_secret, with and
// without what follows. A mended server goes on in the same way with each.
func askROBOT(ctx context.Context, p *prober) (Told, How, string) {
	v := p.report.best(iana.TLS12)
	if v == nil || v.version < iana.TLS10 {
		return NotApplicable, "", ""
	}
	o := &Offer{Version: v.version, Groups: v.groups(), Schemes: schemes}
	for _, x := range v.Suites {
		if r := suite.Readable(x.id); r != nil && r.KeyTransport() && !r.PreShared() {
			if strings.Contains(x.Name, "AES") && strings.Contains(x.Name, "GCM") {
				o.Suites = append([]iana.CipherSuite{x.id}, o.Suites...)
			} else {
				o.Suites = append(o.Suites, x.id)
			}
		}
	}
	if len(o.Suites) == 0 {
		return NotApplicable, "", "no suite with RSA key exchange"
	}
	for _, flow := range []bool{true, false} {
		classes, problem := p.robotFlow(ctx, o, flow)
		if problem != "" {
			return NotTold, "", problem
		}
		if alike(classes) {
			continue
		}
		again, problem := p.robotFlow(ctx, o, flow)
		if problem != "" || fmt.Sprint(again) != fmt.Sprint(classes) {
			return NotTold, "", "the answers differ, and differ again when asked again"
		}
		strength := "strong: it tells a misplaced 00 from none"
		if classes[1] == classes[2] && classes[2] == classes[3] {
			strength = "weak: it tells good padding from bad"
		}
		return Yes, Inferred, strength
	}
	return No, Inferred, "five forms of padding are answered alike, with and without Finished"
}

func alike(classes []string) bool {
	for _, c := range classes {
		if c != classes[0] {
			return false
		}
	}
	return true
}

// robotFlow returns how each form is answered, or why that is not known. The forms are asked at the
// same time.
func (p *prober) robotFlow(ctx context.Context, o *Offer, finish bool) ([]string, string) {
	classes, problems := make([]string, len(robotVectors)), make([]string, len(robotVectors))
	var run []func()
	for i := range robotVectors {
		run = append(run, func() { classes[i], problems[i] = p.robotOnce(ctx, o, i, finish) })
	}
	side(run...)
	for _, problem := range problems {
		if problem != "" {
			return nil, problem
		}
	}
	return classes, ""
}

func (p *prober) robotOnce(
	ctx context.Context,
	o *Offer,
	vector int,
	finish bool,
) (class, problem string) {
	conn, r, a, end := p.server.greetWith(
		ctx,
		o,
		func(ctx context.Context) (net.Conn, func(), error) {
			return p.server.dial(ctx, func() {}) // five at once, since a good server lets each wait
		},
	)
	defer end()
	switch {
	case a.Outcome != Accepted || !a.Done:
		return "", a.Refusal()
	case len(a.Chain) == 0:
		return "", "no certificate came"
	case a.Request != nil:
		return "", "the server wants a client certificate first"
	}
	leaf, err := pki.ReadCertificate(a.Chain[0])
	if err != nil {
		return "", "its certificate cannot be read"
	}
	pub, ok := leaf.PublicKey.(*rsa.PublicKey)
	if !ok || pub.N.BitLen() < 512 || pub.N.BitLen() > 16384 || pub.E < 2 {
		return "", "its key is no RSA key of a usual size"
	}
	n := pub.Size()
	block := new(big.Int).SetBytes(robotVectors[vector].shape(n, o.Version))
	encrypted := block.Exp(block, big.NewInt(int64(pub.E)), pub.N).FillBytes(make([]byte, n))
	key := append(
		[]byte{16, 0, byte((n + 2) >> 8), byte(n + 2), byte(n >> 8), byte(n)},
		encrypted...)
	out := record(iana.RecordHandshake, a.Version, key)
	if finish {
		out = append(out, record(iana.RecordChangeCipherSpec, a.Version, []byte{1})...)
		out = append(out, record(iana.RecordHandshake, a.Version, fresh(64))...)
	}
	if _, err := conn.Write(out); err != nil {
		return "the connection was closed", ""
	}
	if class = verdict(r, conn, p.server.patience()); class == "" {
		class = "silent"
	}
	return class, ""
}
