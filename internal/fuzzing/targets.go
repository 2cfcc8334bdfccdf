package main

// A target is a fuzz target, and the functions that it attacks.
type target struct {
	pkg, name string
	// functions are regular expressions for "file.go:Function" in the packages of cover; empty is
	// everything of the target's own package that the corpus reaches in these files
	functions string
	cover     string // packages whose functions those are; empty is the target's own
}

// targets are all of them. A test compares them with the source.
var targets = []target{
	{pkg: "capture", name: "FuzzReader", functions: `(reader|pcapng|skipped)\.go:`},
	{pkg: "capture", name: "FuzzAssembler", functions: `(assembler|lane)\.go:`},
	{pkg: "capture", name: "FuzzLayers", functions: `(layers|ethernet|links|ip|udp)\.go:`},
	{pkg: "cmd/vitrine", name: "FuzzTarget", functions: `connect_target\.go:`},
	{pkg: "cmd/vitrine", name: "FuzzDump", functions: `cli_dumps\.go:`},
	{pkg: "cmd/vitrine", name: "FuzzUnhex", functions: `cli_values\.go:unhex`},
	{pkg: "cmd/vitrine", name: "FuzzKeyFile",
		functions: `decrypt_keyfile\.go:(key|derivation|add|stepsOf|number)`},
	{pkg: "cmd/vitrine", name: "FuzzPrintout",
		functions: `decrypt_data\.go:(appendVisible|.*write)`},
	{pkg: "cmd/vitrine", name: "FuzzDecrypt", functions: `decrypt_text\.go:`},
	{pkg: "compression", name: "FuzzExpand", functions: `:expand`},
	{pkg: "engine", name: "FuzzInbound", functions: `(inbound|items)\.go:`},
	{pkg: "engine", name: "FuzzEngine",
		functions: `(engine|advance|read)\.go:(Advance|take|flightEnds|receiveAlert|Read|Step)$`},
	{pkg: "engine", name: "FuzzScenes", functions: `(engine13|late|early|read|seal)\.go:`},
	{pkg: "explain", name: "FuzzTranscript", functions: `derive_transcript\.go:`},
	{pkg: "handshake", name: "FuzzMachine", functions: `(spine|client12|server12)\.go:`},
	{pkg: "handshake", name: "FuzzResumption", functions: `resume\.go:`},
	{pkg: "handshake", name: "FuzzResumption13",
		functions: `(offered13|selected13|tickets13)\.go:`},
	{pkg: "internal/conformance", name: "FuzzSessionState", functions: `session_state\.go:`,
		cover: "."},
	{pkg: "internal/demo", name: "FuzzAnyEventsTellAStory", functions: `.*`, cover: "./trace"},
	{pkg: "internal/framing", name: "FuzzSplitter", functions: `:(Split|Before|Read|New)`},
	{pkg: "internal/reach", name: "FuzzProxy", functions: `proxy\.go:`},
	{pkg: "internal/reach", name: "FuzzParseProxy", functions: `proxy\.go:ParseProxy`},
	{pkg: "internal/starttls", name: "FuzzAsk", functions: `.*`},
	{pkg: "keylog", name: "FuzzRead", functions: `(keylog|labels)\.go:`},
	{pkg: "kex", name: "FuzzFiniteField", functions: `^dhe\.go:(newField|power|inside|refuse|` +
		`FiniteField|Offer|Answer|offer|Share|Finish|field)$`},
	{pkg: "kex", name: "FuzzShare", functions: `^(dhe|ecdhe)\.go:(Offer|Answer|offer|Share|` +
		`Finish|standard|goldilocks)$`},
	{pkg: "message", name: "FuzzMessage", functions: `:layout`},
	{pkg: "message", name: "FuzzContent", functions: `contents(13)?\.go:layout`},
	{pkg: "message", name: "FuzzHello", functions: `client_hello\.go:layout`},
	{pkg: "observe", name: "FuzzStream", functions: `(lane|open|observe|schedule)\.go:`},
	{pkg: "pki", name: "FuzzParseChain", functions: `chain\.go:(ParseChain|PublicKey|Raw)`},
	{pkg: "pki", name: "FuzzVerify", functions: `(chain\.go:Verify|path\.go:)`},
	{pkg: "pki", name: "FuzzParsePrivateKey", functions: `privatekey\.go:`},
	{pkg: "pki", name: "FuzzPublicKey", functions: `spki\.go:`},
	{pkg: "pki", name: "FuzzCheckStaple", functions: `staple\.go:`},
	{pkg: "pki", name: "FuzzReadCertificate", functions: `lenient\.go:`},
	{pkg: "record", name: "FuzzOpen", functions: `:Open`},
	{pkg: "record", name: "FuzzTamper", functions: `:(Open|Seal)`},
	{pkg: "record", name: "FuzzAEAD", functions: `^aead13\.go:(newAEAD13|Seal|sealPadded|Open)$`},
	{pkg: "record", name: "FuzzParseHeader", functions: `:ParseHeader`},
	{pkg: "render/html", name: "FuzzCertificateFields", functions: `der\.go:`},
	{pkg: "session", name: "FuzzOpenTicket", functions: `:OpenTicket`},
	{pkg: "session", name: "FuzzDecodeSession", functions: `:(DecodeSession|layout|Encode)`},
	{pkg: "trace", name: "FuzzRead", functions: `read\.go:`},
	{pkg: "wire", name: "FuzzCodec", functions: `codec\.go:`},
}
