package probe

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// The lines of configurations that remove findings.
var (
	modernVersions = []Mend{
		{"nginx", "ssl_protocols TLSv1.2 TLSv1.3;"},
		{"Apache", "SSLProtocol -all +TLSv1.2 +TLSv1.3"},
		{"HAProxy", "ssl-default-bind-options ssl-min-ver TLSv1.2"},
		{"Go", "tls.Config{MinVersion: tls.VersionTLS12}"},
		{"OpenSSL", "MinProtocol = TLSv1.2"},
	}
	newest = []Mend{
		{"nginx", "ssl_protocols TLSv1.2 TLSv1.3;"},
		{"Apache", "SSLProtocol -all +TLSv1.2 +TLSv1.3"},
		{"HAProxy", "ssl-default-bind-options ssl-max-ver TLSv1.3"},
		{"Go", "tls.Config{MaxVersion: 0}"},
		{"OpenSSL", "MaxProtocol = TLSv1.3"},
	}
	modernSuites = []Mend{
		{"nginx", "ssl_ciphers " + goodSuites + ";"},
		{"Apache", "SSLCipherSuite " + goodSuites},
		{"HAProxy", "ssl-default-bind-ciphers " + goodSuites},
		{"Go", "tls.Config{CipherSuites: nil} // the default leaves them out"},
		{"OpenSSL", "CipherString = " + goodSuites},
	}
	hybrids = []Mend{
		{"nginx", "ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1; # with OpenSSL 3.5 or later"},
		{"Apache", `SSLOpenSSLConfCmd Groups X25519MLKEM768:X25519:P-256`},
		{"HAProxy", "ssl-default-bind-curves X25519MLKEM768:X25519:P-256"},
		{"Go", "tls.Config{CurvePreferences: nil} // Go 1.24 and later"},
		{"OpenSSL", "Groups = X25519MLKEM768:X25519:P-256"},
	}
	noCompression = []Mend{{"Apache", "SSLCompression off"}, {"OpenSSL", "Options = -Compression"}}
	longPrime     = []Mend{
		{"nginx", "ssl_ciphers " + goodSuites + ";"},
		{"Apache", "SSLOpenSSLConfCmd DHParameters dhparam-2048.pem"},
		{"HAProxy", "tune.ssl.default-dh-param 2048"},
	}
)

const goodSuites = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" +
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" +
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

// rules is the table of findings.
var rules = []rule{
	{
		Finding{
			ID:       "ssl2",
			Severity: High,
			What:     "SSL 2.0 (DROWN)",
			Ref:      "RFC 6176",
			Mend:     modernVersions,
			Why: "it has no protection against a man in the middle, and an RSA key that it uses " +
				"decrypts connections of newer versions too",
		},
		has(ssl2),
	},
	{
		Finding{
			ID:       "ssl3",
			Severity: High,
			What:     "SSL 3.0",
			Ref:      "RFC 7568",
			Mend:     modernVersions,
			Why: "its CBC padding is not authenticated: whoever can make a client repeat a " +
				"request reads its cookies (POODLE)",
		},
		has(iana.SSL30),
	},
	{
		Finding{
			ID:       "tls1_0",
			Severity: High,
			What:     "TLS 1.0",
			Ref:      "RFC 8996",
			Mend:     modernVersions,
			Why: "deprecated since 2021: it rests on MD5 and SHA-1, and its " +
				"CBC IVs are predictable (BEAST)",
		},
		has(iana.TLS10),
	},
	{Finding{ID: "tls1_1", Severity: High, What: "TLS 1.1", Ref: "RFC 8996", Mend: modernVersions,
		Why: "deprecated since 2021: it rests on MD5 and SHA-1"}, has(iana.TLS11)},
	{
		Finding{
			ID:       "no_tls1_3",
			Severity: Warn,
			What:     "no TLS 1.3",
			Ref:      "RFC 9325 §3.1.1",
			Mend:     newest,
			Why: "TLS 1.3 has no weak suites, hides the certificate and takes one round " +
				"trip less",
		},
		func(r *Report) string { return lacks(r, iana.TLS13) },
	},
	{
		Finding{
			ID:       "no_tls1_2",
			Severity: High,
			What:     "neither TLS 1.2 nor TLS 1.3",
			Ref:      "RFC 9325 §3.1.1",
			Mend:     modernVersions,
			Why:      "nearly all clients of today refuse it",
		},
		func(r *Report) string {
			if lacks(r, iana.TLS13) == "" {
				return ""
			}
			return lacks(r, iana.TLS12)
		},
	},

	{Finding{ID: "null", Severity: High, What: "suites without encryption", Ref: "RFC 9325 §4.1",
		Mend: modernSuites, Why: "everybody on the way reads along"}, suites("_WITH_NULL_")},
	{Finding{ID: "anonymous", Severity: High, What: "suites without authentication",
		Ref: "RFC 9325 §4.1", Mend: modernSuites, Why: "anybody on the way can be the server"},
		suites("_anon_")},
	{
		Finding{
			ID:       "export",
			Severity: High,
			What:     "export suites (FREAK, Logjam)",
			Ref:      "RFC 9325 §4.1",
			Mend:     modernSuites,
			Why: "keys of 40 to 56 bits, made to be broken, which a man in the middle " +
				"can make clients accept",
		},
		suites("_EXPORT"),
	},
	{Finding{ID: "rc4", Severity: High, What: "RC4", Ref: "RFC 7465", Mend: modernSuites,
		Why: "its biases give away what is sent often, such as cookies"}, suites("_RC4_")},
	{
		Finding{
			ID:       "des",
			Severity: High,
			What:     "DES or RC2",
			Ref:      "RFC 9325 §4.1",
			Mend:     modernSuites,
			Why:      "56 bits and less can be tried out",
		},
		suites("_WITH_DES_", "_DES40_", "_RC2_"),
	},
	{
		Finding{
			ID:       "sweet32",
			Severity: Warn,
			What:     "blocks of 64 bits (SWEET32)",
			Ref:      "RFC 9325 §4.1",
			Mend:     modernSuites,
			Why: "they collide after some gigabytes under one key, and then give away " +
				"plaintext (CVE-2016-2183)",
		},
		suites("_3DES_", "_IDEA_"),
	},
	{
		Finding{
			ID:       "static_rsa",
			Severity: Warn,
			What:     "RSA key exchange",
			Ref:      "RFC 10015",
			Mend:     modernSuites,
			Why: "no forward secrecy: whoever gets the server's key later reads what was " +
				"recorded",
		},
		suites("TLS_RSA_WITH_"),
	},
	{Finding{ID: "dhe", Severity: Info, What: "finite-field Diffie-Hellman", Ref: "RFC 10015",
		Mend: modernSuites, Why: "deprecated: the server alone chooses the group, and it is slow"},
		suites("TLS_DHE_")},
	{
		Finding{
			ID:       "cbc",
			Severity: Info,
			What:     "CBC suites (precondition of Lucky Thirteen)",
			Ref:      "RFC 9325 §4.2",
			Mend:     modernSuites,
			Why: "without encrypt_then_mac a mistake in an implementation becomes an oracle; " +
				"that this server makes one is not told",
		},
		func(r *Report) string {
			if r.Fact("encrypt_then_mac").Told == Yes {
				return ""
			}
			return suites("_CBC")(r)
		},
	},

	{
		Finding{
			ID:       "short_prime",
			Severity: High,
			What:     "a Diffie-Hellman prime under 2048 bits (Logjam)",
			Ref:      "RFC 9325 §4.1",
			Mend:     longPrime,
			Why: "1024 bits are within reach of a state, and a shared " +
				"prime breaks for all who share it",
		},
		primes(func(p Prime) bool { return p.Bits < 2048 }),
	},
	{Finding{ID: "unsafe_prime", Severity: High, What: "a Diffie-Hellman prime that is not safe",
		Ref: "RFC 7919 §3", Mend: longPrime, Why: "small subgroups can give away the key"},
		primes(func(p Prime) bool { return !p.Safe && p.Bits <= 8192 })},
	{
		Finding{
			ID:       "no_hybrid",
			Severity: Info,
			What:     "no post-quantum key exchange",
			Ref:      "RFC 10024",
			Mend:     hybrids,
			Why:      "what is recorded today can be read once there are quantum computers",
		},
		func(r *Report) string {
			if r.version(iana.TLS13).Told != Yes ||
				slices.ContainsFunc(r.Groups, func(g Group) bool { return g.Hybrid }) {
				return ""
			}
			return "TLS 1.3, and none of the hybrid groups"
		},
	},
	{Finding{ID: "sha1_signature", Severity: Warn, What: "signs key exchanges with SHA-1 or MD5",
		Ref: "RFC 9155", Why: "collisions can be made"},
		func(r *Report) string {
			var names []string
			for _, x := range r.Schemes {
				if strings.HasSuffix(x.Name, "_sha1") || strings.HasSuffix(x.Name, "_md5") {
					names = append(names, x.Name)
				}
			}
			return strings.Join(names, ", ")
		}},

	{Finding{ID: "untrusted", Severity: High, What: "a certificate that is not trusted",
		Ref: "RFC 5280 §6", Why: "clients refuse the connection, or stop checking"},
		chains(func(_ *Report, c *Chain) string {
			if c.Trusted == No {
				return c.Trust
			}
			return ""
		})},
	{
		Finding{
			ID:       "expires_soon",
			Severity: Warn,
			What:     "a certificate that ends soon",
			Ref:      "RFC 5280 §4.1.2.5",
			Why:      "when it has ended, clients refuse the connection",
		},
		chains(func(r *Report, c *Chain) string {
			left, life := c.NotAfter.Sub(r.At), c.NotAfter.Sub(c.NotBefore)
			if left <= 0 || left > min(14*24*time.Hour, life/4) {
				return ""
			}
			return "it ends on " + c.NotAfter.UTC().Format("2006-01-02 15:04 MST")
		}),
	},
	{
		Finding{
			ID:       "short_key",
			Severity: High,
			What:     "an RSA key under 2048 bits",
			Ref:      "RFC 9325 §4.5",
			Why:      "1024 bits are within reach of a state",
		},
		chains(func(_ *Report, c *Chain) string {
			if c.Key.Type != "RSA" || c.Key.Bits >= 2048 {
				return ""
			}
			return fmt.Sprintf("RSA %d", c.Key.Bits)
		}),
	},
	{
		Finding{
			ID:       "must_staple",
			Severity: Warn,
			What:     "must-staple without a staple",
			Ref:      "RFC 7633",
			Why:      "clients that know must-staple refuse the connection",
		},
		chains(func(_ *Report, c *Chain) string {
			if c.Must && !c.Stapled {
				return "the certificate demands a stapled status, and none was sent"
			}
			return ""
		}),
	},

	fact("compression", Yes, High, "compresses records (CRIME)", "RFC 9325 §3.3",
		"the length of what is sent tells what is in it", noCompression),
	fact("secure_renegotiation", No, High, "no secure renegotiation", "RFC 5746",
		"an attacker can put a beginning before a client's request", nil),
	fact("extended_master_secret", No, Warn, "no extended_master_secret", "RFC 9325 §3.5",
		"two connections can be made to share keys (triple handshake)", nil),
	fact("fallback_scsv", No, Warn, "does not refuse a needless fallback", "RFC 7507",
		"a man in the middle can make clients that try older versions use one", nil),
	fact("downgrade_sentinel", No, Warn, "no downgrade sentinel", "RFC 8446 §4.1.3",
		"a client cannot tell that a man in the middle lowered the version", nil),
	fact("short_tickets", No, Info, "tickets that live longer than a day", "RFC 9325 §3.4",
		"until TLS 1.2 whoever gets the tickets' key reads all connections that were made with it",
		nil),
	fact("early_data", Yes, Info, "accepts early data (0-RTT)", "RFC 8446 §8",
		"whoever records it can send it again: requests in it must be harmless twice", nil),
	fact("grease", No, Warn, "fails with unknown values", "RFC 8701",
		"newer clients cannot connect", nil),
	fact("unknown_version", No, Warn, "fails with an unknown version", "RFC 8446 §4.2.1",
		"newer clients cannot connect", nil),
	fact("many_suites", No, Warn, "fails with more than 127 cipher suites", "RFC 5246 §7.4.1.2",
		"a ClientHello may have any number of them", nil),
	fact("record_version", No, Warn, "fails with another version in the first record's header",
		"RFC 5246 §E.1", "clients differ in it, and servers must accept any version 3.x", nil),
	fact("long_hello", No, Warn, "fails with a long ClientHello", "RFC 8446 §4.1.2",
		"post-quantum key shares make hellos long", nil),
	fact("short_hello", No, Warn, "fails with a ClientHello of 256 to 511 bytes", "RFC 7685 §1",
		"such a length is common", nil),
	fact("split_hello", No, Warn, "fails with a ClientHello in several records", "RFC 5246 §6.2.1",
		"long hellos arrive in parts", nil),
	fact(
		"heartbleed",
		Yes,
		High,
		"Heartbleed",
		"CVE-2014-0160",
		"anybody reads the server's memory, its private key included: update OpenSSL and replace "+
			"the key",
		nil,
	),
	fact("ccs_injection", Yes, High, "takes an early ChangeCipherSpec", "CVE-2014-0224",
		"a man in the middle can make both sides use a known key: update OpenSSL", nil),
	fact("robot", Yes, High, "ROBOT", "RFC 5246 §7.4.7.1",
		"its answers decrypt recorded connections with RSA key exchange, and sign with its key",
		modernSuites),
	fact("ticketbleed", Yes, High, "Ticketbleed", "CVE-2016-9244",
		"it sends 31 bytes of its memory to anybody who asks: update the load balancer", nil),
	{
		Finding{
			ID:       "ticket_other_name",
			Severity: Warn,
			What:     "resumes under another name, and asks for client certificates",
			Ref:      "RFC 6066 §3",
			Why: "a client that was let in under one name may come in under another without " +
				"being checked (CVE-2025-23419): give each name its own ticket keys",
		},
		func(r *Report) string {
			if f := r.Fact("ticket_other_name"); f.Told == Yes &&
				r.Fact("client_certificate").Told == Yes {
				return "a ticket was accepted " + f.Detail
			}
			return ""
		},
	},
	fact("client_renegotiation", Yes, Info, "renegotiates when the client asks", "RFC 9325 §3.5",
		"each costs the server a handshake, and the client little: no hole, and no use",
		[]Mend{{"OpenSSL", "Options = NoRenegotiation"},
			{"Go", "crypto/tls never renegotiates as a server"}}),
	fact("one_server", No, Info, "several servers seem to answer", "RFC 5246 §7.4.1.3",
		"what is said here may be of one or of another: ask each address by itself", nil),
	fact("dh_reuse", Yes, Warn, "uses a Diffie-Hellman key again (precondition of Raccoon)",
		"RFC 9325 §7.4", "forward secrecy begins when the key is forgotten", nil),
}
