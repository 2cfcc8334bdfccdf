package diagnose

import "github.com/vitrine-tls/vitrine"

// extensions are the changes that leave out one extension each, the one that gives up least first.
var extensions = []Change{
	without("sct", "signed_certificate_timestamp", "Timestamps: vitrine.Off",
		"signed certificate timestamps from the server",
		func(c *vitrine.Config) { c.Timestamps = vitrine.Off }),
	without("ocsp", "status_request", "StatusRequest: vitrine.Off",
		"stapled revocation status",
		func(c *vitrine.Config) { c.StatusRequest = vitrine.Off }),
	without("tickets", "session_ticket", "SessionTicketsDisabled: true",
		"resumption by tickets",
		func(c *vitrine.Config) { c.SessionTicketsDisabled = true }),
	without("etm", "encrypt_then_mac", "EncryptThenMAC: vitrine.Off",
		"until TLS 1.2 with CBC: encrypt-then-MAC (RFC 7366)",
		func(c *vitrine.Config) { c.EncryptThenMAC = vitrine.Off }),
	without("ems", "extended_master_secret", "ExtendedMasterSecret: vitrine.Off",
		"until TLS 1.2: protection from the triple handshake (RFC 7627)",
		func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Off }),
}

func without(flag, extension, fields, costs string, apply func(*vitrine.Config)) Change {
	return Change{Kind: OneExtension, Extension: flag, Go: fields, Costs: costs, hello: true,
		Cause: "the server fails at the extension " + extension + ", which it should ignore",
		apply: apply}
}
