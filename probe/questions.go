package probe

import "github.com/vitrine-tls/vitrine/iana"

// questions are asked in this order, some at the same time. Those that resemble an attack come
// last, in attacks: they may get us banned.
var questions = []question{
	{"fallback_scsv", "refuses a needless fallback (TLS_FALLBACK_SCSV, RFC 7507)", askFallback},
	{"downgrade_sentinel", "marks a lower version in its random (RFC 8446 §4.1.3)", askSentinel},
	{"secure_renegotiation", "secure renegotiation (RFC 5746)",
		extension12(iana.ExtRenegotiationInfo)},
	{"extended_master_secret", "extended_master_secret (RFC 7627)",
		extension12(iana.ExtExtendedMasterSecret)},
	{"encrypt_then_mac", "encrypt_then_mac for CBC suites (RFC 7366)", askEncryptThenMAC},
	{"record_size_limit", "negotiates record_size_limit (RFC 8449)", askRecordSizeLimit},
	{"hello_retry_request", "asks for another key share where it must (RFC 8446 §4.1.4)", askRetry},
	{"compression", "compresses records (CRIME)", askCompression},
	{"alpn_h2", "selects HTTP/2 by ALPN", protocol("h2")},
	{"alpn_http11", "selects HTTP/1.1 by ALPN", protocol("http/1.1")},
	{"session_id", "resumes by session ID", askSessionID},
	{"session_ticket", "resumes by ticket (RFC 5077)", askTicket},
	{"short_tickets", "its tickets until TLS 1.2 live for a day at most", askTicketLifetime},
	{"psk_resumption", "resumes in TLS 1.3 by ticket", askPSK},
	{"early_data", "accepts early data (0-RTT)", askEarlyData},
	{"client_certificate", "asks for a client certificate", askClientCertificate},
	{"compressed_certificate", "compresses its certificates (RFC 8879)", askCompressedCertificate},
	{"no_server_name", "answers without server_name", askWithoutName},
	{"one_server", "answers as one server does", askBackends},
	{"group_order", "has an order of groups of its own", askGroupOrder},
	tolerance("grease", "tolerates unknown values (RFC 8701)"),
	tolerance("unknown_version", "tolerates a version that does not exist yet"),
	tolerance("many_suites", "tolerates more than 127 cipher suites"),
	tolerance("long_hello", "tolerates a ClientHello of over 4,000 bytes"),
	{"split_hello", "tolerates a ClientHello in several records and segments", askSplit},
	tolerance("record_version", "tolerates another version in the header of the first record"),
	{"short_hello", "tolerates a ClientHello of 256 to 511 bytes", askMiddle},
}
