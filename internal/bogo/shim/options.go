package main

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
)

// options are the settings of one connection.
type options struct {
	port, shimID, resumeCount int
	ipv6, server              bool

	minVersion, maxVersion uint16
	without                map[uint16]bool // versions that are switched off
	expectVersion          uint16

	trustCert      string
	usual          credential    // what the flags before any -new-x509-credential describe
	credentials    []*credential // tried before it, in this order
	expectSelected *int
	verifyPrefs    []uint16
	expectPrefs    []uint16 // what the peer accepts

	verifyPeer, requireCert, verifyFail, customVerify, reverify bool
	failCertCallback                                            bool
	clientCAList                                                *string
	expectPeerCertFile                                          string
	expectNoPeerCert                                            bool
	expectClientCAList                                          *string
	expectCertificateTypes                                      []byte
	expectPeerSignature                                         uint16

	peerTypes, ownTypes []iana.CertificateType // RFC 7250
	expectPeerType      *int
	expectPeerKey       []byte // SHA-256 of a raw public key

	curves        []uint16
	keyShares     []uint16
	expectCurve   uint16
	cipher        string
	fallbackSCSV  bool
	compliance    string
	expectHRR     *bool
	expectCipher  uint16
	expectAES     uint16 // the suite, if this machine has instructions for AES
	expectNoAES   uint16 // the suite, if it has none
	expectEMS     bool
	renegotiation string
	expectRenegs  *int
	expectSecure  bool
	refuse        bool

	failHello bool

	hostName, expectServerName string
	expectNoServerName         bool
	advertiseALPN              []byte
	selectALPN                 *string
	declineALPN, rejectALPN    bool
	expectALPN                 *string
	expectAdvertisedALPN       []byte
	enableOCSP, enableSCT      bool
	ocspCallback, setOCSP      bool
	declineOCSP, failOCSP      bool
	expectOCSP, expectSCT      []byte

	noTicket, expectMiss, expectNoSession bool
	ticketCallback                        bool
	renewTicket, skipTicket               bool
	expectRenewal                         bool
	expectID, expectNoID                  bool
	resumptionDelay, expectSkew           int

	exportLength     int
	exportLabel      string
	exportContext    string
	useExportContext bool
	tlsUnique        bool
	trafficSecrets   bool

	shimWritesFirst, shimShutsDown, checkCloseNotify, implicit bool
	initialWrite                                               string
	repeatWrite                                                int
	differentSizes                                             bool
	expectMessages                                             *string
	readSize                                                   int
	keyUpdate, peek                                            bool

	enableEarly, expectAccept, expectReject, expectNoOffer, expectTicketEarly bool
	expectEarlyReason                                                         string
	psk, pskIdentity                                                          string
	handshakeTwice                                                            bool

	grease, compressions bool
	compression          uint16
}

func defaults() *options {
	return &options{minVersion: 0x0301, maxVersion: 0x0304, without: map[uint16]bool{},
		initialWrite: "hello", repeatWrite: 1, readSize: 512}
}

// setting is one flag as it came, and the connections that it is for.
type setting struct {
	name, value string
	initial     bool // the first connection only
	resume      bool // all but the first
	retry       bool // after the server has rejected early data
}

// settings are the flags of a test in their order.
type settings []setting

// flag is how a flag is applied. A flag without value takes none from the command line.
type flag struct {
	value bool
	apply func(o *options, value string) error
}

func parse(args []string) (settings, error) {
	var list settings
	for i := 0; i < len(args); i++ {
		s := setting{name: strings.TrimPrefix(args[i], "-")}
		ignored := false
		for again := true; again; {
			again = true
			switch {
			case strip(&s.name, "on-initial-"):
				s.initial = true
			case strip(&s.name, "on-resume-"):
				s.resume = true
			case strip(&s.name, "on-shim-"):
			case strip(&s.name, "on-handshaker-"):
				ignored = true
			case strip(&s.name, "on-retry-"):
				s.retry = true
			default:
				again = false
			}
		}
		f, ok := flags[s.name]
		if !ok {
			return nil, unimplemented("%s", args[i])
		}
		if f.value {
			if i++; i == len(args) {
				return nil, unimplemented("%s without a value", s.name)
			}
			s.value = args[i]
		}
		if !ignored {
			list = append(list, s)
		}
	}
	return list, nil
}

func strip(s *string, prefix string) bool {
	rest, ok := strings.CutPrefix(*s, prefix)
	if ok {
		*s = rest
	}
	return ok
}

// options returns the settings of connection i, counted from 0, before or after its early data was
// rejected.
func (l settings) options(i int, rejected bool) (*options, error) {
	o := defaults()
	for _, s := range l {
		if s.initial && i != 0 || s.resume && i == 0 || s.retry && !rejected {
			continue
		}
		if err := flags[s.name].apply(o, s.value); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// The kinds of flags.

func yes(field func(*options) *bool) flag {
	return flag{false, func(o *options, _ string) error { *field(o) = true; return nil }}
}

func text(field func(*options) *string) flag {
	return flag{true, func(o *options, v string) error { *field(o) = v; return nil }}
}

func optional(field func(*options) **string) flag {
	return flag{true, func(o *options, v string) error { *field(o) = &v; return nil }}
}

func number[T ~int | ~uint16](field func(*options) *T) flag {
	return flag{true, func(o *options, v string) error {
		n, err := strconv.Atoi(v)
		*field(o) = T(n)
		return err
	}}
}

// list is a flag that is repeated, once for each entry.
func list(field func(*options) *[]uint16) flag {
	return flag{true, func(o *options, v string) error {
		n, err := strconv.ParseUint(v, 10, 16)
		*field(o) = append(*field(o), uint16(n))
		return err
	}}
}

// types is a flag that is repeated, once for each certificate type.
func types(field func(*options) *[]iana.CertificateType) flag {
	return flag{true, func(o *options, v string) error {
		n, err := strconv.ParseUint(v, 10, 8)
		*field(o) = append(*field(o), iana.CertificateType(n))
		return err
	}}
}

func blob(field func(*options) *[]byte) flag {
	return flag{true, func(o *options, v string) (err error) {
		*field(o), err = base64.StdEncoding.DecodeString(v)
		return err
	}}
}

func raw(field func(*options) *[]byte) flag {
	return flag{true, func(o *options, v string) error { *field(o) = []byte(v); return nil }}
}

// accepted is a flag that changes nothing for a stack that blocks and verifies as it goes.
func accepted(value bool) flag {
	return flag{value, func(*options, string) error { return nil }}
}

// ofCredential is a flag that describes the credential that the flags before it began.
func ofCredential(value bool, apply func(c *credential, v string) error) flag {
	return flag{value, func(o *options, v string) error { return apply(o.credential(), v) }}
}

// credential returns the credential that the flags describe at this place.
func (o *options) credential() *credential {
	if n := len(o.credentials); n > 0 {
		return o.credentials[n-1]
	}
	return &o.usual
}

func decode64(field func(*credential) *[]byte) flag {
	return ofCredential(true, func(c *credential, v string) (err error) {
		*field(c), err = base64.StdEncoding.DecodeString(v)
		return err
	})
}

func integer(field func(*options) **int) flag {
	return flag{true, func(o *options, v string) error {
		n, err := strconv.Atoi(v)
		*field(o) = &n
		return err
	}}
}

func choice(field func(*options) *string, value string) flag {
	return flag{false, func(o *options, _ string) error { *field(o) = value; return nil }}
}

func without(v uint16) flag {
	return flag{false, func(o *options, _ string) error { o.without[v] = true; return nil }}
}

func verdict(field func(*options) **bool, want bool) flag {
	return flag{false, func(o *options, _ string) error { *field(o) = &want; return nil }}
}
