package main

import (
	"path"
	"slices"
	"strings"
)

// A target is a fuzz target, and the functions that it attacks.
type target struct {
	pkg, name string
	// attacks are files of the package, without .go, each with the functions in it that count:
	// "chain ParseChain Raw; path", where path counts as a whole. A file may be a pattern.
	attacks string
	cover   string // the folder whose functions those are; empty is the target's own package
}

// counts reports whether a function of a file counts.
func (t target) counts(file, function string) bool {
	for part := range strings.SplitSeq(t.attacks, ";") {
		words := strings.Fields(part)
		if ok, err := path.Match(words[0], strings.TrimSuffix(file, ".go")); err == nil && ok &&
			(len(words) == 1 || slices.Contains(words[1:], function)) {
			return true
		}
	}
	return false
}

// targets are all of them. A test compares them with the source.
var targets = []target{
	{pkg: "capture", name: "FuzzReader", attacks: "reader; pcap; pcapng"},
	{pkg: "capture", name: "FuzzAssembler", attacks: "assembler; lane; copies; queue"},
	{pkg: "capture", name: "FuzzLayers",
		attacks: "layers; ethernet; links; ip; udp; wifi; eap; fragments; skipped"},
	{pkg: "cmd/vitrine", name: "FuzzTarget", attacks: "connect_target"},
	{pkg: "cmd/vitrine", name: "FuzzDump", attacks: "cli_dumps"},
	{pkg: "cmd/vitrine", name: "FuzzUnhex", attacks: "cli_values unhex"},
	{pkg: "cmd/vitrine", name: "FuzzKeyFile", attacks: "decrypt_keynames; decrypt_keyfile " +
		"keyFromPEM keyFromDER chainFromStore fromStore wrongPassword add derivationSteps " +
		"stepsOf number"},
	{pkg: "cmd/vitrine", name: "FuzzPrintout", attacks: "decrypt_data appendVisible"},
	{pkg: "cmd/vitrine", name: "FuzzDecrypt", attacks: "decrypt_text; decrypt_data; decrypt_end; " +
		"decrypt_show; decrypt_story; decrypt_sum; decrypt_keys; decrypt_files"},
	{pkg: "cmd/vitrine", name: "FuzzWords", cover: "./explain", attacks: "terms"},
	{pkg: "cmd/vitrine", name: "FuzzExercise", attacks: "cli_values set load; derive given " +
		"tls13"},
	{pkg: "cmd/vitrine", name: "FuzzLiveView", attacks: "live_http routes list send encode " +
		"rows follow since one two find run"},
	{pkg: "compression", name: "FuzzExpand", attacks: "compression expandBrotli narrow expandZstd"},
	{pkg: "engine", name: "FuzzInbound", attacks: "inbound; items; hello2; first"},
	{pkg: "engine", name: "FuzzEngine",
		attacks: "engine flightEnds; advance Advance take " +
			"limitRequests early receiveAlert; read Read"},
	{pkg: "engine", name: "FuzzQUIC", attacks: "quic"},
	{pkg: "engine", name: "FuzzScenes", attacks: "engine13; late; early; read"},
	{pkg: "engine", name: "FuzzStates", cover: "./handshake", attacks: "spine expected order " +
		"Take take end run check verify verifyData remember effect finish fitting"},
	{pkg: "explain", name: "FuzzTranscript", attacks: "derive_transcript"},
	{pkg: "handshake", name: "FuzzMachine", attacks: "spine expected order Turn " +
		"Take take end run check verify verifyData remember effect finish parse spell " +
		"spellExpected; " +
		"client12 receive resumed serverHello certificate fits serverKeyExchange " +
		"certificateRequest; server12 receive certificate exchanged secret"},
	{pkg: "handshake", name: "FuzzResumption", attacks: "resume"},
	{pkg: "handshake", name: "FuzzResumption13", attacks: "offered13; selected13; tickets13"},
	{pkg: "internal/conformance", name: "FuzzSessionState", attacks: "session_state", cover: "."},
	{pkg: "internal/demo", name: "FuzzAnyEventsTellAStory", cover: "./explain",
		attacks: "tell*; story; hellos*; exchange*; finished13; result*; ladder; rungs; lines13; " +
			"schedule*; view; text; anatomy*; dialect; protocol; detail; prose*; fields1*"},
	{pkg: "internal/dump", name: "FuzzReport", attacks: "dump; report Field Read ClientHellos " +
		"End value headed begins cookie"},
	{pkg: "internal/framing", name: "FuzzSplitter", attacks: "framing; conn New Read"},
	{pkg: "internal/gate", name: "FuzzGate", attacks: "gate"},
	{pkg: "internal/live", name: "FuzzIngest", attacks: "conn Put change End shown; learn; " +
		"row; folder indexed rebuild interrupted Read"},
	{pkg: "internal/reach", name: "FuzzProxy", attacks: "proxy"},
	{pkg: "internal/reach", name: "FuzzParseProxy", attacks: "proxy ParseProxy"},
	{pkg: "internal/starttls", name: "FuzzAsk", attacks: "*"},
	{pkg: "keylog", name: "FuzzRead", attacks: "encoding; labels; reading; wrapped; about; " +
		"forms; keylog Read Merge next splitLines Parse parse zeros Add unhex Append WriteTo " +
		"Secret Has All Len Counts"},
	{pkg: "kex", name: "FuzzFiniteField", attacks: "dhe newField power inside refuse FiniteField " +
		"Offer Answer offer Share Finish field"},
	{pkg: "kex", name: "FuzzShare", attacks: "dhe Offer Answer offer Share Finish; " +
		"ecdhe Offer Answer Share Finish standard goldilocks Restore"},
	{pkg: "kex", name: "FuzzHybrid", attacks: "hybrid join split refuse Offer " +
		"offer Restore Answer Finish CurveHalf Rejoin"},
	{pkg: "kex", name: "FuzzRSA", attacks: "rsa DecryptPreMaster OpenPreMaster sameVersion"},
	{pkg: "message", name: "FuzzMessage", attacks: "certificate; client_hello layout; " +
		"client_key_exchange; compressed_certificate layout; finished; hello2; " +
		"imported_identity; old; server_hello layout; server_key_exchange layout; tls13; " +
		"message New new12 new13 Parse Annotate Encode Length"},
	{pkg: "message", name: "FuzzContent", attacks: "contents layout; contents13 layout"},
	{pkg: "message", name: "FuzzHello", attacks: "client_hello layout"},
	{pkg: "observe", name: "FuzzStream", attacks: "lane; open; observe"},
	{pkg: "pki", name: "FuzzParseChain", attacks: "chain ParseChain PublicKey Raw tooLong Leaf; " +
		"lenient ReadChain checkRSA rsaKey Faults Excuse Sound Error Unwrap"},
	{pkg: "pki", name: "FuzzVerify", attacks: "chain Verify otherPath refuse; path"},
	{pkg: "pki", name: "FuzzVerdicts", attacks: "verdicts"},
	{pkg: "pki", name: "FuzzParsePrivateKey", attacks: "privatekey"},
	{pkg: "pki", name: "FuzzPublicKey", attacks: "spki parseSPKI splitSPKI parsePSS " +
		"parsePSSParams readMGF1 readHash; rawkey ReadRawKey"},
	{pkg: "pki", name: "FuzzCheckStaple", attacks: "staple"},
	{pkg: "pki", name: "FuzzReadCertificate", attacks: "lenient ReadCertificate readFields " +
		"readName readTime readNames hostName readKey explicitCurve"},
	{pkg: "playground", name: "FuzzActs", attacks: "act meets apply cutRecords; wire"},
	{pkg: "probe", name: "FuzzRead", attacks: "changes"},
	{pkg: "record", name: "FuzzOpen", attacks: "aead Open nonceOf setNonce; cbc Open; " +
		"ccm Open start encrypt count; null Open; read Open aad; lucky; " +
		"mac verify sum finish refuse"},
	{
		pkg:  "record",
		name: "FuzzTamper",
		attacks: "aead Open Seal nonceOf setNonce; cbc Open Seal; " +
			"ccm Open Seal start encrypt count; null Open Seal; lucky",
	},
	{pkg: "record", name: "FuzzHalf", attacks: "half Protect traits Protected SeqNum " +
		"SetMaxFragment MaxFragment Left SealedLen records Seal seal Open InnerType show; " +
		"aead13 inner Open Seal sealPadded Anatomy"},
	{
		pkg:     "record",
		name:    "FuzzAEAD",
		attacks: "aead13 newAEAD13 Seal sealPadded Open setNonce put",
	},
	{pkg: "record", name: "FuzzParseHeader", attacks: "header ParseHeader"},
	{pkg: "render/html", name: "FuzzCertificateFields", attacks: "der"},
	{pkg: "session", name: "FuzzOpenTicket", attacks: "ticket OpenTicket"},
	{
		pkg:     "session",
		name:    "FuzzDecodeSession",
		attacks: "session DecodeSession layout Encode flags",
	},
	{pkg: "trace", name: "FuzzRead", attacks: "read"},
	{pkg: "wire", name: "FuzzCodec", attacks: "codec; annotate"},
}
