package main

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
)

// pskChoices are the flags of a pre-shared key, which connect and serve share.
type pskChoices struct {
	psk, pskIdentity   string
	pskHash, pskImport string
	pskModes           []string
}

var (
	pskHashes = map[string]crypto.Hash{"sha256": crypto.SHA256, "sha384": crypto.SHA384}
	pskModes  = []iana.PSKKeyExchangeMode{iana.PSKDHEKE, iana.PSKKE}
)

func (c *pskChoices) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.psk, "psk", "",
		"pre-shared key (RFC 4279, RFC 8446): hex, @FILE, - (standard input) or env:NAME")
	f.StringVar(&c.pskIdentity, "psk-identity", "Client_identity",
		"identity of the key of --psk")
	f.StringVar(&c.pskHash, "psk-hash", "sha256",
		"hash that TLS 1.3 uses the key of --psk with: sha256 or sha384")
	f.StringVar(&c.pskImport, "psk-import", "",
		"TLS 1.3: import the key of --psk (RFC 9258) for this context, which may be empty")
	f.StringSliceVar(&c.pskModes, "psk-mode", nil,
		"TLS 1.3: exactly these modes for keys and tickets, best first: psk_dhe_ke, psk_ke "+
			"(default psk_dhe_ke)")
	complete(cmd, "psk-hash", "sha256", "sha384")
	complete(cmd, "psk-mode", spelled(pskModes)...)
}

// preShared sets config.GetPSK to the key of --psk. A server accepts it under the identity of
// --psk-identity only.
func (c *choices) preShared(cmd *cobra.Command, config *vitrine.Config, example string) error {
	for _, name := range c.pskModes {
		i := slices.Index(spelled(pskModes), name)
		if i < 0 {
			return &usageError{fmt.Sprintf("--psk-mode takes one of %s, got %q",
				strings.Join(spelled(pskModes), ", "), name), example + " --psk-mode psk_ke"}
		}
		config.PSKKeyExchangeModes = append(config.PSKKeyExchangeModes, pskModes[i])
	}
	if c.psk == "" {
		return c.withoutKey(cmd, example)
	}
	v := &values{stdin: cmd.InOrStdin(), fields: map[string]input{}}
	v.set("psk", c.psk, cmd.ErrOrStderr())
	key, err := v.bytes("psk")
	if usage, ok := errors.AsType[*usageError](err); ok {
		usage.wayOut = example + " --psk @key.hex"
	}
	if err != nil {
		return err
	}
	hash, ok := pskHashes[c.pskHash]
	if !ok {
		return unknownValue("psk-hash", c.pskHash, "sha256", "sha384")
	}
	ids := config.Policy.CipherSuites()
	for _, id := range config.CipherSuites {
		ids = append(ids, iana.CipherSuite(id))
	}
	if highest(config) < iana.TLS13 && !slices.ContainsFunc(ids,
		func(id iana.CipherSuite) bool { return suite.ByID(id).PreShared() }) {
		return contradiction("--psk", "--policy "+c.policy,
			"no suite of that policy uses a pre-shared key",
			example+" --psk "+quoted(c.psk)+" --policy compatible")
	}
	shared := vitrine.PSK{Identity: []byte(c.pskIdentity), Key: key, Hash: hash,
		Import: cmd.Flags().Changed("psk-import"), Context: []byte(c.pskImport)}
	config.GetPSK = func(i *vitrine.PSKInfo) (*vitrine.PSK, error) {
		if i.Identity != nil && !bytes.Equal(i.Identity, shared.Identity) {
			return nil, nil
		}
		k := shared
		return &k, nil
	}
	return nil
}

// withoutKey refuses the flags that say something about a key if there is none.
func (c *choices) withoutKey(cmd *cobra.Command, example string) error {
	for flag, value := range map[string]string{"psk-identity": c.pskIdentity,
		"psk-hash": c.pskHash, "psk-import": c.pskImport} {
		if cmd.Flags().Changed(flag) {
			return &usageError{"--" + flag + " needs a key: give --psk",
				example + " --psk @key.hex --" + flag + " " + quoted(value)}
		}
	}
	return nil
}
