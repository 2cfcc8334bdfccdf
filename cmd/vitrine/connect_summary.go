package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/reach"
)

// summarize says in one sentence why there is no connection, or no trust: it is the last line.
func (r *report) summarize() {
	f := r.Failure
	if f == nil {
		if r.err != nil {
			cause := strings.TrimPrefix(reach.Words(r.err), "vitrine: ")
			if r.refusedAgain {
				cause = r.Renegotiation
			}
			r.Summary = fmt.Sprintf("connected to %s, and then: %s", r.Target, cause)
		}
		return
	}
	cause := f.cause()
	switch {
	case r.Negotiated != nil:
		r.Summary = fmt.Sprintf("connected to %s, and then: %s", r.Target, cause)
	case r.Trusted != nil && !*r.Trusted:
		r.Summary = fmt.Sprintf("%s is not trusted: %s", r.Target, r.Trust)
	case cause == "":
		r.Summary = fmt.Sprintf("no connection to %s", r.Target)
	default:
		r.Summary = fmt.Sprintf("no connection to %s: %s", r.Target, cause)
	}
	if f.Works != "" {
		r.Summary += `; the line that begins with "works with" changes what is needed, and no more`
	}
}

// cause returns the one statement that says most: what was proved, found, inferred or seen.
func (f *failureReport) cause() string {
	first := func(list []string) string {
		if len(list) == 0 {
			return ""
		}
		return list[0]
	}
	last := func(list []string) string {
		if len(list) == 0 {
			return ""
		}
		return list[len(list)-1]
	}
	cause := cmp.Or(f.Cause, f.hopeless, f.missing, first(f.Inferred), f.fails, last(f.Seen))
	if f.second != "" {
		cause += "; and then its certificate is not trusted: " + f.second
	}
	return cause
}
