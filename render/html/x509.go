package html

import (
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// x509Notes are sentences about the fields of a certificate: what a field is and why it is there. A
// key may begin with the name of the field around it. See RFC 5280 §4.1.
var x509Notes = map[string]string{
	"tag and length": "DER says of every value what kind it is, and how many bytes follow.",
	"tbsCertificate": "What the authority signed: all but the signature. If one bit of it is " +
		"changed, the signature does not verify.",
	"tbsCertificate/version": "Which form of certificates this is.",
	"version/version": "2 is version 3, the first with extensions; an older one cannot say what " +
		"a key may be used for.",
	"serialNumber": "The authority's number for this certificate, by which it can be revoked. " +
		"It should be random: a certificate was once forged whose number could be guessed.",
	"signature": "How the authority signs. It stands inside of what is signed, too, so that " +
		"nobody can exchange it for a weaker one.",
	"issuer": "The name of the authority: the subject of the next certificate of the chain, or " +
		"of a root that the client has.",
	"relativeDistinguishedName": "One part of the name.",
	"attribute":                 "What part of the name it is, and the part.",
	"type":                      "Which part: a country, an organisation, a common name.",
	"value":                     "The part itself.",
	"validity":                  "How long the authority vouches for it.",
	"notBefore":                 "From when it is valid.",
	"notAfter": "Until when it is valid. The sooner, the less long a stolen key is of use, and " +
		"the shorter are lists of revoked certificates.",
	"subject": "Whose key it is. Clients take a server's name from subjectAltName, and none " +
		"from here.",
	"subjectPublicKeyInfo": "The key that all of this is about: it verifies the " +
		"owner's signature, except with RSA key exchange (up to TLS 1.2), which encrypts the " +
		"secret to it.",
	"subjectPublicKeyInfo/algorithm": "What kind of key it is.",
	"algorithm/algorithm":            "The number of an algorithm.",
	"signature/algorithm":            "The number of the algorithm.",
	"signatureAlgorithm/algorithm":   "The number of the algorithm.",
	"parameters": "What the algorithm needs to know besides: the curve of a key; NULL is " +
		"nothing.",
	"subjectPublicKey": "The public key.",
	"unused bits":      "A string of bits may end within a byte; this one does not.",
	"SEQUENCE":         "Values that belong together, by their places.",
	"INTEGER":          "In an RSA key the modulus comes first, then the exponent.",
	"extensions":       "What version 3 added: what the key may be used for, and for which names.",
	"extnID":           "The number of the extension.",
	"critical":         "Whoever does not know this extension must refuse the certificate.",
	"extnValue":        "What the extension says, as DER in a string of bytes.",
	"BIT STRING":       "A string of bits, such as one for each use.",
	"OCTET STRING":     "A string of bytes.",
	"OBJECT IDENTIFIER": "A number that somebody was given for a thing: here the name of a use " +
		"or an algorithm.",
	"signatureAlgorithm": "How the authority signed; the same as inside, where it is signed.",
	"signatureValue": "The authority's signature of tbsCertificate. The key that verifies it is " +
		"in the next certificate, or with the client.",
}

// numberedNote is the sentence about a field that is known by its number alone.
const numberedNote = "A part that is known by its number: in subjectAltName 2 is a name and 7 an " +
	"address, in authorityKeyIdentifier 0 is the key's."

// x509ExtensionNotes are sentences about the extensions of a certificate. See RFC 5280 §4.2.
var x509ExtensionNotes = map[string]string{
	"keyUsage": "What the key may do, a bit for each: sign, encrypt keys, sign certificates. " +
		"With TLS 1.3, and with DHE or ECDHE before it, a key proves who the server is by " +
		"signing (digitalSignature); with RSA key exchange, by decrypting (keyEncipherment).",
	"extKeyUsage": "For what: a certificate for servers is none for clients, or for mail.",
	"basicConstraints": "Whether this is an authority, which may sign certificates. Without it " +
		"anybody with a certificate could make them for any name.",
	"subjectAltName": "The names and addresses that it is for. The client looks for the name " +
		"that it wanted here.",
	"authorityKeyIdentifier": "Which key of the authority signed, so that the next certificate " +
		"is found without trying.",
	"subjectKeyIdentifier": "A name for this key, to which others' authorityKeyIdentifier point.",
	"nameConstraints":      "For which names this authority may sign.",
	"certificatePolicies":  "By which rules it was issued.",
	"authorityInfoAccess": "Where the authority's certificate is, and who answers whether it " +
		"was revoked.",
	"cRLDistributionPoints": "Where the list of revoked certificates is.",
}

// annotateNotes returns sentences for the fields of certificates. A field of a name that had one in
// the same certificate has none.
func annotateNotes(fields []wire.Field) map[wire.Field]string {
	notes := map[wire.Field]string{}
	told := map[string]bool{}
	var around []string // the names of the fields around the current one, by depth
	for i, f := range fields {
		around = append(around[:min(f.Depth, len(around))], f.Name)
		parent := ""
		if len(around) > 1 {
			parent = around[len(around)-2]
		}
		if f.Name == "tbsCertificate" {
			told = map[string]bool{}
		}
		if f.Name == "extension" {
			if note := extensionNote(fields[i:]); note != "" {
				notes[f] = note
			}
			continue
		}
		key := parent + "/" + f.Name
		note, ok := x509Notes[key]
		if !ok {
			key = f.Name
			note = x509Notes[key]
		}
		if strings.HasPrefix(f.Name, "[") {
			key, note = "[", numberedNote
		}
		if note != "" && !told[key] {
			notes[f], told[key] = note, true
		}
	}
	return notes
}

// extensionNote returns the sentence about the extension that fields begin with.
func extensionNote(fields []wire.Field) string {
	for _, f := range fields[:min(4, len(fields))] {
		if name, _, _ := strings.Cut(f.Value, " "); f.Name == "extnID" {
			return x509ExtensionNotes[name]
		}
	}
	return ""
}
