package alert

import (
	"errors"
	"fmt"
	"testing"
)

func TestKindOfFindsTheKindOfAnError(t *testing.T) {
	inner := KindSuite.Fail(HandshakeFailure, "", "nothing in common")
	for _, c := range []struct {
		err  error
		want Kind
	}{
		{inner, KindSuite},
		{fmt.Errorf("connecting: %w", inner), KindSuite},
		{Fail(UnknownCA, "", "no path"), ""},
		{Malformed("", errors.New("too short")), KindMalformed},
		{Malformed("", inner), KindSuite},
		{Refused(BadCertificate, "the program refuses", inner), KindCallback},
		{&Received{Fatal, HandshakeFailure}, ""},
		{errors.New("reset"), ""}, {nil, ""},
	} {
		if got := KindOf(c.err); got != c.want {
			t.Errorf("%v: got the kind %q, expected %q", c.err, got, c.want)
		}
	}
	if e := inner.(*Error); e.Alert != HandshakeFailure || e.Reason != "nothing in common" {
		t.Errorf("Kind.Fail gives %+v", e)
	}
}
