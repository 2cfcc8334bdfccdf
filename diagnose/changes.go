package diagnose

import (
	"crypto/tls"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
)

// maxChanges limits how many changes are proposed after one failure.
const maxChanges = 16

// Changes returns the changes that may help a client with the Config c, the one that gives up least
// first.
func (f *Failure) Changes(c *vitrine.Config) []Change {
	var fit []Change
	if f.known().KeyUsageViolated() && rank(policyOf(c)) == rank(vitrine.Modern) {
		fit = append(fit, ignoreKeyUsage(f.Answered.CipherSuite))
	}
	for _, change := range changes {
		if !change.when(f, c) || len(fit) == maxChanges {
			continue
		}
		if change.Kind == NoProtocols {
			change = f.fewerProtocols(change, c.NextProtos)
		}
		fit = append(fit, change)
	}
	return fit
}

// fewerProtocols completes the change that offers no application protocols, by those that leave
// out one.
func (f *Failure) fewerProtocols(all Change, names []string) Change {
	if f.known().HasReceived(alert.NoApplicationProtocol) {
		all.Cause = "the server speaks none of the application protocols that are offered (ALPN)"
		return all
	}
	for i, name := range names {
		left := slices.Delete(slices.Clone(names), i, i+1)
		if len(left) == 0 {
			break
		}
		all.parts = append(all.parts, Change{Kind: NoProtocols, Protocols: left, hello: true,
			Go: fmt.Sprintf("NextProtos: %#v", left),
			Cause: fmt.Sprintf("the server fails at %q among the application protocols that "+
				"are offered (ALPN)", name),
			apply: func(c *vitrine.Config) { c.NextProtos = left }})
	}
	return all
}

var changes = []Change{
	{
		Kind: NotAwaiting, Go: "AwaitServer: false", hello: true,
		Costs: "that a refused certificate is noticed before anything is sent",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.AwaitServer && f.known().AwaitsInVain()
		},
		apply: func(c *vitrine.Config) { c.AwaitServer = false },
	},
	{
		Kind: ShownAnyway, Go: "GetClientCertificate: …", hello: true,
		Cause: "the server takes our certificate, although it names other authorities",
		Costs: "the server learns who we are, which it did not ask for",
		when: func(f *Failure, c *vitrine.Config) bool {
			return f.Side == iana.Client && f.Asked && len(c.Certificates) > 0 &&
				c.GetClientCertificate == nil
		},
		apply: func(c *vitrine.Config) {
			own := &c.Certificates[0]
			type request = vitrine.CertificateRequestInfo
			c.GetClientCertificate = func(*request) (*tls.Certificate, error) { return own, nil }
		},
	},
	{
		Kind: NoPreSharedKey, Go: "GetPSK: nil", hello: true,
		Costs: "the proof by a key that both sides hold: the server is known by its " +
			"certificate then",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.GetPSK != nil &&
				(f.known().KeyRefused() || f.known().HasReceived(alert.UnknownPSKIdentity) ||
					f.early())
		},
		apply: func(c *vitrine.Config) { c.GetPSK = nil },
	},
	{
		Kind: Certificates, Go: "PeerCertificateTypes: nil, VerifyRawPublicKey: nil", hello: true,
		Cause: "the server shows a certificate, and no raw public key",
		when: func(f *Failure, c *vitrine.Config) bool {
			return len(c.PeerCertificateTypes) > 0 && f.OtherType()
		},
		apply: func(c *vitrine.Config) {
			c.PeerCertificateTypes, c.RawKeyPins, c.VerifyRawPublicKey = nil, nil, nil
		},
	},
	{
		Kind: NoProtocols, Go: "NextProtos: nil", hello: true,
		Cause: "the server fails at the application protocols that are offered (ALPN)",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.NextProtos != nil &&
				(f.known().HasReceived(alert.NoApplicationProtocol) || f.early())
		},
		apply: func(c *vitrine.Config) { c.NextProtos = nil },
	},
	{
		Kind: OneRecord, Go: "HelloFragment: 0", hello: true,
		Cause: "the server, or something on the way to it, fails at a ClientHello in several " +
			"records, which RFC 5246 §6.2.1 allows",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.HelloFragment > 0 && f.early()
		},
		apply: func(c *vitrine.Config) { c.HelloFragment = 0 },
	},
	{
		Kind:  ShortRecords,
		Go:    fmt.Sprintf("HelloFragment: %d", ShortRecord),
		hello: true,
		Cause: "the server, or something on the way to it, fails at our ClientHello in one " +
			"record, and takes the same in short ones",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.HelloFragment == 0 && f.early() &&
				!f.known().HasReceived(alert.HandshakeFailure) // which means that it was read
		},
		apply: func(c *vitrine.Config) { c.HelloFragment = ShortRecord },
	},
	{
		Kind: DefaultSuites, Go: "CipherSuites: nil, CipherSuites13: nil",
		when: func(f *Failure, c *vitrine.Config) bool {
			return (c.CipherSuites != nil || c.CipherSuites13 != nil) &&
				(f.choiceless() || f.known().HasReceived(alert.ProtocolVersion))
		},
		apply: func(c *vitrine.Config) { c.CipherSuites, c.CipherSuites13 = nil, nil },
	},
	{
		Kind: DefaultGroups, Go: "CurvePreferences: nil",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.CurvePreferences != nil && f.unsuited()
		},
		apply: func(c *vitrine.Config) { c.CurvePreferences = nil },
	},
	{
		Kind: DefaultVersions, Go: "MinVersion: 0, MaxVersion: 0",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.MinVersion|c.MaxVersion != 0 && f.unsuited()
		},
		apply: func(c *vitrine.Config) { c.MinVersion, c.MaxVersion = 0, 0 },
	},
	{
		Kind: AllGroups,
		when: func(f *Failure, c *vitrine.Config) bool { return speaks13(c) && f.choiceless() },
		apply: func(c *vitrine.Config) {
			c.CurvePreferences = []tls.CurveID{tls.CurveID(iana.FFDHE6144),
				tls.CurveID(iana.FFDHE8192)}
			for _, g := range vitrine.Compatible.Groups() {
				c.CurvePreferences = append(c.CurvePreferences, tls.CurveID(g))
			}
		},
		narrow: func(change Change, s vitrine.ConnectionState) Change {
			change.Group = s.Group
			change.Go = fmt.Sprintf("CurvePreferences: []tls.CurveID{0x%04X}", uint16(s.Group))
			return change
		},
		Go: "CurvePreferences: …",
	},
	{
		Kind: AllSuites13, Go: "CipherSuites13: …CCM",
		when: func(f *Failure, c *vitrine.Config) bool { return speaks13(c) && f.choiceless() },
		apply: func(c *vitrine.Config) {
			c.CipherSuites13 = nil
			for _, s := range suite.All13() {
				c.CipherSuites13 = append(c.CipherSuites13, uint16(s.ID))
			}
		},
		narrow: func(change Change, s vitrine.ConnectionState) Change {
			change.Suite = iana.CipherSuite(s.CipherSuite)
			change.Go = fmt.Sprintf("CipherSuites13: []uint16{0x%04X}", s.CipherSuite)
			return change
		},
	},
	{
		Kind: CompatiblePolicy, Go: "Policy: vitrine.Compatible",
		Costs: "no forward secrecy, or records that are encrypted before they are authenticated",
		when: func(f *Failure, c *vitrine.Config) bool {
			return stricter(c, vitrine.Compatible) && f.choiceless()
		},
		apply: func(c *vitrine.Config) { c.Policy = vitrine.Compatible },
	},
	{
		Kind: LegacyPolicy, Go: "Policy: vitrine.Legacy",
		Costs: "what has been broken in practice: TLS 1.0, 3DES, SHA-1, short primes; only for a " +
			"device that has nothing else, in a network that is yours",
		when: func(f *Failure, c *vitrine.Config) bool {
			return stricter(c, vitrine.Legacy) && (f.unsuited() || f.weak())
		},
		apply: func(c *vitrine.Config) { c.Policy = vitrine.Legacy },
	},
	{
		Kind: NullSuites, Go: "CipherSuites: …NULL",
		Costs: "encryption: everybody on the way can read along",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.CipherSuites == nil && f.choiceless()
		},
		apply: func(c *vitrine.Config) { c.CipherSuites = insecure() },
		narrow: func(change Change, s vitrine.ConnectionState) Change {
			change.Suite = iana.CipherSuite(s.CipherSuite)
			change.Go = fmt.Sprintf("CipherSuites: []uint16{0x%04X}", s.CipherSuite)
			return change
		},
	},
	{
		Kind:  NoHybrids,
		Go:    "CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384}",
		Costs: "secrecy from a quantum computer that reads recordings of today",
		Cause: "the server fails at the hybrid key share, or at the length that it gives the hello",
		hello: true,
		when: func(f *Failure, c *vitrine.Config) bool {
			return speaks13(c) && c.CurvePreferences == nil && f.early()
		},
		apply: func(c *vitrine.Config) {
			c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384}
		},
	},
	{
		Kind: FewerExtensions,
		Go: "StatusRequest: vitrine.Off, Timestamps: vitrine.Off, EncryptThenMAC: " +
			"vitrine.Off, ExtendedMasterSecret: vitrine.Off, SessionTicketsDisabled: true",
		Costs: "what those extensions protect from, such as the triple handshake (RFC 7627)",
		Cause: "the server fails at several extensions that it should ignore",
		hello: true, parts: extensions,
		when: func(f *Failure, c *vitrine.Config) bool {
			return f.early() && c.ExtendedMasterSecret != vitrine.Off
		},
		apply: func(c *vitrine.Config) {
			for _, x := range extensions {
				x.apply(c)
			}
		},
	},
	{
		Kind: NoServerName, Go: "diagnose.WithoutSNI(config)",
		Cause: "the server fails at server_name, or has no site of this name",
		hello: true,
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.ServerName != "" &&
				(f.known().HasReceived(alert.UnrecognizedName) || f.early() ||
					f.Answered == nil && !f.Asked && f.known().HasReceived(alert.AccessDenied))
		},
		apply: WithoutSNI,
	},
	{
		Kind: OnlyP256, Go: "CurvePreferences: []tls.CurveID{tls.CurveP256}",
		Cause: "the server fails at a group that it should ignore",
		hello: true,
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.CurvePreferences == nil && f.early()
		},
		apply: func(c *vitrine.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP256} },
	},
	{
		Kind: OnlyTLS12, Go: "MaxVersion: tls.VersionTLS12",
		Costs: "TLS 1.3: certificates go over the wire in the clear",
		Cause: "the server fails at a hello that offers TLS 1.3 besides, which it should ignore",
		hello: true,
		when: func(f *Failure, c *vitrine.Config) bool {
			return speaks13(c) && c.MinVersion < tls.VersionTLS13 && f.early()
		},
		apply: func(c *vitrine.Config) { c.MaxVersion = tls.VersionTLS12 },
	},
	{
		Kind:  OnlyTLS10,
		Go:    "Policy: vitrine.Legacy, MaxVersion: tls.VersionTLS10",
		Costs: "what has been broken in practice: TLS 1.0 above all",
		when: func(f *Failure, c *vitrine.Config) bool {
			return c.MaxVersion == 0 && c.CipherSuites == nil && f.early()
		},
		apply: func(c *vitrine.Config) {
			c.Policy, c.MaxVersion = vitrine.Legacy, tls.VersionTLS10
		},
	},
}
