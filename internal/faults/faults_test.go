package faults

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

var (
	all  = flag.Bool("faults.all", false, "every byte of every connection, and not a sample")
	seed = flag.Uint64("faults.seed", 1, "which sample")
	soak = flag.Duration("faults.soak", 2*time.Second, "how long TestSoakKeepsMemoryFlat runs")
)

// sample is how many bytes of a direction are tried with each fault, unless all are.
const sample = 40

// patience is after how long a connection that has not ended hangs.
const patience = 20 * time.Second

// What each side says. It must be in no error.
var says = [2][]byte{[]byte("the client's confidential words"),
	[]byte("the server's classified answer")}

// outcome is what became of a connection.
type outcome struct {
	errs    [2]error // by side: the first
	got     [2][]byte
	state   vitrine.ConnectionState // of the client
	network *network
	hung    bool
}

// connect performs a connection over a network with faults: a handshake, words both ways, the end
// of both directions.
func connect(client, server *vitrine.Config, faults [2]Fault) *outcome {
	o := &outcome{network: newNetwork(faults)}
	conns := [2]*vitrine.Conn{vitrine.Client(o.network.ends[0], client),
		vitrine.Server(o.network.ends[1], server)}
	var mu sync.Mutex
	watch := time.AfterFunc(patience, func() {
		mu.Lock()
		o.hung = true
		mu.Unlock()
		o.network.hang()
	})
	defer watch.Stop()
	var wg sync.WaitGroup
	for side, c := range conns {
		wg.Go(func() {
			defer c.Close()
			_, err := c.Write(says[side])
			if err == nil {
				err = c.CloseWrite()
			}
			got, readErr := io.ReadAll(c)
			o.got[side] = got
			if o.errs[side] = err; err == nil {
				o.errs[side] = readErr
			}
		})
	}
	wg.Wait()
	mu.Lock()
	defer mu.Unlock()
	o.state = conns[0].ConnectionState()
	return o
}

// secrets collects what a key log gets, as it may stand in an error: in hexadecimal, and as bytes.
type secrets struct {
	mu  sync.Mutex
	all [][]byte
}

func (s *secrets) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fields := strings.Fields(string(p))
	secret, err := hex.DecodeString(fields[len(fields)-1])
	if err != nil {
		return 0, err
	}
	s.all = append(s.all, secret)
	return len(p), nil
}

// in reports whether a text has 8 bytes of a secret, or of the data.
func (s *secrets) in(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	text = strings.ToLower(text)
	for _, secret := range s.all {
		for i := range len(secret) - 7 {
			if part := secret[i : i+8]; strings.Contains(text, hex.EncodeToString(part)) ||
				strings.Contains(text, strings.ToLower(string(part))) {
				return true
			}
		}
	}
	return strings.Contains(text, "confidential") || strings.Contains(text, "classified")
}

// A scene is a kind of connection: a version, and whether it resumes a session.
type scene struct {
	name           string
	client, server *vitrine.Config
	resumed        bool
	secrets        *secrets
	lens           [2]int // what each side sends
	clean          *outcome
}

// scenes returns TLS 1.2 and TLS 1.3, full and resumed.
func scenes(t *testing.T) (list []*scene) {
	for name, version := range map[string]func(*vitrine.Config){"1.2": rig.Until12,
		"1.3": rig.Only13} {
		for _, resumed := range []bool{false, true} {
			s := &scene{name: name + " full", secrets: &secrets{}, resumed: resumed}
			logs := func(c *vitrine.Config) { c.KeyLogWriter = s.secrets }
			s.client, s.server = rig.ClientConfig(version, logs), rig.ServerConfig(t, version, logs)
			if resumed {
				s.name = name + " resumed"
				cache := &rig.OneSession{}
				s.client.ClientSessionCache = cache
				connect(s.client, s.server, [2]Fault{})
				s.client.ClientSessionCache = fixed{cache.S}
			}
			s.clean = connect(s.client, s.server, [2]Fault{})
			if s.clean.errs != [2]error{} || s.clean.state.DidResume != resumed {
				t.Fatalf("%s: %v, resumed: %v", s.name, s.clean.errs, s.clean.state.DidResume)
			}
			if len(s.secrets.all) < 2 {
				t.Fatalf("%s: the key log has %d secrets", s.name, len(s.secrets.all))
			}
			for i, e := range s.clean.network.ends {
				s.lens[i] = len(e.sent)
			}
			list = append(list, s)
		}
	}
	return list
}

// fixed is a client's cache that keeps the session it has.
type fixed struct{ s *vitrine.ClientSessionState }

func (c fixed) Get(string) (*vitrine.ClientSessionState, bool) { return c.s, true }
func (c fixed) Put(string, *vitrine.ClientSessionState)        {}

// judge reports what a fault must not have caused.
func (s *scene) judge(o *outcome, faults [2]Fault) (wrong string) {
	var f Fault
	var from int
	for i := range faults {
		if faults[i].Kind != None {
			f, from = faults[i], i
		}
	}
	if o.hung {
		return "it hangs"
	}
	for side, got := range o.got {
		if !bytes.HasPrefix(says[1-side], got) {
			return fmt.Sprintf("the %v read %q", iana.Side(side), got)
		}
		if err := o.errs[side]; err != nil &&
			s.secrets.in(fmt.Sprintf("%v %+v %#v", err, err, err)) {
			return fmt.Sprintf("the %v's error has a secret", iana.Side(side))
		}
		if o.errs[side] == nil && len(got) < len(says[1-side]) {
			return fmt.Sprintf("the %v read %q and no error", iana.Side(side), got)
		}
	}
	failed := errors.Join(o.errs[:]...)
	switch sent := o.network.ends[from]; {
	case f.Kind.Harmless() || !sent.applied:
		if failed != nil {
			return fmt.Sprintf("it fails: %v", failed)
		}
	case failed == nil && !s.immaterial(sent.sent, f):
		return "nobody notices"
	}
	return ""
}

// immaterial reports whether a fault may pass unnoticed. What comes behind close_notify is read by
// nobody; the version of a record means nothing in TLS 1.3, nor a change_cipher_spec. See RFC 8446
// §5 and §5.1.
func (s *scene) immaterial(sent []byte, f Fault) bool {
	tls13, at, number := s.clean.state.Version == vitrine.VersionTLS13, f.At, 0
	for n := recordLen(sent); n < len(sent); n = recordLen(sent) {
		ccs := tls13 && sent[0] == byte(iana.RecordChangeCipherSpec)
		switch {
		case f.Kind == DuplicateRecord && number == f.At:
			return ccs
		case f.Kind != DuplicateRecord && at < n:
			// RFC 5246 §E.1: a server takes any minor version of the first record
			return f.Kind == Corrupt && (tls13 || number == 0) && (at == 1 || at == 2)
		}
		at, number, sent = at-n, number+1, sent[n:]
	}
	return f.Kind == DuplicateRecord ||
		f.Kind == Duplicate && at == len(sent)-1 ||
		f.Kind == Corrupt && tls13 && (at == 1 || at == 2)
}

// Whatever the network does to a connection, neither side hangs, reads what was not sent, takes a
// part for the whole, or puts a secret into an error. Without -faults.all this is a sample of the
// bytes, which -faults.seed chooses.
func TestEveryFaultIsAnErrorAtWorst(t *testing.T) {
	random := rand.New(rand.NewPCG(*seed, 0))
	count := map[Kind]int{}
	for _, s := range scenes(t) {
		t.Run(s.name, func(t *testing.T) {
			for _, faults := range s.cases(random) {
				s.secrets.forget()
				o := connect(s.client, s.server, faults)
				for _, f := range faults {
					count[f.Kind]++
				}
				if wrong := s.judge(o, faults); wrong != "" {
					t.Errorf("%v: %s", faults, wrong)
				}
			}
		})
	}
	total := 0
	for kind, n := range count {
		if kind != None {
			t.Logf("%-16s %6d", kind, n)
			total += n
		}
	}
	how := fmt.Sprintf("a sample (seed %d)", *seed)
	if *all {
		how = "all bytes"
	}
	t.Logf("%d connections with a fault, %s", total, how)
}

// cases returns the faults to try, in both directions.
func (s *scene) cases(random *rand.Rand) (list [][2]Fault) {
	for side, length := range s.lens {
		add := func(f Fault) {
			var faults [2]Fault
			faults[side] = f
			list = append(list, faults)
		}
		for _, k := range []Kind{Single, Coalesce, Delay} {
			add(Fault{Kind: k})
		}
		records := 0
		for b := s.clean.network.ends[side].sent; recordLen(b) > 0; records++ {
			b = b[recordLen(b):]
		}
		for i := range records {
			add(Fault{DuplicateRecord, i})
		}
		for _, k := range []Kind{Truncate, Reset, Corrupt, Duplicate, Drop} {
			if *all {
				for at := range length {
					add(Fault{k, at})
				}
				continue
			}
			for range sample {
				add(Fault{k, random.IntN(length)})
			}
		}
	}
	return list
}
