package explain

// fieldNotes12 are the sentences about fields of TLS 1.0 to 1.2, where they differ from those of
// TLS 1.3 or do not occur there.
var fieldNotes12 = map[string]string{
	"client_hello/client_version": "The highest version that the client speaks, unless the " +
		"extension supported_versions names others: 0303 is TLS 1.2, since SSL 3.0 was 0300. The " +
		"server may choose a lower one.",
	"client_hello/random": "32 random bytes for this connection alone. They go into every key, " +
		"so that what a server said in a recorded handshake cannot be shown to this client.",
	"client_hello/session_id": "Names a session to resume, or, with a ticket, is made up so that " +
		"the client can tell from the answer whether the server took the ticket.",
	"cipher_suites": "What the client can do, best first: a suite names the key exchange, the " +
		"signature, the cipher and the hash at once. The server chooses one.",
	"compression_methods": "One byte, null: nothing is compressed. The field is mandatory, but " +
		"compression gave secrets away by the length of records (CRIME), so nobody offers it.",
	"server_hello/server_version": "The version of this connection, chosen among those that the " +
		"client offered. 0303 is TLS 1.2.",
	"server_hello/random": "32 random bytes of the server. With the client's they make the keys " +
		"of this connection unlike all others; a signature of ServerKeyExchange covers them, if " +
		"there is one.",
	"server_hello/session_id": "By this name the client may resume the session; if it is the " +
		"client's own, it is resumed now.",
	"server_hello/cipher_suite": "The suite of this connection: the server's choice among " +
		"those offered.",
	"compression_method": "null: records are not compressed. The one choice that both sides " +
		"always have.",

	"certificate_list": "The sender's own certificate first; each of the others signed the one " +
		"before it. The root may be left out: who trusts it has it.",
	"certificate": "A certificate of X.509, in DER: a name, a public key, and the signature of " +
		"who vouches for them.",
	"certificate_types": "The kinds of key that the server accepts for signing.",
	"certificate_request/certificate_type": "A kind of key that the server accepts: rsa_sign or " +
		"ecdsa_sign today.",
	"certificate_request/supported_signature_algorithms": "The signatures that the server " +
		"accepts in CertificateVerify and in certificates.",
	"certificate_request/certificate_authorities": "Names of authorities that the server trusts, " +
		"so that the client finds a certificate that fits; empty is any.",
	"distinguished_name": "The subject of one authority, in DER.",

	"params": "The server's half of the key exchange: the group and its public key. This is " +
		"what the signature covers, with both randoms before it.",
	"curve_type": "named_curve: the group is named by a number. Curves given by their equation " +
		"are forbidden, since a client could not tell a weak one.",
	"namedcurve": "The group, one of the client's supported_groups.",
	"public": "The server's public key, made for this connection alone: its private key is " +
		"forgotten afterwards.",
	"dh_p": "The prime: all arithmetic is done modulo this number. The server chooses it, and " +
		"the client must refuse one that is too short.",
	"dh_g":  "The generator: public keys are powers of it.",
	"dh_Ys": "The server's public key, g to its private key, modulo p.",
	"dh_Yc": "The client's public key, g to its private key, modulo p.",
	"ecdh_Yc": "The client's public key, made for this connection alone. It is not signed: the " +
		"Finished messages cover it.",
	"algorithm": "How the signature was made: its hash and its padding, one of the peer's " +
		"signature_algorithms. TLS 1.0 and 1.1 have no such field.",
	"server_key_exchange/signature": "Over client_random, server_random and the parameters " +
		"above, in this order, by the private key of the certificate: the proof that the owner " +
		"of the certificate is here, now.",
	"certificate_verify/signature": "Over all handshake messages up to here, by the private key " +
		"of the client's certificate: the proof that the client owns it.",
	"encrypted_pre_master_secret": "48 bytes, encrypted to the public key of the server's " +
		"certificate (PKCS #1 v1.5): whoever has the private key, now or later, can open it.",
	"psk_identity_hint": "Helps the client to find the key that both have.",
	"psk_identity":      "Names the key that both have from before; the key itself is not sent.",
	"verify_data": "12 bytes: PRF(master_secret, a label of the side, the hash of all messages " +
		"so far). Only who holds the master_secret and saw the same messages can make it.",

	"ticket_lifetime_hint": "For how many seconds the client may keep the ticket.",
	"ticket": "The session, encrypted by the server under a key that only it has: the server " +
		"need not remember it. To the client it is random bytes.",
	"status_type": "ocsp: the status is an OCSP response.",
	"response":    "The OCSP response, in DER, signed by the authority: not revoked.",
	"certificate_status/response": "The OCSP response, in DER, signed by the authority: whether " +
		"the certificate was revoked.",
}

// extensionNotes12 are the sentences about extensions of TLS 1.0 to 1.2.
var extensionNotes12 = map[string]string{
	"server_name": "The name of the server that the client means, in the clear: one address may " +
		"serve many names, and if it shows a certificate, the server can choose it by this one.",
	"server_hello/server_name": "Empty: the server used the name.",
	"supported_groups": "The groups for Diffie-Hellman that the client can use, best " +
		"first.",
	"ec_point_formats": "How points of secp256r1 and its kin may be written. Everybody writes " +
		"them in full (uncompressed); the extension remains because old peers want it. X25519 " +
		"and X448 have one form only, and no mark for it.",
	"signature_algorithms": "The signatures that the client accepts, in ServerKeyExchange and in " +
		"certificates, best first.",
	"renegotiation_info": "Empty in a first handshake: it says that a later one on this " +
		"connection would be tied to it, so that nobody can put his own data before a client's.",
	"extended_master_secret": "Asks for a master_secret that depends on all messages up to and " +
		"including ClientKeyExchange, and not on the randoms alone (RFC 7627): without it an " +
		"attacker can make two connections have the same one.",
	"server_hello/extended_master_secret": "The master_secret will depend on all messages up to " +
		"and including ClientKeyExchange (RFC 7627).",
	"encrypt_then_mac": "Asks for the MAC over the ciphertext (RFC 7366): then forged records " +
		"are thrown away before anything is decrypted, and padding tells nothing.",
	"server_hello/encrypt_then_mac": "Records are encrypted first, and the MAC covers the " +
		"ciphertext (RFC 7366).",
	"session_ticket": "Empty: the client can keep a ticket. Filled: the ticket of the session " +
		"that it wants to resume.",
	"server_hello/session_ticket": "Empty: a NewSessionTicket will follow.",
	"application_layer_protocol_negotiation": "The protocols that the client wants to speak " +
		"inside, best first, in the clear.",
	"server_hello/application_layer_protocol_negotiation": "The protocol that will be spoken " +
		"inside.",
	"status_request":              "Asks for a stapled OCSP response.",
	"server_hello/status_request": "Empty: a CertificateStatus with the response will follow.",
	"status_request_v2":           "Asks for OCSP responses for the whole chain; hardly used.",
	"max_fragment_length":         "No record may hold more than this: 1 is 512 bytes, 4 is 4,096.",
	"supported_versions": "The versions that the client speaks; a server that knows the " +
		"extension chooses from it. This one chose a version before TLS 1.3.",
	"key_share": "For a server that chooses TLS 1.3: public keys in the first flight. This one " +
		"did not, and uses none of them.",
	"psk_key_exchange_modes": "For a server that chooses TLS 1.3: how pre-shared keys would be " +
		"used.",
	"pre_shared_key":       "For a server that chooses TLS 1.3: the keys from before.",
	"early_data":           "For a server that chooses TLS 1.3: data would follow at once.",
	"cookie":               "For a server that chooses TLS 1.3: its cookie, given back.",
	"post_handshake_auth":  "For a server that chooses TLS 1.3: the client could be asked later.",
	"compress_certificate": "For a server that chooses TLS 1.3: how its certificate may come.",
	"certificate_type":     "Which form of certificate.",
	"next_protocol_negotiation": "The predecessor of application_layer_protocol_negotiation, of " +
		"which nothing is left.",
}

// commonExtensionNotes are the sentences about extensions that say the same in all versions.
var commonExtensionNotes = map[string]string{
	"application_settings": "Settings of the protocol inside, sent along with the handshake: a " +
		"draft that browsers use.",
	"cached_info": "What the client still has of the server's certificates, so that they need " +
		"not come again.",
	"cert_type":    "OpenPGP keys in place of certificates; of historical interest.",
	"client_authz": "Attributes of the client, to authorize it; not in use.",
	"server_authz": "Attributes of the server, to authorize it; not in use.",
	"client_certificate_type": "In which form the client can show who it is: a certificate, or a " +
		"raw public key (RFC 7250).",
	"server_certificate_type": "In which form the client wants to see who the server is: a " +
		"certificate, or a raw public key (RFC 7250).",
	"client_certificate_url": "The client may name an address from where to get its certificate.",
	"connection_id": "A name for the connection, so that it survives a change of address; for " +
		"DTLS.",
	"delegated_credential": "The signatures that the client accepts from a short-lived key, to " +
		"which the certificate's owner delegates.",
	"ech_outer_extensions": "Inside the encrypted hello: these are as in the outer hello.",
	"heartbeat": "Allows messages that keep a connection alive. An implementation of it was " +
		"Heartbleed.",
	"max_fragment_length": "No record may hold more than this: 1 is 512 bytes, 4 is 4,096.",
	"next_protocol_negotiation": "The predecessor of application_layer_protocol_negotiation, of " +
		"which nothing is left.",
	"srp":               "The name of the client, for a key exchange by password (SRP).",
	"status_request_v2": "Asks for OCSP responses for the whole chain; hardly used.",
	"ticket_request":    "How many tickets the client would like.",
	"token_binding":     "Ties cookies to a key of the client; given up.",
	"transparency_info": "Proofs that the certificate is in public logs, in a newer form.",
	"truncated_hmac":    "Asks for MACs of ten bytes, which are too short: never accepted.",
	"trust_anchors": "The roots that the client trusts, by short names, so that the server can " +
		"choose a chain.",
	"trusted_ca_keys": "The authorities that the client trusts.",
	"use_srtp":        "The protections that the client can do for media (DTLS-SRTP).",
	"user_mapping":    "Under which name the client is known to the server; not in use.",
}

// commonFieldNotes are the sentences about fields that are alike in all versions.
var commonFieldNotes = map[string]string{
	"msg_type": "Which handshake message this is.",
	"length": "How many bytes follow of the part that it begins. Who reads checks that they are " +
		"there, and that the part fits into the one around it.",
	"extension_type": "The number of the extension. Who does not know it passes over it: that is " +
		"how the protocol grew without breaking old peers.",
	"extension_data":   "What the extension says; empty if its presence says all.",
	"extensions":       "Additions, each with its number and its length.",
	"name_type":        "host_name, the only kind of name that there is.",
	"host_name":        "The name, in ASCII, without a dot at its end.",
	"server_name_list": "A list for historical reasons: it holds one name.",
	"named_group": "A group: a curve, a prime, or (TLS 1.3) ML-KEM, alone or with a " +
		"curve.",
	"named_group_list":               "Best first.",
	"signature_scheme":               "A way to sign: the kind of key, the padding, the hash.",
	"supported_signature_algorithms": "Best first.",
	"ec_point_format": "uncompressed: both coordinates, after a byte 04 (not of " +
		"X25519).",
	"ec_point_format_list": "The forms that the sender can read.",
	"renegotiated_connection": "Empty in a first handshake; in a later one, its " +
		"Finished.",
	"protocol_name":      "A protocol, by its registered name.",
	"protocol_name_list": "Best first; an answer has one.",
	"compression_method": "null: no compression.",
	"cipher_suite": "One suite that the client can do; the first is the one that it " +
		"likes best.",
	"version":                           "One version that the client speaks.",
	"key_share_entry":                   "A group and a public key in it.",
	"client_shares":                     "The public keys, best first.",
	"distinguished_name":                "The subject of one authority, in DER.",
	"certificate_type":                  "Which form a certificate may have: X.509, or a raw key.",
	"certificate_types":                 "The forms that are possible, best first.",
	"server_certificate_type":           "The form of the server's certificate.",
	"status_type":                       "ocsp, the only kind in use.",
	"responder_id_list":                 "Empty: any responder whom the authority trusts.",
	"responder_id":                      "A responder that the client trusts.",
	"request_extensions":                "Empty: nothing more is asked of the responder.",
	"response":                          "The OCSP response, in DER, signed by the authority.",
	"certificate_compression_algorithm": "A way to compress certificates.",
	"algorithms":                        "Best first.",
	"mode":                              "Whether the peer may send heartbeats.",
	"max_fragment_length":               "1 to 4: 512, 1,024, 2,048 or 4,096 bytes.",
	"record_size_limit":                 "The most bytes that a record may hold.",
	"padding":                           "Zeros.",
	"session_id":                        "Names a session.",
	"sct_list":                          "The timestamps.",
	"serialized_sct":                    "A log's promise that it has the certificate.",
	"ticket":                            "A ticket, as its server gave it.",
	"trust_anchors":                     "The roots that the client trusts, by short names.",
	"trust_anchor_id":                   "The short name of a root.",
	"kdf_id":                            "The hash of the encryption of the hello (HPKE).",
	"aead_id":                           "Its cipher.",
	"ke_modes":                          "Best first.",
	"identities":                        "Best first.",
	"certificate_extension_oid":         "Which extension the certificate must have.",
	"certificate_extension_values":      "And with which value.",
	"filters":                           "What the client's certificate must have.",
	"authorities":                       "Their names, in DER.",
	"transport_parameters":              "QUIC's settings.",
	"unparsed":                          "Bytes that do not follow the format.",
}
