package main

import (
	"crypto/tls"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// The stacks.
const (
	ours      = "vitrine"
	cryptoTLS = "crypto/tls"
	openSSL   = "OpenSSL"
)

// What a job does.
const (
	full    = "handshake" // one full handshake
	byID    = "id"        // one handshake that resumes by a session ID
	byPSK   = "resume"    // one that resumes by a ticket, or in TLS 1.3 by a PSK
	bulk    = "bulk"      // a MiB each way by writes of Size bytes
	copied  = "copied"    // the same by io.Copy
	echo    = "echo"      // Size bytes there and back
	http1   = "http1"     // a request whose answer has Size bytes
	http2   = "http2"     // the same by HTTP/2
	reading = "reading"   // heap and stack of each of Size ends that wait in Read
	unread  = "unread"    // the same of ends from which nobody reads
	opened  = "opened"    // a server's part of a handshake while Size connections are open
	held    = "held"      // what each of Size such connections takes of a process's memory
	peer    = "peer"      // the other ends of those
)

// A job is what a worker does, again and again.
type job struct {
	Stack, What string
	Version     uint16
	Suite       iana.CipherSuite // 0: the stack's choice
	Group       tls.CurveID
	Key         throwaway.Kind
	ClientKey   bool // the client proves itself too
	Traced      bool // both ends make every event
	Known       bool // a chain that was verified before is not verified again
	Size        int
	Dir         string // where the certificates are
	Peer        string // the address of a peer's server
}

// A row is one line of the table.
type row struct {
	section, name string
	job
	block int     // operations in a block
	goal  float64 // for the ratio to the better of the others; 0: there is none
}

const (
	tls12, tls13 = tls.VersionTLS12, tls.VersionTLS13
	rsa, ecdsa   = throwaway.RSA, throwaway.ECDSA
	x25519       = tls.X25519
	hybrid       = tls.X25519MLKEM768
	ed25519      = throwaway.Ed25519
	ffdhe2048    = tls.CurveID(iana.FFDHE2048)
	ffdhe3072    = tls.CurveID(iana.FFDHE3072)
	gcm13        = iana.TLS_AES_128_GCM_SHA256
	ecdsaGCM     = iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
)

var rows = []row{
	handshake("TLS 1.2, RSA 2048", 0.95, job{Version: tls12,
		Suite: iana.TLS_RSA_WITH_AES_128_GCM_SHA256, Key: rsa}),
	handshake("TLS 1.2, DHE, RSA 2048, ffdhe2048", 0.33, job{Version: tls12,
		Suite: iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, Key: rsa, Group: ffdhe2048}),
	handshake("TLS 1.2, DHE, RSA 2048, ffdhe3072", 0, job{Version: tls12,
		Suite: iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, Key: rsa, Group: ffdhe3072}),
	handshake("TLS 1.2, ECDHE, RSA 2048, X25519", 0.95, job{Version: tls12,
		Suite: iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Key: rsa, Group: x25519}),
	handshake("TLS 1.2, ECDHE, ECDSA P-256, X25519", 0.85,
		job{Version: tls12, Suite: ecdsaGCM, Key: ecdsa, Group: x25519}),
	handshake("TLS 1.2, ECDHE, ECDSA P-256, P-256", 0.85,
		job{Version: tls12, Suite: ecdsaGCM, Key: ecdsa, Group: tls.CurveP256}),
	handshake("TLS 1.2, ECDHE, Ed25519, X25519", 0.85,
		job{Version: tls12, Suite: ecdsaGCM, Key: ed25519, Group: x25519}),
	handshake("TLS 1.2, ECDHE, ECDSA P-256, X25519, client certificate", 0.85,
		job{Version: tls12, Suite: ecdsaGCM, Key: ecdsa, Group: x25519, ClientKey: true}),
	handshake("TLS 1.3, ECDSA P-256, X25519", 0.85,
		job{Version: tls13, Key: ecdsa, Group: x25519}),
	handshake("TLS 1.3, ECDSA P-256, X25519MLKEM768", 0.85,
		job{Version: tls13, Key: ecdsa, Group: hybrid}),
	handshake("TLS 1.3, RSA 2048, X25519", 0.95, job{Version: tls13, Key: rsa, Group: x25519}),
	handshake("TLS 1.3, RSA 2048, X25519MLKEM768", 0.95,
		job{Version: tls13, Key: rsa, Group: hybrid}),
	handshake("TLS 1.3, Ed25519, X25519", 0.85,
		job{Version: tls13, Key: ed25519, Group: x25519}),
	handshake("TLS 1.3, ECDSA P-256, X25519, client certificate", 0.85,
		job{Version: tls13, Key: ecdsa, Group: x25519, ClientKey: true}),
	handshake("TLS 1.3, ECDSA P-256, X25519, every event made", 0,
		job{Version: tls13, Key: ecdsa, Group: x25519, Traced: true}),

	returning("TLS 1.2, ECDHE, ECDSA P-256, X25519",
		job{Version: tls12, Suite: ecdsaGCM, Key: ecdsa, Group: x25519}),
	returning("TLS 1.3, ECDSA P-256, X25519", job{Version: tls13, Key: ecdsa, Group: x25519}),
	returning("TLS 1.3, ECDSA P-256, X25519MLKEM768",
		job{Version: tls13, Key: ecdsa, Group: hybrid}),
	returning("TLS 1.3, RSA 2048, X25519", job{Version: tls13, Key: rsa, Group: x25519}),

	resumed("TLS 1.2, session ID", job{What: byID, Version: tls12, Suite: ecdsaGCM, Group: x25519}),
	resumed("TLS 1.2, ticket", job{What: byPSK, Version: tls12, Suite: ecdsaGCM, Group: x25519}),
	resumed("TLS 1.3, PSK, X25519", job{What: byPSK, Version: tls13, Group: x25519}),
	resumed("TLS 1.3, PSK, X25519MLKEM768",
		job{What: byPSK, Version: tls13, Group: hybrid}),

	moved("TLS 1.3, AES_128_GCM", 0.93, 1<<10, job{Version: tls13, Suite: gcm13}),
	moved("TLS 1.3, AES_128_GCM", 0.93, 16<<10, job{Version: tls13, Suite: gcm13}),
	moved("TLS 1.3, AES_128_GCM", 0.93, 1<<20, job{Version: tls13, Suite: gcm13}),
	moved("TLS 1.3, CHACHA20_POLY1305", 0.95, 16<<10,
		job{Version: tls13, Suite: iana.TLS_CHACHA20_POLY1305_SHA256}),
	moved("TLS 1.2, AES_128_GCM", 0.93, 1<<10, job{Version: tls12, Suite: ecdsaGCM}),
	moved("TLS 1.2, AES_128_GCM", 0.93, 16<<10, job{Version: tls12, Suite: ecdsaGCM}),
	moved("TLS 1.2, AES_128_GCM", 0.93, 1<<20, job{Version: tls12, Suite: ecdsaGCM}),
	moved("TLS 1.2, CHACHA20_POLY1305", 0.95, 16<<10, job{Version: tls12,
		Suite: iana.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}),
	moved("TLS 1.2, AES_128_CBC_SHA256", 0.92, 16<<10, job{Version: tls12,
		Suite: iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256}),
	moved("TLS 1.2, AES_128_CCM", 0, 16<<10, job{Version: tls12,
		Suite: iana.TLS_ECDHE_ECDSA_WITH_AES_128_CCM}),
	copies("TLS 1.3, AES_128_GCM, io.Copy", job{Version: tls13, Suite: gcm13}),
	messages("TLS 1.3, AES_128_GCM", job{Version: tls13, Suite: gcm13}),
	messages("TLS 1.2, AES_128_GCM", job{Version: tls12, Suite: ecdsaGCM}),

	requests("HTTP/1.1 over TLS 1.3", job{What: http1, Version: tls13}),
	requests("HTTP/2 over TLS 1.3", job{What: http2, Version: tls13}),
	requests("HTTP/2 over TLS 1.2", job{What: http2, Version: tls12, Suite: ecdsaGCM}),

	idle("TLS 1.3, a goroutine waits in Read", job{What: reading, Version: tls13}),
	idle("TLS 1.3, nobody reads", job{What: unread, Version: tls13}),
	idle("TLS 1.2, a goroutine waits in Read", job{What: reading, Version: tls12}),
	idle("TLS 1.2, nobody reads", job{What: unread, Version: tls12}),

	beside("TLS 1.3, a handshake beside one open connection", job{What: opened, Size: 1}),
	beside("TLS 1.3, a handshake beside %d open connections", job{What: opened}),
	beside("TLS 1.3, each of %d open ends in a process", job{What: held}),
}

// many is how many connections are open in the rows about many, unless a flag has another number.
const many = 10_000

// withOpen returns the rows with another number of open connections.
func withOpen(n int) []row {
	all := slices.Clone(rows)
	for i := range all {
		r := &all[i]
		if (r.What == opened || r.What == held) && r.Size != 1 {
			r.Size, r.name = n, fmt.Sprintf(r.name, n)
		}
	}
	return all
}

func handshake(name string, goal float64, j job) row {
	j.What = full
	return row{section: "Full handshakes", name: name, job: j, block: 100, goal: goal}
}

// returning is handshake with what Vitrine alone has: the cache of verified chains.
func returning(name string, j job) row {
	r := handshake(name, 0, j)
	r.section, r.Known = "Full handshakes of a client that returns", true
	return r
}

func resumed(name string, j job) row {
	j.Key = ecdsa
	return row{section: "Resumed handshakes", name: name, job: j, block: 200, goal: 0.85}
}

func moved(name string, goal float64, each int, j job) row {
	j.What, j.Key, j.Group, j.Size = bulk, ecdsa, x25519, each
	return row{section: "Bulk data", name: fmt.Sprintf("%s, %s", name, size(each)), job: j,
		block: 16, goal: goal}
}

// copies is moved by io.Copy, which is for Go's stacks.
func copies(name string, j job) row {
	r := moved("", 0.93, 0, j)
	r.name, r.What = name, copied
	return r
}

func messages(name string, j job) row {
	j.What, j.Key, j.Group, j.Size = echo, ecdsa, x25519, 100
	return row{section: "Messages of 100 bytes there and back", name: name, job: j, block: 2000,
		goal: 0.93}
}

func requests(name string, j job) row {
	j.Key, j.Group, j.Size = ecdsa, x25519, 1000
	return row{section: "Requests over one connection", name: name, job: j, block: 300, goal: 1}
}

func idle(name string, j job) row {
	j.Suite, j.Key, j.Group, j.Size = 0, ecdsa, x25519, 2000
	if j.Version == tls12 {
		j.Suite = ecdsaGCM
	}
	return row{section: "Idle connections", name: name, job: j, block: 1, goal: 0.8}
}

func beside(name string, j job) row {
	j.Version, j.Key, j.Group = tls13, ecdsa, x25519
	r := row{section: "Open connections", name: name, job: j, block: 200, goal: 1}
	if j.What == held {
		r.block, r.goal = 1, 0.8
	}
	return r
}

// size returns n in words, such as 16 KiB.
func size(n int) string {
	if n >= 1<<20 {
		return fmt.Sprint(n>>20, " MiB")
	}
	return fmt.Sprint(n>>10, " KiB")
}

// countable reports whether the instructions of an operation can be counted: what waits for other
// processes cannot.
func (r row) countable() bool { return !r.memory() && r.What != opened }

// memory reports whether a row is about bytes that are held and not about time.
func (r row) memory() bool { return r.What == reading || r.What == unread || r.What == held }

// jobs returns what is compared: Vitrine's job and those of the other stacks. One that cannot do it
// has no Stack.
func (r row) jobs() []job {
	jobs := []job{r.job, r.job, r.job}
	jobs[0].Stack = ours
	if cryptoTLSCan(r.job) {
		jobs[1].Stack = cryptoTLS
	}
	if opensslCan(r.job) {
		jobs[2].Stack = openSSL
	}
	return jobs
}

// cryptoTLSCan reports whether crypto/tls can be made to do j: it has neither finite fields nor CCM
// nor session IDs, and lets nobody choose among the suites of TLS 1.3.
func cryptoTLSCan(j job) bool {
	if j.Version == tls13 {
		return j.Suite == 0 || j.Suite == gcm13
	}
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if s.ID == uint16(j.Suite) {
			return j.What != byID
		}
	}
	return false
}

// opensslCan reports whether the harness can do j: it has no HTTP and counts no memory, and only
// OpenSSL 3.5 has hybrids.
func opensslCan(j job) bool {
	_, group := opensslGroups[j.Group]
	switch j.What {
	case reading, unread, http1, http2, opened, held, copied:
		return false
	}
	return group
}
