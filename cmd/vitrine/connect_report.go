package main

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/cause"
	"github.com/vitrine-tls/vitrine/internal/reach"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// report is the report of connect, as text or as one line of JSON.
type report struct {
	Target     string          `json:"target"`
	Offers     string          `json:"offers_up_to"`
	Offered    *offerReport    `json:"offered,omitempty"`
	Phases     []phaseReport   `json:"phases"`
	Negotiated *negotiated     `json:"negotiated,omitempty"`
	Chain      []*certReport   `json:"chain,omitempty"`
	Trusted    *bool           `json:"trusted,omitempty"` // absent if it was not checked
	Trust      string          `json:"trust,omitempty"`
	Concerns   []concernReport `json:"concerns,omitempty"`
	Remarks    []string        `json:"remarks,omitempty"`
	// ClientAuth is absent if the server did not ask who the client is.
	ClientAuth *clientAuthReport `json:"client_authentication,omitempty"`
	Answer     string            `json:"http_status,omitempty"`
	AnswerHint string            `json:"http_hint,omitempty"`
	EarlyData  *earlyReport      `json:"early_data,omitempty"`
	// Renegotiation says that the server asked for another handshake.
	Renegotiation string         `json:"renegotiation,omitempty"`
	refusedAgain  bool           // and did not get it
	KeyUpdate     string         `json:"key_update,omitempty"`
	LateCert      string         `json:"post_handshake_certificate,omitempty"`
	Tickets       *ticketsReport `json:"tickets,omitempty"`
	Resumption    *resumption    `json:"resumption,omitempty"`
	End           string         `json:"end,omitempty"`
	Failure       *failureReport `json:"failure,omitempty"`
	Summary       string         `json:"summary,omitempty"` // of a failure, in one sentence
	Code          int            `json:"exit_code"`
	certs         []*x509.Certificate
	err           error
	unanswered    bool // standard input was sent, and nothing came back
	headWritten   bool
}

type phaseReport struct {
	Name   string  `json:"name"`
	Detail string  `json:"detail"`
	MS     float64 `json:"ms"`
	Error  string  `json:"error,omitempty"`
	took   time.Duration
	slower bool // given up, because another address was faster
}

type negotiated struct {
	Version        string   `json:"version"`
	Suite          string   `json:"suite"`
	OpenSSL        string   `json:"suite_openssl"`
	KeyExchange    string   `json:"key_exchange"`
	Group          string   `json:"group,omitempty"`
	Retry          bool     `json:"hello_retry_request"`
	RetryFor       []string `json:"hello_retry_request_for,omitempty"`
	Authentication string   `json:"authentication,omitempty"` // TLS 1.3: see signature
	Signature      string   `json:"signature,omitempty"`
	ForwardSecret  bool     `json:"forward_secret"`
	ALPN           string   `json:"alpn,omitempty"`
	ServerName     string   `json:"server_name,omitempty"`
	Extensions     []string `json:"extensions"`
	Without        []string `json:"without,omitempty"`
	ClientCert     string   `json:"client_certificate"`
	Stapled        bool     `json:"ocsp_stapled"`
	SCTs           int      `json:"scts"`
	Resumed        bool     `json:"resumed"`
}

type certReport struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Names     []string  `json:"names,omitempty"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Key       string    `json:"key"`
	Signed    string    `json:"signed_with"`
	Serial    string    `json:"serial"`
	Pin       string    `json:"pin"`    // SHA-256 of SubjectPublicKeyInfo: RFC 7469 §2.4
	SHA256    string    `json:"sha256"` // fingerprint of the certificate
	SHA1      string    `json:"sha1"`
	// IssuerAt is where the issuer's certificate is to be found: RFC 5280 §4.2.2.1.
	IssuerAt []string `json:"issuer_at,omitempty"`
}

type concernReport struct {
	Level  string `json:"level"`
	What   string `json:"what"`
	Reason string `json:"reason"`
	Ref    string `json:"ref"`
}

func newReport(c *caller, a *attempt) *report {
	r := &report{Target: c.target.String(), Offers: highest(c.config).String(), Code: a.exit(),
		err:   a.err,
		certs: chainOf(a)}
	for _, p := range a.phases {
		pr := phaseReport{Name: p.Name, Detail: p.Detail, MS: float64(p.Took.Microseconds()) / 1000,
			took: p.Took, slower: errors.Is(p.Err, reach.ErrSlower)}
		if p.Err != nil {
			pr.Error = reach.Words(p.Err)
		}
		r.Phases = append(r.Phases, pr)
	}
	for _, cert := range r.certs {
		r.Chain = append(r.Chain, newCertReport(cert))
	}
	r.chainOrder()
	r.Offered = newOfferReport(a.events.entries())
	r.ClientAuth = c.clientAuth(a.events.entries())
	r.judge(c, a)
	if a.err == nil {
		r.setNegotiated(a)
	}
	if sentinel(a.events.entries()) {
		r.Remarks = append(r.Remarks,
			"server_random ends in 444F574E47524401 (\"DOWNGRD\", 1): the server would have "+
				"spoken TLS 1.3 (RFC 8446 §4.1.3); --max 1.3 offers it")
	}
	return r
}

// judge sets whether the chain is trusted, and why or why not.
func (r *report) judge(c *caller, a *attempt) {
	trusted := true
	switch f, failed := a.failure(); {
	case a.err == nil && c.config.GetPSK != nil && len(r.certs) == 0:
		r.Trust = "proved by the pre-shared key, which both sides hold"
	case a.err == nil && a.state.PeerRawPublicKey != nil && !c.insecure:
		r.Trust = "a raw public key, known by its pin " + pki.PinText(a.state.PeerRawPublicKey)
	case a.err == nil && a.state.PeerRawPublicKey != nil:
		r.Trust = "not checked (-k): the server showed the raw public key " +
			pki.PinText(a.state.PeerRawPublicKey)
		return
	case a.err == nil && c.insecure && len(c.pins) > 0:
		r.Trust = c.pinnedTrust(a.state)
		return
	case a.err == nil && c.insecure:
		r.Trust = "not checked (-k): nothing is proved about who is there"
		return
	case a.err == nil && c.noSNI:
		r.Trust = "trusted for " + c.target.host + ", which was not asked for by name" + c.pinHeld()
	case a.err == nil && a.state.VerifiedChains != nil:
		path := a.state.VerifiedChains[0]
		r.Trust = fmt.Sprintf("trusted for %s, by %s", c.config.ServerName,
			commonName(path[len(path)-1])) + c.pinHeld()
	case failed && f.Trust != nil:
		trusted = false
		r.Trust = diagnose.Distrust(f.Trust.Err, f.Trust.UnverifiedCertificates, time.Now())
	case a.unpinned() != nil:
		trusted = false
		r.Trust = a.unpinned().Error()
	default:
		return
	}
	r.Trusted = &trusted
}

func commonName(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return c.Subject.String()
}

// setNegotiated fills in what was negotiated.
func (r *report) setNegotiated(a *attempt) {
	s := a.state
	row := suite.Readable(iana.CipherSuite(s.CipherSuite))
	n := &negotiated{
		Version: iana.Version(s.Version).String(), Suite: row.ID.String(),
		OpenSSL: row.ID.OpenSSL(), KeyExchange: row.KeyExchangeName(),
		Authentication: row.AuthenticationName(), Group: s.GroupName,
		ForwardSecret: row.ForwardSecret(),
		ALPN:          s.NegotiatedProtocol,
		ServerName:    s.ServerName, Extensions: []string{}, Stapled: len(s.OCSPResponse) > 0,
		SCTs: len(s.SignedCertificateTimestamps), Resumed: s.DidResume, Retry: s.HelloRetryRequest,
		ClientCert: "not asked for",
	}
	for _, x := range []struct {
		name string
		on   bool
		cbc  bool // used with CBC only
	}{{"extended_master_secret", s.ExtendedMasterSecret, false},
		{"encrypt_then_mac", s.EncryptThenMAC, true},
		{"renegotiation_info", s.SecureRenegotiation, false}} {
		switch {
		case row.TLS13(): // TLS 1.3 always does all of this
		case x.on:
			n.Extensions = append(n.Extensions, x.name)
		case !x.cbc || row.Cipher.CBC():
			n.Without = append(n.Without, x.name)
		}
	}
	for _, e := range a.events.entries() {
		switch e := e.Event.(type) {
		case *trace.Agreed:
			if row.TLS13() { // whose suites name no key exchange
				n.KeyExchange, n.Authentication = e.KeyExchange.String(), e.Authentication.String()
				n.ForwardSecret = e.KeyExchange.Ephemeral()
			}
		case *trace.Message:
			if r := retryOf(e); r != nil {
				n.RetryFor = askedByRetry(r)
			}
		case *trace.Verified:
			if e.What == "signature" && e.From == iana.Server {
				n.Signature = e.Scheme.String()
			}
		case *trace.Choice:
			if e.What == "client_certificate" {
				n.ClientCert = "asked for; shown: " + e.Chosen
			}
		}
	}
	r.Negotiated = n
	if v := iana.Version(s.Version); v < iana.TLS12 {
		r.Concerns = append(r.Concerns,
			concernReport{"deprecated", v.String(),
				"its hashes are MD5 and SHA-1, and its CBC has been attacked", "RFC 8996"})
	}
	for _, c := range suite.Concerns(row) {
		r.Concerns = append(r.Concerns, concernReport{c.Level.String(), c.What, c.Reason, c.Ref})
	}
	bits := 0
	if n, _ := fmt.Sscanf(s.GroupName, "%d-bit", &bits); n == 1 && bits < 2048 {
		r.Concerns = append(r.Concerns,
			concernReport{"deprecated", s.GroupName,
				"primes of 1024 bits are within reach of a state, and shared ones break for many " +
					"servers at once (Logjam, CVE-2015-4000)", "RFC 9325 §4.1"})
	}
	for _, fault := range s.PeerCertificateFaults {
		what, why := fault.Error(), fault
		if f, ok := errors.AsType[*pki.Fault](fault); ok {
			what, why = fmt.Sprintf("certificate %d of %d", f.Index+1, f.Of), f.Err
		}
		says, ref := cause.FaultOf(why)
		r.Concerns = append(r.Concerns, concernReport{"insecure", what,
			says + ": without -k it is refused", ref})
	}
	r.certificateConcerns(time.Now())
}

// certificateConcerns adds the concerns about the leaf, even if it is trusted or was not checked.
func (r *report) certificateConcerns(now time.Time) {
	if len(r.certs) == 0 {
		return
	}
	leaf := r.certs[0]
	say := func(level, what, reason, ref string) {
		r.Concerns = append(r.Concerns, concernReport{level, what, reason, ref})
	}
	if name := pki.WeakSignature(leaf); name != "" {
		say("insecure", "certificate signed with "+name,
			"another certificate with the same signature can be made", "RFC 6194")
	}
	if k, ok := leaf.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
		say("deprecated", fmt.Sprintf("RSA key of %d bits", k.N.BitLen()),
			"too short to last: 2048 bits and more are expected", "RFC 9325 §4.5")
	}
	if left := leaf.NotAfter.Sub(now); left > 0 && left < 14*24*time.Hour {
		say("avoided", "certificate near its end", "it expires in "+diagnose.Age(left),
			"RFC 5280 §4.1.2.5")
	}
}

// chainOrder adds the concern about a chain in which a certificate is not the issuer of the one
// before it. Vitrine sorts such a chain.
func (r *report) chainOrder() {
	for i, c := range r.certs[min(len(r.certs), 1):] {
		if bytes.Equal(c.RawSubject, r.certs[i].RawIssuer) {
			continue
		}
		r.Concerns = append(r.Concerns, concernReport{"avoided", "order of the chain",
			fmt.Sprintf("certificate %d is not that of the issuer of certificate %d, and "+
				"software that does not sort a chain refuses it", i+1, i),
			"RFC 5246 §7.4.2, RFC 8446 §4.4.2"})
		return
	}
}

func newCertReport(c *x509.Certificate) *certReport {
	return &certReport{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Names: diagnose.Names(c),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		Key: pki.KeyName(c), Signed: c.SignatureAlgorithm.String(),
		Serial: fmt.Sprintf("%x", c.SerialNumber), Pin: pinOf(c),
		SHA256: fmt.Sprintf("%x", sha256.Sum256(c.Raw)), SHA1: fmt.Sprintf("%x", sha1.Sum(c.Raw)),
		IssuerAt: c.IssuingCertificateURL,
	}
}

// sentinel reports whether the server's random says that the server supports TLS 1.3. See RFC 8446
// §4.1.3.
func sentinel(entries []trace.Entry) bool {
	for _, e := range entries {
		if m, ok := e.Event.(*trace.Message); ok && m.Type == iana.ServerHello && len(m.Raw) >= 38 {
			return string(m.Raw[4+2+24:4+2+32]) == "DOWNGRD\x01"
		}
	}
	return false
}

// verdict returns the error that the command ends with. It has the exit code.
func (r *report) verdict() error {
	if r.Code == exitOK {
		return nil
	}
	if r.Summary != "" {
		return &exitError{r.Code, errors.New(r.Summary)}
	}
	return &exitError{r.Code, r.err}
}
