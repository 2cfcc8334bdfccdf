// Package playground runs a client and a server, both real, with a reader between them who may
// change what passes: any list of acts on any record. It says which check of which side noticed,
// or what the change did.
//
// A run is a function of its Setup and its acts: the keys and all randomness come from the seed,
// the clock stands still, and there is one thread, no goroutine and no socket. So it gives the same
// bytes in a browser as natively, and going back is running again with fewer acts. All secrets of a
// run are public.
//
// The files:
//
//	setup.go act.go config.go            which handshake, and what is done to it
//	wire.go link.go end.go careless.go   the wire, the records on it, the two ends, careless ones
//	result.go verdict.go changes.go      what came of it, and who noticed
//	again.go sweep.go                    a second connection; every byte
//	find.go attacks.go                   places of fields; what attackers compute
//	lessons.go lessons_more.go           lessons
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
