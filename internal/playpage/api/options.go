package api

import (
	"encoding/json"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/playground"
	"github.com/vitrine-tls/vitrine/suite"
)

// groups are those that the page offers.
var groups = []iana.Group{iana.X25519, iana.Secp256r1, iana.Secp384r1, iana.Secp521r1, iana.X448,
	iana.X25519MLKEM768, iana.FFDHE2048, iana.FFDHE3072}

// Options are the values that a Setup can have.
type Options struct {
	Suites   map[string][]Suite `json:"suites"` // by version
	Groups   []string           `json:"groups"`
	Kinds    []throwaway.Kind   `json:"kinds"`
	Flaws    []playground.Flaw  `json:"flaws"`
	Careless []string           `json:"careless"`
	Request  string             `json:"request"`
	Response string             `json:"response"`
}

// Suite is a cipher suite of a Setup.
type Suite struct {
	Name     string `json:"name"`
	Exchange string `json:"exchange"` // "ECDHE"
}

// Choices returns the Options as JSON.
func Choices() ([]byte, error) {
	o := Options{Suites: map[string][]Suite{}, Kinds: throwaway.Kinds(), Flaws: playground.Flaws(),
		Request: playground.Request, Response: playground.Response}
	for _, c := range playground.CarelessTwins() {
		o.Careless = append(o.Careless, string(c))
	}
	for _, s := range suite.All13() {
		o.Suites["1.3"] = append(o.Suites["1.3"], Suite{s.ID.String(), "(EC)DHE"})
	}
	for _, s := range suite.Certified() {
		o.Suites["1.2"] = append(o.Suites["1.2"], Suite{s.ID.String(), s.ExchangeName()})
	}
	for _, g := range groups {
		o.Groups = append(o.Groups, g.String())
	}
	return json.Marshal(o)
}
