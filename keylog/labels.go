package keylog

import "fmt"

// lengths is a minimum and a maximum, in bytes.
type lengths [2]int

func (l lengths) String() string {
	switch {
	case l == digest:
		return "32, 48 or 64"
	case l[0] == l[1]:
		return fmt.Sprint(l[0])
	}
	return fmt.Sprintf("%d to %d", l[0], l[1])
}

// has reports whether a value may have n bytes. No hash has a length between those of two others.
func (l lengths) has(n int) bool {
	return n >= l[0] && n <= l[1] && (l != digest || n%16 == 0)
}

// shape bounds the lengths of the two values of a line.
type shape struct{ id, secret lengths }

var (
	random = lengths{32, 32}
	master = lengths{48, 48}
	digest = lengths{32, 64}     // the output of a suite's hash
	anyPre = lengths{1, 1 << 12} // depends on the group and on a pre-shared key

	traffic = shape{random, digest}
)

// shapes has the labels that Parse knows.
var shapes = map[Label]shape{
	ClientRandom:         {random, master},
	ClientEarlyTraffic:   traffic,
	EarlyExporter:        traffic,
	ClientHandshake:      traffic,
	ServerHandshake:      traffic,
	ClientTraffic:        traffic,
	ServerTraffic:        traffic,
	Exporter:             traffic,
	ECHSecret:            {random, lengths{1, 64}}, // a KEM's shared secret
	ECHConfig:            {random, lengths{1, 1 << 12}},
	PreMasterByRandom:    {random, anyPre},
	PreMasterByEncrypted: {lengths{8, 8}, anyPre},
	MasterBySession:      {lengths{1, 32}, master},
}
