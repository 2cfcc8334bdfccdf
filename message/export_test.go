package message

import "github.com/vitrine-tls/vitrine/iana"

// Known lists the extensions whose content has a layout, with the sides that send it.
func Known() map[iana.ExtensionType][2]bool {
	known := map[iana.ExtensionType][2]bool{}
	for t, row := range contents {
		known[t] = [2]bool{row[0] != nil, row[1] != nil}
	}
	return known
}
