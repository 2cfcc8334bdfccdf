package negotiation

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

func init() {
	yes := func(wanted func(*Config) bool) func(*Offering) (message.Content, bool) {
		return func(o *Offering) (message.Content, bool) { return nil, wanted(o.Config) }
	}
	// only13 offers an extension that only TLS 1.3 has, if TLS 1.3 is offered.
	only13 := func(
		offer func(*Offering) (message.Content, bool),
	) func(*Offering) (message.Content, bool) {
		return func(o *Offering) (message.Content, bool) {
			if o.MaxVersion < iana.TLS13 {
				return nil, false
			}
			return offer(o)
		}
	}
	Extensions = []Extension{
		{iana.ExtServerName, "RFC 6066 §3", hellos, inCH | inEE | inCR, // CR: RFC 9846 §4.3
			offerServerName, answerServerName, applyEmpty(iana.ExtServerName)},
		{iana.ExtMaxFragmentLength, "RFC 6066 §4", hellos, inCH | inEE,
			offerMaxFragment, answerMaxFragment, applyMaxFragment},
		{iana.ExtStatusRequest, "RFC 6066 §8", hellos, inCH | inCR | inCT, offerStatus,
			answerStatus, applyStatus},
		{iana.ExtSupportedGroups, "RFC 8422 §5.1.1", hellos, inCH | inEE, offerGroups, nil, nil},
		{iana.ExtECPointFormats, "RFC 8422 §5.1.2", hellos, inCH,
			offerPointFormats, answerPointFormats, applyPointFormats},
		{iana.ExtSignatureAlgorithms, "RFC 5246 §7.4.1.4.1", inCH, inCH | inCR, offerSchemes, nil,
			nil},
		{iana.ExtALPN, "RFC 7301 §3.1", hellos, inCH | inEE, offerProtocols, AnswerProtocol,
			applyProtocol},
		{iana.ExtSCT, "RFC 6962 §3.3.1", hellos, inCH | inCR | inCT,
			yes(func(c *Config) bool { return c.Timestamps != Off }), answerSCTs, applySCTs},
		{iana.ExtClientCertificateType, "RFC 7250 §4.1", hellos, inCH | inEE,
			offerTypes((*Config).shows), answerClientType,
			applyType(iana.Client, iana.ExtClientCertificateType)},
		{iana.ExtServerCertificateType, "RFC 7250 §4.1", hellos, inCH | inEE,
			offerTypes((*Config).accepts), answerServerType,
			applyType(iana.Server, iana.ExtServerCertificateType)},
		{iana.ExtEncryptThenMAC, "RFC 7366 §2", hellos, inCH,
			yes(offersCBC), answerEncryptThenMAC, applyEncryptThenMAC},
		{iana.ExtExtendedMasterSecret, "RFC 7627 §5.1", hellos, inCH,
			yes(func(c *Config) bool { return c.ExtendedMasterSecret != Off }),
			answerExtendedMaster, applyExtendedMaster},
		{iana.ExtRecordSizeLimit, "RFC 8449 §4", hellos, inCH | inEE, offerSizeLimit,
			answerSizeLimit, applySizeLimit},
		{iana.ExtSessionTicket, "RFC 5077 §3.2", hellos, inCH, offerTicket, answerTicket,
			applyTicket},
		{iana.ExtRenegotiationInfo, "RFC 5746 §3.2", hellos, inCH,
			offerRenegotiation, answerRenegotiation, applyRenegotiation},
		{iana.ExtSignatureAlgorithmsCert, "RFC 8446 §4.2.3", inCH, inCH | inCR, nil, nil, nil},
		{iana.ExtCompressCertificate, "RFC 8879 §3", inCH, inCH | inCR, only13(offerCompression),
			nil, nil},
		{iana.ExtSupportedVersions, "RFC 8446 §4.2.1", hellos, inCH | inSH | inHR,
			only13(offerVersions), answerVersion, nil},
		{iana.ExtKeyShare, "RFC 8446 §4.2.8", inCH, inCH | inSH | inHR, only13(offerShares),
			group13, nil},
		{iana.ExtCookie, "RFC 8446 §4.2.2", inCH, inCH | inHR, offerCookie, nil, nil},
		{iana.ExtCertificateAuthorities, "RFC 8446 §4.2.4", inCH, inCH | inCR, nil, nil, nil},
		{iana.ExtOIDFilters, "RFC 8446 §4.2.5", 0, inCR, nil, nil, nil},
		{iana.ExtPostHandshakeAuth, "RFC 8446 §4.2.6", inCH, inCH, only13(offerLateAuth), nil, nil},
		{iana.ExtPSKKeyExchangeModes, "RFC 8446 §4.2.9", inCH, inCH, only13(offerPSKModes), nil,
			nil},
		{iana.ExtEarlyData, "RFC 8446 §4.2.10", inCH, inCH | inEE | inNT, offerEarlyData,
			answerEarlyData, applyEarlyData},
		{iana.ExtQUICTransportParameters, quicParametersRef, 0, inCH | inEE,
			offerTransportParameters, answerTransportParameters, nil},
		// the last, always
		{iana.ExtPreSharedKey, "RFC 8446 §4.2.11", inCH, inCH | inSH, offerPSK, answerPSK, nil},
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
	e = make(message.Extensions, 0, 20) // more than most hellos have
	buf := make([]byte, 0, 256)         // for what most hellos have in their extensions
	for i := range Extensions {
		row := &Extensions[i]
		old := row.in12 == hellos && row.in13 == inCH // an extension that TLS 1.3 does not use
		if row.offer == nil || old && o.MinVersion >= iana.TLS13 {
			continue
		}
		if content, ok := row.offer(o); ok {
			if buf, err = e.AddIn(buf, row.Type, content); err != nil {
				return nil, err
			}
		}
	}
	return o.Greased.Extend(e), nil
}

// Answer returns a server's extensions of one message: only what the client sent is answered. See
// RFC 5246 §7.4.1.4.
func Answer(c *Config, an *Answering) (e message.Extensions, err error) {
	for i := range Extensions {
		row := &Extensions[i]
		if row.answer == nil || row.places(an.Version)&an.At == 0 || !row.Asked(an.Hello) {
			continue
		}
		content, ok, err := row.answer(c, an)
		if err != nil {
			return nil, err
		}
		if ok {
			if err := e.Add(row.Type, content); err != nil {
				return nil, err
			}
		}
	}
	return e, nil
}
