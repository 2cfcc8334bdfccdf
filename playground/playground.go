// Package playground runs a client and a server, both real, with a reader between them who may
// change what passes: any list of acts on any record. It says which check of which side noticed,
// or what the change did.
//
// A run is a function of its Setup and its acts: the keys and all randomness come from the seed,
// the clock stands still, and there is one thread, no goroutine and no socket. So it gives the same
// bytes in a browser as natively, and going back is running again with fewer acts. All secrets of a
// run are public.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one, except where an end is careless, where a change is told by comparing with
// a run without acts, and where what has happened so far gets its verdict:
//
//	act.go setup.go                       what is done to a handshake, and to which
//	result.go find.go unnoticed.go        what came of it; places of fields; what nobody checks
//	changes.go link.go                    what became different; the records on the wire
//	end.go careless.go                    the two ends, and careless ones
//	identities.go config.go wire.go       certificates, what both ends may do, and the wire
//	verdict.go playground.go              who noticed; a whole run
//	attacks.go sweep.go                   what attackers compute; every byte
//	lessons.go lessons_more.go            lessons
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package playground

// Run performs the whole run. Errors of a handshake are in the Result; an error of Run is that the
// Setup or an act makes no sense.
func Run(s Setup, acts []Act) (*Result, error) {
	w, err := New(s, acts)
	if err != nil {
		return nil, err
	}
	for w.Next() {
	}
	return w.Result(), nil
}
