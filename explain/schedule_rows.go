package explain

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/iana"
)

// scheduleRow describes one kind of node.
type scheduleRow struct{ id, title, use string }

// scheduleRows has all kinds of nodes in the order of RFC 8446 §7.1. A # stands for a number. A row
// with @ stands for two, the client's and the server's.
var scheduleRows = []scheduleRow{
	{"psk", "PSK", "the key that both had before this connection"},
	{"early_secret", "Early Secret", "the root of all; it depends on the PSK alone"},
	{"binder_key", "binder_key", "proves that the client knows the PSK"},
	{"binder_finished_key", "finished_key", "the key of the binder's HMAC"},
	{"psk_binder", "binder", "ends the ClientHello: ties the PSK to it"},
	{"client_early_traffic_secret", "client_early_traffic_secret", "the early data (0-RTT)"},
	{"client_early_write_key", "key", "encrypts the client's early data"},
	{"client_early_write_iv", "iv", "the nonces of the client's early data"},
	{"early_exporter_secret", "early_exporter_secret", "keys for the program, with early data"},
	{"early_derived_secret", "derived", "the salt of the next HKDF-Extract"},
	{"shared_secret", "shared secret", "what the key exchange gave"},
	{"handshake_secret", "Handshake Secret", "the root of the handshake's keys"},
	{"@_handshake_traffic_secret", "@_handshake_traffic_secret",
		"what the @ says until its Finished, and the key of that Finished"},
	{"@_handshake_write_key", "key", "encrypts the rest of the @'s handshake"},
	{"@_handshake_write_iv", "iv", "the nonces of the rest of the @'s handshake"},
	{"@_finished_key", "finished_key", "the key of the HMAC in the @'s Finished"},
	{"handshake_derived_secret", "derived", "the salt of the next HKDF-Extract"},
	{"main_secret", "Main Secret", "the root of what the connection is for"},
	{"@_application_traffic_secret_#", "@_application_traffic_secret_#", "the @'s data"},
	{"@_application_write_key_#", "key", "encrypts the @'s data and later messages"},
	{"@_application_write_iv_#", "iv", "the nonces of the @'s data"},
	{"exporter_secret", "exporter_secret", "keys for the program (RFC 5705's exporters)"},
	{"resumption_secret", "resumption_secret", "the keys of this connection's tickets"},
	{"resumption_psk_#", "PSK of ticket #", "the PSK of a later connection"},
	{"@_verify_data", "verify_data", "the @'s Finished: nobody changed what is before it"},
	{"late_finished_key_#", "finished_key", "the key of the HMAC in the client's late Finished"},
	{"late_verify_data_#", "verify_data", "ends the client's authentication after the handshake"},
}

// declined marks the nodes of a PSK that was offered and not taken.
const declined = "/declined"

// nodeOrder is the place of a node in the tree.
type nodeOrder struct{ declined, update, group, side, row, number int }

func (o nodeOrder) compare(other nodeOrder) int {
	return cmp.Or(cmp.Compare(o.declined, other.declined), cmp.Compare(o.update, other.update),
		cmp.Compare(o.group, other.group), cmp.Compare(o.side, other.side),
		cmp.Compare(o.row, other.row), cmp.Compare(o.number, other.number))
}

// rowOf returns the row of a node and the node's place. What a declined PSK led to comes first, and
// what a KeyUpdate led to comes last.
func rowOf(id string) (found scheduleRow, o nodeOrder) {
	kind, isDeclined := strings.CutSuffix(id, declined)
	if isDeclined {
		o.declined = -1
	}
	if i := strings.LastIndexByte(kind, '_'); i > 0 {
		if n, err := strconv.Atoi(kind[i+1:]); err == nil {
			kind, o.number = kind[:i]+"_#", n
		}
	}
	if strings.Contains(kind, "_application_") {
		o.update = o.number
	}
	p, ok := places()[kind]
	if !ok {
		return scheduleRow{id: id, title: id}, nodeOrder{row: len(scheduleRows)}
	}
	o.row, o.group, o.side = p.row, group(p.row), int(p.side)
	return scheduleRows[p.row].of(p.side, fmt.Sprint(o.number)), o
}

// place is the row of a kind of node, and the side that it belongs to.
type place struct {
	row  int
	side iana.Side
}

// places returns the places by ID with "#" for a number. A row without @ is the client's.
var places = sync.OnceValue(func() map[string]place {
	all := map[string]place{}
	for i, r := range scheduleRows {
		for _, side := range []iana.Side{iana.Client, iana.Server} {
			id := r.of(side, "#").id
			if _, ok := all[id]; !ok {
				all[id] = place{i, side}
			}
		}
	}
	return all
})

// group returns the first of the rows around i that belong to one direction each: all of one
// direction come before those of the other.
func group(i int) int {
	for i > 0 && scheduleRows[i].id[0] == '@' && scheduleRows[i-1].id[0] == '@' {
		i--
	}
	return i
}

// of returns the row for one side and number.
func (r scheduleRow) of(side iana.Side, number string) scheduleRow {
	fill := func(s string) string {
		return strings.ReplaceAll(strings.ReplaceAll(s, "@", side.String()), "#", number)
	}
	return scheduleRow{fill(r.id), fill(r.title), fill(r.use)}
}

// scheduleLabels are the labels of the traffic secrets, which a key log has. See RFC 8446 §7.1.
var scheduleLabels = map[string]string{
	"client_early_traffic_secret":       "c e traffic",
	"client_handshake_traffic_secret":   "c hs traffic",
	"server_handshake_traffic_secret":   "s hs traffic",
	"client_application_traffic_secret": "c ap traffic",
	"server_application_traffic_secret": "s ap traffic",
}
