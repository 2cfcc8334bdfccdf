package vitrine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/compress"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// made is the Parameters of a Config, and what they were made from. The connections of a Config
// share them.
type made struct {
	from       *wanted
	parameters *negotiation.Parameters
}

// parameters returns what is offered and accepted. It is made anew only if a field has changed, for
// not every program leaves a Config alone once it is in use.
func (c *Config) parameters() (*negotiation.Parameters, error) {
	w := c.wanted()
	if last := c.made.Load(); last != nil && last.from.equal(&w) {
		return last.parameters, nil
	}
	w.wantedLists = w.clone()
	p, err := w.parameters()
	if err == nil {
		c.made.Store(&made{&w, p})
	}
	return p, err
}

// wanted is the fields of a Config that Parameters are made from.
type wanted struct {
	wantedValues
	wantedLists
}

type wantedValues struct {
	Policy                                           *Policy
	MinVersion, MaxVersion                           uint16
	ExtendedMasterSecret, EncryptThenMAC             Demand
	StatusRequest, Timestamps                        Demand
	MaxFragmentLength, RecordSizeLimit               int
	HelloFragment                                    int
	RecordSplitDisabled, DynamicRecordSizingDisabled bool
	GREASE, PostHandshakeAuth, ClientOrder           bool
	hasPSK                                           bool
}

type wantedLists struct {
	NextProtos                   []string
	CipherSuites, CipherSuites13 []uint16
	CurvePreferences, KeyShares  []CurveID
	SignatureSchemes             []SignatureScheme
	CertificateCompression       []iana.CertificateCompressionAlgorithm
	CookieKeys                   [][32]byte
}

func (c *Config) wanted() wanted {
	return wanted{
		wantedValues{
			Policy:                      c.Policy.orModern(),
			MinVersion:                  c.MinVersion,
			MaxVersion:                  c.MaxVersion,
			ExtendedMasterSecret:        c.ExtendedMasterSecret,
			EncryptThenMAC:              c.EncryptThenMAC,
			StatusRequest:               c.StatusRequest,
			Timestamps:                  c.Timestamps,
			MaxFragmentLength:           c.MaxFragmentLength,
			RecordSizeLimit:             c.RecordSizeLimit,
			HelloFragment:               c.HelloFragment,
			RecordSplitDisabled:         c.RecordSplitDisabled,
			DynamicRecordSizingDisabled: c.DynamicRecordSizingDisabled,
			GREASE:                      c.GREASE,
			PostHandshakeAuth:           c.PostHandshakeAuth,
			ClientOrder:                 c.ClientOrder,
			hasPSK:                      c.GetPSK != nil,
		},
		wantedLists{
			NextProtos:             c.NextProtos,
			CipherSuites:           c.CipherSuites,
			CipherSuites13:         c.CipherSuites13,
			CurvePreferences:       c.CurvePreferences,
			KeyShares:              c.KeyShares,
			SignatureSchemes:       c.SignatureSchemes,
			CertificateCompression: c.CertificateCompression,
			CookieKeys:             c.CookieKeys,
		},
	}
}

func (c *wanted) equal(o *wanted) bool {
	return c.wantedValues == o.wantedValues && same(c.NextProtos, o.NextProtos) &&
		same(c.CipherSuites, o.CipherSuites) && same(c.CipherSuites13, o.CipherSuites13) &&
		same(c.CurvePreferences, o.CurvePreferences) && same(c.KeyShares, o.KeyShares) &&
		same(c.SignatureSchemes, o.SignatureSchemes) &&
		same(c.CertificateCompression, o.CertificateCompression) &&
		same(c.CookieKeys, o.CookieKeys)
}

// same reports whether two lists are equal. Of many fields nil means the default, and an empty list
// means none.
func same[T comparable](a, b []T) bool { return (a == nil) == (b == nil) && slices.Equal(a, b) }

// clone copies the lists, whose elements the program may change.
func (l *wantedLists) clone() wantedLists {
	return wantedLists{slices.Clone(l.NextProtos), slices.Clone(l.CipherSuites),
		slices.Clone(l.CipherSuites13), slices.Clone(l.CurvePreferences),
		slices.Clone(l.KeyShares), slices.Clone(l.SignatureSchemes),
		slices.Clone(l.CertificateCompression), slices.Clone(l.CookieKeys)}
}

// parameters returns what is offered and accepted: the policy's defaults, and the fields that
// change them.
func (c *wanted) parameters() (*negotiation.Parameters, error) {
	p := c.Policy.parameters()
	p.ExtendedMasterSecret, p.EncryptThenMAC = c.ExtendedMasterSecret, c.EncryptThenMAC
	p.StatusRequest, p.Timestamps = c.StatusRequest, c.Timestamps
	p.Protocols = c.NextProtos
	if err := c.negotiable(p); err != nil {
		return nil, err
	}
	if err := c.groups(p); err != nil {
		return nil, err
	}
	if c.SignatureSchemes != nil {
		p.Schemes = convert[iana.SignatureScheme](c.SignatureSchemes)
		if unknown := slices.IndexFunc(p.Schemes,
			func(s iana.SignatureScheme) bool { return !pki.Signs(s) }); unknown >= 0 {
			return nil, fmt.Errorf("vitrine: Config.SignatureSchemes has %v, which Vitrine does "+
				"not speak", p.Schemes[unknown])
		}
		if len(p.Schemes) == 0 {
			return nil, errors.New("vitrine: Config.SignatureSchemes is empty: nothing could be " +
				"signed")
		}
	}
	if n := c.MaxFragmentLength; n != 0 {
		code := slices.Index([]int{512, 1024, 2048, 4096}, n)
		if code < 0 {
			return nil, fmt.Errorf("vitrine: Config.MaxFragmentLength is %d, expected 512, 1024, "+
				"2048 or 4096", n)
		}
		p.MaxFragmentLength = uint8(code + 1)
	}
	if n := c.RecordSizeLimit; n != 0 {
		if n < 64 || n > 1<<14 {
			return nil, fmt.Errorf("vitrine: Config.RecordSizeLimit is %d, expected 64 to 16384", n)
		}
		p.RecordSizeLimit = uint16(n)
	}
	if n := c.HelloFragment; n < 0 || n > 1<<14 {
		return nil, fmt.Errorf("vitrine: Config.HelloFragment is %d, expected 0 to 16384", n)
	}
	p.HelloFragment, p.RecordSplitDisabled = c.HelloFragment, c.RecordSplitDisabled
	p.CertificateCompression = c.CertificateCompression
	p.FullRecords = c.DynamicRecordSizingDisabled
	p.GREASE, p.PostHandshakeAuth = c.GREASE, c.PostHandshakeAuth
	p.ClientOrder = c.ClientOrder
	p.CookieKeys = c.CookieKeys
	for _, a := range p.CertificateCompression {
		if !compress.Speaks(a) {
			return nil, fmt.Errorf("vitrine: Config.CertificateCompression has %v, which Vitrine "+
				"does not speak", a)
		}
	}
	return p, nil
}
