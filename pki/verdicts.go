package pki

import (
	"container/list"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// Bounds of the verdicts that are kept. A peer's chain is kept only once it was verified, so that
// nobody fills them who has no certificate of a root that the program trusts.
const (
	maxVerdicts = 256
	maxVerdict  = 16 << 10 // bytes of a chain
)

// verdicts are the chains that were verified in this process, the last used first. A client that
// comes back to a server finds the signatures of its chain verified: they are most of what
// verifying it costs.
//
// A verdict holds for the same certificates in the same order, the same side, name and rules, and
// the same pool with the same content; and while all certificates of its paths are valid. Nothing
// else can change what crypto/x509 says: it asks neither the network nor, with a pool, the system.
// A pool with a constraint of x509.CertPool.AddCertWithConstraint has no verdicts, since such a
// function may answer differently each time.
var verdicts = newKept()

type kept struct {
	mu    sync.Mutex
	byKey map[[sha256.Size]byte]*list.Element // of verdict
	order *list.List
}

func newKept() *kept {
	return &kept{byKey: map[[sha256.Size]byte]*list.Element{}, order: list.New()}
}

type verdict struct {
	key [sha256.Size]byte
	// The pool, and what it was: a pool can grow, or become another one (*pool = *other).
	roots   *x509.CertPool
	content x509.CertPool
	paths   [][]*x509.Certificate
}

// VerifyOnce is Verify, which it leaves out if its verdict is known from before.
func (c *Chain) VerifyOnce(from iana.Side, t Trust) ([][]*x509.Certificate, error) {
	if !c.keeps(t) {
		return c.Verify(from, t)
	}
	key := c.verdictKey(from, t)
	if paths := verdicts.find(key, t); paths != nil {
		return paths, nil
	}
	paths, err := c.Verify(from, t)
	if err == nil && !hasConstraints(t.Roots) {
		verdicts.keep(key, t.Roots, paths)
	}
	return paths, err
}

// keeps reports whether a verdict about the chain can be kept. Where the system verifies, and not
// crypto/x509, it may answer differently each time. A chain with a fault, which may be one that was
// excused, has no verdict, even if the same certificates had one: see Excuse.
func (c *Chain) keeps(t Trust) bool {
	size := 0
	for _, cert := range c.Certs {
		size += len(cert.Raw)
	}
	systems := t.Roots == nil && runtime.GOOS != "linux"
	return size > 0 && size <= maxVerdict && !systems && len(c.faults) == 0
}

// hasConstraints reports whether a root of a pool has a constraint. crypto/x509 does not tell, so
// its list is looked at; where that is not as it is known here, the answer is true.
func hasConstraints(roots *x509.CertPool) bool {
	if roots == nil { // the system's, which x509.SetFallbackRoots may have set
		var err error
		if roots, err = x509.SystemCertPool(); err != nil {
			return true
		}
	}
	list := rootsOf(roots)
	if list.Kind() != reflect.Slice || list.Type().Elem().Kind() != reflect.Struct {
		return true
	}
	for i := range list.Len() {
		f := list.Index(i).FieldByName("constraint")
		if f.Kind() != reflect.Func || !f.IsNil() {
			return true
		}
	}
	return false
}

// rootsOf returns the list in which crypto/x509 has the roots of a pool.
func rootsOf(pool *x509.CertPool) reflect.Value {
	return reflect.ValueOf(pool).Elem().FieldByName("lazyCerts")
}

// same reports whether a pool still is what it was: its list only grows, so that it is if it lies
// where it lay, and is as long. The constraints in it are the same, which Equal does not compare.
func same(pool, was *x509.CertPool) bool {
	if pool == nil {
		return true // the system's
	}
	is, before := rootsOf(pool), rootsOf(was)
	return is.Len() == before.Len() && is.Pointer() == before.Pointer()
}

// verdictKey returns a hash of all that a verdict depends on, the pool and the time aside. Each
// part comes with its length, so that no two inputs have the same bytes.
func (c *Chain) verdictKey(from iana.Side, t Trust) (key [sha256.Size]byte) {
	h := sha256.New()
	add := func(parts ...[]byte) {
		for _, p := range parts {
			h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(p))))
			h.Write(p)
		}
	}
	flags := []byte{byte(from), 0}
	if t.Weak {
		flags[1] = 1
	}
	add(flags, []byte(t.Name), binary.BigEndian.AppendUint32(nil, uint32(len(t.Listed))))
	for _, cert := range slices.Concat(t.Listed, c.Certs) {
		add(cert.Raw)
	}
	h.Sum(key[:0])
	return key
}

// find returns the paths of a verdict, or nil.
func (k *kept) find(key [sha256.Size]byte, t Trust) [][]*x509.Certificate {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.byKey[key]
	if !ok {
		return nil
	}
	v, now := e.Value.(*verdict), t.Now
	if now.IsZero() {
		now = time.Now()
	}
	if v.roots != t.Roots || !same(t.Roots, &v.content) || !allTimely(v.paths, now) {
		return nil // verified anew, and replaced
	}
	k.order.MoveToFront(e)
	return copied(v.paths)
}

// keep keeps a verdict, in place of the one that was used the longest ago if there are too many.
func (k *kept) keep(key [sha256.Size]byte, roots *x509.CertPool, paths [][]*x509.Certificate) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v := &verdict{key: key, roots: roots, paths: copied(paths)}
	if roots != nil {
		v.content = *roots // its list with it: what lies there cannot become another one
	}
	if e, ok := k.byKey[key]; ok {
		e.Value = v
		k.order.MoveToFront(e)
		return
	}
	k.byKey[key] = k.order.PushFront(v)
	if k.order.Len() > maxVerdicts {
		delete(k.byKey, k.order.Remove(k.order.Back()).(*verdict).key)
	}
}

// allTimely reports whether every certificate of every path is valid at this time.
func allTimely(paths [][]*x509.Certificate, now time.Time) bool {
	return !slices.ContainsFunc(paths, func(path []*x509.Certificate) bool {
		return !timely(path, now)
	})
}

// copied returns the paths in lists of their own, which a program may change.
func copied(paths [][]*x509.Certificate) [][]*x509.Certificate {
	all := slices.Clone(paths)
	for i := range all {
		all[i] = slices.Clone(all[i])
	}
	return all
}
