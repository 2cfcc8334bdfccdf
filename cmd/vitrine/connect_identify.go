package main

import (
	"cmp"
	"crypto/tls"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/diagnose"
)

// identityFlags adds the flags for the client's own identity.
func (o *connectOptions) identityFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.cert, "cert", "", "client certificate with its chain (PEM, DER, PKCS #12)")
	f.StringVar(&o.key, "key", "",
		"private key of --cert (PEM, DER, PKCS #12); without it, the one in the file of --cert")
	f.BoolVar(&o.sendAnyway, "send-anyway", false,
		"with --cert: send it even if the server asks for certificates of other authorities, as "+
			"OpenSSL does")
	f.BoolVar(&o.renegotiate, "renegotiate", false,
		"up to TLS 1.2: allow the server one renegotiation, by which IIS and others request a "+
			"client certificate")
}

// identify reads the flags about certificates and names.
func (o *connectOptions) identify(cmd *cobra.Command, config *vitrine.Config, t target,
	example string) (err error) {
	if err := checkNames("--sni", []string{o.sni}, example+" --sni example.com"); err != nil {
		return err
	}
	config.Time = time.Now
	config.ServerName = cmp.Or(o.sni, strings.TrimSuffix(t.host, "."))
	config.InsecureSkipVerify = o.insecure
	if o.resume || o.earlyData || o.awaitServer { // which a ticket can end
		config.ClientSessionCache = vitrine.NewLRUClientSessionCache(1)
	}
	if o.ca != "" {
		if config.RootCAs, config.LegacyRoots, err = loadPool("--ca", o.ca, example); err != nil {
			return err
		}
	}
	if err := o.clientCertificate(cmd, config, example); err != nil {
		return err
	}
	if err := o.pin(config, example); err != nil {
		return err
	}
	if o.noSNI {
		diagnose.WithoutSNI(config)
	}
	return nil
}

// clientCertificate reads the client's certificate or raw public key.
func (o *connectOptions) clientCertificate(cmd *cobra.Command, config *vitrine.Config,
	example string) error {
	if o.renegotiate {
		config.Renegotiation = tls.RenegotiateOnceAsClient
	}
	if o.sendAnyway && o.cert == "" {
		return &usageError{"--send-anyway without --cert: there is nothing to send",
			example + " --cert client.pem --send-anyway"}
	}
	if o.cert == "" && o.key == "" {
		return nil
	}
	password, err := o.identityPassword(cmd)
	switch {
	case err != nil:
		return err
	case o.cert == "" && !o.rawKey:
		return &usageError{"--key without --cert: a client certificate needs both",
			example + " --cert client.pem --key " + quoted(o.key)}
	case o.cert == "":
		key, err := loadRawKey(o.key, password, example)
		config.Certificates = []tls.Certificate{key}
		return err
	}
	var keys []string
	if o.key != "" {
		keys = []string{o.key}
	}
	config.Certificates, err = loadCertificates([]string{o.cert}, keys, password, example)
	unneeded(cmd.ErrOrStderr(), password, []string{cmp.Or(o.key, o.cert)}, opensFreely)
	if err == nil && o.sendAnyway {
		own := &config.Certificates[0]
		config.GetClientCertificate = func(*vitrine.CertificateRequestInfo) (*tls.Certificate,
			error) {
			return own, nil
		}
	}
	return err
}
