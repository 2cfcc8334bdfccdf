package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/bug"
	"github.com/vitrine-tls/vitrine/session"
)

// read reads the files for config, and makes config that of new connections.
func (h *host) read(config *vitrine.Config) (err error) {
	example := h.cmd.CommandPath()
	if h.rawKeys && len(h.certs) == 0 && len(h.keys) > 0 {
		return &usageError{"--raw-public-key sends the key of a certificate, and --key has none " +
			"without --cert", "openssl req -x509 -new -subj /CN=localhost -key " +
			quoted(h.keys[0]) + " -out chain.pem # makes one"}
	}
	if len(h.certs) > 0 || len(h.keys) > 0 {
		password, err := h.identityPassword(h.cmd)
		if err != nil {
			return err
		}
		config.Certificates, err = loadCertificates(h.certs, h.keys, password, example)
		if err != nil {
			return err
		}
		files := h.keys
		if len(files) == 0 {
			files = h.certs
		}
		unneeded(h.cmd.ErrOrStderr(), password, files, opensFreely)
	}
	if err := h.staple(config); err != nil {
		return err
	}
	if err := h.askClients(config, example); err != nil {
		return err
	}
	h.askLater(config)
	if err := h.showRawKeys(config); err != nil {
		return err
	}
	if h.sessionIDs || h.earlyData {
		config.SessionStore = session.NewMemory(10000)
	}
	if h.earlyData {
		config.MaxEarlyData = 16 << 10
	}
	config.TraceFor, config.Time = sinkOf, time.Now
	h.current.Store(config)
	return nil
}

// pinClients makes the raw public keys of --client-pin the proof of a client, beside certificates
// of --client-ca if that is given, too.
func (h *host) pinClients(config *vitrine.Config, example string) (err error) {
	if h.clientPins == nil {
		return nil
	}
	config.RawKeyPins, err = pinsOf("--client-pin", h.clientPins,
		example+" --client-auth require --client-any # whose log shows them")
	config.PeerCertificateTypes = []iana.CertificateType{iana.RawPublicKey}
	if h.clientCA != "" {
		config.PeerCertificateTypes = append(config.PeerCertificateTypes, iana.X509)
	}
	return err
}

// showRawKeys adds the keys of the certificates as raw public keys, behind the certificates:
// clients that accept both get those. Clients' raw public keys are accepted only where anything is.
func (h *host) showRawKeys(config *vitrine.Config) error {
	if !h.rawKeys {
		return nil
	}
	var raw []tls.Certificate
	for _, c := range config.Certificates {
		if len(c.Certificate) == 0 {
			continue // of before SIGHUP
		}
		key, err := rawKeyOf(c.PrivateKey)
		if err != nil {
			return err
		}
		raw = append(raw, key)
	}
	if h.clientAny {
		config.PeerCertificateTypes = []iana.CertificateType{iana.RawPublicKey, iana.X509}
	}
	chains := slices.DeleteFunc(slices.Clone(config.Certificates),
		func(c tls.Certificate) bool { return len(c.Certificate) == 0 })
	config.Certificates = append(chains, raw...)
	return nil
}

// onHangup makes SIGHUP read the files again until stop is called. Old sessions cannot be resumed
// then: there are new ticket keys and an empty store.
func (h *host) onHangup() (stop func()) {
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	notifyHangup(signals)
	go func() {
		for {
			select {
			case <-signals:
				h.readAgain()
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(signals); close(done) }
}

// readAgain reads the files for a copy of the Config. After an error or a panic the server goes on
// as it was.
func (h *host) readAgain() {
	var err error
	failed := bug.Survive(func() {
		config := h.config.Clone()
		config.TicketKeys = nil
		err = h.read(config)
	})
	if err := errors.Join(err, failed); err != nil {
		fmt.Fprintf(fit(h.cmd.ErrOrStderr()), "! SIGHUP: everything stays as it was: %s\n",
			explain.Escape(err.Error()))
		return
	}
	fmt.Fprintln(fit(h.cmd.ErrOrStderr()),
		"! SIGHUP: the files were read again, for new connections.")
}

// staple adds the OCSP response to the certificate that it is for.
func (h *host) staple(config *vitrine.Config) error {
	if h.ocsp == "" {
		return nil
	}
	der, err := os.ReadFile(h.ocsp)
	if err != nil {
		return ofInput("--ocsp "+h.ocsp, err)
	}
	response, err := ocsp.ParseResponse(der, nil)
	if err != nil {
		why := "it is not an OCSP response in DER"
		if refused, ok := errors.AsType[ocsp.ResponseError](err); ok {
			why = "it is an error of the responder: " + refused.Status.String()
		}
		return &usageError{fmt.Sprintf("--ocsp %s: %s", h.ocsp, why),
			"vitrine serve --cert chain.pem --key key.pem"}
	}
	for i := range config.Certificates {
		if c := &config.Certificates[i]; c.Leaf != nil &&
			c.Leaf.SerialNumber.Cmp(response.SerialNumber) == 0 {
			c.OCSPStaple = der
			return nil
		}
	}
	return &usageError{fmt.Sprintf("--ocsp %s: it is for the certificate with serial number %x, "+
		"which is not one of --cert", h.ocsp, response.SerialNumber),
		"vitrine serve --cert chain.pem --key key.pem"}
}

// takenClients returns the flags that say which clients are taken.
func (h *host) takenClients() (flags string) {
	if h.clientCA != "" {
		flags += " --client-ca " + quoted(h.clientCA)
	}
	for _, pin := range h.clientPins {
		flags += " --client-pin " + quoted(pin)
	}
	if h.clientAny && h.clientPins == nil {
		flags += " --client-any"
	}
	return flags
}

// askClients reads the flags about client certificates.
func (h *host) askClients(config *vitrine.Config, example string) (err error) {
	i := slices.Index([]string{"none", "request", "require"}, h.clientAuth)
	switch {
	case i < 0:
		return &usageError{fmt.Sprintf("--client-auth takes none, request or require, got %q",
			h.clientAuth), example + " --client-auth require --client-ca clients.pem"}
	case i == 0 && (h.clientCA != "" || h.clientAny || h.clientPins != nil):
		return &usageError{"--client-ca, --client-any and --client-pin say which client " +
			"certificates or keys are taken, and none are asked for", example +
			" --client-auth require" + h.takenClients()}
	case i > 0 && h.clientCA == "" && !h.clientAny && h.clientPins == nil:
		return &usageError{"--client-auth " + h.clientAuth +
			" needs the CAs whose client certificates are accepted",
			example + " --client-auth " + h.clientAuth + " --client-ca clients.pem"}
	case h.clientCA != "" && h.clientAny:
		return contradiction("--client-ca", "--client-any", "one trusts some, the other takes all",
			example+" --client-auth require --client-any")
	case h.clientPins != nil && h.clientAny:
		return contradiction("--client-pin", "--client-any", "one trusts some, the other takes all",
			example+" --client-auth require --client-any")
	case h.clientAny:
		config.ClientAuth = []tls.ClientAuthType{0, tls.RequestClientCert,
			tls.RequireAnyClientCert}[i]
		return nil
	}
	config.ClientAuth = []tls.ClientAuthType{0, tls.VerifyClientCertIfGiven,
		tls.RequireAndVerifyClientCert}[i]
	if err := h.pinClients(config, example); err != nil || h.clientCA == "" {
		return err
	}
	config.ClientCAs, config.LegacyRoots, err = loadPool("--client-ca", h.clientCA, example)
	return err
}
