package keylog

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/dump"
)

// reports reads a line of a report, and reports whether it is one.
func (r *reading) reports(line string, fields [][]byte) bool {
	hellos := r.report.ClientHellos()
	found, known := r.report.Read(r.n, line)
	for len(found) > 0 && found[0].Line < r.n { // complete with the line before
		r.take(found[:1])
		found = found[1:]
	}
	if r.report.ClientHellos() > hellos || r.about.other(fields) {
		r.about.end(r)
	}
	r.take(found)
	return known
}

// other reports whether a line begins the report of another connection: s_client's first line, or a
// session that is not that of the hello. Of the programs that name randoms only openssl prints
// sessions.
func (a *about) other(fields [][]byte) bool {
	switch name := string(fields[0]); name {
	case "session_id":
		a.session = nil
		if len(fields) > 2 {
			a.session = bytes.Clone(fields[2])
		}
		return false
	case "SSL-Session:":
		return !a.trace
	case "Session-ID:":
		return !a.trace || len(fields) > 1 && len(a.session) > 0 &&
			!bytes.EqualFold(a.session, fields[1])
	default:
		return strings.HasPrefix(name, "CONNECTED(")
	}
}

// end ends the report. A pre_master_secret that no client_random follows is of the one before it.
func (a *about) end(r *reading) {
	if a.pre != nil && a.random != nil {
		r.add(r.n, Line{PreMasterByRandom, a.random, a.pre})
	}
	*a = about{}
}

// take takes the values in the report of a program. A pre_master_secret is of the random that
// follows it in a list of secrets, a master_secret of the one before it.
func (r *reading) take(values []dump.Value) {
	a := &r.about
	for _, v := range values {
		switch {
		case v.Seed:
		case v.Name == "client_random" && len(v.Bytes) == random[0]:
			if a.random, a.trace = v.Bytes, v.Trace; a.pre != nil {
				r.add(v.Line, Line{PreMasterByRandom, a.random, a.pre})
				a.pre = nil
			}
		case v.Name == "pre_master_secret" && len(v.Bytes) > 0:
			a.pre = v.Bytes
		case v.Name == "master_secret" && len(v.Bytes) == master[0]:
			r.master(v)
		case v.Name == "pre_master_secret":
			r.fail(v.Line, errors.New("pre_master_secret without bytes behind it"))
		case v.Name == "master_secret":
			r.fail(v.Line, fmt.Errorf("master_secret with %d bytes behind it, expected %d",
				len(v.Bytes), master[0]))
		}
	}
}

// master adds a master_secret of the connection that the report is about, which ends with it. If it
// is about none, or another secret of that is known, the secret can only be tried.
func (r *reading) master(v dump.Value) {
	id := r.about.random
	if id != nil {
		r.about.end(r)
	}
	known := r.log.Secret(ClientRandom, id)
	if id == nil || known != nil && subtle.ConstantTimeCompare(known, v.Bytes) == 0 {
		r.add(v.Line, Line{MasterBySession, nil, v.Bytes})
		return
	}
	r.add(v.Line, Line{ClientRandom, id, v.Bytes})
}
