package live

import (
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/trace"
)

// State says how far a connection is.
type State string

// The states.
const (
	Shaking State = "handshake" // the handshake goes on
	Open    State = "open"      // the handshake is done
	Closed  State = "closed"    // it has ended, after a handshake
	Failed  State = "failed"    // its handshake failed, or a fatal alert ended it
)

// Row is what is known about a connection. Texts of a peer are as it chose them, and at most
// maxText bytes long.
type Row struct {
	ID     string    `json:"id"`
	Start  time.Time `json:"start"`
	State  State     `json:"state"`
	Client string    `json:"client"` // its address
	Server string    `json:"server,omitempty"`
	Leg    string    `json:"leg,omitempty"`   // of a proxy: "client" or "service"
	Other  string    `json:"other,omitempty"` // the ID of the other leg

	Version           string `json:"version,omitempty"`
	Suite             string `json:"suite,omitempty"`
	Group             string `json:"group,omitempty"`
	Name              string `json:"server_name,omitempty"`
	ALPN              string `json:"alpn,omitempty"`
	ClientCertificate string `json:"client_certificate,omitempty"`
	Verified          bool   `json:"client_verified,omitempty"` // its chain was
	Resumed           bool   `json:"resumed,omitempty"`
	EarlyData         string `json:"early_data,omitempty"`        // accepted or rejected
	EarlyWhy          string `json:"early_data_reason,omitempty"` // it was rejected

	// Offer is the client's, until something was negotiated.
	Offer *Offer `json:"offer,omitempty"`

	Handshake float64    `json:"handshake_ms,omitempty"` // how long it took
	Ended     *time.Time `json:"ended,omitempty"`
	Received  Bytes      `json:"received"` // from the client
	Sent      Bytes      `json:"sent"`     // to the client

	Reason string `json:"reason,omitempty"` // how it ended: a code that stays the same
	How    string `json:"how,omitempty"`    // Words of Reason, for who shows the row
	Why    string `json:"why,omitempty"`    // the same in words
	Cause  string `json:"cause,omitempty"`  // of a failure, inferred
	Check  string `json:"check,omitempty"`  // that failed
	Ref    string `json:"ref,omitempty"`    // the section of that check

	Dropped   trace.Dropped `json:"dropped"`
	Forgotten bool          `json:"forgotten,omitempty"` // its events are not in memory any more
	Stored    bool          `json:"stored,omitempty"`    // the history has its events
}

// Bytes counts one direction.
type Bytes struct {
	Data int64 `json:"data"` // of application data
	Wire int64 `json:"wire"` // of records, as they were on the wire
}

// maxText is how many bytes of a text are kept.
const maxText = 512

// clip keeps texts within maxText.
func (r *Row) clip() {
	for _, s := range []*string{&r.ID, &r.Leg, &r.Other, &r.EarlyData, &r.EarlyWhy, &r.Client,
		&r.Server, &r.Version, &r.Suite, &r.Group, &r.Name,
		&r.ALPN, &r.ClientCertificate, &r.Reason, &r.How, &r.Why, &r.Cause, &r.Check, &r.Ref} {
		*s = clipped(*s, maxText)
	}
}

// clipped returns at most most bytes of a text.
func clipped(s string, most int) string {
	if len(s) > most {
		return strings.Clone(s[:most]) + "…"
	}
	return s
}

// Over reports whether the connection has ended.
func (r *Row) Over() bool { return r.State == Closed || r.State == Failed }
