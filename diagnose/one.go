package diagnose

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/suite"
)

// Only returns the change that allows a suite until TLS 1.2, and a version if c does not have it,
// and nothing else. It is for a server that is known to have them. ok is false if Vitrine does not
// speak the suite in that version.
func Only(c *vitrine.Config, v iana.Version, id iana.CipherSuite) (change Change, ok bool) {
	s := suite.ByID(id)
	if s == nil || v < iana.TLS10 || v > iana.TLS12 || s.MinVersion() > v || s.PreShared() {
		return Change{}, false
	}
	change = Change{Kind: OneSuite, Suite: id,
		Go: fmt.Sprintf("CipherSuites: []uint16{0x%04X}", uint16(id))}
	var costs []string
	for _, x := range suite.Concerns(s) {
		if x.Level > suite.Fine {
			costs = append(costs, x.What+": "+x.Reason)
		}
	}
	if least := c.MinVersion; least == 0 && v < policyOf(c).MinVersion() ||
		least > uint16(v) {
		change.Version = v
		change.Go = fmt.Sprintf("MinVersion: 0x%04X, ", uint16(v)) + change.Go
		costs = append([]string{fmt.Sprintf("%v is deprecated (RFC 8996)", v)}, costs...)
	}
	change.Costs = strings.Join(costs, "; ")
	change.apply = func(c *vitrine.Config) {
		c.CipherSuites = []uint16{uint16(id)}
		if change.Version != 0 {
			c.MinVersion = uint16(change.Version)
		}
		if c.MaxVersion != 0 && c.MaxVersion < uint16(v) {
			c.MaxVersion = 0
		}
	}
	return change, true
}
