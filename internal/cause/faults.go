package cause

import "strings"

// faults are the sections that certificates violate, by a part of what crypto/x509 or package pki
// says of them; says replaces those words if it is not empty.
var faults = []struct{ part, says, ref string }{
	{"serial number", "", "RFC 5280 §4.1.2.2"},
	{"SAN ", "", "RFC 5280 §4.2.1.6"},
	{"IP address of length", "", "RFC 5280 §4.2.1.6"},
	{"invalid ECDSA parameters", "its key does not name its curve, as it must (namedCurve)",
		"RFC 5480 §2.1.1"},
	{"KeyUsage", "", "RFC 5280 §4.2.1.3"},
	{"RSA key of", "", "RFC 9325 §4.5"},
}

// FaultOf says what is wrong with a certificate that is refused as it is, and the section that says
// so: that of certificates as a whole if there is no better one.
func FaultOf(err error) (says, ref string) {
	says = strings.TrimPrefix(err.Error(), "x509: ")
	for _, f := range faults {
		if strings.Contains(says, f.part) {
			if f.says != "" {
				says = f.says
			}
			return says, f.ref
		}
	}
	return says, "RFC 5280 §4"
}
