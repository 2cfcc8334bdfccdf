package explain

import (
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/wire"
)

// FieldNotes returns a sentence for each field of a handshake message of a version: what it is, why
// it has this value here, and what it is for. It is empty for fields that only hold others, and for
// the second and later fields of a name, such as elements of a list. fields are those of
// message.Dialect.Annotate.
func FieldNotes(v iana.Version, raw []byte, fields []wire.Field) []string {
	notes := make([]string, len(fields))
	if len(raw) == 0 {
		return notes
	}
	kind := iana.HandshakeType(raw[0]).String()
	if message.IsHelloRetryRequest(raw) {
		kind = "hello_retry_request"
	}
	told := map[string]bool{}
	extension, inside := "", 0
	for i, f := range fields {
		if f.Depth <= inside {
			extension = ""
		}
		if f.Name == "extension" {
			extension, inside = extensionAt(fields, i), f.Depth
			notes[i] = lookup(v, extensionTables, kind+"/"+extension, extension)
			if extension == "GREASE" {
				notes[i] = greaseNote
			}
			continue
		}
		key := extension + "/" + f.Name
		if !told[key] && (f.Leaf || f.Depth > 1) {
			notes[i] = lookup(v, fieldTables, key, kind+"/"+f.Name, f.Name)
			told[key] = notes[i] != ""
		}
		if f.Leaf && strings.HasPrefix(f.Value, "GREASE") {
			notes[i] = greaseNote
		}
	}
	switch kind {
	case "client_hello":
		emptySessionID(v, iana.Client, fields, notes)
	case "server_hello", "hello_retry_request":
		emptySessionID(v, iana.Server, fields, notes)
	}
	return notes
}

var (
	fieldTables = tables{[]map[string]string{fieldNotes12, fieldNotes, commonFieldNotes},
		[]map[string]string{fieldNotes, commonFieldNotes}}
	extensionTables = tables{
		[]map[string]string{extensionNotes12, extensionNotes, commonExtensionNotes},
		[]map[string]string{extensionNotes, commonExtensionNotes}}
)

// lookup returns the sentence of the first of keys that a table of the version has, or "".
func lookup(v iana.Version, t tables, keys ...string) string {
	for _, table := range protocolOf(v).tables(t) {
		for _, key := range keys {
			if note, ok := table[key]; ok {
				return note
			}
		}
	}
	return ""
}

// extensionAt returns the name of the extension whose node is fields[node].
func extensionAt(fields []wire.Field, node int) string {
	for _, f := range fields[node+1:] {
		if f.Depth <= fields[node].Depth {
			break
		}
		if f.Name == "extension_type" {
			name, _, _ := strings.Cut(f.Value, " ")
			return name
		}
	}
	return ""
}

// emptySessionID explains a session_id of a side that is not there.
func emptySessionID(v iana.Version, of iana.Side, fields []wire.Field, notes []string) {
	for i, f := range fields {
		if f.Name != "session_id" || f.Leaf || f.Len != 1 {
			continue
		}
		notes[i] = protocolOf(v).emptySessionID[of]
	}
}

const greaseNote = "GREASE (RFC 8701): a number that means nothing, sent so that peers stay used " +
	"to numbers that they do not know. It is ignored."

// fieldNotes are the sentences by the name of the field, with the message or the extension before
// it where they differ.
var fieldNotes = map[string]string{
	"client_hello/client_version": "legacy_version: it says TLS 1.2, since middleboxes and old " +
		"servers fail on a higher number. What is really offered is in supported_versions.",
	"client_hello/random": "32 random bytes for this connection alone. Every traffic secret " +
		"depends on them, through the transcript hash.",
	"client_hello/session_id": "legacy_session_id: random, and names no session. It is there so " +
		"that the handshake looks like a resumption of TLS 1.2 to middleboxes; the server sends " +
		"it back.",
	"cipher_suites": "In TLS 1.3 a suite names the AEAD and the hash only; key exchange and " +
		"signature are negotiated on their own.",
	"compression_methods": "legacy_compression_methods: one byte, null. TLS 1.3 compresses no " +
		"records, since that gave secrets away (CRIME); the field stays for old servers.",
	"server_hello/server_version": "legacy_version: it says TLS 1.2, for middleboxes. The " +
		"version is in supported_versions.",
	"server_hello/random": "32 random bytes. A server that speaks TLS 1.3 but chose TLS 1.2 " +
		"would end it with “DOWNGRD”, so that a client notices a man in the middle.",
	"server_hello/session_id": "legacy_session_id_echo: what the client sent. It resumes " +
		"nothing.",
	"hello_retry_request/server_version": "legacy_version: it says TLS 1.2, for middleboxes.",
	"hello_retry_request/random": "The SHA-256 of “HelloRetryRequest”: this constant makes of a " +
		"ServerHello a HelloRetryRequest.",
	"hello_retry_request/session_id": "legacy_session_id_echo: what the client sent.",
	"server_hello/cipher_suite": "The AEAD and the hash of this connection: the server's choice " +
		"among those offered.",
	"compression_method": "legacy_compression_method: null, always.",

	"supported_versions/versions": "The versions that the client speaks, best first.",
	"supported_versions/selected_version": "The version of this connection: 0304 is TLS 1.3, " +
		"counted from SSL 3.0.",
	"key_share/group": "The group of this share; it is one of supported_groups.",
	"key_share/key_exchange": "The public key, made for this connection alone: the private key " +
		"is forgotten once the secret is computed.",
	"key_share/selected_group": "The group that the server wants, for which the client sent no " +
		"share.",
	"mlkem768_encapsulation_key": "ML-KEM's half: the key with which the server encapsulates a " +
		"secret, which quantum computers are not known to find.",
	"mlkem1024_encapsulation_key": "ML-KEM's half: the key with which the server encapsulates a " +
		"secret, which quantum computers are not known to find.",
	"mlkem768_ciphertext": "ML-KEM's half: the encapsulated secret. Only the client, which has " +
		"the decapsulation key, can open it.",
	"mlkem1024_ciphertext": "ML-KEM's half: the encapsulated secret. Only the client, which has " +
		"the decapsulation key, can open it.",
	"x25519_public_key":    "The curve's half: it protects should ML-KEM turn out to be weak.",
	"secp256r1_public_key": "The curve's half: it protects should ML-KEM turn out to be weak.",
	"secp384r1_public_key": "The curve's half: it protects should ML-KEM turn out to be weak.",
	"cookie/cookie": "What the server wants back; it may hold all that the server must know, so " +
		"that it can forget the first hello.",
	"psk_key_exchange_mode": "psk_dhe_ke: a key share as well, so that the connection stays " +
		"forward secret; psk_ke: the PSK alone.",
	"identities": "The pre-shared keys that the client offers, best first.",
	"identity": "Names the key: a ticket as the server gave it in a NewSessionTicket, which the " +
		"client cannot read, or the name of an external key.",
	"obfuscated_ticket_age": "The ticket's age in milliseconds plus its ticket_age_add, modulo " +
		"2³²: only who saw the NewSessionTicket can take that off again. 0 for an external key.",
	"binders": "One proof for each identity, in their order.",
	"psk_binder_entry": "An HMAC over the hash of the hello up to the binders, without the 2 " +
		"bytes of their length; after a HelloRetryRequest, of the messages before, too. Only " +
		"who knows the key can make it, and it fits no other hello.",
	"selected_identity":     "Which of the identities the server took, from 0.",
	"ech_client_hello_type": "0: this is the outer hello, which everybody can read.",
	"config_id":             "Which of the server's keys the client used, or a random byte.",
	"enc":                   "The client's share of the key that encrypts the inner hello.",
	"payload": "The encrypted inner hello with the real server name, or random bytes of the same " +
		"length: nobody but the server can tell which.",
	"ech_config_list": "Configurations with which the client may encrypt its next hello: it " +
		"could not decrypt this one, or it was GREASE.",
	"confirmation": "8 bytes that look random; they tell the client that the server decrypted " +
		"its inner hello.",
	"max_early_data_size": "How many bytes of early data this ticket allows.",

	"certificate_request_context": "Empty in a handshake. After it, it ties the client's answer " +
		"to the server's question.",
	"certificate_list": "The sender's own certificate first, each followed by its extensions.",
	"cert_data":        "A certificate of X.509, in DER.",
	"subject_public_key_info": "A raw public key (RFC 7250): the field of a certificate that " +
		"says which key it is, without the rest, which would say whose.",
	"certificate_entry": "A certificate and what belongs to it: a stapled status or timestamps " +
		"were extensions and messages of their own in TLS 1.2.",
	"algorithm": "How the signature was made: one of the peer's signature_algorithms. Neither " +
		"PKCS #1 v1.5 nor SHA-1 may sign here, and ECDSA's scheme names the curve.",
	"certificate_verify/signature": "Over 64 spaces, a sentence that says who signs what, a zero " +
		"byte, and the transcript hash up to the Certificate.",
	"delegated_credential/valid_time": "When the key ends, in seconds after the certificate's " +
		"notBefore: at most seven days from its use.",
	"delegated_credential/dc_cert_verify_algorithm": "How the key signs CertificateVerify, in " +
		"place of the certificate's key.",
	"delegated_credential/subject_public_key_info": "The key itself. Who has its private key " +
		"need not have the certificate's, which can stay in a safer place.",
	"delegated_credential/algorithm": "How the certificate's key signed this delegation.",
	"delegated_credential/signature": "By the certificate's key, over 64 spaces, a sentence that " +
		"says what it is, a zero byte, the certificate and the fields before this one.",
	"new_session_count": "So many if this connection resumes nothing.",
	"resumption_count":  "So many if it resumes a session: usually one, for the one that it used.",
	"expected_count":    "How many tickets the server is going to send.",
	"verify_data": "HMAC(finished_key, transcript hash): as long as the hash, where TLS 1.2 had " +
		"12 bytes.",
	"ticket_lifetime": "Seconds, at most 604800: seven days.",
	"ticket_age_add": "A random number for obfuscated_ticket_age, so that an eavesdropper cannot " +
		"tell by the age that two connections belong together.",
	"ticket_nonce": "Makes the PSK of each ticket of a connection another one.",
	"ticket": "What the client shows next time: to it, random bytes. The PSK itself is " +
		"not sent.",
	"request_update": "1 asks the receiver to replace its sending keys, too; 0 does not.",
	"compressed_certificate/algorithm": "How the Certificate was compressed: one of those that " +
		"the peer named in compress_certificate.",
	"uncompressed_length": "The length of the Certificate, which bounds what its receiver " +
		"expands.",
}

// extensionNotes are the sentences about whole extensions.
var extensionNotes = map[string]string{
	"supported_versions": "The real offer of versions; the field at the beginning of the hello " +
		"is frozen.",
	"server_hello/supported_versions": "The real choice of a version: this makes the connection " +
		"one of TLS 1.3.",
	"hello_retry_request/supported_versions": "Already says that it will be TLS 1.3.",
	"key_share": "Public keys in the first flight: that saves the round trip that TLS 1.2 " +
		"needed.",
	"server_hello/key_share": "The server's public key in the group that it chose; from here on " +
		"both can compute the secret.",
	"hello_retry_request/key_share": "Asks for a share of another group.",
	"supported_groups": "All groups that the client can use, best first, also those without a " +
		"share.",
	"encrypted_extensions/supported_groups": "What the server would have liked better, for the " +
		"next time.",
	"signature_algorithms": "The signatures that the sender accepts, best first: in " +
		"CertificateVerify, and in certificates unless signature_algorithms_cert names others. " +
		"Those of PKCS #1 v1.5 can be in certificates only.",
	"signature_algorithms_cert": "The signatures that the sender accepts in certificates.",
	"server_name": "The server that the client means, in the clear: if it shows a " +
		"certificate, the server can choose it by this name.",
	"encrypted_extensions/server_name": "Empty: the server used the name.",
	"application_layer_protocol_negotiation": "The protocols that the client wants to speak " +
		"inside, best first.",
	"encrypted_extensions/application_layer_protocol_negotiation": "The protocol that will be " +
		"spoken inside; unlike in TLS 1.2, nobody else sees it.",
	"psk_key_exchange_modes": "How the client would use a pre-shared key; without it a server " +
		"sends no tickets.",
	"pre_shared_key": "The keys that both may have from before. It is the last extension, since " +
		"its binders cover the hello up to them.",
	"server_hello/pre_shared_key": "The server took a pre-shared key: it will show no " +
		"certificate.",
	"early_data": "Data under keys of the first pre-shared key follows at once, before the " +
		"server has answered.",
	"encrypted_extensions/early_data": "The server takes the early data.",
	"new_session_ticket/early_data":   "With this ticket the client may send early data.",
	"cookie":                          "Given back as it came in the HelloRetryRequest.",
	"hello_retry_request/cookie": "To be given back in the next hello: it proves that the client " +
		"is where it says, and lets the server forget.",
	"post_handshake_auth": "The client can be asked for a certificate " +
		"later, too.",
	"status_request": "Asks for a stapled OCSP response.",
	"certificate/status_request": "The stapled OCSP response: the certificate was " +
		"not revoked.",
	"signed_certificate_timestamp": "Asks for proofs that the certificate is in " +
		"public logs.",
	"certificate/signed_certificate_timestamp": "Proofs that the certificate is in public logs.",
	"certificate/delegated_credential": "A short-lived key that signs in place of the " +
		"certificate's (RFC 9345), whose owner delegates to it.",
	"encrypted_extensions/trust_anchors":  "The roots for which the server has a certificate.",
	"certificate/trust_anchors":           "Empty: the certificate leads to one of the roots.",
	"encrypted_extensions/ticket_request": "How many tickets the server will send.",
	"record_size_limit": "The most bytes that a record to the sender may hold inside, its type " +
		"included.",
	"compress_certificate": "How certificates to the sender may be compressed.",
	"encrypted_client_hello": "Encrypted ClientHello (RFC 9849): the real hello, encrypted, or " +
		"random bytes in its place (GREASE), so that those that need it do not stand out.",
	"certificate_authorities": "The authorities that the sender trusts.",
	"oid_filters":             "What the client's certificate must have.",
	"padding": "Zeros, so that the hello does not have a length that breaks some " +
		"middleboxes.",
	"renegotiation_info": "For a server that chooses TLS 1.2: TLS 1.3 does not renegotiate.",
	"extended_master_secret": "For a server that chooses TLS 1.2: in TLS 1.3 every secret covers " +
		"the transcript.",
	"encrypt_then_mac": "For a server that chooses TLS 1.2: TLS 1.3 has no CBC.",
	"ec_point_formats": "For a server that chooses TLS 1.2: TLS 1.3 has one form of " +
		"points.",
	"session_ticket": "For a server that chooses TLS 1.2: TLS 1.3's tickets are " +
		"pre-shared keys.",
	"quic_transport_parameters": "QUIC's own settings, carried by the handshake.",
}
