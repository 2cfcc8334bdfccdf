package keylog

import "fmt"

// lengths is a minimum and a maximum, in bytes.
type lengths [2]int

func (l lengths) String() string {
	if l[0] == l[1] {
		return fmt.Sprint(l[0])
	}
	return fmt.Sprintf("%d to %d", l[0], l[1])
}

// shape is what the two values of a line can be.
type shape struct{ id, secret lengths }

var (
	random = lengths{32, 32}
	master = lengths{48, 48}
	digest = lengths{32, 64} // the output of the suite's hash; SHA-512 has no suite yet
	// a Diffie-Hellman or PSK pre_master_secret has the length of its group and key
	anyPre  = lengths{1, 1 << 12}
	traffic = shape{random, digest}
)

// shapes has the labels that a Log takes.
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
