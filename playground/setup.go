package playground

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/suite"
)

// Name is the server name that the client requests.
const Name = "vitrine.test"

// What the two sides send by default.
const (
	Request  = "GET / HTTP/1.1\r\nHost: " + Name + "\r\n\r\n"
	Response = "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\nhello behind the glass"
)

// Setup says which handshake to perform. Its zero value is a good one: TLS 1.2 with ECDHE, ECDSA
// and AES-128-GCM.
type Setup struct {
	Version string `json:"version,omitempty"` // "1.2" or "1.3"; "" is 1.2
	Suite   string `json:"suite,omitempty"`   // by its IANA or OpenSSL name
	Group   string `json:"group,omitempty"`   // "" is x25519, or ffdhe2048 for DHE
	// Others are more suites that both sides take, of the same version, behind Suite.
	Others []string `json:"others,omitempty"`
	// Certificate is the kind of the server's key; "" is the one that the suite needs.
	Certificate throwaway.Kind `json:"certificate,omitempty"`

	ExtendedMasterSecret bool `json:"extended_master_secret,omitempty"` // up to TLS 1.2
	EncryptThenMAC       bool `json:"encrypt_then_mac,omitempty"`       // CBC suites
	ClientCertificate    bool `json:"client_certificate,omitempty"`
	Resume               bool `json:"resume,omitempty"`     // a connection came before
	EarlyData            bool `json:"early_data,omitempty"` // TLS 1.3, with Resume: 0-RTT
	// Retry says that the client first guesses another group, and gets a HelloRetryRequest, in TLS
	// 1.3.
	Retry bool `json:"retry,omitempty"`
	// KeyUpdate says that the client sends a KeyUpdate before its request, and asks for one: TLS
	// 1.3.
	KeyUpdate bool `json:"key_update,omitempty"`

	// Both says that both sides also speak the other version, 1.2 or 1.3, so that there is
	// something to downgrade. OldServer says that the server speaks 1.2 alone.
	Both      bool `json:"both,omitempty"`
	OldServer bool `json:"old_server,omitempty"`
	// Flaw is what is wrong with the server's certificate.
	Flaw Flaw `json:"flaw,omitempty"`

	Seed     string `json:"seed,omitempty"`
	Request  string `json:"request,omitempty"`
	Response string `json:"response,omitempty"`
	// Pieces is how many bytes of data go into one record at most; 0: as many as fit.
	Pieces int `json:"pieces,omitempty"`

	// Careless is the mistake that the server makes, which the library does not.
	Careless Careless `json:"careless,omitempty"`
}

// Flaw is what can be wrong with a certificate.
type Flaw string

// The flaws. NoFlaw is a certificate that the client accepts.
const (
	NoFlaw      Flaw = ""
	WrongName   Flaw = "name"        // it is for another name
	Expired     Flaw = "expired"     // it was valid until yesterday
	NotYet      Flaw = "not yet"     // it is valid from tomorrow
	UnknownRoot Flaw = "root"        // its authority is not one that the client trusts
	NoPath      Flaw = "no path"     // the certificate between it and the root is not sent
	WrongUsage  Flaw = "client only" // it is for clients
)

// Flaws returns all flaws, NoFlaw first.
func Flaws() []Flaw {
	return []Flaw{NoFlaw, WrongName, Expired, NotYet, UnknownRoot, NoPath, WrongUsage}
}

// Careless names a mistake of a server.
type Careless string

// The careless twins of the server. Careful is the library as it is.
const (
	Careful Careless = ""
	// PaddingOracle answers decryption_failed to wrong padding, and bad_record_mac to a wrong MAC.
	PaddingOracle Careless = "padding"
	// Bleichenbacher answers at once, and with an alert of its own, to a pre_master_secret that is
	// not as PKCS #1 demands.
	Bleichenbacher Careless = "bleichenbacher"
	// AnyEnd takes the end of the stream for the end of the data, without close_notify.
	AnyEnd Careless = "any end"
	// AnyReplay takes early data of a ticket as often as it comes.
	AnyReplay Careless = "any replay"
)

// CarelessTwins returns all values of Careless, Careful first.
func CarelessTwins() []Careless {
	return []Careless{Careful, PaddingOracle, Bleichenbacher, AnyEnd, AnyReplay}
}

// plan is a Setup with its names resolved.
type plan struct {
	Setup
	version  iana.Version
	suite    *suite.Suite
	others   []iana.CipherSuite
	group    iana.Group // 0: RSA key exchange
	request  []byte
	response []byte
}

func (s Setup) plan() (*plan, error) {
	p := &plan{Setup: s, request: []byte(cmp.Or(s.Request, Request)),
		response: []byte(cmp.Or(s.Response, Response))}
	switch s.Version {
	case "", "1.2":
		p.version = iana.TLS12
	case "1.3":
		p.version = iana.TLS13
	default:
		return nil, fmt.Errorf("playground: got version %q, expected 1.2 or 1.3", s.Version)
	}
	if err := p.chooseSuite(); err != nil {
		return nil, err
	}
	if err := p.chooseGroup(); err != nil {
		return nil, err
	}
	return p, p.check()
}

// The suites of a Setup that names none.
const (
	default12 = iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	default13 = iana.TLS_AES_128_GCM_SHA256
)

func (p *plan) chooseSuite() error {
	id := iana.CipherSuite(default12)
	if p.version == iana.TLS13 {
		id = default13
	} else if p.Certificate == throwaway.RSA {
		id = iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	}
	if p.Setup.Suite != "" {
		var ok bool
		if id, ok = iana.SuiteByName(p.Setup.Suite); !ok {
			return fmt.Errorf("playground: no cipher suite is called %q", p.Setup.Suite)
		}
	}
	var err error
	if p.suite, err = p.find(id); err != nil {
		return err
	}
	for _, name := range p.Others {
		id, ok := iana.SuiteByName(name)
		if !ok {
			return fmt.Errorf("playground: no cipher suite is called %q", name)
		}
		if _, err := p.find(id); err != nil {
			return err
		}
		p.others = append(p.others, id)
	}
	return nil
}

// find returns a suite of the version of the run.
func (p *plan) find(id iana.CipherSuite) (*suite.Suite, error) {
	s := suite.ByID(id)
	if p.version == iana.TLS13 {
		s = suite.ByID13(id)
	}
	if s == nil {
		return nil, fmt.Errorf("playground: %v is not a suite of TLS %s", id,
			cmp.Or(p.Version, "1.2"))
	}
	if s.PreShared() {
		return nil, fmt.Errorf("playground: %v needs a pre-shared key", id)
	}
	return s, nil
}

// suites returns the suites that are offered: that of the run, and one for the other version.
func (p *plan) suites() (until12, of13 []iana.CipherSuite) {
	mine := append([]iana.CipherSuite{p.suite.ID}, p.others...)
	if p.version == iana.TLS13 {
		return []iana.CipherSuite{default12}, mine
	}
	return mine, []iana.CipherSuite{default13}
}

func (p *plan) chooseGroup() error {
	switch {
	case p.suite.KeyTransport():
		return nil
	case p.Setup.Group == "" && p.suite.FiniteField():
		p.group = iana.FFDHE2048
		return nil
	case p.Setup.Group == "":
		p.group = iana.X25519
		return nil
	}
	g, ok := iana.GroupByName(p.Setup.Group)
	if _, speaks := kex.Named(g); !ok || !speaks {
		return fmt.Errorf("playground: no group is called %q", p.Setup.Group)
	}
	p.group = g
	return nil
}

// check returns an error for a Setup that contradicts itself.
func (p *plan) check() error {
	switch {
	case !slices.Contains(Flaws(), p.Flaw):
		return fmt.Errorf("playground: got flaw %q, expected one of %q", p.Flaw, Flaws())
	case !slices.Contains(CarelessTwins(), p.Careless):
		return fmt.Errorf("playground: got careless %q, expected one of %q", p.Careless,
			CarelessTwins())
	case p.Pieces < 0 || len(p.request)+len(p.response) > maxData:
		return fmt.Errorf("playground: at most %d bytes of data, in pieces of 1 or more", maxData)
	case p.Pieces > 0 && max(len(p.request), len(p.response)) > p.Pieces*maxRecords:
		return fmt.Errorf("playground: data of one side in pieces of %d bytes is more than %d "+
			"records", p.Pieces, maxRecords)
	case p.EarlyData && (!p.Resume || p.version != iana.TLS13):
		return fmt.Errorf("playground: early data needs TLS 1.3 and a session to resume")
	case (p.Retry || p.KeyUpdate) && (p.version != iana.TLS13 || p.OldServer):
		return fmt.Errorf("playground: HelloRetryRequest and KeyUpdate need TLS 1.3")
	case p.Certificate != "" && !slices.Contains(throwaway.Kinds(), p.Certificate):
		return fmt.Errorf("playground: got certificate %q, expected one of %v", p.Certificate,
			throwaway.Kinds())
	}
	return nil
}

// kind returns the kind of the server's key.
func (p *plan) kind() throwaway.Kind {
	switch {
	case p.Certificate != "":
		return p.Certificate
	case p.suite.ServerKey() == iana.AuthRSA:
		return throwaway.RSA
	}
	return throwaway.ECDSA
}
