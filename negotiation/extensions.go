package negotiation

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

func init() {
	once := func(f func(*Parameters, *Greased) (message.Content, bool)) offer {
		return offer{once: f}
	}
	each := func(f func(*Offering) (message.Content, bool)) offer { return offer{each: f} }
	yes := func(wanted func(*Parameters) bool) offer {
		return once(func(p *Parameters, _ *Greased) (message.Content, bool) {
			return nil, wanted(p)
		})
	}
	// only13 offers an extension that only TLS 1.3 has, if TLS 1.3 is offered.
	only13 := func(o offer) offer {
		if once := o.once; once != nil {
			o.once = func(p *Parameters, g *Greased) (message.Content, bool) {
				if p.MaxVersion < iana.TLS13 {
					return nil, false
				}
				return once(p, g)
			}
		}
		if each := o.each; each != nil {
			o.each = func(o *Offering) (message.Content, bool) {
				if o.MaxVersion < iana.TLS13 {
					return nil, false
				}
				return each(o)
			}
		}
		return o
	}
	Extensions = []Extension{
		{iana.ExtServerName, "RFC 6066 §3", hellos, inCH | inEE | inCR, // CR: RFC 9846 §4.3
			each(offerServerName), answerServerName, applyEmpty(iana.ExtServerName)},
		{iana.ExtMaxFragmentLength, "RFC 6066 §4", hellos, inCH | inEE, once(offerMaxFragment),
			answerMaxFragment, applyMaxFragment},
		{iana.ExtStatusRequest, "RFC 6066 §8", hellos, inCH | inCR | inCT, once(offerStatus),
			answerStatus, applyStatus},
		{iana.ExtSupportedGroups, "RFC 8422 §5.1.1", hellos, inCH | inEE, once(offerGroups), nil,
			nil},
		{iana.ExtECPointFormats, "RFC 8422 §5.1.2", hellos, inCH, once(offerPointFormats),
			answerPointFormats, applyPointFormats},
		{iana.ExtSignatureAlgorithms, "RFC 5246 §7.4.1.4.1", inCH, inCH | inCR, once(offerSchemes),
			nil, nil},
		{iana.ExtALPN, "RFC 7301 §3.1", hellos, inCH | inEE, once(offerProtocols), AnswerProtocol,
			applyProtocol},
		{iana.ExtSCT, "RFC 6962 §3.3.1", hellos, inCH | inCR | inCT,
			yes(func(p *Parameters) bool { return p.Timestamps != Off }), answerSCTs, applySCTs},
		{iana.ExtClientCertificateType, "RFC 7250 §4.1", hellos, inCH | inEE,
			each(offerTypes((*Config).shows)), answerClientType,
			applyType(iana.Client, iana.ExtClientCertificateType)},
		{iana.ExtServerCertificateType, "RFC 7250 §4.1", hellos, inCH | inEE,
			each(offerTypes((*Config).accepts)), answerServerType,
			applyType(iana.Server, iana.ExtServerCertificateType)},
		{iana.ExtEncryptThenMAC, "RFC 7366 §2", hellos, inCH, yes(offersCBC), answerEncryptThenMAC,
			applyEncryptThenMAC},
		{iana.ExtExtendedMasterSecret, "RFC 7627 §5.1", hellos, inCH,
			yes(func(p *Parameters) bool { return p.ExtendedMasterSecret != Off }),
			answerExtendedMaster, applyExtendedMaster},
		{iana.ExtRecordSizeLimit, "RFC 8449 §4", hellos, inCH | inEE, once(offerSizeLimit),
			answerSizeLimit, applySizeLimit},
		{iana.ExtSessionTicket, "RFC 5077 §3.2", hellos, inCH, each(offerTicket), answerTicket,
			applyTicket},
		{iana.ExtRenegotiationInfo, "RFC 5746 §3.2", hellos, inCH, each(offerRenegotiation),
			answerRenegotiation, applyRenegotiation},
		{iana.ExtSignatureAlgorithmsCert, "RFC 8446 §4.2.3", inCH, inCH | inCR, offer{}, nil, nil},
		{iana.ExtCompressCertificate, "RFC 8879 §3", inCH, inCH | inCR,
			only13(once(offerCompression)), nil, nil},
		{iana.ExtSupportedVersions, "RFC 8446 §4.2.1", hellos, inCH | inSH | inHR,
			only13(once(offerVersions)), answerVersion, nil},
		{iana.ExtKeyShare, "RFC 8446 §4.2.8", inCH, inCH | inSH | inHR, only13(each(offerShares)),
			group13, nil},
		{iana.ExtCookie, "RFC 8446 §4.2.2", inCH, inCH | inHR, each(offerCookie), nil, nil},
		{iana.ExtCertificateAuthorities, "RFC 8446 §4.2.4", inCH, inCH | inCR, offer{}, nil, nil},
		{iana.ExtOIDFilters, "RFC 8446 §4.2.5", 0, inCR, offer{}, nil, nil},
		{iana.ExtPostHandshakeAuth, "RFC 8446 §4.2.6", inCH, inCH, only13(once(offerLateAuth)), nil,
			nil},
		{iana.ExtPSKKeyExchangeModes, "RFC 8446 §4.2.9", inCH, inCH, only13(each(offerPSKModes)),
			nil, nil},
		{iana.ExtEarlyData, "RFC 8446 §4.2.10", inCH, inCH | inEE | inNT, each(offerEarlyData),
			answerEarlyData, applyEarlyData},
		{iana.ExtQUICTransportParameters, quicParametersRef, 0, inCH | inEE,
			each(offerTransportParameters), answerTransportParameters, nil},
		// the last, always
		{iana.ExtPreSharedKey, "RFC 8446 §4.2.11", inCH, inCH | inSH, each(offerPSK), answerPSK,
			nil},
	}
	for i := range Extensions {
		if t := Extensions[i].Type; int(t) < len(low) {
			low[t] = uint8(i + 1)
		}
	}
}

// Placed returns an error if an extension must not be in a message, or answers none of ours. asked
// reports whether one was requested; it is not used for requests. See RFC 5246 §7.4.1.4 and RFC
// 8446 §4.2.
func Placed(e message.Extensions, v iana.Version, at message.Place,
	asked func(*Extension) bool) error {
	wrongPlace, unasked := alert.UnsupportedExtension, "RFC 5246 §7.4.1.4"
	if v == iana.TLS13 {
		wrongPlace, unasked = alert.IllegalParameter, "RFC 8446 §4.2"
	}
	for _, x := range e {
		row := extensionRow(x.Type)
		switch {
		case at&requests == 0 && (row == nil || !asked(row)):
			return alert.KindExtension.Fail(alert.UnsupportedExtension, unasked,
				"the peer answers %v, which we did not send", x.Type)
		case row != nil && row.places(v)&at == 0:
			return alert.KindExtension.Fail(wrongPlace, row.ref,
				"the peer sends %v in a message of %v that may not have it", x.Type, v)
		}
	}
	return nil
}

// Offer returns the extensions of a ClientHello.
func Offer(o *Offering) (e message.Extensions, err error) {
	once, err := o.once()
	if err != nil {
		return nil, err
	}
	e = make(message.Extensions, 0, 20) // more than most hellos have
	buf := make([]byte, 0, 256)         // for what most hellos have in their extensions
	for i := range Extensions {
		row := &Extensions[i]
		if x := once[i]; x != nil {
			e = append(e, *x)
		}
		if row.offer.each == nil || row.old() && o.MinVersion >= iana.TLS13 {
			continue
		}
		if content, ok := row.offer.each(o); ok {
			if buf, err = e.AddIn(buf, row.Type, content); err != nil {
				return nil, err
			}
		}
	}
	return o.Greased.Extend(e), nil
}

// old reports whether TLS 1.3 does not use an extension.
func (x *Extension) old() bool { return x.in12 == hellos && x.in13 == inCH }

// once returns what is offered for o's Parameters, by row. Without reserved values it is kept for
// other connections.
func (o *Offering) once() ([]*message.Extension, error) {
	keeps := o.Kept != nil && !o.GREASE
	if keeps {
		if last := o.Kept.offered.Load(); last != nil && last.by == o.Parameters {
			return last.extensions, nil
		}
	}
	all := make([]*message.Extension, len(Extensions))
	for i := range Extensions {
		row := &Extensions[i]
		if row.offer.once == nil || row.old() && o.MinVersion >= iana.TLS13 {
			continue
		}
		content, ok := row.offer.once(o.Parameters, o.Greased)
		if !ok {
			continue
		}
		var e message.Extensions
		if err := e.Add(row.Type, content); err != nil {
			return nil, err
		}
		all[i] = &e[0]
	}
	if keeps {
		o.Kept.offered.Store(&offered{o.Parameters, all})
	}
	return all, nil
}

// Answer returns a server's extensions of one message: only what the client sent is answered. See
// RFC 5246 §7.4.1.4.
func Answer(c *Config, an *Answering) (e message.Extensions, err error) {
	var buf []byte
	for i := range Extensions {
		row := &Extensions[i]
		if row.answer == nil || row.places(an.Version)&an.At == 0 || !row.Asked(an.Hello) {
			continue
		}
		content, ok, err := row.answer(c, an)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if e == nil { // a message without extensions may have no block of them
			e, buf = make(message.Extensions, 0, 4), make([]byte, 0, 64)
		}
		if buf, err = e.AddIn(buf, row.Type, content); err != nil {
			return nil, err
		}
	}
	return e, nil
}
